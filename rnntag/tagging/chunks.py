"""Text in chunks that can be tagged each on its own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from rnntag.formats.conllu import GLOBAL_COLUMNS
from rnntag.formats.raw import BLANK, PARAGRAPH_END
from rnntag.formats.records import LONG_LINE
from rnntag.formats.registry import InputFormat
from rnntag.tagging.inputs import Input

CHUNK_CHARS = 1 << 15
"""Characters after which a chunk ends with the sentence: some thousands of tokens."""

_SENTENCE_END = {
    "tokens": re.compile(r"\n"),
    "raw": re.compile(rf"(?<=\S)\s*?{PARAGRAPH_END}"),
    # Not all ends, but no other place. Of columns in another order there are none.
    "conllu": re.compile(r"^[1-9][0-9]*\t.*\n[^\S\n]*\n", re.MULTILINE),
}


_OPEN = "x"
"""What stands for the part of a paragraph, or of a line of CoNLL-U, that has been handed on: the white space after a
paragraph may end it, and what looks like a row in the middle of a line is none."""


class Chunk(NamedTuple):
    """Whole sentences, or a piece of one that is too long to be held.

    Attributes:
        text: as it stands in the input.
        source: what errors call the input.
        format: how the input is read.
        line: how many lines of the input stand before it.
        start: how many characters of the input stand before it.
        number: how many lines of tokens and paragraphs of raw text, of all inputs, stand before it.
        begins: whether a sentence begins with it.
        ends: whether its last sentence ends with it.
        columns: of CoNLL-U, the last line before it that names columns, or "".
    """

    text: str
    source: str
    format: InputFormat
    line: int
    start: int
    number: int
    begins: bool
    ends: bool
    columns: str = ""


def chunks(inputs: Iterable[Input]) -> Iterator[Chunk]:
    """What has come of each input, as far as its sentences are whole, and the last one at its end."""
    number = 0
    for source, name, blocks in inputs:
        line = start = 0
        begins = True
        in_words = False  # whether the chunk before ends in a line with words that goes on
        handed_on = columns = ""
        for text, ends in _cut(name, blocks):
            yield Chunk(text, source, name, line, start, number, begins, ends, columns)
            if name == "conllu":
                for named in GLOBAL_COLUMNS.finditer(text):
                    columns = named[0]
            start += len(text)
            lines = text.split("\n")
            if name == "raw":
                paragraphs = _SENTENCE_END[name].split(handed_on + text)
                number += len(paragraphs) - (not ends or not paragraphs[-1].strip())
                handed_on = _OPEN if paragraphs[-1].strip() and not ends else ""
            elif name == "tokens":
                full = [bool(line) and not line.isspace() for line in lines]
                number += sum(full) - (in_words and full[0])
                in_words = full[-1] or (in_words and len(lines) == 1)
            line += len(lines) - 1
            begins = ends


def _cut(name: InputFormat, blocks: Iterable[str]) -> Iterator[tuple[str, bool]]:
    """Text, and whether its last sentence ends with it."""
    rest = ""
    whole = True
    handed_on = ""
    for block in blocks:
        rest += block
        begin = end = 0
        for match in _SENTENCE_END[name].finditer(handed_on + rest):
            end = match.end() - len(handed_on)
            if end - begin >= CHUNK_CHARS:
                yield rest[begin:end], True
                begin = end
        if begin < end:
            yield rest[begin:end], True
        rest = rest[end:]
        whole = whole or end > 0
        handed_on = "" if end else handed_on
        if len(rest) > LONG_LINE:
            size = len(rest)
            if name == "raw":
                if not rest.isspace():
                    handed_on = _OPEN
                last = rest.rfind("\n", max(size - BLANK - 1, 0))
                if last >= 0 and not rest[last:].strip():
                    size = last  # what ends a paragraph, a line feed and an empty line, stays whole
            if name == "conllu":  # the rest of a line is no line
                handed_on = "" if rest[size - 1] == "\n" else _OPEN
            yield rest[:size], False
            rest, whole = rest[size:], False
    if rest or not whole:
        yield rest, True
