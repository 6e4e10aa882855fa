"""Charts of text."""

from __future__ import annotations

from collections.abc import Sequence

BARS = "▁▂▃▄▅▆▇█"


def bars(values: Sequence[float | None], low: float, high: float) -> str:
    """A character for each value, whose height shows where the value lies between `low` and `high`; blank for None and
    for lower values."""
    span = high - low or 1.0
    shares = [-1.0 if value is None else (value - low) / span for value in values]
    return "".join(BARS[min(int(share * len(BARS)), len(BARS) - 1)] if share >= 0 else " " for share in shares)


def columns(values: Sequence[float], low: float, high: float, height: int) -> list[str]:
    """Lines, from the top, with a column for each value: all lines high for `high`, an eighth of a line for `low`."""
    most = height * len(BARS)
    span = high - low
    levels = [1 + round((value - low) / span * (most - 1)) if span > 0 else most for value in values]
    cells = f" {BARS}"
    return [
        "".join(cells[min(max(level - row * len(BARS), 0), len(BARS))] for level in levels)
        for row in reversed(range(height))
    ]
