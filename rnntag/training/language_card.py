"""The card of a language model: what it is, its text, its perplexity, and the command that trains it again."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import fields

from rnntag.config import LANGUAGE_NETWORK, ModelConfig
from rnntag.model.language_model import StoredLanguageModel
from rnntag.training.model_card import options


def write(model: StoredLanguageModel) -> str:
    """The card as Markdown."""
    config, provenance = model.config, model.provenance
    dev = provenance.perplexity
    directions = "forward and backward" if config.bidirectional else "forward"
    return "\n".join(
        [
            f"# {model.name}",
            "",
            f"A language model: {config.cell.upper()}, {config.layers} × {config.hidden}, {directions}, with "
            f"{model.vocabulary.n_embedded - 1:,} words and a spelling model for all others. It reads words in lower "
            "case.",
            "",
            f"Training text: {provenance.sentences:,} sentences with {provenance.tokens:,} words.",
            "",
            f"Perplexity on the dev text, each sentence by itself: {dev.per_word:.1f} per word, "
            f"{dev.per_character:.3f} per character ({dev.words:,} words and {dev.characters:,} characters). The end "
            "of a sentence counts as a word and as a character.",
            "",
            f"Trained on {provenance.created} with rnntag {provenance.rnntag} and torch {provenance.torch}: "
            f"{provenance.minutes} minutes to epoch {provenance.epoch}. To train it again:",
            "",
            f"    {shlex.join(_command(model))}",
            "",
            "The licences of the texts apply to models trained on them.",
            "",
        ]
    )


def _command(model: StoredLanguageModel) -> Iterator[str]:
    yield from ("rnntag", "pretrain", *model.provenance.texts)
    if model.provenance.encoding != "utf-8":
        yield from ("--encoding", model.provenance.encoding)
    network = [field.name for field in fields(ModelConfig)]
    yield from options(model.config, [name for name in network if name not in LANGUAGE_NETWORK])
    yield from options(model.training, ["device"])
    yield from ("--out", f"models/{model.name}")
