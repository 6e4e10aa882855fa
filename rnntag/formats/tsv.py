"""Reads and writes TSV: one token per line, then a tab and its tag, as in TreeTagger
(https://www.cis.lmu.de/~schmid/tools/TreeTagger/) and the "vertical text" of corpus managers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rnntag.errors import DataError
from rnntag.formats import headers
from rnntag.formats.records import CorpusFile, InputSentence, Writer, checked_tag
from rnntag.sentences import UNNAMED, Sentence, TagProbs, Tags

Pairs = list[tuple[str, str]]
"""Tokens with their tags."""

FINAL_TAG = "SENT"
"""The tag of sentence-final punctuation in many of TreeTagger's tagsets."""

_COLUMNS = (2, 3)
_SENTENCES = ("s", "sentence")
_TEXTS = ("p", "head", "div", "text", "doc", "file", "corpus")
"""Elements that end a sentence but do not mark sentences."""
_ELEMENT = re.compile(r"</?([\w:.-]+)")


class TsvWriter(Writer):
    """Columns are the token and, for each tagset, its tag, or alternating tags and probabilities (0 to 1); for raw
    text, also the token's start and end, in characters of the input. An empty line ends a sentence. With several
    tagsets a header names the columns."""

    def header(self, choices: Sequence[int], *, raw: bool) -> str:
        if len(self._tagsets) == 1:
            return ""
        names = ["token"]
        for tagset, count in zip(self._tagsets, choices, strict=True):
            names.append(tagset)
            names += [f"{tagset}_confidence"] * (count > 0)
            for rank in range(2, count + 1):
                names += [f"{tagset}_{rank}", f"{tagset}_{rank}_confidence"]
        return "\t".join([*names, *["start", "end"] * raw]) + "\n"

    def _core(self, sentence: InputSentence, tokens: Sequence[str], columns: Sequence[Tags]) -> str:
        fields = [_with_probabilities(tag_probs) if tag_probs else tags for tags, tag_probs in columns]
        lines = ["\t".join(row) + "\n" for row in zip(tokens, *fields, strict=True)]
        if offsets := sentence.offsets:
            begin = offsets.start
            lines = [
                f"{line[:-1]}\t{begin + a}\t{begin + b}\n" for line, (a, b) in zip(lines, offsets.words, strict=True)
            ]
        return sentence.empty_lines_before + "".join(lines) + sentence.line_end


def _with_probabilities(tag_probs: Sequence[TagProbs]) -> list[str]:
    return ["\t".join([f"{tag}\t{p:.4f}" for tag, p in choice]) for choice in tag_probs]


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
            are_separated |= name in _SENTENCES
            if name in _SENTENCES or name in _TEXTS:
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
    token, *columns = line.split("\t")
    if not columns or not columns[0].strip():
        raise DataError(f"no tag after {token!r}: expected token, tab, tag")
    if not token.strip():
        raise DataError(f"no token before the tag {columns[0]!r}")
    if 1 + len(columns) not in _COLUMNS:
        raise DataError(f"{1 + len(columns)} tab-separated columns, expected token, tag and optionally lemma")
    return token, checked_tag(columns[0], "the tag")


def _at_final_tags(pairs: Pairs) -> Iterator[Pairs]:
    begin = 0
    for end, (_, tag) in enumerate(pairs, 1):
        if tag == FINAL_TAG:
            yield pairs[begin:end]
            begin = end
    yield pairs[begin:]
