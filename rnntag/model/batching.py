"""Sentences as padded arrays of indices, and groups of sentences of alike length."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from rnntag.model.arrays import Ids

SoftTargets = npt.NDArray[np.float32]


IGNORED = -100
"""The gold index of a padded or unannotated position, which no loss counts."""


def length_buckets(lengths: Ids, most: int, shuffle: np.random.Generator | None = None) -> list[list[int]]:
    """Positions of sequences in groups of alike length, each of at most `most` steps, padding
    included, or of one sequence.

    Empty sequences are in no group. With `shuffle` the grouping and the order are random.
    """
    # Jitter below one step mixes sequences of equal length and never adds padding.
    order = np.argsort(lengths + shuffle.random(len(lengths)) if shuffle else lengths, kind="stable")
    groups: list[list[int]] = []
    group: list[int] = []
    for position, length in zip(order.tolist(), lengths[order].tolist(), strict=True):
        if not length:
            continue
        if group and (len(group) + 1) * length > most:
            groups.append(group)
            group = []
        group.append(position)
    if group:
        groups.append(group)
    if shuffle:
        shuffle.shuffle(groups)
    return groups


@dataclass(frozen=True, slots=True)
class WordIds:
    """Distinct words as indices.

    Attributes:
        ids: row of each word in the word table, shape [words].
        chars: rows of its characters, padded on the right, shape [words, longest].
        lengths: number of its characters, shape [words].
    """

    ids: Ids
    chars: Ids
    lengths: Ids

    def take(self, rows: Ids) -> WordIds:
        lengths = self.lengths[rows]
        longest = int(lengths.max(initial=1))
        return WordIds(self.ids[rows], self.chars[rows, :longest], lengths)


@dataclass(frozen=True, slots=True)
class Batch:
    """Sentences as one array.

    Attributes:
        words: the distinct words of the batch.
        index: for each token the row of its word in `words`, padded on the right with 0,
            shape [sentences, longest].
        lengths: number of tokens of each sentence, shape [sentences].
        gold: for each tagset the tag indices, `IGNORED` where there is none,
            shape [sentences, longest].
        soft: for the tagsets that a model has annotated sentences with, the probability of each
            tag, 0 where there is none, shape [sentences, longest, tags].
    """

    words: WordIds
    index: Ids
    lengths: Ids
    gold: Mapping[str, Ids] = field(default_factory=dict)
    soft: Mapping[str, SoftTargets] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Encoded:
    """Sentences as indices, before they are batched; see `Batch`."""

    words: WordIds
    sentences: tuple[Ids, ...]
    gold: Mapping[str, tuple[Ids | None, ...]] = field(default_factory=dict)
    soft: Mapping[str, tuple[SoftTargets | None, ...]] = field(default_factory=dict)

    def arrays(self) -> Iterator[npt.NDArray[Any]]:
        """All of its arrays, in order."""
        yield from (self.words.ids, self.words.chars, self.words.lengths, *self.sentences)
        for columns in (self.gold, self.soft):
            for column in columns.values():
                yield from (array for array in column if array is not None)

    def batch(self, positions: Sequence[int]) -> Batch:
        """The sentences at `positions` (none of them empty) as one padded array."""
        chosen = [self.sentences[position] for position in positions]
        lengths = np.array([len(sentence) for sentence in chosen], dtype=np.int64)
        rows, inverse = np.unique(np.concatenate(chosen), return_inverse=True)
        inside = np.arange(int(lengths.max())) < lengths[:, None]
        index = np.zeros(inside.shape, dtype=np.int64)
        index[inside] = inverse
        gold = {}
        for tagset, tags in self.gold.items():
            padded = np.full(inside.shape, IGNORED, dtype=np.int64)
            for row, position in enumerate(positions):
                sentence = tags[position]
                if sentence is not None:
                    padded[row, : len(sentence)] = sentence
            gold[tagset] = padded
        soft = {}
        for tagset, column in self.soft.items():
            found = [(row, column[position]) for row, position in enumerate(positions)]
            given = [(row, distribution) for row, distribution in found if distribution is not None]
            if given:
                soft[tagset] = np.zeros((*inside.shape, given[0][1].shape[1]), dtype=np.float32)
            for row, distribution in given:
                soft[tagset][row, : len(distribution)] = distribution
        return Batch(self.words.take(rows), index, lengths, gold, soft)

    def batches(
        self, tokens: int, shuffle: np.random.Generator | None = None, among: Ids | None = None
    ) -> list[list[int]]:
        """Positions of the sentences in groups of alike length, each of about `tokens` tokens.

        Args:
            tokens, shuffle: see `by_length`.
            among: positions of the sentences that are wanted, as often as they are; None for all.
        """
        lengths = np.array([len(sentence) for sentence in self.sentences], dtype=np.int64)
        if among is None:
            return length_buckets(lengths, tokens, shuffle)
        return [among[group].tolist() for group in length_buckets(lengths[among], tokens, shuffle)]
