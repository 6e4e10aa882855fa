"""The ONNX graphs of a model, built from its weights when it is loaded."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

import numpy as np

from rnntag.config import ModelConfig
from rnntag.model.stored import ModelBundle, StoredSegmenter
from rnntag.model.weights import SEGMENTER_TABLES, WORD_TABLE, largest_value, segmenter_classes
from rnntag.onnx.layers import RANGE_UNITS, Array, Layers
from rnntag.onnx.protobuf import FLOAT, INT32, INT64, Graph, Port

if TYPE_CHECKING:
    from rnntag.model.language_model import StoredLanguageModel

CLASSES = "boundaries"
"""The name of the first output of a segmenter's graph."""
MULTIWORDS = "multiwords"
"""The name of the second output of the graph of a segmenter that finds multiword tokens."""
RANGE_UNITS_KEY = "range_units"
"""The metadata entry that lists the numbers at the end of each vector, as JSON."""


def has_int8(config: ModelConfig) -> bool:
    """Whether ONNX Runtime has an operator for a network's recurrent layers in 8 bits (DynamicQuantizeLSTM)."""
    return config.cell == "lstm" and config.input == "embedding" and not config.feedback


def encoder(model: ModelBundle | StoredLanguageModel) -> Graph:
    """The graph from characters to spelling vectors.

    Inputs: `chars` [longest, words], int64, and `lengths` [words], int32; see `batching.WordIds`.
    Output: `spelling` [words, size].
    """
    graph = Layers(model.weights)
    letters = graph.table("encoder.chars.weight", "chars", "letters")
    graph.recurrent(model.config, letters, "lengths", "encoder.spelling", model.config.char_hidden)
    ends = graph.node("Transpose", ["encoder.spelling/last"], "ends", perm=[1, 0, 2])  # [words, directions, hidden]
    graph.node("Reshape", [ends, graph.numbers("flat", 0, 2 * model.config.char_hidden)], "spelling")
    inputs = [Port("chars", INT64, ("longest", "words")), Port("lengths", INT32, ("words",))]
    return graph.graph(inputs, {"spelling": ("words", "size")})


def tagger(model: ModelBundle, tagsets: Collection[str] | None = None, *, int8: bool = True) -> Graph:
    """The graph from word vectors to scores; see `sequences`. Each tagset has an output; see `scores_of`.

    Args:
        tagsets: those to compute; None: all.
        int8: compute the recurrent layers in 8 bits if `has_int8`.
    """
    int8 = int8 and has_int8(model.config)
    # The bound of a word vector's values: the states of the spelling lie between -1 and 1.
    largest = max(1.0, largest_value(model.weights, WORD_TABLE)) if int8 else None
    sizes = {scores_of(tagset): len(tags) for tagset, tags in model.vocabulary.tags.items()}
    asked = None if tagsets is None else [scores_of(tagset) for tagset in tagsets]
    return sequences(model.config, model.weights, sizes, largest, asked)


def scores_of(tagset: str) -> str:
    """The name of a tagset's output. The names in an untrusted model may not be valid Unicode."""
    return f"tags/{tagset}".encode("utf-8", "backslashreplace").decode()


def segmenter(model: StoredSegmenter, *, int8: bool = True) -> Graph:
    """The graph from unit vectors to the scores of `CLASSES` and `MULTIWORDS`; see `sequences`."""
    largest = max(largest_value(model.weights, name) for name in SEGMENTER_TABLES) if int8 else None
    config = ModelConfig(cell="lstm", hidden=model.config.hidden)
    sizes = dict(zip(segmenter_outputs(model), segmenter_classes(len(model.expansions)), strict=True))
    return sequences(config, model.weights, sizes, largest)


def segmenter_outputs(model: StoredSegmenter) -> tuple[str, ...]:
    """The names of the outputs of a segmenter's graph."""
    return (CLASSES, MULTIWORDS) if model.expansions else (CLASSES,)


def sequences(
    config: ModelConfig,
    weights: Mapping[str, Array],
    sizes: Mapping[str, int],
    largest: float | None,
    asked: Collection[str] | None = None,
) -> Graph:
    """The graph of the recurrent layers and the heads.

    Inputs: `vectors` [time, sentences, size] and `lengths` [sentences], int32. Outputs: for each head asked for, the
    scores before the softmax, [time, sentences, classes].

    In 8 bits, each vector must end in the numbers of the graph's property `RANGE_UNITS_KEY`; see
    `Layers.quantised_lstm`. The caller appends them, once per word instead of once per token.

    Args:
        sizes: the number of classes of each head, by the name of its output.
        largest: for 8 bits, the largest absolute value of a vector; None for 32 bits.
        asked: the outputs to compute; None: all.
    """
    int8 = largest is not None
    graph = Layers(weights)
    directions = 2 if config.bidirectional else 1
    size = config.hidden + (RANGE_UNITS if int8 else 0)
    flat = graph.numbers("flat", 0, 0, directions * size)
    heads = []
    for number, classes in enumerate(sizes.values()):
        weight = graph.weight(f"heads.{number}.weight").reshape(classes, directions, config.hidden)
        padded = np.pad(weight, ((0, 0), (0, 0), (0, size - config.hidden))).reshape(classes, -1)
        columns = graph.weights(f"heads.{number}/W", padded.T)
        heads.append((columns, graph.transposed(f"heads.{number}/B", f"heads.{number}.bias")))
    x = "vectors"
    for depth in range(config.layers):
        prefix = f"layers.{depth}"
        fed_back = config.feedback and depth == config.layers - 1
        if fed_back or (config.input == "onehot" and depth == 0):
            x = graph.unrolled(config, x, "lengths", prefix, heads if fed_back else ())
            continue
        if int8:
            states = graph.quantised_lstm(x, "lengths", prefix, config.hidden, directions if depth else 1)
        else:
            states = graph.recurrent(config, x, "lengths", prefix, config.hidden)
        # [time, directions, sentences, size] to [time, sentences, directions × size]
        transposed = graph.node("Transpose", [states], f"{prefix}/states/transposed", perm=[0, 2, 1, 3])
        x = graph.node("Reshape", [transposed, flat], f"{prefix}/flat")
    inputs = [Port("vectors", FLOAT, ("time", "sentences", "size")), Port("lengths", INT32, ("sentences",))]
    outputs: dict[str, tuple[str, ...] | None] = {}
    for head, (name, classes) in zip(heads, sizes.items(), strict=True):
        if asked is None or name in asked:
            outputs[graph.head(x, head, name)] = ("time", "sentences", str(classes))
    return graph.graph(inputs, outputs, {} if largest is None else {RANGE_UNITS_KEY: json.dumps([largest, -largest])})
