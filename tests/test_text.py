"""Bytes become the same lines however they arrive."""

from __future__ import annotations

import itertools
import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnntag.errors import AccessError, DataError, NotFoundError, UsageError
from rnntag.formats.decoding import file_lines, line_blocks, text_blocks


def through_pipe(pieces: list[bytes], **options: str) -> list[str]:
    """The lines that come of bytes written one piece at a time."""
    reading, writing = os.pipe()

    def write() -> None:
        with os.fdopen(writing, "wb", buffering=0) as pipe:
            for piece in pieces:
                if piece:
                    pipe.write(piece)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        return [line for block in line_blocks(text_blocks(reading, "<pipe>", **options)) for line in block]
    finally:
        writer.join()
        os.close(reading)


text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\ufeff"))


@given(text, st.lists(st.integers(0, 60), max_size=5), st.sampled_from(["utf-8", "utf-16", "gb18030"]))
def test_lines_do_not_depend_on_how_the_bytes_arrive(content: str, cuts: list[int], encoding: str) -> None:
    raw = content.encode(encoding)
    edges = [0, *sorted(min(cut, len(raw)) for cut in cuts), len(raw)]
    pieces = [raw[a:b] for a, b in itertools.pairwise(edges)]
    expected = content.removesuffix("\n").split("\n") if content else []
    assert through_pipe(pieces, encoding=encoding) == expected


def test_ends_of_lines() -> None:
    assert through_pipe([b"a\r\nb\n\nc\xe2\x80\xa8d"]) == ["a", "b", "", "c\u2028d"]
    assert through_pipe([b"\xef\xbb\xbfa\n"]) == ["a"]


def test_a_line_is_handed_on_before_the_next_one_comes() -> None:
    reading, writing = os.pipe()
    blocks = line_blocks(text_blocks(reading, "<pipe>"))
    os.write(writing, b"one\ntw")
    assert next(blocks) == ["one"]
    os.write(writing, b"o\n")
    assert next(blocks) == ["two"]
    os.close(writing)
    assert list(blocks) == []
    os.close(reading)


@pytest.mark.parametrize("cut", range(1, 12))
def test_what_cannot_be_decoded_is_named_by_line_and_byte(cut: int) -> None:
    raw = "一\n二\n".encode() + b"a\xffb\n"
    with pytest.raises(DataError, match=r"<pipe>:3: byte 10 of the input is not utf-8$"):
        through_pipe([raw[:cut], raw[cut:]])
    assert through_pipe([raw], errors="replace")[2] == "a\ufffdb"


def test_the_lines_before_are_handed_on() -> None:
    reading, writing = os.pipe()
    os.write(writing, b"\xef\xbb\xbfone\ntwo\nth\xffree\n")
    os.close(writing)
    blocks = line_blocks(text_blocks(reading, "<pipe>"))
    assert next(blocks) == ["one", "two"]
    with pytest.raises(DataError, match="<pipe>:3: byte 14 "):
        next(blocks)
    os.close(reading)


def test_a_character_cut_off_at_the_end_is_an_error() -> None:
    with pytest.raises(DataError, match=r"<pipe>:2: byte 3 "):
        through_pipe([b"a\n" + "一".encode()[:2]])


def test_a_byte_order_mark_may_come_in_pieces() -> None:
    reading, writing = os.pipe()
    blocks = line_blocks(text_blocks(reading, "<pipe>"))
    os.write(writing, b"\xef\xbb")
    thread = threading.Timer(0.2, os.write, (writing, b"\xbfa\n"))
    thread.start()
    assert next(blocks) == ["a"]
    thread.join()
    os.close(writing)
    os.close(reading)


def test_lines_are_counted_in_any_encoding() -> None:
    raw = "a\nb\n".encode("utf-16-be")
    with pytest.raises(DataError, match=r"<pipe>:3: byte 13 "):
        through_pipe([b"\xfe\xff" + raw[:4], raw[4:] + b"\0c", b"\xdc\x00\xdc\x00"], encoding="utf-16")


def test_files_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no such file"):
        list(file_lines(tmp_path / "none.txt"))
    with pytest.raises(AccessError, match="directory"):
        list(file_lines(tmp_path))
    for name in ("klingon", "hex", "undefined"):
        with pytest.raises(UsageError, match=f"unknown encoding '{name}'"):
            through_pipe([b""], encoding=name)
