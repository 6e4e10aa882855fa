"""Reads and writes word/TAG, as in NLTK and the Brown corpus: one sentence per line, words separated by white space.
Also reads such lines without tags."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rnntag.errors import DataError, UsageError
from rnntag.formats import headers, records
from rnntag.formats.records import CorpusFile, InputSentence, Writer, WriterOptions
from rnntag.sentences import UNNAMED, Sentence, Tags, with_tags
from rnntag.windows import Cutter

_ANY_SPACE = re.compile(r"\s")


class TokenReader:
    """A `records.Reader` of sentences, one per line, their words separated by white space.

    A blank line is an empty sentence. A line longer than `LONG_LINE` is split into windows.

    Args:
        line: how many lines precede the text.
    """

    def __init__(self, line: int = 0) -> None:
        self._line = line
        self._rest: list[str] = []
        self._cutter: Cutter | None = None

    def feed(self, text: str) -> Iterator[InputSentence]:
        self._rest.append(text)
        if len(self._rest[0]) > records.LONG_LINE and not _ANY_SPACE.search(text):
            return  # one unfinished word
        *lines, rest = "".join(self._rest).split("\n")
        for line in lines:
            self._line += 1
            tokens = self._tokens(line.split())
            if self._cutter or len(line) > records.LONG_LINE:
                yield from self._windows(tokens, ends=True)
            else:
                yield InputSentence(tokens)
        if len(rest) > records.LONG_LINE:
            items = rest.split()
            rest = items.pop() if items and not rest[-1].isspace() else ""
            self._line += 1
            yield from self._windows(self._tokens(items), ends=False)
            self._line -= 1
        self._rest = [rest]

    def finish(self) -> Iterator[InputSentence]:
        rest = "".join(self._rest)
        self._line += 1
        if self._cutter:
            yield from self._windows(self._tokens(rest.split()), ends=True)
        elif rest:
            yield InputSentence(self._tokens(rest.split()))
        self._rest = []

    def _tokens(self, items: list[str]) -> list[str]:
        """The tokens of items separated by white space."""
        return items

    def _windows(self, tokens: list[str], *, ends: bool) -> Iterator[InputSentence]:
        cutter = self._cutter = self._cutter or Cutter()
        for window, core in cutter.feed(tokens):
            yield InputSentence(window, core=core, ends=False)
        if ends:
            window, core = cutter.finish()
            yield InputSentence(window, core=core)
            self._cutter = None


class WordTagReader(TokenReader):
    """A `records.Reader` of word/TAG. The tags, which may be missing after the slash, are left out."""

    def __init__(self, source: str, line: int = 0) -> None:
        super().__init__(line)
        self._source = source

    def _tokens(self, items: list[str]) -> list[str]:
        words = [item.rpartition("/")[0] for item in items]
        if "" in words:
            wrong = items[words.index("")]
            raise DataError(f"{self._source}:{self._line}: {wrong!r} is not word/TAG")
        return words


class WordTagWriter(Writer):
    """One tag per token; probabilities are left out."""

    suffix = ".tagged"
    joins = True

    def __init__(self, tagsets: tuple[str, ...], options: WriterOptions) -> None:
        if len(tagsets) > 1:
            raise UsageError("word/TAG holds one tag for each token", remedy={"output": "tsv"})
        super().__init__(tagsets, options)

    def _core(self, sentence: InputSentence, tokens: Sequence[str], columns: Sequence[Tags]) -> str:
        if sentence.source is not None:  # CoNLL-U allows spaces in words
            tokens = ["_".join(token.split()) or "_" for token in tokens]
        before = sentence.empty_lines_before if not self._written else " " if tokens else ""
        return f"{before}{self._items(tokens, columns[0].tags)}{sentence.line_end}"

    def _items(self, tokens: Sequence[str], tags: Sequence[str]) -> str:
        return " ".join([f"{token}/{tag}" for token, tag in zip(tokens, tags, strict=True)])


def sentences(file: CorpusFile, mark: str = "/") -> Iterator[Sentence]:
    """The tagged sentences of a file; `word/` is a word without a tag.

    Words without a mark, tags without a word, a header in the first line and a file without any tag are faults.

    Args:
        mark: separates word and tag; its last occurrence counts.
    """
    first, has_tags = 0, False
    for number, line in enumerate(file.lines, 1):
        if line.strip():
            try:
                sentence = _sentence(line, mark, is_first=not first)
                has_tags = has_tags or bool(sentence.tags)
                yield sentence
            except DataError as error:
                file.fault(number, error)
                has_tags = True
            first = first or number
    if first and not has_tags:
        file.fault(first, f"no word has a tag: expected word{mark}TAG")


def _sentence(line: str, mark: str, *, is_first: bool) -> Sentence:
    items = line.split()
    pairs = [item.rpartition(mark)[::2] for item in items]
    wrong = next((item for item, (word, _) in zip(items, pairs, strict=True) if not word), None)
    if wrong is not None:
        remedy = None
        if "\t" in line.strip():
            remedy = {"corpus_format": "tsv"}
        elif mark == "/" and "_" in wrong.strip("_"):
            remedy = {"corpus_format": "underscore"}
        raise DataError(f"{wrong!r} is not word{mark}TAG", remedy=remedy)
    if is_first and all(map(headers.is_header, pairs)):
        raise DataError(f"{line.strip()!r} {headers.ADVICE}")
    words, tags = zip(*pairs, strict=True)
    return Sentence(words, with_tags({UNNAMED: tags}))
