"""Shows a training run on the screen, and stops it on Ctrl-C."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import typer

from rnntag.cli.progress import TrainingView, fetched, working
from rnntag.cli.signals import Interruption
from rnntag.model import directory
from rnntag.model.learning_curve import Scale, TrainingStep
from rnntag.sentences import Corpus
from rnntag.terminal import console
from rnntag.training import processes
from rnntag.training.callbacks import Callbacks, InterruptedTrainingError

RAW_EXAMPLE = "I can swim. 我吃苹果。"


class StoppableRun(Callbacks):
    """Stops a run after a signal, and shows nothing: what each process needs that trains together with others."""

    def __init__(self) -> None:
        self._interruption = Interruption()

    @contextmanager
    def interruptions(self, *command: str, log: Path | None = None) -> Iterator[None]:
        """Exit as the signal asks that interrupted a run. With a screen, say how to continue.

        Args:
            command: of rnntag that continues the run, without --out.
            log: the directory of TensorBoard's log.
        """
        try:
            yield
        except InterruptedTrainingError as error:
            logging = ["--tensorboard", str(log)] if log else []
            self._interrupted(
                f"{error}; continue with: {shlex.join(['rnntag', *command, '--out', str(error.out), *logging])}"
            )
            raise typer.Exit(self._interruption.code) from error

    @contextmanager
    def training(self) -> Iterator[None]:
        with Interruption() as self._interruption:
            yield

    def should_stop(self) -> bool:
        return bool(self._interruption.code)

    def report(self, path: Path) -> None:
        """Say where the model is and how to use it."""

    def _interrupted(self, message: str) -> None:
        pass


class RunView(StoppableRun):
    """Shows a run on the screen."""

    def __init__(self) -> None:
        super().__init__()
        self._view = TrainingView()
        self._example: Sequence[str] = ()

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
        with super().training(), TrainingView() as self._view:
            yield

    def begin(self, what: str, scale: Scale, epoch: int) -> None:
        self._view.begin(what, scale, epoch)

    def step(self, step: TrainingStep) -> None:
        self._view.show(step)

    def warn(self, message: str) -> None:
        console.warning(message)

    def report(self, path: Path) -> None:
        model = directory.read(path)
        example = [RAW_EXAMPLE] if model.segmenter else ["--input-format", "tokens", " ".join(self._example)]
        console.note(f"saved {path}; next: {shlex.join(['rnntag', 'tag', '--model', str(path), *example])}")

    def _interrupted(self, message: str) -> None:
        console.note(message)


def view() -> StoppableRun:
    """The screen of the process that reports, if several train together."""
    return StoppableRun() if processes.rank() else RunView()
