"""Bytes to text and lines, as they arrive."""

from __future__ import annotations

import codecs
import io
import os
import re
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal, get_args

from rnntag.schema import AccessError, DataError, NotFoundError, UsageError

BLOCK_BYTES = 1 << 17
DecodingErrors = Literal["strict", "replace", "ignore"]
DECODING_ERRORS: tuple[str, ...] = get_args(DecodingErrors)
ADVICE = "name its encoding with --encoding"

_HEAD = 4
"""Bytes that tell UTF-16 and UTF-32 from other encodings."""

_MARKS = {  # UTF-32's before UTF-16's, which begin one of them
    codecs.BOM_UTF32_LE: ("UTF-32 (little endian)", "utf-32"),
    codecs.BOM_UTF32_BE: ("UTF-32 (big endian)", "utf-32"),
    codecs.BOM_UTF16_LE: ("UTF-16 (little endian)", "utf-16"),
    codecs.BOM_UTF16_BE: ("UTF-16 (big endian)", "utf-16"),
}
_ZEROS = {
    (False, True, True, True): ("UTF-32 (little endian)", "utf-32-le"),
    (True, True, True, False): ("UTF-32 (big endian)", "utf-32-be"),
    (False, True, False, True): ("UTF-16 (little endian)", "utf-16-le"),
    (True, False, True, False): ("UTF-16 (big endian)", "utf-16-be"),
}
_SAMPLE = 512
_SURROGATE = re.compile("[\ud800-\udfff]")


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
        DataError: bytes that `encoding` does not have, with their line and position, or an encoded
            surrogate, which is no character; what stands before them has been handed on. Or text that is
            surely UTF-16 or UTF-32, see `wide_encoding`.
        AccessError: the source cannot be read.
        UsageError: there is no such encoding.
    """
    decoder = _decoder(encoding, errors)
    may_have_surrogates = codecs.lookup(encoding).name != "utf-8"
    head = b""
    line = 1
    position = 0
    started = False
    while True:
        try:
            block = os.read(descriptor, BLOCK_BYTES)
        except OSError as error:
            raise AccessError(f"{source}: cannot be read: {error.strerror}") from error
        if errors == "strict" and position < _HEAD:
            head += block
            if look := wide_encoding(head, encoding):
                raise DataError(f"{source}: {look}")
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
        except UnicodeError as error:  # UTF-16's, and UTF-32's, for want of a byte order mark
            raise DataError(f"{source}: {error}: name the order too, as in --encoding {encoding}-le") from error
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
            raise DataError(f"{source}:{line}: U+{ord(lone[0]):04X} is half a character: {advice}")
        if wrong:
            if look := _likely_encoding(head[:_SAMPLE]):
                raise DataError(f"{source}: {look}") from wrong
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
    rest: list[str] = []
    for text in blocks:
        rest.append(text)
        if "\n" in text:
            *lines, last = "".join(rest).split("\n")
            rest = [last]
            yield [line.removesuffix("\r") for line in lines]
    if last := "".join(rest):
        yield [last.removesuffix("\r")]


def wide_encoding(head: bytes, encoding: str) -> str:
    """What to say of bytes that are to be read in `encoding`, but begin with the byte order mark of UTF-16 or
    UTF-32, or as no text does that is not in these: every other byte, or three of four, zero; of others "".

    Args:
        head: the first bytes, at least four.
    """
    if len(head) < _HEAD or codecs.lookup(encoding).name.startswith(("utf-16", "utf-32")):
        return ""
    for mark, guess in _MARKS.items():
        if head.startswith(mark):
            return _look(*guess)
    zeros = not head[0], not head[1], not head[2], not head[3]
    return _look(*_ZEROS[zeros]) if zeros in _ZEROS else ""


def _likely_encoding(sample: bytes) -> str:
    """As `wide_encoding`, of bytes that are no text in their encoding: zeros among them are no text in others
    either."""
    likely = []
    for guess in list(_ZEROS.values())[2:] if b"\0" in sample else ():
        text = codecs.getincrementaldecoder(guess[1])("replace").decode(sample)
        if not any(c == "\ufffd" or (unicodedata.category(c)[0] == "C" and c not in "\t\r\n") for c in text):
            likely.append(guess)
    return _look(*likely[0]) if len(likely) == 1 else ""


def _look(name: str, encoding: str) -> str:
    return f"looks like {name}: use --encoding {encoding}"


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
