"""Graphs in ONNX files (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto), written with the onnx
package and read without it.

Who reads a file need not trust it: only the fields that `write` writes are understood, and any other is
an error. So what has been read names no other file and brings no functions of its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

OPSET, IR_VERSION = 17, 8
MICROSOFT = "com.microsoft"
"""The domain of ONNX Runtime's own operators."""
_OPERATORS = (("", OPSET), (MICROSOFT, 1))

FLOAT, INT8, INT32, INT64, HALF = 1, 3, 6, 7, 10
"""ONNX's numbers for types."""
_DTYPES = {FLOAT: "<f4", INT8: "|i1", INT32: "<i4", INT64: "<i8", HALF: "<f2"}

_MOST_FIELDS = 1 << 17
"""Of a file: several times what a network of a hundred layers needs."""

Array: TypeAlias = npt.NDArray[Any]


class Tensor(NamedTuple):
    """A constant, whose values are made when somebody wants them.

    Attributes:
        kind: one of ONNX's numbers for types.
    """

    kind: int
    shape: tuple[int, ...]
    values: Callable[[], Array]


class Node(NamedTuple):
    """An operator. Its attributes are numbers, texts, lists of one of these, or a graph."""

    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]
    domain: str = ""


class Port(NamedTuple):
    """An input or an output of a graph, with the names of its axes; None: any."""

    name: str
    kind: int
    shape: tuple[str, ...] | None


class Graph(NamedTuple):
    """What is computed.

    Attributes:
        nodes: in an order in which they can be computed.
        tensors: by name.
        properties: what else the file tells.
    """

    nodes: tuple[Node, ...]
    tensors: Mapping[str, Tensor]
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    properties: Mapping[str, str] = MappingProxyType({})


def write(graph: Graph) -> bytes:
    """A file's content."""
    from onnx import checker, helper

    operators = [helper.make_opsetid(*one) for one in _OPERATORS]
    model = helper.make_model(_proto(graph), opset_imports=operators, ir_version=IR_VERSION)
    if graph.properties:
        helper.set_model_props(model, dict(graph.properties))
    checker.check_model(model)
    return bytes(model.SerializeToString())


def _proto(graph: Graph) -> Any:
    from onnx import helper, numpy_helper

    nodes = []
    for node in graph.nodes:
        values = {name: _proto(one) if isinstance(one, Graph) else one for name, one in node.attributes.items()}
        nodes.append(helper.make_node(node.operator, node.inputs, node.outputs, domain=node.domain or None, **values))
    tensors = [
        numpy_helper.from_array(np.ascontiguousarray(tensor.values(), dtype=_DTYPES[tensor.kind]), name)
        for name, tensor in graph.tensors.items()
    ]
    inputs, outputs = (
        [helper.make_tensor_value_info(*port) for port in side] for side in (graph.inputs, graph.outputs)
    )
    return helper.make_graph(nodes, "rnntag", inputs, outputs, tensors)


def read(content: bytes) -> Graph:
    """What `write` wrote. The values of tensors are parts of `content`.

    Raises:
        ValueError: it is anything else.
    """
    try:
        found = _Reader().message(memoryview(content), _MODEL)
        operators = tuple((one["domain"], one["version"]) for one in found["opset_import"])
        if (found["ir_version"], operators) != (IR_VERSION, _OPERATORS):
            raise ValueError("it is of another version")
        return _graph(found["graph"], {one["key"]: one["value"] for one in found["metadata_props"]})
    except (KeyError, RecursionError) as error:
        raise ValueError(f"a field is missing, or too deep: {error}") from error


def same_structure(one: Graph, other: Graph) -> bool:
    """Whether two graphs compute the same with tensors of the same types and shapes, in whatever order
    and under whatever names inside; of tensors of `INT64`, which tell shapes, the values count too.

    Raises:
        ValueError: something in a graph is used before it is there, or there twice.
    """
    numbers: dict[Any, int] = {}
    return _structure(one, numbers) == _structure(other, numbers)


def _structure(graph: Graph, numbers: dict[Any, int], around: Mapping[str, int] | None = None) -> tuple[Any, ...]:
    """Of everything in a graph a number that stands for how it is computed, in ascending order; and its outputs.

    Args:
        numbers: those that have been given, by what they stand for.
        around: the numbers of what the graph around can be seen to hold; None: there is none.
    """
    known = dict(around or {})

    def number(*meaning: Any) -> int:
        return numbers.setdefault(meaning, len(numbers))

    def add(name: str, meaning: int) -> None:
        if name in known:
            raise ValueError(f"{name} is there twice")
        known[name] = meaning

    def find(name: str) -> int:
        if name not in known:
            raise ValueError(f"{name} is used before it is there")
        return known[name]

    inside = around is not None
    for place, port in enumerate(graph.inputs):
        add(port.name, number("input", inside, place if inside else port.name, port.kind, port.shape))
    for name, tensor in graph.tensors.items():
        values = tensor.values().tobytes() if tensor.kind == INT64 else b""
        add(name, number("tensor", tensor.kind, tensor.shape, values))
    for node in graph.nodes:
        attributes = tuple(
            (name, type(value), _structure(value, numbers, known) if isinstance(value, Graph) else str(value))
            for name, value in sorted(node.attributes.items())
        )
        inputs = tuple(find(name) if name else None for name in node.inputs)
        meaning = number("node", node.operator, node.domain, inputs, attributes, len(node.outputs))
        for place, name in enumerate(node.outputs):
            add(name, number("output", meaning, place))
    own = sorted(meaning for name, meaning in known.items() if not around or name not in around)
    outputs = [(port if not inside else port._replace(name=""), find(port.name)) for port in graph.outputs]
    return tuple(own), tuple(outputs)


# Of each message that is read: by the number of a field its name, and its type, in a list if it may repeat.
_Form: TypeAlias = dict[int, tuple[str, Any]]
_ATTRIBUTE: _Form = {
    1: ("name", str), 3: ("i", int), 4: ("s", str), 8: ("ints", [int]), 9: ("strings", [str]), 20: ("type", int),
}  # fmt: skip
_NODE: _Form = {
    1: ("input", [str]), 2: ("output", [str]), 4: ("op_type", str), 5: ("attribute", [_ATTRIBUTE]), 7: ("domain", str),
}  # fmt: skip
_TENSOR: _Form = {1: ("dims", [int]), 2: ("data_type", int), 8: ("name", str), 9: ("raw_data", bytes)}
_SHAPE: _Form = {1: ("dim", [{2: ("dim_param", str)}])}
_TYPE: _Form = {1: ("tensor_type", {1: ("elem_type", int), 2: ("shape", _SHAPE)})}
_PORT: _Form = {1: ("name", str), 2: ("type", _TYPE)}
_GRAPH: _Form = {
    1: ("node", [_NODE]), 2: ("name", str), 5: ("initializer", [_TENSOR]), 11: ("input", [_PORT]),
    12: ("output", [_PORT]),
}  # fmt: skip
_ATTRIBUTE[6] = ("g", _GRAPH)
_MODEL: _Form = {
    1: ("ir_version", int), 7: ("graph", _GRAPH), 8: ("opset_import", [{1: ("domain", str), 2: ("version", int)}]),
    14: ("metadata_props", [{1: ("key", str), 2: ("value", str)}]),
}  # fmt: skip
_ATTRIBUTE_KINDS = {2: "i", 3: "s", 5: "g", 7: "ints", 8: "strings"}
_VARINT, _BYTES = 0, 2
_SIGN = 1 << 63


class _Reader:
    """Reads messages (https://protobuf.dev/programming-guides/encoding/), as many as `_MOST_FIELDS` allows."""

    def __init__(self) -> None:
        self._fields = 0

    def message(self, content: memoryview, form: _Form) -> dict[str, Any]:
        """The fields of a message by name.

        Raises:
            ValueError: one is unknown, of another type, or there twice.
        """
        found: dict[str, Any] = {name: [] for name, kind in form.values() if isinstance(kind, list)}
        for number, value in self._values(content):
            name, kind = form.get(number, ("", None))
            repeats = isinstance(kind, list)
            one = self._value(value, kind[0] if repeats else kind, number)
            if repeats:
                found[name].append(one)
            elif name in found:
                raise ValueError(f"{name} is there twice")
            else:
                found[name] = one
        return found

    def _value(self, value: int | memoryview, kind: Any, number: int) -> Any:
        if kind is int and isinstance(value, int):
            return value - 2 * _SIGN if value & _SIGN else value
        if isinstance(value, memoryview) and kind not in (int, None):
            if kind is bytes:
                return value
            return str(value, "utf-8") if kind is str else self.message(value, kind)
        raise ValueError(f"field {number} is not one that rnntag writes")

    def _values(self, content: memoryview) -> Iterator[tuple[int, int | memoryview]]:
        """The fields of a message: numbers and values."""
        place = 0
        while place < len(content):
            self._fields += 1
            if self._fields > _MOST_FIELDS:
                raise ValueError("it has too many fields")
            key, place = _number(content, place)
            value, place = _number(content, place)
            if key & 7 == _VARINT:
                yield key >> 3, value
            elif key & 7 == _BYTES and place + value <= len(content):
                yield key >> 3, content[place : place + value]
                place += value
            else:
                raise ValueError(f"field {key >> 3} is not one that rnntag writes, or is cut off")


def _number(content: memoryview, place: int) -> tuple[int, int]:
    """A number of at most 64 bits, and the place after it."""
    if place < len(content) and content[place] < 0x80:
        return content[place], place + 1
    value = 0
    for shift in range(0, 70, 7):
        if place >= len(content):
            raise ValueError("it is cut off")
        byte = content[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            break
    if byte >= 0x80 or value >= 2 * _SIGN:
        raise ValueError("a number is too long")
    return value, place


def _graph(found: Mapping[str, Any], properties: Mapping[str, str]) -> Graph:
    tensors = {one["name"]: _tensor(one) for one in found["initializer"]}
    if len(tensors) < len(found["initializer"]):
        raise ValueError("a tensor is there twice")
    inputs, outputs = (tuple(map(_port, found[side])) for side in ("input", "output"))
    return Graph(tuple(map(_node, found["node"])), tensors, inputs, outputs, properties)


def _node(found: Mapping[str, Any]) -> Node:
    attributes = {}
    for one in found["attribute"]:
        kind = _ATTRIBUTE_KINDS[one["type"]]
        given = {name for name, value in one.items() if value not in ([], None)} - {"name", "type"}
        if one["name"] in attributes or given != {kind}:
            raise ValueError(f"attribute {one['name']} is there twice, or not of its type")
        attributes[one["name"]] = _graph(one[kind], {}) if kind == "g" else one[kind]
    inputs, outputs = tuple(found["input"]), tuple(found["output"])
    return Node(found["op_type"], inputs, outputs, attributes, found.get("domain", ""))


def _port(found: Mapping[str, Any]) -> Port:
    kind = found["type"]["tensor_type"]
    shape = tuple(one["dim_param"] for one in kind["shape"]["dim"]) if "shape" in kind else None
    return Port(found["name"], kind["elem_type"], shape)


def _tensor(found: Mapping[str, Any]) -> Tensor:
    shape, kind, content = tuple(found["dims"]), found["data_type"], found["raw_data"]
    dtype = np.dtype(_DTYPES[kind])
    if min(shape, default=0) < 0 or math.prod(shape) * dtype.itemsize != len(content):
        raise ValueError(f"tensor {found['name']} is not of its shape")
    return Tensor(kind, shape, lambda: np.frombuffer(content, dtype).reshape(shape))
