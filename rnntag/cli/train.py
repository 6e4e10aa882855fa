"""`rnntag train`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from rnntag.cli.options import (
    CheckpointOption,
    CorpusFormatOption,
    EncodingOption,
    ForceOption,
    ResumeOption,
    TagsetOption,
    TrainingCorpusArgument,
    TrainingCorpusOption,
    given,
    settings_of,
    with_settings,
)
from rnntag.config import SEGMENTER_PREFIX, ModelConfig, SegmenterConfig, TrainConfig
from rnntag.terminal import console

_TensorboardOption = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="Log loss, gradient norm and dev accuracies for TensorBoard (must be installed).",
        show_default=False,
    ),
]
_SegmenterOption = Annotated[
    bool | None,
    typer.Option(
        "--segmenter/--no-segmenter",
        help="Also train a segmenter, which splits raw text into words and sentences. Needs CoNLL-U with "
        "SpaceAfter=No or spaCy documents.",
        show_default="if the corpora allow it",
    ),
]


@with_settings(
    settings_of(ModelConfig), settings_of(TrainConfig), settings_of(SegmenterConfig, prefix=SEGMENTER_PREFIX)
)
def train(
    context: typer.Context,
    spec: TrainingCorpusArgument = None,
    corpus: TrainingCorpusOption = None,
    tagset: TagsetOption = "universal",
    encoding: EncodingOption = "utf-8",
    corpus_format: CorpusFormatOption = "auto",
    out: Annotated[Path | None, typer.Option(help="Model directory.", show_default="models/CELL")] = None,
    force: ForceOption = False,
    resume: ResumeOption = None,
    checkpoint_every: CheckpointOption = 10,
    tensorboard: _TensorboardOption = None,
    segmenter: _SegmenterOption = None,
    **options: Any,
) -> None:
    """Train a model.

    The model of the epoch with the best dev accuracy is saved, with its learning curve (see `rnntag
    history`). Ctrl-C stops early and saves the best model so far. After Ctrl-C, `kill -9` or a power
    cut, continue with --resume: the result is the same as without the interruption.

        rnntag train --cell lstm

        rnntag train 'en_ewt-ud-*.conllu' --out models/ewt

        rnntag train mine.txt --tagset native --cell gru --epochs 10

        rnntag train mine.txt --corpus-format underscore

        rnntag train mine.conllu --init zh-en --out models/mine

        rnntag train --resume --out models/ewt
    """
    from rnntag.cli import run_view
    from rnntag.evaluation.metrics import percent
    from rnntag.model import directory
    from rnntag.training import processes, run

    chosen = given(context)
    corpora = [*chosen.pop("corpus", ()), *chosen.pop("spec", ())]
    view = run_view.view()
    with view.interruptions("train", "--resume", log=tensorboard):
        path = run.train(corpora, watch=view, **chosen)
    if processes.rank():
        return
    model = directory.read(path)
    test = "  ".join(f"{name} {percent(accuracy)}" for name, accuracy in model.provenance.test.items())
    console.note(f"test {test or '(no test split)'}")
    view.report(path)
    if not model.segmenter:
        console.note(
            f"{path} tags tokens only, not raw text; to add a segmenter: rnntag train-segmenter {path} CORPUS "
            "(CoNLL-U with SpaceAfter=No, or spaCy documents)"
        )
