"""Sentences made of frames, each with the words, sentences and tags that are right."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, islice, pairwise

from rnntag.sentences import Segmentation, Span
from rnntag.tagger import Tagger

SEED = 22
COUNT = 300
"""Sentences of each kind."""
DRAWN = 100
"""Sentences that are drawn for each that is asked for, at most: a kind may not have so many different ones."""

OPEN, CLOSE, END = "‹›¦"
"""In a frame: around what must be one word, and where a sentence must end. A frame without ends does not say where
sentences end."""
_MARKS = re.compile(f"[{OPEN}{CLOSE}{END}]")

_NO_SPACE_BEFORE = re.compile(r"[.,!?;:)”]|n't|'(?:s|re|ll|ve|d|m)", re.IGNORECASE)
_HAN = re.compile("[\u3000-\u9fff\uff00-\uff5e]")

Slots = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Reading:
    """One right answer.

    Attributes:
        words: spans that must be words.
        ends: where sentences must end, in characters; None: not said.
        tags: by span of a word, the tags that are right.
    """

    words: frozenset[Span]
    ends: frozenset[int] | None = None
    tags: Mapping[Span, frozenset[str]] = field(default_factory=dict)

    def allows(self, found: Segmentation) -> bool:
        ends = {found.words[end - 1][1] for end in found.ends}
        tags = dict(zip(found.words, found.tags, strict=True)) if self.tags else {}
        return (
            self.words <= {*found.words}
            and self.ends in (None, ends)
            and all(tags.get(span) in right for span, right in self.tags.items())
        )


@dataclass(frozen=True)
class Case:
    """A text with its right answers, of which any will do.

    Attributes:
        tokens: of the text, if they are given to the tagger as they are.
    """

    text: str
    readings: tuple[Reading, ...]
    tokens: tuple[str, ...] = ()


@dataclass(frozen=True)
class Kind:
    """A kind of text.

    Attributes:
        most: the largest share of sentences that may be wrong, 0 to 1.
        generate: gives cases without end, given random numbers.
    """

    name: str
    most: float
    generate: Callable[[random.Random], Iterator[Case]]

    def cases(self, count: int = COUNT, seed: int = SEED) -> list[Case]:
        """Distinct cases, always the same for a seed; fewer than `count` if the kind has no more."""
        kept: dict[str, Case] = {}
        for case in islice(self.generate(random.Random(f"{seed} {self.name}")), DRAWN * count):
            kept.setdefault(case.text, case)
            if len(kept) == count:
                break
        return [*kept.values()]


def marked(*frames: str) -> Case:
    """The case that frames of one text describe; see `OPEN`."""
    readings = []
    for frame in frames:
        words, ends, begin, place = set(), set(), 0, 0
        for part, mark in zip(_MARKS.split(frame), [*_MARKS.findall(frame), ""], strict=True):
            place += len(part)
            if mark == OPEN:
                begin = place
            elif mark == CLOSE:
                words.add((begin, place))
            elif mark == END:
                ends.add(place - len(part) + len(part.rstrip()))
        readings.append(Reading(frozenset(words), frozenset(ends) if ends else None))
    return Case(_MARKS.sub("", frames[0]), tuple(readings))


def raw(
    frames: Sequence[str], slots: Slots, mark: Callable[[str], Sequence[str]] = lambda text: [text]
) -> Callable[[random.Random], Iterator[Case]]:
    """A generator of cases of raw text.

    Args:
        frames: with the names of slots in braces.
        mark: gives the frames of each right answer, given a filled frame.
    """

    def generate(chance: random.Random) -> Iterator[Case]:
        while True:
            yield marked(*mark(filled(chance.choice(frames), slots, chance)))

    return generate


def tagged(frames: Sequence[str], slots: Slots, *, tokens: bool) -> Callable[[random.Random], Iterator[Case]]:
    """A generator of cases with tags.

    Args:
        frames: tokens separated by spaces, some with their tag after a slash.
        tokens: whether tokens are given to the tagger, not raw text.
    """

    def generate(chance: random.Random) -> Iterator[Case]:
        while True:
            items = [item.rpartition("/") for item in filled(chance.choice(frames), slots, chance).split()]
            words = [word or tag for word, _, tag in items]
            tags = [{tag} if word else set() for word, _, tag in items]
            spaces = [_is_apart(word, after) for word, after in pairwise(words)]
            starts = accumulate((len(w) + s for w, s in zip(words, spaces, strict=False)), initial=0)
            spans = [(start, start + len(word)) for start, word in zip(starts, words, strict=True)]
            text = "".join(w + " " * s for w, s in zip(words, [*spaces, False], strict=True))
            right = {span: frozenset(tag) for span, tag in zip(spans, tags, strict=True) if tag}
            yield Case(text, (Reading(frozenset(right), None, right),), tuple(words) if tokens else ())

    return generate


def _is_apart(word: str, after: str) -> bool:
    """Whether a space is written between two tokens."""
    return not (_NO_SPACE_BEFORE.fullmatch(after) or _HAN.match(after) or _HAN.match(word))


def filled(frame: str, slots: Slots, chance: random.Random) -> str:
    """A frame with a choice for each slot, and for the slots within them."""
    while "{" in frame:
        frame = re.sub(r"\{(\w+)\}", lambda slot: chance.choice(slots[slot[1]]), frame)
    return frame


def wrong(tagger: Tagger, cases: Sequence[Case]) -> list[tuple[Case, Segmentation]]:
    """The cases that a tagger gets wrong, with what it finds."""
    texts = iter(tagger.find([case.text for case in cases if not case.tokens], "upos"))
    tags = iter(tagger.predict([case.tokens for case in cases if case.tokens], "upos"))
    found = [_as_segmentation(case, next(tags)) if case.tokens else next(texts) for case in cases]
    return [
        (case, answer)
        for case, answer in zip(cases, found, strict=True)
        if not any(reading.allows(answer) for reading in case.readings)
    ]


def _as_segmentation(case: Case, tags: Sequence[str]) -> Segmentation:
    spans = []
    place = 0
    for token in case.tokens:
        begin = case.text.index(token, place)
        place = begin + len(token)
        spans.append((begin, place))
    return Segmentation(spans, [len(spans)], tags)


def shown(case: Case, found: Segmentation) -> str:
    """What was found, on one line: words with tags, sentences apart."""
    words = [f"{case.text[a:b]}/{tag}" for (a, b), tag in zip(found.words, found.tags, strict=True)]
    return " | ".join(" ".join(words[first:last]) for first, last in pairwise((0, *found.ends)))
