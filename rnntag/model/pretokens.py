"""Pretokens of raw text, and their encoding as arrays of indices.

A pretoken, or unit, is a run of letters (Latin, Greek or Cyrillic), a run of digits, or any other character that is
not white space. Words rarely end inside such runs, so the network need not read single letters. Where they do, as in
can|not, is learned from the training data. Invisible characters (see `model.spelling`) are part of the unit before
them, or after white space of the one after them; the network does not see them.
"""

from __future__ import annotations

import unicodedata
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from rnntag.model import characters, spelling
from rnntag.model.arrays import Flags, Ids
from rnntag.model.characters import DIGIT, LETTER, OTHER, are_letters, char_classes, code_points
from rnntag.model.wholes import LENGTH, Wholes, is_whole, learned
from rnntag.sentences import Span
from rnntag.storage.validation import validate

NO_GAP, SPACE, LINE = range(3)
"""What precedes a unit: nothing, white space, or white space with a line break."""
_GAPS = 3
_CASES, _SIZES = 4, (1, 2, 3, 6)
_SHAPES = _CASES * (len(_SIZES) + 1)
_REPEATS = 4  # the same character as the unit before, as the one before that, neither or both

FIRST, NEWEST = 1, 2
"""Revisions of vocabularies. With `NEWEST`, shapes say whether a character repeats, as in 干干净净 and 好不好, and all
runs of letters are one member of pairs, so that pairs say which marks stand between letters."""

_CATEGORIES = ("Lo", "Ll", "Lu", "N", "P", "S", "M", "C")
"""Unicode categories; unknown characters of a category share a row. Characters of no other category count as C."""
_ENDINGS = 256
"""Rows shared by unknown runs of letters, chosen by a hash of their last two letters."""
SHARED_ROWS = 1 + len(_CATEGORIES) + _ENDINGS
"""Rows of the unit table for padding and for unknown units."""

_PADDING = 0
_MAX_BIGRAMS = 1 << 24
_FORM = {"known": [str], "splits": {str: [int]}, "char_map": [str], "bigrams": int, "revision": int, "wholes": [str],
         "hashed_rows": int}  # fmt: skip
_MULTIPLIER = 0x9E3779B1  # 2³² over the golden ratio (Knuth's multiplicative hashing)
_CACHED_FORMS, _CACHED_LENGTH = 1 << 14, 32
_SPLIT = -1


SegmentedText = tuple[str, Sequence[Span]]
"""A text and its words."""


class Scan(NamedTuple):
    """The units of several texts, concatenated; each array has shape [units] but for `firsts`.

    Attributes:
        starts, ends: positions in the texts joined by line feeds, in characters.
        rows: rows of the unit table.
        shapes: codes of letter case, length and repetition.
        gaps: what precedes each unit: `NO_GAP`, `SPACE` or `LINE`. A text begins with `LINE`.
        firsts: for each text, the number of units before it, shape [texts].
    """

    starts: Ids
    ends: Ids
    rows: Ids
    shapes: Ids
    gaps: Ids
    firsts: Ids


@dataclass(frozen=True)
class PretokenVocabulary:
    """The rows of units and of pairs of units.

    Attributes:
        known: normal forms with a row of their own, from row `SHARED_ROWS` on.
        splits: by normal form, the positions in characters where a run is split.
        char_map: characters to replace, and their replacements in the same order.
        bigrams: number of rows that pairs of units are hashed to; 0: no pairs.
        revision: see `NEWEST`.
        wholes: words that are never cut; see `model.wholes`.
        hashed_rows: rows of the unit table when pairs were hashed first: more units change no pair; 0: all rows.
    """

    known: tuple[str, ...]
    splits: Mapping[str, tuple[int, ...]]
    char_map: tuple[str, str]
    bigrams: int
    revision: int = FIRST
    wholes: tuple[str, ...] = ()
    hashed_rows: int = 0

    def __getstate__(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self)}  # without the caches

    @classmethod
    def build(
        cls,
        texts: Iterable[SegmentedText],
        min_count: int,
        bigrams: int,
        char_map: tuple[str, str] = ("", ""),
        extends: PretokenVocabulary | None = None,
    ) -> PretokenVocabulary:
        """The vocabulary of the units and splits that occur at least `min_count` times.

        Args:
            extends: a vocabulary with the same `bigrams` and `char_map`, whose units keep their rows.
        """
        texts = list(texts)
        revision = extends.revision if extends else NEWEST
        splits = cls((), {}, char_map, 0)._splits(texts, min_count)
        before = extends.splits if extends else {}
        splits = {form: tuple(sorted({*splits.get(form, ()), *before.get(form, ())})) for form in {**before, **splits}}
        units = cls((), splits, char_map, 0)
        counts: Counter[str] = Counter()
        for text, _ in texts:
            scan = units.scan([text])
            spans = zip(scan.starts.tolist(), scan.ends.tolist(), strict=True)
            counts.update(units.normal_form(text[start:end]) for start, end in spans)
        frequent = (form for form, count in counts.most_common() if count >= min_count)
        known = dict.fromkeys((*(extends.known if extends else ()), *frequent))
        kept_whole = learned(texts, str.maketrans(*char_map), extends.wholes if extends else ())
        hashed_rows = extends.hashed_rows or extends.rows if extends else 0
        return cls((*known,), splits, char_map, bigrams, revision, kept_whole, hashed_rows)

    def _splits(self, texts: Iterable[SegmentedText], min_count: int) -> dict[str, tuple[int, ...]]:
        counts: Counter[tuple[str, int]] = Counter()
        for text, words in texts:
            scan = self.scan([text])
            ends = np.array([end for _, end in words])
            units = np.searchsorted(scan.ends, ends)  # the unit that each word ends in
            inside = ends < scan.ends[units]
            for end, unit in zip(ends[inside].tolist(), units[inside].tolist(), strict=True):
                start = int(scan.starts[unit])
                form = text[start : scan.ends[unit]]
                counts[self._split_key(form), end - start] += 1
        splits: dict[str, list[int]] = defaultdict(list)
        for (form, position), count in sorted(counts.items()):
            if form and count >= min_count:
                splits[form].append(position)
        return {form: tuple(positions) for form, positions in splits.items()}

    @classmethod
    def from_tables(cls, tables: Mapping[str, Any]) -> PretokenVocabulary:
        """The inverse of `tables`.

        Raises:
            ValueError: the tables are invalid.
        """
        tables = {"revision": FIRST, "wholes": [], "hashed_rows": 0, **tables}
        validate(tables, _FORM, "units")
        splits = {form: tuple(positions) for form, positions in tables["splits"].items()}
        for form, positions in splits.items():
            if not all(before < after for before, after in pairwise((0, *positions, len(form)))):
                raise ValueError(f"{form!r:.40} cannot be split at {positions!s:.40}")
        if not 0 <= tables["bigrams"] <= _MAX_BIGRAMS:
            raise ValueError(f"bigrams is {tables['bigrams']}")
        before, after = tables["char_map"]
        if len(before) != len(after):
            raise ValueError(f"char_map has {len(before)} characters but {len(after)} replacements")
        if not FIRST <= tables["revision"] <= NEWEST:
            raise ValueError(f"revision is {tables['revision']}")
        if not 0 <= tables["hashed_rows"] <= SHARED_ROWS + len(tables["known"]):
            raise ValueError(f"hashed_rows is {tables['hashed_rows']}")
        if odd := next((word for word in tables["wholes"] if not is_whole(word)), None):
            raise ValueError(f"{odd!r:.40} is not {LENGTH} Chinese characters")
        words = {name: tuple(tables[name]) for name in ("known", "wholes")}
        return cls(**{**tables, **words, "splits": splits, "char_map": (before, after)})

    def tables(self) -> dict[str, Any]:
        """The vocabulary as a JSON object."""
        return asdict(self)

    @property
    def rows(self) -> int:
        """Number of rows of the unit table."""
        return SHARED_ROWS + len(self.known)

    @property
    def shapes(self) -> int:
        """Number of rows of the shape table."""
        return _SHAPES * _GAPS * (_REPEATS if self.revision == NEWEST else 1)

    @cached_property
    def _row_of(self) -> dict[str, int]:
        return {form: row for row, form in enumerate(self.known, SHARED_ROWS)}

    @cached_property
    def _char_map(self) -> dict[int, Any]:
        return spelling.READ_AS | str.maketrans(*self.char_map)

    @cached_property
    def _members(self) -> Ids:
        """What each row is in pairs, shape [rows]."""
        members = np.arange(self.rows)
        if self.revision == NEWEST:
            endings = 1 + len(_CATEGORIES)
            members[endings:SHARED_ROWS] = endings
            members[SHARED_ROWS:][are_letters(self.known)] = endings
        return members

    @cached_property
    def _wholes(self) -> Wholes:
        return Wholes(self.wholes, self.char_map)

    def whole(self, texts: Sequence[str], scan: Scan) -> list[tuple[int, int]]:
        """The first and the last unit of each word in texts that is never cut."""
        return self._wholes.find("\n".join(texts), scan.starts, scan.gaps == NO_GAP) if self.wholes else []

    @cached_property
    def _codes(self) -> _Codes:
        return _Codes(self)

    def normal_form(self, form: str) -> str:
        """The key of a unit: mapped characters in lower case; a run of digits as at most five zeros."""
        if char_classes()[ord(form[0])] == DIGIT:
            return "0" * min(len(form), 5)
        mapped = form.translate(self._char_map) or form
        lower = mapped.lower()
        return lower if len(lower) == len(mapped) else mapped

    def _split_key(self, form: str) -> str:
        """The key of a form in `splits`; "" for long runs of digits, whose normal form has lost their length."""
        normal = self.normal_form(form)
        return normal if len(normal) == len(form) else ""

    def code(self, form: str) -> int:
        """The row and the shape of a unit as one number: row × `_SHAPES` + shape."""
        normal = self.normal_form(form)
        row = self._row_of.get(normal)
        case = 0 if form.islower() else 1 if form.istitle() and len(form) > 1 else 2 if form.isupper() else 3
        if case == 3 and not any(map(str.isalpha, form)):
            case = 0
        size = sum(len(form) > size for size in _SIZES)
        return (fallback_row(normal) if row is None else row) * _SHAPES + case * (len(_SIZES) + 1) + size

    def scan(self, texts: Sequence[str]) -> Scan:
        """Find the units of texts."""
        text = "\n".join(texts)
        text_starts = np.cumsum([0, *(len(text) + 1 for text in texts)])[:-1]
        if any(char in text for char in spelling.INVISIBLE):
            text, places = spelling.without_invisible(text)
            scan = self._scan(text, np.searchsorted(places, text_starts))
            # What is between two characters of the rest belongs to the unit before, or after white space to the next.
            after_space = scan.gaps != NO_GAP
            starts = np.where(after_space, np.append(-1, places)[scan.starts] + 1, places[scan.starts])
            return scan._replace(starts=starts, ends=places[scan.ends])
        return self._scan(text, text_starts)

    def _scan(self, text: str, text_starts: Ids) -> Scan:
        """The units of texts joined by line feeds, given where each begins."""
        # All texts at once, as one array of characters. joined[i]: characters i and i + 1 are in the same run, so a
        # unit starts (ends) at each character that is not white space and not joined to the one before (after).
        # The slices matter only for an empty text.
        points = code_points(text)
        classes = char_classes()[points]
        joined = (classes[1:] == classes[:-1]) & (classes[1:] >= LETTER)
        solid = (classes != characters.SPACE) & (classes != characters.LINE)
        starts = np.flatnonzero(solid & ~np.append(False, joined)[: len(classes)])
        ends = np.flatnonzero(solid & ~np.append(joined, False)[: len(classes)]) + 1
        forms = [text[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]
        if len(self._codes) > _CACHED_FORMS:
            self._codes.clear()
        codes = np.fromiter(map(self._codes.__getitem__, forms), dtype=np.int64, count=len(forms))
        if (codes == _SPLIT).any():
            starts, ends, codes = self._split(text, starts, ends, codes)
        # Line breaks up to each character: a gap holds one if the count differs between its two ends.
        # For the first unit, previous_ends - 1 is no position; its gap is set apart.
        lines = np.cumsum(classes == characters.LINE)
        previous_ends = np.append(0, ends[:-1])[: len(starts)]
        has_line = lines[starts] > lines[previous_ends - 1]
        gaps = np.where(starts > previous_ends, np.where(has_line, LINE, SPACE), NO_GAP)
        gaps[:1] = LINE
        shapes = codes % _SHAPES
        if self.revision == NEWEST:
            shapes += _SHAPES * _repeats(points[starts], (ends - starts == 1) & (classes[starts] == OTHER), gaps)
        return Scan(starts, ends, codes // _SHAPES, shapes, gaps, np.searchsorted(starts, text_starts))

    def _split(self, text: str, starts: Ids, ends: Ids, codes: Ids) -> tuple[Ids, Ids, Ids]:
        """Starts, ends and codes of the units, with the runs of code `_SPLIT` split.

        The first part of a run replaces it; the others are inserted after it.
        """
        insert_at: list[int] = []
        cuts: list[int] = []
        new_codes: list[int] = []
        codes = codes.copy()
        runs = np.flatnonzero(codes == _SPLIT)
        for run, start, end in zip(runs.tolist(), starts[runs].tolist(), ends[runs].tolist(), strict=True):
            positions, (codes[run], *later_codes) = self._codes.parts[text[start:end]]
            insert_at += [run + 1] * len(positions)
            cuts += [start + position for position in positions]
            new_codes += later_codes
        return (
            np.insert(starts, insert_at, cuts),
            np.sort(np.append(ends, cuts)),
            np.insert(codes, insert_at, new_codes),
        )

    def columns(self, rows: Ids, shapes: Ids, gaps: Ids, firsts: Ids | None = None) -> Ids:
        """The network's input: for each unit its row, the row of its shape and gap, and the rows of the pairs
        with the unit before and the unit after.

        Args:
            firsts: indices of the first units of texts; pairs do not cross them.

        Returns:
            Shape [units, 4]; without bigrams [units, 2].
        """
        columns = np.empty((len(rows), 4 if self.bigrams else 2), dtype=np.int64)
        columns[:, 0] = rows
        columns[:, 1] = shapes * _GAPS + gaps
        if self.bigrams:
            rows = self._members[rows]
            before, after = np.append(_PADDING, rows[:-1])[: len(rows)], np.append(rows[1:], _PADDING)[: len(rows)]
            if firsts is not None:
                before[firsts[firsts < len(rows)]] = _PADDING
                after[firsts[firsts > 0] - 1] = _PADDING
            columns[:, 2] = self._pairs(before, rows, gaps)
            columns[:, 3] = self._pairs(rows, after, np.append(gaps[1:], LINE)[: len(rows)])
        return columns

    def _pairs(self, left: Ids, right: Ids, gaps: Ids) -> Ids:
        hashed: Ids = ((left * (self.hashed_rows or self.rows) + right) * _GAPS + gaps) * _MULTIPLIER & 0xFFFFFFFF
        return hashed * self.bigrams >> 32

    def encode(self, texts: Sequence[str]) -> tuple[Scan, list[Ids]]:
        """The units of texts, and the `columns` of each text."""
        scan = self.scan(texts)
        columns = self.columns(scan.rows, scan.shapes, scan.gaps, scan.firsts)
        bounds = [*scan.firsts.tolist(), len(columns)]
        return scan, [columns[start:end] for start, end in pairwise(bounds)]


class _Codes(dict[str, int]):
    """A cache of `PretokenVocabulary.code` by form; `_SPLIT` for a run that is split.

    Attributes:
        parts: the split positions of such runs, and the codes of their parts.
    """

    def __init__(self, units: PretokenVocabulary) -> None:
        self._units = units
        self.parts: dict[str, tuple[Sequence[int], Sequence[int]]] = {}

    def __missing__(self, form: str) -> int:
        units = self._units
        if positions := units.splits.get(units._split_key(form)):
            self.parts[form] = positions, [units.code(form[a:b]) for a, b in pairwise((0, *positions, len(form)))]
            code = _SPLIT
        else:
            code = units.code(form)
        if len(form) <= _CACHED_LENGTH:
            self[form] = code
        return code


def _repeats(points: Ids, single: Flags, gaps: Ids) -> Ids:
    """For each unit, 1 if it is the same character as the unit before, plus 2 if the same as the one before that.

    Args:
        points: the first character of each unit.
        single: whether a unit is a single character that is neither a letter nor a digit.
        gaps: what precedes each unit; white space ends the search.
    """
    repeats = np.zeros(len(points), dtype=np.int64)
    joined = single & (gaps == NO_GAP)
    repeats[1:] += joined[1:] & (points[1:] == points[:-1])
    repeats[2:] += 2 * (joined[2:] & (gaps[1:-1] == NO_GAP) & (points[2:] == points[:-2]))
    return repeats


def fallback_row(normal: str) -> int:
    """The shared row of an unknown unit, by its ending or its Unicode category."""
    if len(normal) > 1 and normal[0] != "0":
        return 1 + len(_CATEGORIES) + zlib.crc32(normal[-2:].encode("utf-8", "surrogatepass")) % _ENDINGS
    category = unicodedata.category(normal[0])
    for row, name in enumerate(_CATEGORIES, 1):
        if category.startswith(name):
            return row
    return len(_CATEGORIES) if category[0] != "L" else 1
