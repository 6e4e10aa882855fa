"""Export of a model's graphs as ONNX files, with a README that describes their inputs and outputs."""

from __future__ import annotations

import json
from collections.abc import Iterable

from rnntag.model.stored import ModelBundle, StoredSegmenter
from rnntag.model.vocabulary import LONG_WORD, LONGEST_WORD, PAD, RESERVED, UNKNOWN
from rnntag.model.weights import BIGRAM_TABLE, BOUNDARIES, SHAPE_TABLE, UNIT_TABLE, WORD_TABLE, scales
from rnntag.onnx import graph as onnx_graph
from rnntag.onnx import protobuf
from rnntag.onnx.protobuf import FLOAT, INT32, INT64, IR_VERSION, MICROSOFT, OPSET, Graph, Port
from rnntag.version import __version__

ENCODER, TAGGER, SEGMENTER, README = "encoder.onnx", "tagger.onnx", "segmenter.onnx", "README.md"
FILES = (ENCODER, TAGGER, SEGMENTER, README)
"""The names of all files that an export may contain."""
_TYPES = {FLOAT: "float32", INT32: "int32", INT64: "int64"}


def files(model: ModelBundle, *, int8: bool = True) -> dict[str, bytes]:
    """The contents of the exported files, by name.

    Args:
        int8: compute in 8 bits where ONNX Runtime can; see `onnx.graph.has_int8`.
    """
    graphs = {}
    if model.config.input == "embedding":
        graphs[ENCODER] = onnx_graph.encoder(model)
    graphs[TAGGER] = onnx_graph.tagger(model, int8=int8)
    if model.segmenter:
        graphs[SEGMENTER] = onnx_graph.segmenter(model.segmenter, int8=int8)
    contents = {name: protobuf.write(graph) for name, graph in graphs.items()}
    return {**contents, README: _readme(model, graphs).encode("utf-8", "backslashreplace")}


def _readme(model: ModelBundle, graphs: dict[str, Graph]) -> str:
    in_8_bits = [name for name, graph in graphs.items() if _range(graph)]
    requirements = f"ONNX opset {OPSET}, IR version {IR_VERSION}."
    if in_8_bits:
        requirements += (
            f" LSTM layers of {' and '.join(f'`{name}`' for name in in_8_bits)} are in 8 bits: they use the operator "
            f"DynamicQuantizeLSTM of the domain `{MICROSOFT}`, which ONNX Runtime has. Graphs exported in 32 bits have "
            "standard operators only."
        )
    parts = [
        f"# ONNX graphs of {model.name}",
        f"Written by rnntag {__version__} from the model {model.name}:{model.digest}. {requirements}",
        "The graphs take vectors and ids. The tables for these are in the model's directory: "
        "`vocabulary.json`, `model.safetensors`, `shared_rows.safetensors` if there is one, `segmenter.json` and "
        "`segmenter.safetensors`. A vector of a stored "
        "table is a row of 8-bit numbers times the scale of that row.",
        *_tagger(model, graphs),
        *(_segmenter(model.segmenter, graphs[SEGMENTER]) if model.segmenter else ()),
    ]
    return "\n\n".join(parts) + "\n"


def _tagger(model: ModelBundle, graphs: dict[str, Graph]) -> Iterable[str]:
    graph = graphs[TAGGER]
    parts = [f"the row of the word in `{WORD_TABLE}` times its scale in `{scales(WORD_TABLE)}` (`model.safetensors`)"]
    if ENCODER in graphs:
        yield f"## {ENCODER}: the spelling of words"
        yield _ports(graphs[ENCODER])
        yield (
            f"`chars` holds the ids of the characters of each word, padded at the end with {PAD}; `lengths` holds the "
            "number of characters of each word, at least 1. Ids are positions in `characters` of `vocabulary.json`, "
            f"counted from {RESERVED}; other characters are {UNKNOWN}. First remove invisible characters and expand "
            "ligatures (`rnntag.model.spelling.READ_AS`), and replace the characters of `char_map[0]` by those at the "
            f"same position in `char_map[1]`. Of a word with more than {LONGEST_WORD} characters, take "
            f"the first and the last {LONGEST_WORD // 2}. `spelling` is the second part of each word's vector."
        )
        parts.append("`spelling`")
    yield f"## {TAGGER}: the tags of sentences"
    yield _ports(graph)
    table = model.weights[WORD_TABLE].shape[1]
    size = table + (2 * model.config.char_hidden if ENCODER in graphs else 0)
    yield _vectors(parts, size, graph, "word")
    yield (
        f"The row of a word is its position in the first {model.vocabulary.n_embedded} entries of `words`, followed by "
        f"`extra` (`vocabulary.json`), counted from {RESERVED}; {UNKNOWN} if it has none. First change its "
        f"characters as for the spelling and put it in lower case. {_shared(model)}`lengths` holds the number of words "
        "of each sentence, at least 1; vectors after the end of a sentence have no effect"
        f"{', if their values are within the range' if _range(graph) else ''}."
    )
    yield "The outputs are scores before the softmax, one per tag, in the order of `tags` in `vocabulary.json`:"
    yield "\n".join(
        f"- `{onnx_graph.scores_of(tagset)}`: {len(tags)} tags of {_shown(tagset)}; probabilities are the softmax of "
        f"the scores divided by {model.temperatures.get(tagset, 1.0)}."
        for tagset, tags in model.vocabulary.tags.items()
    )


def _shared(model: ModelBundle) -> str:
    if not model.vocabulary.shared:
        return ""
    first = model.vocabulary.word_rows - model.vocabulary.shared_rows
    return (
        f"A word that is in neither, of at most {LONG_WORD} characters, may share a row: look for the CRC-32 of its "
        f"UTF-8 in `hashes` (`shared_rows.safetensors`); the number at its place in `rows`, plus {first}, is its row. "
    )


def _segmenter(segmenter: StoredSegmenter, graph: Graph) -> Iterable[str]:
    yield f"## {SEGMENTER}: words and sentences of raw text"
    yield _ports(graph)
    tables = [UNIT_TABLE, SHAPE_TABLE, *([BIGRAM_TABLE] * 2 if segmenter.units.bigrams else [])]
    parts = [f"a row of `{table}` times its scale in `{scales(table)}`" for table in tables]
    yield _vectors(parts, sum(segmenter.weights[table].shape[1] for table in tables), graph, "unit")
    yield (
        "Units are runs of letters, runs of digits, and other single characters. "
        "`rnntag.model.pretokens.PretokenVocabulary.from_tables(tables).encode(texts)`, with `tables` the `units` of "
        "`segmenter.json`, gives the row numbers of each unit in these tables, in this order; "
        f"the {segmenter.units.shapes} rows of `{SHAPE_TABLE}` encode case, length, repetition and the white space "
        "before the unit. `lengths` holds the number of units of each text."
    )
    yield (
        f"{_first_output(segmenter)} holds the scores before the softmax of the boundary after the unit: "
        f"{', '.join(f'{number} {name}' for number, name in enumerate(BOUNDARIES))} (0: nothing; 2: a word too)."
    )
    if segmenter.expansions:
        languages = ", ".join(f"{number} {_shown(name)}" for number, name in enumerate(segmenter.expansions, 1))
        yield (
            f"A word that ends there is a token of the text. `{onnx_graph.MULTIWORDS}` holds the scores, at its last "
            f"unit, of what it is: 0 a word, or a multiword token of a language: {languages}. "
            "`rnntag.model.multiword.from_tables(tables)[language].words(token)`, with `tables` the `multiwords` of "
            "`segmenter.json`, gives its words."
        )


def _first_output(segmenter: StoredSegmenter) -> str:
    return f"The output `{onnx_graph.CLASSES}`" if segmenter.expansions else "The output"


def _vectors(parts: list[str], size: int, graph: Graph, what: str) -> str:
    numbers = _range(graph)
    if numbers:
        parts = [*parts, f"the two numbers {' and '.join(map(repr, numbers))}"]
    text = f"`vectors` has {size + len(numbers)} numbers for each {what}: {', then '.join(parts)}."
    if numbers:
        text += (
            " The last two columns are the same everywhere, padding included. They fix the range of the 8-bit numbers, "
            "which ONNX Runtime takes from the batch, so that batching cannot change results. The graph's metadata "
            f"repeats them as `{onnx_graph.RANGE_UNITS_KEY}`."
        )
    return text


def _range(graph: Graph) -> list[float]:
    """The numbers that each vector must end in."""
    return json.loads(graph.properties.get(onnx_graph.RANGE_UNITS_KEY, "[]"))  # type: ignore[no-any-return]


def _ports(graph: Graph) -> str:
    rows = [("input", port) for port in graph.inputs] + [("output", port) for port in graph.outputs]
    return "\n".join(["| | name | type | shape |", "| --- | --- | --- | --- |", *(_row(*row) for row in rows)])


def _row(kind: str, port: Port) -> str:
    return f"| {kind} | `{port.name}` | {_TYPES[port.kind]} | {', '.join(port.shape or ())} |"


def _shown(name: str) -> str:
    return name if name.isprintable() else ascii(name)
