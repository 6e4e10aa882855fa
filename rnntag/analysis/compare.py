"""Compares cells trained with the same settings: cost, accuracy and memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from statistics import median

from rnntag.analysis import probes
from rnntag.analysis.probes import KEYS, Scale, gradient_reach, recall_by_distance
from rnntag.config import ModelConfig, TrainConfig
from rnntag.evaluation.evaluate import measure, micro_average
from rnntag.model.learning_curve import TrainingStep
from rnntag.model.stored import ModelBundle
from rnntag.network.cells import RecurrentLayer
from rnntag.network.tagger import Network
from rnntag.sentences import Corpus
from rnntag.tagger import Tagger
from rnntag.training.callbacks import Callbacks
from rnntag.training.tagger import TaggerTask, bundle
from rnntag.training.trainer import Trainer

SPEED_ROUNDS = 5
SPEED_TOKENS = 20_000
FADED = 0.01
"""A gradient has vanished below this share of the gradient at distance 0."""

FORGOTTEN = (1 + 1 / KEYS) / 2
"""Recall halfway between perfect and chance."""


@dataclass(frozen=True, slots=True)
class CellReport:
    """The measurements of one cell.

    Attributes:
        name: of the cell, with its activation if it is not tanh.
        recurrent_parameters: of all recurrent layers, including those over characters.
        parameters: of the whole network.
        accuracy, unknown_accuracy: on all words and on the unknown words of all dev splits, 0 to 1.
        dev: both by corpus.
        epochs: the last step of each epoch.
        best_epoch: the epoch that was kept.
        training_seconds: of all epochs.
        tagging_speed: words per second, the median of `SPEED_ROUNDS` runs that alternate with the other cells.
        untrained_reach, reach: before and after training; see `probes.gradient_reach`.
        recall: see `probes.recall_by_distance`.
    """

    name: str
    recurrent_parameters: int
    parameters: int
    accuracy: float
    unknown_accuracy: float | None
    dev: dict[str, tuple[float, float | None]]
    epochs: tuple[TrainingStep, ...]
    best_epoch: int
    training_seconds: float
    tagging_speed: float
    untrained_reach: tuple[float | None, ...]
    reach: tuple[float | None, ...]
    recall: tuple[float, ...]


class CompareCallbacks(Callbacks):
    """What a comparison calls, in addition to the callbacks of training."""

    def note(self, what: str) -> None:
        """The next stage begins."""

    def progress(self, what: str, done: int, total: int) -> None:
        """Steps of work other than training are done."""

    def keep(self, name: str, model: ModelBundle) -> None:
        """The model of a cell is trained."""


def faded(reach: Sequence[float | None]) -> int | None:
    """The first distance at which less than `FADED` of the gradient at distance 0 is left, or None."""
    return next((k for k, norm in enumerate(reach) if norm is not None and norm < FADED * (reach[0] or 0)), None)


def forgotten(recalled: Sequence[float]) -> int | None:
    """The first distance over which recall is below `FORGOTTEN`, or None."""
    return next((k for k, accuracy in enumerate(recalled, 1) if accuracy < FORGOTTEN), None)


def name_of(config: ModelConfig) -> str:
    return f"{config.cell}-{config.activation}" if config.activation != "tanh" else config.cell


def compare(
    corpora: Sequence[Corpus],
    configs: Sequence[ModelConfig],
    run: TrainConfig,
    watch: CompareCallbacks,
    scale: Scale | None = None,
) -> list[CellReport]:
    """Train each network on the same sentences in the same order, and measure it on the dev splits.

    Args:
        scale: how thoroughly to measure memory; `probes.FULL` if None.

    Raises:
        DataError, UsageError, NotFoundError, RnntagError: see `training.tagger.TaggerTask`.
    """
    reports, models = [], []
    for config in configs:
        report, model = _trained(corpora, config, run, watch, scale or probes.FULL)
        reports.append(report)
        models.append(model)
    watch.note("measuring speed")
    makes = [lambda model=model: Tagger(model).predict for model in models]
    measured = speeds(makes, (sentence.tokens for corpus in corpora for sentence in corpus.dev), watch)
    return [replace(report, tagging_speed=speed) for report, speed in zip(reports, measured, strict=True)]


def _trained(
    corpora: Sequence[Corpus], config: ModelConfig, run: TrainConfig, watch: CompareCallbacks, scale: Scale
) -> tuple[CellReport, ModelBundle]:
    name = name_of(config)
    watch.note(f"{name}: training")
    trainer = Trainer(TaggerTask(corpora, config, run))
    vocabulary = trainer.task.vocabulary
    dev = [sentence for corpus in corpora for sentence in corpus.dev if sentence.tokens]
    # Always on the CPU, so that the plots of two machines agree.
    network = Network(config, vocabulary)
    network.load_weights(trainer.task.weights())
    progress = partial(watch.progress, f"{name}: gradient")
    untrained = gradient_reach(network, vocabulary, dev, scale, progress)
    for step in trainer.steps():
        watch.step(step)
    model = bundle(trainer, name)
    watch.keep(name, model)
    watch.note(f"{name}: measuring gradient and recall")
    network = Network.of(model)
    tagger = Tagger(model)
    measured = {c.name: [r for _, _, r in measure(tagger, c.name, c.dev)] for c in corpora if c.dev}
    accuracy, unknown_accuracy = micro_average(chain.from_iterable(measured.values()))
    recurrent = [layer for layer in network.modules() if isinstance(layer, RecurrentLayer)]
    report = CellReport(
        name=name,
        recurrent_parameters=sum(p.numel() for layer in recurrent for p in layer.parameters()),
        parameters=sum(p.numel() for p in network.parameters()),
        accuracy=accuracy,
        unknown_accuracy=unknown_accuracy,
        dev={name: micro_average(reports) for name, reports in measured.items()},
        epochs=tuple(trainer.ends),
        best_epoch=model.provenance.epoch,
        training_seconds=trainer.ends[-1].seconds,
        tagging_speed=0.0,
        untrained_reach=tuple(untrained),
        reach=tuple(gradient_reach(network, vocabulary, dev, scale, progress)),
        recall=tuple(
            recall_by_distance(
                config.cell, config.activation, run.seed, scale, partial(watch.progress, f"{name}: recall task")
            )
        ),
    )
    return report, model


def speeds(
    makes: Sequence[Callable[[], Callable[[Sequence[Sequence[str]]], object]]],
    sentences: Iterable[Sequence[str]],
    watch: CompareCallbacks,
) -> list[float]:
    """Words per second of each model, including the encoding of new words, on the first `SPEED_TOKENS`.

    Args:
        makes: for each model what makes a tagger, say, with an empty cache of words, and returns its method to measure.
    """
    sample: list[Sequence[str]] = []
    tokens = 0
    for sentence in sentences:
        sample.append(sentence)
        tokens += len(sentence)
        if tokens >= SPEED_TOKENS:
            break
    seconds: list[list[float]] = [[] for _ in makes]
    for turn in range(SPEED_ROUNDS):
        watch.progress("speed", turn, SPEED_ROUNDS)
        for make, durations in zip(makes, seconds, strict=True):
            work = make()
            started = time.perf_counter()
            work(sample)
            durations.append(time.perf_counter() - started)
    return [tokens / median(durations) for durations in seconds]
