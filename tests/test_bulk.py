"""Shards of large collections: each row is read once, and each output is complete or not there."""

from __future__ import annotations

import gzip
import json
import lzma
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnntag.errors import AccessError, DataError, NotFoundError, UsageError
from tests.conftest import ROOT

pa = pytest.importorskip("pyarrow")

from pyarrow import fs, parquet

from rnntag.bulk import manifest as manifests
from rnntag.bulk import reading, shards, writing
from rnntag.bulk.job import Figures, ShardTagger
from rnntag.bulk.manifest import Manifest
from rnntag.cli import bulk
from rnntag.integrations.arrow import TagBatches

DOCUMENTS = ["I can't swim.", "", "我吃苹果。", "the can"]


@pytest.fixture(scope="module")
def tag() -> TagBatches:
    return TagBatches(str(ROOT / "models" / "zh-en-fast"))


@pytest.fixture
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "SHARD_BYTES", 40)


def find(*inputs: Path | str) -> list[shards.Shard]:
    return shards.find([shards.absolute(str(each)) for each in inputs])


def names(*inputs: Path | str) -> list[str]:
    return [shard.name for shard in find(*inputs)]


def read(parts: Sequence[shards.Shard]) -> list[dict[str, Any]]:
    return [row for shard in parts for batch in reading.batches(shard) for row in batch.to_pylist()]


def write_rows(path: Path, *rows: object) -> Path:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


# Shards


@pytest.mark.parametrize("pack", [None, gzip.compress, lzma.compress])
@pytest.mark.parametrize("suffix", ["txt", "jsonl"])
def test_the_lines_of_texts_are_rows(
    tmp_path: Path, small_shards: None, suffix: str, pack: Callable[[bytes], bytes] | None
) -> None:
    lines = DOCUMENTS if suffix == "txt" else [json.dumps({"text": text, "n": 1}) for text in DOCUMENTS]
    content = "\n".join(lines).encode()
    name = f"a.b.{suffix}" + {None: "", gzip.compress: ".gz", lzma.compress: ".xz"}[pack]
    (tmp_path / name).write_bytes(pack(content) if pack else content)
    parts = find(tmp_path)
    assert (len(parts) > 1) == (pack is None and len(content) > 60)
    assert [row["text"] for row in read(parts)] == DOCUMENTS
    assert names(tmp_path) == (["a.b"] if len(parts) == 1 else [f"a.b-{n:05d}" for n in range(len(parts))])


@given(lines=st.lists(st.text("a我\r.", max_size=9), max_size=20), size=st.integers(1, 60), ends=st.booleans())
def test_each_line_is_in_one_part(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], size: int, ends: bool
) -> None:
    path = tmp_path_factory.mktemp("lines") / "a.txt"
    content = "\n".join(lines) + "\n" * ends
    path.write_bytes(content.encode())
    before, shards.SHARD_BYTES = shards.SHARD_BYTES, size
    try:
        rows = [row["text"] for row in read(find(path))]
    finally:
        shards.SHARD_BYTES = before
    expected = content.split("\n")
    assert rows == [line.rstrip("\r") for line in (expected[:-1] if expected[-1] == "" else expected)]


def test_row_groups_of_parquet_are_parts(tmp_path: Path, small_shards: None) -> None:
    table = pa.table({"id": range(40), "text": DOCUMENTS * 10})
    parquet.write_table(table, tmp_path / "a.parquet", row_group_size=7)
    parts = find(tmp_path / "a.parquet")
    assert len(parts) == 6
    assert read(parts) == table.to_pylist()


def test_folders_are_walked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("b/c.txt", "a #1?.txt", "_x/a.txt", ".a.txt", "readme.md", "crawl.2024-01.txt", "crawl.2024-02.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("a")
    everything = ["a #1?", "b/c", "crawl.2024-01", "crawl.2024-02"]
    assert names(tmp_path) == names(f"{tmp_path}/") == names(tmp_path.as_uri()) == everything
    assert names(tmp_path, tmp_path / "b") == [*everything, "c"]
    assert names(tmp_path / "b" / "c.txt", tmp_path / "b" / ".." / "b" / "c.txt") == ["c"]
    monkeypatch.chdir(tmp_path)
    assert names("b/c.txt") == ["c"]
    assert len(read(find(tmp_path.as_uri()))) == 4


def test_inputs_that_cannot_be_are_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no such file"):
        find(tmp_path / "none")
    with pytest.raises(NotFoundError, match="has no file whose name ends in"):
        find(tmp_path)
    for name in ("a.txt", "a.jsonl", "a.md"):
        (tmp_path / name).write_text("")
    with pytest.raises(UsageError, match="would have the same output, a"):
        find(tmp_path)
    with pytest.raises(UsageError, match=r"must end in .*, optionally followed by a compression suffix"):
        find(tmp_path / "a.md")
    with pytest.raises(UsageError, match="nosuch://x"):
        find("nosuch://x")


# Rows


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, 2], [1, 2]),
        ([1, None, 1.5], [1.0, None, 1.5]),
        (["2024-01-01", "unknown"], ["2024-01-01", "unknown"]),
        ([1, "x", None, ["y"]], ["1", "x", None, '["y"]']),
        ([12345678901234567890], ["12345678901234567890"]),
        ([{}, {}], ["{}", "{}"]),
        ([None, None], [None, None]),
        ([{"a": 1}, {"b": "x"}], [{"a": 1, "b": None}, {"a": None, "b": "x"}]),
    ],
)
def test_fields_of_json_keep_their_values(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, values: list[Any], expected: list[Any]
) -> None:
    monkeypatch.setattr(reading, "ROWS", 1)
    write_rows(tmp_path / "a.jsonl", *({"text": "a", "n": value} for value in values), {"text": "b"})
    rows = read(find(tmp_path))
    assert [row["n"] for row in rows] == [*expected, None]
    assert [row["text"] for row in rows] == ["a"] * len(values) + ["b"]


def test_sentences_of_conllu_are_rows(tmp_path: Path) -> None:
    words = "\n".join(f"{n}\t{word}" + "\t_" * 8 for n, word in enumerate(("I", "swim"), 1))
    (tmp_path / "a.conllu").write_text(f"# sent_id = s-1\n{words}\n\n{words}\n\n")
    (tmp_path / "b.conllup").write_text("# global.columns = ID UPOS FORM\n1\t_\tI\n2\t_\tswim\n\n")
    assert [row["tokens"] for row in read(find(tmp_path))] == [["I", "swim"]] * 3
    assert [row["sent_id"] for row in read(find(tmp_path))] == ["s-1", None, None]


def test_files_without_rows_have_a_schema(tmp_path: Path) -> None:
    for name in ("a.txt", "b.jsonl", "c.conllu"):
        (tmp_path / name).write_text("")
    parquet.write_table(pa.table({"text": pa.array([], pa.string())}), tmp_path / "d.parquet")
    schemas = [next(reading.batches(shard)).schema.names for shard in find(tmp_path)]
    assert schemas == [["text"], [], ["sent_id", "tokens"], ["text"]]
    assert not read(find(tmp_path))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.parquet", b"PAR1", "cannot be read as parquet"),
        ("a.jsonl", b'{"text": "a"}\n{"text', "the line at byte 14 is not JSON"),
        ("a.jsonl", b"[]", "the line at byte 0 is not a JSON object"),
        ("a.txt.gz", b"not gzip", "cannot be read as text"),
        ("a.txt.xz", b"not xz", "cannot be read as text"),
        ("a.conllu", b"1\ta", "conllu:1"),
    ],
)
def test_bad_files_are_named(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        read(find(tmp_path / name))


# Output


@pytest.mark.parametrize("kind", ["parquet", "jsonl"])
def test_a_shard_is_written_as_it_was_read_with_tags(
    tmp_path: Path, tag: TagBatches, kind: writing.OutputFormat
) -> None:
    source = tmp_path / "in"
    source.mkdir()
    (source / "a.txt").write_bytes(b"\xef\xbb\xbf" + "\n".join([*DOCUMENTS, "x"] * 100).encode() + b"\n\xff bad")
    (shard,) = find(source)
    out = tmp_path / "out"
    assert ShardTagger(tag, str(out), kind)(shard) == Figures(rows=501, failed=1, tokens=1200)
    expected = tag(pa.record_batch({"text": [*DOCUMENTS, "x"] * 100})).to_pylist()
    if kind == "parquet":
        rows = parquet.read_table(out / "a.parquet").to_pylist()
        assert parquet.ParquetFile(out / "a.parquet").num_row_groups == 1
    else:
        rows = [json.loads(line) for line in (out / "a.jsonl").open(encoding="utf-8")]
    assert rows[:-1] == expected
    assert rows[-1]["text"] == "\ufffd bad"
    assert "utf-8" in rows[-1]["error"]
    assert not [*(out / writing.UNFINISHED).iterdir()]


def test_numbers_that_json_lacks_become_null(tmp_path: Path, tag: TagBatches) -> None:
    table = pa.table({"text": ["a"], "x": [float("nan")], "y": [[1.0, float("inf")]]})
    parquet.write_table(table, tmp_path / "a.parquet")
    ShardTagger(tag, str(tmp_path / "out"), "jsonl")(find(tmp_path / "a.parquet")[0])
    row = json.loads((tmp_path / "out" / "a.jsonl").read_text())
    assert (row["x"], row["y"]) == (None, [1.0, None])


def test_a_file_without_rows_has_an_output(tmp_path: Path, tag: TagBatches) -> None:
    for name in ("a.txt", "b.jsonl"):
        (tmp_path / name).write_text("")
        for kind in ("parquet", "jsonl"):
            assert ShardTagger(tag, str(tmp_path / "out"), kind)(find(tmp_path / name)[0]) == Figures()
    for name in "ab":
        written = parquet.read_table(tmp_path / "out" / f"{name}.parquet")
        assert written.schema == tag.schema(pa.schema({"text": pa.string()}))
    assert (tmp_path / "out" / "a.jsonl").read_text() == ""


def test_a_shard_that_fails_leaves_the_old_output(tmp_path: Path, tag: TagBatches) -> None:
    path = write_rows(tmp_path / "a.jsonl", {"text": "a"})
    tagger = ShardTagger(tag, str(tmp_path / "out"), "jsonl")
    tagger(find(path)[0])
    before = (tmp_path / "out" / "a.jsonl").read_bytes()
    write_rows(path, {"body": "a"})
    for work in (tagger, tagger.check):
        with pytest.raises(UsageError, match=r"a\.jsonl: no column 'text' \(columns: 'body'\)"):
            work(find(path)[0])
    assert (tmp_path / "out" / "a.jsonl").read_bytes() == before
    write_rows(path, {"text": "a"})
    (tmp_path / "file").write_text("")
    with pytest.raises(AccessError, match="cannot be written"):
        ShardTagger(tag, str(tmp_path / "file"), "jsonl")(find(path)[0])


# What is finished


def opened(out: Path, tag: TagBatches, **settings: object) -> Manifest:
    return Manifest.open(str(out), "jsonl", {**tag.settings, **settings})


def test_a_manifest_knows_what_is_finished(tmp_path: Path, tag: TagBatches) -> None:
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    for name in ("a.txt", "b.txt"):
        (source / name).write_text("a")
    parts = find(source)
    manifest = opened(out, tag)
    assert manifest.missing(parts) == parts
    for shard in parts:
        manifest.add(shard, ShardTagger(tag, str(out), "jsonl")(shard))
    manifest.save()
    again = opened(out, tag)
    assert again.finished["a"].figures == Figures(1, 0, 1)
    assert again.missing(parts) == []
    (out / "b.jsonl").unlink()
    assert [shard.name for shard in again.missing(parts)] == ["b"]
    (source / "a.txt").write_text("other")
    assert [shard.name for shard in again.missing(find(source))] == ["a", "b"]


def test_output_of_parts_that_are_gone_is_deleted(
    tmp_path: Path, tag: TagBatches, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, out = tmp_path / "a.txt", tmp_path / "out"
    path.write_text("a\nb\n")
    manifest = opened(out, tag)
    manifest.add(find(path)[0], ShardTagger(tag, str(out), "jsonl")(find(path)[0]))
    monkeypatch.setattr(shards, "SHARD_BYTES", 2)
    assert [shard.name for shard in manifest.missing(find(path))] == ["a-00000", "a-00001"]
    assert not (out / "a.jsonl").exists()
    assert not manifest.finished


def test_other_output_is_not_touched(tmp_path: Path, tag: TagBatches) -> None:
    out = tmp_path / "out"
    for folder in ("jan", "feb"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.txt").write_text("a")
    manifest = opened(out, tag)
    manifest.add(find(tmp_path / "jan")[0], Figures())
    with pytest.raises(UsageError, match=r"has the output of .*jan/a\.txt as a: use another directory"):
        manifest.missing(find(tmp_path / "feb"))
    with pytest.raises(UsageError, match=r"was written with other settings \(confidence\)"):
        opened(out, tag, confidence=True)
    for content in ("{}", "[]", "x"):
        (out / manifests.NAME).write_text(content)
        with pytest.raises(DataError, match="is damaged"):
            opened(out, tag)
    (out / manifests.NAME).unlink()
    (out / "precious.jsonl").write_text("")
    with pytest.raises(UsageError, match="is not empty and was not written by rnntag bulk"):
        opened(out, tag)
    with pytest.raises(UsageError, match="is a file"):
        opened(out / "precious.jsonl", tag)


def test_a_store_that_cannot_move_over_files_is_used_all_the_same(tmp_path: Path) -> None:
    class Stubborn(fs.LocalFileSystem):
        def move(self, source: str, target: str) -> None:
            raise pa.ArrowNotImplementedError("no")

    for name in ("a", "b"):
        (tmp_path / name).write_text(name)
    writing.replace(Stubborn(), str(tmp_path / "a"), str(tmp_path / "b"))
    assert (os.listdir(tmp_path), (tmp_path / "b").read_text()) == (["b"], "a")


def test_rows_that_failed_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    for figures, told in (
        (Figures(10, 2, 5), "tagged 8 of 10 rows (2 failed): 5"),
        (Figures(3, 0, 5), "tagged 3 rows: 5"),
    ):
        watch = bulk._Watch(1, 1)
        watch.add(figures)
        watch.report()
        assert capsys.readouterr().err.startswith(f"{told} tokens, ")
