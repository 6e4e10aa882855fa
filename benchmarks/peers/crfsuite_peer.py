"""sklearn-crfsuite's conditional random field, with features like those of its tutorial."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.peers.adapter import Lesson, Peer, Sentences, Tag


def features(words: Sequence[str]) -> list[dict[str, Any]]:
    """The features of each word: form, affixes, shape and neighbouring words."""
    lower = [word.lower() for word in words]
    found = []
    for at, word in enumerate(words):
        one: dict[str, Any] = {
            "bias": 1.0,
            "lower": lower[at],
            "title": word.istitle(),
            "upper": word.isupper(),
            "digit": word.isdigit(),
            "hyphen": "-" in word,
        }
        for size in range(1, 4):
            one[f"prefix{size}"] = word[:size]
            one[f"suffix{size}"] = word[-size:]
        for step in (-2, -1, 1, 2):
            one[f"word{step:+d}"] = lower[at + step] if 0 <= at + step < len(words) else ""
        for step in (-1, 1):
            one[f"suffix{step:+d}"] = lower[at + step][-3:] if 0 <= at + step < len(words) else ""
        found.append(one)
    return found


def train(lesson: Lesson, path: Path) -> None:
    from sklearn_crfsuite import CRF

    model = CRF(algorithm="lbfgs", c1=0.1, c2=0.1, max_iterations=100)
    sentences = [[word for word, _ in sentence] for sentence in lesson.train]
    model.fit([features(words) for words in sentences], [[tag for _, tag in sentence] for sentence in lesson.train])
    path.write_bytes(pickle.dumps(model))


def load(path: Path) -> Tag:
    model = pickle.loads(path.read_bytes())

    def tag(sentences: Sentences) -> Iterator[list[str]]:
        for words in sentences:
            yield list(model.predict_single(features(words)))

    return tag


PEER = Peer(
    "sklearn-crfsuite",
    ("sklearn-crfsuite",),
    train,
    load,
    settings="c1 and c2 0.1, 100 iterations at most, forms and affixes of five words",
)
