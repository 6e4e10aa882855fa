"""The classes of characters that pretokens are made of."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import numpy as np
import numpy.typing as npt

from rnntag.model.arrays import Flags, Ids

OTHER, SPACE, LINE, LETTER, DIGIT = range(5)  # classes of characters
_LETTERS = (
    "AZ", "az", "ªª", "ºº", "ÀÖ", "Øö", "øʯ",
    "\u0300\u036f",  # combining marks
    "\u0370\u0373", "\u0376\u0377", "\u037b\u037d", "\u037f\u037f", "\u0386\u0386", "\u0388\u0481", "\u0483\u052f",
    "\u1e00\u1fbc", "ﬀﬆ", "ＡＺ", "ａｚ",
)  # fmt: skip
_DIGITS = ("09", "０９")


@cache
def char_classes() -> npt.NDArray[np.uint8]:
    """The class of each character, by code point."""
    classes = np.full(0x110000, OTHER, dtype=np.uint8)
    for char_class, ranges in ((LETTER, _LETTERS), (DIGIT, _DIGITS)):
        for span in ranges:
            classes[ord(span[0]) : ord(span[1]) + 1] = char_class
    for space in map(chr, range(0x3001)):
        if space.isspace():
            classes[ord(space)] = LINE if space in "\n\x0b\x0c\x85\u2028\u2029" else SPACE
    return classes


def code_points(text: str) -> Ids:
    """The code points of a text, shape [characters]."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4").astype(np.int64)


def are_signs(text: str) -> Flags:
    """Whether each character of a text is neither a letter nor a digit, shape [characters]."""
    points = code_points(text)
    table = _signs()
    signs: Flags = table[np.minimum(points, len(table) - 1)]
    for place in np.flatnonzero(points >= len(table)).tolist():
        signs[place] = not text[place].isalnum()
    return signs


@cache
def _signs() -> Flags:
    """What `are_signs` says of the Basic Multilingual Plane, by code point."""
    return ~np.fromiter(map(str.isalnum, map(chr, range(0x10000))), dtype=np.bool_, count=0x10000)


def are_letters(normal_forms: Iterable[str]) -> Flags:
    """Whether the normal form of each unit is a run of letters, shape [units]."""
    letters: Flags = char_classes()[code_points("".join(form[0] for form in normal_forms))] == LETTER
    return letters
