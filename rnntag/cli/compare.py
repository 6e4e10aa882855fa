"""`rnntag compare`."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import typer

from rnntag import console, effects
from rnntag.cli.options import (
    ActivationOption,
    BpttOption,
    ClipOption,
    CorpusFormatOption,
    DropoutOption,
    EncodingOption,
    EpochsOption,
    FeedbackOption,
    ForceOption,
    HiddenOption,
    InputOption,
    JsonOption,
    LayersOption,
    LearningRateOption,
    SeedOption,
    TagsetOption,
    TrainingCorpusArgument,
    TrainingCorpusOption,
    UnidirectionalOption,
    given,
)
from rnntag.cli.train import check_reading, training_corpora
from rnntag.schema import CELLS, ModelConfig, TrainConfig, UsageError

_MODEL = ModelConfig()
_TRAINING = TrainConfig(epochs=10)
FIGURES, PAGE = "figures.json", "index.html"
_QUICK_EPOCHS = 3


def compare(
    context: typer.Context,
    spec: TrainingCorpusArgument = None,
    corpus: TrainingCorpusOption = None,
    tagset: TagsetOption = "universal",
    encoding: EncodingOption = "utf-8",
    corpus_format: CorpusFormatOption = "auto",
    out: Annotated[
        Path | None, typer.Option(help="A folder for the page, the pictures, the figures and the models.")
    ] = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
    quick: Annotated[
        bool,
        typer.Option(
            "--quick",
            help=f"A rough comparison: {_QUICK_EPOCHS} epochs unless --epochs says otherwise, and memory measured over "
            "shorter distances. About a minute on the starter corpus.",
        ),
    ] = False,
    cell: Annotated[
        list[str] | None,
        typer.Option(metavar="|".join(CELLS), help="May be repeated.", show_default="all three"),
    ] = None,
    input: InputOption = "embedding",
    activation: ActivationOption = "tanh",
    unidirectional: UnidirectionalOption = False,
    feedback: FeedbackOption = False,
    layers: LayersOption = _MODEL.layers,
    hidden: HiddenOption = _MODEL.hidden,
    epochs: EpochsOption = _TRAINING.epochs,
    lr: LearningRateOption = _TRAINING.lr,
    clip: ClipOption = _TRAINING.clip,
    bptt: BpttOption = _TRAINING.bptt,
    dropout: DropoutOption = _TRAINING.dropout,
    seed: SeedOption = _TRAINING.seed,
) -> None:
    """Train several cells with equal settings, and show what each costs, learns and remembers.

    Weights, dev accuracy (also on unseen words), training time and tagging speed; learning curves; how
    far the gradient of a word's loss reaches back, before and after training; and over how many words
    each cell learns to recall one. With --out as a page with pictures, too, which needs matplotlib.

        rnntag compare --quick starter

        rnntag compare --corpus 'en_ewt-ud-*.conllu' --out comparison

        rnntag compare --cell rnn --cell gru --unidirectional treebank
    """
    if quick and "epochs" not in given(context):
        epochs = _QUICK_EPOCHS
    base = ModelConfig(input=input, bidirectional=not unidirectional, feedback=feedback, layers=layers, hidden=hidden)
    configs = [
        replace(base, cell=one, activation=activation if one == "rnn" else "tanh")
        for one in dict.fromkeys(cell or CELLS)
    ]
    run = TrainConfig(
        epochs=epochs, patience=epochs, lr=lr, clip=clip, bptt=bptt, dropout=dropout, seed=seed, device="cpu"
    )
    effects.check(context.params, given(context))
    if out:
        from rnntag import pictures, store

        pictures.check()
        store.check_not_bundled(out)
        if not force:
            _check_free(out, configs)
        out.mkdir(parents=True, exist_ok=True)
    named = [*(corpus or []), *(spec or [])]
    check_reading(context, named, corpus_format, encoding)
    specs, tagsets, loaded = training_corpora(named, tagset, encoding, corpus_format)
    from rnntag import card, checkpoint, comparison, memory, store
    from rnntag.claim import claim
    from rnntag.progress import TrainingView

    scale = memory.QUICK if quick else memory.FULL

    def keep(name: str, model: store.StoredModel) -> None:
        if out:
            provenance = replace(
                model.provenance, specs=specs, tagsets=tagsets, encoding=encoding, corpus_format=corpus_format
            )
            model = replace(model, provenance=provenance)
            store.write(out / name, model, card.write(model))

    with ExitStack() as claims, TrainingView() as view:
        for path in [out / comparison.name_of(config) for config in configs] if out else ():
            claims.enter_context(claim(path))
            if checkpoint.place(path).exists():
                raise UsageError(f"{path}: a run of 'rnntag train' was broken off there: choose another --out")
        reports = comparison.compare(
            loaded, configs, run, comparison.Watcher(view.note, view.show, view.part, keep), scale
        )
    figures = {
        "corpora": list(specs),
        "quick": quick,
        "memory": asdict(scale),
        "network": asdict(base),
        "training": asdict(run),
        "cells": [asdict(report) for report in reports],
    }
    if out:
        from rnntag import page

        command = shlex.join(["rnntag", *sys.argv[1:]])
        told = json.dumps(figures, ensure_ascii=False, indent=1)
        (out / FIGURES).write_text(f"{told}\n", encoding="utf-8", errors="backslashreplace")
        drawn = pictures.write(out, reports)
        (out / PAGE).write_text(page.write(reports, drawn, command, quick), encoding="utf-8", errors="replace")
    if as_json:
        console.print_json(figures)
    else:
        console.print_comparison(reports, quick)
    if out:
        console.note(f"saved {out}; open {out / PAGE}")


def _check_free(out: Path, configs: Sequence[ModelConfig]) -> None:
    """Make sure that no comparison is overwritten, nor a model."""
    from rnntag import comparison, pictures, store

    for config in configs:
        store.check_free(out / comparison.name_of(config))
    store.check_absent((out / FIGURES, out / PAGE, *pictures.files(out)))
