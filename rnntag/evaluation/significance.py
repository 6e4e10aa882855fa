"""How much of a figure, or of a difference between two models, may be chance.

Sentences are what is drawn by chance, not tokens: the tokens of one sentence go right or wrong together.
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
"""Sentences, for memory's sake."""

Shares = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Difference:
    """How the accuracy of a model differs from that of another on the same tokens.

    Attributes:
        difference: its accuracy less that of the other, -1 to 1.
        interval: the ends of its 95 % interval, or None where there are fewer than two sentences.
        better, worse: tokens that it alone has right, and that the other alone has right.
        mcnemar: see `mcnemar`; it takes the tokens for independent.
        bootstrap: see `paired_bootstrap`.
    """

    difference: float
    interval: tuple[float, float] | None
    better: int
    worse: int
    mcnemar: float
    bootstrap: float


def resampled(counts: npt.ArrayLike) -> Shares:
    """The sums of counts by sentence over `RESAMPLES` draws of as many sentences, with replacement (Efron 1979).

    Args:
        counts: shape [sentences, columns].

    Returns:
        Shape [resamples, columns]; the same for the same counts.
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
    """The ends of the 95 % interval of each share, by the percentiles of its resamples.

    Args:
        counts: for each sentence and share, how much of it is right, and of how much; shape [sentences, shares, 2].

    Returns:
        None where there is nothing to take a share of, and for fewer than two sentences.
    """
    table = np.asarray(counts, dtype=np.float64)
    if len(table) < 2:
        return [None] * (table.shape[1] if table.ndim == 3 else 0)
    sums = resampled(table.reshape(len(table), -1)).reshape(RESAMPLES, -1, 2)
    return [_ends(right[of > 0] / of[of > 0]) if of.any() else None for right, of in np.moveaxis(sums, 0, -1)]


def difference(hits: Sequence[Sequence[bool]], others: Sequence[Sequence[bool]]) -> Difference:
    """How one model differs from another.

    Args:
        hits, others: for each token of each sentence, whether the model, and the other, has it right.
    """
    counts = np.array(
        [
            (sum(own), sum(other), sum(a and not b for a, b in zip(own, other, strict=True)), len(own))
            for own, other in zip(hits, others, strict=True)
        ],
        dtype=np.float64,
    ).reshape(-1, 4)
    right, other_right, better, tokens = counts.sum(0)
    found = (right - other_right) / tokens if tokens else 0.0
    interval, p = None, 1.0
    if len(counts) > 1 and tokens:
        sums = resampled(counts)
        drawn = (sums[:, 0] - sums[:, 1]) / np.maximum(sums[:, 3], 1)
        interval, p = _ends(drawn), paired_bootstrap(drawn, found)
    worse = int(other_right - right + better)
    return Difference(float(found), interval, int(better), worse, mcnemar(int(better), worse), p)


def paired_bootstrap(drawn: Shares, found: float) -> float:
    """How probable a difference at least as great as the one found is if there is none, from its resamples,
    moved to mean 0 (Riezler and Maxwell 2005; as sacreBLEU does)."""
    tolerance = 1e-12  # equal shares of equal counts may differ in their last bits
    beyond = np.count_nonzero(np.abs(drawn - drawn.mean()) >= abs(found) - tolerance)
    return (int(beyond) + 1) / (len(drawn) + 1)


def mcnemar(better: int, worse: int) -> float:
    """How probable so uneven a split of the tokens that one model alone has right is if both are equally good:
    the exact two-sided test (McNemar 1947), a binomial one."""
    tokens = better + worse
    logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, tokens + 1)))])  # of the factorials
    fewer = np.arange(min(better, worse) + 1)
    terms = logs[tokens] - logs[fewer] - logs[tokens - fewer] - tokens * math.log(2)
    return min(1.0, 2 * float(np.exp(terms).sum()))


def _ends(drawn: Shares) -> tuple[float, float]:
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
