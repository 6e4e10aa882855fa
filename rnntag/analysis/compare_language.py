"""Compares cells as language models: cost, perplexity and memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from rnntag.analysis import probes
from rnntag.analysis.compare import CompareCallbacks, name_of, speeds
from rnntag.analysis.probes import Scale
from rnntag.config import ModelConfig, PretrainConfig
from rnntag.language_model import LanguageModel, perplexity
from rnntag.model.language_model import StoredLanguageModel
from rnntag.model.learning_curve import TrainingStep
from rnntag.network.cells import RecurrentLayer
from rnntag.sentences import Corpus
from rnntag.training.language_model import LanguageTask, Numbered, Text, bundle
from rnntag.training.trainer import Trainer


@dataclass(frozen=True, slots=True)
class LanguageReport:
    """The measurements of one cell.

    Attributes:
        name: of the cell, with its activation if it is not tanh.
        recurrent_parameters: of all recurrent layers, including those over characters.
        parameters: of the whole network.
        per_word, per_character: perplexity of the dev splits; see `model.language_model.Perplexity`.
        epochs: the last step of each epoch.
        training_seconds: of all epochs.
        speed: words scored per second, the median of `compare.SPEED_ROUNDS` runs that alternate with the other cells.
        surprisal: see `probes.surprisal_by_distance`.
    """

    name: str
    recurrent_parameters: int
    parameters: int
    per_word: float
    per_character: float
    epochs: tuple[TrainingStep, ...]
    training_seconds: float
    speed: float
    surprisal: tuple[float, ...]


def compare(
    corpora: Sequence[Corpus],
    configs: Sequence[ModelConfig],
    run: PretrainConfig,
    watch: CompareCallbacks,
    scale: Scale | None = None,
) -> list[LanguageReport]:
    """Train each network on the words of the same sentences, and measure it on the dev splits.

    Args:
        scale: how thoroughly to measure memory; `probes.FULL` if None.

    Raises:
        DataError, UsageError, NotFoundError, RnntagError: see `training.language_model.LanguageTask`.
    """
    numbered = Numbered()
    train, dev = (
        numbered.text(sentence.tokens for corpus in corpora for sentence in getattr(corpus, split))
        for split in ("train", "dev")
    )
    text = Text(numbered.words, train, dev)
    made = [_trained(text, config, run, watch, scale or probes.FULL) for config in configs]
    watch.note("measuring speed")
    makes = [lambda model=model: LanguageModel(model).score_sents for _, model in made]
    measured = speeds(makes, text.dev_sentences(), watch)
    return [replace(report, speed=speed) for (report, _), speed in zip(made, measured, strict=True)]


def _trained(
    text: Text, config: ModelConfig, run: PretrainConfig, watch: CompareCallbacks, scale: Scale
) -> tuple[LanguageReport, StoredLanguageModel]:
    name = name_of(config)
    watch.note(f"{name}: training")
    trainer = Trainer(LanguageTask(text, config, run))
    watch.begin("language model", trainer.task.scale, 0)
    for step in trainer.steps():
        watch.step(step)
    model = bundle(trainer, name)
    watch.note(f"{name}: measuring perplexity and memory")
    dev = perplexity(LanguageModel(model), text.dev_sentences())
    network = trainer.task.network
    recurrent = [layer for layer in network.modules() if isinstance(layer, RecurrentLayer)]
    progress = partial(watch.progress, f"{name}: recall task")
    report = LanguageReport(
        name=name,
        recurrent_parameters=sum(p.numel() for layer in recurrent for p in layer.parameters()),
        parameters=sum(p.numel() for p in network.parameters()),
        per_word=dev.per_word,
        per_character=dev.per_character,
        epochs=tuple(trainer.ends),
        training_seconds=trainer.ends[-1].seconds,
        speed=0.0,
        surprisal=tuple(probes.surprisal_by_distance(config.cell, config.activation, run.seed, scale, progress)),
    )
    return report, model
