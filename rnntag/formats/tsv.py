"""Vertical text, a token a line with its tag after a tab, as TreeTagger writes and learns from it
(https://www.cis.lmu.de/~schmid/tools/TreeTagger/) and corpus managers keep it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from rnntag.errors import DataError, OnFault, stop
from rnntag.formats import headers
from rnntag.formats.records import checked_tag

Pairs = list[tuple[str, str]]
"""The tokens of a sentence with their tags."""

FINAL_TAG = "SENT"
"""What many of TreeTagger's tagsets call the mark at a sentence's end."""

_COLUMNS = (2, 3)
_SENTENCES = ("s", "sentence")
_TEXTS = ("p", "head", "div", "text", "doc", "file", "corpus")
"""Elements that no sentence reaches across."""
_ELEMENT = re.compile(r"</?([\w:.-]+)")


def sentences(lines: Iterable[str], source: str, on_fault: OnFault = stop) -> Iterator[Pairs]:
    """The tagged sentences of a file.

    A line is a token, a tab and its tag, and perhaps one more column, the lemma; or, without a tab,
    markup such as `<text id="a">`. Sentences end at empty lines and where an element `s` begins or ends.
    In a file without either they end at the tag `SENT`.

    Args:
        source: what errors call the file.
        on_fault: what is done about a line that is neither, or that names the columns.
    """
    found: list[Pairs] = [[]]
    parted = False  # whether empty lines or elements part sentences
    after_blank = False
    header: str | None = None
    for number, line in enumerate(lines, 1):
        if not line.strip():
            after_blank = bool(found[-1])
        elif "\t" not in line and line.startswith("<") and line.rstrip().endswith(">"):
            element = _ELEMENT.match(line)
            name = element[1].lower() if element else ""
            parted |= name in _SENTENCES
            if name in _SENTENCES or name in _TEXTS:
                found.append([])
                after_blank = False
        else:
            if after_blank:
                parted = True
                found.append([])
                after_blank = False
            if header is None:
                header = line if headers.is_header(line.split("\t")) else ""
            try:
                if line == header:  # once more in files that were joined
                    raise DataError(f"{source}:{number}: {line!r} {headers.ADVICE}")
                found[-1].append(_pair(line, f"{source}:{number}"))
            except DataError as error:
                on_fault(str(error))
    for pairs in found:
        yield from filter(None, [pairs] if parted else _at_final_tags(pairs))


def _pair(line: str, where: str) -> tuple[str, str]:
    token, *columns = line.split("\t")
    if not columns or not columns[0].strip():
        raise DataError(f"{where}: no tag after {token!r}: a line is a token, a tab and its tag")
    if not token.strip():
        raise DataError(f"{where}: no token before the tag {columns[0]!r}")
    if 1 + len(columns) not in _COLUMNS:
        raise DataError(
            f"{where}: {1 + len(columns)} columns parted by tabs, where a token, its tag and perhaps its lemma are due"
        )
    return token, checked_tag(columns[0], f"{where}: the tag")


def _at_final_tags(pairs: Pairs) -> Iterator[Pairs]:
    begin = 0
    for end, (_, tag) in enumerate(pairs, 1):
        if tag == FINAL_TAG:
            yield pairs[begin:end]
            begin = end
    yield pairs[begin:]
