"""The inputs of `rnntag tag`: their names, formats and text.

The format follows from an input's name, or is guessed from the start of its text. The guess does not depend on how the
text arrives, in one block or in many.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import NamedTuple

from rnntag.errors import DataError, RnntagError
from rnntag.formats import registry
from rnntag.formats.conllu import GLOBAL_COLUMNS
from rnntag.formats.raw import Finder
from rnntag.formats.records import SentenceJoiner
from rnntag.formats.registry import InputFormat
from rnntag.formats.spacing import STRONG, evidence

HEAD = 1 << 14
"""Characters at the start of an input, or of a line, that a guess is based on."""

_FIRST_WORD = re.compile(r"(?:1|1-[1-9][0-9]*|0\.1)(?:\t[^\t]+){5}\t(?:_|[0-9]+)(?:\t[^\t]+){3,}")
"""The first row of a CoNLL-U sentence: at least ten columns, the first a word's number, the seventh its head's."""


class Input(NamedTuple):
    """Text to tag.

    Attributes:
        name: for errors.
        format: of the text.
        blocks: the text as it arrives.
    """

    name: str
    format: InputFormat
    blocks: Iterable[str]


def guessed(blocks: Iterable[str]) -> tuple[InputFormat, Iterator[str]]:
    """The format that a text seems to have, and the text.

    The guess reads lines until their `evidence` adds up to `STRONG`. It ends at an empty line after words, where a text
    without strong evidence is raw, and at `HEAD` characters or the end of the text, where any evidence decides.
    """
    text = _Text(blocks)
    guess = _Guess()
    for line in text.lines():
        if guess.add(line):
            break
    return guess.format, text.blocks()


def token_blocks(text: Input, finder: Finder) -> Iterator[list[tuple[list[str], bool]]]:
    """The sentences that each block of a text completes: their tokens, and whether a line or paragraph ends there."""
    reader = registry.reader(text.format, text.name, finder=finder)
    joiner = SentenceJoiner()
    for block in text.blocks:
        yield [*joiner.feed(reader.feed(block))]
    yield [*joiner.feed(reader.finish()), *joiner.finish()]


def tokens_or_treebank(blocks: Iterable[str], name: str, refusal: str) -> tuple[InputFormat, Iterator[str]]:
    """Like `guessed`, for a model that cannot read raw text. A text that is not CoNLL-U is tokens, at once.

    The text raises:
        DataError: it is raw, with name, line and `refusal`, after the lines before.
    """
    text = _Text(blocks)
    guess = _Guess()
    for line in text.lines():
        if guess.add(line) or not guess.comments:
            break
    return ("conllu", text.blocks()) if guess.treebank else ("tokens", _unless_raw(text.blocks(), name, refusal))


def has_bare_carriage_returns(blocks: Iterable[str]) -> tuple[bool, Iterator[str]]:
    """Whether the start of a text has carriage returns between its words and no line feed, and the text."""
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
    """A guess of a text's format from its lines.

    Attributes:
        treebank: whether it is CoNLL-U.
        comments: whether all lines so far are comments of CoNLL-U or empty.
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
        """Add a line. Returns whether the format is certain."""
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
    """Text that arrives in blocks and can be looked at before it is read.

    Attributes:
        held: the text so far.
    """

    def __init__(self, blocks: Iterable[str]) -> None:
        self.held = ""
        self._rest = iter(blocks)
        self._seen = 0  # characters that `lines` has yielded
        self._taken = 0

    def lines(self) -> Iterator[str]:
        """The lines within the first `HEAD` characters, each as soon as it is complete.

        An error in reading ends them; `blocks` raises it later.
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
        """The lines that were yielded since the last call."""
        start, self._taken = self._taken, self._seen
        return self.held[start : self._taken]

    def blocks(self) -> Iterator[str]:
        """The text after what was taken."""
        return chain([self.held[self._taken :]], self._rest)


def _raising(error: RnntagError) -> Iterator[str]:
    raise error
    yield
