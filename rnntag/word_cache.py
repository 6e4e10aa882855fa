"""The vectors of the words that a model has met."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np

from rnntag import python_input
from rnntag.model.arrays import Ids
from rnntag.model.batching import WordIds, length_buckets
from rnntag.model.vocabulary import Vocabulary, spelling_lengths
from rnntag.onnx.session import Scores

_Array = TypeVar("_Array", bound="np.ndarray[Any, Any]")

CACHED_WORDS = 32768
"""As many distinct words as 300,000 tokens of running text have. Half precision would halve the memory, but NumPy needs
a fifth of a small model's time to widen it again."""

LEAST_ROWS = 8192

ENCODED_AT_ONCE = 512
"""Characters per batch of new words, padding included."""


class Runtime(Protocol):
    """See `onnx.session.Runtime`."""

    masked_vector: Scores

    def vectors(self, words: WordIds) -> Scores: ...


class Words(NamedTuple):
    """What is known of words.

    Attributes:
        matrix: vectors, shape [rows, size].
        choices: of the word of each row, which tags it may have, shape [rows]; see `lexicon.Lexicon.choices_of`.
        rows: of each token, shape [tokens].
    """

    matrix: Scores
    choices: Ids
    rows: Ids


class WordCache:
    """The vectors of recent words, in one matrix that grows to `CACHED_WORDS` rows. Thread-safe.

    A word's vector does not depend on its sentence, so each word is encoded once. The empty word is a masked one, with
    a neutral vector (the erasure of Li et al. 2016).

    Args:
        choices_of: see `lexicon.Lexicon`; None without a lexicon.
    """

    def __init__(
        self, vocabulary: Vocabulary, runtime: Runtime, choices_of: Callable[[Sequence[str]], Ids] | None = None
    ) -> None:
        self._vocabulary = vocabulary
        self._runtime = runtime
        self._choices_of = choices_of
        self._lock = threading.Lock()
        self._matrix: Scores
        self._choices: Ids
        self._clear()

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._vocabulary, self._runtime, self._choices_of)

    def look_up(self, tokens: Sequence[str]) -> Words:
        """The vectors of tokens.

        Args:
            tokens: at most `CACHED_WORDS` distinct ones.

        Raises:
            TypeError: a token is not a string.
        """
        with self._lock:
            rows = self._rows_of(tokens)
            return Words(self._matrix, self._choices, np.array(rows, dtype=np.int64))

    def _rows_of(self, tokens: Sequence[str]) -> list[int | None]:
        try:
            rows = list(map(self._rows.get, tokens))
        except TypeError:  # a token that cannot be hashed, such as a list
            python_input.check_tokens(tokens)
            raise
        new = [position for position, row in enumerate(rows) if row is None]
        if not new:
            return rows
        python_input.check_tokens(tokens)
        keys = [self._vocabulary.shorten(tokens[position]) for position in new]
        words = [key for key in dict.fromkeys(keys) if key not in self._rows]
        if len(self._rows) + len(words) > 1 + CACHED_WORDS:
            self._clear()
            return self._rows_of(tokens)
        self._add(words)
        for position, key in zip(new, keys, strict=True):
            rows[position] = self._rows[key]
        return rows

    def _add(self, words: Sequence[str]) -> None:
        if (needed := len(self._rows) + len(words)) > len(self._matrix):
            # Other threads may still read the old matrix, so it is replaced.
            size = max(needed, 2 * len(self._matrix), LEAST_ROWS)
            self._matrix = _grown(self._matrix[: len(self._rows)], size)
            self._choices = _grown(self._choices[: len(self._rows)], size)
        for group in length_buckets(spelling_lengths(words), ENCODED_AT_ONCE):
            own = [words[position] for position in group]
            start, end = len(self._rows), len(self._rows) + len(own)
            self._matrix[start:end] = self._runtime.vectors(self._vocabulary.encode_words(own))
            self._choices[start:end] = self._choices_of(own) if self._choices_of else 0
            self._rows.update(zip(own, range(start, end), strict=True))

    def _clear(self) -> None:
        self._rows = {"": 0}
        self._matrix = self._runtime.masked_vector[None]
        self._choices = np.zeros(1, dtype=np.int64)


def _grown(array: _Array, size: int) -> _Array:
    """A copy with so many rows, of which those beyond the array's have any content."""
    copy = np.empty((size, *array.shape[1:]), array.dtype)
    copy[: len(array)] = array
    return copy  # type: ignore[return-value]
