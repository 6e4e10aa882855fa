"""Locks on directories: one writer at a time."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from rnntag.errors import AccessError

OWNER_BYTES = 200
_NO_LOCKS = (errno.ENOSYS, errno.ENOLCK, errno.ENOTSUP)
"""Errors on file systems without locks."""


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock on a directory.

    It is an operating system lock on a file beside the directory, released when the process ends for any reason. On a
    file system without locks it has no effect.

    Raises:
        AccessError: another process holds the lock, or the file cannot be written.
    """
    path = path.resolve()
    missing = [folder for folder in path.parents if not folder.exists()]
    file = path.with_name(f".{path.name}.lock")
    # Mode 0o666: the file of a killed run must not block other users.
    lock = FileLock(file, mode=0o666, blocking=False, fallback_to_soft=False)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout as error:
        raise AccessError(
            f"{path}: in use by {_owner(file)}: wait until it finishes, or choose another directory"
        ) from error
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise AccessError(f"{path}: cannot be locked: {file}: {error.strerror}") from error
    try:
        _sign(file)
        yield
    finally:
        with suppress(OSError):  # Windows removes no open file; there filelock removes it on release
            file.unlink()  # before the release: a process that has opened it sees that it is gone and opens a new one
        lock.release()
        with suppress(OSError):
            for folder in missing:
                folder.rmdir()  # only if it is empty


def _sign(file: Path) -> None:
    since = datetime.now().astimezone().isoformat(" ", "minutes")
    with suppress(OSError):  # Windows does not let a locked file be read or written
        file.write_text(f"process {os.getpid()} on {socket.gethostname()} (since {since})", encoding="utf-8")


def _owner(file: Path) -> str:
    with suppress(OSError), open(file, encoding="utf-8", errors="replace") as stream:
        return stream.read(OWNER_BYTES) or "another process"
    return "another process"
