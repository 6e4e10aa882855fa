"""What is read: its name, its format, and its text as it comes.

The format of an input is what its name says, or else a guess. The guess is a function of the first
characters of the text: how these arrive, in one block or in many, does not show.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from rnntag.errors import DataError, RnntagError
from rnntag.formats.conllu import GLOBAL_COLUMNS
from rnntag.formats.registry import InputFormat, is_conllu
from rnntag.tagging.spacing import STRONG, evidence

HEAD = 1 << 14
"""Characters at the beginning of an input, or of a line, that a guess looks at."""

_FIRST_WORD = re.compile(r"(?:1|1-[1-9][0-9]*|0\.1)(?:\t[^\t]+){5}\t(?:_|[0-9]+)(?:\t[^\t]+){3,}")
"""The first row of a CoNLL-U sentence: ten columns or more, the first a word's number, the seventh its head's."""


class Input(NamedTuple):
    """Text to tag.

    Attributes:
        name: what errors call it.
        format: how it is read.
        blocks: its text as it comes.
    """

    name: str
    format: InputFormat
    blocks: Iterable[str]


def format_by_name(path: Path) -> InputFormat | None:
    """What a file's name says of its format, if anything."""
    return "conllu" if is_conllu(path) else None


def guessed(blocks: Iterable[str]) -> tuple[InputFormat, Iterator[str]]:
    """The format that a text seems to have, and the text.

    The guess reads lines until their `evidence` adds up to `STRONG`; or to an empty line after words, where a
    text that has told nothing certain is raw; or to the end or `HEAD` characters, where any evidence decides.
    """
    text = _Text(blocks)
    guess = _Guess()
    for line in text.lines():
        if guess.add(line):
            break
    return guess.format, text.blocks()


def tokens_or_treebank(blocks: Iterable[str], name: str, refusal: str) -> tuple[InputFormat, Iterator[str]]:
    """As `guessed`, for a model that cannot read raw text. All that is no CoNLL-U is tokens, and no line waits
    for evidence of that.

    The text raises:
        DataError: it is raw, with name, line and `refusal`; the lines before have been handed on.
    """
    text = _Text(blocks)
    guess = _Guess()
    for line in text.lines():
        if guess.add(line) or not guess.comments:
            break
    return ("conllu", text.blocks()) if guess.treebank else ("tokens", _unless_raw(text.blocks(), name, refusal))


def has_bare_carriage_returns(blocks: Iterable[str]) -> tuple[bool, Iterator[str]]:
    """Whether a text begins with carriage returns among its words and no line feed, and the text."""
    text = _Text(blocks)
    next(text.lines(), "")
    head = text.held[:HEAD]
    return "\r" in head.rstrip("\r") and "\n" not in head, text.blocks()


def _unless_raw(blocks: Iterable[str], name: str, refusal: str) -> Iterator[str]:
    text = _Text(blocks)
    total = 0
    for number, line in enumerate(text.lines(), 1):
        total += evidence(line)
        if total <= -STRONG:
            raise DataError(f"{name}:{number}: {refusal}")
        if total >= STRONG:
            break
        yield text.take()
    yield from text.blocks()


class _Guess:
    """What lines tell of a text's format.

    Attributes:
        treebank: whether it is CoNLL-U.
        comments: whether nothing but CoNLL-U's comments and empty lines has come.
    """

    def __init__(self) -> None:
        self.treebank = False
        self.comments = True
        self._has_words = False
        self._paragraph_ended = False
        self._evidence = 0

    @property
    def format(self) -> InputFormat:
        if self.treebank:
            return "conllu"
        return "tokens" if self._evidence > 0 and not self._paragraph_ended else "raw"

    def add(self, line: str) -> bool:
        """Take a line; whether the format is certain now."""
        if not line.strip():
            self._paragraph_ended = self._has_words
            return self._has_words
        self._has_words = True
        if self.comments:
            self.comments = line.startswith("#")
            first_row = _FIRST_WORD.fullmatch(line.rstrip("\r"))
            self.treebank = bool(first_row or GLOBAL_COLUMNS.match(line))
        self._evidence += evidence(line)
        return self.treebank or (not self.comments and abs(self._evidence) >= STRONG)


class _Text:
    """Text that comes in blocks and can be looked at before it is read.

    Attributes:
        held: what has come so far.
    """

    def __init__(self, blocks: Iterable[str]) -> None:
        self.held = ""
        self._rest = iter(blocks)
        self._seen = 0  # characters that `lines` has given
        self._taken = 0

    def lines(self) -> Iterator[str]:
        """The lines within the first `HEAD` characters, each when it is complete.

        An error in reading ends them; `blocks` raises it after what was read.
        """
        while self._seen < HEAD:
            end = self.held.find("\n", self._seen, HEAD)
            if end < 0 and len(self.held) < HEAD and self._read():
                continue
            line = self.held[self._seen : HEAD if end < 0 else end]
            self._seen = HEAD if end < 0 else end + 1
            if line or end >= 0:
                yield line

    def _read(self) -> bool:
        try:
            self.held += next(self._rest)
        except StopIteration:
            return False
        except RnntagError as error:
            self._rest = _raising(error)
            return False
        return True

    def take(self) -> str:
        """The lines that have been given since the last time."""
        start, self._taken = self._taken, self._seen
        return self.held[start : self._taken]

    def blocks(self) -> Iterator[str]:
        """The text, but for what was taken."""
        return chain([self.held[self._taken :]], self._rest)


def _raising(error: RnntagError) -> Iterator[str]:
    raise error
    yield
