"""Files and directories that survive a crash of the process or of the machine, in their old state or in the new."""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path


def write_file(path: Path, content: bytes) -> None:
    """Write or replace a file.

    Raises:
        OSError: it cannot be written; an existing file is unchanged.
    """
    fresh = sibling(path, "new")
    try:
        _write(fresh, content)
        fresh.replace(path)
        _flush(path.parent)
    finally:
        fresh.unlink(missing_ok=True)


def write_directory(path: Path, contents: Mapping[str, bytes]) -> None:
    """Write or replace a directory of files.

    Between two renames there is no directory at `path`; after a crash at that moment, `recover` restores the old one.

    Raises:
        OSError: it cannot be written. An existing directory is unchanged, unless only the flush of its parent failed.
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
    """Restore or remove what crashed writers of `path` left beside it. No writer may be active.

    Raises:
        OSError: the folder cannot be read or written.
    """
    temporary = re.compile(rf"\.{re.escape(path.name)}\.\d+\.(new|old)")
    for entry in [entry for entry in path.parent.iterdir() if temporary.fullmatch(entry.name)]:
        if entry.suffix == ".old" and not path.exists():
            entry.rename(path)
        elif entry.is_dir():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink(missing_ok=True)


def sibling(path: Path, suffix: str) -> Path:
    """A temporary path of this process, in the same folder as `path`."""
    return path.with_name(f".{path.name}.{os.getpid()}.{suffix}")


def _write(path: Path, content: bytes) -> None:
    with open(path, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _flush(folder: Path) -> None:
    """Flush a folder's entries to disk, on systems that can."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some network file systems do not support it
            raise
    finally:
        os.close(descriptor)
