"""Signals that stop a run at a point where it can be continued."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

INTERRUPTED = 130
_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


@contextmanager
def ending() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the process only when what is unfinished has been put in order, as after Ctrl-C."""
    received = 0

    def end(number: int, frame: object) -> None:
        nonlocal received
        received = number
        raise SystemExit(128 + number)

    before = {}
    if threading.current_thread() is threading.main_thread():
        for number in _SIGNALS:
            if number != signal.SIGINT and signal.getsignal(number) is not signal.SIG_IGN:  # as nohup asks
                before[number] = signal.signal(number, end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if received:
            os.kill(os.getpid(), received)


class Interruption:
    """Records Ctrl-C, SIGTERM or SIGHUP in `code`, for the work to stop when it can. A second signal exits at once.

    Attributes:
        code: the exit code, 128 plus the signal's number; 0 before a signal.
    """

    def __init__(self) -> None:
        self.code = 0
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Interruption:
        if threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup asks
                    self._before[number] = signal.signal(number, self._record)
        return self

    def __exit__(self, *raised: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _record(self, number: int, frame: object) -> None:
        if self.code:
            raise SystemExit(128 + number)
        self.code = 128 + number
        with suppress(OSError, AttributeError, ValueError):  # stderr may be closed, or gone
            if sys.stderr.isatty():
                os.write(sys.stderr.fileno(), b"\nstopping; press Ctrl-C again to stop immediately\n")
