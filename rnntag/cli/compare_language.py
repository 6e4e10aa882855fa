"""`rnntag compare --task lm`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.markup import escape

from rnntag.config import LANGUAGE_NETWORK, ModelConfig, PretrainConfig
from rnntag.errors import UsageError
from rnntag.terminal import console
from rnntag.terminal.charts import bars
from rnntag.terminal.console import new_table, print_table, stdout

if TYPE_CHECKING:
    from rnntag.analysis.compare_language import LanguageReport
    from rnntag.analysis.probes import Scale
    from rnntag.cli.compare_view import CompareView
    from rnntag.sentences import Corpus

FIGURES = "figures.json"
IDLE = ("input", "bidirectional", "feedback", "tagset")
"""Options of a comparison of taggers that language models do not have."""
_STRIDE = 2


def check(given: Sequence[str]) -> None:
    """Make sure that each option has an effect.

    Raises:
        UsageError: one has none.
    """
    if idle := [name for name in IDLE if name in given]:
        raise UsageError(f"{idle[0]} has no effect with task lm", remedy={idle[0]: None})


def run(
    corpora: Sequence[Corpus],
    names: Sequence[str],
    cells: Sequence[ModelConfig],
    options: Mapping[str, Any],
    scale: Scale,
    view: CompareView,
    out: Path | None,
    as_json: bool,
) -> None:
    """Compare the cells, and print the figures.

    Args:
        names: of the corpora.
        cells: their other settings are those of language models.
        options: of training.
        out: directory for the figures and the plots.
    """
    from rnntag.analysis import compare_language

    shared = ("cell", "activation", "layers", "hidden")
    configs = [ModelConfig(**LANGUAGE_NETWORK | {name: getattr(cell, name) for name in shared}) for cell in cells]
    training = PretrainConfig(**options)
    with view.training():
        reports = compare_language.compare(corpora, configs, training, view, scale)
    figures = {
        "corpora": [*names],
        "memory": asdict(scale),
        "network": asdict(configs[0]),
        "training": asdict(training),
        "cells": [asdict(report) for report in reports],
    }
    if out:
        from rnntag.analysis import plots

        write_figures(out, figures)
        plots.write_language(out, reports)
        console.note(f"saved {out}")
    if as_json:
        console.print_json(figures)
    else:
        _print(reports)


def write_figures(out: Path, figures: Mapping[str, Any]) -> None:
    text = json.dumps(figures, ensure_ascii=False, indent=1)
    (out / FIGURES).write_text(f"{text}\n", encoding="utf-8", errors="backslashreplace")


def _print(reports: Sequence[LanguageReport]) -> None:
    numbers = ["recurrent weights", "all weights", "perplexity", "per character", "training", "words/s"]
    table = new_table("cell", *numbers, numbers=numbers)
    for report in reports:
        table.add_row(
            escape(report.name),
            f"{report.recurrent_parameters:,}",
            f"{report.parameters:,}",
            f"{report.per_word:.1f}",
            f"{report.per_character:.3f}",
            f"{report.training_seconds:,.0f} s",
            f"{report.speed:,.0f}",
        )
    print_table(table)
    furthest = max(max(report.surprisal) for report in reports)
    distances = f"k = 1 to {len(reports[0].surprisal)} words"
    title = f"surprisal of a word that comes again after {distances}, 0 to {furthest:.1f} bits"
    stdout().print(title, style="bold")
    curves = new_table("", "")
    curves.show_header = False
    for report in reports:
        curves.add_row(escape(report.name), bars(report.surprisal[::_STRIDE], 0, furthest))
    print_table(curves)
