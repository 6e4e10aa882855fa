"""Confidence intervals, and tests of the difference between two models.

Sentences are resampled, not tokens, because errors within a sentence are correlated.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

RESAMPLES = 1000
SEED = 1
LEVEL = 0.95
DRAWN_AT_ONCE = 1 << 18
"""Sentences, which bounds the memory."""

Shares = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Difference:
    """The difference between the accuracies of a model and another on the same tokens.

    Attributes:
        difference: the model's accuracy minus the other's, -1 to 1.
        interval: the ends of its 95 % interval; None for fewer than two sentences.
        better, worse: tokens that only the model tags correctly, and that only the other does.
        mcnemar: see `mcnemar`; it assumes independent tokens.
        bootstrap: see `paired_bootstrap`.
    """

    difference: float
    interval: tuple[float, float] | None
    better: int
    worse: int
    mcnemar: float
    bootstrap: float


def resampled(counts: npt.ArrayLike) -> Shares:
    """Sums of counts over `RESAMPLES` bootstrap samples of the sentences (Efron 1979).

    Args:
        counts: shape [sentences, columns].

    Returns:
        Shape [resamples, columns]; always the same for the same counts.
    """
    table = np.asarray(counts, dtype=np.float64)
    random = np.random.default_rng(SEED)
    size = len(table)
    sums = []
    for begin in range(0, RESAMPLES, rows := max(1, DRAWN_AT_ONCE // size)):
        first = np.arange(min(rows, RESAMPLES - begin))[:, None] * size
        drawn = random.integers(size, size=(len(first), size)) + first
        times = np.bincount(drawn.ravel(), minlength=drawn.size).reshape(drawn.shape)
        sums.append(times.astype(np.float64) @ table)
    return np.concatenate(sums)


def intervals(counts: npt.ArrayLike) -> list[tuple[float, float] | None]:
    """The ends of the 95 % interval of each accuracy: percentiles of its bootstrap samples.

    Args:
        counts: for each sentence and accuracy, the correct items and all items; shape [sentences, accuracies, 2].

    Returns:
        None for an accuracy without items, and for fewer than two sentences.
    """
    table = np.asarray(counts, dtype=np.float64)
    if len(table) < 2:
        return [None] * (table.shape[1] if table.ndim == 3 else 0)
    sums = resampled(table.reshape(len(table), -1)).reshape(RESAMPLES, -1, 2)
    return [_ends(correct[of > 0] / of[of > 0]) if of.any() else None for correct, of in np.moveaxis(sums, 0, -1)]


def difference(hits: Sequence[Sequence[bool]], others: Sequence[Sequence[bool]]) -> Difference:
    """Compare a model with another.

    Args:
        hits, others: for each token of each sentence, whether the model, and the other one, tags it correctly.
    """
    counts = np.array(
        [
            (sum(ours), sum(theirs), sum(a and not b for a, b in zip(ours, theirs, strict=True)), len(ours))
            for ours, theirs in zip(hits, others, strict=True)
        ],
        dtype=np.float64,
    ).reshape(-1, 4)
    correct, other_correct, better, tokens = counts.sum(0)
    observed = (correct - other_correct) / tokens if tokens else 0.0
    interval, p = None, 1.0
    if len(counts) > 1 and tokens:
        sums = resampled(counts)
        drawn = (sums[:, 0] - sums[:, 1]) / np.maximum(sums[:, 3], 1)
        interval, p = _ends(drawn), paired_bootstrap(drawn, observed)
    worse = int(other_correct - correct + better)
    return Difference(float(observed), interval, int(better), worse, mcnemar(int(better), worse), p)


def paired_bootstrap(drawn: Shares, observed: float) -> float:
    """The p value of an observed difference: how often its bootstrap samples, shifted to mean 0, are at least as large
    (Riezler and Maxwell 2005; as in sacreBLEU)."""
    tolerance = 1e-12  # equal quotients of equal counts may differ in their last bits
    beyond = np.count_nonzero(np.abs(drawn - drawn.mean()) >= abs(observed) - tolerance)
    return (int(beyond) + 1) / (len(drawn) + 1)


def mcnemar(better: int, worse: int) -> float:
    """The p value of the exact two-sided test of McNemar (1947): a binomial test on the tokens that only one model tags
    correctly."""
    tokens = better + worse
    logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, tokens + 1)))])  # of the factorials
    fewer = np.arange(min(better, worse) + 1)
    terms = logs[tokens] - logs[fewer] - logs[tokens - fewer] - tokens * math.log(2)
    return min(1.0, 2 * float(np.exp(terms).sum()))


def _ends(drawn: Shares) -> tuple[float, float]:
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
