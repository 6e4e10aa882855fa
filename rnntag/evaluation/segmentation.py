"""How well words, sentences and tags are found in raw text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rnntag.corpora.raw_text import GoldParagraph
from rnntag.sentences import Segmentation, Span


@dataclass(frozen=True, slots=True)
class PRF:
    """Precision, recall and F1 (0 to 1), from the number of items in the gold standard, of those found, and of
    those in both."""

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
    """Words, sentences and tags by their places in the text, as in the CoNLL 2018 shared task (Zeman
    et al. 2018): a word is right if it begins and ends where a gold word does, a sentence likewise,
    a tag if its word is right and has that tag. White space does not count.

    Args:
        found: in the order of `gold`.
        tagset: whose tags to compare; if None, none are.

    Returns:
        `words`, `sentences` and, with a tagset, `tags`.
    """
    kinds = ("words", "sentences", "tags") if tagset else ("words", "sentences")
    counts = {kind: [0, 0, 0] for kind in kinds}

    def count(kind: str, ours: set[tuple[object, ...]], theirs: set[tuple[object, ...]]) -> None:
        for place, number in enumerate((len(ours), len(theirs), len(ours & theirs))):
            counts[kind][place] += number

    for passage, one in zip(gold, found, strict=True):
        count("words", {*passage.words}, {*one.words})
        count("sentences", _sentences(passage.words, passage.ends), _sentences(one.words, one.ends))
        if tagset:
            ours = zip(passage.words, passage.tags[tagset], strict=True)
            count("tags", {*ours}, {*zip(one.words, one.tags, strict=True)})
    return {kind: PRF(*numbers) for kind, numbers in counts.items()}


def _sentences(words: Sequence[Span], ends: Sequence[int]) -> set[tuple[object, ...]]:
    return {(words[begin][0], words[end - 1][1]) for begin, end in zip((0, *ends), ends, strict=False) if begin < end}
