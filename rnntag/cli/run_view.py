"""Shows a training run on the screen, and stops it on Ctrl-C."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import typer

from rnntag.cli.progress import TrainingView, fetched, working
from rnntag.cli.signals import Interruption
from rnntag.model.learning_curve import Scale, TrainingStep
from rnntag.model.stored import ModelBundle
from rnntag.sentences import Corpus
from rnntag.terminal import console
from rnntag.training.callbacks import Callbacks, InterruptedTrainingError

RAW_EXAMPLE = "I can swim. 我吃苹果。"


class RunView(Callbacks):
    """Shows a run, and stops it after a signal."""

    def __init__(self) -> None:
        self._interruption = Interruption()
        self._view = TrainingView()
        self._example: Sequence[str] = ()

    @contextmanager
    def interruptions(self, *command: str, log: Path | None = None) -> Iterator[None]:
        """Report an interrupted run with the command that continues it, and exit as the signal asks.

        Args:
            command: of rnntag, without --out.
            log: the directory of TensorBoard's log.
        """
        try:
            yield
        except InterruptedTrainingError as error:
            logging = ["--tensorboard", str(log)] if log else []
            line = shlex.join(["rnntag", *command, "--out", str(error.out), *logging])
            console.note(f"{error}; continue with: {line}")
            raise typer.Exit(self._interruption.code) from error

    @contextmanager
    def stage(self, what: str) -> Iterator[None]:
        with working(what) as self._progress:
            yield

    def fetch(self, package: str, share: float) -> None:
        fetched(self._progress, package, share)

    def loaded(self, corpora: Sequence[Corpus]) -> None:
        self._example = next((corpus.dev[0].tokens[:6] for corpus in corpora if corpus.dev), ())

    @contextmanager
    def training(self) -> Iterator[None]:
        with Interruption() as self._interruption, TrainingView() as self._view:
            yield

    def begin(self, what: str, scale: Scale, epoch: int) -> None:
        self._view.begin(what, scale, epoch)

    def step(self, step: TrainingStep) -> None:
        self._view.show(step)

    def warn(self, message: str) -> None:
        console.warning(message)

    def should_stop(self) -> bool:
        return bool(self._interruption.code)

    def report(self, model: ModelBundle, path: Path) -> None:
        """Say where the model is and how to use it."""
        example = [RAW_EXAMPLE] if model.segmenter else ["--input-format", "tokens", " ".join(self._example)]
        console.note(f"saved {path}; next: {shlex.join(['rnntag', 'tag', '--model', str(path), *example])}")
