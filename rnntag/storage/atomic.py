"""Files and directories that a crash, of the process or of the machine, leaves as they were or as they
should be."""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path


def write_file(path: Path, content: bytes) -> None:
    """Write a file, or put it in the place of another.

    Raises:
        OSError: it cannot be written; what lay there lies there still.
    """
    fresh = sibling(path, "new")
    try:
        _write(fresh, content)
        fresh.replace(path)
        _flush(path.parent)
    finally:
        fresh.unlink(missing_ok=True)


def write_directory(path: Path, contents: Mapping[str, bytes]) -> None:
    """Write a directory of files, or put it in the place of another.

    For a moment between two renames there is none at `path`; `sweep` undoes the first of them if a crash
    comes then.

    Raises:
        OSError: it cannot be written; what lay there lies there still (but where only the bringing of its
            name to the disk has failed).
    """
    fresh, old = sibling(path, "new"), sibling(path, "old")
    try:
        fresh.mkdir()
        for name, content in contents.items():
            _write(fresh / name, content)
        _flush(fresh)
        if path.exists():
            path.rename(old)
        fresh.rename(path)
        _flush(path.parent)
    finally:
        if old.exists() and not path.exists():
            old.rename(path)
        shutil.rmtree(fresh, ignore_errors=True)
        if path.exists():
            shutil.rmtree(old, ignore_errors=True)


def recover(path: Path) -> None:
    """Put right what writers of `path` that died have left beside it; while no other may be at work.

    Raises:
        OSError: the folder cannot be read or written.
    """
    left = re.compile(rf"\.{re.escape(path.name)}\.\d+\.(new|old)")
    for one in [entry for entry in path.parent.iterdir() if left.fullmatch(entry.name)]:
        if one.suffix == ".old" and not path.exists():
            one.rename(path)
        elif one.is_dir():
            shutil.rmtree(one, ignore_errors=True)
        else:
            one.unlink(missing_ok=True)


def sibling(path: Path, suffix: str) -> Path:
    """Where this process may write what belongs to `path`, in the same file system."""
    return path.with_name(f".{path.name}.{os.getpid()}.{suffix}")


def _write(path: Path, content: bytes) -> None:
    with open(path, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _flush(folder: Path) -> None:
    """Bring the names in a folder to the disk, where the system can."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # which some network file systems answer
            raise
    finally:
        os.close(descriptor)
