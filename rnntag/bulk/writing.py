"""Output files, whole or not there at all."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from typing import Literal

import pyarrow as pa
from pyarrow import fs, parquet

from rnntag.bulk.shards import filesystem

OutputFormat = Literal["parquet", "jsonl"]

UNFINISHED = "_unfinished"
"""The directory of files that are being written, in that of the output. Engines pass over names with an underscore."""


def write(batches: Iterable[pa.RecordBatch], directory: str, name: str, kind: OutputFormat) -> None:
    """Write batches of one schema to a file, replacing it.

    The file has its name only when it is whole.

    Args:
        directory: path or URI.
        name: of the file in it, without the suffix.

    Raises:
        OSError: it cannot be written.
    """
    system, root = filesystem(directory)
    path = f"{root}/{name}.{kind}"
    unfinished = f"{root}/{UNFINISHED}/{uuid.uuid4().hex}"
    for parent in (path, unfinished):
        system.create_dir(parent.rpartition("/")[0], recursive=True)
    try:
        (_write_parquet if kind == "parquet" else _write_json)(batches, system, unfinished)
        system.move(unfinished, path)
    except BaseException:
        if system.get_file_info(unfinished).type == fs.FileType.File:
            system.delete_file(unfinished)
        raise


def _write_parquet(batches: Iterable[pa.RecordBatch], system: fs.FileSystem, path: str) -> None:
    writer = None
    try:
        for batch in batches:
            writer = writer or parquet.ParquetWriter(path, batch.schema, filesystem=system, compression="zstd")
            writer.write_batch(batch)
        if not writer:
            parquet.write_table(pa.table({}), path, filesystem=system)
    finally:
        if writer:
            writer.close()


def _write_json(batches: Iterable[pa.RecordBatch], system: fs.FileSystem, path: str) -> None:
    with system.open_output_stream(path, compression=None) as stream:
        for batch in batches:
            rows = (json.dumps(row, ensure_ascii=False, default=str) for row in batch.to_pylist())
            stream.write("".join(f"{row}\n" for row in rows).encode("utf-8", "surrogatepass"))


def discard_unfinished(directory: str) -> None:
    """Remove what a job that was killed has left."""
    system, root = filesystem(directory)
    if system.get_file_info(f"{root}/{UNFINISHED}").type == fs.FileType.Directory:
        system.delete_dir(f"{root}/{UNFINISHED}")
