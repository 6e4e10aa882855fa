"""Running text to arrays of indices, one for each character."""

from __future__ import annotations

import sys
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.int64]

PAD = 0
_CLASSES = ("Lo", "Ll", "Lu", "N", "P", "S", "M", "C")
"""What a character is that has no row of its own, by its Unicode category: those that fit none are C."""

_SPACE, _NEWLINE = 1 + len(_CLASSES), 2 + len(_CLASSES)
RESERVED = 3 + len(_CLASSES)
"""Rows of the character table for padding, for the classes, and for white space within a line and between lines."""

_MULTIPLIER = 0x9E3779B1  # 2³² over the golden ratio (Knuth's multiplicative hashing)

CodePoints = npt.NDArray[np.uint32]


def code_points(text: str) -> CodePoints:
    """The characters of a text as numbers."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")


@dataclass(frozen=True)
class Characters:
    """The rows of characters and of their pairs.

    Attributes:
        known: the characters that have rows of their own, from `RESERVED` on.
        folds: characters that are read as others, and those others, in the same order.
        bigrams: how many rows pairs share by their hash; 0: none.
    """

    known: str
    folds: tuple[str, str]
    bigrams: int

    @classmethod
    def build(cls, texts: Iterable[str], min_count: int, bigrams: int, folds: tuple[str, str] = ("", "")) -> Characters:
        """Those that occur at least `min_count` times."""
        table = str.maketrans(*folds)
        counts = Counter(character for text in texts for character in text.translate(table))
        known = [one for one, count in counts.most_common() if count >= min_count and not one.isspace()]
        return cls("".join(known), folds, bigrams)

    @property
    def rows(self) -> int:
        """Of the character table."""
        return RESERVED + len(self.known)

    @cached_property
    def _row_of(self) -> npt.NDArray[np.int32]:
        """By code point; 0 where there is none."""
        rows = np.zeros(sys.maxunicode + 1, dtype=np.int32)
        rows[code_points(self.known)] = np.arange(RESERVED, self.rows)
        folded, others = map(code_points, self.folds)
        rows[folded] = rows[others]
        for space in map(chr, range(0x3001)):
            if space.isspace():
                rows[ord(space)] = _NEWLINE if space in "\n\x0b\x0c\x85\u2028\u2029" else _SPACE
        return rows

    def encode(self, text: str) -> Ids:
        """Of each character its row, and of its pairs with the one before and the one after theirs.

        Returns:
            Shape [characters, 3]; without bigrams [characters, 1].
        """
        codes = code_points(text)
        rows = self._row_of[codes].astype(np.int64)
        unknown = np.flatnonzero(rows == PAD)
        if len(unknown):
            distinct, places = np.unique(codes[unknown], return_inverse=True)
            rows[unknown] = np.array([class_row(chr(code)) for code in distinct])[places]
        return self.with_pairs(rows)

    def with_pairs(self, rows: Ids) -> Ids:
        """As `encode`, given the rows of the characters, shape [characters]."""
        if not self.bigrams:
            return rows[:, None]
        around = np.pad(rows, 1)
        hashed = (around[:-1] * self.rows + around[1:]) * _MULTIPLIER & 0xFFFFFFFF
        pairs = hashed * self.bigrams >> 32
        return np.stack([rows, pairs[:-1], pairs[1:]], axis=1)


def class_row(character: str) -> int:
    """The row of all characters like this one."""
    category = unicodedata.category(character)
    for row, name in enumerate(_CLASSES, 1):
        if category.startswith(name):
            return row
    return len(_CLASSES) if category[0] != "L" else 1


def class_rows(known: str) -> Sequence[int]:
    """`class_row` of each row of a table, those reserved standing for themselves."""
    return [*range(RESERVED), *map(class_row, known)]
