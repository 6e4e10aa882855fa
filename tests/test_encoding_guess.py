"""Bytes that are no text in their encoding get the name of the one that they are in, or none."""

from __future__ import annotations

import itertools
import os
import random
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnntag.errors import ANOTHER, DataError
from rnntag.formats.decoding import text_blocks
from rnntag.formats.encoding_guess import SAMPLE_BYTES
from tests.conftest import Run, one_line

SIMPLIFIED = "我们在北京的大学里学习中文，明天下午要去图书馆看书。\n他说这个问题不大。\n"
TRADITIONAL = "我們在臺北的大學裡學習中文，明天下午要去圖書館看書。\n他說這個問題不大。\n"
FRENCH = "Les élèves sont dans la forêt, et le maître n'est pas là.\n"
GERMAN = "Die Straße ist für den Verkehr geöffnet, und die Häuser sind schön.\n"
PORTUGUESE = "A educação não é um privilégio; os cães estão na rua.\n"


def refused(pieces: Iterable[bytes], encoding: str = "utf-8") -> tuple[str, object]:
    """What the error says, and the encoding that it advises."""
    with pytest.raises(DataError) as caught:
        list(text_blocks(pieces, "x", encoding))
    return str(caught.value), caught.value.remedies[0]["encoding"]


@pytest.mark.parametrize(
    ("content", "written", "read", "name", "codec"),
    [
        (SIMPLIFIED, "gb18030", "utf-8", "GB18030", "gb18030"),
        (SIMPLIFIED, "gbk", "ascii", "GB18030", "gb18030"),
        (TRADITIONAL, "gb18030", "utf-8", "GB18030", "gb18030"),
        (TRADITIONAL, "big5", "utf-8", "Big5", "big5"),
        (TRADITIONAL + "碁裏恒粧\n", "cp950", "big5", "Big5 (Windows)", "cp950"),
        (SIMPLIFIED, "utf-8", "ascii", "UTF-8", "utf-8"),
        (SIMPLIFIED.strip() + "一", "utf-8", "gb18030", "UTF-8", "utf-8"),
    ],
)
def test_known_text_is_named(content: str, written: str, read: str, name: str, codec: str) -> None:
    message, advised = refused([content.encode(written)], read)
    assert message.endswith(f": looks like {name}")
    assert advised == codec


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        ("これは日本語の文章です。今日は天気がいいですね。\n", "euc-jp"),
        ("これは日本語の文章です。今日は天気がいいですね。\n", "shift_jis"),
        ("나는 사과를 먹습니다. 오늘은 날씨가 좋습니다.\n", "euc-kr"),
        ("Я ем яблоки, а он пьёт воду.\n", "cp1251"),
        ("Я ем яблоки, а он пьёт воду.\n", "koi8-r"),
        ("Příliš žluťoučký kůň úpěl ďábelské ódy na té cestě.\n", "cp1250"),
        ("Zażółć gęślą jaźń, a on się nie boi.\n", "iso-8859-2"),
        ("Okula giden çocuk ağladı ve İstanbul'a döndü.\n", "cp1254"),
        ("Οι μαθητές είναι στο δάσος.\n", "cp1253"),
        (SIMPLIFIED, "utf-16-le"),
        (TRADITIONAL, "utf-16-be"),
        ("I" + SIMPLIFIED, "utf-16-le"),
        ("我吃。\n", "gb18030"),  # too little to be sure of
        ("caf\u00e9\n", "latin-1"),
        (FRENCH, "cp1252"),
        (GERMAN, "latin-1"),
        (PORTUGUESE.upper(), "cp1252"),
    ],
)
def test_other_text_gets_the_general_advice(content: str, encoding: str) -> None:
    assert refused([content.encode(encoding)])[1] == ANOTHER


@pytest.mark.parametrize("place", [0, 40, 100, 150])
def test_a_damaged_byte_in_utf_8_is_no_other_encoding(place: int) -> None:
    for content in (SIMPLIFIED * 5, FRENCH * 5):
        raw = bytearray(content.encode())
        raw[place] = 0xFF
        assert refused([bytes(raw)])[1] == ANOTHER


@given(st.integers(0, 1 << 32), st.sampled_from([24, 100, 3000]), st.booleans())
def test_random_bytes_have_no_name(seed: int, size: int, high: bool) -> None:
    chance = random.Random(seed)
    raw = bytes(chance.randrange(0x80 if high else 1, 0x100) for _ in range(size))
    assert "looks like" not in refused([raw + b"\xff\xff"])[0]


@given(
    st.sampled_from([(SIMPLIFIED, "gb18030"), (TRADITIONAL, "big5"), (FRENCH, "cp1252")]),
    st.integers(0, 3000),
    st.lists(st.integers(0, 6000), max_size=8),
)
def test_the_error_does_not_depend_on_how_the_bytes_arrive(
    written: tuple[str, str], before: int, cuts: list[int]
) -> None:
    content, encoding = written
    raw = b"I eat.\n" * (before // 7) + b"I" * (before % 7) + content.encode(encoding) * 20
    edges = [0, *sorted(min(cut, len(raw)) for cut in cuts), len(raw)]
    pieces = [raw[a:b] for a, b in itertools.pairwise(edges) if a < b]
    assert refused(pieces) == refused([raw])
    assert refused([raw[place : place + 1] for place in range(len(raw))]) == refused([raw])


def test_no_more_than_the_line_is_waited_for() -> None:
    """A program that waits for an answer to its line gets one."""

    def blocks() -> Iterable[bytes]:
        yield SIMPLIFIED.encode("gb18030").splitlines(keepends=True)[0]
        raise AssertionError("it is read on")

    assert "looks like GB18030" in refused(blocks())[0]


def test_no_more_than_a_sample_is_waited_for() -> None:
    line = SIMPLIFIED.replace("\n", "").encode("gb18030") * 1000
    taken = 0

    def blocks() -> Iterable[bytes]:
        nonlocal taken
        for place in range(0, len(line), 100):
            taken += 1
            yield line[place : place + 100]

    assert "looks like GB18030" in refused(blocks())[0]
    assert taken <= SAMPLE_BYTES // 100 + 2


@pytest.mark.parametrize(
    ("content", "encoding", "name"),
    [(SIMPLIFIED, "gb18030", "gb18030"), (TRADITIONAL, "big5", "big5")],
)
@pytest.mark.parametrize("before", ["", "I eat apples .\n" * 20_000], ids=["at once", "in a later block"])
def test_the_advice_works(
    run: Run, tiny_folder: Path, tmp_path: Path, content: str, encoding: str, name: str, before: str
) -> None:
    (tmp_path / "x.txt").write_bytes((before + content).encode(encoding))
    command = ("tag", "-m", tiny_folder, "--input-format", "tokens", "-i", "x.txt")
    done = run(*command)
    assert done.returncode == 65
    line = before.count("\n") + 1
    assert f"x.txt:{line}: byte " in one_line(done.stderr)
    assert done.stderr.endswith(f": use --encoding {name}\n")
    assert run(*command, "--encoding", name).stdout.count("\n") == (before + content).count("\n")


def test_chinese_text_from_others_is_named(treebanks: Path) -> None:
    folder = treebanks.parent / "text"
    if not folder.is_dir():
        pytest.skip("Chinese text is not on this machine (../shared/text)")
    for name, encodings in (("simplified", ["gb18030"]), ("traditional", ["gb18030", "cp950"])):
        lines = (folder / f"zh_wiki_{name}.txt").read_text(encoding="utf-8").splitlines()[:300]
        for encoding in encodings:
            found = [refused([line.encode(encoding, "ignore") + os.linesep.encode()])[0] for line in lines]
            wanted = "GB18030" if encoding == "gb18030" else "Big5"
            assert sum(f"looks like {wanted}" in one for one in found) > 0.98 * len(lines)


AUTOMATIC = [
    ("I eat 苹果。\n我们明天在学校里看书。\n", "utf-8"),
    ("I eat 苹果。\n", "utf-8-sig"),
    ("one\ntwo\n目录\n我们明天在学校里看书，这是他们的学校。\n", "gb18030"),
    ("one\n我們明天在學校裡看書，這是他們的學校。\n", "big5"),
    ("I eat 苹果。\n", "utf-16"),
    ("I eat apples.\n", "utf-16-le"),
    ("I eat apples.\n", "utf-16-be"),
    ("I eat apples.\n", "utf-32"),
    ("The café is “open” – isn’t it? Über Äpfel.\n", "cp1252"),
    ("Le garçon a mangé à l’école.\n", "cp1252"),
    ("I eat.\n", "ascii"),
    ("", "ascii"),
]


@pytest.mark.parametrize("size", [1, 2, 5, 1 << 17])
@pytest.mark.parametrize(("text", "encoding"), AUTOMATIC, ids=[encoding for _, encoding in AUTOMATIC])
def test_an_encoding_is_guessed_if_that_is_asked_for(text: str, encoding: str, size: int) -> None:
    data = text.encode(encoding)
    pieces = [data[start : start + size] for start in range(0, len(data), size)]
    assert "".join(text_blocks(pieces, "x", "auto")) == text


@pytest.mark.parametrize("size", [1, 1 << 17])
@pytest.mark.parametrize(
    ("data", "place"),
    [
        (b"I eat\n\xff\xff apples\n", "x:2: byte 7 of the input is not utf-8"),
        (b"I eat \x81\n", "x:1: byte 7 of the input is not utf-8"),
        (b"a \xfe\xfd\xfc b\n", "x:1: byte 3 of the input is not utf-8"),
        ("苹果\n".encode() + b"\xff\n", "x:2: byte 8 of the input is not utf-8"),
        (
            b"one\n" + "我们明天在学校里看书。".encode("gb18030") + b"\n\xff\n",
            "x:3: byte 28 of the input is not gb18030",
        ),
    ],
)
def test_what_cannot_be_guessed_is_an_error(data: bytes, place: str, size: int) -> None:
    pieces = [data[start : start + size] for start in range(0, len(data), size)]
    with pytest.raises(DataError, match=place):
        list(text_blocks(pieces, "x", "auto"))
