"""Interactive input with a prompt, line editing and a history, through Python's readline."""

from __future__ import annotations

import codecs
import importlib.util
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

PROMPT = "> "


def is_wanted(encoding: str) -> bool:
    """Whether to prompt: stdin is a terminal, and so is stdout or stderr. False without readline, as on Windows, and if
    the input has another encoding than the terminal, whose characters readline would not know."""
    if not (sys.stdin and sys.stdout and sys.stdin.isatty()):
        return False
    try:
        if codecs.lookup(encoding) != codecs.lookup(sys.stdin.encoding):
            return False
    except LookupError:
        return False
    # Python uses readline only on the process's original stdin and stdout.
    if (sys.stdin.fileno(), sys.stdout.fileno()) != (0, 1):
        return False
    is_seen = sys.stdout.isatty() or (sys.stderr is not None and sys.stderr.isatty())
    return is_seen and importlib.util.find_spec("readline") is not None


def typed_lines() -> Iterator[bytes]:
    """Each typed line with its line feed, as the bytes that the terminal sends, until Ctrl-D.

    The history is not saved.

    Raises:
        KeyboardInterrupt: Ctrl-C.
    """
    assert isinstance(sys.stdin, io.TextIOWrapper)
    encoding, errors = sys.stdin.encoding, sys.stdin.errors
    sys.stdin.reconfigure(encoding="latin-1", errors="strict")  # keeps each byte
    with _terminal_as_stdout():
        import readline

        if "libedit" not in (readline.__doc__ or ""):
            for setting in ("input-meta on", "output-meta on", "convert-meta off"):  # else the C locale has no Chinese
                readline.parse_and_bind(f"set {setting}")
    try:
        while True:
            with _terminal_as_stdout():
                try:
                    line = input(PROMPT)
                except (EOFError, KeyboardInterrupt) as end:
                    os.write(1, b"\n")  # leave the line of the prompt
                    if isinstance(end, EOFError):
                        return
                    raise
            yield f"{line}\n".encode("latin-1")
    finally:
        with suppress(ValueError, OSError):
            sys.stdin.reconfigure(encoding=encoding, errors=errors)


@contextmanager
def _terminal_as_stdout() -> Iterator[None]:
    """Make stderr's terminal stdout if stdout is not a terminal: readline only writes to stdout."""
    if sys.stdout.isatty():
        yield
        return
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
