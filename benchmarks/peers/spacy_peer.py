"""spaCy's tagger on its default network, a CNN over hashed embeddings."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.peers.adapter import Lesson, Peer, Sentences, Tag, accuracy

EPOCHS, PATIENCE, BATCH_WORDS = 20, 3, 1000


def _tagging(nlp: Any) -> Tag:
    from spacy.tokens import Doc

    def tag(sentences: Sentences) -> Iterator[list[str]]:
        for doc in nlp.pipe((Doc(nlp.vocab, words=words) for words in sentences), batch_size=256):
            yield [token.tag_ for token in doc]

    return tag


def train(lesson: Lesson, path: Path) -> None:
    import spacy
    from spacy.tokens import Doc
    from spacy.training import Example, minibatch_by_words

    spacy.util.fix_random_seed(1)
    try:
        nlp = spacy.blank(lesson.language)
    except ImportError:
        nlp = spacy.blank("xx")
    nlp.add_pipe("tagger")
    examples = [
        Example.from_dict(Doc(nlp.vocab, words=[w for w, _ in s]), {"tags": [t for _, t in s]}) for s in lesson.train
    ]
    optimizer = nlp.initialize(lambda: examples)
    best, since, shuffler = -1.0, 0, random.Random(1)
    for _ in range(EPOCHS):
        shuffler.shuffle(examples)
        for batch in minibatch_by_words(examples, BATCH_WORDS):
            nlp.update(batch, sgd=optimizer, drop=0.1)
            if lesson.over():
                break
        with nlp.use_params(optimizer.averages):
            reached = accuracy(_tagging(nlp), lesson.dev)
            since += 1
            if reached > best:
                best, since = reached, 0
                nlp.to_disk(path)
        if lesson.over() or since == PATIENCE:
            break


def load(path: Path) -> Tag:
    import spacy

    return _tagging(spacy.load(path))


PEER = Peer("spaCy, its default CNN", ("spacy",), train, load, keeps_best=True, settings=f"{EPOCHS} epochs at most")
