"""Frequent words of many languages: the lists of the package wordfreq (Speer 2022; CC BY-SA 4.0)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, islice, zip_longest

import regex

MOST = 40_000
_CODES = {"hr": "sh", "sr": "sh", "nn": "nb"}
"""Languages that have the list of another."""
_LETTERS = regex.compile(r"[\p{L}\p{M}]+")
"""Letters with their marks: the vowels of Hindi are marks."""


def frequent(language: str, most: int = MOST) -> Iterator[str]:
    """The words of a language, the most frequent ones first and in lower case; none without a list."""
    import wordfreq

    code = _CODES.get(language, language)
    if code in wordfreq.available_languages("small"):
        words = chain.from_iterable(wordfreq.get_frequency_list(code))
        yield from islice((word for word in words if len(word) > 1 and _LETTERS.fullmatch(word)), most)


def together(languages: Sequence[str], most: int) -> Iterator[str]:
    """At most so many words of each language: first the most frequent of each, then the next."""
    lists = [frequent(language, most) for language in languages]
    yield from dict.fromkeys(word for row in zip_longest(*lists) for word in row if word)
