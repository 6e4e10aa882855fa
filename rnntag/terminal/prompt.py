"""Lines that a person types, with a prompt, editing and a history, through Python's readline."""

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
    """Whether someone types and sees it: stdin is a terminal, and so is stdout or stderr. False where Python has no
    readline, as on Windows, and where what is typed is to be read in another encoding than the terminal's: readline
    would not know its characters."""
    if not (sys.stdin and sys.stdout and sys.stdin.isatty()):
        return False
    try:
        if codecs.lookup(encoding) != codecs.lookup(sys.stdin.encoding):
            return False
    except LookupError:
        return False
    # Python edits lines only on its process's own stdin and stdout.
    if (sys.stdin.fileno(), sys.stdout.fileno()) != (0, 1):
        return False
    is_seen = sys.stdout.isatty() or (sys.stderr is not None and sys.stderr.isatty())
    return is_seen and importlib.util.find_spec("readline") is not None


def typed_lines() -> Iterator[bytes]:
    """Each line that is typed, with its line feed, in the bytes that the terminal sends, until Ctrl-D.

    Its history lasts as long as the process: what was typed is written nowhere.

    Raises:
        KeyboardInterrupt: Ctrl-C.
    """
    assert isinstance(sys.stdin, io.TextIOWrapper)
    encoding, errors = sys.stdin.encoding, sys.stdin.errors
    sys.stdin.reconfigure(encoding="latin-1", errors="strict")  # so that each byte comes back as it was typed
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
                    os.write(1, b"\n")  # what comes next does not stand behind the prompt
                    if isinstance(end, EOFError):
                        return
                    raise
            yield f"{line}\n".encode("latin-1")
    finally:
        with suppress(ValueError, OSError):
            sys.stdin.reconfigure(encoding=encoding, errors=errors)


@contextmanager
def _terminal_as_stdout() -> Iterator[None]:
    """Let stderr's terminal be stdout for a while where stdout is none: readline shows lines on stdout alone."""
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
