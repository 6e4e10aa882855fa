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

from rnntag.evaluation.metrics import percent
from rnntag.model.learning_curve import Scale, TrainingStep
from rnntag.terminal import console

LOG_SECONDS = 60.0
"""Time between two lines of a log that tell how far something has got, at least."""


class TrainingView:
    """Shows a run: bars on a terminal, in a log one line an epoch and one a minute within it. Where nobody reads them
    any more (the terminal is closed, the pipe has ended) the run goes on.

    Args:
        clock: the seconds since 1970.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._told = self._seen = clock()
        self._place = (0, 0)
        self._began = (self._seen, 0)
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

    def __enter__(self) -> TrainingView:
        self._progress.start()
        return self

    def __exit__(self, *raised: object) -> None:
        with suppress(OSError):
            _stop(self._progress)

    def begin(self, name: str, scale: Scale, epoch: int = 0) -> None:
        """Tell what is trained, on how much; and of a continued run, in which epoch."""
        what = f"continuing the {name} in epoch {epoch}" if epoch else f"training the {name}"
        tags = ", ".join(f"{count:,} {tagset}" for tagset, count in scale.tags.items())
        self.note(
            f"{what}: {scale.sentences:,} sentences with {scale.tokens:,} tokens "
            f"(dev: {scale.dev_sentences:,} with {scale.dev_tokens:,}); {f'tags: {tags}; ' if tags else ''}"
            f"vocabulary: {scale.vocabulary:,} {'words' if tags else 'words and characters'}; "
            f"parameters: {scale.parameters:,}"
        )

    def note(self, what: str) -> None:
        with suppress(OSError):
            self._console.print(escape(what))

    def show(self, step: TrainingStep) -> None:
        with suppress(OSError):
            self._show(step)

    def part(self, what: str, done: int, total: int) -> None:
        """Show how far something else than training has got: as a bar, or in a log by a line now and then."""
        with suppress(OSError):
            self._progress.update(self._bar(what), description=what, total=total, completed=done)
            now = self._clock()
            if not self._live and now - self._told >= LOG_SECONDS:
                self._console.print(f"{escape(what)}, {done:,} of {total:,}")
                self._told = now

    def _bar(self, what: str) -> TaskID:
        """The bar, begun anew where it shows something else than before."""
        if self._run is None or what != self._what:
            if self._run is not None:
                self._progress.remove_task(self._run)
            self._run = self._progress.add_task("", figures="")
            self._what = what
        return self._run

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
        epoch, batch = self._place
        if step.epoch != epoch or step.batch <= batch:  # a new epoch, or the same one of the next network
            self._began = (self._seen, step.batch - 1)
        self._place = (step.epoch, step.batch)
        self._seen = now
        if step.batch == step.batches:
            left = timedelta(seconds=round(step.seconds * (step.epochs - step.epoch) / step.epoch))
            dev = "  ".join(f"{name} {percent(accuracy)}" for name, accuracy in step.dev.items())
            self._console.print(
                f"epoch {step.epoch}/{step.epochs}  loss {step.loss:.4f}  gradient {step.gradient_norm:.2f}, "
                f"{step.clipped:.0%} clipped{f'  dev {escape(dev)}' if dev else ''}{' *' if step.best else ''}"
                f"  {speed} tokens/s  {timedelta(seconds=round(step.seconds))}, at most {left} left"
            )
        elif not self._live and now - self._told >= LOG_SECONDS:
            began, batch = self._began
            ends = now + (now - began) / (step.batch - batch) * (step.batches - step.batch)
            self._console.print(
                f"epoch {step.epoch}/{step.epochs}  {100 * step.batch // step.batches} % "
                f"({step.batch:,} of {step.batches:,} batches)  loss {step.loss:.4f}  {speed} tokens/s"
                f"  epoch ends about {datetime.fromtimestamp(ends):%Y-%m-%d %H:%M}"
            )
        else:
            return
        self._told = now


@contextmanager
def working(what: str) -> Iterator[Progress]:
    """Say on a terminal what is under way, and for how long; elsewhere nothing."""
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
    """Show how much (0 to 1) of a corpus has been downloaded."""
    task = next((task.id for task in progress.tasks if task.description == package), None)
    if task is None:
        console.note(f"fetching {package} with NLTK …")
        task = progress.add_task(package, total=1.0)
    progress.update(task, completed=share)


def _stop(progress: Progress) -> None:
    if not progress.disable:  # Rich before 14.3 ends a bar that was never shown with an empty line
        progress.stop()
