"""The weights that a model has, by name, and reading them if they are those."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import safetensors.numpy
from safetensors import SafetensorError

from rnntag.config import ModelConfig, SegmenterConfig
from rnntag.model.arrays import Ids
from rnntag.storage import validation

Shapes = Mapping[str, tuple[int, ...]]

WORD_TABLE = "encoder.words.weight"
"""One row for each word, most of a model's size. It is no part of a graph."""
UNIT_TABLE, SHAPE_TABLE, BIGRAM_TABLE = "units.weight", "shapes.weight", "bigrams.weight"
SEGMENTER_TABLES = (UNIT_TABLE, SHAPE_TABLE, BIGRAM_TABLE)
"""Those of a segmenter."""
BOUNDARIES = ("inside", "word", "sentence")
"""What ends with a unit: nothing, a word, or a sentence and so a word."""
_TABLES = (WORD_TABLE, *SEGMENTER_TABLES)
_GATES = {"rnn": 1, "lstm": 4, "gru": 3}
_HEADER = 1 << 20
"""Bytes of the part of a file that tells names and shapes, at most: several times what a hundred layers need."""


def scales(table: str) -> str:
    """The name of what each row of a stored table is a multiple of, shape [rows, 1]."""
    return f"{table.removesuffix('weight')}scale"


def tagger(config: ModelConfig, words: int, characters: int, classes: Sequence[int]) -> dict[str, tuple[int, ...]]:
    """The weights of a tagger and their shapes; see `network.Network`.

    Args:
        words, characters: rows of these tables.
        classes: how many tags each tagset has.
    """
    hidden, directions = config.hidden, 2 if config.bidirectional else 1
    onehot = config.input == "onehot"
    kernel = _Kernel(config.cell)
    found: dict[str, tuple[int, ...]] = {}
    if onehot:
        inputs = 0
        found[WORD_TABLE] = (words, directions * kernel.rows(hidden))
    else:
        inputs = config.embedding_dim + 2 * config.char_hidden
        found[WORD_TABLE] = (words, config.embedding_dim)
        found["encoder.chars.weight"] = (characters, config.char_dim)
        for prefix in _directions("encoder.spelling", 2):
            found |= kernel.shapes(prefix, config.char_dim, config.char_hidden)
    for depth in range(config.layers):
        fed_back = sum(classes) if config.feedback and depth == config.layers - 1 else 0
        for prefix in _directions(f"layers.{depth}", directions):
            found |= kernel.shapes(prefix, inputs, hidden, fed_back if prefix.endswith("forwards") else 0)
        inputs = directions * hidden
    return found | _heads(classes, inputs)


def segmenter(config: SegmenterConfig, units: int, shapes: int, bigrams: int) -> dict[str, tuple[int, ...]]:
    """The weights of a segmenter and their shapes; see `segmenter_training.SegmenterNetwork`.

    Args:
        units, shapes, bigrams: rows of these tables.
    """
    found: dict[str, tuple[int, ...]] = {
        UNIT_TABLE: (units, config.unit_dim),
        SHAPE_TABLE: (shapes, config.shape_dim),
        BIGRAM_TABLE: (max(bigrams, 1), config.bigram_dim),
    }
    inputs = config.unit_dim + config.shape_dim + (2 * config.bigram_dim if bigrams else 0)
    for prefix in _directions("layers.0", 2):
        found |= _Kernel("lstm").shapes(prefix, inputs, config.hidden)
    return found | _heads([len(BOUNDARIES)], 2 * config.hidden)


def _directions(prefix: str, count: int) -> Iterator[str]:
    yield from (f"{prefix}.forwards", f"{prefix}.backwards")[:count]


def _heads(classes: Sequence[int], inputs: int) -> dict[str, tuple[int, ...]]:
    found: dict[str, tuple[int, ...]] = {}
    for number, count in enumerate(classes):
        found |= {f"heads.{number}.weight": (count, inputs), f"heads.{number}.bias": (count,)}
    return found


class _Kernel:
    def __init__(self, cell: str) -> None:
        self._gates = _GATES[cell]

    def rows(self, hidden: int) -> int:
        return self._gates * hidden

    def shapes(self, prefix: str, inputs: int, hidden: int, tags: int = 0) -> dict[str, tuple[int, ...]]:
        rows = self.rows(hidden)
        columns = {"weight_ih_l0": inputs, "weight_fb_l0": tags, "weight_hh_l0": hidden}
        found: dict[str, tuple[int, ...]] = {f"{prefix}.{name}": (rows, size) for name, size in columns.items() if size}
        return found | {f"{prefix}.{name}": (rows,) for name in ("bias_ih_l0", "bias_hh_l0")}


def stored(shapes: Shapes) -> dict[str, tuple[np.dtype, tuple[int, ...]]]:
    """Of each weight as it is stored its type and shape; see `store.compact`."""
    half, eighth = np.dtype(np.float16), np.dtype(np.int8)
    found = {name: (eighth if name in _TABLES else half, shape) for name, shape in shapes.items()}
    return found | {scales(name): (half, (shape[0], 1)) for name, shape in shapes.items() if name in _TABLES}


def most_bytes(shapes: Shapes) -> int:
    """Of a file with such weights."""
    return _HEADER + sum(dtype.itemsize * math.prod(shape) for dtype, shape in stored(shapes).values())


def read(content: bytes, shapes: Shapes) -> dict[str, np.ndarray]:
    """The weights in a safetensors file.

    Raises:
        ValueError: they are others than these, some value is infinite or not a number, or a table's are
            out of range.
    """
    length = int.from_bytes(content[:8], "little")
    if length > _HEADER:
        raise ValueError(f"its header has {length} bytes")
    header = validation.parse(content[8 : 8 + length])
    validation.validate(header, {str: dict}, "header")
    expected = stored(shapes)
    if odd := sorted(expected.keys() ^ header.keys() - {"__metadata__"}):
        raise ValueError(f"the weights do not fit the configuration: {odd[0]!r:.60}")
    try:
        found = safetensors.numpy.load(content)
    except (SafetensorError, KeyError, OverflowError) as error:
        raise ValueError(f"{error}") from error
    for name, (dtype, shape) in expected.items():
        if (found[name].dtype, found[name].shape) != (dtype, shape):
            given = f"{found[name].dtype} {found[name].shape}"
            raise ValueError(f"{name} is {given} where the configuration has {dtype} {shape}")
        if not all_finite(found[name]):
            raise ValueError(f"{name} holds what is no number")
    for name in found.keys() & {*_TABLES}:
        # A graph in 8 bits counts on no value beyond 127 times the scale of its row; see `store.largest_value`.
        if found[name].min() < -127 or found[scales(name)].min() < 0:
            raise ValueError(f"{name} has values below -127, or its scales are negative")
    return found


def all_finite(values: np.ndarray) -> bool:
    """Whether no value is infinite or not a number."""
    if values.dtype == np.float16:  # ten times as fast as NumPy's own, which has no vectors for these
        return int((values.view(np.uint16) & 0x7FFF).max(initial=0)) < 0x7C00
    return values.dtype.kind == "i" or bool(np.isfinite(values).all())


ALL_ROWS = slice(None)


SMALLEST_SCALE = 2.0**-14  # of what float16 holds in full


def quantize(weights: Mapping[str, np.ndarray], tables: Sequence[str] = (WORD_TABLE,)) -> dict[str, np.ndarray]:
    """Weights as they are stored: float16, and embedding tables in 8 bits with a scale for each row."""
    stored = {name: weight.astype(np.float16) for name, weight in weights.items()}
    for name in tables:
        table = weights[name].astype(np.float32)
        steps = np.maximum(np.abs(table).max(axis=1, keepdims=True) / 127, SMALLEST_SCALE).astype(np.float16)
        stored[name] = np.round(table / steps).clip(-127, 127).astype(np.int8)
        stored[scales(name)] = steps
    return stored


def table_rows(weights: Mapping[str, np.ndarray], table: str, rows: Ids | slice = ALL_ROWS) -> npt.NDArray[np.float32]:
    """Rows of a stored embedding table, shape [rows, size]."""
    found: npt.NDArray[np.float32] = weights[table][rows].astype(np.float32) * weights[scales(table)][rows]
    return found


def largest_value(weights: Mapping[str, np.ndarray], table: str) -> float:
    """What no value of a stored embedding table goes beyond."""
    return 127 * float(weights[scales(table)].max())


def dequantize(weights: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Stored weights as a network takes them."""
    tables = {name: table_rows(weights, name) for name in weights if scales(name) in weights}
    others = {scales(name) for name in tables}
    return {name: weight for name, weight in weights.items() if name not in others} | tables
