"""Chinese words of four characters that are never cut, such as idioms and words like 干干净净.

A network sees each of them too rarely to learn that it is one word. A vocabulary lists those that training text has as
words and never cuts.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np

from rnntag.model.arrays import Flags, Ids
from rnntag.sentences import Span

LENGTH = 4
_WHOLE = re.compile("[\u3400-\u9fff]{4}")
_BITS = 16
_LAST = (1 << _BITS) - 1
_NONE = -1


def is_whole(word: str) -> bool:
    """Whether a word may be in the list: four Chinese characters of the basic plane."""
    return _WHOLE.fullmatch(word) is not None


def learned(
    texts: Iterable[tuple[str, Sequence[Span]]], char_map: Mapping[int, int], before: Collection[str] = ()
) -> tuple[str, ...]:
    """The words of `LENGTH` characters that texts with their words never cut, sorted.

    Args:
        char_map: characters to read as others.
        before: more words; those that the texts cut are left out.
    """
    texts = [(text.translate(char_map), words) for text, words in texts]
    found = {*before}
    for text, words in texts:
        found.update(filter(is_whole, (text[begin:end] for begin, end in words if end - begin == LENGTH)))
    for text, words in texts:
        ends = {end for _, end in words}
        for begin in range(len(text) - LENGTH + 1):
            if text[begin : begin + LENGTH] in found and not ends.isdisjoint(range(begin + 1, begin + LENGTH)):
                found.remove(text[begin : begin + LENGTH])
    return tuple(sorted(found))


class Wholes:
    """Finds words in texts.

    Args:
        words: for each of which `is_whole` is true.
        char_map: characters to read as others.
    """

    def __init__(self, words: Sequence[str], char_map: Mapping[int, int]) -> None:
        self._char_map = char_map
        self._keys = np.sort(_keys(_points("".join(words)))[::LENGTH])

    def find(self, text: str, starts: Ids, joined: Flags) -> list[tuple[int, int]]:
        """The first and the last unit of each of the words in a text, from left to right, without overlaps.

        Args:
            starts: where each unit begins, in characters, shape [units]. A Chinese character is a unit of its own.
            joined: whether a unit follows the one before without white space, shape [units].
        """
        if not len(self._keys) or len(starts) < LENGTH:
            return []
        keys = _keys(_points(text.translate(self._char_map))[starts])
        for step in range(1, LENGTH):
            keys[~joined[step : len(keys) + step]] = _NONE
        places = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        found, done = [], 0
        for first in np.flatnonzero(self._keys[places] == keys).tolist():
            if first >= done:
                done = first + LENGTH
                found.append((first, done - 1))
        return found


def _points(text: str) -> Ids:
    """The code points of a text."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4").astype(np.int64)


def _keys(points: Ids) -> Ids:
    """For each run of `LENGTH` characters, one number; `_NONE` with one beyond the basic plane."""
    windows = [points[step : len(points) - LENGTH + 1 + step] for step in range(LENGTH)]
    keys = np.zeros_like(windows[0])
    for window in windows:
        keys = keys << _BITS | window & _LAST
    for window in windows:
        keys[window > _LAST] = _NONE
    return keys
