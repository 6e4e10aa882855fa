"""Words and tags as corpora may have them."""

from __future__ import annotations

import re

from rnntag.errors import DataError

_SURROGATE = re.compile("[\ud800-\udfff]")


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
