"""Calibration: a temperature for each tagset, fitted on dev sentences."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from rnntag.model.arrays import Ids
from rnntag.sentences import Sentence
from rnntag.tagger import Tagger

LEAST, MOST = 0.1, 10.0


def temperatures(tagger: Tagger, splits: Sequence[Sequence[Sentence]]) -> dict[str, float]:
    """By tagset, the temperature that divides scores before the softmax (Guo et al. 2017).

    Tagsets that no sentence has are left out.

    Args:
        splits: the dev splits. Each weighs the same, so that a small one counts, too.
    """
    sizes = [sum(len(sentence.tokens) for sentence in split) for split in splits]
    weighted = [(sentence, 1 / size) for split, size in zip(splits, sizes, strict=True) for sentence in split if size]
    fitted = {}
    for tagset, names in tagger.model.vocabulary.tags.items():
        index = {name: number for number, name in enumerate(names)}
        own = [(sentence, weight) for sentence, weight in weighted if tagset in sentence.tags]
        gold = np.array([index.get(tag, -1) for sentence, _ in own for tag in sentence.tags[tagset]], dtype=np.int64)
        known = gold >= 0
        if known.any():
            scores = tagger.scores([sentence.tokens for sentence, _ in own], tagset)
            weights = np.array([weight for sentence, weight in own for _ in sentence.tokens])
            fitted[tagset] = round(temperature(scores[known], gold[known], weights[known]), 4)
    return fitted


def temperature(scores: npt.NDArray[np.float32], gold: Ids, weights: npt.NDArray[np.float64] | None = None) -> float:
    """The temperature, between `LEAST` and `MOST`, that makes the gold tags most probable.

    Args:
        scores: before the softmax, shape [tokens, tags].
        gold: the index of each token's tag, shape [tokens].
        weights: of the tokens, shape [tokens]; None: all the same.
    """
    scores = scores - scores.max(-1, keepdims=True)
    mean_gold = np.average(np.take_along_axis(scores, gold[:, None], axis=-1)[:, 0], weights=weights)
    low, high = 1 / MOST, 1 / LEAST
    for _ in range(40):  # bisection: the loss is convex in 1 / temperature
        inverse = (low + high) / 2
        powers = np.exp(scores * inverse)
        mean_expected = np.average((powers * scores).sum(-1) / powers.sum(-1), weights=weights)
        if mean_expected < mean_gold:
            low = inverse
        else:
            high = inverse
    return 2 / (low + high)
