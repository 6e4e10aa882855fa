"""`rnntag history`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from functools import partial
from itertools import chain, pairwise
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from rnntag.cli.options import JsonOption, ModelArgument
from rnntag.evaluation.metrics import dev_figure
from rnntag.model import learning_curve
from rnntag.model.learning_curve import Epoch
from rnntag.terminal import console
from rnntag.terminal.charts import columns
from rnntag.terminal.console import cell, new_table, print_table, stdout

_CHART_HEIGHT = 8  # lines
_NARROW, _WIDE = 60, 120
"""Width of the two charts side by side, at least and at most."""


def history(
    name: ModelArgument,
    out: Annotated[
        Path | None, typer.Option(help="Also plot the curves to this .svg or .png file (needs matplotlib).")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show the learning curve of a model.

    Prints the loss, the gradient norm, the share of batches with a clipped gradient and the dev
    accuracy (or perplexity) of each epoch. A star marks the epoch that was kept.

        rnntag history lstm

        rnntag history models/ewt --out ewt.svg
    """
    from rnntag.model import directory, language_model
    from rnntag.model.files import HISTORY

    if out:
        from rnntag.analysis import plots

        plots.check_file(out)
        directory.check_not_bundled(out)
    path = directory.find(name)
    epochs = learning_curve.read(directory.read_history(path), str(path / HISTORY))
    model = path.resolve().name
    measure = "perplexity" if language_model.is_language_model(path) else "accuracy"
    if out:
        plots.write_history(out, model, epochs, measure)
    if as_json:
        console.print_json([asdict(epoch) for epoch in epochs])
    else:
        print_history(model, epochs, measure)
    if out:
        console.note(f"saved {out}")


def print_history(name: str, epochs: Sequence[Epoch], measure: str = "accuracy") -> None:
    """Print charts of loss and dev figures by epoch, and a table of all figures.

    Args:
        measure: see `learning_curve.Scale`.
    """
    console = stdout()
    shown = partial(dev_figure, measure=measure)
    width = (min(max(console.width if console.is_terminal else 80, _NARROW), _WIDE) - 4) // 2
    kept = learning_curve.best(epochs)
    losses = [epoch.loss for epoch in epochs]
    accuracies = [epoch.dev_accuracy for epoch in epochs]
    ends = [f"{max(losses):.3f}", f"{0:.3f}"], [shown(max(accuracies)), shown(min(accuracies))]
    margin = max(map(len, chain(*ends)))
    room = width - margin - 2
    left = ["loss", *_chart(losses, 0, max(losses), room, [f"{end:>{margin}}" for end in ends[0]], epochs)]
    right = [
        f"dev {measure}",
        *_chart(accuracies, min(accuracies), max(accuracies), room, [f"{end:>{margin}}" for end in ends[1]], epochs),
    ]
    console.print(cell(f"{name}: epoch {kept.epoch} of {epochs[-1].epoch} was kept"), style="bold")
    console.print()
    for a, b in zip(left, right, strict=True):
        console.print(escape(f"{a:{width}}    {b}".rstrip()))
    corpora = [*kept.dev] if len(kept.dev) > 1 else []
    numbers = ["epoch", "loss", "gradient", "clipped", "dev", *map(cell, corpora), "time"]
    table = new_table(*numbers, numbers=numbers)
    for epoch in epochs:
        table.add_row(
            f"{'* ' if epoch is kept else ''}{epoch.epoch}",
            f"{epoch.loss:.4f}",
            f"{epoch.gradient_norm:.2f}",
            f"{epoch.clipped:.0%}",
            shown(epoch.dev_accuracy),
            *(shown(epoch.dev.get(corpus)) for corpus in corpora),
            f"{timedelta(seconds=round(epoch.seconds))}",
        )
    print_table(table)


def _chart(
    values: Sequence[float], low: float, high: float, room: int, ends: Sequence[str], epochs: Sequence[Epoch]
) -> list[str]:
    """The lines of a chart with a column for each epoch, or for the mean of several epochs if there are more than
    `room`.

    Args:
        ends: labels of equal length for the upper and the lower end of the axis.
    """
    count = min(len(values), room)
    each = room // count
    edges = [column * len(values) // count for column in range(count + 1)]
    rows = columns([math.fsum(values[a:b]) / (b - a) for a, b in pairwise(edges)], low, high, _CHART_HEIGHT)
    blank = " " * len(ends[0])
    labels = [ends[0], *[blank] * (_CHART_HEIGHT - 2), ends[1]]
    first, last = epochs[0].epoch, f"{epochs[-1].epoch}"
    foot = f"{first:<{each * count - len(last)}}{last}" if count > 1 else f"{first}"
    return [
        *(f"{label} ┤{''.join(cell * each for cell in row)}" for label, row in zip(labels, rows, strict=True)),
        f"{blank} └{'─' * (each * count)}",
        f"{blank}  {foot}",
    ]
