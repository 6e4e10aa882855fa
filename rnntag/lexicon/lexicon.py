"""A user's words, with their tags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from rnntag.config import LexiconMode
from rnntag.lexicon import choice
from rnntag.lexicon.occurrences import WordIndex
from rnntag.model import rules, spelling
from rnntag.model.arrays import Flags, Ids
from rnntag.model.characters import are_signs
from rnntag.model.pretokens import NO_GAP, Scan
from rnntag.model.rules import INSIDE
from rnntag.onnx.session import Scores

_NO_TAGS: tuple[str, ...] = ()


class Lexicon:
    """Words that raw text is searched for, and tags that they may have. Thread-safe.

    A form in the text is looked up as it is, then in lower case. Its invisible characters do not count.

    Args:
        entries: by word, its tags, of any tagsets; without tags it may have any. A word has no white space and no
            invisible characters.
        mode: `prefer`: the words get a bonus beside the scores of the segmenter. `force`: they are always found, of
            overlapping ones the longest.

    Attributes:
        choices: the different tags of words, first those of a word that may have any tag: ().
    """

    def __init__(self, entries: Mapping[str, tuple[str, ...]], mode: LexiconMode = "prefer") -> None:
        self._entries = entries
        self._mode = mode
        self.choices = tuple(dict.fromkeys([_NO_TAGS, *entries.values()]))
        self._position = {tags: position for position, tags in enumerate(self.choices)}

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._entries, self._mode)

    def __contains__(self, form: str) -> bool:
        """Whether a form in the text is one of the words."""
        return _entry(self._entries, form) is not None

    def choices_of(self, tokens: Sequence[str]) -> Ids:
        """The positions of tokens' tags in `choices`, shape [tokens]."""
        own = (_entry(self._entries, token) for token in tokens)
        return np.array([0 if tags is None else self._position[tags] for tags in own], dtype=np.int64)

    def applied(self, scores: Scores, text: str, scan: Scan, may_end: Flags) -> Ids:
        """The classes of units, shape [units], with the words of the lexicon and after the rules.

        Args:
            scores: of the network for the classes of each unit, shape [units, classes].
            text: the texts joined by line feeds.
            may_end: whether a word may end after each unit, shape [units].
        """
        classes: Ids = scores.argmax(-1)
        if not len(classes):
            return classes
        before_gap = np.append(scan.gaps[1:] != NO_GAP, True)
        words = self._index.find(text, scan, may_end)
        if self._mode == "force":
            words = choice.longest_first(words, scan.ends[words.lasts] - scan.starts[words.firsts])
        else:
            words = choice.most_likely(words, scores, before_gap, are_signs(text)[scan.starts])
        classes = rules.applied(text, scan, choice.imposed(classes, words))
        if self._mode == "prefer":  # a rule that finds a larger word, such as a URL, is right
            ends = np.append(True, (classes > INSIDE) | before_gap)
            words = words.only(ends[words.firsts] & ends[words.lasts + 1])
        return choice.imposed(classes, words)

    @cached_property
    def _index(self) -> WordIndex:
        return WordIndex(self._entries)


def _entry(entries: Mapping[str, tuple[str, ...]], form: str) -> tuple[str, ...] | None:
    """The tags of a form in the text, or None if it is no entry."""
    tags = entries.get(form)
    if tags is None:
        shown = form if form.isprintable() else form.translate(spelling.NOT_SHOWN)
        tags = entries.get(shown)
        if tags is None:
            tags = entries.get(shown.lower())
    return tags
