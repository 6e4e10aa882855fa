"""Shards of large collections: each row is read once, and each output is whole or not there."""

from __future__ import annotations

import gzip
import json
import lzma
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnntag.errors import AccessError, DataError, NotFoundError, RnntagError, UsageError
from tests.conftest import ROOT

pa = pytest.importorskip("pyarrow")

from pyarrow import parquet

from rnntag.bulk import reading, shards, writing
from rnntag.bulk.job import MANIFEST, Figures, Job, Manifest
from rnntag.integrations.arrow import TagBatches

DOCUMENTS = ["I can't swim.", "", "我吃苹果。", "the can"]


@pytest.fixture(scope="module")
def tag() -> TagBatches:
    return TagBatches(str(ROOT / "models" / "zh-en-fast"))


def read(found: Sequence[shards.Shard]) -> list[dict[str, Any]]:
    return [row for shard in found for batch in reading.batches(shard) for row in batch.to_pylist()]


@pytest.fixture
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "SHARD_BYTES", 40)


@pytest.mark.parametrize("pack", [None, gzip.compress, lzma.compress])
@pytest.mark.parametrize("suffix", ["txt", "jsonl"])
def test_the_lines_of_texts_are_rows(tmp_path: Path, small_shards: None, suffix: str, pack: Any) -> None:
    lines = DOCUMENTS if suffix == "txt" else [json.dumps({"text": text, "n": 1}) for text in DOCUMENTS]
    content = "\n".join(lines).encode()
    name = f"a.{suffix}" + {None: "", gzip.compress: ".gz", lzma.compress: ".xz"}[pack]
    (tmp_path / name).write_bytes(pack(content) if pack else content)
    found = shards.find([str(tmp_path)])
    assert (len(found) > 1) == (pack is None and len(content) > 60)
    assert [row["text"] for row in read(found)] == DOCUMENTS
    assert [shard.name for shard in found] == (["a"] if len(found) == 1 else [f"a-{n:05d}" for n in range(len(found))])


@given(
    lines=st.lists(st.text(st.sampled_from("a我\r."), max_size=9), max_size=20),
    size=st.integers(1, 60),
    ends=st.booleans(),
)
def test_each_line_is_in_one_part(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], size: int, ends: bool
) -> None:
    path = tmp_path_factory.mktemp("lines") / "a.txt"
    content = "\n".join(lines) + "\n" * ends
    path.write_bytes(content.encode())
    before, shards.SHARD_BYTES = shards.SHARD_BYTES, size
    try:
        rows = [row["text"] for row in read(shards.find([str(path)]))]
    finally:
        shards.SHARD_BYTES = before
    expected = content.split("\n")
    assert rows == [line.rstrip("\r") for line in (expected[:-1] if expected[-1] == "" else expected)]


def test_row_groups_of_parquet_are_parts(tmp_path: Path, small_shards: None) -> None:
    table = pa.table({"id": range(40), "text": DOCUMENTS * 10})
    parquet.write_table(table, tmp_path / "a.parquet", row_group_size=7)
    found = shards.find([str(tmp_path / "a.parquet")])
    assert len(found) == 6
    assert read(found) == table.to_pylist()


def test_fields_of_json_may_be_missing_or_change_from_whole_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "BLOCK", 1)
    rows = [{"text": "a"}, {"text": None, "n": None}, {"text": "b", "n": 1}, {"n": 1.5, "of": {"x": ["y"]}}]
    (tmp_path / "a.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    assert read(shards.find([str(tmp_path)])) == [{"text": None, "n": None, "of": None} | row for row in rows]


def test_sentences_of_conllu_are_rows(tmp_path: Path) -> None:
    words = "\n".join(f"{n}\t{word}" + "\t_" * 8 for n, word in enumerate(("I", "swim"), 1))
    (tmp_path / "a.conllu").write_text(f"# sent_id = s-1\n{words}\n\n{words}\n\n")
    assert read(shards.find([str(tmp_path)])) == [
        {"sent_id": "s-1", "tokens": ["I", "swim"]}, {"sent_id": None, "tokens": ["I", "swim"]}
    ]  # fmt: skip


def test_folders_are_walked(tmp_path: Path) -> None:
    for name in ("b/c.txt", "a.txt", "_x/a.txt", ".a.txt", "readme.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("a")
    assert [shard.name for shard in shards.find([str(tmp_path)])] == ["a", "b/c"]
    assert [shard.name for shard in shards.find([tmp_path.as_uri()])] == ["a", "b/c"]


@pytest.mark.parametrize(
    ("name", "content", "kind", "message"),
    [
        ("a.md", "", UsageError, "must end in"),
        ("a.parquet", "PAR1", DataError, "is not a Parquet file"),
        ("a.jsonl", '{"text": "a"}\n{"text', DataError, "cannot be read as jsonl"),
        ("a.txt.gz", "not gzip", DataError, "cannot be read as text"),
        ("a.conllu", "1\ta", DataError, "a.conllu:1"),
    ],
)
def test_bad_files_are_named(tmp_path: Path, name: str, content: str, kind: type[RnntagError], message: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(kind, match=message):
        read(shards.find([str(tmp_path / name)]))


def test_inputs_that_cannot_be_are_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no such file"):
        shards.find([str(tmp_path / "none")])
    with pytest.raises(NotFoundError, match="has no file whose name ends in"):
        shards.find([str(tmp_path)])
    for name in ("a.txt", "a.jsonl"):
        (tmp_path / name).write_text("")
    with pytest.raises(UsageError, match="would have the same output"):
        shards.find([str(tmp_path)])
    with pytest.raises(UsageError, match="nosuch://x"):
        shards.find(["nosuch://x"])


@pytest.mark.parametrize("kind", ["parquet", "jsonl"])
def test_a_job_writes_what_was_read_with_tags(tmp_path: Path, tag: TagBatches, kind: writing.OutputFormat) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").write_text("\n".join(DOCUMENTS), encoding="utf-8")
    (shard,) = shards.find([str(tmp_path / "in")])
    out = tmp_path / "out"
    assert Job(tag, str(out), kind)(shard) == Figures(rows=4, failed=0, tokens=11)
    expected = tag(pa.record_batch({"text": DOCUMENTS})).to_pylist()
    if kind == "parquet":
        assert parquet.read_table(out / "a.parquet").to_pylist() == expected
    else:
        assert [json.loads(line) for line in (out / "a.jsonl").open(encoding="utf-8")] == expected
    assert not [*(out / writing.UNFINISHED).iterdir()]


def test_a_file_without_rows_has_an_output(tmp_path: Path, tag: TagBatches) -> None:
    (tmp_path / "a.txt").write_text("")
    (shard,) = shards.find([str(tmp_path / "a.txt")])
    for kind in ("parquet", "jsonl"):
        assert Job(tag, str(tmp_path / "out"), kind)(shard) == Figures()
        assert (tmp_path / "out" / f"a.{kind}").exists()


def test_a_job_that_fails_leaves_the_old_output(tmp_path: Path, tag: TagBatches) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "a"}\n')
    job = Job(tag, str(tmp_path / "out"), "jsonl")
    (shard,) = shards.find([str(tmp_path / "a.jsonl")])
    job(shard)
    before = (tmp_path / "out" / "a.jsonl").read_bytes()
    (tmp_path / "a.jsonl").write_text('{"body": "a"}\n')
    (shard,) = shards.find([str(tmp_path / "a.jsonl")])
    with pytest.raises(UsageError, match=r"a\.jsonl: there is no column 'text', only 'body'"):
        job(shard)
    assert (tmp_path / "out" / "a.jsonl").read_bytes() == before
    (tmp_path / "file").write_text("")
    with pytest.raises(AccessError, match="cannot be written"):
        Job(tag, str(tmp_path / "file"), "jsonl")(shard)


def test_a_manifest_knows_what_is_finished(tmp_path: Path, tag: TagBatches) -> None:
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text("a")
    found = shards.find([str(tmp_path)])
    out = str(tmp_path / "out")
    manifest = Manifest.open(out, tag.settings)
    assert manifest.missing(found) == found
    manifest.add(found[0], Figures(1, 0, 1))
    manifest.save()
    again = Manifest.open(out, tag.settings)
    assert again.finished == {"a": (found[0].version, Figures(1, 0, 1))}
    assert again.missing(found) == found[1:]
    (tmp_path / "a.txt").write_text("other")
    assert [shard.name for shard in again.missing(shards.find([str(tmp_path / "a.txt")]))] == ["a"]
    with pytest.raises(UsageError, match=r"has the output of another job \(confidence changed\)"):
        Manifest.open(out, {**tag.settings, "confidence": True})
    (tmp_path / "out" / MANIFEST).write_text("{}")
    with pytest.raises(DataError, match="is damaged"):
        Manifest.open(out, tag.settings)
