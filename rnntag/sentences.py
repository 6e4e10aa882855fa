"""Sentences, corpora and segmented text: the types that the packages share."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
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


class Multiword(NamedTuple):
    """A token of the text that is several words: English `don't` is `do n't`, French `du` is `de le`.

    Attributes:
        first: the position of its first word among the words of a sentence or of a text.
        token: as it is in the text.
        words: their forms, two or more.
    """

    first: int
    token: str
    words: tuple[str, ...]

    @property
    def end(self) -> int:
        """The position after its last word."""
        return self.first + len(self.words)

    @property
    def in_pieces(self) -> bool:
        """Whether the words are pieces of the token, one after the other, and so are in the text themselves."""
        return "".join(self.words) == self.token

    def spans(self, begin: int) -> list[Span]:
        """The span of each word, given where the token begins: that of the token, unless it is in pieces."""
        if not self.in_pieces:
            return [(begin, begin + len(self.token))] * len(self.words)
        ends = [*accumulate(map(len, self.words), initial=begin)]
        return [*pairwise(ends)]


def multiwords_between(multiwords: Sequence[Multiword], first: int, end: int) -> list[Multiword]:
    """The multiword tokens of the words from `first` to before `end`, their positions counted from `first`."""
    begin = bisect_left(multiwords, first, key=_first)
    inside = multiwords[begin : bisect_left(multiwords, end, lo=begin, key=_first)]
    return [multiword._replace(first=multiword.first - first) for multiword in inside]


def _first(multiword: Multiword) -> int:
    return multiword.first


def with_tags(columns: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """The columns in which at least one word has a tag, by tagset."""
    return {tagset: column for tagset, column in columns.items() if any(column)}


@dataclass(frozen=True, slots=True)
class Sentence:
    """The tokens of a sentence, with one tag per token for each tagset that it is annotated with.

    Attributes:
        tokens: the words, of a multiword token too.
        tags: `UNTAGGED` for single words without a tag.
        tag_probs: by tagset, the likely tags of each token, if a model has annotated the sentence.
        spaces: the white space after each token; empty if unknown. After a word inside a multiword token it is "".
        opens: whether a paragraph begins with it.
        multiwords: the multiword tokens, in order, if `spaces` is known.

    Raises:
        DataError: the number of tags differs from the number of tokens.
    """

    tokens: tuple[str, ...]
    tags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    tag_probs: Mapping[str, tuple[TagProbs, ...]] = field(default_factory=dict)
    spaces: tuple[str, ...] = ()
    opens: bool = False
    multiwords: tuple[Multiword, ...] = ()

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
        words: in order, without overlaps. The words of a multiword token that is not in pieces have its span.
        ends: for each sentence, the number of words up to its end.
        tags: one for each of `words`, or none.
        multiwords: the multiword tokens, in order.
    """

    words: Sequence[Span]
    ends: Sequence[int]
    tags: Sequence[str] = ()
    multiwords: Sequence[Multiword] = ()

    def forms(self, text: str) -> list[str]:
        """The words."""
        forms = [text[begin:end] for begin, end in self.words]
        for multiword in self.multiwords:
            forms[multiword.first : multiword.end] = multiword.words
        return forms

    @property
    def tokens(self) -> list[Span]:
        """The span of each token; a multiword token is one."""
        inner = {place for each in self.multiwords for place in range(each.first + 1, each.end)}
        firsts = [place for place in range(len(self.words)) if place not in inner]
        return [(self.words[first][0], self.words[end - 1][1]) for first, end in pairwise([*firsts, len(self.words)])]
