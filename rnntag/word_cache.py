"""The vectors of the words that a model has met."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from rnntag import python_input
from rnntag.model.arrays import Ids
from rnntag.model.batching import WordIds, length_buckets
from rnntag.model.vocabulary import Vocabulary, spelling_lengths
from rnntag.onnx.session import Scores

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


class WordCache:
    """The vectors of recent words, in one matrix that grows to `CACHED_WORDS` rows. Thread-safe.

    A word's vector does not depend on its sentence, so each word is encoded once. The empty word is a masked one, with
    a neutral vector (the erasure of Li et al. 2016).
    """

    def __init__(self, vocabulary: Vocabulary, runtime: Runtime) -> None:
        self._vocabulary = vocabulary
        self._runtime = runtime
        self._lock = threading.Lock()
        self._matrix: Scores
        self._clear()

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._vocabulary, self._runtime)

    def look_up(self, tokens: Sequence[str]) -> tuple[Scores, Ids]:
        """A matrix of vectors [rows, size], and the row of each token [tokens].

        Args:
            tokens: at most `CACHED_WORDS` distinct ones.

        Raises:
            TypeError: a token is not a string.
        """
        with self._lock:
            rows = self._rows_of(tokens)
            return self._matrix, np.array(rows, dtype=np.int64)

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
            matrix = np.empty(
                (max(needed, 2 * len(self._matrix), LEAST_ROWS), self._matrix.shape[1]), self._matrix.dtype
            )
            matrix[: len(self._rows)] = self._matrix[: len(self._rows)]
            self._matrix = matrix
        for group in length_buckets(spelling_lengths(words), ENCODED_AT_ONCE):
            encoded = self._vocabulary.encode_words([words[position] for position in group])
            start = len(self._rows)
            self._matrix[start : start + len(group)] = self._runtime.vectors(encoded)
            self._rows.update((words[position], row) for row, position in enumerate(group, start))

    def _clear(self) -> None:
        self._rows = {"": 0}
        self._matrix = self._runtime.masked_vector[None]
