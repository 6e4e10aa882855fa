"""What the vectors of words are made of."""

from __future__ import annotations

import numpy as np

from rnntag import word_vectors
from rnntag.model.vocabulary import RESERVED, Vocabulary
from rnntag.word_vectors import WordVectors


def test_what_vectors_have_in_common_is_left_out() -> None:
    """Pairs of words with nearly the same vectors, which all lie far from the origin, along a line."""
    random = np.random.default_rng(1)
    meanings = np.repeat(random.normal(size=(300, 24)), 2, axis=0) + 0.1 * random.normal(size=(600, 24))
    frequency = random.permutation(np.linspace(-1, 1, 600))[:, None]
    table = np.zeros((RESERVED + 600, 24), np.float32)
    table[RESERVED:] = meanings + 20 + 30 * frequency * random.normal(size=24)
    words = tuple(map(str, range(600)))

    def found(vectors: np.ndarray) -> float:
        own = WordVectors("m", Vocabulary(words, 600, (), {}), vectors)
        return float(np.mean([own.similar(word, 1)[0][0] == str(int(word) ^ 1) for word in words]))

    better = word_vectors.without_common(table)
    assert found(better) > 0.99 > 0.9 > found(table)
    assert np.abs(better[RESERVED:].mean(0)).max() < 1e-4
    few = table[: RESERVED + 20]
    assert word_vectors.without_common(few) is few
