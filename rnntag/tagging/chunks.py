"""Text in chunks that can be tagged independently."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import NamedTuple

from rnntag.errors import RnntagError
from rnntag.formats.conllu import GLOBAL_COLUMNS
from rnntag.formats.inputs import Input
from rnntag.formats.raw import BLANK, PARAGRAPH_END
from rnntag.formats.records import LONG_LINE, InputSentence
from rnntag.formats.registry import InputFormat
from rnntag.formats.vertical import VerticalReader

CHUNK_CHARS = 1 << 15
"""Characters after which a chunk ends at the next end of a sentence: some thousands of tokens."""

_SENTENCE_END = {
    **dict.fromkeys(("tokens", "lines", "slash", "jsonl"), re.compile(r"\n")),
    "raw": re.compile(rf"(?<=\S)\s*?{PARAGRAPH_END}"),
    # Some ends of sentences and no other places; none in files with columns in another order.
    "vertical": re.compile(r"\n(?:[^\S\n]*|</s>[^\S\n]*)\n"),
    "conllu": re.compile(r"^[1-9][0-9]*\t.*\n[^\S\n]*\n", re.MULTILINE),
}


_OPEN = "x"
"""Stands for text of a paragraph, or of a line of CoNLL-U, that is in an earlier chunk: white space after it may end
the paragraph, and what follows it is not at the start of a line."""


class Chunk(NamedTuple):
    """Whole sentences, or a piece of a sentence that is too long to hold.

    Attributes:
        text: of the input, unchanged.
        source: the input's name in errors.
        format: of the input.
        line: the number of lines of the input before it.
        start: the number of characters of the input before it.
        number: the number of lines of text, of paragraphs of raw text, or of sentences of vertical text before it, in
            all inputs. Blank lines and CoNLL-U do not count.
        begins: whether it begins a sentence.
        ends: whether it ends a sentence.
        columns: for CoNLL-U, the last line before it that names columns, or "".
        position: of the input among all inputs, counted from 0.
        opens: whether there are no words of the input before it.
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
    position: int = 0
    opens: bool = False


class End(NamedTuple):
    """The end of an input.

    Attributes:
        source, format, position: as of its chunks.
        line: the number of line feeds in it.
        is_empty: whether it has no chunks.
        error: what ended it too soon, or None.
    """

    source: str
    format: InputFormat
    position: int
    line: int
    is_empty: bool
    error: RnntagError | None


def chunks(inputs: Iterable[Input]) -> Iterator[Chunk | End]:
    """Chunks of each input, as soon as their sentences are complete, then its end."""
    number = 0
    for position, (source, form, blocks) in enumerate(inputs):
        line = start = 0
        begins = opens = True
        in_words = False  # whether the chunk before ends within a line that has words
        handed_on = columns = ""
        counter = VerticalReader(source)
        errors: list[RnntagError] = []
        for text, ends in _caught(_cut(form, blocks), errors):
            yield Chunk(text, source, form, line, start, number, begins, ends, columns, position, opens)
            opens = opens and text.isspace()
            if form == "conllu":
                for named in GLOBAL_COLUMNS.finditer(text):
                    columns = named[0]
            start += len(text)
            lines = text.split("\n")
            if form == "raw":
                paragraphs = _SENTENCE_END[form].split(handed_on + text)
                number += len(paragraphs) - (not ends or not paragraphs[-1].strip())
                handed_on = _OPEN if paragraphs[-1].strip() and not ends else ""
            elif form == "vertical":
                number += _sentences(counter, text, ends)
            elif form != "conllu":
                full = [bool(line) and not line.isspace() for line in lines]
                number += sum(full) - (in_words and full[0])
                in_words = full[-1] or (in_words and len(lines) == 1)
            line += len(lines) - 1
            begins = ends
        yield End(source, form, position, line, not start, errors[0] if errors else None)


def _sentences(reader: VerticalReader, text: str, ends: bool) -> int:
    """The number of sentences that end in a text."""
    found: list[InputSentence] = []
    with suppress(RnntagError):  # which the tagging of the text will report
        found += reader.feed(text)
        found += reader.finish() if ends else ()
    return sum(bool(sentence.tokens) for sentence in found)


def _caught(pieces: Iterator[tuple[str, bool]], errors: list[RnntagError]) -> Iterator[tuple[str, bool]]:
    """The pieces; an error in them ends them and is added to `errors`."""
    try:
        yield from pieces
    except RnntagError as error:
        errors.append(error)


def _cut(form: InputFormat, blocks: Iterable[str]) -> Iterator[tuple[str, bool]]:
    """Pieces of text, and whether they end a sentence."""
    rest = ""
    whole = True
    handed_on = ""
    for block in blocks:
        rest += block
        begin = end = 0
        for match in _SENTENCE_END[form].finditer(handed_on + rest):
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
            if form == "raw":
                if not rest.isspace():
                    handed_on = _OPEN
                last = rest.rfind("\n", max(size - BLANK - 1, 0))
                if last >= 0 and not rest[last:].strip():
                    size = last  # keeps the line feed and the empty line that end a paragraph together
            if form == "conllu":  # the rest of a line is not a line
                handed_on = "" if rest[size - 1] == "\n" else _OPEN
            yield rest[:size], False
            rest, whole = rest[size:], False
    if rest or not whole:
        yield rest, True
