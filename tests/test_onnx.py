"""The graphs compute what the network computes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper

from rnntag.config import INPUTS, ModelConfig, TrainConfig
from rnntag.corpora import loading
from rnntag.model import directory
from rnntag.model.shared_rows import SharedRows
from rnntag.model.stored import ModelBundle, Provenance
from rnntag.model.vocabulary import Vocabulary
from rnntag.model.weights import quantize
from rnntag.network.tagger import Network
from rnntag.onnx import graph as onnx_graph
from rnntag.onnx import protobuf
from rnntag.onnx.layers import LARGEST_WEIGHT
from rnntag.sentences import Corpus, Sentence
from rnntag.tagger import Tagger
from tests.conftest import BUNDLED, KINDS, few
from tests.torch_runtime import torch_tagger


@pytest.fixture(scope="module")
def dev_texts(treebanks: Path) -> list[list[tuple[str, ...]]]:
    """The tokens of each treebank's dev part."""
    loaded = loading.load([str(path) for path in sorted(treebanks.glob("*-dev.conllu"))], whole=True)
    return [[sentence.tokens for sentence in corpus.dev] for corpus in loaded]


@pytest.fixture(scope="module")
def starter_texts(starter: list[Corpus]) -> list[list[tuple[str, ...]]]:
    return [[sentence.tokens for sentence in corpus.test[:20]] for corpus in starter]


def untrained(starter: list[Corpus], **shape: object) -> ModelBundle:
    torch.manual_seed(0)
    config = ModelConfig(**{"hidden": 24, "embedding_dim": 16, "char_dim": 8, "char_hidden": 8, **shape})
    two_tagsets = [Sentence(s.tokens, {**s.tags, "odd.name": s.tags["upos"]}) for s in starter[0].train]
    vocabulary = Vocabulary.build([*two_tagsets, *starter[1].train], min_count=2)
    vocabulary = replace(vocabulary, shared=SharedRows.of({"zyzzyva": 0, "unheard-of": 1}))
    weights = quantize(Network(config, vocabulary).weights())
    return ModelBundle("untrained", config, TrainConfig(), vocabulary, weights, Provenance())


@pytest.mark.parametrize(("cell", "activation"), KINDS)
@pytest.mark.parametrize("input", INPUTS)
@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("texts", few(["starter_texts", "dev_texts"], "starter_texts"))
def test_fp32_graphs_equal_torch_on_every_token(
    cell: str, activation: str, input: str, bidirectional: bool, layers: int, texts: str, starter: list[Corpus],
    request: pytest.FixtureRequest,
) -> None:  # fmt: skip
    shape = {"cell": cell, "activation": activation, "input": input, "bidirectional": bidirectional, "layers": layers}
    model = untrained(starter, **shape)
    onnx, torch_ = Tagger(model, int8=False), torch_tagger(model)
    for corpus in request.getfixturevalue(texts):
        for tagset in ("upos", "odd.name"):
            mine, theirs = onnx.scores(corpus, tagset), torch_.scores(corpus, tagset)
            np.testing.assert_allclose(mine, theirs, atol=1e-5)
        first, second = np.sort(theirs, axis=-1)[:, :-3:-1].T
        clear = first - second > 1e-5  # an untrained network finds some tags equally likely
        assert clear.mean() > 0.9
        assert (mine.argmax(-1) == theirs.argmax(-1))[clear].all()


def test_eight_bits_change_hardly_a_tag(tiny: ModelBundle, starter: list[Corpus]) -> None:
    texts = [sentence.tokens for corpus in starter for sentence in corpus.train[:60]]
    torch_ = torch_tagger(tiny).predict(texts)
    assert Tagger(tiny, int8=False).predict(texts) == torch_
    int8 = Tagger(tiny).predict(texts)
    pairs = [pair for a, b in zip(torch_, int8, strict=True) for pair in zip(a, b, strict=True)]
    assert sum(a != b for a, b in pairs) <= 0.01 * len(pairs)


@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize("layers", [1, 2])
def test_sentences_do_not_decide_on_each_other_s_tags_in_eight_bits(
    layers: int, bidirectional: bool, starter: list[Corpus]
) -> None:
    """Not a bit of a score depends on the batch, and scores are near those in 32 bits."""
    model = untrained(starter, layers=layers, bidirectional=bidirectional)
    noise = np.random.default_rng(1)  # for states that differ much, as those of a trained network do
    weights = {
        name: weight * noise.normal(3, 1, weight.shape).astype(np.float16) if name.startswith("layers") else weight
        for name, weight in model.weights.items()
    }
    model = replace(model, weights=weights)
    int8, fp32 = (Tagger(model, int8=int8) for int8 in (True, False))
    texts = [sentence.tokens for corpus in starter for sentence in corpus.dev]
    together = int8.scores(texts, "upos")
    assert (together == np.concatenate([int8.scores([text], "upos") for text in texts])).all()
    assert np.corrcoef(together.ravel(), fp32.scores(texts, "upos").ravel())[0, 1] > 0.95


def eight_bit_weights(graph: protobuf.Graph) -> dict[str, npt.NDArray[np.int64]]:
    """The matrices of a graph that are multiplied in 8 bits, shape [directions, inputs, rows]."""
    tensors = onnx.load_from_string(protobuf.write(graph)).graph.initializer
    found = {t.name: onnx.numpy_helper.to_array(t).astype(np.int64) for t in tensors if t.data_type == TensorProto.INT8}
    return {name: values for name, values in found.items() if values.ndim == 3}


def assert_no_sum_is_cut_off(weights: npt.NDArray[np.int64]) -> None:
    """Without VNNI two products of an 8-bit activation (0 to 255) and a weight are added in 16 bits with saturation.

    The extremes of such a sum are the two largest weights of a row, and the two smallest, at 255 each. Which inputs
    stand in pairs is for ONNX Runtime to say, so any two may.
    """
    ordered = np.sort(weights, axis=1)
    highest, lowest = (255 * ordered[:, ends].clip(*bounds).sum(axis=1) for ends, bounds in EXTREMES)
    for sums in (highest, lowest):
        assert (sums.clip(-(1 << 15), (1 << 15) - 1) == sums).all()


EXTREMES = ((slice(-2, None), (0, None)), (slice(None, 2), (None, 0)))


@pytest.mark.parametrize("name", directory.BUNDLED_TAGGERS)
def test_no_processor_cuts_off_a_sum_of_the_bundled_models(name: str) -> None:
    model = directory.read(BUNDLED.with_name(name))
    assert model.segmenter
    for graph in (onnx_graph.tagger(model), onnx_graph.segmenter(model.segmenter)):
        found = eight_bit_weights(graph)
        assert len(found) >= 2  # of the inputs and of the states
        for weights in found.values():
            assert_no_sum_is_cut_off(weights)


@given(st.integers(1, 3), st.integers(0, 1 << 32), st.floats(1e-3, 1e3))
def test_no_processor_cuts_off_a_sum_of_any_model(layers: int, seed: int, size: float) -> None:
    config = ModelConfig(hidden=5, layers=layers)
    noise = np.random.default_rng(seed)
    weights = {f"heads.0.{name}": noise.normal(size=shape) for name, shape in (("weight", (3, 10)), ("bias", (3,)))}
    for layer, inputs in enumerate([7, *[10] * (layers - 1)]):
        for direction in ("forwards", "backwards"):
            for kind, columns in (("weight_ih", (inputs,)), ("weight_hh", (5,)), ("bias_ih", ()), ("bias_hh", ())):
                name = f"layers.{layer}.{direction}.{kind}_l0"
                weights[name] = size * noise.standard_t(2, (20, *columns))  # with values far from all others
    halves = {name: weight.clip(-6e4, 6e4).astype(np.float16) for name, weight in weights.items()}
    found = eight_bit_weights(onnx_graph.sequences(config, halves, {"tags": 3}, 1.0))
    assert len(found) == 2 * layers
    for matrix in found.values():
        assert np.abs(matrix).max() == LARGEST_WEIGHT
        assert_no_sum_is_cut_off(matrix)


@pytest.mark.parametrize("cell", ["rnn", "gru"])
def test_what_has_no_eight_bits_gets_thirty_two(cell: str, starter: list[Corpus]) -> None:
    model = untrained(starter, cell=cell)
    eight, thirty_two = (protobuf.write(onnx_graph.tagger(model, int8=int8)) for int8 in (True, False))
    assert eight == thirty_two


def by_the_onnx_package(graph: protobuf.Graph, name: str = "rnntag") -> onnx.GraphProto:
    """The same graph, made by the package that belongs to the format."""
    nodes = []
    for node in graph.nodes:
        attributes = {
            key: by_the_onnx_package(value) if isinstance(value, protobuf.Graph) else value
            for key, value in node.attributes.items()
        }
        nodes.append(
            helper.make_node(node.operator, node.inputs, node.outputs, domain=node.domain or None, **attributes)
        )
    tensors = []
    for key, (kind, values) in graph.tensors.items():
        dtype = helper.tensor_dtype_to_np_dtype(kind)
        tensors.append(onnx.numpy_helper.from_array(np.ascontiguousarray(values, dtype=dtype), key))
    ports = [
        [helper.make_tensor_value_info(port.name, port.kind, port.shape) for port in side]
        for side in (graph.inputs, graph.outputs)
    ]
    return helper.make_graph(nodes, name, *ports, tensors)


def assert_written_as_the_onnx_package_does(graph: protobuf.Graph) -> None:
    content = protobuf.write(graph)
    operators = [helper.make_opsetid("", protobuf.OPSET), helper.make_opsetid(protobuf.MICROSOFT, 1)]
    expected = helper.make_model(by_the_onnx_package(graph), opset_imports=operators, ir_version=protobuf.IR_VERSION)
    helper.set_model_props(expected, dict(graph.properties))
    assert onnx.load_from_string(content) == expected
    assert content == expected.SerializeToString(deterministic=True)
    onnx.checker.check_model(content, full_check=not any(node.domain for node in graph.nodes))


@pytest.mark.parametrize(("cell", "activation"), KINDS)
@pytest.mark.parametrize("input", INPUTS)
@pytest.mark.parametrize("feedback", [False, True])
@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize("layers", few([1, 2], 2))
def test_the_onnx_package_writes_the_same_bytes(
    cell: str, activation: str, input: str, feedback: bool, bidirectional: bool, layers: int, starter: list[Corpus]
) -> None:
    shape = {"cell": cell, "activation": activation, "input": input, "feedback": feedback}
    model = untrained(starter, bidirectional=bidirectional, layers=layers, **shape)
    for int8 in (True, False):
        assert_written_as_the_onnx_package_does(onnx_graph.tagger(model, int8=int8))
    if input == "embedding":
        assert_written_as_the_onnx_package_does(onnx_graph.encoder(model))


@pytest.mark.parametrize("name", directory.BUNDLED_TAGGERS)
def test_the_onnx_package_writes_the_same_bytes_of_the_bundled_models(name: str) -> None:
    model = directory.read(BUNDLED.with_name(name))
    assert model.segmenter
    assert_written_as_the_onnx_package_does(onnx_graph.encoder(model))
    for int8 in (True, False):
        assert_written_as_the_onnx_package_does(onnx_graph.tagger(model, int8=int8))
        assert_written_as_the_onnx_package_does(onnx_graph.segmenter(model.segmenter, int8=int8))


@pytest.mark.parametrize("treebank", few(["en_ewt", "en_gum", "zh_gsdsimp", "zh_gsd"], "zh_gsdsimp"))
def test_the_bundled_model_in_eight_bits_on_dev(treebank: str, treebanks: Path) -> None:
    """32 bits give torch's tags on every token; 8 bits cost at most 0.05 points."""
    model = directory.read(BUNDLED)
    ((sentences),) = (c.dev for c in loading.load([str(treebanks / f"{treebank}-ud-dev.conllu")], whole=True))
    texts = [sentence.tokens for sentence in sentences]
    fp32 = Tagger(model, int8=False).predict(texts)
    assert fp32 == torch_tagger(model).predict(texts)

    def right(predicted: list[list[str]]) -> int:
        pairs = zip(sentences, predicted, strict=True)
        return sum(a == b for s, tags in pairs for a, b in zip(s.tags["upos"], tags, strict=True))

    assert abs(right(fp32) - right(Tagger(model).predict(texts))) <= 0.0005 * sum(map(len, texts))
