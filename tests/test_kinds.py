"""Kinds of text that models tend to get wrong: the generators, and the limits of the bundled models."""

from __future__ import annotations

import random

import pytest

import rnntag
from benchmarks.kinds import KINDS
from benchmarks.kinds.cases import END, Case, Kind, Reading, marked, shown, tagged, wrong
from rnntag.sentences import Segmentation
from rnntag.tagger import Tagger
from tests.conftest import BUNDLED, ROOT

MODELS = {"zh-en": BUNDLED, "zh-en-fast": ROOT / "models" / "zh-en-fast"}
SAMPLE = 40
"""Sentences of each kind in the tests of each change: so few tell little, hence the wider limit."""
FAR_OFF = 0.1


def test_a_kind_may_have_few_sentences() -> None:
    few = Kind("few", 0, lambda random: (marked(random.choice(["‹a› b", "‹b› a"])) for _ in iter(int, 1)))
    assert {case.text for case in few.cases(5)} == {"a b", "b a"}


def limits() -> list[object]:
    return [pytest.param(model, kind, id=f"{model}-{kind.name}") for kind in KINDS for model in MODELS]


@pytest.fixture(scope="module")
def taggers() -> dict[str, Tagger]:
    return {name: rnntag.load(path) for name, path in MODELS.items()}


@pytest.mark.slow
@pytest.mark.parametrize(("model", "kind"), limits())
def test_the_bundled_models_hold_the_limit(model: str, kind: Kind, taggers: dict[str, Tagger]) -> None:
    cases = kind.cases()
    failures = wrong(taggers[model], cases)
    assert len(failures) <= kind.most * len(cases), [shown(*failure) for failure in failures[:10]]


@pytest.mark.parametrize(("model", "kind"), limits())
def test_they_are_not_far_off_on_a_sample(model: str, kind: Kind, taggers: dict[str, Tagger]) -> None:
    cases = kind.cases(SAMPLE, seed=1)
    failures = wrong(taggers[model], cases)
    assert len(failures) <= (kind.most and kind.most + FAR_OFF) * SAMPLE, [shown(*failure) for failure in failures[:10]]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_generator_gives_distinct_sentences_again_and_again(kind: Kind) -> None:
    cases = kind.cases(SAMPLE)
    assert cases == kind.cases(SAMPLE) != kind.cases(SAMPLE, seed=1)
    assert len({case.text for case in cases}) == SAMPLE
    for case in cases:
        for reading in case.readings:
            assert reading.words or reading.ends
            for begin, end in reading.words:
                assert case.text[begin:end].strip() == case.text[begin:end] != ""
            assert not reading.ends or max(reading.ends) == len(case.text.rstrip())


def test_kinds_have_names_of_their_own() -> None:
    assert len({kind.name for kind in KINDS}) == len(KINDS)


def test_marks_say_which_words_and_ends_are_right() -> None:
    case = marked(f"‹我›走了。{END} ‹我›‹来›。{END}", "‹我›走了。 ‹我来›。")
    assert case.text == "我走了。 我来。"
    first, second = case.readings
    assert first == Reading(frozenset({(0, 1), (5, 6), (6, 7)}), frozenset({4, 8}))
    words = [(0, 1), (1, 2), (2, 3), (3, 4), (5, 6), (6, 7), (7, 8)]
    assert first.allows(Segmentation(words, [4, 7]))
    assert not first.allows(Segmentation(words, [7]))
    assert not first.allows(Segmentation([*words[:4], (5, 7), (7, 8)], [4, 6]))
    assert second.allows(Segmentation([(0, 1), (1, 4), (5, 7), (7, 8)], [4]))


def test_tags_are_right_where_a_frame_has_one() -> None:
    case = next(tagged(["Ca n't {v}/VERB it ， 好 ."], {"v": ["see"]}, tokens=False)(random.Random(1)))
    assert case.text == "Can't see it，好."
    (reading,) = case.readings
    assert reading.tags == {(6, 9): {"VERB"}}
    for tag, right in (("VERB", True), ("NOUN", False)):
        assert reading.allows(Segmentation([(6, 9)], [1], [tag])) == right


def test_a_wrong_answer_is_found_and_shown(taggers: dict[str, Tagger]) -> None:
    right, other = marked("‹我›‹吃›‹苹果›‹。›"), marked("‹我吃›‹苹果›")
    tokens = Case("I eat", (Reading(frozenset(), None, {(2, 5): frozenset({"NOUN"})}),), ("I", "eat"))
    failures = wrong(taggers["zh-en"], [right, other, tokens])
    assert [case for case, _ in failures] == [other, tokens]
    assert [shown(*failure) for failure in failures] == ["我/PRON 吃/VERB 苹果/NOUN", "I/PRON eat/VERB"]
