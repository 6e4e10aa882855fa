"""`rnntag pretrain`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from rnntag.cli.options import (
    CheckpointOption,
    EncodingOption,
    ForceOption,
    ResumeOption,
    given,
    settings_of,
    with_settings,
)
from rnntag.config import LANGUAGE_NETWORK, ModelConfig, PretrainConfig
from rnntag.terminal import console

_HELPS = {
    "bidirectional": "Add a network that predicts backward, for word vectors. Scores are forward.",
    "hidden": "Hidden units.",
}


@with_settings(
    settings_of(ModelConfig, *LANGUAGE_NETWORK, helps=_HELPS, **LANGUAGE_NETWORK), settings_of(PretrainConfig)
)
def pretrain(
    context: typer.Context,
    text: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="TEXT...",
            help="Files of raw text, tokens, CoNLL-U, vertical text or JSON lines. May be compressed.",
            show_default=False,
        ),
    ] = None,
    encoding: EncodingOption = "utf-8",
    out: Annotated[Path | None, typer.Option(help="Model directory.", show_default="models/lm")] = None,
    force: ForceOption = False,
    resume: ResumeOption = None,
    checkpoint_every: CheckpointOption = 10,
    **options: Any,
) -> None:
    """Train a language model on text.

    The model predicts each word from the words before it. `rnntag score` uses it to tell how likely
    sentences are. Without --dev, a fiftieth of the text is held out to measure perplexity (of a short
    text, the last tenth).

        rnntag pretrain text.txt --cell lstm --out models/lm

        rnntag pretrain 'corpus.txt.xz' --bptt 0 --out models/lm

        rnntag pretrain --resume --out models/lm
    """
    from rnntag.cli import run_view
    from rnntag.model import language_model
    from rnntag.training import pretrain as training

    chosen = given(context)
    view = run_view.view()
    with view.interruptions("pretrain", "--resume"):
        path = training.pretrain(chosen.pop("text", ()), watch=view, **chosen)
    dev = language_model.read(path).provenance.perplexity
    console.note(f"perplexity {dev.per_word:.1f} per word, {dev.per_character:.2f} per character")
    console.note(f"saved {path}; next: rnntag score --model {path} 'I can swim .'")
