"""The format of an input is what its name says, or a guess from its text alone, however it comes."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise, product
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rnntag.corpora import loading
from rnntag.corpora.raw_text import gold_paragraphs
from rnntag.errors import DataError
from rnntag.formats import inputs, registry
from rnntag.formats.inputs import guessed, has_bare_carriage_returns, tokens_or_treebank
from tests.conftest import few

ROW = "1\tapples\t_\tNOUN\t_\t_\t0\troot\t_\t_\n"
PIECES = [
    "I", "eat", "apples", "apples.", ".", ",", "n't", "?", ":)", "...", "我", "吃", "苹果", "苹果。", "。", "摘 要 ：",
    "本文研究了自然语言处理", "Mr.", "#", "# x", "1", "\t", "  ", "\n", "\n", "\n\n", "\r\n", "\r", "\ufeff", ROW,
    f"# sent_id = 1\n{ROW}",
]  # fmt: skip
TEXTS = st.lists(st.sampled_from([*PIECES, " "]) | st.just(" "), max_size=30).map("".join)


def guess(text: str) -> str:
    return guessed([text])[0]


def cut(text: str, places: list[int]) -> list[str]:
    edges = [0, *sorted(min(place, len(text)) for place in places), len(text)]
    return [text[a:b] for a, b in pairwise(edges)]


# what is guessed


def test_treebanks_as_tokens_and_as_raw_text(treebanks: Path) -> None:
    for path in sorted(treebanks.glob("*-dev.conllu")):
        (corpus,) = loading.load([str(path)], whole=True)
        assert guess("\n".join(" ".join(sentence.tokens) for sentence in corpus.dev)) == "tokens", path
        text = [paragraph.text for paragraph in gold_paragraphs(corpus.dev, corpus.name)]
        assert guess("\n\n".join(text)) == "raw", path
        assert guess("".join(text)) == "raw", path
        assert guess(path.read_text(encoding="utf-8")) == "conllu", path


def test_single_sentences_of_treebanks(treebanks: Path) -> None:
    """At least as often right as the rule before was: the shares are those that it had, rounded down."""
    least = {"en_ewt": (0.834, 0.978), "en_gum": (0.959, 0.997), "zh_gsd": (1, 1), "zh_gsdsimp": (1, 1)}
    for path in sorted(treebanks.glob("*-dev.conllu")):
        (corpus,) = loading.load([str(path)], whole=True)
        tokens, raw = least[path.name.partition("-")[0]]
        lines = [" ".join(sentence.tokens) for sentence in corpus.dev]
        assert sum(guess(line) == "tokens" for line in lines) >= tokens * len(lines), path
        texts = [
            "".join(token + space for token, space in zip(s.tokens, s.spaces, strict=True)).strip() for s in corpus.dev
        ]
        assert sum(guess(text) == "raw" for text in texts) >= raw * len(texts), path


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("我 吃 苹果", "tokens"), ("我吃苹果。", "raw"), ("我吃苹果", "raw"), ("I can't eat apples.", "raw"),
        ("I ca n't eat apples .", "tokens"), ("He likes apples", "raw"), ("Mr. Smith came.", "raw"), ("", "raw"),
        ("摘 要 ： 本文研究了自然语言处理。", "raw"), ("摘 要 ： 本文研究了自然语言处理", "raw"),
        ("关键词 ： 自然语言处理 、 循环神经网络", "raw"), ("请用 Python 3 写", "raw"),
        ("床前明月光 疑是地上霜", "raw"), ("Is it you ?", "tokens"), ("I like it :)", "tokens"),
        ("I like it :)\n\nDo you? I do.", "raw"),
        ("A Title\n\nIt came , and left .\n", "raw"), ("A Title\nIt came , and left .\n", "tokens"),
        ("\n\nI eat apples .\n", "tokens"), ("I eat apples .\nThis is prose.\n", "tokens"),
        ("He came.\nI eat apples .\nI eat , too .\n", "raw"), ("# heading\nI eat apples .", "tokens"),
        ("# heading .", "tokens"), (ROW, "conllu"), (f"# text = It came.\n{ROW}", "conllu"), (f"\n{ROW}\n", "conllu"),
        (ROW.replace("\n", "\r\n"), "conllu"), (ROW.replace("1\t", "1-2\t"), "conllu"),
        ("# global.columns = FORM UPOS\napples\t_\n", "conllu"), ("# new columns = two\n# global .\n", "tokens"),
        (ROW.replace("\n", "\tmore\n"), "conllu"), (f"He came.\n{ROW}", "raw"), ("1\tapples\tNOUN\n", "raw"),
        (ROW.replace("\t0\t", "\tno head\t"), "raw"), (ROW.replace("1\t", "2\t"), "raw"),
        (f"# x\n\n{ROW}", "raw"),
    ],
)  # fmt: skip
def test_what_is_guessed(text: str, expected: str) -> None:
    assert guess(text) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.conllu", "conllu"),
        ("b/A.CONLLU", "conllu"),
        ("a.conll", "conllu"),
        ("a.conllu.gz", "conllu"),
        ("a.txt", None),
        ("a.txt.gz", None),
        ("conllu", None),
        ("a.vert.xz", "vertical"),
        ("a.tsv", "vertical"),
        ("a.jsonl", "jsonl"),
    ],
)
def test_names(name: str, expected: str | None) -> None:
    assert registry.input_format(Path(name)) == expected


# how it comes


@given(TEXTS, st.lists(st.integers(0, 80), max_size=8), st.sampled_from([3, 20, 1 << 14]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_guess_does_not_depend_on_blocks(
    monkeypatch: pytest.MonkeyPatch, text: str, places: list[int], head: int
) -> None:
    monkeypatch.setattr(inputs, "HEAD", head)
    for read in (guessed, has_bare_carriage_returns):
        expected, whole = read([text])
        found, blocks = read(cut(text, places))
        assert found == expected
        assert "".join(blocks) == "".join(whole) == text


def handed_on(blocks: list[str]) -> tuple[str, str, str]:
    """The format, the text, and the error that ends it."""
    name, text = tokens_or_treebank(blocks, "x", "refused")
    found = []
    try:
        for block in text:
            found.append(block)
    except DataError as error:
        return name, "".join(found), str(error)
    return name, "".join(found), ""


@given(TEXTS, st.lists(st.integers(0, 80), max_size=8), st.sampled_from([3, 20, 1 << 14]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_refusal_does_not_depend_on_blocks(
    monkeypatch: pytest.MonkeyPatch, text: str, places: list[int], head: int
) -> None:
    monkeypatch.setattr(inputs, "HEAD", head)
    _, found, error = expected = handed_on([text])
    assert handed_on(cut(text, places)) == expected
    assert text.startswith(found)
    assert (found == text) == (not error)


def test_nothing_is_read_after_the_guess_is_certain() -> None:
    def blocks() -> Iterator[str]:
        yield "the can\nI eat"
        yield " apples .\n"
        pytest.fail("it has read on")

    assert guessed(blocks())[0] == "tokens"

    def raw() -> Iterator[str]:
        yield "the can\n"
        yield "\n"
        pytest.fail("it has read on")

    assert guessed(raw())[0] == "raw"


def test_what_stands_before_an_error_is_handed_on() -> None:
    def blocks() -> Iterator[str]:
        yield "the can\nis"
        raise DataError("x:2: bad")

    name, text = guessed(blocks())
    assert name == "raw"
    assert next(text) == "the can\nis"
    with pytest.raises(DataError, match="x:2: bad"):
        next(text)


def test_a_text_without_end_is_not_held() -> None:
    taken = 0

    def blocks() -> Iterator[str]:
        nonlocal taken
        for _ in range(1000):
            taken += 1
            yield "apples " * 100

    assert guessed(blocks())[0] == "raw"
    assert taken <= inputs.HEAD // 700 + 1


STREAMS = {
    "tokens": "the can\nI eat apples .\nthis is prose. Not tokens.\n\nI eat\n",
    "raw": "A title\n\nI eat apples. Go!\n\nI eat apples .\n\nthe can",
    "mixed": "摘 要 ： 本文研究了自然语言处理。\n我 吃 苹果 。\n\n我 吃 苹果 。",
    "conllu": f"# text = apples\n{ROW}\n{ROW}\n",
    "nothing": "\n\nthe can is full",
    "smiley": "the can :)\nthe can\n\nI eat apples .\n",
    "bad": "the can\n\nI eat apples .\nI eat \xff apples .\n",
}


def through_pipe(folder: Path, pieces: list[bytes], *arguments: str) -> tuple[int, bytes, bytes]:
    """Each piece is read before the next is written."""
    command = [sys.executable, "-m", "rnntag", "tag", "-m", str(folder), *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        out: list[bytes] = []
        reader = threading.Thread(target=lambda: out.append(process.stdout.read()))  # type: ignore[union-attr]
        reader.start()
        for piece in pieces:
            try:
                process.stdin.write(piece)
                process.stdin.flush()
                _wait_until_read(process.stdin.fileno(), process)
            except BrokenPipeError:
                break
        with suppress(BrokenPipeError):
            process.stdin.close()
        reader.join()
        return process.wait(), out[0], process.stderr.read()


def _wait_until_read(descriptor: int, process: subprocess.Popen[bytes]) -> None:
    import fcntl
    import struct
    import termios

    waiting = 1
    while waiting and process.poll() is None:
        (waiting,) = struct.unpack("i", fcntl.ioctl(descriptor, termios.FIONREAD, b"\0\0\0\0"))
        os.sched_yield()


@pytest.mark.skipif(sys.platform != "linux", reason="asks the pipe whether it has been read")
@pytest.mark.parametrize(("name", "segmenter"), few(product(STREAMS, [True, False]), ("bad", False)))
def test_the_same_bytes_give_the_same_output_however_they_come(
    name: str, segmenter: bool, tiny_folder: Path, tiny_raw_folder: Path
) -> None:
    folder = tiny_raw_folder if segmenter else tiny_folder
    data = STREAMS[name].encode("latin-1" if name == "bad" else "utf-8")
    whole = through_pipe(folder, [data])
    assert whole[0] in (0, 65)
    ways = [[data[i : i + size] for i in range(0, len(data), size)] for size in (1, 7)]
    ways += [[*data.splitlines(keepends=True)]]
    for pieces in ways:
        assert through_pipe(folder, pieces) == whole
    assert through_pipe(folder, ways[0], "--jobs", "2") == whole
