"""Words that share rows of the word table: similar words have one row, and a word costs six bytes instead of a row and
a string. So a model knows something of hundreds of thousands of words."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from zlib import crc32

import numpy as np
import numpy.typing as npt
import safetensors.numpy

from rnntag.model import weights
from rnntag.model.arrays import Ids

MAX_BYTES = 1 << 27
"""The largest size of a file: that of twenty million words."""
_TYPES = {"hashes": np.dtype(np.uint32), "rows": np.dtype(np.uint16)}


def _hashes(words: Collection[str]) -> npt.NDArray[np.uint32]:
    own = (crc32(word.encode("utf-8", "surrogatepass")) for word in words)
    return np.fromiter(own, dtype=np.uint32, count=len(words))


@dataclass(frozen=True, eq=False)
class SharedRows:
    """A table of words as hashes. A word that is not in it is taken for one that is with probability words / 2³².

    Attributes:
        hashes: the CRC-32 of each word in UTF-8, ascending, shape [words].
        rows: the row of each word, counted from the first shared row, shape [words].
    """

    hashes: npt.NDArray[np.uint32]
    rows: npt.NDArray[np.uint16]

    @classmethod
    def of(cls, rows: Mapping[str, int]) -> SharedRows:
        """The table of one or more words with these rows. Of two words with the same hash, the first counts."""
        hashes, first = np.unique(_hashes(rows.keys()), return_index=True)
        return cls(hashes, np.fromiter(rows.values(), dtype=np.uint16, count=len(rows))[first])

    def extended(self, rows: Mapping[str, int]) -> SharedRows:
        """The table with more words, which replace those of the same hash."""
        more = SharedRows.of(rows)
        kept = ~np.isin(self.hashes, more.hashes)
        hashes = np.concatenate([self.hashes[kept], more.hashes])
        order = hashes.argsort()
        return SharedRows(hashes[order], np.concatenate([self.rows[kept], more.rows])[order])

    @classmethod
    def from_bytes(cls, content: bytes) -> SharedRows:
        """The inverse of `as_bytes`.

        Raises:
            ValueError: the content is invalid.
        """
        tables = weights.load(content, _TYPES)
        hashes, rows = (tables[name] for name in _TYPES)
        if (hashes.dtype, rows.dtype) != (*_TYPES.values(),):
            raise ValueError(f"the hashes of words are {hashes.dtype}, their shared rows {rows.dtype}")
        if hashes.ndim != 1 or hashes.shape != rows.shape or not len(hashes):
            raise ValueError(f"the hashes of words have the shape {hashes.shape}, their shared rows {rows.shape}")
        if not (hashes[1:] > hashes[:-1]).all():
            raise ValueError("the hashes of words with shared rows do not ascend")
        return cls(hashes, rows)

    def as_bytes(self) -> bytes:
        """The content of a safetensors file."""
        return safetensors.numpy.save({"hashes": self.hashes, "rows": self.rows})

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, SharedRows)
            and np.array_equal(self.hashes, other.hashes)
            and np.array_equal(self.rows, other.rows)
        )

    __hash__ = None  # type: ignore[assignment]

    @cached_property
    def count(self) -> int:
        """The number of rows that the words share."""
        return int(self.rows.max()) + 1

    def find(self, words: Collection[str]) -> Ids:
        """The row of each word, or -1, shape [words]."""
        hashes = _hashes(words)
        places = np.searchsorted(self.hashes, hashes).clip(max=len(self.hashes) - 1)
        return np.where(self.hashes[places] == hashes, self.rows[places].astype(np.int64), -1)
