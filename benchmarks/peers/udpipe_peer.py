"""UDPipe 1's tagger (MorphoDiTa: a perceptron over trigrams)."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

from benchmarks.peers.adapter import Lesson, Peer, Sentences, Tag

ITERATIONS = 5
LONGEST = 254
"""Bytes of a word, at most: UDPipe's trainer fails on longer ones."""


def train(lesson: Lesson, path: Path) -> None:
    from ufal import udpipe

    data = udpipe.Sentences()
    for sentence in lesson.train:
        if any(len(word.encode()) > LONGEST for word, _ in sentence):
            continue
        one = udpipe.Sentence()
        for word, tag in sentence:
            one.addWord(word).upostag = tag
        data.append(one)
    error = udpipe.ProcessingError()
    options = f"iterations={ITERATIONS};use_lemma=0;provide_lemma=0;use_xpostag=0;use_feats=0"
    model = udpipe.Trainer.train("morphodita_parsito", data, udpipe.Sentences(), "none", options, "none", error)
    if error.occurred():
        raise RuntimeError(error.message)
    path.write_bytes(model)


def load(path: Path) -> Tag:
    from ufal import udpipe

    model = udpipe.Model.load(str(path))
    pipeline = udpipe.Pipeline(model, "horizontal", "", udpipe.Pipeline.NONE, "conllu")

    def tag(sentences: Sentences, _held: object = model) -> Iterator[list[str]]:  # the pipeline does not reference it
        waiting = iter(sentences)
        while block := list(itertools.islice(waiting, 1000)):
            text = pipeline.process("\n".join(" ".join(sentence) for sentence in block))
            tags: list[str] = []
            for line in text.split("\n"):
                if line and line[0] != "#":
                    tags.append(line.split("\t")[3])
                elif not line and tags:
                    yield tags
                    tags = []

    return tag


PEER = Peer("UDPipe 1", ("ufal.udpipe",), train, load, settings=f"{ITERATIONS} iterations, UPOS alone")
