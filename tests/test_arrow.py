"""Arrow batches get columns of tokens and tags, row by row."""

from __future__ import annotations

import pickle
import subprocess
import sys
from itertools import chain
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rnntag
from rnntag.errors import UsageError
from tests.conftest import ROOT

pa = pytest.importorskip("pyarrow")

from rnntag.integrations import arrow
from rnntag.integrations.arrow import TagBatches

FAST = str(ROOT / "models" / "zh-en-fast")
TEXTS = ["I can't swim. 我吃苹果。", None, "", "Hello\n\nthere", " \n"]


@pytest.fixture(scope="module")
def tag() -> TagBatches:
    return TagBatches(FAST, confidence=True)


def test_a_text_gets_what_tag_text_finds(tag: TagBatches) -> None:
    tagger = rnntag.load(FAST)
    batch = pa.record_batch({"id": range(5), "text": TEXTS})
    tagged = tag(batch)
    assert tagged.schema == tag.schema(batch.schema)
    assert tagged.schema.names == ["id", "text", "tokens", "upos", "start", "end", "sentence", "confidence", "error"]
    assert tagged.schema.field("upos").type == pa.list_(pa.dictionary(pa.int32(), pa.string()))
    assert tagged.select(["id", "text"]).equals(batch)
    for row in tagged.to_pylist():
        sentences = tagger.tag_text(row["text"] or "")
        assert [*zip(row["tokens"], row["upos"], strict=True)] == [*chain.from_iterable(sentences)]
        assert row["sentence"] == [number for number, sentence in enumerate(sentences) for _ in sentence]
        assert [(row["text"] or "")[a:b] for a, b in zip(row["start"], row["end"], strict=True)] == row["tokens"]
        assert all(0 < probability <= 1 for probability in row["confidence"])
        assert row["error"] is None
    assert tagged.column("tokens").to_pylist()[1:3] == [[], []]


@pytest.mark.parametrize("kind", [pa.large_string(), pa.dictionary(pa.int8(), pa.string()), pa.string_view()])
def test_texts_of_other_types(tag: TagBatches, kind: pa.DataType) -> None:
    column = pa.array(["I swim.", None, "I swim."]).cast(kind)
    assert tag(pa.record_batch({"text": column})).column("tokens").to_pylist() == [
        ["I", "swim", "."],
        [],
        ["I", "swim", "."],
    ]


def test_lists_of_tokens() -> None:
    rows = [["I", "can", "swim"], None, [], ["the", "can"]]
    for kind in (pa.list_(pa.string()), pa.large_list(pa.large_string())):
        tagged = TagBatches(FAST, tokens_column="words")(pa.table({"words": pa.array(rows, kind)}))
        assert tagged.schema.names == ["words", "upos", "error"]
        assert tagged.column("upos").to_pylist() == [["PRON", "AUX", "VERB"], [], [], ["DET", "NOUN"]]


def test_a_table_keeps_its_rows_in_order(tag: TagBatches) -> None:
    table = pa.table({"text": pa.chunked_array([["I swim."], [], ["我吃苹果。", "No."]])}, metadata={"of": "x"})
    tagged = tag(table)
    assert tagged.column("tokens").to_pylist() == [["I", "swim", "."], ["我", "吃", "苹果", "。"], ["No", "."]]
    assert tagged.schema.metadata == table.schema.metadata
    empty = tag(table.slice(0, 0))
    assert empty.schema == tagged.schema
    assert not len(empty)


def test_a_row_that_cannot_be_tagged_does_not_cost_the_others(tag: TagBatches) -> None:
    broken = pa.StringArray.from_buffers(2, pa.py_buffer(b"\0\0\0\0\3\0\0\0\x0a\0\0\0"), pa.py_buffer(b"I\xffaI swim."))
    first, second = tag(pa.record_batch({"text": broken})).drop_columns("text").to_pylist()
    assert first["tokens"] is first["upos"] is first["start"] is first["confidence"] is None
    assert "utf-8" in first["error"]
    assert (second["tokens"], second["error"]) == (["I", "swim", "."], None)
    tagged = TagBatches(FAST, tokens_column="words")(pa.record_batch({"words": [["a", None], ["a", "dog"]]}))
    assert tagged.column("upos").to_pylist() == [None, ["DET", "NOUN"]]
    assert "a token must be str" in tagged.column("error")[0].as_py()


def test_bad_batches_are_refused(tag: TagBatches) -> None:
    for batch, message in (
        ({"body": ["a"]}, r"no column 'text' \(columns: 'body'\)"),
        ({"text": [1]}, "the column 'text' has the type int64: it must be text"),
        ({"text": ["a"], "upos": ["b"]}, "the column 'upos' already exists"),
    ):
        with pytest.raises(UsageError, match=message):
            tag(pa.record_batch(batch))
    with pytest.raises(UsageError, match="it must be lists of tokens"):
        TagBatches(FAST, tokens_column="text")(pa.record_batch({"text": ["a"]}))
    with pytest.raises(UsageError, match="a row is a text or a list of tokens"):
        TagBatches(FAST, text_column="text", tokens_column="tokens")
    with pytest.raises(UsageError, match="has no tagset 'ptb'"):
        TagBatches(FAST, tagset="ptb")


def test_without_dictionaries(tag: TagBatches) -> None:
    batch = pa.record_batch({"text": TEXTS})
    plain = TagBatches(FAST, dictionary=False)(batch)
    assert plain.schema.field("upos").type == pa.list_(pa.string())
    assert plain.column("upos").to_pylist() == tag(batch).column("upos").to_pylist()


@given(rows=st.lists(st.none() | st.text(st.sampled_from("aI 我吃.。\n"), max_size=12), max_size=8))
@settings(max_examples=30, deadline=None)
def test_how_rows_are_grouped_does_not_show(tag: TagBatches, rows: list[str | None]) -> None:
    batch = pa.record_batch({"text": pa.array(rows, pa.string())})
    whole = tag(batch)
    before, arrow.GROUP_SIZE = arrow.GROUP_SIZE, 5
    try:
        assert tag(batch).drop_columns("confidence").equals(whole.drop_columns("confidence"))
    finally:
        arrow.GROUP_SIZE = before


def test_a_pickle_is_small_and_loads_in_another_process(tmp_path: Path) -> None:
    pickled = pickle.dumps(TagBatches())
    assert len(pickled) < 10_000
    (tmp_path / "pickled").write_bytes(pickled)
    code = (
        "import pickle, pyarrow; tag = pickle.load(open('pickled', 'rb')); "
        "print(tag(pyarrow.table({'text': ['I swim.']}))['tokens'].to_pylist())"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "[['I', 'swim', '.']]\n"


def test_a_model_of_one_s_own_is_in_the_pickle_and_loaded_once(tmp_path: Path) -> None:
    own = TagBatches(FAST)
    again, twice = (pickle.loads(pickle.dumps(own)) for _ in range(2))
    assert again._tagger is twice._tagger
