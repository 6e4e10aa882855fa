"""Recurrent layers as nodes of an ONNX graph (https://onnx.ai/onnx/operators/), built from stored weights.

The counterpart of `network/cells.py`, without torch. Methods return the name of the result of the node they add.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from rnntag.config import ModelConfig
from rnntag.onnx.protobuf import FLOAT, HALF, INT8, INT64, MICROSOFT, Graph, Node, Port, Tensor

Array = npt.NDArray[np.floating[Any]]

_OPERATOR = {"rnn": "RNN", "lstm": "LSTM", "gru": "GRU"}
_GATE_ORDER = {"rnn": [0], "lstm": [0, 3, 1, 2], "gru": [1, 0, 2]}
"""Positions of ONNX's gates among torch's: i, o, f, c in i, f, g, o; z, r, h in r, z, n."""
_DIRECTION = {1: "forward", 2: "bidirectional"}

RANGE_UNITS = 2
"""Constant units per direction of an 8-bit layer that fix the range of its activations; see `Layers.quantised_lstm`."""
_SATURATED = 100.0
"""At this distance from 0, sigmoid and tanh have reached their limits."""

LARGEST_WEIGHT = 64
"""Limit of the 8-bit weights. ONNX Runtime multiplies them by activations of 0 to 255. With AVX2 but without VNNI, it
adds two neighbouring products in 16 bits, which saturates at 32,767. 2 × 255 × 64 is 32,640: no sum saturates, and all
processors compute the same."""


class Layers:
    """The nodes and tensors of a graph under construction."""

    def __init__(self, weights: Mapping[str, Array]) -> None:
        self._weights = weights
        self._nodes: list[Node] = []
        self._tensors: dict[str, Tensor] = {}

    def weight(self, name: str) -> Array:
        return self._weights[name]

    def constant(self, name: str, kind: int, values: npt.NDArray[Any]) -> str:
        self._tensors[name] = Tensor(kind, values)
        return name

    def numbers(self, name: str, *numbers: int) -> str:
        return self.constant(name, INT64, np.array(numbers))

    def weights(self, name: str, values: Array) -> str:
        """A constant, in float16 as weights are stored, cast to float32 when the graph is loaded."""
        return self.node("Cast", [self.constant(f"{name}/half", HALF, values)], name, to=FLOAT)

    def table(self, name: str, rows: str, output: str) -> str:
        """Rows of an embedding table, cast to float32."""
        table = self.constant(name, HALF, self._weights[name])
        return self.node("Cast", [self.node("Gather", [table, rows], f"{output}/half")], output, to=FLOAT)

    def node(self, operator: str, inputs: Sequence[str], output: str, **attributes: Any) -> str:
        return self.nodes(operator, inputs, [output], **attributes)

    def nodes(
        self, operator: str, inputs: Sequence[str], outputs: Sequence[str], domain: str = "", **attributes: Any
    ) -> str:
        """A node with several results; returns the name of the first."""
        self._nodes.append(Node(operator, tuple(inputs), tuple(outputs), attributes, domain))
        return outputs[0]

    def recurrent(self, config: ModelConfig, x: str, lengths: str, prefix: str, hidden: int) -> str:
        """A layer over x, shape [time, batch, inputs].

        Returns:
            All hidden states, shape [time, directions, batch, hidden]. A second result, `{prefix}/last`, has the last
            ones, shape [directions, batch, hidden].
        """
        order = _GATE_ORDER[config.cell]
        directions = len(self._directions(prefix))

        def flat(name: str) -> Array:
            return _flat(self._gates(prefix, name, order))

        bias = self.weights(f"{prefix}/B", np.concatenate([flat("bias_ih_l0"), flat("bias_hh_l0")], axis=1))
        input_weight = self.weights(f"{prefix}/W", flat("weight_ih_l0"))
        attributes: dict[str, Any] = {"hidden_size": hidden, "direction": _DIRECTION[directions]}
        if config.cell == "gru":
            attributes["linear_before_reset"] = 1
        if config.cell == "rnn":
            attributes["activations"] = [config.activation.capitalize()] * directions
        recurrent_weight = self.weights(f"{prefix}/R", flat("weight_hh_l0"))
        inputs = [x, input_weight, recurrent_weight, bias, lengths]
        return self.nodes(_OPERATOR[config.cell], inputs, [f"{prefix}/states", f"{prefix}/last"], **attributes)

    def unrolled(self, config: ModelConfig, x: str, lengths: str, prefix: str, heads: Sequence[tuple[str, str]]) -> str:
        """A layer with feedback or on one-hot words, step by step; see `cells.UnrolledCell`.

        Args:
            x: shape [time, batch, inputs]; of one-hot words, the products with the input matrices.
            heads: with feedback, weight and bias of each head; else none.

        Returns:
            All hidden states, shape [time, batch, directions × hidden].
        """
        directions = self._directions(prefix)
        if len(directions) == 1:
            return self._scan(config, x, directions[0], heads, None)
        inputs = [x, x]
        if f"{directions[0]}.weight_ih_l0" not in self._weights:
            inputs = [f"{direction}/products" for direction in directions]
            self.nodes("Split", [x], inputs, axis=2)
        int64_lengths = self.node("Cast", [lengths], f"{prefix}/lengths", to=INT64)
        axes = {"time_axis": 0, "batch_axis": 1}
        reversed_x = self.node("ReverseSequence", [inputs[1], int64_lengths], f"{prefix}/reversed", **axes)
        reversed_states = self._scan(config, reversed_x, directions[1], (), None)
        backward = self.node("ReverseSequence", [reversed_states, int64_lengths], f"{prefix}/backward", **axes)
        forward = self._scan(config, inputs[0], directions[0], heads, backward)
        return self.node("Concat", [forward, backward], f"{prefix}/both", axis=2)

    def _scan(
        self, config: ModelConfig, x: str, kernel: str, heads: Sequence[tuple[str, str]], backward: str | None
    ) -> str:
        """The hidden states of one direction, shape [time, batch, hidden].

        Args:
            backward: the states of the backward direction, which the heads of a forward one also read.
        """
        if f"{kernel}.weight_ih_l0" in self._weights:
            matrix = self.transposed(f"{kernel}/W", f"{kernel}.weight_ih_l0")
            x = self.node("MatMul", [x, matrix], f"{kernel}/inputs")
        x = self.node("Add", [x, self.transposed(f"{kernel}/b", f"{kernel}.bias_ih_l0")], f"{kernel}/x")
        recurrent = self.transposed(f"{kernel}/R", f"{kernel}.weight_hh_l0")
        bias = self.transposed(f"{kernel}/d", f"{kernel}.bias_hh_l0")
        # The parts of the state, as in `cells.State`.
        sizes = [config.hidden] * (2 if config.cell == "lstm" else 1)
        feedback = None
        if heads:
            sizes.append(self._weights[f"{kernel}.weight_fb_l0"].shape[1])
            feedback = self.transposed(f"{kernel}/F", f"{kernel}.weight_fb_l0")
        batch = self.node("Shape", [x], f"{kernel}/batch", start=1, end=2)
        initial = []
        for part, size in enumerate(sizes):
            width = self.numbers(f"{kernel}/{part}/size", size)
            shape = self.node("Concat", [batch, width], f"{kernel}/{part}/shape", axis=0)
            initial.append(self.node("ConstantOfShape", [shape], f"{kernel}/{part}/zero"))

        # The body of the Scan computes one step: from the state before and the step's inputs to the state after, and
        # the hidden state once more as the output of the step.
        body = Layers({})
        before = [f"{kernel}/{part}/before" for part in range(len(sizes))]
        step_inputs = [f"{kernel}/step", *([f"{kernel}/backward"] if backward else [])]
        step = step_inputs[0]
        if feedback:
            fed_back = body.node("MatMul", [before[-1], feedback], f"{kernel}/fed_back")
            step = body.node("Add", [step, fed_back], f"{kernel}/both")
        product = body.node("MatMul", [before[0], recurrent], f"{kernel}/product")
        after = body.step(config, step, body.node("Add", [product, bias], f"{kernel}/recurrent"), before, kernel)
        if heads:
            states = after[0]
            if backward:
                states = body.node("Concat", [states, step_inputs[1]], f"{kernel}/head_inputs", axis=-1)
            probs = []
            for number, head in enumerate(heads):
                scores = body.head(states, head, f"{kernel}/{number}")
                probs.append(body.node("Softmax", [scores], f"{kernel}/{number}/probs", axis=-1))
            after.append(body.node("Concat", probs, f"{kernel}/probs", axis=-1))
        output = body.node("Identity", [after[0]], f"{kernel}/output")
        ports = [Port(name, FLOAT, None) for name in (*before, *step_inputs)]
        scan = body.graph(ports, dict.fromkeys((*after, output)))
        ends = [f"{kernel}/{part}/end" for part in range(len(sizes))]
        inputs = [*initial, x, *([backward] if backward else [])]
        self.nodes("Scan", inputs, [*ends, f"{kernel}/states"], body=scan, num_scan_inputs=len(step_inputs))
        return f"{kernel}/states"

    def transposed(self, name: str, weight: str) -> str:
        return self.weights(name, self.weight(weight).T)

    def step(self, config: ModelConfig, x: str, recurrent: str, state: list[str], prefix: str) -> list[str]:
        """One step of a cell as in `cells`: the parts of the next state, without feedback."""
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
        self.nodes("Split", [x], gates, axis=-1)
        return gates

    def head(self, states: str, head: tuple[str, str], name: str) -> str:
        """Scores of classes, given the weight and the bias of a head."""
        weight, bias = head
        return self.node("Add", [self.node("MatMul", [states, weight], f"{name}/product"), bias], name)

    def quantised_lstm(self, x: str, lengths: str, prefix: str, hidden: int, blocks: int) -> str:
        """An LSTM layer in 8 bits.

        ONNX Runtime quantises x, and at each step the hidden states, with the range of their values over the whole
        batch. So that batching cannot change results, constants fix both ranges: two more units in each direction whose
        hidden states stay at 1 and -1, and columns of x with its largest value and its negative. All weights to and
        from them are 0.

        Args:
            x: shape [time, batch, blocks × (columns + `RANGE_UNITS`)].
            blocks: the number of parts of x that each end in `RANGE_UNITS` constants: the directions of the layer
                below, or 1 for the word vectors.

        Returns:
            All hidden states, shape [time, directions, batch, hidden + `RANGE_UNITS`].
        """
        order = _GATE_ORDER["lstm"]
        directions = len(self._directions(prefix))
        size = hidden + RANGE_UNITS
        padding = ((0, 0), (0, 0), (0, RANGE_UNITS))  # of [directions, gates, units]

        # w: [directions, gates, units, blocks, columns]; r: [directions, gates, units, units].
        w = self._gates(prefix, "weight_ih_l0", order)
        w = np.pad(w.reshape(*w.shape[:3], blocks, -1), (*padding, (0, 0), (0, RANGE_UNITS)))
        r = np.pad(self._gates(prefix, "weight_hh_l0", order), (*padding, (0, RANGE_UNITS)))
        biases = [np.pad(self._gates(prefix, name, order), padding) for name in ("bias_ih_l0", "bias_hh_l0")]
        # Gates i, o, f of a range unit are 0, 1, 1: its cell keeps the initial value, which tanh maps to 1 or -1.
        biases[0][:, :3, hidden:] = [[-_SATURATED], [_SATURATED], [_SATURATED]]
        range_units = np.zeros((directions, 1, size), dtype=np.float32)
        range_units[..., hidden:] = [1, -1]
        sentences = self.node("Shape", [lengths], f"{prefix}/sentences")
        first, last = self.numbers(f"{prefix}/first", directions), self.numbers(f"{prefix}/last", size)
        shape = self.node("Concat", [first, sentences, last], f"{prefix}/shape", axis=0)
        state = self.constant(f"{prefix}/h/one", FLOAT, range_units)
        state = self.node("Expand", [state, shape], f"{prefix}/h")
        cell = self.constant(f"{prefix}/c/one", FLOAT, _SATURATED * range_units)
        cell = self.node("Expand", [cell, shape], f"{prefix}/c")
        w8, w_scale, w_zero = self._quantised(f"{prefix}/W", _flat(w.reshape(*w.shape[:3], -1)))
        r8, r_scale, r_zero = self._quantised(f"{prefix}/R", _flat(r))
        bias = self.weights(f"{prefix}/B", np.concatenate([_flat(part) for part in biases], axis=1))
        inputs = [x, w8, r8, bias, lengths, state, cell, "", w_scale, w_zero, r_scale, r_zero]
        attributes: dict[str, Any] = {"hidden_size": size, "direction": _DIRECTION[directions]}
        return self.nodes("DynamicQuantizeLSTM", inputs, [f"{prefix}/states"], MICROSOFT, **attributes)

    def _gates(self, prefix: str, name: str, order: list[int]) -> Array:
        """A weight of all directions with the gates in ONNX's order, shape [directions, gates, units, …]."""
        stacked = []
        for direction in self._directions(prefix):
            parts = np.split(self.weight(f"{direction}.{name}"), len(order))
            stacked.append(np.stack([parts[gate] for gate in order]))
        return np.stack(stacked)

    def _quantised(self, name: str, matrix: Array) -> tuple[str, str, str]:
        """A matrix [directions, rows, columns] in 8 bits with a scale per row.

        Returns:
            The matrix in the operator's layout [directions, columns, rows]; scales; zero points.
        """
        values = matrix.astype(np.float32)
        scale = np.maximum(np.maximum(values.max(axis=2), -values.min(axis=2)), 1e-12) / LARGEST_WEIGHT
        values /= scale[:, :, None]
        np.rint(values, out=values)
        return (
            self.constant(name, INT8, values.astype(np.int8).transpose(0, 2, 1)),
            self.constant(f"{name}/scale", FLOAT, scale),
            self.constant(f"{name}/zero", INT8, np.zeros(scale.shape)),
        )

    def _directions(self, prefix: str) -> list[str]:
        names = [f"{prefix}.{name}" for name in ("forwards", "backwards")]
        return [name for name in names if f"{name}.weight_hh_l0" in self._weights]

    def graph(
        self,
        inputs: Sequence[Port],
        outputs: Mapping[str, tuple[str, ...] | None],
        properties: Mapping[str, str] | None = None,
    ) -> Graph:
        ports = tuple(Port(name, FLOAT, shape) for name, shape in outputs.items())
        return Graph(tuple(self._nodes), self._tensors, tuple(inputs), ports, properties or {})


def _flat(gates: Array) -> Array:
    """[directions, gates, units, …] to [directions, gates × units, …]."""
    return gates.reshape(len(gates), -1, *gates.shape[3:])
