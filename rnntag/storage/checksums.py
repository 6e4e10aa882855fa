"""Files of a folder that may come from anybody: read only if they lie in it, are as small as they should be,
and match their checksums."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Collection, Iterable
from pathlib import Path

from rnntag.errors import AccessError, DataError

CHECKSUMS = "SHA256SUMS"
"""A line for each file, as `sha256sum` writes it."""
_MOST_CHECKSUMS = 1 << 14
_LINE = re.compile("([0-9a-f]{64})  (.+)\n")
_AGAIN = "copy the model again, or train it"
_FLAGS = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)
"""A pipe without a writer is opened at once, and no link is followed that has come after the check."""


class Folder:
    """A folder whose files its checksums name.

    Attributes:
        digest: eight hexadecimal digits that stand for all of them.

    Args:
        known: the names that the checksums may have. A file of such a name that is there must have one.
        optional: names that they may have besides.

    Raises:
        DataError: the checksums are missing, damaged, or of other files.
        AccessError: they cannot be read.
    """

    def __init__(self, path: Path, known: Collection[str], optional: Collection[str] = ()) -> None:
        self._path = path
        listed = content(path, CHECKSUMS, _MOST_CHECKSUMS)
        self.digest = hashlib.sha256(listed).hexdigest()[:8]
        try:
            lines = [_LINE.fullmatch(line) for line in listed.decode().splitlines(keepends=True)]
        except UnicodeDecodeError:
            lines = [None]
        self._sums = {line[2]: line[1] for line in lines if line}
        if not self._sums or len(self._sums) < len(lines):
            raise DataError(f"{path / CHECKSUMS}: is damaged: {_AGAIN}")
        if strange := sorted(self._sums.keys() - {*known, *optional}):
            raise DataError(f"{path / CHECKSUMS}: names {strange[0]!r}, which is no part of a model")
        for name in known:
            if name not in self._sums and os.path.lexists(path / name):
                raise DataError(f"{path / name}: is not in {CHECKSUMS}: {_AGAIN}")

    def __contains__(self, name: str) -> bool:
        return name in self._sums

    def read(self, name: str, most: int) -> bytes:
        """A file's content.

        Raises:
            DataError: see `content`; or it does not match its checksum, or has none.
            AccessError: it cannot be read.
        """
        found = content(self._path, name, most)
        if hashlib.sha256(found).hexdigest() != self._sums.get(name):
            raise DataError(f"{self._path / name}: does not match its checksum: {_AGAIN}")
        return found


def content(folder: Path, name: str, most: int) -> bytes:
    """What a file of a folder holds.

    Args:
        most: bytes that it may have.

    Raises:
        DataError: it is missing, is no file, is a link that leads out of the folder, or has more bytes.
        AccessError: it cannot be read.
    """
    path = folder / name
    try:
        real = os.fspath(path)
        if os.path.islink(path):
            real = os.path.realpath(path)
            if os.path.dirname(real) != os.path.realpath(folder):
                raise DataError(f"{path}: is a link that leads out of the model's directory: put the file itself there")
        with open(os.open(real, _FLAGS), "rb", buffering=0) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise DataError(f"{path}: is no file")
            if status.st_size > most:
                raise DataError(f"{path}: has {status.st_size:,} bytes, where {most:,} are the most that fit the model")
            return file.read(status.st_size) or b""
    except FileNotFoundError as error:
        raise DataError(f"{path}: is missing: {_AGAIN}") from error
    except OSError as error:
        raise AccessError(f"{path}: cannot be read: {error.strerror}") from error


def checksums(contents: Iterable[tuple[str, bytes]]) -> bytes:
    """The content of `CHECKSUMS` for files of these names and contents."""
    return "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in contents).encode()
