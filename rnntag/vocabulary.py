"""The tables of words, characters and tags, and sentences as arrays of indices into them."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from rnntag.schema import Choices, DataError, Sentence
from rnntag.strict_json import conform

Ids = npt.NDArray[np.int64]
Probabilities = npt.NDArray[np.float32]

PAD = 0
UNKNOWN = 1
RESERVED = 2
"""Rows 0 and 1 of the word and character tables stand for padding and for what training never saw."""

IGNORED = -100
"""The gold index of a padded or unannotated position, which no loss counts."""

_TABLES = {"embedded": int, "tags": {str: [str]}, "characters": [str], "folds": [str], "words": [str], "extra": [str]}

LONGEST_WORD = 32
"""Of a longer word the encoder reads the first and the last 16 characters."""

LONG_WORD = 256
"""Characters of the longest word that need not be held against the vocabulary's longest."""


def spelling_lengths(words: Iterable[str]) -> Ids:
    """How many characters of each word the encoder reads; of an empty one a character of padding."""
    return np.array([min(max(len(word), 1), LONGEST_WORD) for word in words], dtype=np.int64)


def by_length(lengths: Ids, most: int, shuffle: np.random.Generator | None = None) -> list[list[int]]:
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
class Words:
    """Distinct words as indices.

    Attributes:
        ids: row of each word in the word table, shape [words].
        chars: rows of its characters, padded on the right, shape [words, longest].
        lengths: number of its characters, shape [words].
    """

    ids: Ids
    chars: Ids
    lengths: Ids

    def take(self, rows: Ids) -> Words:
        lengths = self.lengths[rows]
        longest = int(lengths.max(initial=1))
        return Words(self.ids[rows], self.chars[rows, :longest], lengths)


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

    words: Words
    index: Ids
    lengths: Ids
    gold: Mapping[str, Ids] = field(default_factory=dict)
    soft: Mapping[str, Probabilities] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Encoded:
    """Sentences as indices, before they are batched; see `Batch`."""

    words: Words
    sentences: tuple[Ids, ...]
    gold: Mapping[str, tuple[Ids | None, ...]] = field(default_factory=dict)
    soft: Mapping[str, tuple[Probabilities | None, ...]] = field(default_factory=dict)

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
            return by_length(lengths, tokens, shuffle)
        return [among[group].tolist() for group in by_length(lengths[among], tokens, shuffle)]


@dataclass(frozen=True)
class Vocabulary:
    """What a model knows by heart.

    Attributes:
        words: every normal form of the training data, the commonest first; of what only a model has
            tagged, those that have a row.
        embedded: how many of them have a row of their own in the word table.
        characters: in index order, from index `RESERVED`.
        tags: for each tagset its tags in index order.
        folds: characters, and at the same places those that they are read as.
        extra: words that have a row, after the others, for their pretrained vector alone.
    """

    words: tuple[str, ...]
    embedded: int
    characters: tuple[str, ...]
    tags: Mapping[str, tuple[str, ...]]
    folds: tuple[str, str] = ("", "")
    extra: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        embedded = (*self.words[: self.embedded], *self.extra)
        object.__setattr__(self, "_word_index", dict(zip(embedded, itertools.count(RESERVED))))
        object.__setattr__(self, "_char_index", dict(zip(self.characters, itertools.count(RESERVED))))
        object.__setattr__(self, "_fold", str.maketrans(*self.folds))

    def __getstate__(self) -> dict[str, Any]:
        return {one.name: getattr(self, one.name) for one in fields(self) if one.init}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]  # which makes the indices anew

    _fold: dict[int, int] = field(init=False, repr=False, compare=False)
    _word_index: dict[str, int] = field(init=False, repr=False, compare=False)
    _char_index: dict[str, int] = field(init=False, repr=False, compare=False)

    @classmethod
    def build(cls, sentences: Iterable[Sentence], min_count: int, folds: tuple[str, str] = ("", "")) -> Vocabulary:
        """The vocabulary of training sentences.

        Words that occur fewer than `min_count` times, and characters of fewer distinct words, have
        no row of their own: they train the row of the unknown.

        Raises:
            DataError: a tag is none that could be written; see `check_tags`.
        """
        forms: Counter[str] = Counter()
        gold: set[str] = set()
        tags: dict[str, set[str]] = {}
        for sentence in sentences:
            forms.update(sentence.tokens)
            if not sentence.choices:
                gold.update(sentence.tokens)
            for tagset, column in sentence.tags.items():
                tags.setdefault(tagset, set()).update(column)
        words: Counter[str] = Counter()
        seen: set[str] = set()
        characters: Counter[str] = Counter()
        fold = str.maketrans(*folds)
        for form, count in forms.items():
            spelling = form.translate(fold)
            words[spelling.lower()] += count
            characters.update(set(spelling))
            if form in gold:
                seen.add(spelling.lower())
        try:
            check_tags(tags)
        except ValueError as error:
            raise DataError(f"the training data cannot be learned from: {error}") from error
        ranked = sorted(words, key=lambda word: (-words[word], word))
        return cls(
            words=tuple(word for word in ranked if words[word] >= min_count or word in seen),
            embedded=sum(count >= min_count for count in words.values()),
            characters=tuple(sorted(c for c, count in characters.items() if count >= min_count)),
            tags={tagset: tuple(sorted(names)) for tagset, names in sorted(tags.items())},
            folds=folds,
        )

    @classmethod
    def from_tables(cls, tables: Mapping[str, Any]) -> Vocabulary:
        """What `tables` was made of.

        Raises:
            ValueError: it was made of something else.
        """
        conform(tables, _TABLES, "vocabulary")
        if not 0 <= tables["embedded"] <= len(tables["words"]):
            raise ValueError(f"of {len(tables['words'])} words {tables['embedded']} have a row")
        if set(map(len, tables["characters"])) - {1}:
            raise ValueError("a character is none, or several")
        if not all(tables["tags"].values()) or not tables["tags"]:
            raise ValueError("a tagset has no tags, or there is none")
        check_tags(tables["tags"])
        before, after = tables["folds"]
        return cls(
            words=tuple(tables["words"]),
            embedded=tables["embedded"],
            characters=tuple(tables["characters"]),
            tags={tagset: tuple(tags) for tagset, tags in tables["tags"].items()},
            folds=(before, after),
            extra=tuple(tables["extra"]),
        )

    def tables(self) -> dict[str, Any]:
        """Itself as JSON takes it."""
        return {
            "embedded": self.embedded,
            "tags": dict(self.tags),
            "characters": self.characters,
            "folds": self.folds,
            "words": self.words,
            "extra": self.extra,
        }

    @property
    def word_rows(self) -> int:
        return self.embedded + len(self.extra) + RESERVED

    @property
    def character_rows(self) -> int:
        return len(self.characters) + RESERVED

    def normal_form(self, word: str) -> str:
        """The key of a word in the word table."""
        return word.translate(self._fold).lower()

    @cached_property
    def _longest(self) -> int:
        """Of the words that have a row, or of those that are read whole."""
        return max(LONGEST_WORD, max(map(len, self._word_index), default=0))

    def stand_in(self, word: str) -> str:
        """The word, or one that is encoded as it is, but not as long: so long a word has no row."""
        if len(word) <= LONG_WORD or len(word) <= self._longest:
            return word
        half = LONGEST_WORD // 2
        return word[:half] + "\0" * (max(LONG_WORD, self._longest) - LONGEST_WORD + 1) + word[-half:]

    def encode_words(self, words: Sequence[str]) -> Words:
        """Words as indices, in the order given. An empty one reads as a character of padding."""
        lengths = spelling_lengths(words)
        chars = np.full((len(words), int(lengths.max(initial=1))), PAD, dtype=np.int64)
        half = LONGEST_WORD // 2
        lookup = self._char_index.get
        for row, word in enumerate(words):
            spelling = word if len(word) <= LONGEST_WORD else word[:half] + word[-half:]
            chars[row, : len(spelling)] = [lookup(char, UNKNOWN) for char in spelling.translate(self._fold)]
        ids = np.array([self._word_index.get(self.normal_form(word), UNKNOWN) for word in words], dtype=np.int64)
        return Words(ids, chars, lengths)

    def encode(self, sentences: Iterable[Sentence]) -> Encoded:
        """Sentences as indices; each distinct word once.

        A tag that the vocabulary does not have becomes `IGNORED`. Where there are choices, they
        stand for the tag.
        """
        rows: dict[str, int] = {}
        encoded = []
        gold: dict[str, list[Ids | None]] = {tagset: [] for tagset in self.tags}
        soft: dict[str, list[Probabilities | None]] = {tagset: [] for tagset in self.tags}
        tag_index = {tagset: {tag: i for i, tag in enumerate(tags)} for tagset, tags in self.tags.items()}
        for sentence in sentences:
            encoded.append(np.array([rows.setdefault(t, len(rows)) for t in sentence.tokens], dtype=np.int64))
            for tagset, index in tag_index.items():
                choices = sentence.choices.get(tagset)
                soft[tagset].append(None if choices is None else _distributions(choices, index))
                tags = sentence.tags.get(tagset) if choices is None else None
                gold[tagset].append(
                    None if tags is None else np.array([index.get(tag, IGNORED) for tag in tags], dtype=np.int64)
                )
        return Encoded(
            self.encode_words(tuple(rows)),
            tuple(encoded),
            {tagset: tuple(column) for tagset, column in gold.items()},
            {tagset: tuple(column) for tagset, column in soft.items()},
        )


def check_tags(tagsets: Mapping[str, Iterable[str]]) -> None:
    """Make sure that the tags of tagsets can be written: that they differ, and that none is empty or holds
    white space, which ends a token, or what a terminal may obey.

    Raises:
        ValueError: one of them cannot.
    """
    for tagset, tags in tagsets.items():
        seen: set[str] = set()
        for tag in tags:
            if not tag or tag in seen or not tag.isprintable() or " " in tag:
                raise ValueError(f"{tag!r:.40} is no tag of {tagset!r:.40}, or is there twice")
            seen.add(tag)


def _distributions(choices: Sequence[Choices], index: Mapping[str, int]) -> Probabilities:
    """Probabilities of all tags, shape [tokens, tags]; those of a token whose tags are all unknown
    are 0."""
    found: Probabilities = np.zeros((len(choices), len(index)), dtype=np.float32)
    for row, choice in enumerate(choices):
        for tag, probability in choice:
            if tag in index:
                found[row, index[tag]] = probability
    found /= np.maximum(found.sum(-1, keepdims=True), 1e-9)
    return found
