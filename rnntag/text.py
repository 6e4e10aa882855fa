"""Bytes to text and lines, as they arrive."""

from __future__ import annotations

import codecs
import io
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal, get_args

from rnntag.schema import AccessError, DataError, NotFoundError, UsageError

BLOCK_BYTES = 1 << 17
DecodingErrors = Literal["strict", "replace", "ignore"]
DECODING_ERRORS: tuple[str, ...] = get_args(DecodingErrors)
ADVICE = "name its encoding with --encoding"


def text_blocks(
    descriptor: int, source: str, encoding: str = "utf-8", errors: str = "strict", advice: str = ADVICE
) -> Iterator[str]:
    """What each read brings, decoded; a byte order mark at the beginning is dropped.

    A slow pipe yields line by line and a fast one blocks of up to `BLOCK_BYTES`.

    Args:
        descriptor: of a file or pipe that is open for reading.
        source: what errors call it.
        errors: one of `DECODING_ERRORS`.
        advice: what to do about bytes that cannot be decoded.

    Raises:
        DataError: bytes that `encoding` does not have, with their line and position; what stands
            before them has been handed on.
        AccessError: the source cannot be read.
        UsageError: there is no such encoding.
    """
    decoder = _decoder(encoding, errors)
    line = 1
    position = 0
    started = False
    while True:
        try:
            block = os.read(descriptor, BLOCK_BYTES)
        except OSError as error:
            raise AccessError(f"{source}: cannot be read: {error.strerror}") from error
        state = decoder.getstate()
        wrong: UnicodeDecodeError | None = None
        try:
            text = decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            wrong = error
            good = error.start - len(state[0])
            again = _decoder(encoding, "replace")
            again.setstate(state)
            text = again.decode(block[: max(good, 0)])
        if text and not started:
            text = text.removeprefix("\ufeff")
            started = True
        if text:
            yield text
        line += text.count("\n")
        if wrong:
            where = position + good + 1
            raise DataError(f"{source}:{line}: byte {where} of the input is not {encoding}: {advice}") from wrong
        if not block:
            return
        position += len(block)


def line_blocks(blocks: Iterable[str]) -> Iterator[list[str]]:
    """The lines that each block of text completes, without their ends, and at last what stands
    after the last of them.

    Only line feeds end a line; a carriage return before one belongs to it.
    """
    rest = ""
    for text in blocks:
        if "\n" not in text:
            rest += text
            continue
        *lines, rest = (rest + text).split("\n")
        yield [line.removesuffix("\r") for line in lines]
    if rest:
        yield [rest.removesuffix("\r")]


def _decoder(encoding: str, errors: str) -> codecs.IncrementalDecoder:
    if errors not in DECODING_ERRORS:
        raise UsageError(f"--errors is {errors!r}: it must be one of {', '.join(DECODING_ERRORS)}")
    try:
        io.TextIOWrapper(io.BytesIO(), encoding).read()  # refuses codecs that are not for text, such as hex
        return codecs.getincrementaldecoder(encoding)(errors)
    except (LookupError, UnicodeError) as error:
        raise UsageError(f"there is no encoding named {encoding!r}: try utf-8, gb18030, big5 or latin-1") from error


def check_readable(path: Path) -> None:
    """Make sure that there is something to read at `path`.

    Raises:
        NotFoundError: there is no such file.
        AccessError: it cannot be read.
    """
    if not path.exists():
        raise NotFoundError(f"{path}: no such file")
    if path.is_dir():
        raise AccessError(f"{path}: is a directory, not a file")
    if not os.access(path, os.R_OK):
        raise AccessError(f"{path}: cannot be read: permission denied")


def open_for_reading(path: Path) -> int:
    """A file descriptor of `path`; see `check_readable` for what it raises."""
    check_readable(path)
    try:
        return os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    except OSError as error:
        raise AccessError(f"{path}: cannot be read: {error.strerror}") from error


def file_lines(path: Path, encoding: str = "utf-8") -> Iterator[str]:
    """The lines of a file; see `text_blocks` and `open_for_reading` for what they raise."""
    descriptor = open_for_reading(path)
    try:
        for lines in line_blocks(text_blocks(descriptor, str(path), encoding)):
            yield from lines
    finally:
        os.close(descriptor)
