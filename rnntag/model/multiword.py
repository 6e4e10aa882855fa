"""How multiword tokens become words: French `du` is `de le`, Spanish `decirlo` is `decir lo`.

Universal Dependencies splits such tokens into words (https://universaldependencies.org/u/overview/tokenization.html).
How a language does so is learned from the ranges of its treebanks: whole tokens where the class is closed, endings and
beginnings where it is open.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice, takewhile
from typing import Any

from rnntag.sentences import Multiword, Segmentation, Span
from rnntag.storage.validation import validate

Words = tuple[str, ...]

MOST_LANGUAGES, MOST_RULES, MOST_WORDS = 256, 20_000, 8
"""Limits: languages, rules of one kind in a language, words of a token."""
LONGEST, LONGEST_AFFIX = 64, 10
"""Limits in characters: of a token that rules apply to and of a word of a rule; of an ending or beginning."""

_CONTEXT = 2
"""The most characters in an ending or beginning beyond those that the words change."""
_LEAST_TOKENS, _LEAST_SHARE = 2, 0.3
"""An ending or beginning is learned from at least so many different tokens, if it is right for this share of those that
have it. The longest one applies, so that a rule with exceptions does little harm."""

_FORM = {"wholes": {str: [str]}, "endings": {str: [str]}, "beginnings": {str: [str]}}
_NO_WORD = re.compile("[\\s\ud800-\udfff]")  # white space and unpaired surrogates


@dataclass(frozen=True, slots=True)
class Expansions:
    """The words of a language's multiword tokens, in lower case.

    Attributes:
        wholes: by token, its words.
        endings: by ending of a token, its words; the first is what follows the rest of the token, or "".
        beginnings: by beginning of a token, its words; the last is what precedes the rest of the token, or "".
    """

    wholes: Mapping[str, Words]
    endings: Mapping[str, Words]
    beginnings: Mapping[str, Words]

    @classmethod
    def learned(cls, tokens: Iterable[tuple[str, Words]], before: Expansions | None = None) -> Expansions:
        """The rules for some tokens, given with their words.

        The most frequent words of a token count. Those that an ending or beginning gives need no rule of their own.

        Args:
            before: rules to keep, unless there are newer ones for the same token, ending or beginning.
        """
        counts: dict[str, Counter[Words]] = defaultdict(Counter)
        for token, words in tokens:
            if _is_learnable(token, words):
                counts[_lower(token)][tuple(map(_lower, words))] += 1
        known = {token: _most_frequent(own) for token, own in sorted(counts.items())}
        mirrored = _endings({token[::-1]: _mirrored(words) for token, words in known.items()})
        beginnings = {ending[::-1]: _mirrored(words) for ending, words in mirrored.items()}
        open_class = cls({}, _endings(known), beginnings)
        wholes = {token: words for token, words in known.items() if open_class._words(token) != words}
        found = (wholes, open_class.endings, beginnings)
        old = (before.wholes, before.endings, before.beginnings) if before else ({}, {}, {})
        return cls(
            *(dict(islice({**new, **kept, **new}.items(), MOST_RULES)) for new, kept in zip(found, old, strict=True))
        )

    def words(self, token: str) -> Words:
        """The words of a multiword token, in its case where possible: `Du` is `De le`. None if no rule applies."""
        lower = _lower(token)
        words = self._words(lower) if len(lower) <= LONGEST else ()
        if "".join(words) == lower:
            spans = Multiword(0, lower, words).spans(0)
            return tuple(token[begin:end] for begin, end in spans)
        if len(token) > 1 and token.isupper():
            return tuple(map(str.upper, words))
        if words and token[0].isupper():
            return (words[0][:1].upper() + words[0][1:], *words[1:])
        return words

    def _words(self, token: str) -> Words:
        """The words of a token in lower case."""
        if token in self.wholes:
            return self.wholes[token]
        for size in range(min(len(token) - 1, LONGEST_AFFIX), 0, -1):
            if words := self.endings.get(token[-size:]):
                return (token[:-size] + words[0], *words[1:])
            if words := self.beginnings.get(token[:size]):
                return (*words[:-1], words[-1] + token[size:])
        return ()


def _lower(text: str) -> str:
    """In lower case, if that has as many characters."""
    lower = text.lower()
    return lower if len(lower) == len(text) else text


def _is_learnable(token: str, words: Words) -> bool:
    return 1 < len(words) <= MOST_WORDS and all(
        0 < len(part) <= LONGEST and not _NO_WORD.search(part) for part in (token, *words)
    )


def _most_frequent(counts: Counter[Words]) -> Words:
    """Of equally frequent ones the first in alphabetical order: the order of the corpora does not matter."""
    return min(counts, key=lambda words: (-counts[words], words))


def _mirrored(words: Words) -> Words:
    return tuple(word[::-1] for word in reversed(words))


def _endings(known: Mapping[str, Words]) -> dict[str, Words]:
    """The endings of tokens that tell their words, the shortest first."""
    counts: dict[str, Counter[Words]] = defaultdict(Counter)
    totals: Counter[str] = Counter()  # tokens that have each ending
    for token, words in known.items():
        totals.update(token[-size:] for size in range(1, min(len(token) - 1, LONGEST_AFFIX) + 1))
        shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(token, words[0], strict=False)))
        for place in range(max(shared - _CONTEXT, 1), min(shared, len(token) - 1) + 1):
            if len(token) - place <= LONGEST_AFFIX:
                counts[token[place:]][(words[0][place:], *words[1:])] += 1
    rules: dict[str, Words] = {}
    for ending in sorted(counts, key=lambda ending: (len(ending), ending)):
        words = _most_frequent(counts[ending])
        count = counts[ending][words]
        if count >= _LEAST_TOKENS and count >= _LEAST_SHARE * totals[ending] and _by_shorter(ending, rules) != words:
            rules[ending] = words
    return rules


def _by_shorter(ending: str, rules: Mapping[str, Words]) -> Words:
    """The words of an ending by the rule for the longest shorter ending; none without one."""
    for place in range(1, len(ending)):
        if words := rules.get(ending[place:]):
            return (ending[:place] + words[0], *words[1:])
    return ()


def from_tables(tables: Mapping[str, Any]) -> dict[str, Expansions]:
    """The rules by language; the inverse of `tables`.

    Raises:
        ValueError: the tables are invalid.
    """
    validate(tables, {str: _FORM}, "multiwords")
    if len(tables) > MOST_LANGUAGES:
        raise ValueError(f"multiwords has {len(tables)} languages")
    for own in tables.values():
        for kind, rules in own.items():
            if len(rules) > MOST_RULES:
                raise ValueError(f"{kind} has {len(rules)} rules")
            for token, words in rules.items():
                _check(kind, token, words)
    return {
        language: Expansions(
            **{kind: {key: tuple(words) for key, words in rules.items()} for kind, rules in own.items()}
        )
        for language, own in tables.items()
    }


def _check(kind: str, token: str, words: Sequence[str]) -> None:
    empty = {"wholes": None, "endings": 0, "beginnings": len(words) - 1}[kind]  # the word that may be ""
    if not (
        0 < len(token) <= (LONGEST if kind == "wholes" else LONGEST_AFFIX)
        and 1 < len(words) <= MOST_WORDS
        and all(len(word) <= LONGEST and (word or place == empty) for place, word in enumerate(words))
        and not _NO_WORD.search("".join(words))
    ):
        raise ValueError(f"{kind}: {token!r:.40} cannot become {words!r:.80}")


def tables(expansions: Mapping[str, Expansions]) -> dict[str, Any]:
    """The rules by language, as a JSON object."""
    return {language: asdict(rules) for language, rules in expansions.items()}


def expanded(tokens: Segmentation, words_of: Mapping[int, tuple[str, Words]]) -> Segmentation:
    """The words of tokens.

    Args:
        tokens: of a text, each as a word.
        words_of: by position, the multiword tokens and their words.
    """
    words: list[Span] = []
    multiwords: list[Multiword] = []
    totals = [0]  # words before each token
    for position, span in enumerate(tokens.words):
        if position in words_of:
            multiwords.append(Multiword(len(words), *words_of[position]))
            words += multiwords[-1].spans(span[0])
        else:
            words.append(span)
        totals.append(len(words))
    return Segmentation(words, [totals[end] for end in tokens.ends], multiwords=multiwords)
