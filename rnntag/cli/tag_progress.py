"""The progress of `rnntag tag`: a bar on a terminal, and where it stopped after an interruption."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from rnntag.cli.tag_inputs import STDIN
from rnntag.tagging.folders import FoundFile
from rnntag.terminal import console

if TYPE_CHECKING:
    from rnntag.tagging.parallel import Part


class Watch:
    """Follows the parts of the output as they are written.

    Args:
        files: to tag; none for TEXT arguments.
        is_typed: whether the user types the input.
        to_stdout: whether the output goes to stdout, where a bar on the same terminal would be in its way.
        one_each: whether each file has its own output.
    """

    def __init__(self, files: Sequence[FoundFile], *, is_typed: bool, to_stdout: bool, one_each: bool) -> None:
        self._files = files
        self._is_typed = is_typed
        self._one_each = one_each
        self._read = self._tokens = self._finished = 0
        self._last: Part | None = None
        self._began = 0.0
        self._is_shown = (
            bool(files)
            and not is_typed
            and console.is_interactive()
            and not console.is_quiet()
            and not (to_stdout and sys.stdout.isatty())
        )
        self._bar: Any = None

    @property
    def leaves_room(self) -> bool:
        """Whether hints about inputs can be shown on a terminal: there is no bar, or it comes after the only hint."""
        return console.is_interactive() and (not self._is_shown or len(self._files) == 1)

    def read(self, count: int) -> None:
        """Count bytes as they are read."""
        self._read += count

    def watched(self, parts: Iterable[Part]) -> Iterator[Part]:
        """The parts. If a signal interrupts the work on them, a note says where."""
        try:
            for part in parts:
                self._last = part
                self._tokens += part.tokens
                self._finished += part.ends and part.error is None
                if self._is_shown:
                    self._show(part)
                yield part
        except (KeyboardInterrupt, SystemExit):
            self._stop()
            if not self._is_typed:
                console.note(self._where())
            raise
        finally:
            self._stop()

    def error(self, message: str) -> None:
        """Print an error, above the bar."""
        console.error(message, self._bar.console if self._bar else None)

    def _where(self) -> str:
        if self._one_each:
            return (
                f"stopped after {self._finished:,} of {len(self._files):,} files; run the same command again to tag "
                "the rest"
            )
        if not self._last:
            return "stopped before anything was tagged"
        return f"stopped in {self._last.source} after line {self._last.line:,}"

    def _show(self, part: Part) -> None:
        with suppress(OSError):  # stderr is gone
            if not self._bar:
                self._bar = self._started()
            seconds = max(time.monotonic() - self._began, 1e-9)
            self._bar.update(
                self._bar.task_ids[0],
                description=part.source,
                completed=self._read,
                figures=f"{self._tokens / seconds:,.0f} tokens/s",
            )

    def _started(self) -> Any:
        """A bar. It has a thread, so that it must not start before the processes are forked that tag."""
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

        self._began = time.monotonic()
        bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            DownloadColumn(),
            TextColumn("{task.fields[figures]}"),
            TimeRemainingColumn(),
            console=console.stderr(),
            transient=True,
        )
        bar.add_task("", total=self._size(), figures="")
        bar.start()
        return bar

    def _size(self) -> int | None:
        """The bytes of all files; None if that is unknown."""
        with suppress(OSError):
            if STDIN not in self._files:
                return sum(file.path.stat().st_size for file in self._files)
        return None

    def _stop(self) -> None:
        if self._bar:
            with suppress(OSError):
                self._bar.stop()
            self._bar = None
