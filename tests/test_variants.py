"""A sentence written otherwise keeps its tags, token by token."""

from __future__ import annotations

import pytest

from rnntag.sentences import Sentence
from rnntag.training.augmentation import VARIANTS, alone, capitals, headline, joined, lower_case, unpunctuated, variant

CHOICES = ([("PRON", 0.9), ("X", 0.1)], [("VERB", 1.0)], [("PUNCT", 1.0)])
SENTENCE = Sentence(("I", "eat", "."), {"upos": ("PRON", "VERB", "PUNCT")}, {"upos": CHOICES})


def test_the_case_of_all_words_changes_and_nothing_else() -> None:
    assert lower_case(SENTENCE) == Sentence(("i", "eat", "."), SENTENCE.tags, SENTENCE.tag_probs)
    assert capitals(SENTENCE) == Sentence(("I", "EAT", "."), SENTENCE.tags, SENTENCE.tag_probs)
    assert headline(SENTENCE) == Sentence(("I", "Eat", "."), SENTENCE.tags, SENTENCE.tag_probs)


def test_final_punctuation_goes_with_its_tag() -> None:
    assert unpunctuated(SENTENCE) == Sentence(("I", "eat"), {"upos": ("PRON", "VERB")}, {"upos": CHOICES[:2]})


def test_two_sentences_in_a_line() -> None:
    gold = Sentence(("a",), {"upos": ("DET",), "ptb": ("DT",)})
    one = Sentence(
        ("I", "eat", ".", "a"), {"upos": ("PRON", "VERB", "PUNCT", "DET")}, {"upos": (*CHOICES, [("DET", 1.0)])}
    )
    assert joined(SENTENCE, gold) == one
    assert joined(gold, gold) == Sentence(("a", "a"), {"upos": ("DET", "DET"), "ptb": ("DT", "DT")})
    assert joined(SENTENCE, Sentence(("a",), {"ptb": ("DT",)})) == SENTENCE
    assert one in [variant(kind, SENTENCE, gold) for kind in range(VARIANTS)]


def test_one_word_alone() -> None:
    assert alone(SENTENCE, 1) == Sentence(("eat",), {"upos": ("VERB",)}, {"upos": (CHOICES[1],)})
    assert alone(Sentence(()), 0) == Sentence(())


@pytest.mark.parametrize("tokens", [(), (".",), ("I", "eat"), ("cost", "$")])
def test_without_final_punctuation_there_is_none_to_drop(tokens: tuple[str, ...]) -> None:
    assert unpunctuated(Sentence(tokens)) == Sentence(tokens)
