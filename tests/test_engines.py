"""Other engines map the same object over their batches."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from typing import Any

import pytest

import rnntag
from tests.conftest import ROOT

pa = pytest.importorskip("pyarrow")

from rnntag.integrations.arrow import TagBatches

pytestmark = pytest.mark.slow

FAST = str(ROOT / "models" / "zh-en-fast")
TEXTS = [f"I can swim {number}. 我吃苹果。" for number in range(200)]


@pytest.fixture(scope="module")
def expected() -> list[tuple[list[str], list[str]]]:
    tagged = rnntag.load(FAST).tag_texts(TEXTS)
    rows = [[pair for sentence in sentences for pair in sentence] for sentences in tagged]
    return sorted(([token for token, _ in row], [tag for _, tag in row]) for row in rows)


def found(rows: list[Any]) -> list[tuple[list[str], list[str]]]:
    return sorted(([*row["tokens"]], [*row["upos"]]) for row in rows)


def test_spark(expected: object, monkeypatch: pytest.MonkeyPatch) -> None:
    if not shutil.which("java"):
        pytest.skip("Spark needs Java")
    sql = pytest.importorskip("pyspark.sql")
    from pyspark.sql.pandas.types import from_arrow_schema

    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    tag = TagBatches(FAST, dictionary=False)

    def tagged(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        return map(tag, batches)

    builder = sql.SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
    spark = (
        builder.config("spark.driver.bindAddress", "127.0.0.1").config("spark.driver.host", "127.0.0.1").getOrCreate()
    )
    try:
        frame = spark.createDataFrame([(text,) for text in TEXTS], "text string").repartition(2)
        schema = from_arrow_schema(tag.schema(pa.schema({"text": pa.string()})))
        assert found(frame.mapInArrow(tagged, schema).collect()) == expected
    finally:
        spark.stop()


def test_dask(expected: object) -> None:
    bag = pytest.importorskip("dask.bag")
    tag = TagBatches(FAST)
    tables = [pa.table({"text": TEXTS[:100]}), pa.table({"text": TEXTS[100:]})]
    tagged = bag.from_sequence(tables).map(tag).compute(scheduler="processes")
    assert found([row for table in tagged for row in table.to_pylist()]) == expected


def test_datasets(expected: object) -> None:
    datasets = pytest.importorskip("datasets")
    dataset = datasets.Dataset.from_dict({"text": TEXTS}).with_format("arrow")
    tagged = dataset.map(TagBatches(FAST, dictionary=False), batched=True, batch_size=64, num_proc=2)
    assert found(tagged.with_format(None).to_list()) == expected
