"""Words and sentences found in running text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from rnntag.runtime import Scores, Sequences, in_batches
from rnntag.segmentation import Found
from rnntag.store import (
    BIGRAM_TABLE,
    BOUNDARIES,
    CLASSES,
    SEGMENTER_GRAPH,
    SHAPE_TABLE,
    UNIT_TABLE,
    StoredSegmenter,
    table_rows,
)
from rnntag.units import NO_GAP, Ids, Scan
from rnntag.windows import blocks, own_parts

BLOCK = 1 << 13
"""Units whose vectors are held at once."""
BATCH = 512
"""Units of a batch, padding included: few enough for what it needs to stay in the processor's cache."""

INSIDE, WORD, SENTENCE = range(len(BOUNDARIES))

# What a cluster of several code points may have after its first. Most text has none of it, and needs no regex then.
_MARKS = re.compile("[^\\x00-\u02ff\u2010-\u2027\u2030-\u205e\u2e80-\u3029\u3030-\u3098\u309b-\ua66e\uff00-\uff9d]")


class Segmenter:
    """A stored segmenter at work. May be used by several threads at once.

    Raises:
        DataError: its graph cannot be loaded.
    """

    def __init__(self, stored: StoredSegmenter, *, threads: int = 1) -> None:
        self._units = stored.units
        self._sequences = Sequences(stored.graph, SEGMENTER_GRAPH, threads)
        self._tables = [table_rows(stored.weights, table) for table in (UNIT_TABLE, SHAPE_TABLE)]
        if stored.units.bigrams:
            self._tables += [table_rows(stored.weights, BIGRAM_TABLE)] * 2

    def find(self, texts: Sequence[str]) -> list[Found]:
        """The words of each text, and its sentences.

        Every character that is no white space belongs to one word, and no word to two sentences. White
        space and the end of a text end a word, and nothing ends one inside a grapheme cluster.
        """
        scan, columns = self._units.encode(texts)
        classes = [np.empty(0, dtype=np.int64)]
        for block in blocks(columns, BLOCK):
            best = self._classes([window for _, (window, _) in block])
            classes += [own for _, own in own_parts(block, best)]
        return found_words(texts, scan, np.concatenate(classes))

    def _classes(self, windows: list[Ids]) -> Ids:
        """The likeliest class of each unit."""
        vectors = self._vectors(np.concatenate(windows))

        def score(places: Ids, lengths: Ids) -> Scores:
            return self._sequences.scores(vectors[places], lengths, CLASSES)

        best: Ids = in_batches(np.array(list(map(len, windows))), BATCH, score).argmax(-1)
        return best

    def _vectors(self, columns: Ids) -> Scores:
        parts = [table[column] for table, column in zip(self._tables, columns.T, strict=True)]
        anchors = self._sequences.anchors
        return np.concatenate(
            [*parts, np.broadcast_to(anchors, (len(columns), len(anchors)))], axis=1, dtype=np.float32
        )


def found_words(texts: Sequence[str], scan: Scan, classes: Ids) -> list[Found]:
    """Words and sentences of texts, from what ends with each of their units."""
    parted = np.append(scan.gaps[1:] != NO_GAP, True)[: len(classes)]
    splits = classes > INSIDE
    text = "\n".join(texts)
    if _MARKS.search(text):
        splits &= ~_inside_clusters(text)[scan.ends - 1]
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
    return [Found(words[a:b], relative[c:d]) for (a, b), (c, d) in spans]


def _inside_clusters(text: str) -> npt.NDArray[np.bool_]:
    """Whether the grapheme cluster of each character goes on after it (UAX #29)."""
    import regex

    inside = np.ones(len(text), dtype=np.bool_)
    inside[[found.end() - 1 for found in regex.finditer(r"\X", text)]] = False
    return inside
