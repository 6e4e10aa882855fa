"""What every peer is behind: it learns from a treebank's words and tags, and tags sentences of words."""

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
    """What a peer learns from.

    Attributes:
        train, dev: sentences of words and their tags.
        language: its code, as the treebank's file name begins with it.
        minutes: what training may take, in processor time, from the moment that the lesson is made.
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
        packages: distributions that it needs, the first of which is its own.
        train: writes a model, a file or a folder, to a path that is free.
        load: reads it, and gives a function from sentences of words to their tags, one by one.
        language: the only one that it knows, if there is one.
        keeps_best: whether it keeps what is best on the dev part, and so can end when its time is up.
        settings: what it was trained with, for the notes.
    """

    name: str
    packages: tuple[str, ...]
    train: Callable[[Lesson, Path], None] | None
    load: Callable[[Path], Tag]
    language: str = ""
    keeps_best: bool = False
    settings: str = ""

    def missing(self) -> list[str]:
        """Those of its packages that are not installed."""
        return [package for package in self.packages if not _installed(package)]


def _installed(package: str) -> bool:
    try:
        importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def accuracy(tag: Tag, gold: Tagged) -> float:
    """The share of words that get their tag."""
    found = tag([word for word, _ in sentence] for sentence in gold)
    right = sum(
        mine == tag
        for sentence, tags in zip(gold, found, strict=True)
        for (_, tag), mine in zip(sentence, tags, strict=True)
    )
    return right / sum(map(len, gold))


def write_conllu(sentences: Tagged, path: Path) -> None:
    """Words and tags as CoNLL-U, all other columns empty but for a flat tree."""
    with path.open("w", encoding="utf-8") as out:
        for sentence in sentences:
            for number, (word, tag) in enumerate(sentence, 1):
                head, relation = (0, "root") if number == 1 else (1, "dep")
                out.write(f"{number}\t{word}\t_\t{tag}\t_\t_\t{head}\t{relation}\t_\t_\n")
            out.write("\n")
