"""The vectors of a model's words: which are near each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rnntag.errors import NotFoundError, UsageError
from rnntag.model import directory, language_model
from rnntag.model.language_model import SENTENCE_END
from rnntag.model.vocabulary import RESERVED, UNKNOWN, Vocabulary
from rnntag.model.weights import WORD_TABLE, table_rows

Vectors = npt.NDArray[np.float32]

FREQUENT, COMMON = 20_000, 3
"""Of `without_common`: words that tell what vectors have in common, and directions that are taken out."""


def load_vectors(name: str | Path) -> WordVectors:
    """The word vectors of a tagger or a language model, given its name or its directory.

    Raises:
        NotFoundError: there is no such model.
        DataError: it is damaged.
        AccessError: it cannot be read.
    """
    path = directory.find(str(name))
    is_language_model = language_model.is_language_model(path)
    model = language_model.read(path) if is_language_model else directory.read(path)
    return WordVectors(model.name, model.vocabulary, without_common(table_rows(model.weights, WORD_TABLE)))


def without_common(table: Vectors) -> Vectors:
    """Vectors without their mean and their first principal components, which have more to do with the frequency of a
    word than with its meaning (Mu and Viswanath 2018, https://arxiv.org/abs/1702.01417).

    Args:
        table: shape [rows, size], the frequent words first.
    """
    frequent = table[RESERVED : RESERVED + FREQUENT].astype(np.float64)
    if len(frequent) <= table.shape[1]:
        return table  # too few to tell
    mean = frequent.mean(0)
    _, directions = np.linalg.eigh(np.cov(frequent, rowvar=False))  # the eigenvalues ascend
    common = directions[:, -min(COMMON, len(mean) // 2) :]
    centred = table - mean
    without: Vectors = (centred - centred @ common @ common.T).astype(np.float32)
    return without


class WordVectors:
    """Vectors of a model's words.

    Attributes:
        words: those with a row of their own, in normal form, the most frequent first.

    Args:
        name: of the model.
        table: a vector for each row of the model's word table, shape [rows, size].
    """

    def __init__(self, name: str, vocabulary: Vocabulary, table: Vectors) -> None:
        self._name = name
        self._vocabulary = vocabulary
        self._table = table
        own = (*vocabulary.words[: vocabulary.n_embedded], *vocabulary.extra)
        places = [place for place, word in enumerate(own) if word != SENTENCE_END]
        self.words = tuple(own[place] for place in places)
        self._rows = np.array(places, dtype=np.int64) + RESERVED
        self._unit = _normalised(table[self._rows])

    def vector(self, word: str) -> Vectors:
        """The vector of a word, shape [size].

        Raises:
            NotFoundError: it has none.
        """
        (row,) = self._vocabulary.rows([word]).tolist()
        if row == UNKNOWN or word == SENTENCE_END:
            raise NotFoundError(f"{word!r}: the model {self._name} has no vector for it")
        return self._table[row]  # type: ignore[no-any-return]

    def similarity(self, word: str, other: str) -> float:
        """The cosine of the angle between the vectors of two words."""
        return float(_normalised(self.vector(word)) @ _normalised(self.vector(other)))

    def similar(self, word: str, count: int = 10) -> list[tuple[str, float]]:
        """The words nearest to a word, with their cosines, the nearest first.

        Raises:
            NotFoundError: the word has no vector.
        """
        return self._nearest(self.vector(word), [word], count)

    def analogy(self, a: str, b: str, c: str, count: int = 10) -> list[tuple[str, float]]:
        """The words that are to c as b is to a: those nearest to b - a + c (Mikolov et al. 2013), none of the three.

        Raises:
            NotFoundError: one of them has no vector.
        """
        first, second, third = (_normalised(self.vector(word)) for word in (a, b, c))
        return self._nearest(second - first + third, [a, b, c], count)

    def _nearest(self, vector: Vectors, without: Sequence[str], count: int) -> list[tuple[str, float]]:
        if count < 1:
            raise UsageError(f"count is {count}: it must be at least 1")
        hidden = {self._vocabulary.normal_form(word) for word in without}
        cosines = self._unit @ _normalised(vector)
        order = np.argsort(-cosines, kind="stable")[: count + len(hidden)].tolist()
        found = [(self.words[place], float(cosines[place])) for place in order if self.words[place] not in hidden]
        return found[:count]

    def lines(self) -> Iterator[str]:
        """The words and their vectors as text, in the format of word2vec: a line with their number and size, then one
        for each word. Words with white space are left out."""
        kept = [place for place, word in enumerate(self.words) if word and not any(map(str.isspace, word))]
        yield f"{len(kept)} {self._table.shape[1]}\n"
        for place in kept:
            numbers = " ".join(f"{number:.5g}" for number in self._table[self._rows[place]].tolist())
            yield f"{self.words[place]} {numbers}\n"


def _normalised(vectors: Vectors) -> Vectors:
    """Vectors of length 1; zeros stay zeros."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return (vectors / np.where(lengths > 0, lengths, 1)).astype(np.float32)
