"""Chinese words of four characters that are never cut, such as idioms and words like 干干净净.

A network sees each of them too rarely to learn that it is one word. A vocabulary lists those that training text has as
words and never cuts.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np

from rnntag.model.arrays import Flags, Ids
from rnntag.model.characters import code_points
from rnntag.sentences import Span

LENGTH = 4
_FIRST, _LAST = 0x3400, 0x9FFF
_WHOLE = re.compile(f"[{chr(_FIRST)}-{chr(_LAST)}]{{{LENGTH}}}")
_BITS = 16


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
        char_map: characters to read as others, and those others in the same order.
    """

    def __init__(self, words: Sequence[str], char_map: tuple[str, str]) -> None:
        before, after = map(code_points, char_map)
        self._read_as = np.arange(int(before.max(initial=0)) + 1)  # by code point
        self._read_as[before] = after
        self._keys = np.sort(_keys(code_points("".join(words)))[::LENGTH])

    def find(self, text: str, starts: Ids, joined: Flags) -> list[tuple[int, int]]:
        """The first and the last unit of each of the words in a text, from left to right, without overlaps.

        Args:
            starts: where each unit begins, in characters, shape [units]. A Chinese character is a unit of its own.
            joined: whether a unit follows the one before without white space, shape [units].
        """
        points = code_points(text)[starts]
        mapped = points < len(self._read_as)
        points[mapped] = self._read_as[points[mapped]]
        is_chinese = (points >= _FIRST) & (points <= _LAST)
        last = max(len(points) - LENGTH + 1, 0)
        may_begin = is_chinese[:last].copy()
        for step in range(1, LENGTH):
            may_begin &= is_chinese[step : last + step] & joined[step : last + step]
        firsts = np.flatnonzero(may_begin)
        keys = _keys(points)[firsts]
        places = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        found, done = [], 0
        for first in firsts[self._keys[places] == keys].tolist():
            if first >= done:
                done = first + LENGTH
                found.append((first, done - 1))
        return found


def _keys(points: Ids) -> Ids:
    """For each run of `LENGTH` characters of the basic plane, one number."""
    keys = np.zeros(max(len(points) - LENGTH + 1, 0), dtype=np.int64)
    for step in range(LENGTH):
        keys = keys << _BITS | points[step : len(keys) + step]
    return keys
