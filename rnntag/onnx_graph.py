"""A stored network as ONNX graphs (https://onnx.ai/onnx/operators/), built straight from its weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import ModelProto, NodeProto, TensorProto, checker, helper, numpy_helper

from rnntag.schema import ModelConfig
from rnntag.store import ENCODER, TAGGER, StoredModel

MICROSOFT = "com.microsoft"
"""The domain of ONNX Runtime's own operators."""

OPSET = 17
IR_VERSION = 8

Array = npt.NDArray[np.float32]

_OPERATOR = {"rnn": "RNN", "lstm": "LSTM", "gru": "GRU"}
_GATE_ORDER = {"rnn": [0], "lstm": [0, 3, 1, 2], "gru": [1, 0, 2]}
"""Where ONNX's gates stand among torch's: i, o, f, c from i, f, g, o; and z, r, h from r, z, n."""


class _Graph:
    """Nodes and tensors as they are added; the name of each node's result is handed back."""

    def __init__(self, weights: Mapping[str, Array], *, int8: bool) -> None:
        self._weights = weights
        self._int8 = int8
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

    def recurrent(self, config: ModelConfig, x: str, lengths: str, prefix: str, hidden: int, *, gated: bool) -> str:
        """A layer over x, shape [time, batch, inputs]; the result's first output is all states,
        shape [time, directions, batch, hidden], its second (`…/last`) the last ones."""
        directions = [f"{prefix}.{name}" for name in ("forwards", "backwards") if self._has(f"{prefix}.{name}")]
        order = _GATE_ORDER[config.cell]

        def gates(name: str) -> Array:
            stacked = []
            for direction in directions:
                parts = np.split(self.weight(f"{direction}.{name}"), len(order))
                stacked.append(np.concatenate([parts[gate] for gate in order]))
            return np.stack(stacked)

        bias = self.weights(f"{prefix}/B", np.concatenate([gates("bias_ih_l0"), gates("bias_hh_l0")], axis=1))
        outputs = [f"{prefix}/states", f"{prefix}/last"]
        attributes: dict[str, Any] = {
            "hidden_size": hidden,
            "direction": "bidirectional" if len(directions) == 2 else "forward",
        }
        if self._int8 and config.cell == "lstm" and not gated:
            w, w_scale, w_zero = self._quantised(f"{prefix}/W", gates("weight_ih_l0"))
            r, r_scale, r_zero = self._quantised(f"{prefix}/R", gates("weight_hh_l0"))
            quantised = [x, w, r, bias, lengths, "", "", "", w_scale, w_zero, r_scale, r_zero]
            node = helper.make_node("DynamicQuantizeLSTM", quantised, outputs, domain=MICROSOFT, **attributes)
            self._nodes.append(node)
            return outputs[0]
        if gated:
            inputs = self._identities(prefix, order, hidden, len(directions))
        else:
            inputs = self.weights(f"{prefix}/W", gates("weight_ih_l0"))
        if config.cell == "gru":
            attributes["linear_before_reset"] = 1
        if config.cell == "rnn":
            attributes["activations"] = [config.activation.capitalize()] * len(directions)
        recurrent = [x, inputs, self.weights(f"{prefix}/R", gates("weight_hh_l0")), bias]
        self._nodes.append(helper.make_node(_OPERATOR[config.cell], [*recurrent, lengths], outputs, **attributes))
        return outputs[0]

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

    def _has(self, prefix: str) -> bool:
        return f"{prefix}.weight_hh_l0" in self._weights

    def _identities(self, prefix: str, order: list[int], hidden: int, directions: int) -> str:
        """The input matrices of a layer whose inputs are products already, in ONNX's order of gates.

        The graph makes them when it is loaded, so that a file does not carry millions of zeros.
        """
        size = len(order) * hidden
        shape = self.constant(f"{prefix}/identity/shape", np.array([size, size * directions], dtype=np.int64))
        zeros = self.node("ConstantOfShape", [shape], f"{prefix}/identity/zeros")
        rows = np.concatenate([np.arange(gate * hidden, (gate + 1) * hidden) for gate in order])
        chosen = self.constant(f"{prefix}/identity/rows", rows)
        axis = self.constant(f"{prefix}/identity/axis", np.array([0], dtype=np.int64))
        eyes = []
        for direction in range(directions):
            name = f"{prefix}/identity/{direction}"
            eye = self.node("EyeLike", [zeros], f"{name}/eye", k=size * direction)
            ordered = self.node("Gather", [eye, chosen], f"{name}/ordered", axis=0)
            eyes.append(self.node("Unsqueeze", [ordered, axis], name))
        return self.node("Concat", eyes, f"{prefix}/W", axis=0)

    def model(self, inputs: Mapping[str, tuple[int, list[str]]], outputs: Mapping[str, list[str]]) -> ModelProto:
        graph = helper.make_graph(
            self._nodes,
            "rnntag",
            [helper.make_tensor_value_info(name, kind, shape) for name, (kind, shape) in inputs.items()],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs.items()],
            list(self._tensors.values()),
        )
        operators = [helper.make_opsetid("", OPSET), helper.make_opsetid(MICROSOFT, 1)]
        model = helper.make_model(graph, opset_imports=operators, ir_version=IR_VERSION)
        checker.check_model(model)
        return model


def graphs(model: StoredModel, *, int8: bool = False) -> dict[str, bytes]:
    """Both graphs of a model, by the names of their files.

    Args:
        int8: whether the weights of LSTM layers go down to 8 bits, one scale a row, and their
            inputs while they run (ONNX Runtime's DynamicQuantizeLSTM). It has no such operator for
            other cells. The inputs' scale is that of a whole batch, so that which sentences stand
            beside it can decide on a tag that hangs in the balance.
    """
    return {
        ENCODER: encoder(model, int8=int8).SerializeToString(),
        TAGGER: tagger(model, int8=int8).SerializeToString(),
    }


def encoder(model: StoredModel, *, int8: bool) -> ModelProto:
    """Words to vectors.

    Inputs: `ids` [words], `chars` [longest, words], int64; `lengths` [words], int32; see
    `vocabulary.Words`. Output: `vectors` [words, size]. A one-hot encoder reads `ids` alone.
    """
    graph = _Graph(model.weights, int8=int8)
    inputs = {"ids": (TensorProto.INT64, ["words"])}
    if model.config.input == "onehot":
        graph.table("encoder.words.weight", "ids", "vectors")
        return graph.model(inputs, {"vectors": ["words", "size"]})
    inputs |= {"chars": (TensorProto.INT64, ["longest", "words"]), "lengths": (TensorProto.INT32, ["words"])}
    letters = graph.table("encoder.chars.weight", "chars", "letters")
    graph.recurrent(model.config, letters, "lengths", "encoder.spelling", model.config.char_hidden, gated=False)
    ends = graph.node("Transpose", ["encoder.spelling/last"], "ends", perm=[1, 0, 2])
    flat = graph.constant("flat", np.array([0, 2 * model.config.char_hidden], dtype=np.int64))
    spelling = graph.node("Reshape", [ends, flat], "spelling")
    known = graph.table("encoder.words.weight", "ids", "known")
    graph.node("Concat", [known, spelling], "vectors", axis=1)
    return graph.model(inputs, {"vectors": ["words", "size"]})


def tagger(model: StoredModel, *, int8: bool) -> ModelProto:
    """Vectors of sentences to scores.

    Inputs: `vectors` [time, sentences, size] and `lengths` [sentences], int32. Outputs: for each
    tagset, as `tags/NAME`, its scores before the softmax, [time, sentences, tags].
    """
    config = model.config
    graph = _Graph(model.weights, int8=int8)
    width = config.hidden * (2 if config.bidirectional else 1)
    flat = graph.constant("flat", np.array([0, 0, width], dtype=np.int64))
    x = "vectors"
    for depth in range(config.layers):
        prefix = f"layers.{depth}"
        gated = config.input == "onehot" and depth == 0
        states = graph.recurrent(config, x, "lengths", prefix, config.hidden, gated=gated)
        turned = graph.node("Transpose", [states], f"{prefix}/turned", perm=[0, 2, 1, 3])
        x = graph.node("Reshape", [turned, flat], f"{prefix}/flat")
    outputs = {}
    for number, (tagset, tags) in enumerate(model.vocabulary.tags.items()):
        head = f"heads.{number}"
        weight = graph.weights(f"{head}/W", graph.weight(f"{head}.weight").T)
        product = graph.node("MatMul", [x, weight], f"{head}/product")
        bias = graph.weights(f"{head}/B", graph.weight(f"{head}.bias"))
        outputs[graph.node("Add", [product, bias], f"tags/{tagset}")] = ["time", "sentences", str(len(tags))]
    return graph.model(
        {
            "vectors": (TensorProto.FLOAT, ["time", "sentences", "size"]),
            "lengths": (TensorProto.INT32, ["sentences"]),
        },
        outputs,
    )
