"""Precision, recall and F1 of words, sentences and tags in raw text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

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


def agreement(
    gold: Iterable[GoldParagraph], found: Iterable[Segmentation], tagset: str | None = None
) -> dict[str, PRF]:
    """Compare words, sentences and tags by their places in the text, as in the CoNLL 2018 shared task (Zeman et al.
    2018). A word is correct if it begins and ends where a gold word does, and so is a sentence; a tag is correct if its
    word is and has that tag in the gold standard. White space does not count, nor does the tag of a word that has none
    in the gold standard.

    Args:
        found: in the order of `gold`.
        tagset: of the tags to compare; None: compare no tags.

    Returns:
        `words`, `sentences` and, with a tagset, `tags`.
    """
    kinds = ("words", "sentences", "tags") if tagset else ("words", "sentences")
    counts = {kind: [0, 0, 0] for kind in kinds}

    def count(kind: str, expected: set[tuple[object, ...]], actual: set[tuple[object, ...]]) -> None:
        for place, number in enumerate((len(expected), len(actual), len(expected & actual))):
            counts[kind][place] += number

    for paragraph, segmentation in zip(gold, found, strict=True):
        count("words", {*paragraph.words}, {*segmentation.words})
        gold_sentences = _sentences(paragraph.words, paragraph.ends)
        count("sentences", gold_sentences, _sentences(segmentation.words, segmentation.ends))
        if tagset:
            tags = dict(zip(paragraph.words, paragraph.tags[tagset], strict=True))
            found_tags = zip(segmentation.words, segmentation.tags, strict=True)
            gold_tags: set[tuple[object, ...]] = {(word, tag) for word, tag in tags.items() if tag != UNTAGGED}
            count("tags", gold_tags, {(word, tag) for word, tag in found_tags if tags.get(word) != UNTAGGED})
    return {kind: PRF(*numbers) for kind, numbers in counts.items()}


def _sentences(words: Sequence[Span], ends: Sequence[int]) -> set[tuple[object, ...]]:
    return {(words[begin][0], words[end - 1][1]) for begin, end in zip((0, *ends), ends, strict=False) if begin < end}
