"""NLTK takes a model for one of its own taggers."""

from __future__ import annotations

from pathlib import Path

import pytest
from nltk.tag.api import TaggerI

import rnntag
from rnntag.errors import UsageError
from rnntag.integrations.nltk import RNNTagger
from rnntag.sentences import Corpus


def test_nltk_measures_it_as_rnntag_does(tiny_folder: Path, starter: list[Corpus]) -> None:
    tagger = RNNTagger(tiny_folder)
    assert isinstance(tagger, TaggerI)
    gold = [list(zip(s.tokens, s.tags["upos"], strict=True)) for s in starter[0].test]
    tags = rnntag.load(tiny_folder).predict([sentence.tokens for sentence in starter[0].test])
    pairs = [(a, b) for s, found in zip(gold, tags, strict=True) for (_, a), b in zip(s, found, strict=True)]
    assert tagger.accuracy(gold) == pytest.approx(sum(a == b for a, b in pairs) / len(pairs))
    confusion = tagger.confusion(gold)
    assert confusion["NOUN", "VERB"] == sum(pair == ("NOUN", "VERB") for pair in pairs)
    assert tagger.tag_sents([["I", "eat"], []]) == [tagger.tag(["I", "eat"]), []]


def test_an_unknown_tagset_is_refused_at_once(tiny_folder: Path) -> None:
    with pytest.raises(UsageError, match="tiny has no tagset 'ptb'"):
        RNNTagger(tiny_folder, "ptb")
