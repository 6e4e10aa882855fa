"""jieba's posseg. It has its own words and tags, so only its speed is comparable."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

from benchmarks.peers.adapter import Peer, Sentences, Tag


def load(_: Path) -> Tag:
    import jieba
    from jieba import posseg

    jieba.setLogLevel(logging.WARNING)

    def tag(sentences: Sentences) -> Iterator[list[str]]:
        for words in sentences:
            yield [pair.flag for pair in posseg.cut("".join(words))]

    return tag


PEER = Peer("jieba, posseg", ("jieba",), None, load, language="zh", settings="its own words, tags and dictionary")
