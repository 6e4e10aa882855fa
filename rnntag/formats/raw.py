"""Reads raw text: paragraphs separated by blank lines, split into words and sentences by a segmenter."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from itertools import chain
from typing import Protocol

from rnntag.formats import records
from rnntag.formats.records import InputSentence, Offsets
from rnntag.sentences import Multiword, Segmentation, Span, multiwords_between

MARGIN = 512
"""Characters at the end of a piece of a long paragraph that are segmented again with the next piece."""

BLANK = 1000
"""The most white space, in characters, in a line that separates paragraphs."""

PARAGRAPH_END = rf"\n(?=[^\S\n]{{0,{BLANK}}}\n)"
"""A line feed before a blank line."""

_PARAGRAPH_END = re.compile(PARAGRAPH_END)
_LINE_END = re.compile(r"\n")
_SPACE = re.compile(r"\s*")


class Finder(Protocol):
    """Finds words and sentences; see `segmenter.Segmenter`."""

    def find(self, texts: Sequence[str]) -> Sequence[Segmentation]: ...


class LazyFinder:
    """A finder that is made when it is first needed."""

    def __init__(self, make: Callable[[], Finder]) -> None:
        self._make = make

    def find(self, texts: Sequence[str]) -> Sequence[Segmentation]:
        return self._finder.find(texts)

    @cached_property
    def _finder(self) -> Finder:
        return self._make()


def segment(finder: Finder, texts: Sequence[str]) -> list[Segmentation]:
    """The words and sentences of each text, as `RawReader` finds them: a blank line ends a sentence."""
    places = [list(_paragraphs(text)) for text in texts]
    short = [text[a:b] for text, spans in zip(texts, places, strict=True) for a, b in spans if not _is_long(b - a)]
    segmented = iter(finder.find(short))
    results = []
    for text, spans in zip(texts, places, strict=True):
        words: list[Span] = []
        ends: list[int] = []
        multiwords: list[Multiword] = []
        for begin, end in spans:
            pieces = _in_pieces(finder, text[begin:end]) if _is_long(end - begin) else [next(segmented)]
            for piece in pieces:
                ends += [len(words) + place for place in piece.ends]
                multiwords += [each._replace(first=len(words) + each.first) for each in piece.multiwords]
                words += [(begin + a, begin + b) for a, b in piece.words]
        results.append(Segmentation(words, ends, multiwords=multiwords))
    return results


def _paragraphs(text: str) -> Iterator[Span]:
    """The span of each paragraph, from its first word through the line feed before a blank line."""
    start = _after_space(text, 0)
    while start < len(text):
        end = _PARAGRAPH_END.search(text, start)
        stop = end.end() if end else len(text)
        yield start, stop
        start = _after_space(text, stop)


def _after_space(text: str, start: int) -> int:
    space = _SPACE.match(text, start)
    assert space
    return space.end()


def _is_long(size: int) -> bool:
    return size > records.LONG_LINE


def _in_pieces(finder: Finder, paragraph: str) -> Iterator[Segmentation]:
    """The sentences of a paragraph longer than `LONG_LINE`."""
    reader = RawReader(finder)
    for sentence in chain(reader.feed(paragraph), reader.finish()):
        if (offsets := sentence.offsets) and offsets.words:
            words = [(offsets.start + begin, offsets.start + end) for begin, end in offsets.words]
            yield Segmentation(words, [len(words)], multiwords=offsets.multiwords)


class RawReader:
    """A `records.Reader` of raw text.

    A paragraph longer than `LONG_LINE` is segmented in pieces of that size. The end of each piece is segmented again
    with the next; a sentence longer than a piece is split.

    Args:
        start, number: how many characters and paragraphs precede the text.
        by_line: make each line a paragraph. Its sentences are one unit (see `InputSentence`), and a blank line is an
            empty sentence.
    """

    def __init__(self, finder: Finder, start: int = 0, number: int = 0, *, by_line: bool = False) -> None:
        self._by_line = by_line
        self._end = _LINE_END if by_line else _PARAGRAPH_END
        self._finder = finder
        self._rest = ""
        self._start = start  # offset of `_rest`
        self._before = ""
        self._paragraph = number
        self._sentence = 0  # number of sentences of the paragraph yielded so far

    def feed(self, text: str) -> Iterator[InputSentence]:
        self._rest += text
        yield from self._read(final=False)

    def finish(self) -> Iterator[InputSentence]:
        yield from self._read(final=True)
        if self._before:
            is_open = not self._before.endswith("\n")
            yield from self._blank_lines(self._before + "\n" * is_open)
            yield self._space(self._before, self._start)
            self._before = ""

    def _read(self, *, final: bool) -> Iterator[InputSentence]:
        whole: list[tuple[str, int, str]] = []  # white space before, start and text of each paragraph
        while True:
            if not self._sentence:
                size = _after_space(self._rest, 0)
                self._before += self._rest[:size]
                self._drop(size)
                yield from self._long_space()
            end = self._end.search(self._rest)
            size = end.end() if end else len(self._rest)
            if size > records.LONG_LINE + (0 if end or final else BLANK):
                yield from self._segmented(whole)
                whole = []
                yield from self._piece()
                continue
            if not (end or (final and self._rest)):
                break
            whole.append((self._before, self._start, self._rest[:size]))
            self._before = ""
            if self._sentence:
                yield from self._segmented(whole)
                whole = []
            self._drop(size)
        yield from self._segmented(whole)

    def _long_space(self) -> Iterator[InputSentence]:
        while len(self._before) > records.LONG_LINE:
            piece, self._before = self._before[: records.LONG_LINE], self._before[records.LONG_LINE :]
            yield from self._blank_lines(piece)
            yield self._space(piece, self._start)

    def _space(self, space: str, start: int) -> InputSentence:
        """White space not followed by a sentence, which ends at `start`."""
        return InputSentence((), offsets=Offsets(space, "", start, (), 0, self._paragraph, 0, self._by_line))

    def _blank_lines(self, space: str) -> list[InputSentence]:
        return [InputSentence(())] * (space.count("\n") * self._by_line)

    def _drop(self, size: int) -> None:
        self._rest = self._rest[size:]
        self._start += size

    def _piece(self) -> Iterator[InputSentence]:
        """The sentences in the first `LONG_LINE` characters of a long paragraph that end before the last `MARGIN`
        characters, where words may be cut. If none does, the words that do, or else all words."""
        (segmentation,) = self._finder.find([self._rest[: records.LONG_LINE]])
        words, multiwords, sure = segmentation.words, segmentation.multiwords, records.LONG_LINE - MARGIN
        ends = [end for end in segmentation.ends if words[end - 1][1] <= sure]
        if words and not ends:
            ends = [sum(end <= sure for _, end in words) or len(words)]
            if around := next((each for each in multiwords if each.first < ends[0] < each.end), None):
                ends = [around.first or around.end]
        taken = ends[-1] if ends else 0  # words
        cut = words[taken][0] if ends and taken < len(words) else records.LONG_LINE
        segmentation = Segmentation(words[:taken], ends, multiwords=multiwords_between(multiwords, 0, taken))
        yield from self._sentences(self._before, self._start, self._rest[:cut], segmentation, ends=not self._by_line)
        self._before = ""
        self._drop(cut)

    def _segmented(self, paragraphs: list[tuple[str, int, str]]) -> Iterator[InputSentence]:
        segmentations = self._finder.find([text for _, _, text in paragraphs])
        for paragraph, segmentation in zip(paragraphs, segmentations, strict=True):
            yield from self._sentences(*paragraph, segmentation)
            self._sentence = 0

    def _sentences(
        self, before: str, start: int, text: str, segmentation: Segmentation, *, ends: bool = True
    ) -> Iterator[InputSentence]:
        """The sentences of a paragraph, or of a piece of it that does not end its unit unless `ends`."""
        all_words = segmentation.words
        yield from self._blank_lines(before)
        if not all_words:
            if self._by_line and ends:
                yield InputSentence(())  # the rest of a long line, or a line without words
            yield self._space(before + text, start + len(text))
            return
        self._paragraph += not self._sentence
        first = 0
        forms = segmentation.forms(text)
        for end in segmentation.ends:
            words, multiwords = all_words[first:end], multiwords_between(segmentation.multiwords, first, end)
            stop = all_words[end][0] if end < len(all_words) else len(text)
            self._sentence += 1
            place = self._paragraph, self._sentence
            offsets = Offsets(before, text, start, words, stop, *place, self._by_line, multiwords)
            is_last = ends and end == segmentation.ends[-1]
            yield InputSentence(forms[first:end], ends=is_last or not self._by_line, offsets=offsets)
            before = ""
            first = end
