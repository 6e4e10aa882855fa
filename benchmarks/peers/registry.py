"""The peers, by their names on the command line."""

from __future__ import annotations

from benchmarks.peers import (
    crfsuite_peer,
    flair_peer,
    jieba_peer,
    nltk_peers,
    rnntag_peer,
    spacy_peer,
    stanza_peer,
    udpipe_peer,
)
from benchmarks.peers.adapter import Peer

PEERS: dict[str, Peer] = {
    "rnntag": rnntag_peer.PEER,
    "nltk": nltk_peers.PERCEPTRON,
    "tnt": nltk_peers.TNT,
    "tnt-endings": nltk_peers.TNT_WITH_ENDINGS,
    "nltk-crf": nltk_peers.CRF,
    "crfsuite": crfsuite_peer.PEER,
    "udpipe": udpipe_peer.PEER,
    "spacy": spacy_peer.PEER,
    "stanza": stanza_peer.PEER,
    "flair": flair_peer.PEER,
    "jieba": jieba_peer.PEER,
}
