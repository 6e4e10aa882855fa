"""Bytes to lines, as they arrive."""

from __future__ import annotations

import codecs
import os
from collections.abc import Iterator
from pathlib import Path

from rnntag.schema import AccessError, DataError, NotFoundError, UsageError

BLOCK_BYTES = 1 << 18
DECODING_ERRORS = ("strict", "replace", "ignore")


ADVICE = "name its encoding with --encoding"


def line_blocks(
    descriptor: int, source: str, encoding: str = "utf-8", errors: str = "strict", advice: str = ADVICE
) -> Iterator[list[str]]:
    """Whole lines, without their ends, in blocks of what one read brings.

    A slow pipe is answered line by line and a fast one in blocks of up to `BLOCK_BYTES`. Only
    line feeds end a line; a carriage return before one belongs to it. A byte order mark at the
    beginning is dropped.

    Args:
        descriptor: of a file or pipe that is open for reading.
        source: what errors call it.
        errors: one of `DECODING_ERRORS`.
        advice: what to do about bytes that cannot be decoded.

    Raises:
        DataError: bytes that `encoding` does not have, with their line and position.
        AccessError: the source cannot be read.
        UsageError: there is no such encoding.
    """
    decoder = _decoder(encoding, errors)
    rest = ""
    number = 1
    position = 0
    while True:
        try:
            block = os.read(descriptor, BLOCK_BYTES)
        except OSError as error:
            raise AccessError(f"{source}: cannot be read: {error.strerror}") from error
        held = len(decoder.getstate()[0])
        try:
            text = decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            before = error.object[: error.start].decode(encoding, "replace").count("\n")
            where = position - held + error.start + 1
            raise DataError(
                f"{source}:{number + before}: byte {where} of the input is not {encoding}: {advice}"
            ) from error
        if position == 0:
            text = text.removeprefix("\ufeff")
        position += len(block)
        lines = (rest + text).split("\n") if "\n" in text else None
        if lines is None:
            rest += text
        else:
            rest = lines.pop()
            number += len(lines)
            yield [line.removesuffix("\r") for line in lines]
        if not block:
            if rest:
                yield [rest.removesuffix("\r")]
            return


def _decoder(encoding: str, errors: str) -> codecs.IncrementalDecoder:
    if errors not in DECODING_ERRORS:
        raise UsageError(f"--errors is {errors!r}: it must be one of {', '.join(DECODING_ERRORS)}")
    try:
        return codecs.getincrementaldecoder(encoding)(errors)
    except LookupError as error:
        raise UsageError(f"there is no encoding named {encoding!r}: try utf-8, gb18030, big5 or latin-1") from error


def open_for_reading(path: Path) -> int:
    """A file descriptor of `path`.

    Raises:
        NotFoundError: there is no such file.
        AccessError: it cannot be read.
    """
    try:
        if path.is_dir():
            raise AccessError(f"{path}: is a directory, not a file")
        return os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    except FileNotFoundError as error:
        raise NotFoundError(f"{path}: no such file") from error
    except OSError as error:
        raise AccessError(f"{path}: cannot be read: {error.strerror}") from error


def file_lines(path: Path, encoding: str = "utf-8") -> Iterator[str]:
    """The lines of a file; see `line_blocks` and `open_for_reading` for what they raise."""
    descriptor = open_for_reading(path)
    try:
        for block in line_blocks(descriptor, str(path), encoding):
            yield from block
    finally:
        os.close(descriptor)
