"""The same sentence as other people would write it."""

from __future__ import annotations

import unicodedata

from rnntag.schema import Sentence


def lower_case(sentence: Sentence) -> Sentence:
    """All of it in lower case."""
    return _with(sentence, tuple(token.lower() for token in sentence.tokens))


def capitals(sentence: Sentence) -> Sentence:
    """All of it in capitals."""
    return _with(sentence, tuple(token.upper() for token in sentence.tokens))


def unpunctuated(sentence: Sentence) -> Sentence:
    """Without the punctuation at its end; the same if it has none, or nothing else."""
    if len(sentence.tokens) < 2 or not all(unicodedata.category(char)[0] == "P" for char in sentence.tokens[-1]):
        return sentence
    return _with(sentence, sentence.tokens[:-1])


VARIANTS = (lower_case, lower_case, capitals, unpunctuated)
"""What training chooses from; see `TrainConfig.vary`. Lower case is the commonest by far."""


def _with(sentence: Sentence, tokens: tuple[str, ...]) -> Sentence:
    kept = slice(len(tokens))
    return Sentence(
        tokens,
        {tagset: tags[kept] for tagset, tags in sentence.tags.items()},
        {tagset: choices[kept] for tagset, choices in sentence.choices.items()},
    )
