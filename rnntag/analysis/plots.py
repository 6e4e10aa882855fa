"""Plots of learning curves and of comparisons, drawn with matplotlib (extra `plot`)."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnntag.errors import ANOTHER, NotFoundError, UsageError
from rnntag.model import learning_curve

if TYPE_CHECKING:
    from rnntag.analysis.compare import CellReport
    from rnntag.analysis.compare_language import LanguageReport
    from rnntag.model.learning_curve import Epoch

SUFFIXES = (".svg", ".png")
SIZE = (7.0, 4.0)  # inches
DOTS_PER_INCH = 150
LEAST_SHOWN = 1e-10
"""Smaller gradients are below single precision."""


def check() -> None:
    """Make sure that plots can be drawn.

    Raises:
        NotFoundError: matplotlib is not installed.
    """
    if importlib.util.find_spec("matplotlib") is None:
        raise NotFoundError('plots need matplotlib: pip install "rnntag[plot]"', remedy={"out": None})


def check_file(path: Path) -> None:
    """Make sure that a plot can be drawn to a file.

    Raises:
        UsageError: its name ends neither in .svg nor in .png.
        NotFoundError: matplotlib is not installed.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(f"{path}: a plot is an .svg or a .png file", remedy={"out": ANOTHER})
    check()


def files(folder: Path) -> list[Path]:
    """The files that `write` makes."""
    return [folder / f"{name}{suffix}" for name in _PLOTS for suffix in SUFFIXES]


def write(folder: Path, reports: Sequence[CellReport]) -> dict[str, Path]:
    """Draw each plot as SVG and as PNG.

    Returns:
        The SVG files by plot: learning, reach, recall.
    """
    for name, draw in _PLOTS.items():
        _save([folder / f"{name}{suffix}" for suffix in SUFFIXES], draw, reports)
    return {name: folder / f"{name}.svg" for name in _PLOTS}


def language_files(folder: Path) -> list[Path]:
    """The files that `write_language` makes."""
    return [folder / f"{name}{suffix}" for name in _LANGUAGE_PLOTS for suffix in SUFFIXES]


def write_language(folder: Path, reports: Sequence[LanguageReport]) -> None:
    """Draw the plots of a comparison of language models as SVG and as PNG."""
    for name, draw in _LANGUAGE_PLOTS.items():
        _save([folder / f"{name}{suffix}" for suffix in SUFFIXES], draw, reports)


def write_history(path: Path, name: str, epochs: Sequence[Epoch], measure: str = "accuracy") -> None:
    """Draw the learning curve of the model `name` as SVG or PNG, depending on the file's name.

    Args:
        measure: see `learning_curve.Scale`.
    """
    _save([path], _history, name, epochs, measure)


def _save(files: Sequence[Path], draw: Callable[..., None], *what: Any) -> None:
    import matplotlib
    from matplotlib.figure import Figure

    # A fixed salt and no date: the same figures always make the same file.
    with matplotlib.rc_context({"svg.hashsalt": files[0].stem, "svg.fonttype": "none", "font.size": 10}):
        figure = Figure(figsize=SIZE, layout="constrained")
        draw(figure, *what)
        for file in files:
            options = {"metadata": {"Date": None}} if file.suffix.lower() == ".svg" else {"dpi": DOTS_PER_INCH}
            figure.savefig(file, **options)


def _history(figure: Any, name: str, epochs: Sequence[Epoch], measure: str) -> None:
    def shown(value: float) -> float:
        return 100 * value if measure == "accuracy" else 1 / max(value, 1e-9)

    numbers = [epoch.epoch for epoch in epochs]
    kept = learning_curve.best(epochs)
    losses, accuracies = figure.subplots(1, 2)
    figure.suptitle(f"{name}: epoch {kept.epoch} of {numbers[-1]} was kept", parse_math=False)
    losses.set(xlabel="epoch", ylabel=f"loss, nats per {'tag' if measure == 'accuracy' else 'word'}")
    losses.plot(numbers, [epoch.loss for epoch in epochs], marker="o", markersize=3, color="black", label="training")
    losses.set_ylim(bottom=0)
    accuracies.set(xlabel="epoch", ylabel="dev accuracy, %" if measure == "accuracy" else "dev perplexity")
    if len(kept.dev) > 1:
        for corpus in kept.dev:
            line = [shown(epoch.dev.get(corpus, float("nan"))) for epoch in epochs]
            accuracies.plot(numbers, line, marker="o", markersize=2, linewidth=1, label=_plain(corpus))
    means = [shown(epoch.dev_accuracy) for epoch in epochs]
    label = _plain(*kept.dev) if len(kept.dev) == 1 else "mean"
    accuracies.plot(numbers, means, marker="o", markersize=3, color="black", label=label)
    for axes in (losses, accuracies):
        axes.axvline(kept.epoch, color="grey", linestyle="dotted", label="kept")
        axes.xaxis.get_major_locator().set_params(integer=True)
    _finish([losses, accuracies])


def _plain(name: str) -> str:
    """A name as a label that matplotlib neither hides nor parses as mathematics."""
    return name.lstrip("_").replace("$", r"\$") or name


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
    from rnntag.analysis.probes import KEYS

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


_PLOTS: dict[str, Callable[[Any, Sequence[CellReport]], None]] = {
    "learning": _learning,
    "reach": _reach,
    "recall": _recall,
}


def _perplexity(figure: Any, reports: Sequence[LanguageReport]) -> None:
    axes = figure.add_subplot(xlabel="epoch", ylabel="dev perplexity")
    for report in reports:
        values = [1 / step.dev_accuracy for step in report.epochs]
        axes.plot(range(1, len(values) + 1), values, marker="o", markersize=3, label=report.name)
    axes.xaxis.get_major_locator().set_params(integer=True)
    _finish([axes])


def _surprisal(figure: Any, reports: Sequence[LanguageReport]) -> None:
    from rnntag.analysis.probes import KEYS

    axes = figure.add_subplot(xlabel="k, words since the word came first", ylabel="surprisal, bits")
    for report in reports:
        axes.plot(range(1, len(report.surprisal) + 1), report.surprisal, label=report.name)
    axes.axhline(math.log2(KEYS), color="grey", linestyle="dotted", label="chance")
    axes.set_ylim(bottom=0)
    _finish([axes])


_LANGUAGE_PLOTS: dict[str, Callable[[Any, Sequence[LanguageReport]], None]] = {
    "perplexity": _perplexity,
    "surprisal": _surprisal,
}
