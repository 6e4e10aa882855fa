"""What people see: tables, coloured tags, errors. All of it but results on stderr."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from itertools import chain, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from rnntag import history
from rnntag.evaluation import percent
from rnntag.schema import AccessError
from rnntag.terminal import SafeConsole, as_json, as_lines, visible

if TYPE_CHECKING:
    from rnntag import report_tables
    from rnntag.comparison import CellReport
    from rnntag.explanation import Explanation, Gate
    from rnntag.history import Epoch

COLOURS = {
    "NOUN": "green", "PROPN": "bold green", "PRON": "cyan", "VERB": "red", "AUX": "magenta", "ADJ": "yellow",
    "ADV": "bright_yellow", "ADP": "blue", "DET": "bright_cyan", "NUM": "bright_blue", "CCONJ": "bright_magenta",
    "CONJ": "bright_magenta", "SCONJ": "bright_magenta", "PART": "bright_red", "PRT": "bright_red",
    "INTJ": "bright_green", "PUNCT": "dim", ".": "dim", "SYM": "dim",
}  # fmt: skip
FOLDABLE_COLUMNS = 10
BARS = "▁▂▃▄▅▆▇█"
LEAST_REACH = 1e-6
RECALL_STRIDE = 2
CHART_HEIGHT = 8
"""Lines of a chart."""
NARROW, WIDE = 60, 120
"""Characters of a line of charts, at least and at most."""
OTHER_TAGS_SHOWN = 2
CHANGES_SHOWN = 4
LEAST_SHOWN = 0.001
"""Smaller probabilities, and changes of them, are not worth a reader's time."""

LEAST_ABOUT = 24
"""Characters that tell what a corpus is, at least, where they are not told whole."""

GAP = 2
"""Spaces between the columns of the table of corpora."""

LONGEST_MESSAGE = 2000
"""Characters of an error, at most: what it quotes may be as long as its input."""


def results() -> TextIO:
    """Where results go.

    Raises:
        AccessError: it is closed.
    """
    if sys.stdout is None:
        raise AccessError("standard output is closed")
    return sys.stdout


def stdout() -> Console:
    """A console for results; see `results`."""
    return SafeConsole(file=results(), soft_wrap=True)


def stderr() -> Console:
    """A console for everything else."""
    return SafeConsole(stderr=True, soft_wrap=True)


def error(message: str) -> None:
    """Say what failed, in one line."""
    one_line = " ".join(message[: 2 * LONGEST_MESSAGE].split())
    if len(message) > LONGEST_MESSAGE:
        one_line = f"{one_line[: LONGEST_MESSAGE - 200]} … {' '.join(message[-200:].split())}"
    stderr().print(f"[bold red]error:[/] {escape(one_line)}")


def warning(message: str) -> None:
    """Say what a user should know though the work goes on."""
    with suppress(OSError):  # nobody reads it any more
        stderr().print(f"[yellow]warning:[/] {escape(message)}")


def note(message: str) -> None:
    """Say something that is neither a result nor a problem."""
    with suppress(OSError):  # nobody reads it any more
        stderr().print(escape(message))


def is_watched() -> bool:
    """Whether a person reads stderr."""
    return stderr().is_terminal


def coloured(tokens: Sequence[str], tags: Sequence[str]) -> Text:
    """word/TAG as a terminal shows it. Control characters in a word are shown, not obeyed."""
    line = Text()
    for token, tag in zip(tokens, tags, strict=True):
        if line:
            line.append(" ")
        line.append(visible(token))
        line.append(f"/{tag}", style=COLOURS.get(tag, "green"))
    return line


def print_json(value: object) -> None:
    """Print JSON, in a pipe as it is; on a terminal control characters stand as escapes, which JSON has too."""
    text = json.dumps(value, ensure_ascii=False, indent=1)
    out = results()
    if out.isatty():
        text = as_json(text)
    out.write(f"{text}\n")


def print_text(text: str) -> None:
    """Print text, in a pipe as it is; see `terminal.as_lines`."""
    out = results()
    out.write((as_lines(text) if out.isatty() else text) + "\n")


def _table(*columns: str, title: str | None = None, numbers: Iterable[str] = ()) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    for column in columns:
        numeric = column in set(numbers)
        # A number is not broken; a header of several words gives way before its numbers do.
        table.add_column(
            column, justify="right" if numeric else "left", overflow="fold", no_wrap=numeric and " " not in column
        )
    return table


def print_table(table: Table) -> None:
    """Print a table, on a terminal as wide as that is, elsewhere as wide as it needs to be."""
    console = SafeConsole(file=results())
    if not console.is_terminal:
        console = SafeConsole(file=results(), width=1000)
    console.print(table)


def print_report(tables: Iterable[report_tables.Table], signatures: Iterable[str]) -> None:
    """What was measured, and the lines that tell whether two people have measured the same.

    A table of many columns is left out where it is wider than the terminal.
    """
    console = stdout()
    unbounded = console.options.update(max_width=100_000)
    for one in tables:
        table = _table(*map(_cell, one.columns), title=_cell(one.title) or None, numbers=[*map(_cell, one.numbers)])
        for row in one.rows:
            table.add_row(*map(_cell, row))
        fits = Measurement.get(console, unbounded, table).maximum <= console.width
        if fits or not console.is_terminal or len(one.columns) <= FOLDABLE_COLUMNS:
            print_table(table)
    for signature in signatures:
        stdout().print(_cell(signature))


def _cell(text: str) -> str:
    return escape(visible(text))


def print_comparison(reports: Sequence[CellReport], quick: bool) -> None:
    """The cells' figures, and their curves as bars of text.

    Args:
        quick: whether the figures are rough.
    """
    from rnntag.comparison import FADED, faded, forgotten

    if quick:
        stdout().print("quick comparison: few epochs, a short recall task; the figures are rough", style="bold")
    numbers = ["recurrent weights", "all weights", "dev accuracy", "on unseen words", "training", "words/s"]
    costs = _table("cell", *numbers, numbers=numbers)
    for report in reports:
        costs.add_row(
            escape(report.name),
            f"{report.recurrent_parameters:,}",
            f"{report.parameters:,}",
            percent(report.accuracy),
            percent(report.unseen_accuracy),
            f"{report.training_seconds:,.0f} s",
            f"{report.tagging_speed:,.0f}",
        )
    print_table(costs)
    learned = [[step.dev_accuracy for step in report.epochs] for report in reports]
    lowest, highest = min(map(min, learned)), max(map(max, learned))
    title = f"dev accuracy by epoch, {percent(lowest)} to {percent(highest)}"
    _print_curves(title, reports, [bars(curve, lowest, highest) for curve in learned], "")
    for title, curves in (
        ("gradient reach before training", [report.untrained_reach for report in reports]),
        ("gradient reach after training", [report.reach for report in reports]),
    ):
        _print_curves(
            f"{title}, k = 0 to {len(curves[0]) - 1}, 1 to {LEAST_REACH:.0e} of that at 0, logarithmic",
            reports,
            [bars([_magnitude(norm, curve[0]) for norm in curve], math.log10(LEAST_REACH), 0) for curve in curves],
            f"below {FADED:.0%} from k =",
            [faded(curve) for curve in curves],
        )
    _print_curves(
        f"recall at a distance, k = 1 to {len(reports[0].recall)}, 0 to 100 %",
        reports,
        [bars(report.recall[::RECALL_STRIDE], 0, 1) for report in reports],
        "half lost from k =",
        [forgotten(report.recall) for report in reports],
    )


def _print_curves(
    title: str, reports: Sequence[CellReport], curves: Sequence[str], what: str, ends: Sequence[int | None] = ()
) -> None:
    stdout().print(title, style="bold")
    table = _table("", "", *([what] if what else []), numbers=[what])
    table.show_header = bool(what)
    for row, (report, curve) in enumerate(zip(reports, curves, strict=True)):
        end = [] if not what else ["never" if ends[row] is None else str(ends[row])]
        table.add_row(escape(report.name), curve, *end)
    print_table(table)


def bars(values: Sequence[float | None], low: float, high: float) -> str:
    """One character for each value, the higher the greater it is between `low` and `high`; blank for
    those below, or none."""
    span = high - low or 1.0
    shares = [-1.0 if value is None else (value - low) / span for value in values]
    return "".join(BARS[min(int(share * len(BARS)), len(BARS) - 1)] if share >= 0 else " " for share in shares)


def _magnitude(value: float | None, unit: float | None) -> float | None:
    return math.log10(value / unit) if value and unit else None


def print_history(name: str, epochs: Sequence[Epoch]) -> None:
    """Loss and dev accuracy by epoch, as charts of text, and all figures below them."""
    console = stdout()
    width = (min(max(console.width if console.is_terminal else 80, NARROW), WIDE) - 4) // 2
    kept = history.best(epochs)
    losses = [epoch.loss for epoch in epochs]
    accuracies = [epoch.dev_accuracy for epoch in epochs]
    ends = [f"{max(losses):.3f}", f"{0:.3f}"], [percent(max(accuracies)), percent(min(accuracies))]
    margin = max(map(len, chain(*ends)))
    room = width - margin - 2
    left = ["loss", *_chart(losses, 0, max(losses), room, [f"{end:>{margin}}" for end in ends[0]], epochs)]
    right = [
        "dev accuracy",
        *_chart(accuracies, min(accuracies), max(accuracies), room, [f"{end:>{margin}}" for end in ends[1]], epochs),
    ]
    console.print(_cell(f"{name}: epoch {kept.epoch} of {epochs[-1].epoch} was kept"), style="bold")
    console.print()
    for a, b in zip(left, right, strict=True):
        console.print(escape(f"{a:{width}}    {b}".rstrip()))
    corpora = [*kept.dev] if len(kept.dev) > 1 else []
    numbers = ["epoch", "loss", "gradient", "clipped", "dev", *map(_cell, corpora), "time"]
    table = _table(*numbers, numbers=numbers)
    for epoch in epochs:
        table.add_row(
            f"{'* ' if epoch is kept else ''}{epoch.epoch}",
            f"{epoch.loss:.4f}",
            f"{epoch.gradient_norm:.2f}",
            f"{epoch.clipped:.0%}",
            percent(epoch.dev_accuracy),
            *(percent(epoch.dev.get(corpus)) for corpus in corpora),
            f"{timedelta(seconds=round(epoch.seconds))}",
        )
    print_table(table)


def _chart(
    values: Sequence[float], low: float, high: float, room: int, ends: Sequence[str], epochs: Sequence[Epoch]
) -> list[str]:
    """The lines of a chart of columns, with its axes; several epochs share a column, which shows their
    mean, where there are more of them than `room`.

    Args:
        ends: what to write at the upper and the lower end of the axis, of one length.
    """
    count = min(len(values), room)
    each = room // count
    edges = [column * len(values) // count for column in range(count + 1)]
    rows = columns([math.fsum(values[a:b]) / (b - a) for a, b in pairwise(edges)], low, high, CHART_HEIGHT)
    blank = " " * len(ends[0])
    labels = [ends[0], *[blank] * (CHART_HEIGHT - 2), ends[1]]
    first, last = epochs[0].epoch, f"{epochs[-1].epoch}"
    foot = f"{first:<{each * count - len(last)}}{last}" if count > 1 else f"{first}"
    return [
        *(f"{label} ┤{''.join(cell * each for cell in row)}" for label, row in zip(labels, rows, strict=True)),
        f"{blank} └{'─' * (each * count)}",
        f"{blank}  {foot}",
    ]


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


def print_explanation(found: Explanation, seen: Sequence[bool]) -> None:
    """Each word with its likeliest tags, and what hiding other words changes, in percent points."""
    table = _table("word", "", "tag", "%", "or else", "and if another word is hidden", numbers=["%"])
    for token, form in enumerate(found.tokens):
        shares = found.probabilities[token]
        first, *others = (-shares).argsort(kind="stable")
        likely = [other for other in others[:OTHER_TAGS_SHOWN] if shares[other] >= LEAST_SHOWN]
        tag = found.tags[first]
        changes = [
            f"{visible(found.tokens[other])}: {moved} {100 * gain:+.1f}"
            for other, moved, gain in found.changes(token)[:CHANGES_SHOWN]
            if abs(gain) >= LEAST_SHOWN
        ]
        table.add_row(
            escape(visible(form)),
            "" if seen[token] else "unseen",
            Text(tag, style=COLOURS.get(tag, "green")),
            f"{100 * shares[first]:.1f}",
            escape("  ".join(f"{found.tags[other]} {100 * shares[other]:.1f}" for other in likely)),
            escape("   ".join(changes)),
        )
    print_table(table)


def print_gates(tokens: Sequence[str], gates: Sequence[Gate]) -> None:
    """How far each gate is open at each word, the mean of its units, in percent."""
    names = [f"{gate.layer} {gate.direction} {gate.name}" for gate in gates]
    table = _table("word", *names, title="open gates, % (layer, direction, gate)", numbers=names)
    for token, form in enumerate(tokens):
        table.add_row(escape(visible(form)), *(f"{100 * gate.openness[token].mean():.1f}" for gate in gates))
    print_table(table)


def print_models(models: Mapping[str, Mapping[str, Any]]) -> None:
    """The models as a table; `models` holds their summaries by name."""
    if not models:
        note("no model here yet: train one with 'rnntag train'")
        return
    table = _table("model", "network", "tagsets", "dev accuracy", "MB", "where", numbers=["MB"])
    for column in (table.columns[0], table.columns[3]):
        column.no_wrap = True
    for name, model in models.items():
        if "damaged" in model:
            table.add_row(_cell(name), "[red]damaged[/]", "", "", "", _cell(model["path"]))
            continue
        network = model["network"]
        dev = (_cell(f"{corpus} {percent(accuracy)}") for corpus, accuracy in model["provenance"]["dev"].items())
        table.add_row(
            _cell(name),
            f"{network['cell']} {network['layers']}×{network['hidden']}, {network['input']}",
            _cell(", ".join(model["tagsets"])),
            "\n".join(dev),
            f"{model['megabytes']:.1f}",
            _cell(model["path"]),
        )
    print_table(table)


def print_corpora(rows: Iterable[Mapping[str, Any]]) -> None:
    """The corpora as a table, a line each; see `corpora.listing`. On a terminal that is too narrow for all columns some
    are left out."""
    cells = [
        {
            "corpus": row["name"],
            "language": " ".join(row["languages"]),
            "sentences": f"{row['sentences']:,}",
            "tokens": f"{row['tokens']:,}",
            "universal": "yes" if row["universal"] else "no",
            "here": "yes" if row["here"] else "no",
            "licence": row["licence"],
            "tagset": ", ".join(row["tagsets"]),
            "what": row["about"],
        }
        for row in rows
    ]
    widths = {name: max(cell_len(name), *(cell_len(row[name]) for row in cells)) for name in cells[0]}
    console = SafeConsole(file=results())
    left_out: list[str] = []
    if console.is_terminal:
        whole = widths["what"]
        widths["what"] = min(whole, LEAST_ABOUT)
        for name in ("tagset", "licence", "what", "universal", "here", "language"):
            if (spare := console.width - sum(widths.values()) - GAP * (len(widths) - 1)) < 0:
                left_out.append(name)
                del widths[name]
        if "what" in widths:
            widths["what"] = min(widths["what"] + max(spare, 0), whole)
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for name in widths:
        table.add_column(name, justify="right" if name in ("sentences", "tokens") else "left", no_wrap=True)
    for row in cells:
        texts = {name: Text(row[name]) for name in widths}
        for name, text in texts.items():
            text.truncate(widths[name], overflow="ellipsis")
        table.add_row(*texts.values())
    print_table(table)
    if left_out:
        note(f"a wider terminal shows {', '.join(reversed(left_out))} too; --json has everything")


def print_card(path: Path, card: str) -> None:
    """A model's card, rendered on a terminal, as it is elsewhere. Anybody may have written it: links show where
    they lead, and control characters are shown, not obeyed."""
    console = stdout()
    if console.is_terminal:
        from rich.markdown import Markdown

        console.print(Markdown("\n".join(map(visible, card.splitlines())), hyperlinks=False))
        console.print(_cell(str(path)), style="dim")
    else:
        results().write(card)
