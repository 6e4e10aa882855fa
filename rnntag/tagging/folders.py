"""Folders of files to tag, and where the output of each file goes."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple

from rnntag.errors import ANOTHER, AccessError, NotFoundError, UsageError
from rnntag.formats.compression import plain_name


class FoundFile(NamedTuple):
    """A file to tag.

    Attributes:
        path: of the file.
        name: its path in the folder that was walked, or its name alone.
    """

    path: Path
    name: Path


def walk(folder: Path, pattern: str, excluded: Path | None = None) -> list[FoundFile]:
    """The files in a folder and in the folders below it, by name. Hidden ones, whose names begin with a full stop, are
    left out, and links to folders are not followed.

    Args:
        pattern: of the files' names, as in the shell.
        excluded: a folder to leave out.

    Raises:
        AccessError: a folder cannot be read.
        NotFoundError: there are no such files.
    """
    files = [path for path in _files(folder, excluded.resolve() if excluded else None) if fnmatch(path.name, pattern)]
    if not files:
        raise NotFoundError(f"{folder}: has no files whose names match {pattern!r}")
    return [FoundFile(path, path.relative_to(folder)) for path in files]


def _files(folder: Path, excluded: Path | None) -> Iterator[Path]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise AccessError(f"{folder}: cannot be read: {error.strerror}") from error
    for entry in entries:
        path = folder / entry.name
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            if path.resolve() != excluded:
                yield from _files(path, excluded)
        elif entry.is_file():
            yield path


def outputs(files: Sequence[FoundFile], folder: Path, suffix: str) -> list[Path]:
    """The path in `folder` for the output of each file: the file's name with another suffix.

    Raises:
        UsageError: two files would have the same, or one is itself among the files.
        AccessError: there is a file at the folder's path.
    """
    if folder.exists() and not folder.is_dir():
        raise AccessError(f"{folder}: is a file, not a directory")
    paths = [folder / _renamed(file.name, suffix) for file in files]
    by_path: dict[Path, Path] = {}
    for file, path in zip(files, paths, strict=True):
        if other := by_path.get(path):
            raise UsageError(
                f"{other} and {file.path} would both be written to {path}: rename one, or tag them in separate runs "
                "with different output directories"
            )
        by_path[path] = file.path
    read = _real(file.path for file in files)
    if overwritten := next((path for path in paths if path.exists() and path.resolve() in read), None):
        raise UsageError(f"{overwritten} is both input and output", remedy={"output_dir": ANOTHER})
    return paths


def _real(paths: Iterable[Path]) -> set[Path]:
    return {path.resolve() for path in paths}


def _renamed(name: Path, suffix: str) -> Path:
    plain = plain_name(name)
    return plain.with_suffix(suffix) if plain.suffix[1:2].isalpha() else plain.with_name(plain.name + suffix)
