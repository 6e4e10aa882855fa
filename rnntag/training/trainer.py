"""The training loop, for networks of all kinds."""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from rnntag.errors import DataError, Remedy, RnntagError
from rnntag.model.learning_curve import Scale, TrainingStep
from rnntag.model.weights import quantize
from rnntag.training import checkpoint
from rnntag.training.checkpoint import State
from rnntag.training.optimizer import EpochState, ExplosionError, Optimiser
from rnntag.training.processes import ALONE, ProcessGroup

LARGEST_WEIGHT = float(np.finfo(np.float16).max)
"""Models are stored in half precision."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long and how fast to train.

    Attributes:
        lr: the initial learning rate. It falls linearly to 0 over the epochs, or over `max_minutes` if that is shorter.
        max_grad_norm: the gradient is clipped to this norm; 0: it is not.
        patience: stop after so many epochs without a better dev accuracy, and keep the best epoch; None: never stop
            early, and keep the last epoch.
        max_minutes: 0: no limit.
    """

    epochs: int
    lr: float
    max_grad_norm: float
    patience: int | None = None
    max_minutes: float = 0.0


class Loss(NamedTuple):
    """The loss of a batch: its mean, the number of items in that mean, and the number of tokens."""

    mean: Tensor
    weight: int
    tokens: int


_Batch = TypeVar("_Batch")


class Task(ABC, Generic[_Batch]):
    """What to train, and on what.

    Attributes:
        network: it holds the averaged weights when `evaluate` and `weights` are called.
        tables: the names of the weights that are embedding tables; see `quantize`.
        remedy: settings to change when the gradients explode.
        scale: the sizes of corpora, vocabulary and network.
    """

    network: nn.Module
    schedule: Schedule
    seed: int
    tables: ClassVar[Sequence[str]]
    remedy: ClassVar[Remedy]
    scale: Scale

    @property
    @abstractmethod
    def fingerprint(self) -> str:
        """A digest of the training and dev data, and of other files that the result depends on."""

    @abstractmethod
    def batches(self, random: np.random.Generator) -> Sequence[_Batch]:
        """The batches of an epoch, in order."""

    @abstractmethod
    def loss(self, batch: _Batch, random: np.random.Generator, remaining: float) -> Loss:
        """The loss of a batch. `remaining` is the share of the training that is left, from 1 to 0."""

    @abstractmethod
    def evaluate(self) -> tuple[Mapping[str, float], float]:
        """Dev figures by name, and the dev accuracy to choose an epoch by (all 0 to 1)."""

    @abstractmethod
    def weights(self) -> dict[str, np.ndarray]:
        """The network's weights by name."""

    def state(self) -> dict[str, np.ndarray]:
        """What the next batches of an epoch depend on besides the weights, by name."""
        return {}

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Continue from a `state`."""


_Task = TypeVar("_Task", bound=Task[Any])


class Trainer(Generic[_Task]):
    """Trains a task; seeded, and repeatable on one machine with the same number of processes.

    Attributes:
        task: at a `TrainingStep` with dev figures, its network holds the weights that were measured.
        ends: the last step of each epoch so far.
        kept: the last step and the weights of the epoch to keep; None before the end of the first epoch.
    """

    def __init__(self, task: _Task, processes: ProcessGroup = ALONE) -> None:
        self.task = task
        self._processes = processes
        self.ends: list[TrainingStep] = []
        self.kept: tuple[TrainingStep, dict[str, np.ndarray]] | None = None
        self._optimiser = Optimiser(task.network.parameters(), task.schedule.max_grad_norm)
        self._random = np.random.default_rng(task.seed)
        self._now = EpochState(self._random.bit_generator.state)

    def result(self) -> tuple[TrainingStep, dict[str, np.ndarray]]:
        """See `kept`.

        Raises:
            RnntagError: no epoch has ended yet.
        """
        if self.kept is None:
            raise RnntagError("stopped before the end of the first epoch: there is nothing to save")
        return self.kept

    def steps(self) -> Iterator[TrainingStep]:
        """Train. Yields a step after each batch.

        Dev figures are measured with the averaged weights (see `Optimiser`), which become the model.

        Raises:
            ExplosionError: the gradient is no longer finite, or a weight is too large to store.
        """
        task, schedule, now = self.task, self.task.schedule, self._now
        started = time.monotonic() - now.seconds
        while not self._is_over():
            task.network.train()
            interrupted_at = self._random.bit_generator.state
            self._random.bit_generator.state = now.shuffle
            batches = task.batches(self._random)
            if now.batch:
                self._random.bit_generator.state = interrupted_at
            for batch in batches[now.batch :]:
                done = (now.epoch - 1 + now.batch / len(batches)) / schedule.epochs
                if schedule.max_minutes:
                    seconds = self._processes.broadcast(lambda: time.monotonic() - started)
                    done = max(done, seconds / (60 * schedule.max_minutes))
                if done >= 1:
                    break
                self._step(batch, done)
                now.seconds = time.monotonic() - started
                if now.batch < len(batches):
                    yield now.step(schedule.epochs, len(batches))
            self._optimiser.swap()
            dev, accuracy = self._processes.broadcast(task.evaluate)
            now.seconds = self._processes.broadcast(lambda: time.monotonic() - started)
            step = replace(now.step(schedule.epochs, len(batches), ends=True), dev=dev, dev_accuracy=accuracy)
            step = self._keep(step)
            self.ends.append(step)
            now.begin_epoch(self._random.bit_generator.state)
            yield step
            self._optimiser.swap()

    def _step(self, batch: Any, done: float) -> None:
        """Take a step, given the share of the training that is done.

        Raises:
            ExplosionError: the gradient is not finite.
        """
        task, schedule, now, processes = self.task, self.task.schedule, self._now, self._processes
        random = self._random
        if processes.world_size > 1:  # else all would hide the same words and units, in other sentences
            random = np.random.default_rng([task.seed, now.epoch, now.batch, processes.rank])
            torch.manual_seed(int(random.integers(1 << 62)))
        part = processes.part(batch)
        own = task.loss(part, random, 1 - done) if len(part) else None
        sums = (own.mean.item() * own.weight, own.weight, own.tokens) if own else (0, 0, 0)
        total, weight, tokens = processes.all_reduce(*sums)
        share = own.mean * (own.weight / max(weight, 1)) if own else None
        norm = self._optimiser.step(share, schedule.lr * (1 - done), processes)
        if not math.isfinite(norm):
            raise self._explosion()
        now.add(
            total / max(weight, 1), int(weight), norm, clipped=norm > schedule.max_grad_norm > 0, tokens=int(tokens)
        )

    def _keep(self, step: TrainingStep) -> TrainingStep:
        """Keep the weights at the end of an epoch if they are the best, or if the last epoch counts."""
        weights = self.task.weights()
        if max(np.abs(weight).max(initial=0) for weight in weights.values()) > LARGEST_WEIGHT:
            raise self._explosion()
        choosing = self.task.schedule.patience is not None
        step = replace(step, best=choosing and (not self.kept or step.dev_accuracy > self.kept[0].dev_accuracy))
        if step.best or not choosing:
            self.kept = (step, quantize(weights, self.task.tables))
        return step

    def _explosion(self) -> ExplosionError:
        return ExplosionError(f"the gradients exploded in epoch {self._now.epoch}", remedy=self.task.remedy)

    def _is_over(self) -> bool:
        now, schedule = self._now, self.task.schedule
        stale = now.epoch - 1 - self.kept[0].epoch if self.kept else 0
        out_of_time = 0 < 60 * schedule.max_minutes <= now.seconds
        return (
            now.epoch > schedule.epochs or out_of_time or (schedule.patience is not None and stale >= schedule.patience)
        )

    def state(self) -> State:
        """The state at a `TrainingStep`, or before the first."""
        figures: dict[str, Any] = {
            "corpora": self.task.fingerprint,
            "progress": asdict(self._now),
            "random": self._random.bit_generator.state,
            "ends": [asdict(step) for step in self.ends],
        }
        arrays = checkpoint.within("optimiser", self._optimiser.state())
        arrays |= checkpoint.within("task", self.task.state())
        if self.kept:
            step, weights = self.kept
            figures["kept"] = step.epoch
            arrays |= checkpoint.within("kept", weights)
        return State(figures, arrays)

    def restore(self, state: State) -> None:
        """Continue from the state of another run with the same settings. `steps` then yields bit for bit what it would
        have yielded there, on the same machine with the same number of threads and without `max_minutes`.

        Raises:
            DataError: the other run had other sentences, or other files.
        """
        if state.figures["corpora"] != self.task.fingerprint:
            raise DataError(
                "the corpora or other input files have changed since the run started", remedy={"resume": False}
            )
        self._now = EpochState(**state.figures["progress"])
        self._random.bit_generator.state = state.figures["random"]
        self.ends = [TrainingStep(**step) for step in state.figures["ends"]]
        self._optimiser.restore(checkpoint.of("optimiser", state.arrays))
        self.task.restore(checkpoint.of("task", state.arrays))
        if kept := state.figures.get("kept"):
            self.kept = (self.ends[kept - 1], checkpoint.of("kept", state.arrays))
