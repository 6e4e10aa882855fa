"""Text to tokens, and tagged sentences to word/TAG, TSV, CoNLL-U and JSON lines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple, Protocol, get_args

from rnntag import conllu
from rnntag.schema import Choices
from rnntag.windows import Cutter

OutputFormat = Literal["slash", "tsv", "conllu", "jsonl"]
InputFormat = Literal["tokens", "conllu"]
OUTPUT_FORMATS: tuple[str, ...] = get_args(OutputFormat)

LONG_LINE = 1 << 17
"""Characters of a line that are held back, at most, until its end comes."""


class Untagged(NamedTuple):
    """Tokens to tag: a sentence, or a window of one that is too long to be held.

    Attributes:
        tokens: of the sentence or window.
        source: the CoNLL-U sentence that they came in, if they did.
        own: which of `tokens` to write; the others are context.
        ends: whether the sentence ends here.
    """

    tokens: Sequence[str]
    source: conllu.ConlluSentence | None = None
    own: slice = slice(None)
    ends: bool = True


class Reader(Protocol):
    """Gathers text into sentences, however it arrives."""

    def feed(self, text: str) -> Iterator[Untagged]:
        """The sentences, or windows of them, that `text` completes.

        Raises:
            DataError: a line is not in the format, with its number; the sentences before it have
                been handed on.
        """

    def finish(self) -> Iterator[Untagged]:
        """What the end of the input completes."""


def reader(name: InputFormat, source: str, line: int = 0) -> Reader:
    """A reader of a format.

    Args:
        source: what errors call the input.
        line: how many lines stand before what it reads.
    """
    return _TreebankReader(source, line) if name == "conllu" else _TokenReader()


class _TokenReader:
    """Each line is a sentence of words parted by white space, an empty line an empty one.

    A line longer than `LONG_LINE` comes in windows.
    """

    def __init__(self) -> None:
        self._rest = ""
        self._cutter: Cutter | None = None

    def feed(self, text: str) -> Iterator[Untagged]:
        *lines, rest = (self._rest + text).split("\n")
        for line in lines:
            if self._cutter:
                yield from self._windows(line.split(), ends=True)
            else:
                yield Untagged(line.split())
        if len(rest) > LONG_LINE:
            tokens = rest.split()
            rest = tokens.pop() if tokens and not rest[-1].isspace() else ""
            yield from self._windows(tokens, ends=False)
        self._rest = rest

    def finish(self) -> Iterator[Untagged]:
        if self._cutter:
            yield from self._windows(self._rest.split(), ends=True)
        elif self._rest:
            yield Untagged(self._rest.split())
        self._rest = ""

    def _windows(self, tokens: list[str], *, ends: bool) -> Iterator[Untagged]:
        cutter = self._cutter = self._cutter or Cutter()
        for window, own in cutter.feed(tokens):
            yield Untagged(window, own=own, ends=False)
        if ends:
            window, own = cutter.finish()
            yield Untagged(window, own=own)
            self._cutter = None


class _TreebankReader:
    def __init__(self, source: str, line: int) -> None:
        self._rest = ""
        self._reader = conllu.ConlluReader(source, line)

    def feed(self, text: str) -> Iterator[Untagged]:
        *lines, self._rest = (self._rest + text).split("\n")
        yield from self._read(lines)

    def finish(self) -> Iterator[Untagged]:
        if self._rest:
            yield from self._read([self._rest])
        self._rest = ""
        yield from map(_untagged, self._reader.finish())

    def _read(self, lines: list[str]) -> Iterator[Untagged]:
        yield from map(_untagged, self._reader.feed(line.removesuffix("\r") for line in lines))


def _untagged(sentence: conllu.ConlluSentence) -> Untagged:
    return Untagged(sentence.column(conllu.FORM), sentence)


class Writer:
    """Tagged sentences in an output format, one after the other.

    Args:
        tagset: what the tags are of.
        number: how many sentences stand before them.
    """

    def __init__(self, name: OutputFormat, tagset: str, number: int = 0) -> None:
        self._write = {"slash": self._slash, "tsv": self._tsv, "conllu": self._conllu, "jsonl": self._jsonl}[name]
        self._tagset = tagset
        self._number = number
        self._written = 0  # tokens of the sentence that has not ended
        self._columns: dict[str, list[object]] = {}

    def text(self, sentence: Untagged, tags: Sequence[str], choices: Sequence[Choices] = ()) -> str:
        """The sentence as whole lines, or the part of it that a window adds.

        Args:
            tags: one for each of its tokens.
            choices: for each of its tokens the tags to write with their probabilities, the chosen
                one first; word/TAG has no place for them.
        """
        own = sentence.own
        text = self._write(sentence, sentence.tokens[own], tags[own], choices[own])
        self._written = 0 if sentence.ends else self._written + len(tags[own])
        return text

    def _slash(self, sentence: Untagged, tokens: Sequence[str], tags: Sequence[str], _: Sequence[Choices]) -> str:
        if sentence.source is not None:  # CoNLL-U's words may have spaces inside, word/TAG's may not
            tokens = ["_".join(token.split()) for token in tokens]
        items = " ".join([f"{token}/{tag}" for token, tag in zip(tokens, tags, strict=True)])
        return f"{' ' if self._written else ''}{items}{_end(sentence)}"

    def _tsv(self, sentence: Untagged, tokens: Sequence[str], tags: Sequence[str], choices: Sequence[Choices]) -> str:
        if choices:
            tags = ["\t".join([f"{tag}\t{p:.4f}" for tag, p in choice]) for choice in choices]
        return "".join([f"{token}\t{tag}\n" for token, tag in zip(tokens, tags, strict=True)]) + _end(sentence)

    def _jsonl(self, sentence: Untagged, tokens: Sequence[str], tags: Sequence[str], choices: Sequence[Choices]) -> str:
        columns: dict[str, Iterable[object]] = {"tags": tags}
        if choices:
            columns["confidence"] = [_rounded(choice[0][1]) for choice in choices]
            if len(choices[0]) > 1:
                columns["top"] = [{tag: _rounded(p) for tag, p in choice} for choice in choices]
        for name, column in columns.items():
            self._columns.setdefault(name, []).extend(column)
        text = (", " if self._written else '{"tokens": [') + json.dumps(tokens, ensure_ascii=False)[1:-1]
        if sentence.ends:
            text += "], " + json.dumps(self._columns, ensure_ascii=False)[1:] + "\n"
            self._columns = {}
        return text

    def _conllu(
        self, sentence: Untagged, tokens: Sequence[str], tags: Sequence[str], choices: Sequence[Choices]
    ) -> str:
        if sentence.source is not None:
            column = conllu.UPOS_COLUMN if self._tagset == "upos" else conllu.XPOS_COLUMN
            again = sentence.source.with_tags(column, tags, choices)
            return "\n".join([*again, "", ""] if tags else [*again, ""])
        if not sentence.tokens:
            return ""  # CoNLL-U has no empty sentence
        lines = []
        if not self._written:
            self._number += 1
            lines.append(f"# sent_id = {self._number}")
            if sentence.ends:  # a sentence that does not fit into memory has no text before its words
                lines.append(f"# text = {' '.join(tokens)}")
        lines += conllu.rows(self._written + 1, tokens, tags, self._tagset, choices)
        return "\n".join([*lines, _end(sentence)])


def _end(sentence: Untagged) -> str:
    return "\n" if sentence.ends else ""


def _rounded(probability: float) -> float:
    return round(probability, 4)
