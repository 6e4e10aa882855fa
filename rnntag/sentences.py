"""Sentences, corpora and places in text: what the packages pass to one another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rnntag.errors import DataError

UPOS = (
    "ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM", "PART",
    "PRON", "PROPN", "PUNCT", "SCONJ", "SYM", "VERB", "X",
)  # fmt: skip
"""The 17 tags of Universal Dependencies v2 (https://universaldependencies.org/u/pos/)."""


TagProbs = list[tuple[str, float]]
"""Tags with their probabilities (0 to 1), the likeliest first."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """The tokens of one sentence, and for each tagset that it is annotated with, one tag a token.

    Attributes:
        tag_probs: where a model has annotated it, for each token also the tags that it found likely.
        spaces: the white space that follows each token in the text; empty where that is not known.
        opens: whether a paragraph begins with it.

    Raises:
        DataError: a tagset has more or fewer tags than there are tokens.
    """

    tokens: tuple[str, ...]
    tags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    tag_probs: Mapping[str, tuple[TagProbs, ...]] = field(default_factory=dict)
    spaces: tuple[str, ...] = ()
    opens: bool = False

    def __post_init__(self) -> None:
        for tagset, column in (*self.tags.items(), *self.tag_probs.items()):
            if len(column) != len(self.tokens):
                raise DataError(f"{len(self.tokens)} tokens but {len(column)} {tagset} tags: {' '.join(self.tokens)}")


@dataclass(frozen=True, slots=True)
class Corpus:
    """A named corpus in its three parts; a part may be empty."""

    name: str
    train: tuple[Sentence, ...] = ()
    dev: tuple[Sentence, ...] = ()
    test: tuple[Sentence, ...] = ()


@dataclass(frozen=True, slots=True)
class Segmentation:
    """What a segmenter finds in a text.

    Attributes:
        tags: one for each of `words`, or none.
    """

    words: Sequence[Span]
    ends: Sequence[int]
    tags: Sequence[str] = ()


Span = tuple[int, int]
"""Where something begins and ends in a text, in characters."""


UNNAMED = ""
