"""Names, shapes and storage types of a model's weights."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import safetensors.numpy
from safetensors import SafetensorError

from rnntag.config import ModelConfig, SegmenterConfig
from rnntag.model.arrays import Ids
from rnntag.storage import validation

Shapes = Mapping[str, tuple[int, ...]]

WORD_TABLE = "encoder.words.weight"
"""One row per word; most of a model's size. It is not in the graphs."""
CHARACTER_TABLE = "encoder.chars.weight"
FEEDBACK = "weight_fb_l0"
"""The end of the name of a matrix with a column for each tag that is fed back."""
FORWARD, BACKWARD, SPELLER = "", "reverse.", "speller."
"""Prefixes of a language model's weights: of its two directions, and of the network that spells rare words."""
OUTPUT_BIAS, CLUSTERS, UNIGRAMS = "output.bias", "output.clusters", "output.unigrams"
"""Of a language model: the bias of each word, the head for clusters, and the log probability of each word by itself."""
UNIT_TABLE, SHAPE_TABLE, BIGRAM_TABLE = "units.weight", "shapes.weight", "bigrams.weight"
SEGMENTER_TABLES = (UNIT_TABLE, SHAPE_TABLE, BIGRAM_TABLE)
BOUNDARIES = ("inside", "word", "sentence")
"""The classes of a unit: it ends nothing, a word, or a sentence (and so a word)."""
_TABLES = (WORD_TABLE, *SEGMENTER_TABLES)
GATES = {"rnn": 1, "lstm": 4, "gru": 3}
"""Rows of a cell's input matrix, in multiples of its hidden size."""
_MAX_HEADER_BYTES = 1 << 20
"""Limit of a safetensors header: several times what a hundred layers need."""


def scales(table: str) -> str:
    """The name of the row scales of a stored table, shape [rows, 1]."""
    return f"{table.removesuffix('weight')}scale"


def tagger(config: ModelConfig, words: int, characters: int, classes: Sequence[int]) -> dict[str, tuple[int, ...]]:
    """The shapes of a tagger's weights, by name; see `network.tagger.Network`.

    Args:
        words, characters: number of rows of these tables.
        classes: number of tags of each tagset.
    """
    cell, hidden, directions = config.cell, config.hidden, 2 if config.bidirectional else 1
    weights: dict[str, tuple[int, ...]] = {}
    if config.input == "onehot":
        inputs = 0
        weights[WORD_TABLE] = (words, directions * GATES[cell] * hidden)
    else:
        weights, inputs = _encoder(config, words, characters)
    for depth in range(config.layers):
        fed_back = sum(classes) if config.feedback and depth == config.layers - 1 else 0
        for prefix in _directions(f"layers.{depth}", directions):
            weights |= _kernel(cell, prefix, inputs, hidden, fed_back if prefix.endswith("forwards") else 0)
        inputs = directions * hidden
    return weights | _heads(classes, inputs)


def _encoder(config: ModelConfig, words: int, characters: int) -> tuple[dict[str, tuple[int, ...]], int]:
    """The shapes of the weights of `network.tagger.CharRNNEncoder`, and the size of a word's vector."""
    weights: dict[str, tuple[int, ...]] = {
        WORD_TABLE: (words, config.embedding_dim),
        CHARACTER_TABLE: (characters, config.char_dim),
    }
    for prefix in _directions("encoder.spelling", 2):
        weights |= _kernel(config.cell, prefix, config.char_dim, config.char_hidden)
    return weights, config.embedding_dim + 2 * config.char_hidden


def language_model(config: ModelConfig, words: int, characters: int, clusters: int) -> dict[str, tuple[int, ...]]:
    """The shapes of a language model's weights, by name; see `network.language_model.LanguageNetwork`.

    Args:
        words, characters: number of rows of these tables.
        clusters: of rare words.
    """
    weights, size = _encoder(config, words, characters)
    for stack in (FORWARD, BACKWARD)[: 2 if config.bidirectional else 1]:
        inputs = size
        for depth in range(config.layers):
            weights |= _kernel(config.cell, f"{stack}layers.{depth}.forwards", inputs, config.hidden)
            inputs = config.hidden
        weights |= _head(f"{stack}heads.0", config.embedding_dim, config.hidden)
    weights |= _kernel(config.cell, f"{SPELLER}layers.0.forwards", config.char_dim, config.char_hidden)
    weights |= _head(f"{SPELLER}heads.0", characters, config.char_hidden)
    weights |= {OUTPUT_BIAS: (words,), UNIGRAMS: (words,)}
    return weights | (_head(CLUSTERS, clusters, config.embedding_dim) if clusters else {})


def segmenter(
    config: SegmenterConfig, units: int, shapes: int, bigrams: int, languages: int = 0
) -> dict[str, tuple[int, ...]]:
    """The shapes of a segmenter's weights, by name; see `network.segmenter.SegmenterNetwork`.

    Args:
        units, shapes, bigrams: number of rows of these tables.
        languages: those that have multiword tokens.
    """
    weights: dict[str, tuple[int, ...]] = {
        UNIT_TABLE: (units, config.unit_dim),
        SHAPE_TABLE: (shapes, config.shape_dim),
        BIGRAM_TABLE: (max(bigrams, 1), config.bigram_dim),
    }
    inputs = config.unit_dim + config.shape_dim + (2 * config.bigram_dim if bigrams else 0)
    for prefix in _directions("layers.0", 2):
        weights |= _kernel("lstm", prefix, inputs, config.hidden)
    return weights | _heads(segmenter_classes(languages), 2 * config.hidden)


def segmenter_classes(languages: int) -> list[int]:
    """The number of classes of each head of a segmenter: `BOUNDARIES`; if there are languages with multiword tokens,
    also, for the last unit of a token, no multiword token or one of each language."""
    return [len(BOUNDARIES), 1 + languages] if languages else [len(BOUNDARIES)]


def _directions(prefix: str, count: int) -> Iterator[str]:
    yield from (f"{prefix}.forwards", f"{prefix}.backwards")[:count]


def _heads(classes: Sequence[int], inputs: int) -> dict[str, tuple[int, ...]]:
    weights: dict[str, tuple[int, ...]] = {}
    for number, count in enumerate(classes):
        weights |= _head(f"heads.{number}", count, inputs)
    return weights


def _head(name: str, classes: int, inputs: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (classes, inputs), f"{name}.bias": (classes,)}


def _kernel(cell: str, prefix: str, inputs: int, hidden: int, tags: int = 0) -> dict[str, tuple[int, ...]]:
    """The weights of one direction of a layer. A size of 0 leaves out the input or the feedback matrix."""
    rows = GATES[cell] * hidden
    columns = {"weight_ih_l0": inputs, FEEDBACK: tags, "weight_hh_l0": hidden}
    weights: dict[str, tuple[int, ...]] = {f"{prefix}.{name}": (rows, size) for name, size in columns.items() if size}
    return weights | {f"{prefix}.{name}": (rows,) for name in ("bias_ih_l0", "bias_hh_l0")}


def stored(shapes: Shapes) -> dict[str, tuple[np.dtype, tuple[int, ...]]]:
    """The type and shape of each stored weight; see `quantize`."""
    half, byte = np.dtype(np.float16), np.dtype(np.int8)
    weights = {name: (byte if name in _TABLES else half, shape) for name, shape in shapes.items()}
    return weights | {scales(name): (half, (shape[0], 1)) for name, shape in shapes.items() if name in _TABLES}


def max_bytes(shapes: Shapes) -> int:
    """The largest size of a file with these weights."""
    return _MAX_HEADER_BYTES + sum(dtype.itemsize * math.prod(shape) for dtype, shape in stored(shapes).values())


def load(content: bytes, names: Collection[str]) -> dict[str, np.ndarray]:
    """The arrays in the content of a safetensors file, which must be those with these names.

    Raises:
        ValueError: there are others, or the content is invalid.
    """
    length = int.from_bytes(content[:8], "little")
    if length > _MAX_HEADER_BYTES:
        raise ValueError(f"its header has {length} bytes")
    header = validation.parse(content[8 : 8 + length])
    validation.validate(header, {str: dict}, "header")
    if odd := sorted({*names} ^ header.keys() - {"__metadata__"}):
        raise ValueError(f"an array is missing or unexpected: {odd[0]!r:.60}")
    try:
        return safetensors.numpy.load(content)
    except (SafetensorError, KeyError, OverflowError) as error:
        raise ValueError(f"{error}") from error


def read(content: bytes, shapes: Shapes) -> dict[str, np.ndarray]:
    """Read weights from the content of a safetensors file.

    Raises:
        ValueError: names, types or shapes differ from `shapes`, a value is NaN or infinite, or a table is out of range.
    """
    expected = stored(shapes)
    weights = load(content, expected)
    for name, (dtype, shape) in expected.items():
        weight = weights[name]
        if (weight.dtype, weight.shape) != (dtype, shape):
            raise ValueError(f"{name} is {weight.dtype} {weight.shape}, not {dtype} {shape} as configured")
        if not all_finite(weight):
            raise ValueError(f"{name} contains NaN or infinity")
    for name in weights.keys() & {*_TABLES}:
        # The range of the 8-bit graphs relies on this; see `largest_value`.
        if weights[name].min() < -127 or weights[scales(name)].min() < 0:
            raise ValueError(f"{name} has values below -127 or negative scales")
    return weights


def all_finite(values: np.ndarray) -> bool:
    """Whether no value is NaN or infinite."""
    if values.dtype == np.float16:  # ten times as fast as NumPy's isfinite, which is not vectorised for float16
        return int((values.view(np.uint16) & 0x7FFF).max(initial=0)) < 0x7C00
    return values.dtype.kind == "i" or bool(np.isfinite(values).all())


SMALLEST_SCALE = 2.0**-14  # the smallest normal float16


def quantize(weights: Mapping[str, np.ndarray], tables: Sequence[str] = (WORD_TABLE,)) -> dict[str, np.ndarray]:
    """Weights as they are stored: float16, and embedding tables as int8 with a float16 scale per row."""
    quantized = {name: weight.astype(np.float16) for name, weight in weights.items()}
    for name in tables:
        table = weights[name].astype(np.float32)
        steps = np.maximum(np.abs(table).max(axis=1, keepdims=True) / 127, SMALLEST_SCALE).astype(np.float16)
        quantized[name] = np.round(table / steps).clip(-127, 127).astype(np.int8)
        quantized[scales(name)] = steps
    return quantized


def table_rows(
    weights: Mapping[str, np.ndarray], table: str, rows: Ids | slice = slice(None)
) -> npt.NDArray[np.float32]:
    """Rows of a stored embedding table, shape [rows, size]."""
    return weights[table][rows].astype(np.float32) * weights[scales(table)][rows]  # type: ignore[no-any-return]


def largest_value(weights: Mapping[str, np.ndarray], table: str) -> float:
    """An upper bound of the absolute values in a stored embedding table."""
    return 127 * float(weights[scales(table)].max())


def dequantize(weights: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Stored weights as a network loads them: tables as float32, without scales."""
    tables = {name: table_rows(weights, name) for name in weights if scales(name) in weights}
    table_scales = {scales(name) for name in tables}
    return {name: weight for name, weight in weights.items() if name not in table_scales} | tables
