"""TSV, a token a line with its tag after a tab, as TreeTagger writes and learns from it
(https://www.cis.lmu.de/~schmid/tools/TreeTagger/) and corpus managers keep it ("vertical text")."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rnntag.errors import DataError
from rnntag.formats import headers
from rnntag.formats.records import CorpusFile, InputSentence, Writer, checked_tag
from rnntag.sentences import UNNAMED, Sentence, TagProbs

Pairs = list[tuple[str, str]]
"""The tokens of a sentence with their tags."""

FINAL_TAG = "SENT"
"""What many of TreeTagger's tagsets call the mark at a sentence's end."""

_COLUMNS = (2, 3)
_SENTENCES = ("s", "sentence")
_TEXTS = ("p", "head", "div", "text", "doc", "file", "corpus")
"""Elements that no sentence reaches across."""
_ELEMENT = re.compile(r"</?([\w:.-]+)")


class TsvWriter(Writer):
    """A token a line and an empty line after each sentence. Columns are token and tag, or tags and their probabilities
    (0 to 1) in turn; of raw text also where the token begins and ends, in characters of the input."""

    def _core(
        self, sentence: InputSentence, tokens: Sequence[str], tags: Sequence[str], tag_probs: Sequence[TagProbs]
    ) -> str:
        if tag_probs:
            tags = ["\t".join([f"{tag}\t{p:.4f}" for tag, p in choice]) for choice in tag_probs]
        lines = [f"{token}\t{tag}\n" for token, tag in zip(tokens, tags, strict=True)]
        if offsets := sentence.offsets:
            begin = offsets.start
            lines = [
                f"{line[:-1]}\t{begin + a}\t{begin + b}\n" for line, (a, b) in zip(lines, offsets.words, strict=True)
            ]
        return sentence.empty_lines_before + "".join(lines) + sentence.line_end


def sentences(file: CorpusFile) -> Iterator[Sentence]:
    """The tagged sentences of a file.

    A line is a token, a tab and its tag, and perhaps one more column, the lemma; or, without a tab,
    markup such as `<text id="a">`. Sentences end at empty lines and where an element `s` begins or ends.
    In a file without either they end at the tag `SENT`. Faults are lines that are neither, and lines that
    name the columns.
    """
    groups: list[Pairs] = [[]]
    are_separated = False  # whether empty lines or elements separate sentences
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
                if line == header:  # once more in files that were joined
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
        raise DataError(f"no tag after {token!r}: a line is a token, a tab and its tag")
    if not token.strip():
        raise DataError(f"no token before the tag {columns[0]!r}")
    if 1 + len(columns) not in _COLUMNS:
        raise DataError(
            f"{1 + len(columns)} columns separated by tabs, where a token, its tag and perhaps its lemma are due"
        )
    return token, checked_tag(columns[0], "the tag")


def _at_final_tags(pairs: Pairs) -> Iterator[Pairs]:
    begin = 0
    for end, (_, tag) in enumerate(pairs, 1):
        if tag == FINAL_TAG:
            yield pairs[begin:end]
            begin = end
    yield pairs[begin:]
