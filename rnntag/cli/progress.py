"""Progress of training and of downloads, on stderr."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta

from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from rnntag.evaluation.metrics import dev_figure
from rnntag.model.learning_curve import Scale, TrainingStep
from rnntag.terminal import console

LOG_SECONDS = 60.0
"""Time between two lines of progress in a log, at least."""


class TrainingView:
    """Shows a run: bars on a terminal; in a log one line per epoch, and one per minute within it. If stderr is closed,
    the run continues.

    Args:
        clock: seconds since 1970.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._logged_at = self._stepped_at = clock()
        self._last = (0, 0)  # epoch and batch of the last step
        self._epoch_start = (self._stepped_at, 0)  # time, and batches that were done then
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
        self._measure = "accuracy"
        self._task: TaskID | None = None
        self._task_name = ""

    def __enter__(self) -> TrainingView:
        self._progress.start()
        return self

    def __exit__(self, *raised: object) -> None:
        with suppress(OSError):
            _stop(self._progress)

    def begin(self, name: str, scale: Scale, epoch: int = 0) -> None:
        """Say what is trained and on how much; of a continued run, also in which epoch."""
        self._measure = scale.measure
        what = f"continuing the {name} in epoch {epoch}" if epoch else f"training the {name}"
        tags = ", ".join(f"{count:,} {tagset}" for tagset, count in scale.tags.items())
        self.note(
            f"{what}: {scale.sentences:,} sentences with {scale.tokens:,} tokens "
            f"(dev: {scale.dev_sentences:,} with {scale.dev_tokens:,}); {f'tags: {tags}; ' if tags else ''}"
            f"vocabulary: {scale.vocabulary:,} {'words and characters' if name == 'segmenter' else 'words'}; "
            f"parameters: {scale.parameters:,}"
        )

    def note(self, what: str) -> None:
        with suppress(OSError):
            self._console.print(escape(what))

    def show(self, step: TrainingStep) -> None:
        with suppress(OSError):
            self._show(step)

    def progress(self, what: str, done: int, total: int) -> None:
        """Show the progress of work other than training: a bar, or a line in the log now and then."""
        with suppress(OSError):
            self._progress.update(self._bar(what), description=what, total=total, completed=done)
            now = self._clock()
            if not self._live and now - self._logged_at >= LOG_SECONDS:
                self._console.print(f"{escape(what)}, {done:,} of {total:,}")
                self._logged_at = now

    def _bar(self, what: str) -> TaskID:
        """The bar; a new one for other work than before."""
        if self._task is None or what != self._task_name:
            if self._task is not None:
                self._progress.remove_task(self._task)
            self._task = self._progress.add_task("", figures="")
            self._task_name = what
        return self._task

    def _show(self, step: TrainingStep) -> None:
        speed = f"{step.tokens / max(step.seconds, 1e-9):,.0f}"
        self._progress.update(
            self._bar("training"),
            description=f"epoch {step.epoch}/{step.epochs}",
            total=step.epochs * step.batches,
            completed=(step.epoch - 1) * step.batches + step.batch,
            figures=f"loss {step.loss:.3f}  {speed} tokens/s",
        )
        now = self._clock()
        epoch, batch = self._last
        if step.epoch != epoch or step.batch <= batch:  # a new epoch, or the same epoch of the next network
            self._epoch_start = (self._stepped_at, step.batch - 1)
        self._last = (step.epoch, step.batch)
        self._stepped_at = now
        if step.batch == step.batches:
            left = timedelta(seconds=round(step.seconds * (step.epochs - step.epoch) / step.epoch))
            dev = "  ".join(f"{name} {dev_figure(figure, self._measure)}" for name, figure in step.dev.items())
            self._console.print(
                f"epoch {step.epoch}/{step.epochs}  loss {step.loss:.4f}  gradient {step.gradient_norm:.2f}, "
                f"{step.clipped:.0%} clipped{f'  dev {escape(dev)}' if dev else ''}{' *' if step.best else ''}"
                f"  {speed} tokens/s  {timedelta(seconds=round(step.seconds))}, at most {left} left"
            )
        elif not self._live and now - self._logged_at >= LOG_SECONDS:
            start, done = self._epoch_start
            ends = now + (now - start) / (step.batch - done) * (step.batches - step.batch)
            self._console.print(
                f"epoch {step.epoch}/{step.epochs}  {100 * step.batch // step.batches} % "
                f"({step.batch:,} of {step.batches:,} batches)  loss {step.loss:.4f}  {speed} tokens/s"
                f"  epoch ends about {datetime.fromtimestamp(ends):%Y-%m-%d %H:%M}"
            )
        else:
            return
        self._logged_at = now


@contextmanager
def working(what: str) -> Iterator[Progress]:
    """Show on a terminal what is being done, and for how long."""
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        console=console.stderr(),
        transient=True,
        disable=not console.is_interactive(),
    )
    progress.add_task(what, total=None)
    progress.start()
    try:
        yield progress
    finally:
        with suppress(OSError):
            _stop(progress)


def fetched(progress: Progress, package: str, share: float) -> None:
    """Show the share (0 to 1) of a corpus that has been downloaded."""
    task = next((task.id for task in progress.tasks if task.description == package), None)
    if task is None:
        console.note(f"downloading {package} with NLTK …")
        task = progress.add_task(package, total=1.0)
    progress.update(task, completed=share)


def _stop(progress: Progress) -> None:
    if not progress.disable:  # Rich before 14.3 prints an empty line after a bar that was never shown
        progress.stop()
