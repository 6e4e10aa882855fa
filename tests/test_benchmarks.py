"""What the benchmarks measure on."""

from __future__ import annotations

import pytest

pytest.importorskip("opencc", reason="needs rnntag[chinese]")

from benchmarks import robustness
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
