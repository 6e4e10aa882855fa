"""One writer at a time for each model directory."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows, where no lock is taken
    fcntl = None  # type: ignore[assignment]

from rnntag.errors import AccessError
from rnntag.model import directory
from rnntag.storage import atomic
from rnntag.training import checkpoint

OWNER_BYTES = 200
_NO_LOCKS = (errno.ENOSYS, errno.ENOLCK, errno.ENOTSUP)
"""What file systems without locks answer."""


@contextmanager
def claim(path: Path) -> Iterator[None]:
    """Keep other writers of a model directory away, and put right what those that died have left.

    The claim is a lock of the operating system (flock(2)) on a file beside the directory, which ends with
    the process, however that ends. Where there are no such locks nobody is kept away.

    Raises:
        AccessError: another process has it, or a model cannot be written there; see `store.check_target`.
    """
    directory.check_target(path)
    path = path.resolve()
    missing = [folder for folder in path.parents if not folder.exists()]
    lock = path.with_name(f".{path.name}.lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = _locked(lock, path)
    except OSError as error:
        raise AccessError(f"{path}: cannot be claimed: {lock}: {error.strerror}") from error
    try:
        for one in (path, checkpoint.place(path)):
            atomic.recover(one)
        yield
    finally:
        _release(lock, descriptor)
        with suppress(OSError):
            for folder in missing:
                folder.rmdir()  # if nothing has been written there


def _locked(lock: Path, path: Path) -> int:
    """A descriptor that holds the lock."""
    while True:
        with suppress(PermissionError):
            descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o666)
            try:
                _lock(descriptor, path)
                if _is(lock, descriptor):
                    since = datetime.now().astimezone().isoformat(" ", "minutes")
                    os.ftruncate(descriptor, 0)
                    os.write(descriptor, f"process {os.getpid()} on {socket.gethostname()} (since {since})".encode())
                    return descriptor
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)  # its last owner has just removed it
            continue
        _put_away(lock, path)


def _put_away(lock: Path, path: Path) -> None:
    """Remove a file that another user has left, unless a process of theirs is at work."""
    descriptor = os.open(lock, os.O_RDONLY)
    try:
        _lock(descriptor, path)
        lock.unlink()
    finally:
        os.close(descriptor)


def _lock(descriptor: int, path: Path) -> None:
    if not fcntl:
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        owner = os.read(descriptor, OWNER_BYTES).decode("utf-8", "replace") or "another process"
        raise AccessError(f"{path}: {owner} is writing it: wait for that, or name another directory") from error
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise


def _is(lock: Path, descriptor: int) -> bool:
    """Whether that is the file's descriptor: its owner may have removed it, and somebody made it anew."""
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(descriptor), lock.stat())
    return False


def _release(lock: Path, descriptor: int) -> None:
    with suppress(OSError):
        if _is(lock, descriptor):
            lock.unlink()  # on Windows it cannot be while it is open, and stays
    os.close(descriptor)
