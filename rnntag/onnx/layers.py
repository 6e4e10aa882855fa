"""Recurrent layers as nodes of an ONNX graph (https://onnx.ai/onnx/operators/), built straight from
stored weights."""

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
"""Where ONNX's gates stand among torch's: i, o, f, c from i, f, g, o; and z, r, h from r, z, n."""
_DIRECTION = {1: "forward", 2: "bidirectional"}

RANGE_UNITS = 2
_SHUT = 100.0
"""Far enough from 0 for a sigmoid, and for tanh, to be at its end."""

LARGEST_WEIGHT = 64
"""Of the weights in 8 bits. ONNX Runtime multiplies activations of 0 to 255 by them and, on processors with AVX2 but
without VNNI, adds two neighbouring products in 16 bits, where a sum stops at 32,767. 2 × 255 × 64 is 32,640, so no
sum is ever cut off, and every processor computes the same."""


class Layers:
    """Nodes and tensors as they are added; the name of each node's result is handed back."""

    def __init__(self, weights: Mapping[str, Array]) -> None:
        self._weights = weights
        self._nodes: list[Node] = []
        self._tensors: dict[str, Tensor] = {}

    def weight(self, name: str) -> Array:
        return self._weights[name]

    def shape(self, name: str) -> tuple[int, ...]:
        return self._weights[name].shape

    def constant(self, name: str, kind: int, values: npt.NDArray[Any]) -> str:
        self._tensors[name] = Tensor(kind, values)
        return name

    def numbers(self, name: str, *numbers: int) -> str:
        return self.constant(name, INT64, np.array(numbers))

    def weights(self, name: str, values: Array) -> str:
        """A constant in the half precision that weights are stored in, widened when it is loaded."""
        return self.node("Cast", [self.constant(f"{name}/half", HALF, values)], name, to=FLOAT)

    def table(self, name: str, rows: str, output: str) -> str:
        """Rows of an embedding table, widened when they are looked up."""
        table = self.constant(name, HALF, self._weights[name])
        return self.node("Cast", [self.node("Gather", [table, rows], f"{output}/half")], output, to=FLOAT)

    def node(self, operator: str, inputs: Sequence[str], output: str, **attributes: Any) -> str:
        return self.nodes(operator, inputs, [output], **attributes)

    def nodes(
        self, operator: str, inputs: Sequence[str], outputs: Sequence[str], domain: str = "", **attributes: Any
    ) -> str:
        """A node of several results, of which the name of the first is handed back."""
        self._nodes.append(Node(operator, tuple(inputs), tuple(outputs), attributes, domain))
        return outputs[0]

    def recurrent(self, config: ModelConfig, x: str, lengths: str, prefix: str, hidden: int) -> str:
        """A layer over x, shape [time, batch, inputs]; the result's first output is all states,
        shape [time, directions, batch, hidden], its second (`…/last`) the last ones."""
        order = _GATE_ORDER[config.cell]
        directions = len(self._directions(prefix))

        def flat(name: str) -> Array:
            return _flat(self._gates(prefix, name, order))

        bias = self.weights(f"{prefix}/B", np.concatenate([flat("bias_ih_l0"), flat("bias_hh_l0")], axis=1))
        inputs = self.weights(f"{prefix}/W", flat("weight_ih_l0"))
        attributes: dict[str, Any] = {"hidden_size": hidden, "direction": _DIRECTION[directions]}
        if config.cell == "gru":
            attributes["linear_before_reset"] = 1
        if config.cell == "rnn":
            attributes["activations"] = [config.activation.capitalize()] * directions
        recurrent = self.weights(f"{prefix}/R", flat("weight_hh_l0"))
        given = [x, inputs, recurrent, bias, lengths]
        return self.nodes(_OPERATOR[config.cell], given, [f"{prefix}/states", f"{prefix}/last"], **attributes)

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
            self.nodes("Split", [x], inputs, axis=2)
        long = self.node("Cast", [lengths], f"{prefix}/lengths", to=INT64)
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
            matrix = self.turned(f"{kernel}/W", f"{kernel}.weight_ih_l0")
            x = self.node("MatMul", [x, matrix], f"{kernel}/inputs")
        x = self.node("Add", [x, self.turned(f"{kernel}/b", f"{kernel}.bias_ih_l0")], f"{kernel}/x")
        recurrent = self.turned(f"{kernel}/R", f"{kernel}.weight_hh_l0")
        bias = self.turned(f"{kernel}/d", f"{kernel}.bias_hh_l0")
        sizes = [config.hidden] * (2 if config.cell == "lstm" else 1)
        fed = None
        if heads:
            sizes.append(self.shape(f"{kernel}.weight_fb_l0")[1])
            fed = self.turned(f"{kernel}/F", f"{kernel}.weight_fb_l0")
        batch = self.node("Shape", [x], f"{kernel}/batch", start=1, end=2)
        initial = []
        for part, size in enumerate(sizes):
            width = self.numbers(f"{kernel}/{part}/size", size)
            shape = self.node("Concat", [batch, width], f"{kernel}/{part}/shape", axis=0)
            initial.append(self.node("ConstantOfShape", [shape], f"{kernel}/{part}/zero"))

        body = Layers({})
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
        scan = body.graph([Port(name, FLOAT, None) for name in (*before, *given)], dict.fromkeys((*after, shown)))
        ends = [f"{kernel}/{part}/end" for part in range(len(sizes))]
        inputs = [*initial, x, *([behind] if behind else [])]
        states = f"{kernel}/states"
        self.nodes("Scan", inputs, [*ends, states], body=scan, num_scan_inputs=len(given))
        return states

    def turned(self, name: str, weight: str) -> str:
        """A weight, its axes the other way round."""
        return self.weights(name, self.weight(weight).T)

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
        self.nodes("Split", [x], gates, axis=-1)
        return gates

    def head(self, states: str, head: tuple[str, str], name: str) -> str:
        """Scores of tags, given the weights and the bias of a head."""
        weight, bias = head
        return self.node("Add", [self.node("MatMul", [states, weight], f"{name}/product"), bias], name)

    def quantised_lstm(self, x: str, lengths: str, prefix: str, hidden: int, blocks: int) -> str:
        """As `recurrent`, for an LSTM in 8 bits, whose states have `RANGE_UNITS` more units.

        ONNX Runtime scales x, and at each step the states, by the extremes over a whole batch, so
        that sentences would decide on each other's tags. So the extremes are held fast: of the
        states by units that stay at 1 and -1, of x by columns that do.

        Args:
            x: its columns in so many blocks, each with `RANGE_UNITS` at its end.
        """
        order = _GATE_ORDER["lstm"]
        directions = len(self._directions(prefix))
        size = hidden + RANGE_UNITS
        rows = ((0, 0), (0, 0), (0, RANGE_UNITS))  # of directions, gates, units

        w = self._gates(prefix, "weight_ih_l0", order)
        w = np.pad(w.reshape(*w.shape[:3], blocks, -1), (*rows, (0, 0), (0, RANGE_UNITS)))
        r = np.pad(self._gates(prefix, "weight_hh_l0", order), (*rows, (0, RANGE_UNITS)))
        biases = [np.pad(self._gates(prefix, name, order), rows) for name in ("bias_ih_l0", "bias_hh_l0")]
        # Gates i, o, f, c: nothing enters an anchor's cell, all of it is kept, and all of it is shown.
        biases[0][:, :3, hidden:] = [[-_SHUT], [_SHUT], [_SHUT]]
        range_units = np.zeros((directions, 1, size), dtype=np.float32)
        range_units[..., hidden:] = [1, -1]
        sentences = self.node("Shape", [lengths], f"{prefix}/sentences")
        ends = [self.numbers(f"{prefix}/first", directions), self.numbers(f"{prefix}/last", size)]
        shape = self.node("Concat", [ends[0], sentences, ends[1]], f"{prefix}/shape", axis=0)
        state = self.constant(f"{prefix}/h/one", FLOAT, range_units)
        state = self.node("Expand", [state, shape], f"{prefix}/h")
        cell = self.constant(f"{prefix}/c/one", FLOAT, _SHUT * range_units)
        cell = self.node("Expand", [cell, shape], f"{prefix}/c")
        w8, w_scale, w_zero = self._quantised(f"{prefix}/W", _flat(w.reshape(*w.shape[:3], -1)))
        r8, r_scale, r_zero = self._quantised(f"{prefix}/R", _flat(r))
        bias = self.weights(f"{prefix}/B", np.concatenate([_flat(one) for one in biases], axis=1))
        given = [x, w8, r8, bias, lengths, state, cell, "", w_scale, w_zero, r_scale, r_zero]
        attributes: dict[str, Any] = {"hidden_size": size, "direction": _DIRECTION[directions]}
        return self.nodes("DynamicQuantizeLSTM", given, [f"{prefix}/states"], MICROSOFT, **attributes)

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
    """[directions, gates, units, …] to [directions, gates times units, …]."""
    return gates.reshape(len(gates), -1, *gates.shape[3:])
