"""Finds the words of a set in text."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from rnntag.model import spelling
from rnntag.model.arrays import Flags, Ids
from rnntag.model.characters import code_points
from rnntag.model.pretokens import Scan

_Hashes = npt.NDArray[np.uint64]

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # 2⁶⁴ over the golden ratio
_SPARSE = 8
"""Slots per word, at least."""
_PREFIX, _WORD = 1, 2


class Words(NamedTuple):
    """Words in the units of a text; each array has shape [words].

    Attributes:
        firsts, lasts: the first and the last unit of each word.
    """

    firsts: Ids
    lasts: Ids

    def only(self, wanted: Flags) -> Words:
        """Some of the words; `wanted` has shape [words]."""
        return Words(self.firsts[wanted], self.lasts[wanted])


class WordIndex:
    """Where the words of a set occur in a text.

    Those in lower case are found in any case, others as they are.
    """

    def __init__(self, words: Collection[str]) -> None:
        lower = [word for word in words if word.lower() == word]
        self._lower = _Hashed(lower)
        self._others = _Hashed([word for word in words if word.lower() != word] if len(lower) < len(words) else [])

    def find(self, text: str, scan: Scan, may_end: Flags) -> Words:
        """Each occurrence that begins where a unit does and ends where a word may, in any order.

        Invisible characters of the text are skipped.

        Args:
            text: the texts joined by line feeds.
            may_end: whether a word may end after each unit, shape [units].
        """
        starts, ends = scan.starts, scan.ends
        if any(char in text for char in spelling.INVISIBLE):
            text, places = spelling.without_invisible(text)
            starts, ends = np.searchsorted(places, starts), np.searchsorted(places, ends)
        unit_at_end = np.full(len(text) + 1, -1)  # by position, the unit that a word may end with there
        unit_at_end[ends[may_end]] = np.flatnonzero(may_end)
        may_begin = np.flatnonzero(np.append(True, may_end[:-1])[: len(starts)])
        found = self._lower.find(_lower(text), starts[may_begin], may_begin, unit_at_end)
        others = self._others.find(text, starts[may_begin], may_begin, unit_at_end)
        if others.size:  # those in lower case may be among them; as numbers in order, they are told fastest
            both = np.concatenate([found, others], axis=1)
            numbers = np.sort(both[0] * len(ends) + both[1])
            found = np.stack(np.divmod(numbers[np.append(True, numbers[1:] != numbers[:-1])], len(ends)))
        return Words(*found)


class _Hashed:
    """Finds words in a few array operations per length of a word.

    Each word and each of its prefixes has a hash of 64 bits. At all places of a text together, the hash of a prefix is
    extended by one character at a time, as long as it may be that of a prefix of a word. Strings with the same hash
    count as the same.
    """

    def __init__(self, words: Sequence[str]) -> None:
        self._shift = np.uint64(64 - (_SPARSE * max(len(words), 1)).bit_length())
        self._slots = np.zeros(1 << int(64 - self._shift), dtype=np.uint8)  # what hashes with these first bits are of
        points = code_points("".join(words)).astype(np.uint64)
        sizes = np.fromiter(map(len, words), dtype=np.int64, count=len(words))
        starts = np.cumsum(sizes) - sizes
        hashes = np.zeros(len(words), dtype=np.uint64)
        complete = [hashes[:0]]
        size = 0
        while len(starts):
            hashes = (hashes + points[starts + size]) * _MULTIPLIER
            size += 1
            longer = sizes > size
            complete.append(hashes[~longer])
            self._slots[complete[-1] >> self._shift] |= _WORD
            hashes, starts, sizes = hashes[longer], starts[longer], sizes[longer]
            self._slots[hashes >> self._shift] |= _PREFIX
        # The hashes of words in order, and where those with the same first bits begin: about one word for each.
        self._words = np.sort(np.concatenate(complete))
        self._word_shift = np.uint64(64 - max(len(words), 1).bit_length())
        groups = 1 << int(64 - self._word_shift)
        in_group = np.bincount((self._words >> self._word_shift).astype(np.int64), minlength=groups)
        self._begins = np.append(0, np.cumsum(in_group)).astype(np.int32)

    def find(self, text: str, places: Ids, units: Ids, unit_at_end: Ids) -> Ids:
        """The first and the last unit of each word that begins at one of these places, shape [2, words].

        Args:
            places: in characters, shape [places].
            units: those that begin there, shape [places].
            unit_at_end: by position, the unit that a word may end with there, or -1; shape [characters + 1].
        """
        points = np.append(code_points(text), 0).astype(np.uint64)
        hashes = np.zeros(len(places), dtype=np.uint64)
        firsts, lasts, found = [units[:0]], [units[:0]], [hashes[:0]]
        while len(places):
            hashes = (hashes + points[places]) * _MULTIPLIER
            places = places + 1
            kinds = self._slots[hashes >> self._shift]
            word = np.flatnonzero(kinds >= _WORD)
            last = unit_at_end[places[word]]
            word, last = word[last >= 0], last[last >= 0]
            firsts.append(units[word])
            lasts.append(last)
            found.append(hashes[word])
            goes_on = np.flatnonzero((kinds & _PREFIX > 0) & (places < len(text)))
            hashes, places, units = hashes[goes_on], places[goes_on], units[goes_on]
        are_words = self._are_words(np.concatenate(found))
        return np.stack([np.concatenate(firsts)[are_words], np.concatenate(lasts)[are_words]])

    def _are_words(self, hashes: _Hashes) -> Flags:
        """Whether each hash is that of a word, shape [hashes]."""
        group = hashes >> self._word_shift
        candidate, end = self._begins[group], self._begins[group + np.uint64(1)]
        found = np.zeros(len(hashes), dtype=np.bool_)
        left = np.flatnonzero(candidate < end)
        while len(left):  # once for each word in the largest group
            same = self._words[candidate[left]] == hashes[left]
            found[left[same]] = True
            candidate[left] += 1
            left = left[~same & (candidate[left] < end[left])]
        return found


def _lower(text: str) -> str:
    """The text in lower case, of the same length: characters that would become several stay as they are."""
    lower = text.lower()
    if len(lower) == len(text):
        return lower
    return "".join([low if len(low := char.lower()) == 1 else char for char in text])
