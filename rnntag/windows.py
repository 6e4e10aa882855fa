"""Sentences too long to be tagged at once, cut into windows that overlap."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

WINDOW = 256
"""Tokens of the longest sentence that is tagged as it is."""

OVERLAP = 32
"""Tokens of context that a window of a longer one has on each side: no state reaches far enough for
a token to miss what lies beyond."""

Window = tuple[Sequence[str], slice]
"""Some tokens of a sentence, at most `WINDOW`, and which of them are not context alone."""
_ALL = slice(0, None)


class Cutter:
    """Cuts one sentence, whose tokens may arrive bit by bit.

    The windows do not depend on how the tokens arrive, and each token is in one window without
    being context there. A sentence of at most `WINDOW` tokens is one window.
    """

    def __init__(self) -> None:
        self._tokens: list[str] = []
        self._context = 0

    def feed(self, tokens: Iterable[str]) -> Iterator[Window]:
        """The windows that `tokens` complete."""
        self._tokens += tokens
        begin = 0
        while len(self._tokens) - begin > WINDOW:
            own = slice(self._context, WINDOW - OVERLAP)
            yield self._tokens[begin : begin + WINDOW], own
            begin += own.stop - OVERLAP
            self._context = OVERLAP
        del self._tokens[:begin]

    def finish(self) -> Window:
        """The last window; empty if no token has come."""
        return self._tokens, slice(self._context, None)


def windows(sentence: Sequence[str]) -> list[Window]:
    """The windows of a whole sentence; none of an empty one."""
    if len(sentence) > WINDOW:
        cutter = Cutter()
        return [*cutter.feed(sentence), cutter.finish()]
    return [(sentence, _ALL)] if sentence else []
