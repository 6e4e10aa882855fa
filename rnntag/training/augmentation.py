"""The same sentence as other people would write it."""

from __future__ import annotations

import unicodedata

from rnntag.sentences import Sentence, TagProbs

VARIANTS = 7
"""How many `variants` a sentence has."""


def variants(sentence: Sentence, other: Sentence) -> tuple[Sentence, ...]:
    """What training chooses from, see `TrainConfig.augment`; lower case is the commonest by far.

    Args:
        other: any sentence, to stand in the same line; its length decides which word stands alone.
    """
    return (
        lower_case(sentence),
        lower_case(sentence),
        capitals(sentence),
        headline(sentence),
        unpunctuated(sentence),
        joined(sentence, other),
        alone(sentence, len(other.tokens) % max(len(sentence.tokens), 1)),
    )


def lower_case(sentence: Sentence) -> Sentence:
    """All of it in lower case."""
    return Sentence(tuple(token.lower() for token in sentence.tokens), sentence.tags, sentence.tag_probs)


def capitals(sentence: Sentence) -> Sentence:
    """All of it in capitals."""
    return Sentence(tuple(token.upper() for token in sentence.tokens), sentence.tags, sentence.tag_probs)


def headline(sentence: Sentence) -> Sentence:
    """Each word with a capital."""
    return Sentence(
        tuple(token[:1].upper() + token[1:] for token in sentence.tokens), sentence.tags, sentence.tag_probs
    )


def unpunctuated(sentence: Sentence) -> Sentence:
    """Without the punctuation at its end; the same if it has none, or nothing else."""
    if len(sentence.tokens) < 2 or not all(unicodedata.category(char)[0] == "P" for char in sentence.tokens[-1]):
        return sentence
    return _part(sentence, slice(-1))


def alone(sentence: Sentence, position: int) -> Sentence:
    """One of its words."""
    return _part(sentence, slice(position, position + 1))


def joined(first: Sentence, second: Sentence) -> Sentence:
    """Both as one, with the tagsets that both have; the first alone if there is none."""
    tagsets = first.tags.keys() & second.tags.keys()
    if not tagsets:
        return first
    return Sentence(
        first.tokens + second.tokens,
        {tagset: first.tags[tagset] + second.tags[tagset] for tagset in tagsets},
        {
            tagset: _choices(first, tagset) + _choices(second, tagset)
            for tagset in tagsets
            if tagset in first.tag_probs or tagset in second.tag_probs
        },
    )


def _part(sentence: Sentence, part: slice) -> Sentence:
    return Sentence(
        sentence.tokens[part],
        {tagset: tags[part] for tagset, tags in sentence.tags.items()},
        {tagset: tag_probs[part] for tagset, tag_probs in sentence.tag_probs.items()},
    )


def _choices(sentence: Sentence, tagset: str) -> tuple[TagProbs, ...]:
    return sentence.tag_probs.get(tagset) or tuple([(tag, 1.0)] for tag in sentence.tags[tagset])
