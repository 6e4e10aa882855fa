"""Words and sentences found in running text."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from rnntag.characters import Ids
from rnntag.runtime import Scores, Sequences, in_batches
from rnntag.segmentation import Found
from rnntag.store import BOUNDARIES, CHARACTER_TABLE, CLASSES, PAIR_TABLE, SEGMENTER_GRAPH, StoredSegmenter, table_rows
from rnntag.windows import blocks, own_parts

BLOCK = 1 << 14
"""Characters whose vectors are held at once."""
BATCH = 1024
"""Characters of a batch, padding included: few enough for what it needs to stay in the processor's cache."""

INSIDE, WORD, SENTENCE = range(len(BOUNDARIES))

# What a cluster of several code points may have after its first. Most text has none of it, and needs no regex then.
_MARKS = re.compile("[^\\x00-\u02ff\u2010-\u2027\u2030-\u205e\u2e80-\u3029\u3030-\u3098\u309b-\ua66e\uff00-\uff9d]")

Flags = npt.NDArray[np.bool_]


class Segmenter:
    """A stored segmenter at work. May be used by several threads at once.

    Raises:
        DataError: its graph cannot be loaded.
    """

    def __init__(self, stored: StoredSegmenter, *, threads: int = 1) -> None:
        self._characters = stored.characters
        self._sequences = Sequences(stored.graph, SEGMENTER_GRAPH, threads)
        self._tables = [table_rows(stored.weights, CHARACTER_TABLE)]
        if stored.characters.bigrams:
            self._tables += [table_rows(stored.weights, PAIR_TABLE)] * 2

    def find(self, texts: Sequence[str]) -> list[Found]:
        """The words of each text, and its sentences.

        Every character that is no white space belongs to one word, and no word to two sentences. White
        space and the end of a text end a word, and nothing ends one inside a grapheme cluster.
        """
        rows = [self._characters.encode(text) for text in texts]
        classes: list[list[Ids]] = [[] for _ in texts]
        for block in blocks(rows, BLOCK):
            best = self._classes([window for _, (window, _) in block])
            for position, own in own_parts(block, best):
                classes[position].append(own)
        return [
            found_words(text, np.concatenate(parts)) if parts else Found((), ())
            for text, parts in zip(texts, classes, strict=True)
        ]

    def _classes(self, windows: list[Ids]) -> Ids:
        """The likeliest class of each character."""
        vectors = self._vectors(np.concatenate(windows))

        def score(places: Ids, lengths: Ids) -> Scores:
            return self._sequences.scores(vectors[places], lengths, CLASSES)

        best: Ids = in_batches(np.array(list(map(len, windows))), BATCH, score).argmax(-1)
        return best

    def _vectors(self, rows: Ids) -> Scores:
        parts = [table[column] for table, column in zip(self._tables, rows.T, strict=True)]
        anchors = self._sequences.anchors
        return np.concatenate([*parts, np.broadcast_to(anchors, (len(rows), len(anchors)))], axis=1, dtype=np.float32)


def found_words(text: str, classes: Ids) -> Found:
    """Words and sentences, from what ends with each character."""
    solid = ~_is_space(text)
    if not solid.any():
        return Found((), ())
    splits = classes > INSIDE
    sentence_splits = classes == SENTENCE
    if _MARKS.search(text):
        inside = _inside_clusters(text)
        splits &= ~inside
        sentence_splits &= ~inside
    next_solid = np.append(solid[1:], False)
    word_ends = np.flatnonzero(solid & (splits | ~next_solid))
    begins = solid & np.append(True, (splits | ~solid)[:-1])
    words = list(zip(np.flatnonzero(begins).tolist(), (word_ends + 1).tolist(), strict=True))
    sentence_ends = np.flatnonzero(sentence_splits[word_ends]) + 1
    ends = [*sentence_ends[sentence_ends < len(words)].tolist(), len(words)]
    return Found(words, ends)


def _is_space(text: str) -> Flags:
    return np.fromiter(map(str.isspace, text), dtype=np.bool_, count=len(text))


def _inside_clusters(text: str) -> Flags:
    """Whether the grapheme cluster of each character goes on after it (UAX #29)."""
    import regex

    inside = np.ones(len(text), dtype=np.bool_)
    inside[[found.end() - 1 for found in regex.finditer(r"\X", text)]] = False
    return inside
