"""Text to train a language model on: files in any format that can be tagged, as sentences of tokens."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np

from rnntag.formats import registry
from rnntag.formats.decoding import file_blocks, text_blocks
from rnntag.formats.inputs import guessed
from rnntag.formats.records import SentenceJoiner
from rnntag.model.arrays import Flags, Ids
from rnntag.segmenter import Segmenter

LONGEST = 200
"""A longer sentence is cut."""
BLOCK, BLOCKS = 20, 50
"""Without a dev text, one in so many blocks of so many sentences is held out."""


def sentences(paths: Iterable[str], encoding: str, segmenter: Callable[[], Segmenter]) -> Iterator[list[str]]:
    """The sentences of files, one after the other, none of them empty.

    Args:
        encoding: of the files; `auto`: guessed for each.
        segmenter: for raw text; called once there is some.

    Raises:
        NotFoundError, AccessError, DataError, UsageError: a file cannot be read.
    """
    for path in map(Path, paths):
        for unit in _units(path, encoding, segmenter):
            for begin in range(0, len(unit), LONGEST):
                yield unit[begin : begin + LONGEST]


def _units(path: Path, encoding: str, segmenter: Callable[[], Segmenter]) -> Iterator[list[str]]:
    blocks = text_blocks(file_blocks(path), str(path), encoding)
    form = registry.input_format(path)
    text: Iterable[str] = blocks
    if not form:
        form, text = guessed(blocks)
    finder = segmenter() if form in ("raw", "jsonl") else None
    reader = registry.reader(form, str(path), finder=finder)
    joiner = SentenceJoiner()
    for block in text:
        yield from joiner.feed(reader.feed(block))
    yield from joiner.feed(reader.finish())
    yield from joiner.finish()


def held_out(stream: Ids) -> Flags:
    """Which words of a stream are held out, shape [words]; see `BLOCK`. Of a short text, the last tenth.

    Args:
        stream: 0 where a sentence ends.
    """
    ends = stream == 0
    number = np.cumsum(ends) - ends  # of the sentence of each word
    held: Flags = number // BLOCK % BLOCKS == BLOCKS - 1
    return held if held.any() else number >= ends.sum() - max(1, ends.sum() // 10)
