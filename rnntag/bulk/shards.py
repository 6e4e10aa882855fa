"""The inputs of a bulk job, cut into shards that workers tag one by one."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import PurePosixPath
from typing import Literal

import pyarrow as pa
from pyarrow import fs, parquet

from rnntag.errors import AccessError, DataError, NotFoundError, UsageError

SHARD_BYTES = 16 << 20
"""About the size of a shard. Larger files are cut, where their format allows it."""

Format = Literal["parquet", "jsonl", "text", "conllu"]

_FORMATS: dict[str, Format] = {
    ".parquet": "parquet", ".pq": "parquet",
    ".jsonl": "jsonl", ".ndjson": "jsonl",
    ".txt": "text",
    ".conllu": "conllu", ".conll": "conllu",
}  # fmt: skip
_COMPRESSED = (".gz", ".bz2", ".zst", ".xz")
_HIDDEN = (".", "_")


@dataclass(frozen=True, slots=True)
class Shard:
    """A file or a part of one.

    Attributes:
        uri: of the file.
        begin, end: of the part, in row groups of a Parquet file, else in bytes. A part of a text begins with the first
            line that begins in it and ends with the last one.
        version: the size and time of the file, by which a change is noticed.
        name: of its output, relative to the directory of the job's output and without the suffix.
    """

    uri: str
    format: Format
    begin: int
    end: int
    version: str
    name: str


def filesystem(uri: str) -> tuple[fs.FileSystem, str]:
    """The file system of a path or URI, and the path in it.

    Raises:
        UsageError: no installed package knows such URIs.
    """
    if "://" not in uri:
        return fs.LocalFileSystem(), os.path.abspath(uri)
    try:
        return fs.FileSystem.from_uri(uri)  # type: ignore[no-any-return]
    except pa.ArrowInvalid:
        pass
    try:
        import fsspec

        system, path = fsspec.core.url_to_fs(uri)
    except (ImportError, ValueError) as error:
        raise UsageError(f"{uri}: {error}") from error
    return fs.PyFileSystem(fs.FSSpecHandler(system)), path


def is_within(uri: str, directory: str) -> bool:
    """Whether a path or URI is a directory or is in it."""
    own, other = filesystem(uri), filesystem(directory)
    return own[0] == other[0] and PurePosixPath(own[1]).is_relative_to(other[1])


def find(inputs: Sequence[str]) -> list[Shard]:
    """The shards of files and of all files in directories, in order.

    In a directory, names that begin with a dot or an underscore, and other formats than Parquet, JSON lines, text and
    CoNLL-U, are passed over.

    Raises:
        NotFoundError: an input does not exist, or a directory has no such file.
        UsageError: a file has another format, or two would have the same output.
        AccessError, DataError: a file cannot be read.
    """
    shards = [shard for uri in inputs for shard in _of_input(uri)]
    source: dict[str, str] = {}
    for shard in shards:
        other = source.setdefault(shard.name, shard.uri)
        if other != shard.uri:
            raise UsageError(f"{other} and {shard.uri} would have the same output, {shard.name}: tag them separately")
    return shards


def _of_input(uri: str) -> Iterator[Shard]:
    system, path = filesystem(uri)
    try:
        info = system.get_file_info(path)
        if info.type == fs.FileType.NotFound:
            raise NotFoundError(f"{uri}: no such file or directory")
        if info.type == fs.FileType.File:
            if not (kind := _format(info.base_name)):
                raise UsageError(
                    f"{uri}: its name must end in {', '.join(_FORMATS)}, or one of them and a compression's"
                )
            yield from _of_file(system, uri, info, kind, info.base_name)
            return
        found = system.get_file_info(fs.FileSelector(path, recursive=True))
    except OSError as error:
        raise AccessError(f"{uri}: cannot be read: {error}") from error
    prefix = path.rstrip("/") + "/"
    files = {info.path.removeprefix(prefix): info for info in found if info.type == fs.FileType.File}
    wanted = {
        name: kind
        for name in sorted(files)
        if (kind := _format(name)) and not any(part.startswith(_HIDDEN) for part in PurePosixPath(name).parts)
    }
    if not wanted:
        raise NotFoundError(f"{uri}: has no file whose name ends in {', '.join(_FORMATS)}")
    for name, kind in wanted.items():
        yield from _of_file(system, f"{uri.rstrip('/')}/{name}", files[name], kind, name)


def _format(name: str) -> Format | None:
    path = PurePosixPath(name.lower())
    if path.suffix in _COMPRESSED:
        path = path.with_suffix("")
        if _FORMATS.get(path.suffix) == "parquet":
            return None
    return _FORMATS.get(path.suffix)


def is_compressed(uri: str) -> bool:
    return PurePosixPath(uri.lower()).suffix in _COMPRESSED


def _of_file(system: fs.FileSystem, uri: str, info: fs.FileInfo, kind: Format, name: str) -> Iterator[Shard]:
    if kind == "parquet":
        bounds = _row_groups(system, uri, info.path)
    elif kind == "conllu" or is_compressed(uri):
        bounds = [0, info.size]
    else:
        parts = max(1, round(info.size / SHARD_BYTES))
        bounds = [info.size * part // parts for part in range(parts + 1)]
    path = PurePosixPath(name)
    stem = str(path.parent / path.name[: path.name.index(".")]) if path.name.count(".") else name
    version = f"{info.size} {info.mtime_ns or 0}"
    for number, (begin, end) in enumerate(pairwise(bounds)):
        part = f"{stem}-{number:05d}" if len(bounds) > 2 else stem
        yield Shard(uri, kind, begin, end, version, part)


def _row_groups(system: fs.FileSystem, uri: str, path: str) -> list[int]:
    """Where parts of about `SHARD_BYTES` begin, in row groups, and the number of row groups."""
    try:
        with parquet.ParquetFile(path, filesystem=system) as file:
            metadata = file.metadata
            sizes = [metadata.row_group(number).total_byte_size for number in range(metadata.num_row_groups)]
    except pa.ArrowInvalid as error:
        raise DataError(f"{uri}: is not a Parquet file: {error}") from error
    bounds, size = [0], 0
    for number, own in enumerate(sizes):
        if size and size + own > SHARD_BYTES:
            bounds.append(number)
            size = 0
        size += own
    return [*bounds, len(sizes)]
