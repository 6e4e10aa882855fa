"""Words that a segmenter must not cut: Chinese idioms, and words such as 干干净净 and 红彤彤.

GSDSimp keeps 86 % of the idioms in its train split whole, but has so few that a teacher cuts most others. The words are
those of THUOCL's list of idioms (MIT), and of HanLP's word list (Apache-2.0) those of the patterns AABB and ABB.
"""

from __future__ import annotations

import lzma
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from recipes.frozen import hanlp
from rnntag.model.arrays import Ids
from rnntag.model.pretokens import Scan
from rnntag.model.rules import INSIDE, WORD
from rnntag.sentences import Span
from rnntag.training import simplification

_KINDS = {"z", "a", "d", "v", "i"}
LENGTHS = (4, 3)


def is_repeated(word: str) -> bool:
    """Whether a word is of the pattern AABB or ABB."""
    if len(word) == 4:
        return word[0] == word[1] != word[2] == word[3]
    return len(word) == 3 and word[0] != word[1] == word[2]


class FixedWords:
    """The words, and their places in texts."""

    def __init__(self, lexicon: Path) -> None:
        with lzma.open(lexicon / "zh_THUOCL_chengyu.txt.xz", "rt", encoding="utf-8") as lines:
            self.idioms = sorted({line.split()[0] for line in lines if len(line.split()[:1] and line.split()[0]) == 4})
        listed = hanlp(lexicon / "zh_hanlp_CoreNatureDictionary.txt.xz")
        self.repeated = sorted(word for word, tags in listed.items() if is_repeated(word) and _KINDS & tags.keys())
        self._words = {*self.idioms, *self.repeated}
        self._simple = str.maketrans(*simplification.table())

    def spans(self, text: str) -> Iterator[Span]:
        """Where they are, from left to right, without overlaps."""
        text = text.translate(self._simple)
        begin = 0
        while begin < len(text):
            word = next((word for n in LENGTHS if (word := text[begin : begin + n]) in self._words), "")
            if word:
                yield begin, begin + len(word)
            begin += len(word) or 1

    def applied(self, text: str, scan: Scan, classes: Ids) -> Ids:
        """The classes of units (see `rnntag.model.rules`), with each of the words whole.

        Args:
            text: the texts joined by line feeds.
        """
        classes = classes.copy()
        for begin, end in self.spans(text):
            first, last = np.searchsorted(scan.ends, (begin + 1, end)).tolist()
            if first:
                classes[first - 1] = max(classes[first - 1], WORD)
            classes[first:last] = INSIDE
            classes[last] = max(classes[last], WORD)
        return classes
