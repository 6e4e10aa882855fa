"""Incremental decoding: bytes to text and lines."""

from __future__ import annotations

import codecs
import io
import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Literal, get_args

from rnntag.errors import ANOTHER, AccessError, DataError, NotFoundError, RnntagError, UsageError
from rnntag.formats import compression
from rnntag.formats.compression import decompressed
from rnntag.formats.encoding_guess import (
    SAMPLE_BYTES,
    WIDE_BYTES,
    likely_encoding,
    western_encoding,
    wide_encoding,
)

BLOCK_BYTES = 1 << 17
AUTO = "auto"
"""Stands for an encoding that is guessed."""

DecodingErrors = Literal["strict", "replace", "ignore"]
DECODING_ERRORS: tuple[str, ...] = get_args(DecodingErrors)

OnRead = Callable[[int], None]

ASCII_MOST = 0x7F

_OTHER = {"encoding": ANOTHER, "errors": "replace"}
_SURROGATE = re.compile("[\ud800-\udfff]")


def text_blocks(
    source_bytes: int | Iterable[bytes],
    source: str,
    encoding: str = "utf-8",
    errors: str = "strict",
) -> Iterator[str]:
    """The text of each read, without a byte order mark. Slow pipes yield lines, fast ones up to `BLOCK_BYTES`.

    Args:
        source_bytes: an open file descriptor, or blocks of bytes.
        source: its name in error messages.
        encoding: its name in Python, or `AUTO`; see `_detected`.
        errors: one of `DECODING_ERRORS`.

    Raises:
        DataError: bytes that are not in `encoding`, with their line and position, or an encoded surrogate; the text
            before them has been yielded. Also compressed data, and UTF-16 or UTF-32 (see `wide_encoding`).
        AccessError: the source cannot be read.
        UsageError: there is no such encoding.
    """
    blocks = byte_blocks(source_bytes, source) if isinstance(source_bytes, int) else iter(source_bytes)
    if encoding == AUTO:
        yield from _detected(blocks, source, errors)
    else:
        yield from _decoded(blocks, source, encoding, errors)


def _decoded(
    blocks: Iterator[bytes], source: str, encoding: str, errors: str, line: int = 1, position: int = 0
) -> Iterator[str]:
    """The text of blocks; see `text_blocks`.

    Args:
        line, position: where the first block begins in the source.
    """
    decoder = _decoder(encoding, errors)
    may_have_surrogates = codecs.lookup(encoding).name != "utf-8"
    head = b""
    before = b""  # up to SAMPLE_BYTES before the block, for `_sample`
    started = position > 0
    while True:
        block = next(blocks, b"")
        if position < compression.MAGIC_BYTES:
            head += block
            if look := compression.advice(head):
                raise DataError(f"{source}: {look}")
            if errors == "strict" and (guess := wide_encoding(head, encoding)):
                raise DataError(f"{source}: looks like {guess.name}", remedy={"encoding": guess.codec or ANOTHER})
        state = decoder.getstate()
        wrong: UnicodeError | None = None
        try:
            try:
                text = decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                wrong = error
                good = error.start - len(state[0])
                again = _decoder(encoding, "replace")
                again.setstate(state)
                text = again.decode(block[: max(good, 0)])
        except UnicodeError as error:  # UTF-16 or UTF-32 without a byte order mark
            remedy = {"encoding": f"{encoding}-le or {encoding}-be"}
            raise DataError(f"{source}: {error}", remedy=remedy) from error
        if text and not started:
            text = text.removeprefix("\ufeff")
            started = True
        lone = _SURROGATE.search(text) if may_have_surrogates else None
        if lone and errors != "strict":
            text = _SURROGATE.sub("\ufffd" if errors == "replace" else "", text)
            lone = None
        if lone:
            text = text[: lone.start()]
        if text:
            yield text
        line += text.count("\n")
        if lone:
            raise DataError(f"{source}:{line}: U+{ord(lone[0]):04X} is an unpaired surrogate", remedy=_OTHER)
        if wrong:
            sample = _sample(before + block, len(before) + good, blocks)
            if look := compression.advice(sample if position + good < SAMPLE_BYTES else b""):
                raise DataError(f"{source}: {look}") from wrong
            fault = f"{source}:{line}: byte {position + good + 1} of the input is not {encoding}"
            if guess := likely_encoding(sample, encoding):
                raise DataError(f"{fault}: looks like {guess.name}", remedy={"encoding": guess.codec}) from wrong
            raise DataError(fault, remedy=_OTHER) from wrong
        if not block:
            return
        position += len(block)
        before = (before + block)[-SAMPLE_BYTES:] if len(block) < SAMPLE_BYTES else block[-SAMPLE_BYTES:]


def _detected(blocks: Iterator[bytes], source: str, errors: str) -> Iterator[str]:
    """The text of blocks whose encoding is guessed: UTF-16 or UTF-32 by the first bytes, else by the first
    `SAMPLE_BYTES` from a byte on that is not ASCII. If they are not UTF-8, nor like Chinese or Western text, they are
    decoded as UTF-8 all the same. How the bytes come in blocks makes no difference."""
    head = b""
    while len(head) < WIDE_BYTES and (block := next(blocks, b"")):
        head += block
    wide = wide_encoding(head, "utf-8")
    codec = wide.codec.split(" or ")[0 if head[0] else -1] if wide else ""  # little endian first
    line, position = 1, 0
    before = b""
    block = head
    while block.isascii() and block and not codec:
        yield block.decode()
        line, position = line + block.count(b"\n"), position + len(block)
        before = (before + block)[-SAMPLE_BYTES:]
        block = next(blocks, b"")
    if not codec:
        first = next((place for place, byte in enumerate(block) if byte > ASCII_MOST), 0)
        before = (before + block[:first])[-SAMPLE_BYTES:]
        while len(block) - first < SAMPLE_BYTES and (more := next(blocks, b"")):
            block += more
        codec = "utf-8"
        sample = block[first : first + SAMPLE_BYTES]
        if not _is_utf8(sample):
            lines = [before + sample, before + sample.partition(b"\n")[0]]
            guesses = [*(likely_encoding(each, "utf-8") for each in lines), western_encoding(lines[0])]
            codec = next((guess.codec for guess in guesses if guess), codec)
    yield from _decoded(chain([block] * bool(block), blocks), source, codec, errors, line, position)


def _is_utf8(start: bytes) -> bool:
    """Whether the bytes begin UTF-8 text."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start)
    except UnicodeDecodeError:
        return False
    return True


def _sample(known: bytes, wrong: int, blocks: Iterator[bytes]) -> bytes:
    """Up to `SAMPLE_BYTES` before an invalid byte and as many from it on, read at most to the end of its line.

    Args:
        known: the bytes read so far.
        wrong: the index of the invalid byte in `known`.
        blocks: the bytes after `known`.
    """
    with suppress(RnntagError):
        while len(known) - wrong < SAMPLE_BYTES and b"\n" not in known[wrong:] and (block := next(blocks, b"")):
            known += block
    end = known.find(b"\n", wrong, wrong + SAMPLE_BYTES) + 1
    return known[max(wrong - SAMPLE_BYTES, 0) : end or wrong + SAMPLE_BYTES]


def byte_blocks(descriptor: int, source: str, on_read: OnRead = lambda count: None) -> Iterator[bytes]:
    """The bytes of each read, up to `BLOCK_BYTES`.

    Args:
        on_read: called with the number of bytes of each read.

    Raises:
        AccessError: `source` cannot be read.
    """
    try:
        while block := os.read(descriptor, BLOCK_BYTES):
            on_read(len(block))
            yield block
    except OSError as error:
        raise AccessError(f"{source}: cannot be read: {error.strerror}") from error


def file_blocks(path: Path, on_read: OnRead = lambda count: None) -> Iterator[bytes]:
    """The bytes of a file, decompressed if its name has a compression suffix.

    Args:
        on_read: called with the number of bytes of each read, before they are decompressed.

    Raises:
        DataError, NotFoundError: see `compression.decompressed`.
        NotFoundError, AccessError: see `open_for_reading`.
        AccessError: the file cannot be read.
    """
    descriptor = open_for_reading(path)
    try:
        blocks = byte_blocks(descriptor, str(path), on_read)
        yield from decompressed(path, _full(blocks)) if path.suffix.lower() in compression.SUFFIXES else blocks
    finally:
        os.close(descriptor)


def _full(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The bytes in blocks of `BLOCK_BYTES`."""
    rest = bytearray()
    for block in blocks:
        rest += block
        while len(rest) >= BLOCK_BYTES:
            yield bytes(rest[:BLOCK_BYTES])
            del rest[:BLOCK_BYTES]
    if rest:
        yield bytes(rest)


class LineSplitter:
    """Splits text into lines without line ends, incrementally. Lines end in LF or CRLF."""

    def __init__(self) -> None:
        self._rest: list[str] = []

    def feed(self, text: str) -> list[str]:
        """The lines that `text` completes."""
        self._rest.append(text)
        if "\n" not in text:
            return []
        *lines, rest = "".join(self._rest).split("\n")
        self._rest = [rest]
        return [line.removesuffix("\r") for line in lines]

    def finish(self) -> list[str]:
        """The unfinished last line, if any."""
        rest = "".join(self._rest)
        self._rest = []
        return [rest.removesuffix("\r")] if rest else []


def line_blocks(blocks: Iterable[str]) -> Iterator[list[str]]:
    """The lines that each block completes, and finally an unfinished last line."""
    splitter = LineSplitter()
    for text in blocks:
        if lines := splitter.feed(text):
            yield lines
    if lines := splitter.finish():
        yield lines


def check_encoding(encoding: str) -> None:
    """Check that there is such an encoding.

    Raises:
        UsageError: there is not.
    """
    if encoding != AUTO:
        _decoder(encoding, "strict")


def _decoder(encoding: str, errors: str) -> codecs.IncrementalDecoder:
    if errors not in DECODING_ERRORS:
        raise UsageError(f"errors is {errors!r}: it must be one of {', '.join(DECODING_ERRORS)}")
    try:
        io.TextIOWrapper(io.BytesIO(), encoding).read()  # refuses codecs that are not for text, such as hex
        return codecs.getincrementaldecoder(encoding)(errors)
    except (LookupError, UnicodeError) as error:
        raise UsageError(f"unknown encoding {encoding!r}: try auto, utf-8, gb18030, big5 or latin-1") from error


def check_readable(path: Path) -> None:
    """Check that `path` is a file that can be read.

    Raises:
        NotFoundError: there is no such file.
        AccessError: it cannot be read.
        NotFoundError: it is compressed, and its decompressor is not installed.
    """
    if not path.exists():
        raise NotFoundError(f"{path}: no such file")
    if path.is_dir():
        raise AccessError(f"{path}: is a directory, not a file")
    if not os.access(path, os.R_OK):
        raise AccessError(f"{path}: cannot be read: permission denied")
    compression.check(path)


def open_for_reading(path: Path) -> int:
    """A file descriptor of `path`. Raises as `check_readable` does."""
    check_readable(path)
    try:
        return os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    except OSError as error:
        raise AccessError(f"{path}: cannot be read: {error.strerror}") from error


def file_lines(path: Path, encoding: str = "utf-8") -> Iterator[str]:
    """The lines of a file. Raises as `text_blocks` and `file_blocks` do."""
    for lines in line_blocks(text_blocks(file_blocks(path), str(path), encoding)):
        yield from lines
