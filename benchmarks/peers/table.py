"""A Markdown table of the measurements."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple


@dataclass
class Row:
    """The measurements of a peer; None if not applicable.

    Attributes:
        accuracy, unknown: 0 to 1, on all words and on unknown words.
        minutes: of training; `cut`: whether the limit ended it.
        starts: seconds of whole processes that tag one sentence.
        speeds: tokens per second after start-up.
        megabytes: peak resident memory while tagging the test split, in 10⁶ bytes.
        disk: the model's size in 10⁶ bytes.
        elsewhere: whether it was trained elsewhere, perhaps on other data.
    """

    name: str
    accuracy: float | None = None
    unknown: float | None = None
    minutes: float | None = None
    cut: bool = False
    starts: list[float] = field(default_factory=list)
    speeds: list[float] = field(default_factory=list)
    megabytes: float = 0.0
    disk: float | None = None
    elsewhere: bool = False

    @property
    def start(self) -> float:
        return statistics.median(self.starts)

    @property
    def speed(self) -> float:
        return statistics.median(self.speeds)


class Column(NamedTuple):
    title: str
    value: Callable[[Row], float | None]
    form: str
    more_is_better: bool


def columns(unit: Row | None) -> list[Column]:
    """The columns; with `unit`, one more for speeds relative to it."""
    speeds = [Column("tokens/s", lambda row: row.speed, ",.0f", True)]
    if unit:
        pace = unit.speed
        speeds.append(Column(f"speed relative to {unit.name}", lambda row: row.speed / pace, ".2f", True))
    return [
        Column("all words, %", lambda row: row.accuracy and 100 * row.accuracy, ".2f", True),
        Column("unknown words, %", lambda row: row.unknown and 100 * row.unknown, ".2f", True),
        Column("training, min", lambda row: row.minutes, ".1f", False),
        Column("start-up, s", lambda row: row.start, ".2f", False),
        *speeds,
        Column("memory, MB", lambda row: row.megabytes, ".0f", False),
        Column("model, MB", lambda row: row.disk, ".1f", False),
    ]


def markdown(rows: Sequence[Row], reference: str, unit: str) -> str:
    """The table, one row per peer. Figures better than those of `reference` are bold; speeds are relative to `unit`."""
    named = {row.name: row for row in rows}
    shown = columns(named.get(unit))
    lines = [f"| | {' | '.join(column.title for column in shown)} |", f"| --- |{' ---: |' * len(shown)}"]
    for row in rows:
        cells = [_cell(row, column, named.get(reference)) for column in shown]
        lines.append(f"| {row.name}{' †' if row.elsewhere else ''} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(row: Row, column: Column, reference: Row | None) -> str:
    mine = column.value(row)
    if mine is None:
        return ""
    text = format(mine, column.form)
    if row.cut and column.title.startswith("training"):
        return f"{text} ‡"
    theirs = column.value(reference) if reference else None
    if theirs is None or row.elsewhere or text == format(theirs, column.form):
        return text
    return f"**{text}**" if (mine > theirs) == column.more_is_better else text
