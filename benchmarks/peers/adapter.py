"""The interface of a peer: it learns from tagged sentences and tags sentences of words."""

from __future__ import annotations

import importlib.metadata
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

Sentences = Iterable[list[str]]
Tag = Callable[[Sentences], Iterator[list[str]]]
Tagged = list[list[tuple[str, str]]]


@dataclass(frozen=True)
class Lesson:
    """Training data and time limit.

    Attributes:
        language: the code at the beginning of the treebank's file name.
        minutes: limit of processor time, from the creation of the lesson.
    """

    train: Tagged
    dev: Tagged
    language: str
    minutes: float
    _began: float = field(default_factory=time.process_time)

    def over(self) -> bool:
        return time.process_time() - self._began > 60 * self.minutes


@dataclass(frozen=True)
class Peer:
    """A tagger.

    Attributes:
        name: in the table.
        packages: the distributions that it needs, its own first.
        train: writes a model, a file or a folder, to a new path.
        load: reads a model; returns a function that tags sentences of words one by one.
        language: the only one that it knows, or "".
        keeps_best: whether it keeps the best model on the dev split, and so can stop at the time limit.
        settings: of training, for the notes.
    """

    name: str
    packages: tuple[str, ...]
    train: Callable[[Lesson, Path], None] | None
    load: Callable[[Path], Tag]
    language: str = ""
    keeps_best: bool = False
    settings: str = ""

    def missing(self) -> list[str]:
        """Its packages that are not installed."""
        return [package for package in self.packages if not _installed(package)]


def _installed(package: str) -> bool:
    try:
        importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def accuracy(tag: Tag, gold: Tagged) -> float:
    """The fraction of words tagged correctly."""
    found = tag([word for word, _ in sentence] for sentence in gold)
    correct = sum(
        mine == tag
        for sentence, tags in zip(gold, found, strict=True)
        for (_, tag), mine in zip(sentence, tags, strict=True)
    )
    return correct / sum(map(len, gold))


def write_conllu(sentences: Tagged, path: Path) -> None:
    """Write words and tags as CoNLL-U, with a flat tree and all other columns empty."""
    with path.open("w", encoding="utf-8") as out:
        for sentence in sentences:
            for number, (word, tag) in enumerate(sentence, 1):
                head, relation = (0, "root") if number == 1 else (1, "dep")
                out.write(f"{number}\t{word}\t_\t{tag}\t_\t_\t{head}\t{relation}\t_\t_\n")
            out.write("\n")
