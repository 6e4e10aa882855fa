"""The columns of TSV and of vertical text, by their names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from rnntag.errors import UsageError
from rnntag.formats.records import InputSentence
from rnntag.sentences import TagProbs, Tags

OTHERS = ("form", "start", "end", "source")
"""The columns that do not depend on a tagset."""

_CONFIDENCE = "confidence"
_TAG = re.compile(r"(?P<tagset>.+?)(?:_(?P<rank>[1-9][0-9]{0,3}))?(?P<confidence>_confidence)?")


class Column(NamedTuple):
    """A column.

    Attributes:
        name: for the header.
        tagset: of its tags; "" for one of `OTHERS`.
        rank: of its tags among those of the word, 1 for the most likely.
        is_probability: whether it has the tags' probabilities instead.
    """

    name: str
    tagset: str = ""
    rank: int = 1
    is_probability: bool = False

    @property
    def top(self) -> int:
        """How many of a word's most likely tags this column needs, with probabilities; 0: only the word's tag."""
        return self.rank if self.rank > 1 or self.is_probability else 0


def parse(names: Sequence[str], tagsets: Sequence[str]) -> tuple[Column, ...]:
    """The columns of these names: `form`, `start` and `end` in raw text, `source`, and of a tagset `upos` its tag,
    `upos_confidence`, `upos_2`, `upos_2_confidence`. `confidence` is that of the first tagset that is named.

    Args:
        tagsets: those to choose from.

    Raises:
        UsageError: there is no such column.
    """
    found = [_column(name, tagsets) for name in names]
    first = next((column.tagset for column in found if column and column.tagset), next(iter(tagsets), ""))
    columns = []
    for name, column in zip(names, found, strict=True):
        if name == _CONFIDENCE:
            column = Column(name, first, is_probability=True)
        if column is None:
            known = ", ".join(["form", *tagsets, _CONFIDENCE, *OTHERS[1:]])
            raise UsageError(f"unknown column {name!r}: use {known}, or for each tagset "
                             f"{tagsets[0]}_confidence, {tagsets[0]}_2, {tagsets[0]}_2_confidence …")  # fmt: skip
        columns.append(column)
    return tuple(columns)


def _column(name: str, tagsets: Sequence[str]) -> Column | None:
    if name in OTHERS:
        return Column(name)
    if name in tagsets:
        return Column(name, name)
    parts = _TAG.fullmatch(name)
    if parts and parts["tagset"] in tagsets:
        return Column(name, parts["tagset"], int(parts["rank"] or 1), is_probability=bool(parts["confidence"]))
    return None


def default(tagsets: Sequence[str], choices: Sequence[int]) -> tuple[Column, ...]:
    """The token and, for each tagset, its tag, or alternating tags and probabilities.

    Args:
        choices: by tagset, how many tags each token has with their probabilities; 0: one tag without.
    """
    columns = [Column("form")]
    for tagset, count in zip(tagsets, choices, strict=True):
        columns.append(Column(tagset, tagset))
        for rank in range(1, count + 1):
            name = tagset if rank == 1 else f"{tagset}_{rank}"
            columns += [Column(name, tagset, rank)] * (rank > 1)
            columns.append(Column(f"{name}_confidence", tagset, rank, is_probability=True))
    return tuple(columns)


def cells(
    column: Column, tokens: Sequence[str], sentence: InputSentence, tags: Tags | None, document: str
) -> Sequence[str]:
    """A column of a sentence, a cell for each of the tokens to write; empty where nothing is known.

    Args:
        tags: in the column's tagset, if it has one.
    """
    if tags:
        if not tags.tag_probs:
            return tags.tags
        return [_choice(choices, column) for choices in tags.tag_probs]
    if column.name == "form":
        return tokens
    if column.name == "source":
        return [document] * len(tokens)
    offsets = sentence.offsets
    if not offsets:
        return [""] * len(tokens)
    edge = column.name == "end"
    return [str(offsets.start + span[edge]) for span in offsets.words]


def _choice(choices: TagProbs, column: Column) -> str:
    if column.rank > len(choices):
        return ""
    tag, probability = choices[column.rank - 1]
    return f"{probability:.4f}" if column.is_probability else tag
