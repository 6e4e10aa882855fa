"""What the benchmarks measure on."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("opencc", reason="needs rnntag[chinese]")

from benchmarks import robustness
from benchmarks.crossings import crossing, sampled, words_of
from rnntag.sentences import Sentence


def test_every_way_of_writing_keeps_the_gold_tags_in_their_places() -> None:
    sentence = Sentence(
        ("I", "ate", "2", "，", "Tom", "！"), {"upos": ("PRON", "VERB", "NUM", "PUNCT", "PROPN", "PUNCT")}
    )
    for name, items in robustness.written([sentence] * 3):
        if name == "one word alone":
            assert [gold for _, (gold,), _ in items] == list(sentence.tags["upos"])
            continue
        for tokens, gold, first in items:
            middle = tokens[first : first + len(gold)]
            assert list(gold) == list(sentence.tags["upos"])[: len(gold)]
            assert len(middle) == len(gold) == (5 if name.startswith("no punctuation") else 6)
            assert middle[4].lower() in ("tom", "ｔｏｍ")


def test_words_cross_that_share_characters_and_do_not_hold_each_other() -> None:
    assert crossing([(0, 2), (2, 3), (3, 6)], [(0, 1), (1, 3), (3, 6)]) == [((0, 2), (1, 3))]
    assert crossing([(0, 4), (4, 6)], [(0, 2), (2, 5), (5, 6)]) == [((0, 4), (2, 5)), ((4, 6), (2, 5))]
    assert crossing([(0, 2), (2, 4), (4, 8)], [(0, 4), (4, 5), (5, 8)]) == []
    assert crossing([(3, 5)], [(0, 4), (6, 8)]) == [((3, 5), (0, 4))]


def test_words_keep_their_places_in_a_text() -> None:
    text = "我 吃。他走了！"
    spans = list(words_of(text, lambda piece: [piece[:1], piece[1:2], piece[2:]]))
    assert [text[a:b] for a, b in spans] == ["我", "吃。", "他", "走", "了！"]


def test_a_sample_is_the_same_for_a_seed(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_text("\n".join(f"第{number}段" for number in range(100)) + "\n\n", encoding="utf-8")
    some = sampled(path, 40, 1)
    assert some == sampled(path, 40, 1) != sampled(path, 40, 2)
    assert 40 <= sum(map(len, some)) < 44
    assert len(sampled(path, 0, 1)) == 100
