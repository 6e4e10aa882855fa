"""Intervals and tests against SciPy's, and against what can be counted by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, bootstrap

from rnntag.evaluation.significance import RESAMPLES, difference, intervals, mcnemar, paired_bootstrap, resampled


def test_a_table_of_mcnemar_s_test() -> None:
    # Of 10 tokens 9 or more on one side: (1 + 10) / 1024, on either side twice that.
    assert mcnemar(9, 1) == mcnemar(1, 9) == pytest.approx(22 / 1024)
    assert mcnemar(0, 5) == pytest.approx(2 / 32)
    assert (mcnemar(0, 0), mcnemar(3, 3), mcnemar(1, 0)) == (1, 1, 1)
    assert 0 <= mcnemar(100_000, 0) < 1e-300


@given(st.integers(0, 3000), st.integers(0, 3000))
def test_scipy_agrees_on_mcnemar_s_test(better: int, worse: int) -> None:
    expected = binomtest(better, better + worse).pvalue if better + worse else 1.0
    assert mcnemar(better, worse) == pytest.approx(expected, rel=1e-6)


def test_intervals_that_can_be_counted() -> None:
    counts = [[[1, 1], [0, 0], [2, 2]], [[0, 1], [0, 0], [3, 3]]]  # of two sentences, each twice in a quarter of draws
    assert intervals(counts) == [(0, 1), None, (1, 1)]
    assert intervals(counts[:1]) == [None, None, None]
    assert intervals([]) == []


def test_a_share_that_some_resamples_lack() -> None:
    ((low, high),) = [one for one in intervals([[[1, 2]], [[0, 0]], [[0, 0]]]) if one]
    assert (low, high) == (0.5, 0.5)


def test_scipy_agrees_on_intervals() -> None:
    random = np.random.default_rng(5)
    tokens = random.integers(1, 30, 400)
    right = random.binomial(tokens, 0.9)
    (found,) = intervals(np.stack([right, tokens], -1)[:, None])

    def accuracy(a: np.ndarray, b: np.ndarray, axis: int = -1) -> np.ndarray:
        return a.sum(axis) / b.sum(axis)

    theirs = bootstrap((right, tokens), accuracy, paired=True, method="percentile", rng=random).confidence_interval
    assert found == pytest.approx((theirs.low, theirs.high), abs=0.002)
    assert found == intervals(np.stack([right, tokens], -1)[:, None])[0]


def test_as_many_sentences_are_drawn_as_there_are() -> None:
    sums = resampled([[1, 0], [1, 10], [1, 100]])
    assert sums.shape == (RESAMPLES, 2)
    assert set(sums[:, 0]) == {3}
    assert {0, 30, 300, 110} <= set(sums[:, 1].astype(int))


def test_a_difference_worked_out_by_hand() -> None:
    others = [[True, False, True, False], [False], [False], [True]]
    hits = [[True, True, False, True], [False], [True], [True]]
    found = difference(hits, others)
    assert found.difference == pytest.approx(2 / 7)
    assert (found.better, found.worse) == (3, 1)
    assert found.mcnemar == pytest.approx(2 * (1 + 4) / 16)
    again = difference(others, hits)
    assert again.difference == -found.difference
    assert (again.better, again.worse, again.mcnemar, again.bootstrap) == (1, 3, found.mcnemar, found.bootstrap)
    assert found.interval is not None
    assert again.interval == pytest.approx((-found.interval[1], -found.interval[0]))


def test_the_paired_bootstrap_counts_what_lies_beyond() -> None:
    drawn = np.array([0.0, 0.1, 0.2, 0.3, 0.4])  # less their mean -0.2, -0.1, 0, 0.1, 0.2
    assert paired_bootstrap(drawn, 0.2) == paired_bootstrap(drawn, -0.2) == pytest.approx((2 + 1) / 6)
    assert paired_bootstrap(drawn, 0.1) == pytest.approx((4 + 1) / 6)
    assert paired_bootstrap(drawn, 0.3) == pytest.approx(1 / 6)


def test_equal_models_do_not_differ() -> None:
    hits = [[True, False], [True], [False]]
    same = difference(hits, hits)
    assert (same.difference, same.interval, same.better, same.worse) == (0, (0, 0), 0, 0)
    assert (same.mcnemar, same.bootstrap) == (1, 1)
    assert difference([], []).bootstrap == 1
    assert difference([[True]], [[False]]).interval is None


def test_a_real_difference_is_found_and_chance_seldom() -> None:
    random = np.random.default_rng(3)

    def answers(accuracy: float) -> list[list[bool]]:
        return (random.random((300, 12)) < accuracy).tolist()

    assert max((found := difference(answers(0.95), answers(0.9))).mcnemar, found.bootstrap) < 0.001
    equals = [difference(answers(0.9), answers(0.9)) for _ in range(40)]
    for kind in ("mcnemar", "bootstrap"):
        assert sum(getattr(one, kind) < 0.05 for one in equals) <= 6
    assert sum(one.interval[0] <= 0 <= one.interval[1] for one in equals if one.interval) >= 34
