"""A run that is checkpointed: what all jobs that make a model directory share."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from rnntag.errors import AccessError, DataError
from rnntag.model import directory
from rnntag.storage import validation
from rnntag.training import checkpoint
from rnntag.training.callbacks import Callbacks, InterruptedTrainingError
from rnntag.training.checkpoint import Checkpoint, Settings
from rnntag.training.optimizer import ExplosionError
from rnntag.training.processes import ALONE, ProcessGroup
from rnntag.training.tensorboard import TensorboardLog
from rnntag.training.trainer import Trainer
from rnntag.version import __version__


@dataclass
class Runner:
    """Trains networks and checkpoints them, for a model directory that the caller has claimed.

    Attributes:
        out: the directory.
        kept: the checkpoint of an interrupted run.
        minutes: between two checkpoints within an epoch; 0: none.
        watch: the callbacks.
        processes: that train together. The first one writes the files.
    """

    out: Path
    settings: Settings
    kept: Checkpoint | None
    minutes: float
    watch: Callbacks
    processes: ProcessGroup = ALONE
    _is_kept: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self._states = dict(self.kept.states) if self.kept else {}
        self.replaces = self.kept.replaces if self.kept else directory.day_made(self.out) is not None

    def run(self, make: Callable[[], None]) -> None:
        """Train and write the model by `make`, then remove the checkpoint.

        Raises:
            RnntagError: training or writing failed; the last checkpoint remains.
            InterruptedTrainingError: `watch` stopped it.
        """
        self._check_conditions()
        try:
            make()
        except (ExplosionError, InterruptedTrainingError) as error:
            if isinstance(error, ExplosionError):
                self._discard()  # continuing would fail again
            self._wait()
            raise
        self._discard()
        self._wait()

    def _discard(self) -> None:
        if self.processes.rank == 0:
            checkpoint.discard(self.out)

    def _wait(self) -> None:
        """Until the first process has written its files: `torchrun` ends it if another one fails."""
        self.processes.all_reduce(0)

    def train(self, name: str, trainer: Trainer[Any], log: TensorboardLog | None = None) -> bool:
        """Train to the end or until `watch` stops it. Returns whether it is finished."""
        own = trainer.task.fingerprint if self.processes.world_size > 1 else ""
        if self.processes.broadcast(lambda: own) != own:
            raise DataError("the training processes loaded different data: all need the same files")
        resumes = name in self._states
        if resumes:
            self._restore(name, trainer)
        self._keep(name, trainer)
        kept_at, begins, stops = time.monotonic(), True, False
        with self.watch.training():
            for step in trainer.steps():
                if begins:
                    self.watch.begin(name, trainer.task.scale, step.epoch if resumes else 0)
                begins = False
                self.watch.step(step)
                if log:
                    log.add(step)
                stops = self.processes.all_reduce(self.watch.should_stop())[0] > 0
                due = 0 < 60 * self.minutes <= time.monotonic() - kept_at
                if step.batch == step.batches or due or stops:
                    self._keep(name, trainer)
                    kept_at = time.monotonic()
                if stops:
                    break
        return not stops

    def _check_conditions(self) -> None:
        """Warn if the results may differ from those of an uninterrupted run."""
        now = self._conditions()
        for name, value in self.kept.conditions.items() if self.kept else ():
            if now.get(name, value) != value:
                self.watch.warn(
                    f"the run began with {name} {value} and continues with {now[name]}: results may differ slightly"
                )

    def _conditions(self) -> dict[str, str]:
        """What the last digits of a model depend on, apart from its settings and corpora."""
        processes = str(self.processes.world_size)
        threads = str(torch.get_num_threads())
        return {"rnntag": __version__, "torch": torch.__version__, "threads": threads, "processes": processes}

    def _restore(self, name: str, trainer: Trainer[Any]) -> None:
        try:
            trainer.restore(self._states[name])
        except (ValueError, KeyError, TypeError, IndexError, AttributeError, RuntimeError) as error:
            where = checkpoint.place(self.out)
            raise DataError(
                f"{where}: {checkpoint.UNREADABLE} ({validation.reason(error)})", remedy=checkpoint.RESTART
            ) from error

    def _keep(self, name: str, trainer: Trainer[Any]) -> None:
        if self.processes.rank:
            return
        self._states[name] = trainer.state()
        try:
            checkpoint.write(
                self.out, Checkpoint(self.settings, self._states, self._conditions(), replaces=self.replaces)
            )
        except AccessError as error:
            if not self._is_kept:
                raise  # now, and not after hours of work
            self.watch.warn(f"{error}; training continues")
        self._is_kept = True
