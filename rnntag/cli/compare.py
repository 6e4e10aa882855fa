"""`rnntag compare`."""

from __future__ import annotations

import math
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.markup import escape

from rnntag import effects
from rnntag.cli import compare_language
from rnntag.cli.compare_language import FIGURES
from rnntag.cli.options import (
    CorpusFormatOption,
    EncodingOption,
    ForceOption,
    JsonOption,
    TagsetOption,
    TrainingCorpusArgument,
    TrainingCorpusOption,
    given,
    settings_of,
    with_settings,
)
from rnntag.config import CELLS, ModelConfig, TrainConfig
from rnntag.errors import ANOTHER, UsageError
from rnntag.evaluation.metrics import percent
from rnntag.terminal import console
from rnntag.terminal.charts import bars
from rnntag.terminal.console import new_table, print_table, stdout

if TYPE_CHECKING:
    from rnntag.analysis.compare import CellReport

_MODEL_SETTINGS = ("activation", "input", "bidirectional", "feedback", "layers", "hidden")
_TRAINING_SETTINGS = ("epochs", "lr", "max_grad_norm", "bptt", "dropout", "seed")
PAGE = "index.html"
_EPOCHS, _QUICK_EPOCHS = 10, 3
_LEAST_REACH = 1e-6
_RECALL_STRIDE = 2


_TaskOption = Annotated[
    Literal["tagging", "lm"], typer.Option(help="Compare taggers, or language models of the corpora's words.")
]
_CellOption = Annotated[
    list[str] | None, typer.Option(metavar="|".join(CELLS), help="May be repeated.", show_default="all three")
]
_OutOption = Annotated[
    Path | None,
    typer.Option(
        help="Directory for a web page, the plots, the figures and the models; with --task lm, for plots and figures."
    ),
]
_QuickOption = Annotated[
    bool,
    typer.Option(
        "--quick",
        help=f"A rough comparison: {_QUICK_EPOCHS} epochs unless --epochs is given, and shorter distances for the "
        "measurements of memory. About a minute on the starter corpus.",
    ),
]


@with_settings(
    settings_of(ModelConfig, *_MODEL_SETTINGS), settings_of(TrainConfig, *_TRAINING_SETTINGS, epochs=_EPOCHS)
)
def compare(
    context: typer.Context,
    spec: TrainingCorpusArgument = None,
    corpus: TrainingCorpusOption = None,
    tagset: TagsetOption = "universal",
    encoding: EncodingOption = "utf-8",
    corpus_format: CorpusFormatOption = "auto",
    out: _OutOption = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
    quick: _QuickOption = False,
    task: _TaskOption = "tagging",
    cell: _CellOption = None,
    **options: Any,
) -> None:
    """Train several cells with the same settings and compare them.

    Prints the number of weights, dev accuracy (also on unknown words), training time, tagging speed and
    learning curves; how far back the gradient of a word's loss reaches, before and after training; and
    how many words back each cell can recall a word. --out writes a web page with plots (needs matplotlib).

        rnntag compare --quick starter

        rnntag compare --corpus 'en_ewt-ud-*.conllu' --out comparison

        rnntag compare --cell rnn --cell gru --unidirectional treebank

        rnntag compare --task lm --quick starter
    """
    chosen = given(context)
    if quick and "epochs" not in chosen:
        options["epochs"] = _QUICK_EPOCHS
    activation = options["activation"]
    base, configs = _networks(cell or CELLS, options)
    if task == "lm":
        compare_language.check([*chosen])
    settings = TrainConfig(**options, patience=options["epochs"], device="cpu")
    effects.check({**asdict(base), **asdict(settings), "activation": activation, "cell": cell or CELLS}, chosen)
    if out:
        _prepare(out, configs, force, task)
    from rnntag.cli.compare_view import CompareView
    from rnntag.training import run

    view = CompareView()
    reading = tagset, encoding, corpus_format
    named = [*(corpus or []), *(spec or [])]
    run.check_reading(chosen, named, *reading)
    specs, tagsets, loaded = run.load_corpora(named, *reading, view)
    from rnntag.analysis import compare as comparison
    from rnntag.analysis import probes

    scale = probes.QUICK if quick else probes.FULL
    if task == "lm":
        # Without the taggers' other defaults.
        training = {name: options[name] for name in options if name in ("epochs", "seed") or name in chosen}
        compare_language.run(loaded, specs, configs, {**training, "device": "cpu"}, scale, view, out, as_json)
        return
    origin = {"specs": specs, "tagsets": tagsets, "encoding": encoding, "corpus_format": corpus_format}
    if out:
        view.keep_in(out, origin)
    with _claimed(out, configs, force) if out else nullcontext(), view.training():
        reports = comparison.compare(loaded, configs, settings, view, scale)
    figures = {
        "corpora": list(specs),
        "quick": quick,
        "memory": asdict(scale),
        "network": asdict(base),
        "training": asdict(settings),
        "cells": [asdict(report) for report in reports],
    }
    if out:
        _write(out, reports, figures, quick)
    if as_json:
        console.print_json(figures)
    else:
        _print_comparison(reports, quick)
    if out:
        console.note(f"saved {out}; open {out / PAGE}")


def _networks(cells: Sequence[str], options: dict[str, Any]) -> tuple[ModelConfig, list[ModelConfig]]:
    """The network that all cells share, and that of each cell. Takes their settings out of the options."""
    activation = options.pop("activation")
    base = ModelConfig(**{name: options.pop(name) for name in _MODEL_SETTINGS if name in options})
    own = dict.fromkeys(cells)
    return base, [replace(base, cell=name, activation=activation if name == "rnn" else "tanh") for name in own]


@contextmanager
def _claimed(out: Path, configs: Sequence[ModelConfig], force: bool) -> Iterator[None]:
    """Keep other processes away from the models' directories."""
    from rnntag.analysis.compare import name_of
    from rnntag.model import directory
    from rnntag.training import checkpoint, request

    with ExitStack() as claims:
        for path in [out / name_of(config) for config in configs]:
            claims.enter_context(request.claim(path))
            if not force:
                directory.check_free(path)  # again: the claim may have restored a model after a crash
            if checkpoint.place(path).exists():
                raise UsageError(f"{path}: unfinished run of 'rnntag train' found", remedy={"out": ANOTHER})
        yield


def _write(out: Path, reports: Sequence[CellReport], figures: Mapping[str, Any], quick: bool) -> None:
    from rnntag.analysis import compare_page, plots

    compare_language.write_figures(out, figures)
    pictures = plots.write(out, reports)
    page = compare_page.write(reports, pictures, shlex.join(["rnntag", *sys.argv[1:]]), quick)
    (out / PAGE).write_text(page, encoding="utf-8", errors="replace")


def _prepare(out: Path, configs: Sequence[ModelConfig], force: bool, task: str) -> None:
    """Make sure that plots can be drawn and nothing is overwritten, and make the directory."""
    from rnntag.analysis import plots
    from rnntag.analysis.compare import name_of
    from rnntag.model import directory

    plots.check()
    directory.check_not_bundled(out)
    if not force and task == "lm":
        directory.check_absent((out / FIGURES, *plots.language_files(out)))
    elif not force:
        for config in configs:
            directory.check_free(out / name_of(config))
        directory.check_absent((out / FIGURES, out / PAGE, *plots.files(out)))
    out.mkdir(parents=True, exist_ok=True)


def _print_comparison(reports: Sequence[CellReport], quick: bool) -> None:
    """Print the figures of the cells, and their curves as bars."""
    from rnntag.analysis.compare import FADED, faded, forgotten

    if quick:
        stdout().print("quick comparison: few epochs, a short recall task; the figures are rough", style="bold")
    numbers = ["recurrent weights", "all weights", "dev accuracy", "on unknown words", "training", "words/s"]
    costs = new_table("cell", *numbers, numbers=numbers)
    for report in reports:
        costs.add_row(
            escape(report.name),
            f"{report.recurrent_parameters:,}",
            f"{report.parameters:,}",
            percent(report.accuracy),
            percent(report.unknown_accuracy),
            f"{report.training_seconds:,.0f} s",
            f"{report.tagging_speed:,.0f}",
        )
    print_table(costs)
    learned = [[step.dev_accuracy for step in report.epochs] for report in reports]
    lowest, highest = min(map(min, learned)), max(map(max, learned))
    title = f"dev accuracy by epoch, {percent(lowest)} to {percent(highest)}"
    _print_curves(title, reports, [bars(curve, lowest, highest) for curve in learned])
    for title, curves in (
        ("gradient reach before training", [report.untrained_reach for report in reports]),
        ("gradient reach after training", [report.reach for report in reports]),
    ):
        _print_curves(
            f"{title}, k = 0 to {len(curves[0]) - 1}, 1 to {_LEAST_REACH:.0e} of that at 0, logarithmic",
            reports,
            [bars([_magnitude(norm, curve[0]) for norm in curve], math.log10(_LEAST_REACH), 0) for curve in curves],
            f"below {FADED:.0%} from k =",
            [faded(curve) for curve in curves],
        )
    _print_curves(
        f"recall at a distance, k = 1 to {len(reports[0].recall)}, 0 to 100 %",
        reports,
        [bars(report.recall[::_RECALL_STRIDE], 0, 1) for report in reports],
        "half lost from k =",
        [forgotten(report.recall) for report in reports],
    )


def _print_curves(
    title: str, reports: Sequence[CellReport], curves: Sequence[str], header: str = "", ends: Sequence[int | None] = ()
) -> None:
    """Print the cells' curves and, under a header, the distances at which they end."""
    stdout().print(title, style="bold")
    table = new_table("", "", *([header] if header else []), numbers=[header])
    table.show_header = bool(header)
    for report, curve, *end in zip(reports, curves, *([ends] if header else []), strict=True):
        table.add_row(escape(report.name), curve, *("never" if distance is None else str(distance) for distance in end))
    print_table(table)


def _magnitude(value: float | None, unit: float | None) -> float | None:
    return math.log10(value / unit) if value and unit else None
