"""What a segmenter's training makes of gold paragraphs."""

from __future__ import annotations

import re
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnntag.config import SegmenterConfig
from rnntag.corpora.raw_text import gold_paragraph, paragraphs
from rnntag.sentences import Corpus, Sentence
from rnntag.training import variation
from rnntag.training.segmenter import SegmenterTask
from rnntag.training.variation import joined, variants

CHINESE = Sentence(
    ("王", "芳", "有", "12", "本", "书", "，", "三十二", "支", "笔", "。"),
    {"upos": ("PROPN", "PROPN", "VERB", "NUM", "NOUN", "NOUN", "PUNCT", "NUM", "NOUN", "NOUN", "PUNCT")},
    spaces=("",) * 11,
    opens=True,
)
ENGLISH = Sentence(
    ("Mr.", "Lee", "ca", "n't", "pay", "1,000", "."),
    {"upos": ("PROPN", "PROPN", "AUX", "PART", "VERB", "NUM", "PUNCT")},
    spaces=(" ", " ", "", " ", " ", "", " "),
    opens=True,
)


def changed(change: variation.Change, sentence: Sentence) -> set[str]:
    """What a change makes of a sentence: tokens separated by |, with the white space after them."""
    outcomes = set()
    for seed in range(60):
        random = Random(seed)
        made = variation._changed(sentence, [change], random)
        outcomes.add("|".join(token + space for token, space in zip(made.tokens, made.spaces, strict=True)))
    return outcomes


@pytest.mark.parametrize(
    ("change", "sentence", "pattern"),
    [
        (variation.numbers, CHINESE, r"王\|芳\|有\|[\d.,]+\|本\|书\|，\|[一-龥〇]+\|支\|笔\|。"),
        (variation.numbers, ENGLISH, r"Mr\. \|Lee \|ca\|n't \|pay \|[\d.,]+\|\. "),
        (variation.names, CHINESE, r"[^|]\|[^|]{1,2}\|有\|12\|本\|书\|，\|三十二\|支\|笔\|。"),
        (variation.names, ENGLISH, r"mr\. \|lee \|ca\|n't \|pay \|1,000\|\. "),
        (variation.widths, CHINESE, r"王\|芳\|有\|12\|本\|书\|[，,]\|三十二\|支\|笔\|[。.]"),
        (variation.widths, ENGLISH, r"Mr\. \|Lee \|ca\|n't \|pay \|1,000\|\. "),
        (variation.wrapped, CHINESE, r"[“「（『《(]\|王\|芳\|.*\|。\|[”」）』》)]"),
        (variation.wrapped, ENGLISH, r"[(“\"\[‘]\|Mr\. \|.*\|\.\|[)”\"\]’] "),
        (variation.other_end, CHINESE, r"王\|芳\|.*\|笔(\n|\|(……|。。。|…|\.\.\.|[！？。]))"),
        (variation.other_end, ENGLISH, r"Mr\. \|.*\|1,000(\n|\|(\.{3,4}|…|[!?.]) )"),
        (variation.amounts, CHINESE, r"王\|芳\|.*\|笔\|[，：（].*\|。"),
        (variation.amounts, ENGLISH, r"Mr\. \|.*\|1,000 \|([$£€]\|[\d.,]+|[\d.,]+\|%|\(\|[A-Za-z.]+ \|\d+\|\))\|\. "),
        (variation.social, CHINESE, r"王\|芳\|.*\|笔\|(。 ?\|[^\w ]+ |[\w@#:/.?=]+\|。)"),
        (variation.social, ENGLISH, r"Mr\. \|.*\|1,000( \|[\w@#:/.?=]+\|\. |\|\. ?\|[^\w ]+ )"),
        (variation.abbreviations, ENGLISH, r"[\w.]+\. \|Lee \|ca\|n't \|pay \|1,000\|\. "),
    ],
)  # fmt: skip
def test_each_change_keeps_the_words(change: variation.Change, sentence: Sentence, pattern: str) -> None:
    outcomes = changed(change, sentence)
    assert [text for text in outcomes if not re.fullmatch(pattern, text)] == []
    assert len(outcomes) > 1 or change in (variation.names, variation.widths)


def test_a_share_of_paragraphs_is_varied_the_same_way_for_a_seed() -> None:
    corpus = [CHINESE, ENGLISH, *[Sentence(("a", "b"), spaces=(" ", "\n"))] * 3] * 100
    made = [*variants(paragraphs(corpus), 0.3, Random(1))]
    assert made == [*variants(paragraphs(corpus), 0.3, Random(1))] != [*variants(paragraphs(corpus), 0.3, Random(2))]
    assert 30 < len(made) < 90
    for paragraph in map(gold_paragraph, made):
        spans = [(0, 0), *paragraph.words, (len(paragraph.text),) * 2]
        assert all(paragraph.text[end:begin].strip() == "" for (_, end), (begin, _) in pairwise(spans))
    assert not [*variants(paragraphs(corpus), 0, Random(1))]


def test_a_segmenter_learns_from_variants_too() -> None:
    corpus = Corpus("c", (CHINESE, ENGLISH) * 20)
    plain, augmented = (
        SegmenterTask([corpus], SegmenterConfig(hidden=4, bigrams=0, augment=share)) for share in (0.0, 1.0)
    )
    assert plain.scale.sentences == augmented.scale.sentences == 40
    assert len(augmented._parts[0]) == 80
    assert {*plain.units.known} < {*augmented.units.known}
    assert plain.fingerprint != augmented.fingerprint


@given(st.text(alphabet="ab 我1.-\n", max_size=60), st.integers(0, 9))
def test_signs_join_words_in_a_text_of_the_same_length(text: str, seed: int) -> None:
    found = joined(text, Random(seed))
    assert len(found) == len(text)
    for place, (old, new) in enumerate(zip(text, found, strict=True)):
        assert new == old or (old == " " and text[place - 1].isalpha() and text[place + 1].isalnum())


def test_words_are_joined_by_each_sign() -> None:
    assert {*joined("a " * 500, Random(1))} == {*"a -'/."}
