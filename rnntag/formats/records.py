"""What the formats share: sentences to tag, readers and writers of them, lines of corpora, checked words and tags."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from rnntag.errors import DataError, OnFault, Remedy, stop
from rnntag.formats.conllu_sentence import ConlluSentence
from rnntag.sentences import Sentence, Span, TagProbs

LONG_LINE = 1 << 17
"""Characters of a line that are held back, at most, until its end comes."""

_SURROGATE = re.compile("[\ud800-\udfff]")


class Offsets(NamedTuple):
    """Where the tokens of a sentence are in raw text.

    Attributes:
        before: the white space between the paragraph before and this one; of a later sentence none.
        text: of the paragraph, or of a piece of it.
        start: where `text` begins in the input, in characters.
        words: where each token is in `text`.
        stop: where in `text` the next sentence begins, or where it ends.
        paragraph, number: which sentence of which paragraph it is, both counted from 1.
    """

    before: str
    text: str
    start: int
    words: Sequence[Span]
    stop: int
    paragraph: int
    number: int

    @property
    def empty_lines(self) -> str:
        """Those between the paragraph before and this one."""
        return "\n" * self.before.count("\n")

    @property
    def in_one_line(self) -> str:
        """The sentence as it stands in the text, but for line breaks."""
        text = self.text[self.words[0][0] : self.stop].rstrip()
        return re.sub(r"[\n\r\v\f\x1c-\x1e\x85\u2028\u2029\t]+", " ", text)


class InputSentence(NamedTuple):
    """Tokens to tag: a sentence, or a window of one that is too long to be held.

    Attributes:
        tokens: of the sentence or window.
        source: the CoNLL-U sentence that they came in, if they did.
        core: which of `tokens` to write; the others are context, which other windows write.
        ends: whether the sentence ends here.
        offsets: where they are in raw text, if that is what they came in. Without tokens it holds
            white space that no sentence follows.
    """

    tokens: Sequence[str]
    source: ConlluSentence | None = None
    core: slice = slice(None)
    ends: bool = True
    offsets: Offsets | None = None

    @property
    def empty_lines_before(self) -> str:
        """Those between the paragraph before and its own."""
        return self.offsets.empty_lines if self.offsets else ""

    @property
    def line_end(self) -> str:
        """A line feed, if the sentence ends here."""
        return "\n" if self.ends else ""


class Reader(Protocol):
    """Gathers text into sentences, however it arrives."""

    def feed(self, text: str) -> Iterator[InputSentence]:
        """The sentences, or windows of them, that `text` completes.

        Raises:
            DataError: a line is not in the format, with its number; the sentences before it have
                been handed on.
        """

    def finish(self) -> Iterator[InputSentence]:
        """What the end of the input completes."""


class Writer(ABC):
    """Tagged sentences in an output format, one after the other.

    Args:
        tagset: what the tags are of.
        number: how many sentences stand before them.
    """

    def __init__(self, tagset: str, number: int = 0) -> None:
        self._tagset = tagset
        self._number = number
        self._written = 0  # tokens of the sentence that has not ended

    def text(self, sentence: InputSentence, tags: Sequence[str], tag_probs: Sequence[TagProbs] = ()) -> str:
        """The sentence as whole lines, or what a window adds to its lines.

        Args:
            tags: one for each of its tokens.
            tag_probs: for each of its tokens the tags to write with their probabilities, the chosen
                one first; word/TAG has no place for them.
        """
        core = sentence.core
        if sentence.offsets and not sentence.tokens:
            return self._space(sentence.offsets)
        text = self._core(sentence, sentence.tokens[core], tags[core], tag_probs[core])
        self._written = 0 if sentence.ends else self._written + len(tags[core])
        return text

    def _space(self, offsets: Offsets) -> str:
        """White space at the end of raw text, which no sentence follows."""
        return offsets.empty_lines

    @abstractmethod
    def _core(
        self, sentence: InputSentence, tokens: Sequence[str], tags: Sequence[str], tag_probs: Sequence[TagProbs]
    ) -> str:
        """As `text`, with the tokens, tags and probabilities of the sentence's core."""


@dataclass(frozen=True, slots=True)
class CorpusFile:
    """The lines of a tagged file, and how to read them.

    Attributes:
        lines: without their ends.
        source: what errors call the file.
        on_fault: what is done about a line that is wrong; if it returns, the line or its sentence is left out.
        tagsets: `universal`, `native` or both, where a format has tags of both.
        native: the name of the file's own tagset.
    """

    lines: Iterable[str]
    source: str
    on_fault: OnFault = stop
    tagsets: tuple[str, ...] = ("universal",)
    native: str = "xpos"

    def fault(self, line: int, what: object, remedy: Remedy | None = None) -> None:
        """Report what is wrong with a line, counted from 1."""
        if isinstance(what, DataError):
            remedy = what.remedies[0]
        self.on_fault(DataError(f"{self.source}:{line}: {what}", remedy=remedy))

    def by_line(self, parse: Callable[[str], Iterable[Sentence]]) -> Iterator[Sentence]:
        """What `parse` makes of each line that is not empty; a `DataError` that it raises is that line's fault."""
        for number, line in enumerate(self.lines, 1):
            if line.strip():
                try:
                    yield from parse(line)
                except DataError as error:
                    self.fault(number, error)


def checked_word(word: str, what: str) -> str:
    """The word.

    Args:
        what: which one it is.

    Raises:
        DataError: it is empty, or has half a character in it, as escapes in JSON can bring.
    """
    if not word:
        raise DataError(f"{what} is empty")
    if half := _SURROGATE.search(word):
        raise DataError(f"{what} has U+{ord(half[0]):04X} in it, which is half a character")
    return word


def checked_tag(tag: str, what: str) -> str:
    """The tag.

    Raises:
        DataError: as for a word; or it has white space in it, for which no format has a place.
    """
    if tag.split() != [checked_word(tag, what)]:
        raise DataError(f"{what}, {tag!r}, has white space in it")
    return tag
