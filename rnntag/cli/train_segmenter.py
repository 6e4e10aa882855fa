"""`rnntag train-segmenter`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from rnntag.cli.options import (
    CheckpointOption,
    CorpusFormatOption,
    EncodingOption,
    ForceOption,
    ModelArgument,
    ResumeOption,
    given,
    settings_of,
    with_settings,
)
from rnntag.config import SegmenterConfig, TrainConfig

_HELPS = {"init": "Start from the segmenter of this model (a name or a directory)."}


@with_settings(
    settings_of(SegmenterConfig), settings_of(TrainConfig, "simplify_chinese", "init", "keep", "seed", helps=_HELPS)
)
def train_segmenter(
    context: typer.Context,
    model: ModelArgument,
    corpus: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="CORPUS...", help="CoNLL-U files with SpaceAfter=No, or spaCy documents.", show_default=False
        ),
    ] = None,
    encoding: EncodingOption = "utf-8",
    corpus_format: CorpusFormatOption = "auto",
    out: Annotated[
        Path | None, typer.Option(help="Write a copy of the model here.", show_default="MODEL itself")
    ] = None,
    force: ForceOption = False,
    resume: ResumeOption = None,
    checkpoint_every: CheckpointOption = 10,
    **options: Any,
) -> None:
    """Train a segmenter for a model, so that it can tag raw text.

    The tagger does not change. The segmenter is added to the model or,
    with --out, to a copy.

        rnntag train-segmenter lstm 'en_ewt-ud-*.conllu'

        rnntag train-segmenter lstm 'en_ewt-ud-*.conllu' --out models/lstm-raw

        rnntag train-segmenter zh-en mine.conllu --init zh-en --out models/mine
    """
    from rnntag.cli import run_view
    from rnntag.training import run

    chosen = given(context)
    del chosen["model"]
    corpora = chosen.pop("corpus", ())
    view = run_view.view()
    with view.interruptions("train-segmenter", model, "--resume"):
        path = run.train_segmenter(model, corpora, watch=view, **chosen)
    view.report(path)
