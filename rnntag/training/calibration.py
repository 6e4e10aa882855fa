"""Calibration: a temperature for each tagset, fitted on dev sentences."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from rnntag.model.arrays import Ids
from rnntag.sentences import Sentence
from rnntag.tagger import Tagger

LEAST, MOST = 0.1, 10.0


def temperatures(tagger: Tagger, sentences: Sequence[Sentence]) -> dict[str, float]:
    """By tagset, the temperature that divides scores before the softmax (Guo et al. 2017).

    Tagsets that no sentence has are left out.
    """
    fitted = {}
    for tagset, names in tagger.model.vocabulary.tags.items():
        index = {name: number for number, name in enumerate(names)}
        gold_sentences = [sentence for sentence in sentences if tagset in sentence.tags]
        gold = np.array([index.get(tag, -1) for s in gold_sentences for tag in s.tags[tagset]], dtype=np.int64)
        known = gold >= 0
        if known.any():
            scores = tagger.scores([sentence.tokens for sentence in gold_sentences], tagset)
            fitted[tagset] = round(temperature(scores[known], gold[known]), 4)
    return fitted


def temperature(scores: npt.NDArray[np.float32], gold: Ids) -> float:
    """The temperature, between `LEAST` and `MOST`, that makes the gold tags most probable.

    Args:
        scores: before the softmax, shape [tokens, tags].
        gold: the index of each token's tag, shape [tokens].
    """
    scores = scores - scores.max(-1, keepdims=True)
    mean_gold = np.take_along_axis(scores, gold[:, None], axis=-1).mean()
    low, high = 1 / MOST, 1 / LEAST
    for _ in range(40):  # bisection: the loss is convex in 1 / temperature
        inverse = (low + high) / 2
        powers = np.exp(scores * inverse)
        mean_expected = ((powers * scores).sum(-1) / powers.sum(-1)).mean()
        if mean_expected < mean_gold:
            low = inverse
        else:
            high = inverse
    return 2 / (low + high)
