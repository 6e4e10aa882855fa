"""Output files, complete or not there at all."""

from __future__ import annotations

import json
import math
import uuid
from collections.abc import Iterable
from typing import Any, Literal

import pyarrow as pa
from pyarrow import fs, parquet

from rnntag.bulk.shards import filesystem

OutputFormat = Literal["parquet", "jsonl"]

UNFINISHED = "_unfinished"
"""The directory of files that are being written, in that of the output. Engines pass over names with an underscore."""

ROW_GROUP_BYTES = 32 << 20
"""Of a Parquet file, in memory."""


def path_of(root: str, name: str, kind: OutputFormat) -> str:
    return f"{root}/{name}.{kind}"


def write(batches: Iterable[pa.RecordBatch], directory: str, name: str, kind: OutputFormat) -> None:
    """Write batches of one schema, at least one, to a file, replacing it. The file appears once it is complete.

    Args:
        directory: absolute path or URI.
        name: of the file in it, without the suffix.

    Raises:
        OSError, pa.ArrowException: it cannot be written.
    """
    system, root = filesystem(directory)
    path = path_of(root, name, kind)
    unfinished = f"{root}/{UNFINISHED}/{uuid.uuid4().hex}"
    for new in (path, unfinished):
        system.create_dir(new.rpartition("/")[0], recursive=True)
    try:
        (_write_parquet if kind == "parquet" else _write_json)(batches, system, unfinished)
        replace(system, unfinished, path)
    except BaseException:
        if system.get_file_info(unfinished).type == fs.FileType.File:
            system.delete_file(unfinished)
        raise


def replace(system: fs.FileSystem, source: str, target: str) -> None:
    """Move a file over another one, which may exist."""
    try:
        system.move(source, target)
    except (OSError, pa.ArrowNotImplementedError):  # some stores cannot move, or not over a file
        system.copy_file(source, target)
        system.delete_file(source)


def _write_parquet(batches: Iterable[pa.RecordBatch], system: fs.FileSystem, path: str) -> None:
    waiting: list[pa.RecordBatch] = []
    size = 0
    writer: Any = None
    try:
        for batch in batches:
            writer = writer or parquet.ParquetWriter(path, batch.schema, filesystem=system, compression="zstd")
            waiting.append(batch)
            size += batch.nbytes
            if size >= ROW_GROUP_BYTES:
                writer.write_table(pa.Table.from_batches(waiting))
                waiting, size = [], 0
        if waiting:
            writer.write_table(pa.Table.from_batches(waiting))
    finally:
        if writer:
            writer.close()


def _write_json(batches: Iterable[pa.RecordBatch], system: fs.FileSystem, path: str) -> None:
    with system.open_output_stream(path, compression=None) as stream:
        for batch in batches:
            rows = (json.dumps(_finite(row), ensure_ascii=False, default=str) for row in batch.to_pylist())
            stream.write("".join(f"{row}\n" for row in rows).encode("utf-8", "surrogatepass"))


def _finite(value: Any) -> Any:
    """The value with null for NaN and infinity, which JSON lacks."""
    if isinstance(value, dict):
        return {name: _finite(own) for name, own in value.items()}
    if isinstance(value, list):
        return [_finite(own) for own in value] if value and not isinstance(value[0], (str, int)) else value
    return None if isinstance(value, float) and not math.isfinite(value) else value


def discard_unfinished(directory: str) -> None:
    """Remove what a job that was killed has left."""
    system, root = filesystem(directory)
    if system.get_file_info(f"{root}/{UNFINISHED}").type == fs.FileType.Directory:
        system.delete_dir(f"{root}/{UNFINISHED}")
