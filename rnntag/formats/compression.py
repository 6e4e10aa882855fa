"""Streaming decompression of .gz, .xz, .bz2 and .zst files in bounded memory."""

from __future__ import annotations

import importlib
import re
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePath
from typing import Any, NamedTuple, TypeVar

from rnntag.errors import DataError, NotFoundError

AnyPath = TypeVar("AnyPath", bound=PurePath)

BLOCK_BYTES = 1 << 17
"""The most bytes decompressed at a time, whatever the compression ratio."""

MOST_MEMORY = 1 << 28
"""The most bytes of memory for decompressing an .xz file. `xz -9` needs a quarter of it."""

MAGIC_BYTES = 10
"""The longest magic number, in bytes."""

_MAGIC = re.compile(rb"(?P<gz>\x1f\x8b\x08)|(?P<xz>\xfd7zXZ\0)|(?P<bz2>BZh[1-9]1AY&SY)|(?P<zst>\x28\xb5\x2f\xfd)")


class _Format(NamedTuple):
    """How files of one suffix are decompressed.

    Attributes:
        module: imported only when a file needs it.
        program: decompresses such files in the shell.
        install: what to do if the module is missing.
        pads: whether zero bytes are allowed between and after members.
    """

    module: str
    program: str
    install: str
    pads: bool


_REBUILT = "this Python was built without it"
_FORMATS = {
    ".gz": _Format("zlib", "gzip", _REBUILT, pads=True),
    ".xz": _Format("lzma", "xz", _REBUILT, pads=True),
    ".bz2": _Format("bz2", "bzip2", _REBUILT, pads=False),
    ".zst": _Format(
        "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd",
        "zstd",
        'pip install "rnntag[zstd]"',
        pads=False,
    ),
}
SUFFIXES = tuple(_FORMATS)


def plain_name(path: AnyPath) -> AnyPath:
    """The path without its compression suffix, if it has one."""
    return path.with_suffix("") if path.suffix.lower() in _FORMATS else path


def check(path: Path) -> None:
    """Check that the file can be decompressed, if its suffix says that it is compressed.

    Raises:
        NotFoundError: a module is not installed.
    """
    if path.suffix.lower() in _FORMATS:
        _opener(path)


def advice(head: bytes) -> str:
    """What is wrong if the data is compressed, or "".

    Args:
        head: the first `MAGIC_BYTES` of the data, or more.
    """
    if not (magic := _MAGIC.match(head)):
        return ""
    suffix = f".{magic.lastgroup}"
    program = _FORMATS[suffix].program
    return f"is {program} data: decompress it with '{program} -dc', or give the file a name that ends in {suffix}"


def decompressed(path: Path, blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The content of a compressed file, all members concatenated.

    Args:
        path: its suffix selects the format.
        blocks: the compressed bytes. What is yielded before an error depends on how they are cut.

    Raises:
        DataError: the data is damaged, truncated or in another format, or needs more than `MOST_MEMORY`.
        NotFoundError: see `check`.
    """
    name = path.suffix.lower()
    kind = _FORMATS[name]
    fresh, errors = _opener(path)
    stream = fresh()
    begun = False  # whether part of the current member has been read
    members = 0
    for data in blocks:
        while True:
            if not begun and members and kind.pads:
                data = data.lstrip(b"\0")
            if not begun and not data:
                break
            begun = True
            try:
                content = stream.decompress(data, BLOCK_BYTES)
            except errors as error:
                reason = str(error).rstrip(".") or "corrupt data"
                raise DataError(f"{path}: is not a {name} file, or is damaged ({kind.program}: {reason})") from error
            if content:
                yield content
            if stream.eof:
                data, stream = stream.unused_data, fresh()
                begun = False
                members += 1
            elif stream.needs_input:
                break
            else:
                data = b""
    if begun or not members:
        raise DataError(f"{path}: the {kind.program} data is truncated")


def _opener(path: Path) -> tuple[Callable[[], Any], tuple[type[Exception], ...]]:
    """A factory of decompressors with the interface of `bz2.BZ2Decompressor`, and the errors that they raise."""
    suffix = path.suffix.lower()
    kind = _FORMATS[suffix]
    try:
        module: Any = importlib.import_module(kind.module)
    except ImportError as error:
        raise NotFoundError(f"{path}: {suffix} files need Python's {kind.module}: {kind.install}") from error
    if suffix == ".gz":
        return _Gunzip, (zlib.error,)
    if suffix == ".xz":
        return lambda: module.LZMADecompressor(module.FORMAT_XZ, memlimit=MOST_MEMORY), (module.LZMAError,)
    if suffix == ".bz2":
        return module.BZ2Decompressor, (OSError, ValueError)
    return module.ZstdDecompressor, (module.ZstdError,)


class _Gunzip:
    """zlib's decompressor with the interface of `bz2.BZ2Decompressor`."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)  # 16: expect a gzip header
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return self._stream.eof

    @property
    def unused_data(self) -> bytes:
        return self._stream.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        content = self._stream.decompress(self._stream.unconsumed_tail + data, max_length)
        self.needs_input = not self._stream.unconsumed_tail and len(content) < max_length
        return content
