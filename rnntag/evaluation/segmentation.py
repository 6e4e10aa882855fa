"""Precision, recall and F1 of tokens, words, sentences and tags in raw text, as in the CoNLL 2018 shared task (Zeman et
al. 2018, https://universaldependencies.org/conll18/evaluation.html)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from typing import NamedTuple

from rnntag.corpora.raw_text import GoldParagraph
from rnntag.sentences import UNTAGGED, Segmentation, Span


@dataclass(frozen=True, slots=True)
class PRF:
    """Precision, recall and F1 (0 to 1) from the number of items in the gold standard, of those found, and of both."""

    gold: int = 0
    found: int = 0
    both: int = 0

    @property
    def precision(self) -> float:
        return self.both / self.found if self.found else 0.0

    @property
    def recall(self) -> float:
        return self.both / self.gold if self.gold else 0.0

    @property
    def f1(self) -> float:
        return 2 * self.both / (self.gold + self.found) if self.both else 0.0


class _Word(NamedTuple):
    """A word and its place: the span of its multiword token, if it is in one."""

    begin: int
    end: int
    form: str
    is_part: bool


def agreement(
    gold: Iterable[GoldParagraph], found: Iterable[Segmentation], tagset: str | None = None
) -> dict[str, PRF]:
    """Compare words, sentences and tags. A word is correct if it is `aligned` with a gold word, and a sentence if it
    begins and ends where a gold one does; a tag is correct if its word is and has that tag in the gold standard. White
    space does not count, nor does the tag of a word that has none in the gold standard.

    Args:
        found: in the order of `gold`.
        tagset: of the tags to compare; None: compare no tags.

    Returns:
        `words`, `sentences` and, with a tagset, `tags`.
    """
    kinds = ("words", "sentences", "tags") if tagset else ("words", "sentences")
    counts = {kind: [0, 0, 0] for kind in kinds}

    def count(kind: str, *numbers: int) -> None:
        counts[kind] = [before + number for before, number in zip(counts[kind], numbers, strict=True)]

    for paragraph, segmentation in zip(gold, found, strict=True):
        expected = paragraph.segmentation
        pairs = aligned(paragraph.text, expected, segmentation)
        count("words", len(expected.words), len(segmentation.words), len(pairs))
        count("sentences", *_shared(_sentences(expected), _sentences(segmentation)))
        if tagset:
            tags = paragraph.tags[tagset]
            both = sum(tags[place] == segmentation.tags[other] != UNTAGGED for place, other in pairs)
            ignored = sum(tags[place] == UNTAGGED for place, _ in pairs)
            tagged = len(tags) - tags.count(UNTAGGED)
            count("tags", tagged, len(segmentation.words) - ignored, both)
    return {kind: PRF(*numbers) for kind, numbers in counts.items()}


def token_agreement(gold: Iterable[GoldParagraph], found: Iterable[Segmentation]) -> PRF:
    """Compare the tokens of the text by their places, a multiword token as one; else as `agreement`."""
    pairs = zip(gold, found, strict=True)
    return _total(_shared({*paragraph.segmentation.tokens}, {*own.tokens}) for paragraph, own in pairs)


def multiword_agreement(gold: Iterable[GoldParagraph], found: Iterable[Segmentation]) -> PRF:
    """Compare multiword tokens. One is correct if the gold standard has the same words, in lower case, at its place."""
    pairs = zip(gold, found, strict=True)
    return _total(_shared(_multiwords(paragraph.segmentation), _multiwords(own)) for paragraph, own in pairs)


def aligned(text: str, gold: Segmentation, found: Segmentation) -> list[tuple[int, int]]:
    """The positions of the words that are in both, in order.

    Outside multiword tokens, these are words that begin and end at the same places. Within multiword tokens of either
    side and what overlaps with them, they are the longest common subsequence of the forms in lower case.
    """
    left, right = _words(text, gold), _words(text, found)
    pairs: list[tuple[int, int]] = []
    place = other = 0
    while place < len(left) and other < len(right):
        one, two = left[place], right[other]
        if one.is_part or two.is_part:
            # What begins before the first multiword token is outside.
            if one.is_part and not two.is_part and two.begin < one.begin:
                other += 1
            elif two.is_part and not one.is_part and one.begin < two.begin:
                place += 1
            ends = _overlap(left, right, place, other, one.end if one.is_part else two.end)
            forms = [word.form for word in left[place : ends[0]]], [word.form for word in right[other : ends[1]]]
            pairs += [(place + first, other + second) for first, second in _common_subsequence(*forms)]
            place, other = ends
        elif (one.begin, one.end) == (two.begin, two.end):
            pairs.append((place, other))
            place, other = place + 1, other + 1
        elif one.begin <= two.begin:
            place += 1
        else:
            other += 1
    return pairs


def _words(text: str, segmentation: Segmentation) -> list[_Word]:
    forms = segmentation.forms(text)
    words = [_Word(*span, form.lower(), False) for span, form in zip(segmentation.words, forms, strict=True)]
    for each in segmentation.multiwords:
        begin, end = words[each.first].begin, words[each.end - 1].end
        for place in range(each.first, each.end):
            words[place] = _Word(begin, end, words[place].form, True)
    return words


def _overlap(left: Sequence[_Word], right: Sequence[_Word], place: int, other: int, end: int) -> tuple[int, int]:
    """Where the words end, on either side, that a multiword token overlaps with, or others that overlap with those.

    Args:
        place, other: where they begin.
        end: of the first multiword token, in characters.
    """
    while not (_is_over(left, place, end) and _is_over(right, other, end)):
        if place < len(left) and (other == len(right) or left[place].begin <= right[other].begin):
            word, place = left[place], place + 1
        else:
            word, other = right[other], other + 1
        if word.is_part:
            end = max(end, word.end)
    return place, other


def _is_over(words: Sequence[_Word], place: int, end: int) -> bool:
    if place == len(words):
        return True
    return words[place].begin >= end if words[place].is_part else words[place].end > end


def _common_subsequence(left: Sequence[str], right: Sequence[str]) -> list[tuple[int, int]]:
    """The positions of a longest common subsequence."""
    lengths = [[0] * (len(right) + 1) for _ in range(len(left) + 1)]  # of those from each position on
    for place in reversed(range(len(left))):
        for other in reversed(range(len(right))):
            either = max(lengths[place + 1][other], lengths[place][other + 1])
            matched = lengths[place + 1][other + 1] + 1 if left[place] == right[other] else 0
            lengths[place][other] = max(either, matched)
    pairs = []
    place = other = 0
    while place < len(left) and other < len(right):
        if left[place] == right[other]:
            pairs.append((place, other))
            place, other = place + 1, other + 1
        elif lengths[place][other] == lengths[place + 1][other]:
            place += 1
        else:
            other += 1
    return pairs


def _shared(expected: Set[object], actual: Set[object]) -> tuple[int, int, int]:
    """The number of items in the gold standard, of those found, and of both."""
    return len(expected), len(actual), len(expected & actual)


def _total(counts: Iterable[tuple[int, int, int]]) -> PRF:
    return PRF(*map(sum, zip((0, 0, 0), *counts, strict=True)))


def _multiwords(found: Segmentation) -> set[tuple[int, int, tuple[str, ...]]]:
    """Where each multiword token begins and ends, and its words."""
    return {
        (found.words[each.first][0], found.words[each.end - 1][1], tuple(map(str.lower, each.words)))
        for each in found.multiwords
    }


def _sentences(found: Segmentation) -> set[Span]:
    bounds = zip((0, *found.ends), found.ends, strict=False)
    return {(found.words[begin][0], found.words[end - 1][1]) for begin, end in bounds if begin < end}
