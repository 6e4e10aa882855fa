"""Compressed corpora and texts are read as what they hold; what is damaged is said to be."""

from __future__ import annotations

import bz2
import gzip
import importlib.util
import io
import itertools
import json
import lzma
import random
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnntag.corpora import loading
from rnntag.errors import DataError, NotFoundError
from rnntag.formats import compression, decoding
from rnntag.formats.compression import SUFFIXES, decompressed, plain_name
from rnntag.training import word_vectors
from tests.conftest import Run, one_line


def _zstd(content: bytes) -> bytes:
    zstd = pytest.importorskip("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")
    return zstd.compress(content)


PACK: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress, ".xz": lzma.compress, ".bz2": bz2.compress, ".zst": _zstd,
}  # fmt: skip
EACH = pytest.mark.parametrize("suffix", SUFFIXES)
TREEBANK = "1\tI\t_\tPRON" + "\t_" * 6 + "\n2\teat\t_\tVERB" + "\t_" * 6 + "\n\n"
SLASH = "I/PRON eat/VERB apples/NOUN\n" * 10


def write(path: Path, content: str | bytes) -> Path:
    raw = content.encode() if isinstance(content, str) else content
    path.write_bytes(PACK[path.suffix](raw))
    return path


def test_each_suffix_is_tested() -> None:
    assert PACK.keys() == set(SUFFIXES)


@EACH
@given(members=st.lists(st.binary(max_size=300), min_size=1, max_size=4), cuts=st.lists(st.integers(0, 900)))
def test_all_members_are_read_through_wherever_the_bytes_are_cut(
    suffix: str, members: list[bytes], cuts: list[int]
) -> None:
    raw = b"".join(map(PACK[suffix], members))
    edges = [0, *sorted(min(cut, len(raw)) for cut in cuts), len(raw)]
    pieces = [raw[a:b] for a, b in itertools.pairwise(edges)]
    assert b"".join(decompressed(Path(f"x{suffix}"), pieces)) == b"".join(members)


@EACH
def test_content_comes_in_bounded_blocks_however_well_it_is_compressed(suffix: str) -> None:
    raw = PACK[suffix](bytes(1 << 24))
    assert len(raw) < 1 << 17
    sizes = [len(block) for block in decompressed(Path(f"x{suffix}"), [raw])]
    assert sum(sizes) == 1 << 24
    assert max(sizes) <= compression.BLOCK_BYTES


@EACH
def test_what_is_cut_off_or_damaged_is_said_to_be_and_what_stands_before_is_read(suffix: str) -> None:
    content = random.Random(1).randbytes(1 << 20)
    raw = PACK[suffix](content)
    path = Path(f"x{suffix}")
    for size in (0, 1, 5, len(raw) // 2, len(raw) - 1):
        found: list[bytes] = []
        with pytest.raises(DataError, match=rf"x\{suffix}: the [a-z0-9]+ data is truncated"):
            found.extend(decompressed(path, [raw[:size]]))
        assert content.startswith(b"".join(found))
        assert len(b"".join(found)) >= size - 900_000  # of bzip2, which has the longest blocks
    for damaged in (
        b"no archive at all",
        raw[: len(raw) // 2] + b"\xff" * 50 + raw[len(raw) // 2 + 50 :],
        raw + b"\xff" * 20,
    ):
        with pytest.raises(DataError, match=rf"x\{suffix}: is not a \{suffix} file, or is damaged"):
            list(decompressed(path, [damaged]))


@pytest.mark.parametrize("suffix", [".gz", ".xz"])
def test_zeros_may_stand_between_members_and_after_them(suffix: str) -> None:
    raw = PACK[suffix](b"a") + bytes(8) + PACK[suffix](b"b") + bytes(512)
    assert b"".join(decompressed(Path(f"x{suffix}"), [raw[:30], raw[30:]])) == b"ab"


def test_an_xz_file_that_asks_for_a_gigabyte_is_refused() -> None:
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 1, "dict_size": 1 << 20}]
    raw = bytearray(lzma.compress(b"a" * 100, filters=filters))
    header = raw[12 : 12 + 4 * (raw[12] + 1)]
    place = 12 + header.index(b"\x21\x01") + 2
    raw[place] = 36  # the size of the dictionary: 1 GiB
    checked = raw[12 : 12 + len(header) - 4]
    raw[12 + len(header) - 4 : 12 + len(header)] = zlib.crc32(checked).to_bytes(4, "little")
    with pytest.raises(DataError, match=r"x\.xz: .*[Mm]emory usage limit"):
        list(decompressed(Path("x.xz"), [bytes(raw)]))


def test_the_name_below_the_suffix_tells_the_format() -> None:
    assert plain_name(Path("a/b.conllu.XZ")) == Path("a/b.conllu")
    assert plain_name(Path("a.gz/b.txt")) == Path("a.gz/b.txt")


@EACH
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.conllu", TREEBANK * 10),
        ("x.txt", SLASH),
        ("x.tsv", "I\tPRON\neat\tVERB\n\n" * 10),
        ("x.jsonl", json.dumps({"tokens": ["I", "eat"], "tags": ["PRON", "VERB"]}) + "\n"),
    ],
)
def test_a_compressed_corpus_is_the_corpus(tmp_path: Path, suffix: str, name: str, content: str) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    (plain,) = loading.load([str(tmp_path / name)])
    (found,) = loading.load([str(write(tmp_path / f"{name}{suffix}", content))])
    assert found == plain
    assert found.train


@EACH
def test_splits_are_known_by_their_names_in_folders_and_globs(tmp_path: Path, suffix: str) -> None:
    for split, times in (("train", 3), ("dev", 2)):
        write(tmp_path / f"en_x-ud-{split}.conllu{suffix}", TREEBANK * times)
    (tmp_path / "README.gz").write_bytes(b"")
    for spec in (str(tmp_path), f"{tmp_path}/en_x-ud-*.conllu{suffix}"):
        (corpus,) = loading.load([spec], ("universal",))
        assert (corpus.name, len(corpus.train), len(corpus.dev)) == ("en_x", 3, 2)


@EACH
def test_compressed_vectors(tmp_path: Path, suffix: str) -> None:
    path = write(tmp_path / f"glove.txt{suffix}", "the 1 1\ncat 2 0\n")
    assert word_vectors.read(path, str.lower, ["cat"], 5).words == ("the", "cat")
    path = write(tmp_path / f"bad.txt{suffix}", "the 1 1\ncat 2\n")
    with pytest.raises(DataError, match=rf"bad\.txt\{suffix}:2: has 1 numbers instead of 2"):
        word_vectors.read(path, str.lower, ["cat"], 5)


@EACH
def test_lines_and_bytes_in_errors_are_those_of_the_text(tmp_path: Path, suffix: str) -> None:
    path = write(tmp_path / f"x.txt{suffix}", b"one\n" * 100_000 + b"t\xffwo\n")
    with pytest.raises(DataError, match=rf"x\.txt\{suffix}:100001: byte 400002 of the input is not utf-8"):
        list(decoding.file_lines(path))
    path = write(tmp_path / f"y.txt{suffix}", "a/X\nb\n")
    with pytest.raises(DataError, match=rf"y\.txt\{suffix}:2: 'b' is not word/TAG"):
        loading.load([str(path)], ("native",))


@EACH
def test_a_compressed_text_is_tagged(run: Run, tiny_folder: Path, tmp_path: Path, suffix: str) -> None:
    write(tmp_path / f"x.txt{suffix}", "I eat apples .\n")
    write(tmp_path / f"x.conllu{suffix}", TREEBANK)
    tag = ("tag", "-m", tiny_folder)
    assert run(*tag, "-i", f"x.txt{suffix}").stdout == "I/PRON eat/VERB apples/NOUN ./PUNCT\n"
    assert run(*tag, "-i", f"x.conllu{suffix}").stdout == TREEBANK
    assert run("eval", "-m", tiny_folder, f"x.conllu{suffix}", "--json").returncode == 0


@EACH
@pytest.mark.parametrize("options", [[], ["--encoding", "latin-1"], ["--errors", "replace"]])
def test_compressed_data_without_the_name_is_named(
    run: Run, tiny_folder: Path, tmp_path: Path, suffix: str, options: list[str]
) -> None:
    raw = PACK[suffix](b"I eat apples .\n")
    done = run("tag", "-m", tiny_folder, *options, stdin=raw)
    program = {".gz": "gzip", ".xz": "xz", ".bz2": "bzip2", ".zst": "zstd"}[suffix]
    assert done.returncode == 65
    assert f"<stdin>: is {program} data: decompress it with '{program} -dc'" in one_line(done.stderr)
    assert done.stdout == ""
    (tmp_path / "x.txt").write_bytes(raw)
    with pytest.raises(DataError, match=rf"x\.txt: is {program} data"):
        list(decoding.file_lines(tmp_path / "x.txt"))


@EACH
def test_compressed_data_is_named_however_it_arrives(suffix: str) -> None:
    raw = PACK[suffix](b"I eat apples .\n")
    for size in (1, 2, 3, 7):
        pieces = [raw[place : place + size] for place in range(0, len(raw), size)]
        with pytest.raises(DataError, match=r"x: is [a-z0-9]+ data"):
            list(decoding.text_blocks(pieces, "x"))


def test_where_a_module_is_missing_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "x.txt.zst"
    path.write_bytes(b"")
    for name in ("backports.zstd", "compression.zstd"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(NotFoundError, match=r'x\.txt\.zst: \.zst files need .*: pip install "rnntag\[zstd\]"'):
        decoding.check_readable(path)


def test_nothing_is_loaded_that_no_file_needs() -> None:
    code = "import sys, rnntag.formats.decoding\nprint(*sys.modules)"  # Typer loads what loads lzma and bz2
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not set(done.stdout.split()) & {"gzip", "lzma", "bz2", "backports.zstd", "compression.zstd"}


@pytest.mark.skipif(importlib.util.find_spec("resource") is None, reason="needs resource")
def test_a_decompression_bomb_takes_no_memory(tiny_folder: Path, tmp_path: Path) -> None:
    """64 MiB of one line from 64 kB: the most memory is that of a text of some kB, and a few MiB."""
    most = []
    for name, size in (("small", 1 << 10), ("bomb", 1 << 26)):
        packed = io.BytesIO()
        with gzip.GzipFile(fileobj=packed, mode="wb") as file:
            for _ in range(size >> 10):
                file.write(b" " * 1024)
        (tmp_path / f"{name}.txt.gz").write_bytes(packed.getvalue())
        code = (
            "import resource, sys\nfrom rnntag.cli.app import app\n"
            "try:\n    app(sys.argv[1:])\nexcept SystemExit as end:\n    assert not end.code\n"
            "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)"
        )
        call = [sys.executable, "-c", code, "tag", "-m", str(tiny_folder), "-i", str(tmp_path / f"{name}.txt.gz")]
        done = subprocess.run(call, capture_output=True, text=True, check=True)
        most.append(int(done.stderr))
    assert most[1] - most[0] < 16 << 10
