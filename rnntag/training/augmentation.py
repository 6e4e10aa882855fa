"""Variants of a sentence: other case, no final mark, two in a line, one word."""

from __future__ import annotations

import unicodedata
from dataclasses import replace

from rnntag.sentences import Sentence, TagProbs

VARIANTS = 7
"""Number of kinds of `variant`."""


def variant(kind: int, sentence: Sentence, other: Sentence) -> Sentence:
    """One of the variants that training chooses from, lower case being two of them; see `TrainConfig.augment`.

    Args:
        kind: from 0 to `VARIANTS` - 1.
        other: any sentence. It is joined to this one, and its length selects the word of the one-word variant.
    """
    if kind == VARIANTS - 2:
        return joined(sentence, other)
    if kind == VARIANTS - 1:
        return alone(sentence, len(other.tokens) % max(len(sentence.tokens), 1))
    return (lower_case, lower_case, capitals, headline, unpunctuated)[kind](sentence)


def lower_case(sentence: Sentence) -> Sentence:
    """The sentence in lower case."""
    return replace(sentence, tokens=tuple(token.lower() for token in sentence.tokens))


def capitals(sentence: Sentence) -> Sentence:
    """The sentence in capitals."""
    return replace(sentence, tokens=tuple(token.upper() for token in sentence.tokens))


def headline(sentence: Sentence) -> Sentence:
    """The sentence with a capital for each word."""
    return replace(sentence, tokens=tuple(token[:1].upper() + token[1:] for token in sentence.tokens))


def unpunctuated(sentence: Sentence) -> Sentence:
    """The sentence without its last token if that is punctuation and not the only token."""
    if len(sentence.tokens) < 2 or not all(unicodedata.category(char)[0] == "P" for char in sentence.tokens[-1]):
        return sentence
    return _slice(sentence, slice(-1))


def alone(sentence: Sentence, position: int) -> Sentence:
    """One word of the sentence."""
    return _slice(sentence, slice(position, position + 1))


def joined(first: Sentence, second: Sentence) -> Sentence:
    """Both sentences as one, with the tagsets that both have; the first one alone without such a tagset."""
    tagsets = first.tags.keys() & second.tags.keys()
    if not tagsets:
        return first
    return Sentence(
        first.tokens + second.tokens,
        {tagset: first.tags[tagset] + second.tags[tagset] for tagset in tagsets},
        {
            tagset: _tag_probs(first, tagset) + _tag_probs(second, tagset)
            for tagset in tagsets
            if tagset in first.tag_probs or tagset in second.tag_probs
        },
    )


def _slice(sentence: Sentence, tokens: slice) -> Sentence:
    return Sentence(
        sentence.tokens[tokens],
        {tagset: tags[tokens] for tagset, tags in sentence.tags.items()},
        {tagset: tag_probs[tokens] for tagset, tag_probs in sentence.tag_probs.items()},
    )


def _tag_probs(sentence: Sentence, tagset: str) -> tuple[TagProbs, ...]:
    return sentence.tag_probs.get(tagset) or tuple([(tag, 1.0)] if tag else [] for tag in sentence.tags[tagset])
