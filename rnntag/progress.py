"""Progress of training and of downloads, on stderr."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import timedelta

from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from rnntag import console
from rnntag.evaluation import percent
from rnntag.schema import Step

LOG_SECONDS = 30.0
"""Time between two lines of a log that tell how far something has got, at least."""


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
            TextColumn("{task.fields[figures]}"),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
            disable=not self._live,
        )
        self._run: TaskID | None = None
        self._what = ""
        self._told = time.monotonic()

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

    def part(self, what: str, done: int, total: int) -> None:
        """Show how far something else than training has got: as a bar, or in a log by a line now and then."""
        with suppress(OSError):
            self._progress.update(self._bar(what), description=what, total=total, completed=done)
            if not self._live and time.monotonic() - self._told >= LOG_SECONDS:
                self._console.print(f"{escape(what)}, {done:,} of {total:,}")
                self._told = time.monotonic()

    def _bar(self, what: str) -> TaskID:
        """The bar, begun anew where it shows something else than before."""
        if self._run is None or what != self._what:
            if self._run is not None:
                self._progress.remove_task(self._run)
            self._run = self._progress.add_task("", figures="")
            self._what = what
            self._told = time.monotonic()
        return self._run

    def _show(self, step: Step) -> None:
        speed = f"{step.tokens / max(step.seconds, 1e-9):,.0f}"
        self._progress.update(
            self._bar("training"),
            description=f"epoch {step.epoch}/{step.epochs}",
            total=step.epochs * step.batches,
            completed=(step.epoch - 1) * step.batches + step.batch,
            figures=f"loss {step.loss:.3f}  {speed} tokens/s",
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
