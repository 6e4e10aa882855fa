"""The inputs of a bulk job, cut into shards that workers tag one by one."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import Literal

import pyarrow as pa
from pyarrow import fs, parquet

from rnntag.errors import AccessError, NotFoundError, UsageError
from rnntag.formats import compression
from rnntag.formats.registry import CONLLU_SUFFIXES

SHARD_BYTES = 16 << 20
"""About the size of a shard. Larger files are cut, where their format allows it."""

Format = Literal["parquet", "jsonl", "text", "conllu"]

_FORMATS: dict[str, Format] = {
    ".parquet": "parquet", ".pq": "parquet",
    ".jsonl": "jsonl", ".ndjson": "jsonl",
    ".txt": "text",
    **dict.fromkeys(CONLLU_SUFFIXES, "conllu"),
}  # fmt: skip
_HIDDEN = (".", "_")
WHOLE = -1


@dataclass(frozen=True, slots=True)
class Shard:
    """A file or a part of one.

    Attributes:
        root: the input that the file was found in, an absolute path or a URI, which tells the file system.
        path: of the file in that file system.
        begin, end: of the part, in row groups of a Parquet file, else in bytes. A part of a text begins with the first
            line that begins in it and ends with the last one. `WHOLE` is the end of the file.
        version: the part, and the size and time of the file, by which a change is noticed.
        name: of its output, relative to the directory of the job's output and without the suffix.
    """

    root: str
    path: str
    format: Format
    begin: int
    end: int
    version: str
    name: str


def absolute(uri: str) -> str:
    """A URI as it is, a path as an absolute one: workers have other working directories."""
    return uri if "://" in uri else Path(os.path.abspath(uri)).as_posix()


def filesystem(uri: str) -> tuple[fs.FileSystem, str]:
    """The file system of an absolute path or a URI, and the path in it.

    Raises:
        UsageError: no installed package knows such URIs.
        AccessError: it cannot be connected to.
    """
    if "://" not in uri:
        return fs.LocalFileSystem(), uri
    try:
        try:
            return fs.FileSystem.from_uri(uri)  # type: ignore[no-any-return]
        except pa.ArrowInvalid:
            import fsspec

            system, path = fsspec.core.url_to_fs(uri)
            return fs.PyFileSystem(fs.FSSpecHandler(system)), path
    except (ImportError, ValueError) as error:
        raise UsageError(f"{uri}: {error}") from error
    except OSError as error:
        raise AccessError(f"{uri}: {error}") from error


def is_within(uri: str, directory: str) -> bool:
    """Whether an absolute path or a URI is a directory or is in it."""
    own, other = filesystem(uri), filesystem(directory)
    return own[0] == other[0] and PurePosixPath(own[1]).is_relative_to(other[1])


def find(inputs: Sequence[str]) -> list[Shard]:
    """The shards of files and of all files in directories, in order.

    In a directory, names that begin with a dot or an underscore, and other formats than Parquet, JSON lines, text and
    CoNLL-U, are passed over.

    Args:
        inputs: absolute paths or URIs; see `absolute`.

    Raises:
        NotFoundError: an input does not exist, or a directory has no such file.
        UsageError: a file has another format, or two would have the same output.
        AccessError: an input cannot be read.
    """
    shards: dict[str, Shard] = {}
    for shard in (shard for root in inputs for shard in _of_input(root)):
        other = shards.setdefault(shard.name, shard)
        if other.path != shard.path:
            raise UsageError(
                f"{other.path} and {shard.path} would have the same output, {shard.name}: use a directory for each"
            )
    return [*shards.values()]


def _of_input(root: str) -> Iterator[Shard]:
    system, path = filesystem(root)
    try:
        info = system.get_file_info(path)
        is_file = info.type == fs.FileType.File
        found = [] if is_file else system.get_file_info(fs.FileSelector(path, recursive=True))
    except FileNotFoundError as error:
        raise NotFoundError(f"{root}: no such file or directory") from error
    except OSError as error:
        raise AccessError(f"{root}: cannot be read: {error}") from error
    if is_file:
        if not _split_name(info.base_name):
            raise UsageError(
                f"{root}: its name must end in {', '.join(_FORMATS)}, optionally followed by a compression suffix"
            )
        yield from _of_file(system, root, info, info.base_name)
        return
    prefix = path.rstrip("/") + "/"
    files = {info.path.removeprefix(prefix): info for info in found if info.type == fs.FileType.File}
    wanted = [
        name
        for name in sorted(files)
        if _split_name(name) and not any(part.startswith(_HIDDEN) for part in PurePosixPath(name).parts)
    ]
    if not wanted:
        raise NotFoundError(f"{root}: has no file whose name ends in {', '.join(_FORMATS)}")
    for name in wanted:
        yield from _of_file(system, root, files[name], name)


def _split_name(name: str) -> tuple[str, Format] | None:
    """A file's name without its suffixes, and its format; None if it has another one."""
    path = compression.plain_name(PurePosixPath(name))
    kind = _FORMATS.get(path.suffix.lower())
    return None if kind is None or (kind == "parquet" and is_compressed(name)) else (str(path.with_suffix("")), kind)


def is_compressed(name: str) -> bool:
    return name.lower().endswith(compression.SUFFIXES)


def _of_file(system: fs.FileSystem, root: str, info: fs.FileInfo, name: str) -> Iterator[Shard]:
    split = _split_name(name)
    assert split
    stem, kind = split
    parts = max(1, round(info.size / SHARD_BYTES))
    bounds = [0, WHOLE]
    if parts > 1 and kind == "parquet":
        bounds = _row_groups(system, info.path)
    elif parts > 1 and kind != "conllu" and not is_compressed(name):
        bounds = [info.size * part // parts for part in range(parts + 1)]
    for number, (begin, end) in enumerate(pairwise(bounds)):
        version = f"{begin} {end} {info.size} {info.mtime_ns or 0}"
        yield Shard(root, info.path, kind, begin, end, version, f"{stem}-{number:05d}" if len(bounds) > 2 else stem)


def _row_groups(system: fs.FileSystem, path: str) -> list[int]:
    """Where parts of about `SHARD_BYTES` begin, in row groups, and the number of row groups. A file that cannot be read
    is one part: its worker reports that."""
    try:
        with parquet.ParquetFile(path, filesystem=system) as file:
            metadata = file.metadata
            sizes = [metadata.row_group(number).total_byte_size for number in range(metadata.num_row_groups)]
    except (pa.ArrowException, OSError):
        return [0, WHOLE]
    bounds, size = [0], 0
    for number, own in enumerate(sizes):
        if size and size + own > SHARD_BYTES:
            bounds.append(number)
            size = 0
        size += own
    return [*bounds, len(sizes)] if len(bounds) > 1 else [0, WHOLE]
