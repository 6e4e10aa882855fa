"""Tagging a shard."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from rnntag.bulk import reading, writing
from rnntag.bulk.shards import Shard
from rnntag.bulk.writing import OutputFormat
from rnntag.errors import AccessError, DataError, UsageError
from rnntag.integrations.arrow import TagBatches


@dataclass(frozen=True, slots=True)
class Figures:
    """Of some shards.

    Attributes:
        rows: all rows.
        failed: those that could not be tagged.
        tokens: of the others.
    """

    rows: int = 0
    failed: int = 0
    tokens: int = 0

    def __add__(self, other: Figures) -> Figures:
        return Figures(self.rows + other.rows, self.failed + other.failed, self.tokens + other.tokens)


@dataclass(frozen=True, slots=True)
class ShardTagger:
    """Tags shards, in any process. Cheap to pickle.

    Attributes:
        output: the directory of the output, an absolute path or a URI.
    """

    tag: TagBatches
    output: str
    kind: OutputFormat

    def check(self, shard: Shard) -> None:
        """Make sure that a shard has the column to tag, and none that would be added.

        Raises:
            UsageError: it has not; see `TagBatches.schema`.
            DataError, AccessError: see `reading.batches`.
        """
        self._tagged(shard, next(reading.batches(shard)).slice(0, 0))

    def __call__(self, shard: Shard) -> Figures:
        """Tag a shard and write its output.

        Raises:
            UsageError, DataError, AccessError: see `check`.
            AccessError: the output cannot be written.
        """
        figures = Figures()

        def tagged() -> Iterator[pa.RecordBatch]:
            nonlocal figures
            for batch in reading.batches(shard):
                done = self._tagged(shard, batch)
                errors = done.column("error")
                if shard.format == "text" and errors.null_count < len(errors):
                    done = done.set_column(0, reading.TEXT, _valid(done.column(0)))
                tokens = pc.sum(pc.list_value_length(done.column(self.tag.tagsets[0]))).as_py() or 0
                figures += Figures(len(done), len(done) - errors.null_count, tokens)
                yield done

        try:
            writing.write(tagged(), self.output, shard.name, self.kind)
        except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
            kind = AccessError if isinstance(error, OSError) else DataError
            raise kind(f"{self.output}: {shard.name}.{self.kind} cannot be written: {error}") from error
        return figures

    def _tagged(self, shard: Shard, batch: pa.RecordBatch) -> pa.RecordBatch:
        if not batch.num_columns:
            batch = pa.RecordBatch.from_pylist([], self.tag.input_schema)
        try:
            return self.tag(batch)
        except UsageError as error:
            raise UsageError(f"{shard.path}: {error}") from error


def _valid(column: pa.Array) -> pa.Array:
    """A column of text with the replacement character for bytes that are not UTF-8."""
    values = column.view(pa.binary()).to_pylist()
    return pa.array([None if value is None else value.decode("utf-8", "replace") for value in values], pa.string())
