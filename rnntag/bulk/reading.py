"""The rows of a shard, as record batches."""

from __future__ import annotations

import io
import json
import lzma
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import IO, Any

import pyarrow as pa
from pyarrow import parquet, types

from rnntag.bulk.shards import WHOLE, Shard, filesystem, is_compressed
from rnntag.errors import AccessError, DataError
from rnntag.formats import conllu
from rnntag.formats.conllu_sentence import FORM

ROWS = 256
"""Of a batch: documents may be long, and a worker has a few batches in memory."""
BLOCK = 1 << 20
"""Bytes read at once."""

TEXT, TOKENS = "text", "tokens"
"""The columns that are read from text and from CoNLL-U."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def batches(shard: Shard) -> Iterator[pa.RecordBatch]:
    """The rows of a shard, in at least one batch. All batches have the same schema.

    They are the rows of a Parquet file, the objects of JSON lines, the lines of a text in a column `text`, or the
    sentences of a CoNLL-U file in the columns `sent_id` and `tokens`. JSON lines without objects have no columns. Lines
    of a text that are not UTF-8 are in the column as they are.

    Raises:
        DataError: the file is damaged, or not in its format.
        AccessError: it cannot be read.
    """
    try:
        yield from {"parquet": _parquet, "jsonl": _json, "text": _texts, "conllu": _sentences}[shard.format](shard)
    except (pa.ArrowInvalid, pa.ArrowTypeError, lzma.LZMAError, EOFError, UnicodeDecodeError) as error:
        raise DataError(f"{shard.path}: cannot be read as {shard.format}: {error}") from error
    except OSError as error:
        if error.errno is None:  # Arrow's, of compressed data that is damaged
            raise DataError(f"{shard.path}: cannot be read as {shard.format}: {error}") from error
        raise AccessError(f"{shard.path}: cannot be read: {error}") from error


def _parquet(shard: Shard) -> Iterator[pa.RecordBatch]:
    system, _ = filesystem(shard.root)
    with parquet.ParquetFile(shard.path, filesystem=system) as file:
        end = file.num_row_groups if shard.end == WHOLE else shard.end
        yield pa.RecordBatch.from_pylist([], file.schema_arrow)
        yield from file.iter_batches(ROWS, row_groups=range(shard.begin, end))


def _texts(shard: Shard) -> Iterator[pa.RecordBatch]:
    lines = (line.rstrip(b"\r\n") for _, line in _lines(shard))
    for some in _groups(lines):
        yield pa.record_batch({TEXT: pa.array(some, pa.binary()).view(pa.string())})


def _sentences(shard: Shard) -> Iterator[pa.RecordBatch]:
    for some in _groups(conllu.read((line.decode().rstrip("\r\n") for _, line in _lines(shard)), shard.path)):
        identifiers = [_identifier(sentence.lines) for sentence in some]
        tokens = [sentence.column(FORM) for sentence in some]
        yield pa.record_batch(
            {"sent_id": pa.array(identifiers, pa.string()), TOKENS: pa.array(tokens, pa.list_(pa.string()))}
        )


def _identifier(lines: Iterable[str]) -> str | None:
    comments = (line.partition("=") for line in lines if line.startswith("#"))
    return next((value.strip() for name, _, value in comments if name[1:].strip() == "sent_id"), None)


def _json(shard: Shard) -> Iterator[pa.RecordBatch]:
    """First the types of all fields are found, as a field may be missing or null in some batches.

    Arrow's own reader of JSON turns strings into dates, and refuses a field that is a number in one object and a string
    in another.
    """
    kinds: dict[str, set[pa.DataType]] = defaultdict(set)
    for rows in _groups(_objects(shard)):
        for name in {name: None for row in rows for name in row}:
            kinds[name].add(_type([row.get(name) for row in rows]))
    schema = pa.schema([(name, _common(own)) for name, own in kinds.items()])
    for rows in _groups(_objects(shard)):
        yield pa.RecordBatch.from_arrays(
            [pa.array(_as_type([row.get(f.name) for row in rows], f.type), f.type) for f in schema], schema=schema
        )


def _objects(shard: Shard) -> Iterator[dict[str, Any]]:
    for place, line in _lines(shard):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except ValueError as error:
            raise DataError(f"{shard.path}: the line at byte {place:,} is not JSON: {error}") from error
        if not isinstance(value, dict):
            raise DataError(f"{shard.path}: the line at byte {place:,} is not a JSON object")
        yield value


def _type(values: list[Any]) -> pa.DataType | None:
    """The type of the values of a field; None if they have none in common, or one that Parquet lacks."""
    try:
        found = pa.array(values).type
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return None
    return None if _has_empty_struct(found) else found


def _has_empty_struct(kind: pa.DataType) -> bool:
    if types.is_struct(kind):
        return not kind.num_fields or any(_has_empty_struct(kind.field(n).type) for n in range(kind.num_fields))
    return types.is_list(kind) and _has_empty_struct(kind.value_type)


def _common(kinds: set[pa.DataType | None]) -> pa.DataType:
    """The type of a field, string if there is no other."""
    try:
        schemas = [pa.schema([("", kind)]) for kind in kinds if kind is not None]
        common = pa.unify_schemas(schemas, promote_options="permissive").field(0).type
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return pa.string()
    return pa.string() if None in kinds or types.is_null(common) else common


def _as_type(values: list[Any], kind: pa.DataType) -> list[Any]:
    """In a field of strings, other values are written as JSON."""
    if not types.is_string(kind):
        return values
    return [v if v is None or isinstance(v, str) else json.dumps(v, ensure_ascii=False) for v in values]


def _groups(items: Iterable[Any]) -> Iterator[list[Any]]:
    """Items in groups of `ROWS`; an empty group if there are none."""
    items = iter(items)
    group = [*islice(items, ROWS)]
    yield group
    while group := [*islice(items, ROWS)]:
        yield group


def _lines(shard: Shard) -> Iterator[tuple[int, bytes]]:
    """The lines of a file that begin in the part, with their places in bytes, without a byte order mark."""
    with _opened(shard) as file:
        at = shard.begin
        if at:
            file.seek(at - 1)
            at += len(file.readline()) - 1
        while (shard.end == WHOLE or at < shard.end) and (line := file.readline()):
            yield at, line.removeprefix(_BYTE_ORDER_MARK) if at == 0 else line
            at += len(line)


def _opened(shard: Shard) -> IO[bytes]:
    system, _ = filesystem(shard.root)
    if not is_compressed(shard.path):
        return io.BufferedReader(system.open_input_file(shard.path), BLOCK)
    stream = system.open_input_stream(shard.path, compression=None)
    suffix = shard.path.lower().rpartition(".")[2]
    if suffix == "xz":
        return lzma.open(stream)
    codec = {"gz": "gzip", "bz2": "bz2", "zst": "zstd"}[suffix]
    return io.BufferedReader(pa.CompressedInputStream(stream, codec), BLOCK)
