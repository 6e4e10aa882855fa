"""Sentences, corpora and segmented text: the types that the packages share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from rnntag.errors import DataError

UPOS = (
    "ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM", "PART",
    "PRON", "PROPN", "PUNCT", "SCONJ", "SYM", "VERB", "X",
)  # fmt: skip
"""The 17 tags of Universal Dependencies v2 (https://universaldependencies.org/u/pos/)."""


UNIVERSAL = ("upos", "universal")
"""The tagsets that all languages share."""


NATIVE = "native"
"""The tagset of a model's language-specific tags, of all its languages."""


TagProbs = list[tuple[str, float]]
"""Tags with their probabilities (0 to 1), the most likely first."""


class Tags(NamedTuple):
    """The tags of a sentence in one tagset.

    Attributes:
        tags: one per token.
        tag_probs: for each token, tags with their probabilities, the predicted one first; or empty.
    """

    tags: Sequence[str]
    tag_probs: Sequence[TagProbs] = ()

    def of(self, core: slice) -> Tags:
        """Those of some of the tokens."""
        return Tags(self.tags[core], self.tag_probs[core])


Span = tuple[int, int]
"""Start and end in a text, in characters."""


UNNAMED = ""
"""The tagset of tags whose tagset is not known yet."""


UNTAGGED = ""
"""The tag of a word without one, in a sentence in which other words have one."""


def with_tags(columns: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """The columns in which at least one word has a tag, by tagset."""
    return {tagset: column for tagset, column in columns.items() if any(column)}


@dataclass(frozen=True, slots=True)
class Sentence:
    """The tokens of a sentence, with one tag per token for each tagset that it is annotated with.

    Attributes:
        tags: `UNTAGGED` for single words without a tag.
        tag_probs: by tagset, the likely tags of each token, if a model has annotated the sentence.
        spaces: the white space after each token; empty if unknown.
        opens: whether a paragraph begins with it.

    Raises:
        DataError: the number of tags differs from the number of tokens.
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
    """A named corpus with its three splits; a split may be empty."""

    name: str
    train: tuple[Sentence, ...] = ()
    dev: tuple[Sentence, ...] = ()
    test: tuple[Sentence, ...] = ()


@dataclass(frozen=True, slots=True)
class Segmentation:
    """The words and sentences of a text.

    Attributes:
        words: in order, without overlaps.
        ends: for each sentence, the number of words up to its end.
        tags: one for each of `words`, or none.
    """

    words: Sequence[Span]
    ends: Sequence[int]
    tags: Sequence[str] = ()
