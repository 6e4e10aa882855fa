"""The rows of a shard, as record batches."""

from __future__ import annotations

import io
import lzma
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import IO

import pyarrow as pa
from pyarrow import json, parquet

from rnntag.bulk.shards import Shard, filesystem, is_compressed
from rnntag.errors import AccessError, DataError
from rnntag.formats import conllu
from rnntag.formats.conllu_sentence import FORM

ROWS = 256
"""Of a batch: documents may be long, and a worker has a few batches in memory."""
BLOCK = 1 << 20
"""About so many bytes of JSON lines become a batch."""

TEXT, TOKENS = "text", "tokens"
"""The columns that are read from text and from CoNLL-U."""


def batches(shard: Shard) -> Iterator[pa.RecordBatch]:
    """The rows of a shard. All batches have the same schema.

    They are the rows of a Parquet file, the objects of JSON lines, the lines of a text in a column `text`, or the
    sentences of a CoNLL-U file in the columns `sent_id` and `tokens`.

    Raises:
        DataError: the file is damaged, or not in its format.
        AccessError: it cannot be read.
    """
    try:
        yield from {"parquet": _parquet, "jsonl": _json, "text": _texts, "conllu": _sentences}[shard.format](shard)
    except (pa.ArrowInvalid, pa.ArrowTypeError, lzma.LZMAError, EOFError, UnicodeDecodeError) as error:
        raise DataError(f"{shard.uri}: cannot be read as {shard.format}: {error}") from error
    except OSError as error:
        if error.errno is None:  # Arrow's, of compressed data that is damaged
            raise DataError(f"{shard.uri}: cannot be read as {shard.format}: {error}") from error
        raise AccessError(f"{shard.uri}: cannot be read: {error}") from error


def _parquet(shard: Shard) -> Iterator[pa.RecordBatch]:
    system, path = filesystem(shard.uri)
    with parquet.ParquetFile(path, filesystem=system) as file:
        yield from file.iter_batches(ROWS, row_groups=range(shard.begin, shard.end))


def _json(shard: Shard) -> Iterator[pa.RecordBatch]:
    """First the types of all fields are found, so that a field may be missing or null in some batches."""
    schema = pa.unify_schemas([block.schema for block in map(_parsed, _blocks(shard))], promote_options="permissive")
    options = json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="error")
    for block in _blocks(shard):
        yield from _parsed(block, options).to_batches()


def _parsed(block: bytes, options: json.ParseOptions | None = None) -> pa.Table:
    return json.read_json(io.BytesIO(block), json.ReadOptions(use_threads=False, block_size=len(block) + 1), options)


def _blocks(shard: Shard) -> Iterator[bytes]:
    """Whole lines, about `BLOCK` bytes at once."""
    block: list[bytes] = []
    size = 0
    for line in _lines(shard):
        if line.strip():
            block.append(line)
            size += len(line)
        if size >= BLOCK:
            yield b"".join(block)
            block, size = [], 0
    if block:
        yield b"".join(block)


def _texts(shard: Shard) -> Iterator[pa.RecordBatch]:
    lines = (line.decode().rstrip("\r\n") for line in _lines(shard))
    while texts := [*islice(lines, ROWS)]:
        yield pa.record_batch({TEXT: pa.array(texts, pa.string())})


def _sentences(shard: Shard) -> Iterator[pa.RecordBatch]:
    sentences = conllu.read((line.decode() for line in _lines(shard)), shard.uri)
    while some := [*islice(sentences, ROWS)]:
        identifiers = [_identifier(sentence.lines) for sentence in some]
        tokens = [sentence.column(FORM) for sentence in some]
        yield pa.record_batch(
            {"sent_id": pa.array(identifiers, pa.string()), TOKENS: pa.array(tokens, pa.list_(pa.string()))}
        )


def _identifier(lines: Iterable[str]) -> str | None:
    comments = (line.partition("=") for line in lines if line.startswith("#"))
    return next((value.strip() for name, _, value in comments if name[1:].strip() == "sent_id"), None)


def _lines(shard: Shard) -> Iterator[bytes]:
    """The lines of a file that begin in the part."""
    system, path = filesystem(shard.uri)
    if is_compressed(shard.uri):
        with _decompressed(system.open_input_stream(path, compression=None), path) as stream:
            yield from stream
        return
    with io.BufferedReader(system.open_input_file(path), BLOCK) as file:
        at = shard.begin
        if at:
            file.seek(at - 1)
            at += len(file.readline()) - 1
        while at < shard.end and (line := file.readline()):
            at += len(line)
            yield line


def _decompressed(stream: pa.NativeFile, path: str) -> IO[bytes]:
    if path.lower().endswith(".xz"):
        return lzma.open(stream)
    return io.BufferedReader(
        pa.CompressedInputStream(stream, {"gz": "gzip", "bz2": "bz2", "zst": "zstd"}[path.lower().rsplit(".", 1)[1]]),
        BLOCK,
    )
