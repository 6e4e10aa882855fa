"""Pretrained word vectors as text, a word and its numbers per line, as written by word2vec and GloVe."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from rnntag.errors import DataError
from rnntag.formats.decoding import file_lines
from rnntag.model.arrays import Ids

LONGEST = 10_000
"""Numbers of a vector, at most, as in the embeddings of a `config.ModelConfig`."""
SAMPLED, ROUNDS, COMPARED = 100_000, 8, 1 << 24
"""Of `clusters`: vectors that choose the centroids, how often they do, and distances computed at once."""


@dataclass(frozen=True, slots=True)
class Vectors:
    """Word vectors, the most frequent words first as in the files; shape [words, size]."""

    words: tuple[str, ...]
    matrix: npt.NDArray[np.float32]


def _lines(path: Path) -> Iterator[str]:
    try:
        yield from file_lines(path)
    except DataError as error:
        raise DataError(f"{error}: convert it to UTF-8") from error


def read(path: Path, normal_form: Callable[[str], str], wanted: Iterable[str], most: float) -> Vectors:
    """The vectors of `wanted` words, and of the first `most` other words.

    If several words have the same normal form, the first counts. All numbers are scaled to mean 0 and deviation 1,
    because files differ in scale.

    Args:
        normal_form: of a word, to compare it with `wanted`.

    Raises:
        DataError: the file is not UTF-8, or a line is not a vector, or of another size than the first.
        NotFoundError, AccessError: the file does not exist or cannot be read.
    """
    wanted = frozenset(wanted)
    vectors: dict[str, npt.NDArray[np.float32]] = {}
    others = 0
    size = 0
    for number, line in enumerate(_lines(path), 1):
        word, *numbers = line.rstrip().split(" ", LONGEST + 1)
        if len(numbers) > LONGEST:
            raise DataError(f"{path}:{number}: has more than {LONGEST:,} numbers")
        if number == 1 and len(numbers) == 1 and word.isdigit():
            continue  # word2vec begins with the number of words and the size
        size = size or len(numbers)
        form = normal_form(word)
        if form in vectors:
            continue
        is_wanted = form in wanted
        if not is_wanted and others >= most:
            continue
        try:
            vector = np.array(numbers, dtype=np.float32)
        except ValueError:
            vector = np.empty(0, dtype=np.float32)
        if not len(vector):
            raise DataError(f"{path}:{number}: is not a word followed by numbers")
        if len(vector) != size:
            raise DataError(f"{path}:{number}: has {len(vector)} numbers instead of {size}")
        if not np.isfinite(vector).all():
            raise DataError(f"{path}:{number}: contains NaN or infinity")
        vectors[form] = vector
        others += not is_wanted
    if not vectors:
        raise DataError(f"{path}: has no vector of any word of the corpora")
    matrix = np.stack(list(vectors.values()))
    with np.errstate(over="ignore", invalid="ignore"):
        deviation = float(matrix.std())
    if not np.isfinite(deviation):
        raise DataError(f"{path}: has numbers too large to compute with")
    return Vectors(tuple(vectors), (matrix - matrix.mean()) / max(deviation, 1e-6))


def side_by_side(files: Sequence[Vectors], rows: Sequence[Ids], count: int) -> npt.NDArray[np.float32]:
    """The vectors of files in a matrix of `count` rows, in which each file has its own columns; 0 elsewhere.

    Args:
        rows: those of the words of each file.
    """
    matrix = np.zeros((count, sum(file.matrix.shape[1] for file in files)), dtype=np.float32)
    column = 0
    for file, own in zip(files, rows, strict=True):
        end = column + file.matrix.shape[1]
        matrix[own, column:end] = file.matrix
        column = end
    return matrix


def principal(files: Sequence[Vectors], words: Sequence[str], size: int) -> tuple[Ids, npt.NDArray[np.float32]]:
    """The vectors of words, reduced to their first principal components (Pearson 1901), and scaled again.

    Args:
        files: a word that several have gets the vectors of all; a missing one counts as 0.
        size: the number of components, at most.

    Returns:
        The positions of the words that have a vector, shape [found], and these, shape [found, components].
    """
    wanted = {word: position for position, word in enumerate(words)}
    own = [[wanted[word] for word in file.words] for file in files]
    found = np.unique(np.concatenate([np.array(positions, dtype=np.int64) for positions in own]))
    rows = [np.searchsorted(found, positions) for positions in own]
    matrix = side_by_side(files, rows, len(found)).astype(np.float64)
    matrix -= matrix.mean(0)
    _, directions = np.linalg.eigh(matrix.T @ matrix)  # the eigenvalues ascend
    components = (matrix @ directions[:, ::-1][:, :size]).astype(np.float32)
    return found, components / max(float(components.std()), 1e-6)


def clusters(matrix: npt.NDArray[np.float32], count: int, seed: int) -> tuple[Ids, npt.NDArray[np.float32]]:
    """Cluster vectors by k-means (Lloyd 1982); `SAMPLED` of them choose the centroids.

    Computed in double precision, so that the number of threads hardly ever changes the result.

    Args:
        matrix: shape [vectors, size].
        count: of the clusters, at most.

    Returns:
        The cluster of each vector, shape [vectors], and the centroids, shape [clusters, size].
    """
    generator = torch.Generator().manual_seed(seed)
    vectors = torch.from_numpy(matrix)
    sample = vectors[torch.randperm(len(vectors), generator=generator)[:SAMPLED]].double()
    centroids = sample[:count].clone()
    for _ in range(ROUNDS):
        own = nearest(sample, centroids)
        sums = torch.zeros_like(centroids).index_add_(0, own, sample)
        sizes = own.bincount(minlength=len(centroids))[:, None]
        centroids = torch.where(sizes > 0, sums / sizes.clamp(min=1), centroids)
    return nearest(vectors, centroids).numpy(), centroids.float().numpy()


def nearest(vectors: Tensor, centroids: Tensor) -> Tensor:
    """The nearest centroid of each vector by Euclidean distance, shape [vectors]; centroids are in double precision."""
    squares = centroids.square().sum(1)
    parts = torch.split(vectors, max(COMPARED // len(centroids), 1))
    return torch.cat([(squares - 2 * part.double() @ centroids.T).argmin(1) for part in parts])
