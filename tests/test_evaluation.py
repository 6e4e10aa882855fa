"""Figures against a table worked out by hand, and against scikit-learn's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, precision_recall_fscore_support

from rnntag.evaluation import evaluate, fingerprint
from rnntag.schema import Sentence

GOLD = [Sentence(("a", "b", "c"), {"t": ("N", "V", "N")}), Sentence(("d", "e"), {"t": ("N", "D")})]


def test_a_report_worked_out_by_hand() -> None:
    report = evaluate(GOLD, "t", [["N", "N", "N"], ["V", "D"]], [[True, False, True], [False, True]])
    assert (report.sentences, report.tokens, report.unseen_tokens) == (2, 5, 2)
    assert report.accuracy == 3 / 5
    assert report.unseen_accuracy == 0
    assert report.sentence_accuracy == 0
    assert {tag: (s.precision, s.recall, s.f1, s.support) for tag, s in report.tags.items()} == {
        "D": (1, 1, 1, 1),
        "N": (2 / 3, 2 / 3, pytest.approx(2 / 3), 3),
        "V": (0, 0, 0, 1),
    }
    assert report.confusions == (("N", "V", 1), ("V", "N", 1))


def test_a_calibration_error_worked_out_by_hand() -> None:
    predicted, known = [["N", "N", "N"], ["V", "D"]], [[True] * 3, [True] * 2]
    report = evaluate(GOLD, "t", predicted, known, [[1.0, 0.95, 0.99], [0.41, 0.45]])
    # In the last of 15 bins two of three are right; in the seventh, from 0.4 to 0.467, one of two.
    assert report.calibration_error == pytest.approx((abs(1.0 + 0.95 + 0.99 - 2) + abs(0.41 + 0.45 - 1)) / 5)
    assert evaluate(GOLD, "t", predicted, known).calibration_error is None


def test_all_right() -> None:
    report = evaluate(GOLD, "t", [["N", "V", "N"], ["N", "D"]], [[True] * 3, [True] * 2])
    assert (report.accuracy, report.sentence_accuracy, report.unseen_accuracy, report.confusions) == (1, 1, None, ())


@given(st.lists(st.tuples(st.sampled_from("NVDX"), st.sampled_from("NVDX")), min_size=1))
def test_scikit_learn_agrees(pairs: list[tuple[str, str]]) -> None:
    gold, predicted = (list(column) for column in zip(*pairs, strict=True))
    report = evaluate([Sentence(tuple(gold), {"t": tuple(gold)})], "t", [predicted], [[True] * len(gold)])
    assert report.accuracy == accuracy_score(gold, predicted)
    tags = sorted(set(gold) | set(predicted))
    assert list(report.tags) == tags
    theirs = precision_recall_fscore_support(gold, predicted, labels=tags, zero_division=0)
    for position, score in enumerate(report.tags.values()):
        mine = (score.precision, score.recall, score.f1, score.support)
        assert mine == pytest.approx([column[position] for column in theirs])


def test_a_fingerprint_tells_gold_standards_apart() -> None:
    other = [GOLD[0], Sentence(("d", "e"), {"t": ("N", "N")})]
    assert fingerprint(GOLD, "t") == fingerprint(list(GOLD), "t") != fingerprint(other, "t")
