"""The tables of words, characters and tags, and the encoding of sentences as indices into them."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any

import numpy as np

from rnntag.errors import DataError
from rnntag.model import spelling
from rnntag.model.arrays import Ids
from rnntag.model.batching import IGNORED, Encoded, SoftTargets, WordIds
from rnntag.model.shared_rows import SharedRows
from rnntag.sentences import Sentence, TagProbs
from rnntag.storage.validation import validate

PAD = 0
UNKNOWN = 1
RESERVED = 2
"""The word and character tables begin with a row for padding and one for unknown words or characters."""

_FORM = {
    "n_embedded": int,
    "tags": {str: [str]},
    "characters": [str],
    "char_map": [str],
    "words": [str],
    "extra": [str],
}

LONGEST_WORD = 32
"""The encoder reads the first and the last 16 characters of a longer word."""

LONG_WORD = 256
"""Words of at most so many characters are never shortened; see `Vocabulary.shorten`."""


def spelling_lengths(words: Iterable[str]) -> Ids:
    """The number of characters of each word that the encoder reads, shape [words]; 1 (padding) for an empty word."""
    return np.array([min(max(len(word), 1), LONGEST_WORD) for word in words], dtype=np.int64)


@dataclass(frozen=True)
class Vocabulary:
    """The words, characters and tags of a model.

    Attributes:
        words: all normal forms of the training data, the most frequent first. Words that occur only in sentences
            that a model has annotated are included only if they have a row.
        n_embedded: how many of them, from the first, have their own row in the word table.
        characters: in index order, from index `RESERVED`.
        tags: by tagset, its tags in index order; none for a language model.
        char_map: characters to replace, and their replacements in the same order.
        extra: words with a row, after the others, only because of their pretrained vector.
        shared: more words, which share the rows after those.
    """

    words: tuple[str, ...]
    n_embedded: int
    characters: tuple[str, ...]
    tags: Mapping[str, tuple[str, ...]]
    char_map: tuple[str, str] = ("", "")
    extra: tuple[str, ...] = ()
    shared: SharedRows | None = None

    def __post_init__(self) -> None:
        embedded = (*self.words[: self.n_embedded], *self.extra)
        object.__setattr__(self, "_word_index", dict(zip(embedded, itertools.count(RESERVED))))
        object.__setattr__(self, "_char_index", dict(zip(self.characters, itertools.count(RESERVED))))
        object.__setattr__(self, "_char_map", _reading(self.char_map))

    def __getstate__(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self) if field.init}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]  # rebuilds the indices

    _char_map: dict[int, Any] = field(init=False, repr=False, compare=False)
    _word_index: dict[str, int] = field(init=False, repr=False, compare=False)
    _char_index: dict[str, int] = field(init=False, repr=False, compare=False)

    @classmethod
    def build(cls, sentences: Iterable[Sentence], min_count: int, char_map: tuple[str, str] = ("", "")) -> Vocabulary:
        """The vocabulary of training sentences.

        Words that occur fewer than `min_count` times, and characters that occur in fewer distinct words, have no
        row of their own: they train the unknown row.

        Raises:
            DataError: a tag cannot be written; see `check_tags`.
        """
        forms: Counter[str] = Counter()
        gold: set[str] = set()
        tags: dict[str, set[str]] = {}
        for sentence in sentences:
            forms.update(sentence.tokens)
            if not sentence.tag_probs:
                gold.update(sentence.tokens)
            for tagset, column in sentence.tags.items():
                tags.setdefault(tagset, set()).update(filter(None, column))  # without UNTAGGED
        words: Counter[str] = Counter()
        gold_words: set[str] = set()
        characters: Counter[str] = Counter()
        translation = _reading(char_map)
        for form, count in forms.items():
            read = form.translate(translation) or form
            words[read.lower()] += count
            characters.update(set(read))
            if form in gold:
                gold_words.add(read.lower())
        try:
            check_tags(tags)
        except ValueError as error:
            raise DataError(f"the training data has an invalid tag: {error}") from error
        ranked = sorted(words, key=lambda word: (-words[word], word))
        return cls(
            words=tuple(word for word in ranked if words[word] >= min_count or word in gold_words),
            n_embedded=sum(count >= min_count for count in words.values()),
            characters=tuple(sorted(c for c, count in characters.items() if count >= min_count)),
            tags={tagset: tuple(sorted(names)) for tagset, names in sorted(tags.items())},
            char_map=char_map,
        )

    def extended(self, other: Vocabulary) -> Vocabulary:
        """This vocabulary with the words, characters and tags of another one that has the same `char_map`. Tags keep
        their indices."""
        embedded = dict.fromkeys((*self.words[: self.n_embedded], *other.words[: other.n_embedded]))
        others = dict.fromkeys((*self.words[self.n_embedded :], *other.words[other.n_embedded :]))
        tagsets = dict.fromkeys((*self.tags, *other.tags))
        return Vocabulary(
            words=(*embedded, *(word for word in others if word not in embedded)),
            n_embedded=len(embedded),
            characters=(*dict.fromkeys((*self.characters, *other.characters)),),
            tags={name: (*dict.fromkeys((*self.tags.get(name, ()), *other.tags.get(name, ()))),) for name in tagsets},
            char_map=self.char_map,
            extra=tuple(word for word in self.extra if word not in embedded),
            shared=self.shared,
        )

    def word_rows_in(self, old: Vocabulary) -> Ids:
        """For each row of the word table, the row of the same word in the table of the vocabulary that this one
        extends, or else the row of unknown words there. Shape [rows]."""
        rows = old._rows([*self._word_index])
        shared = np.arange(old.word_rows - old.shared_rows, old.word_rows)
        return np.concatenate([[PAD, UNKNOWN], rows, shared])

    def character_rows_in(self, other: Vocabulary) -> Ids:
        """As `word_rows_in`, for characters."""
        rows = (other._char_index.get(character, UNKNOWN) for character in self._char_index)
        return np.array([PAD, UNKNOWN, *rows], dtype=np.int64)

    @classmethod
    def from_tables(cls, tables: Mapping[str, Any], shared: SharedRows | None = None) -> Vocabulary:
        """The inverse of `tables`.

        Args:
            shared: see the attribute, which is no part of the tables.

        Raises:
            ValueError: the tables are invalid.
        """
        validate(tables, _FORM, "vocabulary")
        if not 0 <= tables["n_embedded"] <= len(tables["words"]):
            raise ValueError(f"n_embedded is {tables['n_embedded']}, with {len(tables['words'])} words")
        if set(map(len, tables["characters"])) - {1}:
            raise ValueError("an entry of characters is not a single character")
        if not all(tables["tags"].values()):
            raise ValueError("a tagset has no tags")
        check_tags(tables["tags"])
        before, after = tables["char_map"]
        return cls(
            words=tuple(tables["words"]),
            n_embedded=tables["n_embedded"],
            characters=tuple(tables["characters"]),
            tags={tagset: tuple(tags) for tagset, tags in tables["tags"].items()},
            char_map=(before, after),
            extra=tuple(tables["extra"]),
            shared=shared,
        )

    def tables(self) -> dict[str, Any]:
        """The vocabulary as a JSON object, without `shared`."""
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
        return self.n_embedded + len(self.extra) + RESERVED + self.shared_rows

    @property
    def shared_rows(self) -> int:
        return self.shared.count if self.shared else 0

    @property
    def character_rows(self) -> int:
        return len(self.characters) + RESERVED

    def normal_form(self, word: str) -> str:
        """The key of a word in the word table: see `model.spelling`; mapped characters; lower case."""
        return self._read(word).lower()

    def _read(self, word: str) -> str:
        return word.translate(self._char_map) or word

    @cached_property
    def _longest(self) -> int:
        """Length in characters of the longest word with a row, at least `LONGEST_WORD`."""
        return max(LONGEST_WORD, max(map(len, self._word_index), default=0))

    def shorten(self, word: str) -> str:
        """The word itself, or in place of a very long one a shorter string of the same encoding.

        Such a word has no row, and the encoder reads only its ends.
        """
        if len(word) <= LONG_WORD or len(word) <= self._longest:
            return word
        word = word.translate(spelling.READ_AS) or word
        if len(word) <= LONG_WORD or len(word) <= self._longest:
            return word
        half = LONGEST_WORD // 2
        return word[:half] + "\0" * (max(LONG_WORD, self._longest) - LONGEST_WORD + 1) + word[-half:]

    def encode_words(self, words: Sequence[str]) -> WordIds:
        """Words as indices, in the same order. An empty word is encoded as one character of padding."""
        spellings = [self._read(word) for word in words]
        lengths = spelling_lengths(spellings)
        chars = np.full((len(words), int(lengths.max(initial=1))), PAD, dtype=np.int64)
        half = LONGEST_WORD // 2
        lookup = self._char_index.get
        for row, word in enumerate(spellings):
            read = word if len(word) <= LONGEST_WORD else word[:half] + word[-half:]
            chars[row, : len(read)] = [lookup(char, UNKNOWN) for char in read]
        return WordIds(self._rows([word.lower() for word in spellings]), chars, lengths)

    def rows(self, words: Sequence[str]) -> Ids:
        """The row of each word in the word table, shape [words]."""
        return self._rows([self.normal_form(word) for word in words])

    def _rows(self, words: Sequence[str]) -> Ids:
        """The row of each word in normal form, shape [words]."""
        rows = np.array([self._word_index.get(word, UNKNOWN) for word in words], dtype=np.int64)
        if self.shared:
            unknown = np.flatnonzero(rows == UNKNOWN).tolist()
            unknown = [place for place in unknown if len(words[place]) <= LONG_WORD]  # see `shorten`
            found = self.shared.find([words[place] for place in unknown])
            rows[unknown] = np.where(found < 0, UNKNOWN, self.word_rows - self.shared.count + found)
        return rows

    def encode(self, sentences: Iterable[Sentence]) -> Encoded:
        """Sentences as indices, each distinct word once.

        Unknown tags become `IGNORED`. Where a sentence has `tag_probs`, these replace its tags.
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


def _reading(char_map: tuple[str, str]) -> dict[int, Any]:
    """What the network reads in place of characters, for `str.translate`."""
    return spelling.READ_AS | str.maketrans(*char_map)


def check_tags(tagsets: Mapping[str, Iterable[str]]) -> None:
    """Make sure that the tags of each tagset are distinct, printable, not empty and without white space.

    Raises:
        ValueError: a tag is not.
    """
    for tagset, tags in tagsets.items():
        valid: set[str] = set()
        for tag in tags:
            if not tag or tag in valid or not tag.isprintable() or " " in tag:
                raise ValueError(f"{tag!r:.40} is not a valid tag of {tagset!r:.40}, or occurs twice")
            valid.add(tag)


def _distributions(tag_probs: Sequence[TagProbs], index: Mapping[str, int]) -> SoftTargets:
    """Probabilities of all tags, shape [tokens, tags]; all 0 for a token without known tags."""
    distributions: SoftTargets = np.zeros((len(tag_probs), len(index)), dtype=np.float32)
    for row, probs in enumerate(tag_probs):
        for tag, probability in probs:
            if tag in index:
                distributions[row, index[tag]] = probability
    distributions /= np.maximum(distributions.sum(-1, keepdims=True), 1e-9)
    return distributions
