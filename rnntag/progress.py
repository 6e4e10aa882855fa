"""Progress of training and of downloads, on stderr."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from rnntag import console
from rnntag.evaluation import percent
from rnntag.schema import Step


class TrainingView:
    """Shows a run: bars on a terminal, one line an epoch in a log. Where nobody reads them any more (the terminal
    is closed, the pipe has ended) the run goes on."""

    def __init__(self) -> None:
        self._console = console.stderr()
        self._live = self._console.is_terminal
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("loss {task.fields[loss]}  {task.fields[speed]} tokens/s"),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
            disable=not self._live,
        )
        self._run: TaskID | None = None

    def __enter__(self) -> TrainingView:
        self._progress.start()
        return self

    def __exit__(self, *raised: object) -> None:
        with suppress(OSError):
            _stop(self._progress)

    def note(self, what: str) -> None:
        with suppress(OSError):
            self._console.print(escape(what))

    def show(self, step: Step) -> None:
        with suppress(OSError):
            self._show(step)

    def _show(self, step: Step) -> None:
        speed = f"{step.tokens / max(step.seconds, 1e-9):,.0f}"
        if self._run is None:
            self._run = self._progress.add_task("", total=step.epochs * step.batches, loss="", speed="")
        done = (step.epoch - 1) * step.batches + step.batch
        self._progress.update(
            self._run,
            description=f"epoch {step.epoch}/{step.epochs}",
            total=step.epochs * step.batches,
            completed=done,
            loss=f"{step.loss:.3f}",
            speed=speed,
        )
        if step.dev:
            left = timedelta(seconds=round(step.seconds * (step.epochs - step.epoch) / step.epoch))
            dev = "  ".join(f"{name} {percent(accuracy)}" for name, accuracy in step.dev.items())
            self._console.print(
                f"epoch {step.epoch}/{step.epochs}  loss {step.loss:.4f}  gradient {step.gradient_norm:.2f}, "
                f"{step.clipped:.0%} clipped  dev {escape(dev)}{' *' if step.best else ''}"
                f"  {speed} tokens/s  {timedelta(seconds=round(step.seconds))}, at most {left} left"
            )


class DownloadView:
    """Shows how far a download has got."""

    def __init__(self) -> None:
        self._progress = Progress(console=console.stderr(), transient=True, disable=not console.is_watched())
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> DownloadView:
        self._progress.start()
        return self

    def __exit__(self, *raised: object) -> None:
        _stop(self._progress)

    def __call__(self, package: str, share: float) -> None:
        if package not in self._tasks:
            console.note(f"fetching {package} with NLTK …")
            self._tasks[package] = self._progress.add_task(package, total=1.0)
        self._progress.update(self._tasks[package], completed=share)


def _stop(progress: Progress) -> None:
    if not progress.disable:  # Rich before 14.3 ends a bar that was never shown with an empty line
        progress.stop()
