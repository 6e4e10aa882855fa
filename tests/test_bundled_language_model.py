"""The bundled language model and the vectors of the bundled models."""

from __future__ import annotations

import pytest

import rnntag
from benchmarks.acceptability import accuracies
from rnntag.language_model import LanguageModel
from rnntag.model import directory
from tests.conftest import ROOT, SHARED, Run

MODEL = ROOT / "models" / "lm-zh-en"
PAIRS = [
    ("the cats are asleep .", "the cats is asleep ."),
    ("she saw herself .", "she saw himself ."),
    ("he has eaten an apple .", "he has ate an apple ."),
    ("we went to the park .", "we went to park the ."),
    ("this book is good .", "these book is good ."),
    ("我 吃 苹果 。", "我 苹果 吃 。"),
    ("他 把 门 关上 了 。", "他 把 关上 门 了 。"),
    ("三 本 书 在 桌子 上 。", "三 书 本 在 桌子 上 。"),
    ("我 昨天 去 了 北京 。", "我 去 昨天 了 北京 。"),
    ("這 本 書 很 好 。", "這 書 本 很 好 。"),
]


@pytest.fixture(scope="module")
def lm() -> LanguageModel:
    return rnntag.load_lm()


def test_it_is_small() -> None:
    assert directory.megabytes(MODEL) <= 12


@pytest.mark.parametrize(("good", "bad"), PAIRS)
def test_what_is_language_is_more_likely(good: str, bad: str, lm: LanguageModel) -> None:
    assert lm.score(good.split()).slor > lm.score(bad.split()).slor


@pytest.mark.slow
@pytest.mark.parametrize(("name", "least"), [("blimp", 0.60), ("zhoblimp", 0.64)])
def test_pairs_that_others_wrote(name: str, least: float, lm: LanguageModel) -> None:
    path = SHARED / "acceptability" / f"{name}.jsonl.xz"
    if not path.exists():
        pytest.skip("the minimal pairs are not on this machine (../shared/acceptability)")
    paradigms = [own for phenomenon in accuracies(lm, path).values() for own in phenomenon.values()]
    assert sum(paradigms) / len(paradigms) > least


def test_raw_text_is_scored_without_naming_a_model(run: Run) -> None:
    done = run("score", "The cats are asleep. 我吃苹果。")
    assert [line.split("\t")[3] for line in done.stdout.splitlines()] == ["The cats are asleep .", "我 吃 苹果 。"]


@pytest.mark.parametrize(
    ("model", "word", "near"),
    [("zh-en", "quickly", "slowly"), ("lm-zh-en", "喝", "吃"), ("lm-zh-en", "he", "she"), ("lm-zh-en", "北京", "上海")],
)
def test_words_that_are_alike_are_near(model: str, word: str, near: str) -> None:
    assert near in [other for other, _ in rnntag.load_vectors(model).similar(word, 12)]
