"""The tables of words, characters and tags, and sentences as arrays of indices into them."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any

import numpy as np

from rnntag.errors import DataError
from rnntag.model.arrays import Ids
from rnntag.model.batching import IGNORED, Encoded, SoftTargets, WordIds
from rnntag.sentences import Sentence, TagProbs
from rnntag.storage.validation import validate

PAD = 0
UNKNOWN = 1
RESERVED = 2
"""Rows 0 and 1 of the word and character tables stand for padding and for what training never saw."""

_TABLES = {
    "n_embedded": int,
    "tags": {str: [str]},
    "characters": [str],
    "char_map": [str],
    "words": [str],
    "extra": [str],
}

LONGEST_WORD = 32
"""Of a longer word the encoder reads the first and the last 16 characters."""

LONG_WORD = 256
"""Characters of the longest word that need not be held against the vocabulary's longest."""


def spelling_lengths(words: Iterable[str]) -> Ids:
    """How many characters of each word the encoder reads; of an empty one a character of padding."""
    return np.array([min(max(len(word), 1), LONGEST_WORD) for word in words], dtype=np.int64)


@dataclass(frozen=True)
class Vocabulary:
    """What a model knows by heart.

    Attributes:
        words: every normal form of the training data, the commonest first; of what only a model has
            tagged, those that have a row.
        n_embedded: how many of them have a row of their own in the word table.
        characters: in index order, from index `RESERVED`.
        tags: for each tagset its tags in index order.
        char_map: characters, and at the same places those that they are read as.
        extra: words that have a row, after the others, for their pretrained vector alone.
    """

    words: tuple[str, ...]
    n_embedded: int
    characters: tuple[str, ...]
    tags: Mapping[str, tuple[str, ...]]
    char_map: tuple[str, str] = ("", "")
    extra: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        n_embedded = (*self.words[: self.n_embedded], *self.extra)
        object.__setattr__(self, "_word_index", dict(zip(n_embedded, itertools.count(RESERVED))))
        object.__setattr__(self, "_char_index", dict(zip(self.characters, itertools.count(RESERVED))))
        object.__setattr__(self, "_char_map", str.maketrans(*self.char_map))

    def __getstate__(self) -> dict[str, Any]:
        return {one.name: getattr(self, one.name) for one in fields(self) if one.init}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]  # which makes the indices anew

    _char_map: dict[int, int] = field(init=False, repr=False, compare=False)
    _word_index: dict[str, int] = field(init=False, repr=False, compare=False)
    _char_index: dict[str, int] = field(init=False, repr=False, compare=False)

    @classmethod
    def build(cls, sentences: Iterable[Sentence], min_count: int, char_map: tuple[str, str] = ("", "")) -> Vocabulary:
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
            if not sentence.tag_probs:
                gold.update(sentence.tokens)
            for tagset, column in sentence.tags.items():
                tags.setdefault(tagset, set()).update(column)
        words: Counter[str] = Counter()
        seen: set[str] = set()
        characters: Counter[str] = Counter()
        fold = str.maketrans(*char_map)
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
            n_embedded=sum(count >= min_count for count in words.values()),
            characters=tuple(sorted(c for c, count in characters.items() if count >= min_count)),
            tags={tagset: tuple(sorted(names)) for tagset, names in sorted(tags.items())},
            char_map=char_map,
        )

    @classmethod
    def from_tables(cls, tables: Mapping[str, Any]) -> Vocabulary:
        """What `tables` was made of.

        Raises:
            ValueError: it was made of something else.
        """
        validate(tables, _TABLES, "vocabulary")
        if not 0 <= tables["n_embedded"] <= len(tables["words"]):
            raise ValueError(f"of {len(tables['words'])} words {tables['n_embedded']} have a row")
        if set(map(len, tables["characters"])) - {1}:
            raise ValueError("a character is none, or several")
        if not all(tables["tags"].values()) or not tables["tags"]:
            raise ValueError("a tagset has no tags, or there is none")
        check_tags(tables["tags"])
        before, after = tables["char_map"]
        return cls(
            words=tuple(tables["words"]),
            n_embedded=tables["n_embedded"],
            characters=tuple(tables["characters"]),
            tags={tagset: tuple(tags) for tagset, tags in tables["tags"].items()},
            char_map=(before, after),
            extra=tuple(tables["extra"]),
        )

    def tables(self) -> dict[str, Any]:
        """Itself as JSON takes it."""
        return {
            "n_embedded": self.n_embedded,
            "tags": dict(self.tags),
            "characters": self.characters,
            "char_map": self.char_map,
            "words": self.words,
            "extra": self.extra,
        }

    @property
    def word_rows(self) -> int:
        return self.n_embedded + len(self.extra) + RESERVED

    @property
    def character_rows(self) -> int:
        return len(self.characters) + RESERVED

    def normal_form(self, word: str) -> str:
        """The key of a word in the word table."""
        return word.translate(self._char_map).lower()

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

    def encode_words(self, words: Sequence[str]) -> WordIds:
        """Words as indices, in the order given. An empty one reads as a character of padding."""
        lengths = spelling_lengths(words)
        chars = np.full((len(words), int(lengths.max(initial=1))), PAD, dtype=np.int64)
        half = LONGEST_WORD // 2
        lookup = self._char_index.get
        for row, word in enumerate(words):
            spelling = word if len(word) <= LONGEST_WORD else word[:half] + word[-half:]
            chars[row, : len(spelling)] = [lookup(char, UNKNOWN) for char in spelling.translate(self._char_map)]
        ids = np.array([self._word_index.get(self.normal_form(word), UNKNOWN) for word in words], dtype=np.int64)
        return WordIds(ids, chars, lengths)

    def encode(self, sentences: Iterable[Sentence]) -> Encoded:
        """Sentences as indices; each distinct word once.

        A tag that the vocabulary does not have becomes `IGNORED`. Where there are tag_probs, they
        stand for the tag.
        """
        rows: dict[str, int] = {}
        encoded = []
        gold: dict[str, list[Ids | None]] = {tagset: [] for tagset in self.tags}
        soft: dict[str, list[SoftTargets | None]] = {tagset: [] for tagset in self.tags}
        tag_index = {tagset: {tag: i for i, tag in enumerate(tags)} for tagset, tags in self.tags.items()}
        for sentence in sentences:
            encoded.append(np.array([rows.setdefault(t, len(rows)) for t in sentence.tokens], dtype=np.int64))
            for tagset, index in tag_index.items():
                tag_probs = sentence.tag_probs.get(tagset)
                soft[tagset].append(None if tag_probs is None else _distributions(tag_probs, index))
                tags = sentence.tags.get(tagset) if tag_probs is None else None
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


def _distributions(tag_probs: Sequence[TagProbs], index: Mapping[str, int]) -> SoftTargets:
    """Probabilities of all tags, shape [tokens, tags]; those of a token whose tags are all unknown
    are 0."""
    found: SoftTargets = np.zeros((len(tag_probs), len(index)), dtype=np.float32)
    for row, choice in enumerate(tag_probs):
        for tag, probability in choice:
            if tag in index:
                found[row, index[tag]] = probability
    found /= np.maximum(found.sum(-1, keepdims=True), 1e-9)
    return found
