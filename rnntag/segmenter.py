"""Words and sentences found in raw text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from rnntag.model.arrays import Ids
from rnntag.model.pretokens import NO_GAP, Scan
from rnntag.model.stored import StoredSegmenter
from rnntag.model.weights import BIGRAM_TABLE, BOUNDARIES, SHAPE_TABLE, UNIT_TABLE, table_rows
from rnntag.onnx import graph
from rnntag.onnx.session import OnnxModel, Scores, in_batches
from rnntag.sentences import Segmentation
from rnntag.windows import blocks, core_parts

BLOCK = 1 << 13
"""Units whose vectors are held at once."""
BATCH = 512
"""Units of a batch, padding included: few enough for what it needs to stay in the processor's cache."""

Flags = npt.NDArray[np.bool_]

OVERLAP = 16
"""As `windows.OVERLAP`, in units: what ends with one hangs on what stands close by."""

INSIDE, WORD, SENTENCE = range(len(BOUNDARIES))

# What a cluster of several code points may have after its first. Most text has none of it, and needs no regex then.
_MARKS = re.compile("[^\\x00-\u02ff\u2010-\u2027\u2030-\u205e\u2e80-\u3029\u3030-\u3098\u309b-\ua66e\uff00-\uff9d]")

# In a run of the letters that make flags each pair is a cluster; `regex` counts from the run's first for every one.
_LETTER = "[\U0001f1e6-\U0001f1ff]"
_FLAGS = re.compile(f"(?:{_LETTER}{{2}}){{32}}(?={_LETTER})")


class Segmenter:
    """A stored segmenter at work. May be used by several threads at once.

    Args:
        int8: compute in 8 bits rather than 32.

    Raises:
        DataError: ONNX Runtime cannot load its graph.
    """

    def __init__(self, stored: StoredSegmenter, *, threads: int = 1, int8: bool = True) -> None:
        self._stored = stored
        self._threads = threads
        self._int8 = int8
        self._units = stored.units
        self._sequences = OnnxModel(graph.segmenter(stored, int8=int8), threads)
        self._tables = [table_rows(stored.weights, table) for table in (UNIT_TABLE, SHAPE_TABLE)]
        if stored.units.bigrams:
            self._tables += [table_rows(stored.weights, BIGRAM_TABLE)] * 2

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(type(self), threads=self._threads, int8=self._int8), (self._stored,)

    def find(self, texts: Sequence[str]) -> list[Segmentation]:
        """The words of each text, and its sentences.

        Every character that is no white space belongs to one word, and no word to two sentences. White
        space and the end of a text end a word, and nothing ends one inside a grapheme cluster.
        """
        scan, columns = self._units.encode(texts)
        classes = [np.empty(0, dtype=np.int64)]
        for block in blocks(columns, BLOCK, OVERLAP):
            best = self._classes([window for _, (window, _) in block])
            classes += [own for _, own in core_parts(block, best)]
        return found_words(texts, scan, np.concatenate(classes))

    def _classes(self, windows: list[Ids]) -> Ids:
        """The likeliest class of each unit."""
        vectors = self._vectors(np.concatenate(windows))

        def score(places: Ids, lengths: Ids) -> Scores:
            return self._sequences.scores(vectors[places], lengths, graph.CLASSES)

        best: Ids = in_batches(np.array(list(map(len, windows))), BATCH, score).argmax(-1)
        return best

    def _vectors(self, columns: Ids) -> Scores:
        parts = [table[column] for table, column in zip(self._tables, columns.T, strict=True)]
        range_units = self._sequences.range_units
        return np.concatenate(
            [*parts, np.broadcast_to(range_units, (len(columns), len(range_units)))], axis=1, dtype=np.float32
        )


def found_words(texts: Sequence[str], scan: Scan, classes: Ids) -> list[Segmentation]:
    """Words and sentences of texts, from what ends with each of their units."""
    parted = np.append(scan.gaps[1:] != NO_GAP, True)[: len(classes)]
    splits = classes > INSIDE
    splits[_in_clusters("\n".join(texts), scan, parted)] = False
    last = np.flatnonzero(splits | parted)  # unit of each word
    first = np.append(0, last[:-1] + 1)[: len(last)]
    ends_sentence = (classes[last] == SENTENCE) & splits[last]
    starts = np.cumsum([0, *(len(one) + 1 for one in texts)])
    bounds = np.searchsorted(first, [*scan.firsts, len(classes)])  # of each text, how many words stand before it
    shift = np.repeat(starts[:-1], np.diff(bounds))
    words = list(zip((scan.starts[first] - shift).tolist(), (scan.ends[last] - shift).tolist(), strict=True))
    ends_sentence[bounds[1:][np.diff(bounds) > 0] - 1] = True
    ends = np.flatnonzero(ends_sentence) + 1
    places = np.searchsorted(ends, bounds, side="right").tolist()
    relative = (ends - np.repeat(bounds[:-1], np.diff(places))).tolist()
    spans = zip(pairwise(bounds.tolist()), pairwise(places), strict=True)
    return [Segmentation(words[a:b], relative[c:d]) for (a, b), (c, d) in spans]


def _in_clusters(text: str, scan: Scan, parted: Flags) -> list[int]:
    """The units after which a grapheme cluster goes on (UAX #29), of those that no white space follows."""
    marks = [found.start() for found in _MARKS.finditer(text)]
    if not marks:
        return []
    import regex

    bounds = np.append(0, np.flatnonzero(parted) + 1)  # of the units between white space
    chunks = np.unique(np.searchsorted(scan.ends[bounds[1:] - 1], marks, side="right"))
    inside: list[int] = []
    for chunk in chunks[chunks < len(bounds) - 1].tolist():
        first, end = bounds[chunk : chunk + 2].tolist()
        start = int(scan.starts[first])
        stop = int(scan.ends[end - 1])
        bounds_of_parts = [start, *(flags.end() for flags in _FLAGS.finditer(text, start, stop)), stop]
        ends = {a + found.end() for a, b in pairwise(bounds_of_parts) for found in regex.finditer(r"\X", text[a:b])}
        inside += [unit for unit, place in enumerate(scan.ends[first:end].tolist(), first) if place not in ends]
    return inside
