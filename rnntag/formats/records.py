"""What the formats share: input sentences, readers and writers, corpus files, checks of words and tags."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Protocol

from rnntag.errors import DataError, OnFault, Remedy, stop
from rnntag.formats import joining
from rnntag.formats.conllu_sentence import ConlluSentence
from rnntag.sentences import Multiword, Sentence, Span, TagProbs, Tags

LONG_LINE = 1 << 17
"""The most characters of an unfinished line that are buffered."""

_BREAK = re.compile(r"[\t\n\r]+")
_SURROGATE = re.compile("[\ud800-\udfff]")


class Offsets(NamedTuple):
    """The positions of a sentence's tokens in raw text.

    Attributes:
        before: the white space before the paragraph; empty for all but its first sentence.
        text: the paragraph, or a piece of it.
        start: the offset of `text` in the input, in characters.
        words: the span of each token in `text`.
        stop: where the next sentence begins in `text`, or the end of `text`.
        paragraph, number: of the paragraph, and of the sentence in it, both counted from 1.
        by_line: whether each line is a paragraph.
        multiwords: the multiword tokens.
    """

    before: str
    text: str
    start: int
    words: Sequence[Span]
    stop: int
    paragraph: int
    number: int
    by_line: bool = False
    multiwords: Sequence[Multiword] = ()

    @property
    def empty_lines(self) -> str:
        """The blank lines before the paragraph, unless they are sentences themselves."""
        return "" if self.by_line else "\n" * self.before.count("\n")

    @property
    def in_one_line(self) -> str:
        """The text of the sentence, line breaks and tabs replaced by spaces."""
        text = self.text[self.words[0][0] : self.stop].rstrip()
        return re.sub(r"[\n\r\v\f\x1c-\x1e\x85\u2028\u2029\t]+", " ", text)


class VerticalSentence(NamedTuple):
    """A sentence of vertical text as it is in the file.

    Attributes:
        lines: all lines since the previous sentence, through that which ends it.
        rows: indices of the lines of the words.
    """

    lines: tuple[str, ...]
    rows: tuple[int, ...]

    def chosen(self, places: Sequence[int]) -> VerticalSentence:
        """With some of the words, by their number, and all other lines."""
        rows = {self.rows[place] for place in places}
        kept = [number for number in range(len(self.lines)) if number in rows or number not in self.rows]
        lines = tuple(self.lines[number] for number in kept)
        return VerticalSentence(lines, tuple(place for place, number in enumerate(kept) if number in rows))


class Record(NamedTuple):
    """A JSON object that the tokens belong to.

    Attributes:
        fields: to be written again.
    """

    fields: Mapping[str, Any]


class InputSentence(NamedTuple):
    """A sentence to tag, or a window of a long one. A unit of several sentences, such as a line of text, comes as
    several of these, of which only the last has `ends`.

    Attributes:
        source: what the input has beside the tokens.
        core: the tokens to write; the others are context, written by other windows.
        ends: whether the sentence ends here.
        offsets: positions in raw text input. Without tokens, white space not followed by a sentence.
    """

    tokens: Sequence[str]
    source: ConlluSentence | VerticalSentence | Record | None = None
    core: slice = slice(None)
    ends: bool = True
    offsets: Offsets | None = None

    @property
    def empty_lines_before(self) -> str:
        """The blank lines before the paragraph of raw text."""
        return self.offsets.empty_lines if self.offsets else ""

    @property
    def line_end(self) -> str:
        """A line feed, if the sentence ends here."""
        return "\n" if self.ends else ""


class SentenceJoiner:
    """Joins the windows of long sentences."""

    def __init__(self) -> None:
        self._tokens: list[str] = []

    def feed(self, sentences: Iterable[InputSentence]) -> Iterator[tuple[list[str], bool]]:
        """The tokens of each sentence that is complete, none of them empty, and whether its unit ends there."""
        for sentence in sentences:
            self._tokens += sentence.tokens[sentence.core]
            if self._tokens and (sentence.ends or sentence.offsets):  # else a window
                tokens, self._tokens = self._tokens, []
                yield tokens, sentence.ends

    def finish(self) -> Iterator[tuple[list[str], bool]]:
        """The rest."""
        if self._tokens:
            yield self._tokens, True
        self._tokens = []


class Reader(Protocol):
    """Builds sentences from text, fed in blocks of any size."""

    def feed(self, text: str) -> Iterator[InputSentence]:
        """The sentences, or windows of them, that `text` completes.

        Raises:
            DataError: a line is not in the format; the message has its number. The sentences before it have been
                yielded.
        """

    def finish(self) -> Iterator[InputSentence]:
        """The sentences that the end of the input completes."""


@dataclass(frozen=True, slots=True)
class WriterOptions:
    """How to write, besides the format.

    Attributes:
        number: how many sentences precede the first one.
        lenient: of several tagsets, leave out the one for XPOS where CoNLL-U input lacks that column.
        document: the name of the document that the sentences are in, to be written with them; "" for none.
        opens: whether the document begins with the first sentence.
        columns: of TSV and vertical text, by name; empty for the default.
        only: the tags of the words to write; empty for all.
        answers_all: whether to write something for a sentence even if `only` leaves none of its words.
        expand: write the words of each multiword token, also in formats that join them.
    """

    number: int = 0
    lenient: bool = False
    document: str = ""
    opens: bool = False
    columns: tuple[str, ...] = ()
    only: frozenset[str] = frozenset()
    answers_all: bool = False
    expand: bool = False


class Writer(ABC):
    """Formats tagged sentences, in order.

    Args:
        tagsets: one or more.

    Raises:
        UsageError: the format cannot hold these tagsets together, or does not have these options.
    """

    suffix: ClassVar[str]
    """Of files in this format."""
    whole: ClassVar[bool] = False
    """Whether the format only has whole sentences."""
    has_columns: ClassVar[bool] = False
    """Whether its columns can be chosen."""
    has_header: ClassVar[bool] = False
    """Whether a line can name its columns."""
    joins: ClassVar[bool] = False
    """Whether it has the tokens of the text: a multiword token that is not in pieces is one, its tags joined by +."""

    def __init__(self, tagsets: tuple[str, ...], options: WriterOptions) -> None:
        self._tagsets = tagsets
        self._options = options
        self._opens = options.opens
        self._written = 0  # number of tokens written of an unfinished sentence

    def header(self, choices: Sequence[int]) -> str:
        """The line that names the columns, in formats that can have it; else "".

        Args:
            choices: by tagset, how many tags each token has with their probabilities; 0: one tag without.
        """
        return ""

    def opening(self) -> str:
        """The text before a document."""
        return ""

    def closing(self) -> str:
        """The text after a document."""
        return ""

    def finish(self) -> str:
        """The text after the last sentence of a paragraph or of an input."""
        return ""

    def text(self, sentence: InputSentence, tags: Sequence[str], tag_probs: Sequence[TagProbs] = ()) -> str:
        """As `together`, for one tagset; see `Tags`."""
        return self.together(sentence, Tags(tags, tag_probs))

    def together(self, sentence: InputSentence, *columns: Tags) -> str:
        """The sentence as lines; of a window, the text that continues its sentence's lines.

        Args:
            columns: the tags of each of the tagsets.
        """
        core = sentence.core
        if sentence.offsets and not sentence.tokens:
            return "" if self._options.only else self._space(sentence.offsets)
        if isinstance(sentence.source, VerticalSentence) and not sentence.tokens:
            return self._markup(sentence.source)
        tokens = sentence.tokens[core]
        columns = tuple(column.of(core) for column in columns)
        if self._options.only:
            sentence, tokens, columns = self._chosen(sentence, tokens, columns)
            if not tokens and not self._written and not self._options.answers_all:
                return self._markup(sentence.source) if isinstance(sentence.source, VerticalSentence) else ""
        if self.joins and not self._options.expand and sentence.offsets and sentence.offsets.multiwords:
            sentence, tokens, columns = self._joined(sentence, sentence.offsets, tokens, columns)
        text = self._core(sentence, tokens, columns)
        self._written = 0 if sentence.ends else self._written + len(tokens)
        return text

    def _chosen(
        self, sentence: InputSentence, tokens: Sequence[str], columns: tuple[Tags, ...]
    ) -> tuple[InputSentence, Sequence[str], tuple[Tags, ...]]:
        """Those words of the core that have one of the tags to write. A multiword token that is not in pieces stays
        whole, unless words are asked for."""
        places = [
            place
            for place, tags in enumerate(zip(*(column.tags for column in columns), strict=True))
            if not self._options.only.isdisjoint(tags)
        ]
        multiwords = sentence.offsets.multiwords if sentence.offsets else ()
        if multiwords and not self._options.expand:
            places = joining.with_siblings(places, multiwords)
        chosen = tuple(
            Tags([tags[place] for place in places], [probs[place] for place in places] if probs else ())
            for tags, probs in columns
        )
        if offsets := sentence.offsets:
            words = [offsets.words[place] for place in places]
            chosen_multiwords = joining.chosen(places, multiwords)
            sentence = sentence._replace(offsets=offsets._replace(before="", words=words, multiwords=chosen_multiwords))
        if isinstance(sentence.source, VerticalSentence):
            sentence = sentence._replace(source=sentence.source.chosen(places))
        return sentence, [tokens[place] for place in places], chosen

    def _joined(
        self, sentence: InputSentence, offsets: Offsets, tokens: Sequence[str], columns: tuple[Tags, ...]
    ) -> tuple[InputSentence, Sequence[str], tuple[Tags, ...]]:
        """The tokens of the text with their tags, in place of their words."""
        multiwords = [each for each in offsets.multiwords if not each.in_pieces]
        spans = joining.joined(offsets.words, multiwords, lambda _, own: own[0])
        sentence = sentence._replace(offsets=offsets._replace(words=spans, multiwords=()))
        forms = joining.joined(tokens, multiwords, lambda each, _: each.token)
        return sentence, forms, tuple(joining.joined_tags(column, multiwords) for column in columns)

    def _space(self, offsets: Offsets) -> str:
        """White space at the end of raw text."""
        return offsets.empty_lines

    def _markup(self, source: VerticalSentence) -> str:
        """Lines of vertical text without words."""
        return ""

    @abstractmethod
    def _core(self, sentence: InputSentence, tokens: Sequence[str], columns: Sequence[Tags]) -> str:
        """As `together`, given the tokens and tags of the core."""


@dataclass(frozen=True, slots=True)
class CorpusFile:
    """The lines of a tagged file, and how to read them.

    Attributes:
        lines: without line ends.
        source: the file's name in error messages.
        on_fault: called for each bad line; if it returns, the line or its sentence is skipped.
        tagsets: `universal`, `native` or both, in formats that have both.
        native: the name of the file's own tagset.
    """

    lines: Iterable[str]
    source: str
    on_fault: OnFault = stop
    tagsets: tuple[str, ...] = ("universal",)
    native: str = "xpos"

    def fault(self, line: int, what: object, remedy: Remedy | None = None) -> None:
        """Report a bad line, counted from 1."""
        if isinstance(what, DataError):
            remedy = what.remedies[0]
        self.on_fault(DataError(f"{self.source}:{line}: {what}", remedy=remedy))

    def by_line(self, parse: Callable[[str], Iterable[Sentence]]) -> Iterator[Sentence]:
        """The sentences that `parse` returns for each non-blank line; a `DataError` from it is a fault of the line."""
        for number, line in enumerate(self.lines, 1):
            if line.strip():
                try:
                    yield from parse(line)
                except DataError as error:
                    self.fault(number, error)


def one_line(token: str) -> str:
    """The token as a cell of a table, which has no tabs and line breaks. Tokens of JSON may."""
    return _BREAK.sub(" ", token).strip() or "_"


def checked_word(word: str, what: str) -> str:
    """The word.

    Args:
        what: describes it in the error.

    Raises:
        DataError: it is empty or contains an unpaired surrogate, as JSON escapes can.
    """
    if not word:
        raise DataError(f"{what} is empty")
    if lone := _SURROGATE.search(word):
        raise DataError(f"{what} contains U+{ord(lone[0]):04X}, an unpaired surrogate")
    return word


def checked_tag(tag: str, what: str) -> str:
    """The tag.

    Raises:
        DataError: as for a word, or it contains white space.
    """
    if tag.split() != [checked_word(tag, what)]:
        raise DataError(f"{what}, {tag!r}, contains white space")
    return tag
