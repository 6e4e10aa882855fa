"""One writer at a time for each model directory."""

from __future__ import annotations

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

from rnntag import checkpoint, durable, store
from rnntag.schema import AccessError

OWNER_BYTES = 200


@contextmanager
def claim(path: Path) -> Iterator[None]:
    """Keep other writers of a model directory away, and put right what those that died have left.

    The claim is a lock of the operating system (flock(2)) on a file beside the directory, which ends with
    the process, however that ends.

    Raises:
        AccessError: another process has it, or a model cannot be written there; see `store.check_target`.
    """
    store.check_target(path)
    path = path.resolve()
    lock = path.with_name(f".{path.name}.lock")
    missing = [folder for folder in path.parents if not folder.exists()]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = _locked(lock, path)
        for one in (path, checkpoint.place(path)):
            durable.sweep(one)
    except OSError as error:
        raise AccessError(f"{path}: {error.strerror}: choose another --out") from error
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)
        os.close(descriptor)
        with suppress(OSError):
            for folder in missing:
                folder.rmdir()  # if nothing has been written there


def _locked(lock: Path, path: Path) -> int:
    """A descriptor that holds the lock."""
    while True:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            if fcntl:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            owner = os.read(descriptor, OWNER_BYTES).decode("utf-8", "replace") or "another process"
            os.close(descriptor)
            raise AccessError(f"{path}: {owner} is writing it: wait for that, or choose another --out") from error
        if lock.exists() and os.path.samestat(os.fstat(descriptor), lock.stat()):
            break
        os.close(descriptor)  # its last owner has just removed it
    since = datetime.now().astimezone().isoformat(" ", "minutes")
    os.ftruncate(descriptor, 0)
    os.write(descriptor, f"process {os.getpid()} on {socket.gethostname()} (since {since})".encode())
    return descriptor
