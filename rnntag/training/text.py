"""Text to train a language model on: files in any format that can be tagged, as sentences of tokens."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from rnntag.formats import registry
from rnntag.formats.decoding import file_blocks, text_blocks
from rnntag.formats.inputs import Input, guessed, token_blocks
from rnntag.formats.raw import Finder
from rnntag.model.arrays import Flags, Ids

LONGEST = 200
"""A longer sentence is cut."""
BLOCK, BLOCKS = 20, 50
"""Without a dev text, one in so many blocks of so many sentences is held out; of a shorter text, the last tenth."""


def sentences(paths: Iterable[str], encoding: str, finder: Finder) -> Iterator[list[str]]:
    """The sentences of files, one after the other, none of them empty.

    Args:
        encoding: of the files; `auto`: guessed for each.
        finder: for raw text.

    Raises:
        NotFoundError, AccessError, DataError: a file cannot be read.
    """
    for path in map(Path, paths):
        blocks = text_blocks(file_blocks(path), str(path), encoding)
        known = registry.input_format(path)
        form, text = (known, blocks) if known else guessed(blocks)
        for complete in token_blocks(Input(str(path), form, text), finder):
            for tokens, _ in complete:
                for begin in range(0, len(tokens), LONGEST):
                    yield tokens[begin : begin + LONGEST]


def held_out(stream: Ids) -> Flags:
    """Which words of a stream are held out, shape [words]; see `BLOCK`.

    Args:
        stream: 0 where a sentence ends.
    """
    ends = stream == 0
    number = np.cumsum(ends) - ends  # of the sentence of each word
    held: Flags = number // BLOCK % BLOCKS == BLOCKS - 1
    return held if ends.sum() >= BLOCK * BLOCKS else number >= ends.sum() - max(1, ends.sum() // 10)
