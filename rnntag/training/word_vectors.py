"""Pretrained word vectors, as text: a word and its numbers a line, as word2vec and GloVe write them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rnntag.errors import DataError
from rnntag.formats.decoding import file_lines

LONGEST = 10_000
"""Numbers of a vector, at most, as of a `schema.ModelConfig`'s embeddings."""


@dataclass(frozen=True, slots=True)
class Vectors:
    """Vectors of words, commonest first as files have them; shape [words, size]."""

    words: tuple[str, ...]
    matrix: npt.NDArray[np.float32]


def _lines(path: Path) -> Iterator[str]:
    try:
        yield from file_lines(path)
    except DataError as error:
        raise DataError(f"{error}: convert it to UTF-8") from error


def read(path: Path, normal_form: Callable[[str], str], wanted: Iterable[str], most: int) -> Vectors:
    """The vectors of `wanted` words, and those of the first others, until there are `most` of these.

    Of several words with one normal form the first counts. All numbers are brought to mean 0 and
    deviation 1, since files differ in scale.

    Args:
        normal_form: what a word of the file is looked up by.

    Raises:
        DataError: the file is not UTF-8, or a line is no vector, or of another size than the first.
        NotFoundError, AccessError: the file is not there or cannot be read.
    """
    wanted = frozenset(wanted)
    found: dict[str, npt.NDArray[np.float32]] = {}
    others = 0
    size = 0
    for number, line in enumerate(_lines(path), 1):
        word, *numbers = line.rstrip().split(" ", LONGEST + 1)
        if len(numbers) > LONGEST:
            raise DataError(f"{path}:{number}: has more than {LONGEST} numbers: a vector has fewer")
        if number == 1 and len(numbers) == 1 and word.isdigit():
            continue  # word2vec begins with the number of words and the size
        size = size or len(numbers)
        form = normal_form(word)
        if form in found:
            continue
        is_wanted = form in wanted
        if not is_wanted and others == most:
            continue
        try:
            vector = np.array(numbers, dtype=np.float32)
        except ValueError:
            raise DataError(f"{path}:{number}: is no word followed by numbers") from None
        if len(vector) != size or not size or not np.isfinite(vector).all():
            raise DataError(f"{path}:{number}: has {len(vector)} numbers where {size} are due, or one is not finite")
        found[form] = vector
        others += not is_wanted
    if not found:
        raise DataError(f"{path}: has no vector of any word of the corpora")
    matrix = np.stack(list(found.values()))
    with np.errstate(over="ignore", invalid="ignore"):
        deviation = float(matrix.std())
    if not np.isfinite(deviation):
        raise DataError(f"{path}: has numbers that are too great to be squared and summed")
    return Vectors(tuple(found), (matrix - matrix.mean()) / max(deviation, 1e-6))
