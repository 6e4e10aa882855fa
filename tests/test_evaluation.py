"""Figures against a table worked out by hand, and against scikit-learn's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve
from sklearn.metrics import accuracy_score, confusion_matrix, precision_recall_fscore_support

from rnntag.evaluation import metrics
from rnntag.evaluation.metrics import (
    CalibrationBin,
    MistakenWord,
    SentenceErrors,
    TagError,
    evaluate,
    faulty,
    fingerprint,
    most_frequent_tags,
)
from rnntag.sentences import Sentence

GOLD = [Sentence(("a", "b", "c"), {"t": ("N", "V", "N")}), Sentence(("d", "e"), {"t": ("N", "D")})]


def test_a_report_worked_out_by_hand() -> None:
    report = evaluate(GOLD, "t", [["N", "N", "N"], ["V", "D"]], [[True, False, True], [False, True]])
    assert (report.sentences, report.tokens, report.unknown_tokens) == (2, 5, 2)
    assert report.accuracy == 3 / 5
    assert report.unknown_accuracy == 0
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
    assert len(report.calibration) == metrics.CALIBRATION_BINS
    assert {place: one for place, one in enumerate(report.calibration) if one.tokens} == {
        6: CalibrationBin(2, pytest.approx(0.43), 1 / 2),
        14: CalibrationBin(3, pytest.approx(0.98), pytest.approx(2 / 3)),
    }
    assert evaluate(GOLD, "t", predicted, known).calibration_error is None


# The word "can" is ambiguous, also in capitals; training has not seen "x" and "y".
TEXT = [
    Sentence(("I", "can", "x"), {"t": ("P", "A", "N")}),
    Sentence(("the", "Can", "x", "y"), {"t": ("D", "N", "N", "V")}),
    Sentence(("can", "I"), {"t": ("A", "P")}),
]
KNOWN = [[True, True, False], [True, True, False, False], [True, True]]
TAGGED = [["P", "N", "N"], ["D", "A", "V", "V"], ["A", "P"]]


def test_kinds_of_words_worked_out_by_hand() -> None:
    report = evaluate(TEXT, "t", TAGGED, KNOWN)
    assert report.accuracy == 6 / 9
    assert report.known_accuracy == 4 / 6
    assert (report.unknown_tokens, report.unknown_accuracy) == (3, 2 / 3)
    assert (report.ambiguous_tokens, report.ambiguous_accuracy) == (3, 1 / 3)
    assert report.sentence_accuracy == 1 / 3
    assert report.words == (MistakenWord("can", 2, 3, "A", "N"), MistakenWord("x", 1, 2, "N", "V"))
    assert [*report.tags] == ["A", "D", "N", "P", "V"]
    assert metrics.confusion_matrix(report) == [
        [1, 0, 1, 0, 0],
        [0, 1, 0, 0, 0],
        [1, 0, 1, 0, 1],
        [0, 0, 0, 2, 0],
        [0, 0, 0, 0, 1],
    ]
    assert [*report.intervals] == [*metrics.ACCURACIES]
    for name, interval in report.intervals.items():
        assert interval is not None
        assert 0 <= interval[0] <= getattr(report, name) <= interval[1] <= 1


def test_nothing_to_measure() -> None:
    report = evaluate([], "t", [], [])
    assert (report.tokens, report.accuracy, report.known_accuracy, report.ambiguous_accuracy) == (0, 0, None, None)
    assert set(report.intervals.values()) == {None}
    assert metrics.confusion_matrix(report) == []


def test_errors_stand_in_their_sentences() -> None:
    confidences = [[0.9, 0.5, 1.0], [0.8, 0.6, 0.7, 1.0], [1.0, 1.0]]
    assert [*faulty(TEXT, "t", TAGGED, confidences)] == [
        SentenceErrors(1, TEXT[0].tokens, (TagError(1, "A", "N", 0.5),)),
        SentenceErrors(2, TEXT[1].tokens, (TagError(1, "N", "A", 0.6), TagError(2, "N", "V", 0.7))),
    ]
    assert next(faulty(TEXT, "t", TAGGED)).mistakes[0].confidence is None


def test_the_most_frequent_tag_of_each_word() -> None:
    train = [*TEXT, Sentence(("I",), {"other": ("Q",)})]
    new = [Sentence(("CAN", "the", "z"), {"t": ("A", "D", "V")})]
    assert most_frequent_tags(train, "t", new) == [["A", "D", "N"]]  # three times N, more than any other
    tied = [Sentence(("a", "a", "b"), {"t": ("Y", "X", "Y")})]
    assert most_frequent_tags(tied, "t", [Sentence(("A", "c"))]) == [["X", "Y"]]


@given(st.lists(st.tuples(st.sampled_from("NV"), st.floats(0.001, 0.999)), min_size=1))
def test_scikit_learn_agrees_on_calibration(answers: list[tuple[str, float]]) -> None:
    gold, shares = zip(*answers, strict=True)
    report = evaluate([Sentence(gold, {"t": gold})], "t", [["N"] * len(gold)], [[True] * len(gold)], [shares])
    right, confidence = calibration_curve([tag == "N" for tag in gold], shares, n_bins=metrics.CALIBRATION_BINS)
    filled = [one for one in report.calibration if one.tokens]
    if not any(abs(share * 15 - round(share * 15)) < 1e-9 for share in shares):  # on an edge either bin will do
        assert [one.accuracy for one in filled] == pytest.approx([*right])
        assert [one.confidence for one in filled] == pytest.approx([*confidence])


def test_all_right() -> None:
    report = evaluate(GOLD, "t", [["N", "V", "N"], ["N", "D"]], [[True] * 3, [True] * 2])
    assert (report.accuracy, report.sentence_accuracy, report.unknown_accuracy, report.confusions) == (1, 1, None, ())


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
    assert metrics.confusion_matrix(report) == confusion_matrix(gold, predicted, labels=tags).tolist()


@given(
    st.lists(
        st.lists(st.tuples(st.sampled_from("aAbc"), st.sampled_from("NVX"), st.sampled_from("NVX"), st.booleans())),
        min_size=1,
        max_size=8,
    )
)
def test_scikit_learn_agrees_on_kinds_of_words(text: list[list[tuple[str, str, str, bool]]]) -> None:
    sentences = [Sentence(tuple(t[0] for t in one), {"t": tuple(t[1] for t in one)}) for one in text]
    report = evaluate(sentences, "t", [[t[2] for t in one] for one in text], [[t[3] for t in one] for one in text])
    tokens = [token for one in text for token in one]
    tags = {word: {gold for form, gold, _, _ in tokens if form.lower() == word} for word in "abc"}
    kinds = {
        "known_accuracy": [t for t in tokens if t[3]],
        "unknown_accuracy": [t for t in tokens if not t[3]],
        "ambiguous_accuracy": [t for t in tokens if len(tags[t[0].lower()]) > 1],
    }
    for name, kind in kinds.items():
        expected = accuracy_score([t[1] for t in kind], [t[2] for t in kind]) if kind else None
        assert getattr(report, name) == (None if expected is None else pytest.approx(expected))
    assert report.sentence_accuracy == sum(all(t[1] == t[2] for t in one) for one in text) / len(text)


def test_a_fingerprint_tells_gold_standards_apart() -> None:
    other = [GOLD[0], Sentence(("d", "e"), {"t": ("N", "N")})]
    assert fingerprint(GOLD, "t") == fingerprint(list(GOLD), "t") != fingerprint(other, "t")
