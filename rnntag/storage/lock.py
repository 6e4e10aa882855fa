"""One writer at a time for each directory."""

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
"""What file systems without locks answer."""


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep other writers of a directory away.

    The lock is one of the operating system on a file beside the directory, which ends with the process, however that
    ends. On a file system without such locks nobody is kept away.

    Raises:
        AccessError: another process has it, or the file cannot be written.
    """
    path = path.resolve()
    missing = [folder for folder in path.parents if not folder.exists()]
    file = path.with_name(f".{path.name}.lock")
    # What a killed run leaves must not stop another user: anyone may lock it.
    lock = FileLock(file, mode=0o666, blocking=False, fallback_to_soft=False)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout as error:
        raise AccessError(f"{path}: {_owner(file)} is writing it: wait for that, or name another directory") from error
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise AccessError(f"{path}: cannot be locked: {file}: {error.strerror}") from error
    try:
        _sign(file)
        yield
    finally:
        with suppress(OSError):  # Windows removes no open file; there filelock removes it on release
            file.unlink()  # while it is locked: who has opened it finds that it is gone, and opens another
        lock.release()
        with suppress(OSError):
            for folder in missing:
                folder.rmdir()  # if nothing has been written there


def _sign(file: Path) -> None:
    since = datetime.now().astimezone().isoformat(" ", "minutes")
    with suppress(OSError):  # Windows lets nobody write or read a locked file
        file.write_text(f"process {os.getpid()} on {socket.gethostname()} (since {since})", encoding="utf-8")


def _owner(file: Path) -> str:
    with suppress(OSError), open(file, encoding="utf-8", errors="replace") as stream:
        return stream.read(OWNER_BYTES) or "another process"
    return "another process"
