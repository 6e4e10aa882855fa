"""Reading an untrusted folder: only regular files inside it, within size limits, that match their checksums."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Collection, Iterable
from pathlib import Path

from rnntag.errors import AccessError, DataError

CHECKSUMS = "SHA256SUMS"
"""One line per file, in the format of `sha256sum`."""
_MAX_CHECKSUMS_BYTES = 1 << 14
_LINE = re.compile("([0-9a-f]{64})  (.+)\n")
_REMEDY = "copy the model again, or train it"
_FLAGS = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)
"""Do not wait for the writer of a pipe; do not follow a link that appears after the check."""


class Folder:
    """A folder with a `CHECKSUMS` file.

    Attributes:
        digest: eight hexadecimal digits that identify the contents.

    Args:
        known: names that may be listed. Such a file must be listed if it exists.
        optional: other names that may be listed.

    Raises:
        DataError: the checksums are missing or damaged, list another name, or miss a known file.
        AccessError: they cannot be read.
    """

    def __init__(self, path: Path, known: Collection[str], optional: Collection[str] = ()) -> None:
        self._path = path
        listing = content(path, CHECKSUMS, _MAX_CHECKSUMS_BYTES)
        self.digest = hashlib.sha256(listing).hexdigest()[:8]
        try:
            lines = [_LINE.fullmatch(line) for line in listing.decode().splitlines(keepends=True)]
        except UnicodeDecodeError:
            lines = [None]
        self._sums = {line[2]: line[1] for line in lines if line}
        if not self._sums or len(self._sums) < len(lines):
            raise DataError(f"{path / CHECKSUMS}: is damaged: {_REMEDY}")
        if unknown := sorted(self._sums.keys() - {*known, *optional}):
            raise DataError(f"{path / CHECKSUMS}: lists {unknown[0]!r}, which is not a file of a model")
        for name in known:
            if name not in self._sums and os.path.lexists(path / name):
                raise DataError(f"{path / name}: is not in {CHECKSUMS}: {_REMEDY}")

    def __contains__(self, name: str) -> bool:
        return name in self._sums

    def read(self, name: str, max_bytes: int) -> bytes:
        """The content of a listed file.

        Raises:
            DataError: see `content`; or it is not listed or does not match its checksum.
            AccessError: it cannot be read.
        """
        data = content(self._path, name, max_bytes)
        if hashlib.sha256(data).hexdigest() != self._sums.get(name):
            raise DataError(f"{self._path / name}: does not match its checksum: {_REMEDY}")
        return data


def content(folder: Path, name: str, max_bytes: int) -> bytes:
    """The content of a file, whatever its checksum.

    Raises:
        DataError: it is missing, not a regular file, a link out of the folder, or larger than `max_bytes`.
        AccessError: it cannot be read.
    """
    path = folder / name
    try:
        real = os.fspath(path)
        if os.path.islink(path):
            real = os.path.realpath(path)
            if os.path.dirname(real) != os.path.realpath(folder):
                raise DataError(
                    f"{path}: is a symbolic link to a file outside the model's directory: copy the file there instead"
                )
        with open(os.open(real, _FLAGS), "rb", buffering=0) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise DataError(f"{path}: is not a regular file")
            if status.st_size > max_bytes:
                raise DataError(f"{path}: has {status.st_size:,} bytes: this model allows at most {max_bytes:,}")
            return file.read(status.st_size) or b""
    except FileNotFoundError as error:
        raise DataError(f"{path}: is missing: {_REMEDY}") from error
    except OSError as error:
        raise AccessError(f"{path}: cannot be read: {error.strerror}") from error


def checksums(contents: Iterable[tuple[str, bytes]]) -> bytes:
    """The content of a `CHECKSUMS` file for (name, content) pairs."""
    return "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in contents).encode()
