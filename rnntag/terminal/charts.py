"""Charts of text."""

from __future__ import annotations

from collections.abc import Sequence

BARS = "▁▂▃▄▅▆▇█"


def bars(values: Sequence[float | None], low: float, high: float) -> str:
    """One character for each value, the higher the greater it is between `low` and `high`; blank for
    those below, or none."""
    span = high - low or 1.0
    shares = [-1.0 if value is None else (value - low) / span for value in values]
    return "".join(BARS[min(int(share * len(BARS)), len(BARS) - 1)] if share >= 0 else " " for share in shares)


def columns(values: Sequence[float], low: float, high: float, height: int) -> list[str]:
    """Lines, the topmost first, of a column for each value, which fills all of them where the value is
    `high` and an eighth of the lowest one where it is `low`."""
    most = height * len(BARS)
    span = high - low
    levels = [1 + round((value - low) / span * (most - 1)) if span > 0 else most for value in values]
    cells = f" {BARS}"
    return [
        "".join(cells[min(max(level - row * len(BARS), 0), len(BARS))] for level in levels)
        for row in reversed(range(height))
    ]
