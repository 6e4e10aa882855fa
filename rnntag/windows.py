"""Overlapping windows of sequences that are too long for one batch: tokens of sentences, pretokens of texts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

WINDOW = 256
"""The most steps of a window; a sequence of at most so many is one window."""

OVERLAP = 32
"""Steps of context on each side of a window: no state reaches further in practice."""


class Sliceable(Protocol):
    """A list or tuple of tokens, or an array of rows."""

    def __len__(self) -> int: ...

    def __getitem__(self, steps: slice, /) -> Any: ...


Window = tuple[Any, slice]
"""At most `WINDOW` steps of a sequence, and the slice of its core: the steps that are not context."""


class Cutter:
    """Cuts a sentence whose tokens arrive in pieces.

    The windows do not depend on the pieces. Each token is in the core of exactly one window.
    """

    def __init__(self) -> None:
        self._tokens: list[str] = []
        self._context = 0

    def feed(self, tokens: Iterable[str]) -> Iterator[Window]:
        """Add tokens; yield the windows that they complete."""
        self._tokens += tokens
        begin = 0
        for begin, core in _full(len(self._tokens), self._context, OVERLAP):
            if core is not None:
                yield self._tokens[begin : begin + WINDOW], core
                self._context = OVERLAP
        del self._tokens[:begin]

    def finish(self) -> Window:
        """The last window; empty if there were no tokens."""
        return self._tokens, slice(self._context, None)


def _full(length: int, context: int, overlap: int) -> Iterator[tuple[int, slice | None]]:
    """Where the windows begin that more steps follow, and what is their core; at last where the rest
    begins, and None.

    Args:
        context: how many steps at the beginning are context.
    """
    # Windows of WINDOW steps begin WINDOW - 2 * overlap after one another, so that neighbours share 2 * overlap
    # steps. Of these the first half belongs to the core of the window before, the second to that of the window
    # after: each core begins where the last one ends. The first window has no context on its left, and the rest,
    # of which the caller makes the last window, none on its right.
    #
    #     window 1   [core core core|context]
    #     window 2         [context|core core|context]
    #     the rest                     [context|core core]
    begin = 0
    while length - begin > WINDOW:
        yield begin, slice(context, WINDOW - overlap)
        begin += WINDOW - 2 * overlap
        context = overlap
    yield begin, None


def windows(sequence: Sliceable, overlap: int | None = None) -> list[Window]:
    """The windows of a sequence; none for an empty one.

    Args:
        overlap: defaults to `OVERLAP`.
    """
    overlap = OVERLAP if overlap is None else overlap
    if len(sequence) <= WINDOW:
        return [(sequence, slice(0, None))] * bool(len(sequence))
    cut = []
    for begin, core in _full(len(sequence), 0, overlap):
        core = core or slice(overlap if begin else 0, None)
        cut.append((sequence[begin : begin + WINDOW], core))
    return cut


def blocks(
    sequences: Iterable[Sliceable], max_steps: int, overlap: int | None = None
) -> Iterator[list[tuple[int, Window]]]:
    """Group the `windows` of sequences, each with the position of its sequence, into blocks of at most `max_steps`."""
    block: list[tuple[int, Window]] = []
    steps = 0
    for position, sequence in enumerate(sequences):
        for window in windows(sequence, overlap):
            if block and steps + len(window[0]) > max_steps:
                yield block
                block, steps = [], 0
            block.append((position, window))
            steps += len(window[0])
    if block:
        yield block


def core_parts(block: Sequence[tuple[int, Window]], values: Any) -> Iterator[tuple[int, Any]]:
    """Split `values`, one per step of a block, by window, without context; each with the position of its sequence."""
    end = 0
    for position, (window, core) in block:
        begin, end = end, end + len(window)
        yield position, values[begin:end][core]
