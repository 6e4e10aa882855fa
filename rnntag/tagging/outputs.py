"""Where tagged text goes: to one stream, or to a file for each input."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from rnntag.storage.atomic import NewFile
from rnntag.tagging.parallel import Part


def to_stream(parts: Iterable[Part], write: Callable[[bytes], object]) -> Iterator[Part]:
    """Write each part, and yield it when it is written.

    Raises:
        RnntagError: the first error of an input, after the text before it.
    """
    for part in parts:
        if part.text:
            write(part.text)
        if part.error:
            raise part.error
        yield part


def to_files(parts: Iterable[Part], paths: Sequence[Path], header: bytes) -> Iterator[Part]:
    """Write the parts of each input to a file, and yield each part when it is written. A file appears at its path when
    its input has ended. An input with an error gets none.

    Args:
        paths: by the inputs' positions.
        header: of each file.

    Raises:
        AccessError: a file cannot be written.
    """
    file: NewFile | None = None
    try:
        for part in parts:
            file = file or _begun(paths[part.position], header)
            file.write(part.text)
            if part.error:
                file.discard()
            elif part.ends:
                file.finish()
            file = None if part.ends else file
            yield part
    finally:
        if file:
            file.discard()


def _begun(path: Path, header: bytes) -> NewFile:
    file = NewFile(path)
    file.write(header)
    return file
