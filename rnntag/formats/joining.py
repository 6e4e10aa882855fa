"""The words of multiword tokens as one, for formats that have the tokens of the text: `du/ADP+DET`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import TypeVar

from rnntag.sentences import Multiword, TagProbs, Tags

_Item = TypeVar("_Item")


def joined(
    items: Sequence[_Item], multiwords: Sequence[Multiword], join: Callable[[Multiword, Sequence[_Item]], _Item]
) -> list[_Item]:
    """Items of words, those of each multiword token as one.

    Args:
        multiwords: in order.
        join: makes one item of those of a multiword token.
    """
    parts: list[_Item] = []
    done = 0
    for each in multiwords:
        parts += [*items[done : each.first], join(each, items[each.first : each.end])]
        done = each.end
    return [*parts, *items[done:]]


def joined_tags(column: Tags, multiwords: Sequence[Multiword]) -> Tags:
    """The tags of words, those of a multiword token joined by +. Their probability is the product of the words'."""
    tags = joined(column.tags, multiwords, lambda _, own: "+".join(own))
    if not column.tag_probs:
        return Tags(tags)
    return Tags(tags, joined(column.tag_probs, multiwords, lambda _, own: reduce(_products, own)))


def _products(left: TagProbs, right: TagProbs) -> TagProbs:
    """The most likely pairs of tags, as many as there are tags on the left."""
    pairs = [(f"{first}+{second}", p * q) for first, p in left for second, q in right]
    return sorted(pairs, key=lambda pair: -pair[1])[: len(left)]


def with_siblings(places: Sequence[int], multiwords: Sequence[Multiword]) -> list[int]:
    """The positions of words, and of the other words of their multiword tokens that are not in pieces."""
    added: set[int] = {*places}
    for each in multiwords:
        own = range(each.first, each.end)
        if not each.in_pieces and not added.isdisjoint(own):
            added.update(own)
    return sorted(added)


def chosen(places: Sequence[int], multiwords: Sequence[Multiword]) -> list[Multiword]:
    """The multiword tokens all of whose words are at these positions; their own positions are among these words."""
    place_of = {place: number for number, place in enumerate(places)}
    return [
        each._replace(first=place_of[each.first])
        for each in multiwords
        if place_of.keys() >= {*range(each.first, each.end)}
    ]
