"""Text to tokens, and tagged sentences to word/TAG, TSV, CoNLL-U and JSON lines."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple, Protocol, get_args

from rnntag.formats import conllu
from rnntag.sentences import Segmentation, Span, TagProbs
from rnntag.windows import Cutter

OutputFormat = Literal["slash", "tsv", "conllu", "jsonl"]
InputFormat = Literal["tokens", "raw", "conllu"]
OUTPUT_FORMATS: tuple[str, ...] = get_args(OutputFormat)

MARGIN = 512
"""Characters at the end of a piece of raw text that are read again with what follows them."""

LONG_LINE = 1 << 17
"""Characters of a line that are held back, at most, until its end comes."""


BLANK = 1000
"""Characters of white space, at most, in a line that parts paragraphs."""

PARAGRAPH_END = rf"\n(?=[^\S\n]{{0,{BLANK}}}\n)"
"""A line feed that an empty line follows."""

_PARAGRAPH_END = re.compile(PARAGRAPH_END)
_SPACE = re.compile(r"\s*")
_ANY_SPACE = re.compile(r"\s")


class Offsets(NamedTuple):
    """How the tokens of a sentence stand in raw text.

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

    def spacing(self) -> list[str]:
        """What CoNLL-U's MISC says of the white space around each token."""
        nexts = [begin for begin, _ in self.words[1:]] + [self.stop]
        after = [self.text[end:begin] for (_, end), begin in zip(self.words, nexts, strict=True)]
        before = [self.before, *[""] * (len(after) - 1)]
        return list(map(conllu.spacing, before, after))


class InputSentence(NamedTuple):
    """Tokens to tag: a sentence, or a window of one that is too long to be held.

    Attributes:
        tokens: of the sentence or window.
        source: the CoNLL-U sentence that they came in, if they did.
        core: which of `tokens` to write; the others are context.
        ends: whether the sentence ends here.
        layout: how they stand in raw text, if that is what they came in.
    """

    tokens: Sequence[str]
    source: conllu.ConlluSentence | None = None
    core: slice = slice(None)
    ends: bool = True
    layout: Offsets | None = None


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


def paragraphs(text: str) -> Iterator[Span]:
    """Where each paragraph begins and ends: after white space, and with the line feed before an empty line."""
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


class Finder(Protocol):
    """Finds words and sentences; see `segmenter.Segmenter`."""

    def find(self, texts: Sequence[str]) -> Sequence[Segmentation]: ...


def reader(
    name: InputFormat,
    source: str,
    line: int = 0,
    *,
    start: int = 0,
    number: int = 0,
    columns: str = "",
    finder: Finder | None = None,
) -> Reader:
    """A reader of a format.

    Args:
        source: what errors call the input.
        line, start, number: how many lines, characters and paragraphs stand before what it reads.
        columns: of CoNLL-U, the last line before it that names columns, or "".
        finder: for raw text.
    """
    if finder:
        return _TextReader(finder, start, number)
    return _TreebankReader(source, line, columns) if name == "conllu" else _TokenReader()


class _TextReader:
    """Paragraphs of raw text, parted by empty lines.

    Of a paragraph longer than `LONG_LINE` so much is read at a time, less the sentences at the end
    of that, which may go on; a sentence longer than that comes in several.
    """

    def __init__(self, finder: Finder, start: int, number: int) -> None:
        self._finder = finder
        self._rest = ""
        self._start = start  # of the rest
        self._before = ""
        self._paragraph = number
        self._sentence = 0  # how many of the paragraph have been handed on

    def feed(self, text: str) -> Iterator[InputSentence]:
        self._rest += text
        yield from self._read(final=False)

    def finish(self) -> Iterator[InputSentence]:
        yield from self._read(final=True)
        if self._before:
            yield InputSentence((), layout=Offsets(self._before, "", self._start, (), 0, self._paragraph, 0))
            self._before = ""

    def _read(self, *, final: bool) -> Iterator[InputSentence]:
        whole: list[tuple[str, int, str]] = []  # paragraphs, each after the white space before it and its start
        while True:
            if not self._sentence:
                size = _after_space(self._rest, 0)
                self._before += self._rest[:size]
                self._drop(size)
                yield from self._long_space()
            end = _PARAGRAPH_END.search(self._rest)
            size = end.end() if end else len(self._rest)
            if size > LONG_LINE + (0 if end or final else BLANK):
                yield from self._found(whole)
                whole = []
                yield from self._piece()
                continue
            if not (end or (final and self._rest)):
                break
            whole.append((self._before, self._start, self._rest[:size]))
            self._before = ""
            if self._sentence:
                yield from self._found(whole)
                whole = []
            self._drop(size)
        yield from self._found(whole)

    def _long_space(self) -> Iterator[InputSentence]:
        while len(self._before) > LONG_LINE:
            piece, self._before = self._before[:LONG_LINE], self._before[LONG_LINE:]
            yield InputSentence((), layout=Offsets(piece, "", self._start, (), 0, self._paragraph, 0))

    def _drop(self, size: int) -> None:
        self._rest = self._rest[size:]
        self._start += size

    def _piece(self) -> Iterator[InputSentence]:
        """The beginning of a long paragraph."""
        (found,) = self._finder.find([self._rest[:LONG_LINE]])
        sure = [end for end in found.ends if found.words[end - 1][1] <= LONG_LINE - MARGIN]
        if found.words and not sure:
            sure = [sum(end <= LONG_LINE - MARGIN for _, end in found.words) or len(found.words)]
        words = found.words[: sure[-1]] if sure else ()
        cut = found.words[sure[-1]][0] if sure and sure[-1] < len(found.words) else LONG_LINE
        yield from self._sentences(self._before, self._start, self._rest[:cut], Segmentation(words, sure))
        self._before = ""
        self._drop(cut)

    def _found(self, paragraphs: list[tuple[str, int, str]]) -> Iterator[InputSentence]:
        found = self._finder.find([text for _, _, text in paragraphs])
        for (before, start, text), one in zip(paragraphs, found, strict=True):
            yield from self._sentences(before, start, text, one)
            self._sentence = 0

    def _sentences(self, before: str, start: int, text: str, found: Segmentation) -> Iterator[InputSentence]:
        if not found.words:
            yield InputSentence((), layout=Offsets(before + text, "", start + len(text), (), 0, self._paragraph, 0))
            return
        self._paragraph += not self._sentence
        first = 0
        for end in found.ends:
            words = found.words[first:end]
            stop = found.words[end][0] if end < len(found.words) else len(text)
            self._sentence += 1
            layout = Offsets(before, text, start, words, stop, self._paragraph, self._sentence)
            yield InputSentence([text[a:b] for a, b in words], layout=layout)
            before = ""
            first = end


class _TokenReader:
    """Each line is a sentence of words parted by white space, an empty line an empty one.

    A line longer than `LONG_LINE` comes in windows.
    """

    def __init__(self) -> None:
        self._rest: list[str] = []
        self._cutter: Cutter | None = None

    def feed(self, text: str) -> Iterator[InputSentence]:
        self._rest.append(text)
        if len(self._rest[0]) > LONG_LINE and not _ANY_SPACE.search(text):
            return  # one word, which goes on
        *lines, rest = "".join(self._rest).split("\n")
        for line in lines:
            if self._cutter or len(line) > LONG_LINE:
                yield from self._windows(line.split(), ends=True)
            else:
                yield InputSentence(line.split())
        if len(rest) > LONG_LINE:
            tokens = rest.split()
            rest = tokens.pop() if tokens and not rest[-1].isspace() else ""
            yield from self._windows(tokens, ends=False)
        self._rest = [rest]

    def finish(self) -> Iterator[InputSentence]:
        rest = "".join(self._rest)
        if self._cutter:
            yield from self._windows(rest.split(), ends=True)
        elif rest:
            yield InputSentence(rest.split())
        self._rest = []

    def _windows(self, tokens: list[str], *, ends: bool) -> Iterator[InputSentence]:
        cutter = self._cutter = self._cutter or Cutter()
        for window, core in cutter.feed(tokens):
            yield InputSentence(window, core=core, ends=False)
        if ends:
            window, core = cutter.finish()
            yield InputSentence(window, core=core)
            self._cutter = None


class _TreebankReader:
    def __init__(self, source: str, line: int, columns: str) -> None:
        self._rest: list[str] = []
        self._reader = conllu.ConlluReader(source, line, columns)

    def feed(self, text: str) -> Iterator[InputSentence]:
        self._rest.append(text)
        if "\n" in text:
            *lines, rest = "".join(self._rest).split("\n")
            self._rest = [rest]
            yield from self._read(lines)

    def finish(self) -> Iterator[InputSentence]:
        if rest := "".join(self._rest):
            yield from self._read([rest])
        self._rest = []
        yield from map(_untagged, self._reader.finish())

    def _read(self, lines: list[str]) -> Iterator[InputSentence]:
        yield from map(_untagged, self._reader.feed(line.removesuffix("\r") for line in lines))


def _untagged(sentence: conllu.ConlluSentence) -> InputSentence:
    return InputSentence(sentence.column(conllu.FORM), sentence)


class Writer:
    """Tagged sentences in an output format, one after the other.

    Args:
        tagset: what the tags are of.
        number: how many sentences stand before them.
    """

    def __init__(self, name: OutputFormat, tagset: str, number: int = 0) -> None:
        self._write = {"slash": self._slash, "tsv": self._tsv, "conllu": self._conllu, "jsonl": self._jsonl}[name]
        self._name = name
        self._tagset = tagset
        self._number = number
        self._written = 0  # tokens of the sentence that has not ended
        self._columns: dict[str, list[object]] = {}

    def text(self, sentence: InputSentence, tags: Sequence[str], tag_probs: Sequence[TagProbs] = ()) -> str:
        """The sentence as whole lines, or the part of it that a window adds.

        Args:
            tags: one for each of its tokens.
            tag_probs: for each of its tokens the tags to write with their probabilities, the chosen
                one first; word/TAG has no place for them.
        """
        core = sentence.core
        if sentence.layout and not sentence.tokens:
            return self._space(sentence.layout)
        text = self._write(sentence, sentence.tokens[core], tags[core], tag_probs[core])
        self._written = 0 if sentence.ends else self._written + len(tags[core])
        return text

    def _space(self, layout: Offsets) -> str:
        """White space at the end of raw text, which no sentence follows."""
        if self._name == "conllu":
            return f"# SpacesAfter={conllu.escaped(layout.before)}\n\n"
        return layout.empty_lines if self._name != "jsonl" else ""

    def _slash(self, sentence: InputSentence, tokens: Sequence[str], tags: Sequence[str], _: Sequence[TagProbs]) -> str:
        if sentence.source is not None:  # CoNLL-U's words may have spaces inside, word/TAG's may not
            tokens = ["_".join(token.split()) for token in tokens]
        items = " ".join([f"{token}/{tag}" for token, tag in zip(tokens, tags, strict=True)])
        return f"{' ' if self._written else _above(sentence)}{items}{_end(sentence)}"

    def _tsv(
        self, sentence: InputSentence, tokens: Sequence[str], tags: Sequence[str], tag_probs: Sequence[TagProbs]
    ) -> str:
        if tag_probs:
            tags = ["\t".join([f"{tag}\t{p:.4f}" for tag, p in choice]) for choice in tag_probs]
        lines = [f"{token}\t{tag}\n" for token, tag in zip(tokens, tags, strict=True)]
        if layout := sentence.layout:
            begin = layout.start
            lines = [
                f"{line[:-1]}\t{begin + a}\t{begin + b}\n" for line, (a, b) in zip(lines, layout.words, strict=True)
            ]
        return _above(sentence) + "".join(lines) + _end(sentence)

    def _jsonl(
        self, sentence: InputSentence, tokens: Sequence[str], tags: Sequence[str], tag_probs: Sequence[TagProbs]
    ) -> str:
        columns: dict[str, Iterable[object]] = {"tags": tags}
        if layout := sentence.layout:
            begins, ends = zip(*layout.words, strict=True)
            columns["start"] = [layout.start + begin for begin in begins]
            columns["end"] = [layout.start + end for end in ends]
        if tag_probs:
            columns["confidence"] = [_rounded(choice[0][1]) for choice in tag_probs]
            if len(tag_probs[0]) > 1:
                columns["top"] = [{tag: _rounded(p) for tag, p in choice} for choice in tag_probs]
        for name, column in columns.items():
            self._columns.setdefault(name, []).extend(column)
        told = json.dumps(tokens, ensure_ascii=False)[1:-1]
        if not told.isascii():  # what is no UTF-8 in an argument of the command line is to be JSON all the same
            told = told.encode("utf-8", "backslashreplace").decode()
        text = (", " if self._written else '{"tokens": [') + told
        if sentence.ends:
            text += "], " + json.dumps(self._columns, ensure_ascii=False)[1:] + "\n"
            self._columns = {}
        return text

    def _conllu(
        self, sentence: InputSentence, tokens: Sequence[str], tags: Sequence[str], tag_probs: Sequence[TagProbs]
    ) -> str:
        if sentence.source is not None:
            column = conllu.UPOS_COLUMN if self._tagset == "upos" else conllu.XPOS_COLUMN
            again = sentence.source.with_tags(column, tags, tag_probs)
            return "\n".join([*again, "", ""] if tags else [*again, ""])
        if not sentence.tokens:
            return ""  # CoNLL-U has no empty sentence
        if layout := sentence.layout:
            words = conllu.rows(1, tokens, tags, self._tagset, tag_probs, layout.spacing())
            opening = ["# newpar"] if layout.number == 1 else []
            name = f"# sent_id = {layout.paragraph}-{layout.number}"
            return "\n".join([*opening, name, f"# text = {layout.in_one_line}", *words, "", ""])
        lines = []
        if not self._written:
            self._number += 1
            lines.append(f"# sent_id = {self._number}")
            if sentence.ends:  # a sentence that does not fit into memory has no text before its words
                lines.append(f"# text = {' '.join(tokens)}")
        lines += conllu.rows(self._written + 1, tokens, tags, self._tagset, tag_probs)
        return "\n".join([*lines, _end(sentence)])


def _above(sentence: InputSentence) -> str:
    return sentence.layout.empty_lines if sentence.layout else ""


def _end(sentence: InputSentence) -> str:
    return "\n" if sentence.ends else ""


def _rounded(probability: float) -> float:
    return round(probability, 4)
