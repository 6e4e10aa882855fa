"""Signals that end a run where nothing is lost."""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import suppress
from typing import Any

INTERRUPTED = 130
_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


class Interruption:
    """Lets Ctrl-C, SIGTERM and SIGHUP wait until whoever looks at `code` stops; a second one does not wait.

    Attributes:
        code: the exit code that is due, 128 and the signal's number; 0 while none has come.
    """

    def __init__(self) -> None:
        self.code = 0
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Interruption:
        if threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup asks
                    self._before[number] = signal.signal(number, self._come)
        return self

    def __exit__(self, *raised: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _come(self, number: int, frame: object) -> None:
        if self.code:
            raise SystemExit(128 + number)
        self.code = 128 + number
        with suppress(OSError, AttributeError, ValueError):  # stderr may be closed, or gone
            if sys.stderr.isatty():
                os.write(sys.stderr.fileno(), b"\nstopping; once more stops at once\n")
