"""A stored network as ONNX graphs (https://onnx.ai/onnx/operators/), built straight from its weights."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, checker, helper, numpy_helper

from rnntag.schema import ModelConfig
from rnntag.store import (
    ANCHORS_KEY,
    BOUNDARIES,
    CLASSES,
    ENCODER,
    SEGMENTER_TABLES,
    TAGGER,
    WORD_TABLE,
    StoredModel,
    StoredSegmenter,
    table_rows,
)

MICROSOFT = "com.microsoft"
"""The domain of ONNX Runtime's own operators."""

OPSET = 17
IR_VERSION = 8

Array = npt.NDArray[np.float32]

_OPERATOR = {"rnn": "RNN", "lstm": "LSTM", "gru": "GRU"}
_GATE_ORDER = {"rnn": [0], "lstm": [0, 3, 1, 2], "gru": [1, 0, 2]}
"""Where ONNX's gates stand among torch's: i, o, f, c from i, f, g, o; and z, r, h from r, z, n."""
_DIRECTION = {1: "forward", 2: "bidirectional"}

ANCHORS = 2
_SHUT = 100.0
"""Far enough from 0 for a sigmoid, and for tanh, to be at its end."""


class _Graph:
    """Nodes and tensors as they are added; the name of each node's result is handed back."""

    def __init__(self, weights: Mapping[str, Array]) -> None:
        self._weights = weights
        self._nodes: list[NodeProto] = []
        self._tensors: dict[str, TensorProto] = {}

    def weight(self, name: str) -> Array:
        return self._weights[name].astype(np.float32)

    def constant(self, name: str, value: npt.NDArray[Any]) -> str:
        self._tensors[name] = numpy_helper.from_array(np.ascontiguousarray(value), name)
        return name

    def weights(self, name: str, value: Array) -> str:
        """A constant in the half precision that weights are stored in, widened when it is loaded."""
        return self.node("Cast", [self.constant(f"{name}/half", value.astype(np.float16))], name, to=TensorProto.FLOAT)

    def table(self, name: str, rows: str, output: str) -> str:
        """Rows of an embedding table, widened when they are looked up."""
        table = self.constant(name, self._weights[name].astype(np.float16))
        return self.node("Cast", [self.node("Gather", [table, rows], f"{output}/half")], output, to=TensorProto.FLOAT)

    def node(self, operator: str, inputs: Sequence[str], output: str, **attributes: Any) -> str:
        self._nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def recurrent(self, config: ModelConfig, x: str, lengths: str, prefix: str, hidden: int) -> str:
        """A layer over x, shape [time, batch, inputs]; the result's first output is all states,
        shape [time, directions, batch, hidden], its second (`…/last`) the last ones."""
        order = _GATE_ORDER[config.cell]
        directions = len(self._directions(prefix))
        biases = [_flat(self._gates(prefix, name, order)) for name in ("bias_ih_l0", "bias_hh_l0")]
        bias = self.weights(f"{prefix}/B", np.concatenate(biases, axis=1))
        inputs = self.weights(f"{prefix}/W", _flat(self._gates(prefix, "weight_ih_l0", order)))
        attributes: dict[str, Any] = {"hidden_size": hidden, "direction": _DIRECTION[directions]}
        if config.cell == "gru":
            attributes["linear_before_reset"] = 1
        if config.cell == "rnn":
            attributes["activations"] = [config.activation.capitalize()] * directions
        recurrent = self.weights(f"{prefix}/R", _flat(self._gates(prefix, "weight_hh_l0", order)))
        outputs = [f"{prefix}/states", f"{prefix}/last"]
        node = helper.make_node(_OPERATOR[config.cell], [x, inputs, recurrent, bias, lengths], outputs, **attributes)
        self._nodes.append(node)
        return outputs[0]

    def stepped(self, config: ModelConfig, x: str, lengths: str, prefix: str, heads: Sequence[tuple[str, str]]) -> str:
        """A layer over x, shape [time, batch, inputs], step by step, as `cells.SteppedKernel` has it:
        on one-hot words, whose products with the input matrix x then holds, or with feedback.

        Args:
            heads: with feedback the weights and the bias of each head; of another layer none.

        Returns:
            All states, shape [time, batch, directions × hidden].
        """
        directions = self._directions(prefix)
        if len(directions) == 1:
            return self._scan(config, x, directions[0], heads, None)
        inputs = [x, x]
        if f"{directions[0]}.weight_ih_l0" not in self._weights:
            inputs = [f"{direction}/products" for direction in directions]
            self._nodes.append(helper.make_node("Split", [x], inputs, axis=2))
        long = self.node("Cast", [lengths], f"{prefix}/lengths", to=TensorProto.INT64)
        turn = {"time_axis": 0, "batch_axis": 1}
        turned = self.node("ReverseSequence", [inputs[1], long], f"{prefix}/turned", **turn)
        back = self._scan(config, turned, directions[1], (), None)
        behind = self.node("ReverseSequence", [back, long], f"{prefix}/behind", **turn)
        ahead = self._scan(config, inputs[0], directions[0], heads, behind)
        return self.node("Concat", [ahead, behind], f"{prefix}/both", axis=2)

    def _scan(
        self, config: ModelConfig, x: str, kernel: str, heads: Sequence[tuple[str, str]], behind: str | None
    ) -> str:
        """The hidden states of one direction, shape [time, batch, hidden]."""
        if f"{kernel}.weight_ih_l0" in self._weights:
            matrix = self.weights(f"{kernel}/W", self.weight(f"{kernel}.weight_ih_l0").T)
            x = self.node("MatMul", [x, matrix], f"{kernel}/inputs")
        x = self.node("Add", [x, self.weights(f"{kernel}/b", self.weight(f"{kernel}.bias_ih_l0"))], f"{kernel}/x")
        recurrent = self.weights(f"{kernel}/R", self.weight(f"{kernel}.weight_hh_l0").T)
        bias = self.weights(f"{kernel}/d", self.weight(f"{kernel}.bias_hh_l0"))
        sizes = [config.hidden] * (2 if config.cell == "lstm" else 1)
        fed = None
        if heads:
            feedback = self.weight(f"{kernel}.weight_fb_l0").T
            sizes.append(len(feedback))
            fed = self.weights(f"{kernel}/F", feedback)
        batch = self.node("Shape", [x], f"{kernel}/batch", start=1, end=2)
        initial = []
        for part, size in enumerate(sizes):
            width = self.constant(f"{kernel}/{part}/size", np.array([size]))
            shape = self.node("Concat", [batch, width], f"{kernel}/{part}/shape", axis=0)
            initial.append(self.node("ConstantOfShape", [shape], f"{kernel}/{part}/zero"))

        body = _Graph({})
        before = [f"{kernel}/{part}/before" for part in range(len(sizes))]
        given = [f"{kernel}/now", *([f"{kernel}/behind"] if behind else [])]
        now = given[0]
        if fed:
            now = body.node("Add", [now, body.node("MatMul", [before[-1], fed], f"{kernel}/fed")], f"{kernel}/both")
        product = body.node("MatMul", [before[0], recurrent], f"{kernel}/product")
        after = body.step(config, now, body.node("Add", [product, bias], f"{kernel}/recurrent"), before, kernel)
        if heads:
            seen = body.node("Concat", [after[0], given[1]], f"{kernel}/seen", axis=-1) if behind else after[0]
            shares = [
                body.node("Softmax", [body.head(seen, head, f"{kernel}/{number}")], f"{kernel}/{number}/share", axis=-1)
                for number, head in enumerate(heads)
            ]
            after.append(body.node("Concat", shares, f"{kernel}/shares", axis=-1))
        shown = body.node("Identity", [after[0]], f"{kernel}/shown")
        kinds = dict.fromkeys((*before, *given), (TensorProto.FLOAT, None))
        scan = body.graph(kinds, dict.fromkeys((*after, shown)))
        ends = [f"{kernel}/{part}/end" for part in range(len(sizes))]
        inputs = [*initial, x, *([behind] if behind else [])]
        states = f"{kernel}/states"
        node = helper.make_node("Scan", inputs, [*ends, states], body=scan, num_scan_inputs=len(given))
        self._nodes.append(node)
        return states

    def step(self, config: ModelConfig, x: str, recurrent: str, state: list[str], prefix: str) -> list[str]:
        """What `cells` computes in a step: the parts of the next state, but for what is fed back."""
        if config.cell == "rnn":
            total = self.node("Add", [x, recurrent], f"{prefix}/total")
            return [self.node(config.activation.capitalize(), [total], f"{prefix}/h")]
        if config.cell == "lstm":
            total = self.node("Add", [x, recurrent], f"{prefix}/total")
            i, f, g, o = self._gates_of(total, "ifgo", prefix)
            i, f, o = (self.node("Sigmoid", [gate], f"{gate}/open") for gate in (i, f, o))
            kept = self.node("Mul", [f, state[1]], f"{prefix}/kept")
            new = self.node("Mul", [i, self.node("Tanh", [g], f"{g}/new")], f"{prefix}/new")
            c = self.node("Add", [kept, new], f"{prefix}/c")
            return [self.node("Mul", [o, self.node("Tanh", [c], f"{prefix}/c/tanh")], f"{prefix}/h"), c]
        parts = self._gates_of(x, "rzn", f"{prefix}/x"), self._gates_of(recurrent, "rzn", f"{prefix}/h")
        r, z = (
            self.node("Sigmoid", [self.node("Add", pair, f"{pair[0]}/sum")], f"{pair[0]}/open")
            for pair in list(zip(*parts, strict=True))[:2]
        )
        reset = self.node("Mul", [r, parts[1][2]], f"{prefix}/reset")
        new = self.node("Tanh", [self.node("Add", [parts[0][2], reset], f"{prefix}/n")], f"{prefix}/new")
        # z h + (1 - z) n = n + z (h - n)
        gap = self.node("Mul", [z, self.node("Sub", [state[0], new], f"{prefix}/gap")], f"{prefix}/kept")
        return [self.node("Add", [new, gap], f"{prefix}/h")]

    def _gates_of(self, x: str, names: str, prefix: str) -> list[str]:
        gates = [f"{prefix}/{name}" for name in names]
        self._nodes.append(helper.make_node("Split", [x], gates, axis=-1))
        return gates

    def head(self, states: str, head: tuple[str, str], name: str) -> str:
        """Scores of tags, given the weights and the bias of a head."""
        weight, bias = head
        return self.node("Add", [self.node("MatMul", [states, weight], f"{name}/product"), bias], name)

    def quantised_lstm(self, x: str, lengths: str, prefix: str, hidden: int, blocks: int) -> str:
        """As `recurrent`, for an LSTM in 8 bits, whose states have `ANCHORS` more units.

        ONNX Runtime scales x, and at each step the states, by the extremes over a whole batch, so
        that sentences would decide on each other's tags. So the extremes are held fast: of the
        states by units that stay at 1 and -1, of x by columns that do.

        Args:
            x: its columns in so many blocks, each with `ANCHORS` at its end.
        """
        order = _GATE_ORDER["lstm"]
        directions = len(self._directions(prefix))
        size = hidden + ANCHORS
        rows = ((0, 0), (0, 0), (0, ANCHORS))  # of directions, gates, units
        w = self._gates(prefix, "weight_ih_l0", order)
        w = np.pad(w.reshape(*w.shape[:3], blocks, -1), (*rows, (0, 0), (0, ANCHORS)))
        r = np.pad(self._gates(prefix, "weight_hh_l0", order), (*rows, (0, ANCHORS)))
        biases = [np.pad(self._gates(prefix, name, order), rows) for name in ("bias_ih_l0", "bias_hh_l0")]
        # Gates i, o, f, c: nothing enters an anchor's cell, all of it is kept, and all of it is shown.
        biases[0][:, :3, hidden:] = [[-_SHUT], [_SHUT], [_SHUT]]
        anchors = np.zeros((directions, 1, size), dtype=np.float32)
        anchors[..., hidden:] = [1, -1]
        sentences = self.node("Shape", [lengths], f"{prefix}/sentences")
        ends = [self.constant(f"{prefix}/{name}", np.array([n])) for name, n in (("first", directions), ("last", size))]
        shape = self.node("Concat", [ends[0], sentences, ends[1]], f"{prefix}/shape", axis=0)
        state, cell = (
            self.node("Expand", [self.constant(f"{prefix}/{name}/one", value), shape], f"{prefix}/{name}")
            for name, value in (("h", anchors), ("c", _SHUT * anchors))
        )
        w8, w_scale, w_zero = self._quantised(f"{prefix}/W", _flat(w.reshape(*w.shape[:3], -1)))
        r8, r_scale, r_zero = self._quantised(f"{prefix}/R", _flat(r))
        bias = self.weights(f"{prefix}/B", np.concatenate([_flat(one) for one in biases], axis=1))
        states = f"{prefix}/states"
        inputs = [x, w8, r8, bias, lengths, state, cell, "", w_scale, w_zero, r_scale, r_zero]
        attributes: dict[str, Any] = {"hidden_size": size, "direction": _DIRECTION[directions]}
        self._nodes.append(helper.make_node("DynamicQuantizeLSTM", inputs, [states], domain=MICROSOFT, **attributes))
        return states

    def _gates(self, prefix: str, name: str, order: list[int]) -> Array:
        """A weight of both directions in ONNX's order of gates, shape [directions, gates, units, …]."""
        stacked = []
        for direction in self._directions(prefix):
            parts = np.split(self.weight(f"{direction}.{name}"), len(order))
            stacked.append(np.stack([parts[gate] for gate in order]))
        return np.stack(stacked)

    def _quantised(self, name: str, matrix: Array) -> tuple[str, str, str]:
        """A matrix [directions, rows, columns] in 8 bits, one scale a row, as the node wants it:
        [directions, columns, rows]; its scales and its zero points."""
        scale = np.maximum(np.abs(matrix).max(axis=2), 1e-12) / 127
        eighths = np.round(matrix / scale[:, :, None]).astype(np.int8).transpose(0, 2, 1)
        return (
            self.constant(name, eighths),
            self.constant(f"{name}/scale", scale.astype(np.float32)),
            self.constant(f"{name}/zero", np.zeros(scale.shape, dtype=np.int8)),
        )

    def _directions(self, prefix: str) -> list[str]:
        names = [f"{prefix}.{name}" for name in ("forwards", "backwards")]
        return [name for name in names if f"{name}.weight_hh_l0" in self._weights]

    def graph(
        self, inputs: Mapping[str, tuple[int, list[str] | None]], outputs: Mapping[str, list[str] | None]
    ) -> GraphProto:
        return helper.make_graph(
            self._nodes,
            "rnntag",
            [helper.make_tensor_value_info(name, kind, shape) for name, (kind, shape) in inputs.items()],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs.items()],
            list(self._tensors.values()),
        )

    def model(
        self, inputs: Mapping[str, tuple[int, list[str] | None]], outputs: Mapping[str, list[str] | None]
    ) -> ModelProto:
        operators = [helper.make_opsetid("", OPSET), helper.make_opsetid(MICROSOFT, 1)]
        model = helper.make_model(self.graph(inputs, outputs), opset_imports=operators, ir_version=IR_VERSION)
        checker.check_model(model)
        return model


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
    made = {TAGGER: tagger(model, int8=int8)}
    if model.config.input == "embedding":
        made[ENCODER] = encoder(model)
    return {name: graph.SerializeToString() for name, graph in made.items()}


def has_int8(config: ModelConfig) -> bool:
    """Whether a network's recurrent layers can run in 8 bits."""
    return config.cell == "lstm" and config.input == "embedding" and not config.feedback


def encoder(model: StoredModel) -> ModelProto:
    """Spellings to vectors.

    Inputs: `chars` [longest, words], int64, and `lengths` [words], int32; see `vocabulary.Words`.
    Output: `spelling` [words, size].
    """
    graph = _Graph(model.weights)
    letters = graph.table("encoder.chars.weight", "chars", "letters")
    graph.recurrent(model.config, letters, "lengths", "encoder.spelling", model.config.char_hidden)
    ends = graph.node("Transpose", ["encoder.spelling/last"], "ends", perm=[1, 0, 2])
    flat = graph.constant("flat", np.array([0, 2 * model.config.char_hidden], dtype=np.int64))
    graph.node("Reshape", [ends, flat], "spelling")
    return graph.model(
        {"chars": (TensorProto.INT64, ["longest", "words"]), "lengths": (TensorProto.INT32, ["words"])},
        {"spelling": ["words", "size"]},
    )


def tagger(model: StoredModel, *, int8: bool) -> ModelProto:
    """Vectors of sentences to scores; see `sequences`. The outputs are one for each tagset, `tags/NAME`."""
    sizes = {f"tags/{tagset}": len(tags) for tagset, tags in model.vocabulary.tags.items()}
    # The largest value that a word's vector can have: the spelling's states lie between -1 and 1.
    largest = max(1.0, float(np.abs(table_rows(model.weights, WORD_TABLE)).max()))
    return sequences(model.config, model.weights, sizes, largest if int8 else None)


def segmenter(model: StoredSegmenter, *, int8: bool = True) -> bytes:
    """Vectors of units to the scores of `CLASSES`; see `sequences`."""
    largest = max(float(np.abs(table_rows(model.weights, name)).max()) for name in SEGMENTER_TABLES)
    config = ModelConfig(cell="lstm", hidden=model.config.hidden)
    made = sequences(config, model.weights, {CLASSES: len(BOUNDARIES)}, largest if int8 else None)
    return bytes(made.SerializeToString())


def sequences(
    config: ModelConfig, weights: Mapping[str, Array], sizes: Mapping[str, int], largest: float | None
) -> ModelProto:
    """The recurrent layers and the heads over them.

    Inputs: `vectors` [time, sentences, size] and `lengths` [sentences], int32. Outputs: for each
    head its scores before the softmax, [time, sentences, classes].

    In 8 bits each vector must end in the numbers that the metadata holds under `ANCHORS_KEY`, see
    `_Graph.quantised_lstm`: outside the graph they are appended once a word, not once a token.

    Args:
        sizes: of each head, by the name of its output: how many classes it has.
        largest: for 8 bits, the largest value that a vector can have.
    """
    int8 = largest is not None
    graph = _Graph(weights)
    directions = 2 if config.bidirectional else 1
    size = config.hidden + (ANCHORS if int8 else 0)
    flat = graph.constant("flat", np.array([0, 0, directions * size], dtype=np.int64))
    heads = []
    for number, classes in enumerate(sizes.values()):
        columns = graph.weight(f"heads.{number}.weight").reshape(classes, directions, config.hidden)
        columns = np.pad(columns, ((0, 0), (0, 0), (0, size - config.hidden)))
        weight = graph.weights(f"heads.{number}/W", columns.reshape(classes, -1).T)
        heads.append((weight, graph.weights(f"heads.{number}/B", graph.weight(f"heads.{number}.bias"))))
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
    outputs: dict[str, list[str] | None] = {}
    for head, (name, classes) in zip(heads, sizes.items(), strict=True):
        outputs[graph.head(x, head, name)] = ["time", "sentences", str(classes)]
    made = graph.model(
        {
            "vectors": (TensorProto.FLOAT, ["time", "sentences", "size"]),
            "lengths": (TensorProto.INT32, ["sentences"]),
        },
        outputs,
    )
    if largest is not None:
        helper.set_model_props(made, {ANCHORS_KEY: json.dumps([largest, -largest])})
    return made


def _flat(gates: Array) -> Array:
    """[directions, gates, units, …] to [directions, gates times units, …]."""
    return gates.reshape(len(gates), -1, *gates.shape[3:])
