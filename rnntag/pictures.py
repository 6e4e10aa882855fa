"""The curves of a comparison as pictures, drawn with matplotlib (extra `plot`)."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from rnntag.comparison import CellReport
from rnntag.memory import KEYS
from rnntag.schema import NotFoundError

SIZE = (7.0, 4.0)  # inches
DOTS_PER_INCH = 150
LEAST_SHOWN = 1e-10
"""Of gradients; single precision has nothing to say of much smaller ones."""


def check() -> None:
    """See that pictures can be drawn.

    Raises:
        NotFoundError: matplotlib is not installed.
    """
    if importlib.util.find_spec("matplotlib") is None:
        raise NotFoundError("pictures need matplotlib: pip install 'rnntag[plot]', or leave out --out")


def write(folder: Path, reports: Sequence[CellReport]) -> dict[str, Path]:
    """Draw each picture as SVG and as PNG.

    Returns:
        The SVG files by the pictures' names: learning, reach, recall.
    """
    import matplotlib
    from matplotlib.figure import Figure

    drawn = {}
    for name, draw in _PICTURES.items():
        # Without a salt and a date of their own the same figures would give another file each time.
        with matplotlib.rc_context({"svg.hashsalt": name, "svg.fonttype": "none", "font.size": 10}):
            figure = Figure(figsize=SIZE, layout="constrained")
            draw(figure, reports)
            drawn[name] = folder / f"{name}.svg"
            figure.savefig(drawn[name], metadata={"Date": None})
            figure.savefig(folder / f"{name}.png", dpi=DOTS_PER_INCH)
    return drawn


def _learning(figure: Any, reports: Sequence[CellReport]) -> None:
    axes = figure.add_subplot(xlabel="epoch", ylabel="dev accuracy, %")
    for report in reports:
        accuracy = [100 * step.dev_accuracy for step in report.epochs]
        axes.plot(range(1, len(accuracy) + 1), accuracy, marker="o", markersize=3, label=report.name)
    axes.xaxis.get_major_locator().set_params(integer=True)
    _finish([axes])


def _reach(figure: Any, reports: Sequence[CellReport]) -> None:
    before, after = figure.subplots(1, 2, sharey=True)
    for axes, title in ((before, "before training"), (after, "after training")):
        axes.set(title=title, xlabel="k, words back", yscale="log")
    before.set_ylabel("mean norm of ∂loss(t) / ∂x(t−k)")
    for report in reports:
        before.plot(_visible(report.untrained_reach), label=report.name)
        after.plot(_visible(report.reach), label=report.name)
    _finish([before, after])


def _visible(norms: Iterable[float | None]) -> list[float]:
    return [float("nan") if norm is None or norm < LEAST_SHOWN else norm for norm in norms]


def _recall(figure: Any, reports: Sequence[CellReport]) -> None:
    axes = figure.add_subplot(xlabel="k, words back from the question", ylabel="recalled, %", ylim=(0, 103))
    for report in reports:
        axes.plot(range(1, len(report.recall) + 1), [100 * share for share in report.recall], label=report.name)
    axes.axhline(100 / KEYS, color="grey", linestyle="dotted", label="chance")
    _finish([axes])


def _finish(panels: Sequence[Any]) -> None:
    for axes in panels:
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    panels[-1].legend(frameon=False)


_PICTURES: dict[str, Callable[[Any, Sequence[CellReport]], None]] = {
    "learning": _learning,
    "reach": _reach,
    "recall": _recall,
}
