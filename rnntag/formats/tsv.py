"""Writes TSV: one token per line, then a tab and its tag. Reads such corpora, as from TreeTagger
(https://www.cis.lmu.de/~schmid/tools/TreeTagger/), and the "vertical text" of corpus managers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rnntag.errors import DataError
from rnntag.formats import columns, headers
from rnntag.formats.records import CorpusFile, InputSentence, Record, Writer, WriterOptions, checked_tag, one_line
from rnntag.sentences import UNNAMED, Sentence, Tags

Pairs = list[tuple[str, str]]
"""Tokens with their tags."""

FINAL_TAG = "SENT"
"""The tag of sentence-final punctuation in many of TreeTagger's tagsets."""

_COLUMNS = (2, 3)
SENTENCES = ("s", "sentence")
TEXTS = ("p", "head", "div", "text", "doc", "file", "corpus")
"""Elements that end a sentence but do not mark sentences."""
_ELEMENT = re.compile(r"</?([\w:.-]+)")


class TsvWriter(Writer):
    """A token per line, its columns separated by tabs; see `columns`. An empty line ends a sentence, and there are no
    other empty lines."""

    suffix = ".tsv"
    has_columns = has_header = joins = True

    def __init__(self, tagsets: tuple[str, ...], options: WriterOptions) -> None:
        super().__init__(tagsets, options)
        self._columns = columns.parse(options.columns, tagsets)

    def header(self, choices: Sequence[int]) -> str:
        names = [column.name for column in self._columns or columns.default(self._tagsets, choices)]
        return "\t".join(names) + "\n"

    def _core(self, sentence: InputSentence, tokens: Sequence[str], tags: Sequence[Tags]) -> str:
        if not tokens and not self._written:
            return ""
        return "".join([f"{row}\n" for row in self._rows(sentence, tokens, tags)]) + sentence.line_end

    def _rows(
        self, sentence: InputSentence, tokens: Sequence[str], tags: Sequence[Tags], *, others: bool = False
    ) -> list[str]:
        """The columns of each token, or those other than the token itself."""
        if isinstance(sentence.source, Record):
            tokens = [*map(one_line, tokens)]
        by_tagset = dict(zip(self._tagsets, tags, strict=True))
        if not self._columns and tokens:
            choices = [len(tag_probs[0]) if tag_probs else 0 for _, tag_probs in tags]
            self._columns = columns.default(self._tagsets, choices)
        document = self._options.document
        table = [
            columns.cells(one, tokens, sentence, by_tagset.get(one.tagset), document)
            for one in self._columns
            if not (others and one.name == "form")
        ]
        return ["\t".join(row) for row in zip(*table, strict=True)]


def sentences(file: CorpusFile) -> Iterator[Sentence]:
    """The tagged sentences of a file.

    A line is a token, a tab, its tag and optionally a tab and a lemma; or, without tabs, markup such as
    `<text id="a">`. Sentences end at blank lines and where an `s` element begins or ends; in a file without either,
    after the tag `SENT`. Other lines and header rows are faults.
    """
    groups: list[Pairs] = [[]]
    are_separated = False  # whether blank lines or elements separate sentences
    after_blank = False
    header: str | None = None
    for number, line in enumerate(file.lines, 1):
        if not line.strip():
            after_blank = bool(groups[-1])
        elif "\t" not in line and line.startswith("<") and line.rstrip().endswith(">"):
            element = _ELEMENT.match(line)
            name = element[1].lower() if element else ""
            are_separated |= name in SENTENCES
            if name in SENTENCES or name in TEXTS:
                groups.append([])
                after_blank = False
        else:
            if after_blank:
                are_separated = True
                groups.append([])
                after_blank = False
            if header is None:
                header = line if headers.is_header(line.split("\t")) else ""
            try:
                if line == header:  # also repeated in concatenated files
                    raise DataError(f"{line!r} {headers.ADVICE}")
                groups[-1].append(_pair(line))
            except DataError as error:
                file.fault(number, error)
    for group in groups:
        for pairs in [group] if are_separated else _at_final_tags(group):
            if pairs:
                tokens, tags = zip(*pairs, strict=True)
                yield Sentence(tokens, {UNNAMED: tags})


def _pair(line: str) -> tuple[str, str]:
    token, *others = line.split("\t")
    if not others or not others[0].strip():
        raise DataError(f"no tag after {token!r}: expected token, tab, tag")
    if not token.strip():
        raise DataError(f"no token before the tag {others[0]!r}")
    if 1 + len(others) not in _COLUMNS:
        raise DataError(f"{1 + len(others)} tab-separated columns, expected token, tag and optionally lemma")
    return token, checked_tag(others[0], "the tag")


def _at_final_tags(pairs: Pairs) -> Iterator[Pairs]:
    begin = 0
    for end, (_, tag) in enumerate(pairs, 1):
        if tag == FINAL_TAG:
            yield pairs[begin:end]
            begin = end
    yield pairs[begin:]
