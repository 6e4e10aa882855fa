"""A stored network as ONNX graphs: of which nodes they are, what goes into their files, and whether what
somebody has put there is that."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping

import numpy as np

from rnntag import onnx_file
from rnntag.onnx_file import FLOAT, INT8, INT32, INT64, Graph, Port
from rnntag.onnx_layers import ANCHORS, LARGEST_WEIGHT, Array, Layers
from rnntag.schema import DataError, ModelConfig
from rnntag.store import (
    ANCHORS_KEY,
    CLASSES,
    ENCODER,
    SEGMENTER_GRAPH,
    TAGGER,
    StoredModel,
    StoredSegmenter,
    table_rows,
)
from rnntag.weight_shapes import BOUNDARIES, SEGMENTER_TABLES, WORD_TABLE, all_finite


def graphs(model: StoredModel, *, int8: bool | None = None) -> dict[str, bytes]:
    """The graphs of a model, by the names of their files: one for spellings, if it reads them, and
    one for sentences.

    Args:
        int8: whether the weights of the recurrent layers go down to 8 bits, one scale a row, and
            what they meet while they run; if None, where it can be done. ONNX Runtime can for an
            LSTM (DynamicQuantizeLSTM), if its inputs are no one-hot vectors.
    """
    if int8 is None:
        int8 = has_int8(model.config)
    # The largest value that a word's vector can have: the spelling's states lie between -1 and 1.
    largest = max(1.0, float(np.abs(table_rows(model.weights, WORD_TABLE)).max())) if int8 else None
    made = {TAGGER: tagger(model, largest)}
    if model.config.input == "embedding":
        made[ENCODER] = encoder(model)
    return {name: onnx_file.write(graph) for name, graph in made.items()}


def check(model: StoredModel) -> None:
    """Make sure that a model's graphs are those that `graphs` makes of such weights.

    Raises:
        DataError: one is anything else, and so might do anything.
    """
    makers: Mapping[str, Callable[[float | None], Graph]] = {
        ENCODER: lambda _: encoder(model),
        TAGGER: lambda largest: tagger(model, largest),
    }
    for name, content in model.graphs.items():
        _check(content, f"{model.name}/{name}", makers[name])


def check_segmenter(model: StoredSegmenter) -> None:
    """As `check`, for the graph of a segmenter."""
    _check(model.graph, SEGMENTER_GRAPH, lambda largest: _segmenter(model, largest))


def _check(content: bytes, source: str, expected: Callable[[float | None], Graph]) -> None:
    """Args:
    expected: given the largest value of a vector, as `sequences` takes it, the graph that it should be.
    """
    try:
        graph = onnx_file.read(content)
        largest, end = json.loads(graph.properties.get(ANCHORS_KEY, "[null, 0]"))
        if largest is not None and not 0 < largest == -end < math.inf:
            raise ValueError(f"its {ANCHORS_KEY} are {largest} and {end}")
        due = expected(largest)
        if graph.properties != due.properties or not onnx_file.same_structure(graph, due):
            raise ValueError("it is of another structure")
        for name, tensor in graph.tensors.items():
            values = tensor.values()
            if not all_finite(values):
                raise ValueError(f"tensor {name} holds what is no number")
            if tensor.kind == INT8 and not -LARGEST_WEIGHT <= values.min() <= values.max() <= LARGEST_WEIGHT:
                raise ValueError(f"tensor {name} has weights beyond {LARGEST_WEIGHT}: tags depend on the processor")
    except (ValueError, TypeError, RecursionError) as error:
        raise DataError(
            f"{source}: is not what this rnntag writes ({error}): "
            "'rnntag export MODEL --out DIR' makes it anew from the weights"
        ) from error


def has_int8(config: ModelConfig) -> bool:
    """Whether a network's recurrent layers can run in 8 bits."""
    return config.cell == "lstm" and config.input == "embedding" and not config.feedback


def encoder(model: StoredModel) -> Graph:
    """Spellings to vectors.

    Inputs: `chars` [longest, words], int64, and `lengths` [words], int32; see `vocabulary.Words`.
    Output: `spelling` [words, size].
    """
    graph = Layers(model.weights)
    letters = graph.table("encoder.chars.weight", "chars", "letters")
    graph.recurrent(model.config, letters, "lengths", "encoder.spelling", model.config.char_hidden)
    ends = graph.node("Transpose", ["encoder.spelling/last"], "ends", perm=[1, 0, 2])
    graph.node("Reshape", [ends, graph.numbers("flat", 0, 2 * model.config.char_hidden)], "spelling")
    inputs = [Port("chars", INT64, ("longest", "words")), Port("lengths", INT32, ("words",))]
    return graph.graph(inputs, {"spelling": ("words", "size")})


def tagger(model: StoredModel, largest: float | None) -> Graph:
    """Vectors of sentences to scores; see `sequences`. The outputs are one for each tagset, `tags/NAME`."""
    sizes = {f"tags/{tagset}": len(tags) for tagset, tags in model.vocabulary.tags.items()}
    return sequences(model.config, model.weights, sizes, largest)


def segmenter(model: StoredSegmenter, *, int8: bool = True) -> bytes:
    """Vectors of units to the scores of `CLASSES`; see `sequences`."""
    largest = max(float(np.abs(table_rows(model.weights, name)).max()) for name in SEGMENTER_TABLES)
    return onnx_file.write(_segmenter(model, largest if int8 else None))


def _segmenter(model: StoredSegmenter, largest: float | None) -> Graph:
    config = ModelConfig(cell="lstm", hidden=model.config.hidden)
    return sequences(config, model.weights, {CLASSES: len(BOUNDARIES)}, largest)


def sequences(
    config: ModelConfig, weights: Mapping[str, Array], sizes: Mapping[str, int], largest: float | None
) -> Graph:
    """The recurrent layers and the heads over them.

    Inputs: `vectors` [time, sentences, size] and `lengths` [sentences], int32. Outputs: for each
    head its scores before the softmax, [time, sentences, classes].

    In 8 bits each vector must end in the numbers that the file's properties hold under `ANCHORS_KEY`,
    see `onnx_layers.Layers.quantised_lstm`: outside the graph they are appended once a word, not once a token.

    Args:
        sizes: of each head, by the name of its output: how many classes it has.
        largest: for 8 bits, the largest value that a vector can have; None for 32 bits.
    """
    int8 = largest is not None
    graph = Layers(weights)
    directions = 2 if config.bidirectional else 1
    size = config.hidden + (ANCHORS if int8 else 0)
    flat = graph.numbers("flat", 0, 0, directions * size)
    heads = []
    for number, classes in enumerate(sizes.values()):

        def columns(number: int = number, classes: int = classes) -> Array:
            found = graph.weight(f"heads.{number}.weight").reshape(classes, directions, config.hidden)
            return np.pad(found, ((0, 0), (0, 0), (0, size - config.hidden))).reshape(classes, -1).T

        weight = graph.weights(f"heads.{number}/W", (directions * size, classes), columns)
        heads.append((weight, graph.turned(f"heads.{number}/B", f"heads.{number}.bias")))
    x = "vectors"
    for depth in range(config.layers):
        prefix = f"layers.{depth}"
        fed_back = config.feedback and depth == config.layers - 1
        if fed_back or (config.input == "onehot" and depth == 0):
            x = graph.stepped(config, x, "lengths", prefix, heads if fed_back else ())
            continue
        if int8:
            states = graph.quantised_lstm(x, "lengths", prefix, config.hidden, directions if depth else 1)
        else:
            states = graph.recurrent(config, x, "lengths", prefix, config.hidden)
        turned = graph.node("Transpose", [states], f"{prefix}/states/turned", perm=[0, 2, 1, 3])
        x = graph.node("Reshape", [turned, flat], f"{prefix}/flat")
    inputs = [Port("vectors", FLOAT, ("time", "sentences", "size")), Port("lengths", INT32, ("sentences",))]
    outputs: dict[str, tuple[str, ...] | None] = {}
    for head, (name, classes) in zip(heads, sizes.items(), strict=True):
        outputs[graph.head(x, head, name)] = ("time", "sentences", str(classes))
    return graph.graph(inputs, outputs, {} if largest is None else {ANCHORS_KEY: json.dumps([largest, -largest])})
