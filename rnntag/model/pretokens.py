"""Raw text to units, the smallest things that words are made of, and these to arrays of indices.

A unit is a run of letters (Latin, Greek or Cyrillic) or of digits, or any other character that is no
white space. Such runs have few words inside, so that a network need not read them letter by letter;
where they may end all the same, as in can|not, is learned.
"""

from __future__ import annotations

import unicodedata
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from functools import cache, cached_property
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from rnntag.model.arrays import Ids
from rnntag.storage.validation import validate

_OTHER, _SPACE, _LINE, _LETTER, _DIGIT = range(5)  # kinds of characters
_LETTERS = (
    "AZ", "az", "ªª", "ºº", "ÀÖ", "Øö", "øʯ",
    "\u0300\u036f",  # marks above and below letters
    "\u0370\u0373", "\u0376\u0377", "\u037b\u037d", "\u037f\u037f", "\u0386\u0386", "\u0388\u0481", "\u0483\u052f",
    "\u1e00\u1fbc", "ＡＺ", "ａｚ",
)  # fmt: skip
_DIGITS = ("09", "０９")

NO_GAP, SPACE, LINE = range(3)
"""What stands before a unit: nothing, white space, or white space with a line's end in it."""
_GAPS = 3
_CASES, _SIZES = 4, (1, 2, 3, 6)
_SHAPES = _CASES * (len(_SIZES) + 1)
SHAPES = _SHAPES * _GAPS
"""Rows of the table of shapes."""

_CATEGORIES = ("Lo", "Ll", "Lu", "N", "P", "S", "M", "C")
"""What a character is that has no row of its own, by its Unicode category: those that fit none are C."""
_ENDINGS = 256
"""Rows that other runs of letters share by their last two."""
RESERVED = 1 + len(_CATEGORIES) + _ENDINGS
"""Rows of the unit table for padding and for units that have none of their own."""

PAD = 0
MOST_BIGRAMS = 1 << 24
_TABLES = {"known": [str], "splits": {str: [int]}, "char_map": [str], "bigrams": int}
_MULTIPLIER = 0x9E3779B1  # 2³² over the golden ratio (Knuth's multiplicative hashing)
_REMEMBERED, _REMEMBERED_SIZE = 1 << 14, 32  # how many forms, and the longest
_SPLIT = -1


Words = tuple[str, Sequence[tuple[int, int]]]
"""A text, and where each of its words is."""


class Scan(NamedTuple):
    """The units of some texts, one after the other.

    Attributes:
        starts, ends: where each unit is, in characters, of the texts joined by line feeds.
        rows: of each unit, in the unit table.
        shapes: of each unit, how it is written and how long it is.
        gaps: what stands before each unit, see `NO_GAP`; a text begins a line.
        firsts: of each text, how many units stand before it.
    """

    starts: Ids
    ends: Ids
    rows: Ids
    shapes: Ids
    gaps: Ids
    firsts: Ids


@dataclass(frozen=True)
class PretokenVocabulary:
    """The rows of units, and of pairs of them.

    Attributes:
        known: the units that have rows of their own, from `RESERVED` on, in normal form.
        splits: by normal form, where runs may be split, in characters.
        char_map: characters that are read as others, and those others, in the same order.
        bigrams: how many rows pairs of units share by their hash; 0: none.
    """

    known: tuple[str, ...]
    splits: Mapping[str, tuple[int, ...]]
    char_map: tuple[str, str]
    bigrams: int

    def __getstate__(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self)}  # without what use has cached

    @classmethod
    def build(
        cls, texts: Iterable[Words], min_count: int, bigrams: int, char_map: tuple[str, str] = ("", "")
    ) -> PretokenVocabulary:
        """Those that occur at least `min_count` times, and splits that do."""
        texts = list(texts)
        splits = cls((), {}, char_map, 0)._splits(texts, min_count)
        units = cls((), splits, char_map, 0)
        counts: Counter[str] = Counter()
        for text, _ in texts:
            scan = units.scan([text])
            spans = zip(scan.starts.tolist(), scan.ends.tolist(), strict=True)
            counts.update(units.normal_form(text[start:end]) for start, end in spans)
        return cls(tuple(form for form, count in counts.most_common() if count >= min_count), splits, char_map, bigrams)

    def _splits(self, texts: Iterable[Words], min_count: int) -> dict[str, tuple[int, ...]]:
        counts: Counter[tuple[str, int]] = Counter()
        for text, words in texts:
            scan = self.scan([text])
            ends = np.array([end for _, end in words])
            owners = np.searchsorted(scan.ends, ends)
            inner = ends < scan.ends[owners]
            for end, owner in zip(ends[inner].tolist(), owners[inner].tolist(), strict=True):
                start = int(scan.starts[owner])
                form = text[start : scan.ends[owner]]
                counts[self._split_key(form), end - start] += 1
        found: dict[str, list[int]] = defaultdict(list)
        for (form, place), count in sorted(counts.items()):
            if form and count >= min_count:
                found[form].append(place)
        return {form: tuple(places) for form, places in found.items()}

    @classmethod
    def from_tables(cls, tables: Mapping[str, Any]) -> PretokenVocabulary:
        """What `tables` gave.

        Raises:
            ValueError: something else did.
        """
        validate(tables, _TABLES, "units")
        splits = {form: tuple(places) for form, places in tables["splits"].items()}
        for form, places in splits.items():
            if not all(before < after for before, after in pairwise((0, *places, len(form)))):
                raise ValueError(f"{form!r:.40} cannot be split at {places!s:.40}")
        if not 0 <= tables["bigrams"] <= MOST_BIGRAMS:
            raise ValueError(f"bigrams is {tables['bigrams']}")
        before, after = tables["char_map"]
        if len(before) != len(after):
            raise ValueError(f"{len(before)} characters are read as {len(after)}")
        return cls(tuple(tables["known"]), splits, (before, after), tables["bigrams"])

    def tables(self) -> dict[str, Any]:
        """All of it as JSON has it."""
        return asdict(self)

    @property
    def rows(self) -> int:
        """Of the unit table."""
        return RESERVED + len(self.known)

    @cached_property
    def _row_of(self) -> dict[str, int]:
        return {form: row for row, form in enumerate(self.known, RESERVED)}

    @cached_property
    def _char_map(self) -> dict[int, int]:
        return str.maketrans(*self.char_map)

    @cached_property
    def _codes(self) -> _Codes:
        return _Codes(self)

    def normal_form(self, form: str) -> str:
        """A unit as the table has it: folded, letters in lower case, digits as zeros, at most five."""
        if _kinds()[ord(form[0])] == _DIGIT:
            return "0" * min(len(form), 5)
        folded = form.translate(self._char_map).lower()
        return folded if len(folded) == len(form) else form

    def _split_key(self, form: str) -> str:
        """What stands for a form in `splits`; "" for many digits, which are alike wherever they split."""
        normal = self.normal_form(form)
        return normal if len(normal) == len(form) else ""

    def code(self, form: str) -> int:
        """The row of a unit and its shape as one number."""
        normal = self.normal_form(form)
        row = self._row_of.get(normal)
        case = 0 if form.islower() else 1 if form.istitle() and len(form) > 1 else 2 if form.isupper() else 3
        if case == 3 and not any(map(str.isalpha, form)):
            case = 0
        size = sum(len(form) > size for size in _SIZES)
        return (fallback_row(normal) if row is None else row) * _SHAPES + case * (len(_SIZES) + 1) + size

    def scan(self, texts: Sequence[str]) -> Scan:
        """The units of texts."""
        text = "\n".join(texts)
        kinds = _kinds()[np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")]
        joined = (kinds[1:] == kinds[:-1]) & (kinds[1:] >= _LETTER)
        solid = (kinds != _SPACE) & (kinds != _LINE)
        starts = np.flatnonzero(solid & ~np.append(False, joined)[: len(kinds)])
        ends = np.flatnonzero(solid & ~np.append(joined, False)[: len(kinds)]) + 1
        forms = [text[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]
        remembered = self._codes
        if len(remembered) > _REMEMBERED:
            remembered.clear()
        codes = np.fromiter(map(remembered.__getitem__, forms), dtype=np.int64, count=len(forms))
        if (codes == _SPLIT).any():
            starts, ends, codes = self._split(text, starts, ends, codes)
        lines = np.cumsum(kinds == _LINE)
        before = np.append(0, ends[:-1])[: len(starts)]
        gaps = np.where(starts > before, np.where(lines[starts] > lines[before - 1], LINE, SPACE), NO_GAP)
        gaps[:1] = LINE
        begins = np.cumsum([0, *(len(text) + 1 for text in texts)])[:-1]
        return Scan(starts, ends, codes // _SHAPES, codes % _SHAPES, gaps, np.searchsorted(starts, begins))

    def _split(self, text: str, starts: Ids, ends: Ids, codes: Ids) -> tuple[Ids, Ids, Ids]:
        """With the runs that may be split in parts."""
        owners: list[int] = []
        cuts: list[int] = []
        parts: list[int] = []
        codes = codes.copy()
        positions = np.flatnonzero(codes == _SPLIT)
        spans = zip(positions.tolist(), starts[positions].tolist(), ends[positions].tolist(), strict=True)
        for position, start, end in spans:
            places, (codes[position], *rest) = self._codes.parts[text[start:end]]
            owners += [position + 1] * len(places)
            cuts += [start + place for place in places]
            parts += rest
        return np.insert(starts, owners, cuts), np.sort(np.append(ends, cuts)), np.insert(codes, owners, parts)

    def columns(self, rows: Ids, shapes: Ids, gaps: Ids, firsts: Ids | None = None) -> Ids:
        """What a network reads of units: their rows; their shapes with what stands before them; and the
        rows of the pairs that each makes with the one before and the one after.

        Args:
            firsts: where other texts begin, whose units make no pairs with those before.

        Returns:
            Shape [units, 4]; without bigrams [units, 2].
        """
        columns = np.empty((len(rows), 4 if self.bigrams else 2), dtype=np.int64)
        columns[:, 0] = rows
        columns[:, 1] = shapes * _GAPS + gaps
        if self.bigrams:
            before, after = np.append(PAD, rows[:-1])[: len(rows)], np.append(rows[1:], PAD)[: len(rows)]
            if firsts is not None:
                before[firsts[firsts < len(rows)]] = PAD
                after[firsts[firsts > 0] - 1] = PAD
            columns[:, 2] = self._pairs(before, rows, gaps)
            columns[:, 3] = self._pairs(rows, after, np.append(gaps[1:], LINE)[: len(rows)])
        return columns

    def _pairs(self, left: Ids, right: Ids, gaps: Ids) -> Ids:
        hashed: Ids = ((left * self.rows + right) * _GAPS + gaps) * _MULTIPLIER & 0xFFFFFFFF
        return hashed * self.bigrams >> 32

    def encode(self, texts: Sequence[str]) -> tuple[Scan, list[Ids]]:
        """The units of texts, and of each text what a network reads."""
        scan = self.scan(texts)
        columns = self.columns(scan.rows, scan.shapes, scan.gaps, scan.firsts)
        bounds = scan.firsts.tolist()
        return scan, [columns[own] for own in map(slice, bounds, [*bounds[1:], len(columns)])]


class _Codes(dict[str, int]):
    """`Units.code` of the forms met last; `_SPLIT` for a run that may be split.

    Attributes:
        parts: of such runs, where they may be split, and the codes of their parts.
    """

    def __init__(self, units: PretokenVocabulary) -> None:
        self._units = units
        self.parts: dict[str, tuple[Sequence[int], Sequence[int]]] = {}

    def __missing__(self, form: str) -> int:
        units = self._units
        if places := units.splits.get(units._split_key(form)):
            self.parts[form] = places, [units.code(form[a:b]) for a, b in pairwise((0, *places, len(form)))]
            code = _SPLIT
        else:
            code = units.code(form)
        if len(form) <= _REMEMBERED_SIZE:
            self[form] = code
        return code


@cache
def _kinds() -> npt.NDArray[np.uint8]:
    """The kind of each character, by code point."""
    kinds = np.full(0x110000, _OTHER, dtype=np.uint8)
    for kind, ranges in ((_LETTER, _LETTERS), (_DIGIT, _DIGITS)):
        for span in ranges:
            kinds[ord(span[0]) : ord(span[1]) + 1] = kind
    for space in map(chr, range(0x3001)):
        if space.isspace():
            kinds[ord(space)] = _LINE if space in "\n\x0b\x0c\x85\u2028\u2029" else _SPACE
    return kinds


def fallback_row(normal: str) -> int:
    """The row of all units like one that has none of its own."""
    if len(normal) > 1 and normal[0] != "0":
        return 1 + len(_CATEGORIES) + zlib.crc32(normal[-2:].encode("utf-8", "surrogatepass")) % _ENDINGS
    category = unicodedata.category(normal[0])
    for row, name in enumerate(_CATEGORIES, 1):
        if category.startswith(name):
            return row
    return len(_CATEGORIES) if category[0] != "L" else 1
