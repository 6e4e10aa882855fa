"""Runs one peer.

    python -m benchmarks.peers.worker train nltk en_ewt-ud-train.conllu en_ewt-ud-dev.conllu MODEL
    python -m benchmarks.peers.worker tag nltk MODEL INPUT OUTPUT
    python -m benchmarks.peers.worker latency nltk MODEL

INPUT has one sentence per line, its words separated by spaces; OUTPUT gets the tags. `latency` prints the median time
in milliseconds for one sentence of ten words in a warm process.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

from benchmarks.peers.adapter import Lesson, Tagged
from benchmarks.peers.registry import PEERS

SENTENCE = ["The", "old", "man", "saw", "a", "red", "bird", "in", "the", "garden"]
CALLS = 300


def read(treebank: str) -> Tagged:
    """All sentences of a treebank file. Spaces in words become no-break spaces."""
    from rnntag.corpora import loading

    (corpus,) = loading.load([treebank], whole=True)
    sentences = (*corpus.train, *corpus.dev, *corpus.test)
    return [[(w.replace(" ", "\u00a0"), t) for w, t in zip(s.tokens, s.tags["upos"], strict=True)] for s in sentences]


def train(name: str, treebank: str, dev: str, model: Path, minutes: float) -> None:
    learn = PEERS[name].train
    if learn is None:
        raise SystemExit(f"{name} does not learn from treebanks")
    learn(Lesson(read(treebank), read(dev), Path(treebank).name.partition("_")[0], minutes), model)


def tag(name: str, model: Path, source: Path, target: Path) -> None:
    tag = PEERS[name].load(model)
    with source.open(encoding="utf-8", newline="\n") as lines, target.open("w", encoding="utf-8") as out:
        for tags in tag(line.rstrip("\n").split(" ") for line in lines):
            out.write(" ".join(tags) + "\n")


def latency(name: str, model: Path) -> float:
    tag = PEERS[name].load(model)
    seconds = []
    for _ in range(CALLS):
        started = time.perf_counter()
        list(tag([SENTENCE]))
        seconds.append(time.perf_counter() - started)
    return 1000 * statistics.median(seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("verb", choices=["train", "tag", "latency"])
    parser.add_argument("peer", choices=PEERS)
    parser.add_argument("paths", nargs="+")
    parser.add_argument("--minutes", type=float, default=20.0, help="limit of training time")
    given = parser.parse_args()
    if given.verb == "train":
        treebank, dev, model = given.paths
        train(given.peer, treebank, dev, Path(model), given.minutes)
    elif given.verb == "tag":
        tag(given.peer, *map(Path, given.paths))
    else:
        print(f"{latency(given.peer, Path(given.paths[0])):.3f}")


if __name__ == "__main__":
    main()
