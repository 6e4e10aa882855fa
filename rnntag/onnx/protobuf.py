"""A writer of ONNX files: the protobuf messages (https://protobuf.dev/programming-guides/encoding/) of onnx.proto
(https://github.com/onnx/onnx/blob/main/onnx/onnx.proto), with fields in ascending order, as the onnx package writes
them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

OPSET, IR_VERSION = 17, 8
MICROSOFT = "com.microsoft"
"""The domain of ONNX Runtime's own operators."""
_OPERATORS = (("", OPSET), (MICROSOFT, 1))

FLOAT, INT8, INT32, INT64, HALF = 1, 3, 6, 7, 10
"""ONNX's codes of data types."""
_DTYPES = {FLOAT: "<f4", INT8: "|i1", INT32: "<i4", INT64: "<i8", HALF: "<f2"}

Array: TypeAlias = npt.NDArray[Any]
Attribute: TypeAlias = "int | str | Sequence[int] | Sequence[str] | Graph"


class Tensor(NamedTuple):
    """A constant; `kind` is its ONNX data type."""

    kind: int
    values: Array


class Node(NamedTuple):
    """An operator."""

    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Attribute]
    domain: str = ""


class Port(NamedTuple):
    """An input or output of a graph, with the names of its axes; None: any shape."""

    name: str
    kind: int
    shape: tuple[str, ...] | None


class Graph(NamedTuple):
    """An ONNX graph.

    Attributes:
        nodes: in topological order.
        tensors: the constants, by name.
        properties: metadata of the file.
    """

    nodes: tuple[Node, ...]
    tensors: Mapping[str, Tensor]
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    properties: Mapping[str, str] = MappingProxyType({})


def write(graph: Graph) -> bytes:
    """The content of an ONNX file (a ModelProto)."""
    operators = [_message((1, domain), (2, version)) for domain, version in _OPERATORS]
    properties = [_message((1, key), (2, value)) for key, value in graph.properties.items()]
    return _message((1, IR_VERSION), (7, _graph(graph)), *_each(8, operators), *_each(14, properties))


_Field: TypeAlias = tuple[int, "int | str | bytes"]
"""A field's number and value."""


def _message(*fields: _Field) -> bytes:
    parts = []
    for number, value in fields:
        if isinstance(value, int):
            parts += [_varint(number << 3), _varint(value % (1 << 64))]
        else:
            content = value.encode() if isinstance(value, str) else value
            parts += [_varint(number << 3 | 2), _varint(len(content)), content]
    return b"".join(parts)


def _varint(value: int) -> bytes:
    """Seven bits per byte, the lowest first; the eighth bit marks that more follow."""
    content = bytearray()
    while value > 0x7F:
        content.append(value & 0x7F | 0x80)
        value >>= 7
    content.append(value)
    return bytes(content)


def _each(number: int, values: Iterable[int | str | bytes]) -> list[_Field]:
    """A repeated field."""
    return [(number, value) for value in values]


def _graph(graph: Graph) -> bytes:
    return _message(
        *_each(1, map(_node, graph.nodes)),
        (2, "rnntag"),
        *_each(5, [_tensor(name, tensor) for name, tensor in graph.tensors.items()]),
        *_each(11, map(_port, graph.inputs)),
        *_each(12, map(_port, graph.outputs)),
    )


def _node(node: Node) -> bytes:
    attributes = [_attribute(name, value) for name, value in sorted(node.attributes.items())]
    domain = _each(7, [node.domain] if node.domain else [])
    return _message(*_each(1, node.inputs), *_each(2, node.outputs), (4, node.operator), *_each(5, attributes), *domain)


def _attribute(name: str, value: Attribute) -> bytes:
    values: list[int | str | bytes]
    if isinstance(value, Graph):
        field, kind, values = 6, 5, [_graph(value)]
    elif isinstance(value, int):
        field, kind, values = 3, 2, [value]
    elif isinstance(value, str):
        field, kind, values = 4, 3, [value]
    else:
        field, kind = (8, 7) if isinstance(value[0], int) else (9, 8)
        values = [*value]
    return _message((1, name), *_each(field, values), (20, kind))


def _tensor(name: str, tensor: Tensor) -> bytes:
    content = np.ascontiguousarray(tensor.values, dtype=_DTYPES[tensor.kind]).tobytes()
    return _message(*_each(1, tensor.values.shape), (2, tensor.kind), (8, name), (9, content))


def _port(port: Port) -> bytes:
    shape = [] if port.shape is None else [(2, _message(*_each(1, [_message((2, axis)) for axis in port.shape])))]
    return _message((1, port.name), (2, _message((1, _message((1, port.kind), *shape)))))
