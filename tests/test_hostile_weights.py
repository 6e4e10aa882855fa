"""Weights that somebody puts into a model directory, with checksums in order, are refused, or are a model."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given

from rnntag.config import INPUTS, SegmenterConfig
from rnntag.errors import DataError
from rnntag.model import directory
from rnntag.model import weights as weight_shapes
from rnntag.model.files import SEGMENTER, SEGMENTER_WEIGHTS, SHARED_ROWS, WEIGHTS
from rnntag.model.pretokens import PretokenVocabulary
from rnntag.model.stored import ModelBundle
from rnntag.network.segmenter import SegmenterNetwork
from rnntag.network.tagger import Network
from rnntag.sentences import Corpus
from rnntag.tagger import Tagger
from tests.conftest import KINDS, Run, refusal
from tests.smallest_model import attempt, repeatedly, sign
from tests.test_onnx import untrained

WEIGHT_FILES = (WEIGHTS, SEGMENTER_WEIGHTS, SHARED_ROWS)

EMPTY = {"dtype": "U8", "shape": [0], "data_offsets": [0, 0]}


@pytest.fixture
def folder(smallest_folder: Path) -> Path:
    return smallest_folder


def header_and_rest(content: bytes) -> tuple[dict[str, Any], bytes]:
    length = int.from_bytes(content[:8], "little")
    return json.loads(content[8 : 8 + length]), content[8 + length :]


def safetensors_file(header: Any, rest: bytes, length: int | None = None) -> bytes:
    text = json.dumps(header).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + rest


@repeatedly
@given(data=st.data())
def test_a_header_of_weights_that_somebody_has_changed(data: st.DataObject, folder: Path) -> None:
    name = data.draw(st.sampled_from(WEIGHT_FILES))
    header, rest = header_and_rest((folder / name).read_bytes())
    tensor = data.draw(st.sampled_from(sorted(header)))
    number = st.sampled_from([-1, 0, 1, 2, 3, 1 << 31, 1 << 62, 1 << 64, 10**30]) | st.integers(0, len(rest) + 9)
    fields = {
        "dtype": st.sampled_from(["F16", "I8", "F64", "BF16", "F8_E4M3", "BOOL", "", 1]),
        "shape": st.lists(number, max_size=3),
        "data_offsets": st.lists(number, min_size=2, max_size=2),
        "x": st.none(),
    }
    field = data.draw(st.sampled_from([*fields]))
    header[tensor][field] = data.draw(fields[field])
    attempt(folder, name, safetensors_file(header, rest))


@pytest.mark.parametrize("name", WEIGHT_FILES)
@pytest.mark.parametrize(
    "hostile",
    [
        lambda header, rest: safetensors_file(header, rest, 1 << 62),
        lambda header, rest: safetensors_file(header, rest, len(rest) + 10_000),
        lambda header, rest: safetensors_file(header, rest + b"\0" * 9),
        lambda header, rest: safetensors_file(header, rest[:-1]),
        lambda header, rest: safetensors_file({**header, "more": header[min(header)]}, rest),
        lambda header, rest: safetensors_file({**header, **dict.fromkeys(map(str, range(50_000)), EMPTY)}, rest),
        lambda header, rest: safetensors_file({name: header[name] for name in header if name != min(header)}, rest),
        lambda header, rest: safetensors_file({**header, min(header): header[max(header)]}, rest),
        lambda header, rest: safetensors_file([], rest),
        lambda header, rest: safetensors_file({}, b""),
        lambda header, rest: b"",
        lambda header, rest: b"\x80\x04cos\nsystem\n",  # a pickle
    ],
)
def test_weights_that_do_not_fit_are_refused(name: str, hostile: Callable[..., bytes], folder: Path) -> None:
    (folder / name).write_bytes(hostile(*header_and_rest((folder / name).read_bytes())))
    sign(folder)
    with pytest.raises(DataError):
        directory.read(folder)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("name", ["heads.0.bias", "encoder.words.scale"])
def test_weights_that_are_no_numbers_are_refused(name: str, value: float, smallest: ModelBundle, folder: Path) -> None:
    weights = {**smallest.weights, name: np.full_like(smallest.weights[name], value)}
    (folder / WEIGHTS).write_bytes(safetensors.numpy.save(weights))
    sign(folder)
    with pytest.raises(DataError, match=f"{name} contains NaN or infinity"):
        directory.read(folder)


@pytest.mark.parametrize(
    ("file", "table"),
    [(WEIGHTS, "encoder.words"), *((SEGMENTER_WEIGHTS, t[:-7]) for t in weight_shapes.SEGMENTER_TABLES)],
)
@pytest.mark.parametrize(("kind", "value"), [("weight", -128), ("scale", -1), ("scale", -(2.0**-24))])
def test_tables_beyond_the_range_of_8_bits_are_refused(
    file: str, table: str, kind: str, value: float, run: Run, folder: Path
) -> None:
    """Else tags would depend on which sentences are tagged together."""
    weights = safetensors.numpy.load((folder / file).read_bytes())
    weights[f"{table}.{kind}"] = weights[f"{table}.{kind}"].copy()
    weights[f"{table}.{kind}"][-1, -1] = value
    (folder / file).write_bytes(safetensors.numpy.save(weights))
    sign(folder)
    told = refusal(run("tag", "-m", "m", "a"), 65)
    assert f"{table}.weight has values below -127 or negative scales" in told


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("value", [0, 127, -127, 65504, -65504])
def test_the_largest_weights_make_a_model(cell: str, value: int, smallest: ModelBundle) -> None:
    """ONNX Runtime loads what is built from them, and finds a tag for every word, in 8 bits and in 32."""
    config = replace(smallest.config, cell=cell, bidirectional=True)
    shapes = weight_shapes.stored(weight_shapes.tagger(config, smallest.vocabulary.word_rows, 3, [2]))
    weights = {}
    for name, (dtype, shape) in shapes.items():
        most = 127 if dtype == np.int8 else 65504
        weights[name] = np.full(shape, abs(value) if name.endswith("scale") else np.clip(value, -most, most), dtype)
    model = replace(smallest, config=config, weights=weights)
    for int8 in (True, False):
        with np.errstate(all="ignore"):
            (tags,) = Tagger(model, int8=int8).predict([["a", "b", "c"]])
        assert set(tags) <= {"X", "Y"}


def test_tagsets_may_have_any_name(smallest: ModelBundle) -> None:
    """They are names of the graph's outputs."""
    names = ("\udc80", "a b\n", "", "\0", "vectors", "heads.0/W", "é" * 999)
    for name in names:
        model = replace(smallest, vocabulary=replace(smallest.vocabulary, tags={name: ("X", "Y")}))
        assert len(Tagger(model).predict([["a"]], name)[0]) == 1


@pytest.mark.parametrize(("cell", "activation"), KINDS)
@pytest.mark.parametrize("input", INPUTS)
@pytest.mark.parametrize("shape", [{}, {"bidirectional": False, "layers": 2}, {"feedback": True, "layers": 2}])
def test_the_shapes_are_those_of_the_network(
    cell: str, activation: str, input: str, shape: dict[str, Any], starter: list[Corpus]
) -> None:
    model = untrained(starter, cell=cell, activation=activation, input=input, **shape)
    words, characters = model.vocabulary.word_rows, model.vocabulary.character_rows
    shapes = weight_shapes.tagger(model.config, words, characters, list(map(len, model.vocabulary.tags.values())))
    assert shapes == {name: weight.shape for name, weight in Network.of(model).weights().items()}
    assert weight_shapes.stored(shapes) == {name: (w.dtype, w.shape) for name, w in model.weights.items()}


@pytest.mark.parametrize("bigrams", [0, 7])
def test_the_shapes_are_those_of_the_segmenter(bigrams: int) -> None:
    config = SegmenterConfig(bigrams=bigrams, hidden=3)
    units = PretokenVocabulary(("ab", "c"), {}, ("", ""), bigrams)
    network = SegmenterNetwork(config, units)
    shapes = {name: tuple(weight.shape) for name, weight in network.named_parameters()}
    assert weight_shapes.segmenter(config, units.rows, units.shapes, bigrams) == shapes


@pytest.mark.parametrize("lost", [SEGMENTER_WEIGHTS, SEGMENTER])
def test_half_of_a_segmenter_is_refused(lost: str, folder: Path) -> None:
    (folder / lost).unlink()
    sign(folder)
    with pytest.raises(DataError):
        directory.read(folder)
