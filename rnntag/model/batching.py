"""Padded batches of sentences, and their grouping by length."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from rnntag.model.arrays import Ids

SoftTargets = npt.NDArray[np.float32]

IGNORED = -100
"""The gold index of padding and of tokens without a known tag. The loss skips it."""


def length_buckets(lengths: Ids, max_steps: int, shuffle: np.random.Generator | None = None) -> list[list[int]]:
    """Group sequences of similar length; empty ones are left out.

    Args:
        lengths: shape [sequences].
        max_steps: steps per group, padding included; a longer sequence is a group by itself.
        shuffle: randomises the grouping and the order of the groups.

    Returns:
        For each group the indices of its sequences, in order of length.
    """
    # Jitter below one step mixes sequences of equal length without more padding.
    order = np.argsort(lengths + shuffle.random(len(lengths)) if shuffle else lengths, kind="stable")
    groups: list[list[int]] = []
    group: list[int] = []
    for position, length in zip(order.tolist(), lengths[order].tolist(), strict=True):
        if not length:
            continue
        if group and (len(group) + 1) * length > max_steps:  # `length` is the longest so far
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
        ids: rows of the word table, shape [words].
        chars: rows of the character table, padded on the right, shape [words, longest].
        lengths: number of characters, shape [words].
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
        index: position of each token's word in `words`, padded on the right with 0, shape [sentences, longest].
        lengths: number of tokens of each sentence, shape [sentences].
        gold: by tagset, the tag indices, else `IGNORED`, shape [sentences, longest].
        soft: by tagset, the tag probabilities if a model has annotated some of the sentences; 0 elsewhere, shape
            [sentences, longest, tags].
    """

    words: WordIds
    index: Ids
    lengths: Ids
    gold: Mapping[str, Ids] = field(default_factory=dict)
    soft: Mapping[str, SoftTargets] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Encoded:
    """Sentences as indices, not yet padded; see `Batch`.

    Attributes:
        sentences: position of each token's word in `words`, one array of shape [tokens] per sentence.
        gold, soft: for each tagset one array per sentence, of shape [tokens] and [tokens, tags].
    """

    words: WordIds
    sentences: tuple[Ids, ...]
    gold: Mapping[str, tuple[Ids | None, ...]] = field(default_factory=dict)
    soft: Mapping[str, tuple[SoftTargets | None, ...]] = field(default_factory=dict)

    def arrays(self) -> Iterator[npt.NDArray[Any]]:
        """All arrays, in a fixed order."""
        yield from (self.words.ids, self.words.chars, self.words.lengths, *self.sentences)
        for columns in (self.gold, self.soft):
            for column in columns.values():
                yield from (array for array in column if array is not None)

    def batch(self, positions: Sequence[int]) -> Batch:
        """The sentences at `positions`, none of them empty, as a padded batch."""
        selected = [self.sentences[position] for position in positions]
        lengths = np.array([len(sentence) for sentence in selected], dtype=np.int64)
        # rows [distinct words]; inverse [tokens of all sentences]: the position of each token's word in `rows`.
        rows, inverse = np.unique(np.concatenate(selected), return_inverse=True)
        # A mask [sentences, longest], true at tokens. Indexing with it runs along each sentence in turn, the order
        # of the concatenated tokens.
        inside = np.arange(int(lengths.max())) < lengths[:, None]
        index = np.zeros(inside.shape, dtype=np.int64)
        index[inside] = inverse
        gold = {}
        for tagset, tags in self.gold.items():
            padded = np.full(inside.shape, IGNORED, dtype=np.int64)
            for row, position in enumerate(positions):
                if (sentence_tags := tags[position]) is not None:
                    padded[row, : len(sentence_tags)] = sentence_tags
            gold[tagset] = padded
        soft: dict[str, SoftTargets] = {}
        for tagset, column in self.soft.items():
            for row, position in enumerate(positions):
                if (probs := column[position]) is not None:
                    if tagset not in soft:
                        soft[tagset] = np.zeros((*inside.shape, probs.shape[1]), dtype=np.float32)
                    soft[tagset][row, : len(probs)] = probs
        return Batch(self.words.take(rows), index, lengths, gold, soft)

    def batches(self, max_tokens: int) -> list[list[int]]:
        """The positions of the sentences of each batch; see `length_buckets`."""
        lengths = np.array([len(sentence) for sentence in self.sentences], dtype=np.int64)
        return length_buckets(lengths, max_tokens)
