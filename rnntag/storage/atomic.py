"""Files and directories that survive a crash of the process or of the machine, in their old state or in the new."""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from rnntag.errors import AccessError


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


class NewFile:
    """A file that is written piece by piece beside its path, and renamed when it is complete.

    Raises:
        AccessError: it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fresh = sibling(path, "new")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except FileExistsError as error:
            raise AccessError(f"{path}: cannot be written: {path.parent} is not a directory") from error
        except OSError as error:
            raise self._failed(error) from error
        try:
            self._file = open(self._fresh, "wb")  # noqa: SIM115
        except OSError as error:
            raise self._failed(error) from error

    def write(self, content: bytes) -> None:
        """Append to the file."""
        try:
            self._file.write(content)
        except OSError as error:
            raise self._failed(error) from error

    def finish(self) -> None:
        """Put the complete file in its place."""
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._fresh.replace(self.path)
        except OSError as error:
            raise self._failed(error) from error

    def discard(self) -> None:
        """Remove what was written. A finished file stays."""
        with suppress(OSError):  # what the buffer still holds may not fit on the disk
            self._file.close()
        self._fresh.unlink(missing_ok=True)

    def set_aside(self) -> Path | None:
        """Keep what was written as `NAME.part`, which is returned; None if that is nothing, or the file is finished."""
        with suppress(OSError):
            self._file.close()
        with suppress(OSError):
            if self._fresh.stat().st_size:
                return self._fresh.replace(self.path.with_name(f"{self.path.name}.part"))
        self.discard()
        return None

    def _failed(self, error: OSError) -> AccessError:
        return AccessError(f"{self.path}: cannot be written: {error.strerror}")


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
