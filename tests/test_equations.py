"""torch and ONNX compute what the formulas of the cells say, and go back through time as they do."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy as np
import pytest
import torch
from torch.nn import functional

from rnntag.config import ModelConfig, TrainConfig
from rnntag.model.stored import ModelBundle, Provenance
from rnntag.model.vocabulary import Vocabulary
from rnntag.model.weights import quantize
from rnntag.network.tagger import Network
from rnntag.onnx.session import Runtime
from rnntag.sentences import Sentence
from tests import equations
from tests.conftest import KINDS, few
from tests.equations import CELLS, ORDER, Array, Cell, Weights

TOKENS, TAGS = tuple("abcdefg"), ("N", "V", "D", "X", "P", "N", "V")
LENGTHS = (6, 2, 4)
INPUTS = 5
SHAPES = [(layers, bidirectional) for layers in (1, 2, 3) for bidirectional in (False, True)]
VOCABULARY = Vocabulary.build([Sentence(TOKENS, {"upos": TAGS})], min_count=1)


def network_of(cell: str, activation: str, layers: int, *, bidirectional: bool, feedback: bool = False) -> Network:
    """A network whose weights are all different from 0, and half precision can hold them."""
    config = ModelConfig(
        cell=cell, activation=activation, layers=layers, bidirectional=bidirectional, feedback=feedback,
        hidden=4, embedding_dim=1, char_dim=2, char_hidden=2,
    )  # fmt: skip
    torch.manual_seed(3)
    network = Network(config, VOCABULARY)
    for parameter in network.parameters():
        torch.nn.init.uniform_(parameter, -1, 1)
    return network.half().double().eval()


def arrays(network: Network) -> dict[str, Array]:
    return {name: value.detach().numpy().copy() for name, value in network.named_parameters()}


def inputs() -> Array:
    return (
        np.random.default_rng(5).uniform(-1, 1, (len(LENGTHS), max(LENGTHS), INPUTS)).astype(np.float16).astype(float)
    )


def by_formula(cell: Cell, order: str, weights: Weights, network: Network, xs: Array) -> list[Array]:
    shape = {"layers": network.config.layers, "feedback": network.config.feedback}
    return [
        np.stack(equations.distributions(cell, order, weights, x[:length], **shape))
        for x, length in zip(xs, LENGTHS, strict=True)
    ]


def by_torch(network: Network, xs: Array) -> list[Array]:
    with torch.inference_mode():
        scores = network.scores(torch.from_numpy(xs), torch.tensor(LENGTHS))["upos"]
    return [row[:length].softmax(-1).numpy() for row, length in zip(scores, LENGTHS, strict=True)]


def by_onnx(network: Network, xs: Array) -> list[Array]:
    model = ModelBundle("x", network.config, TrainConfig(), VOCABULARY, quantize(network.weights()), Provenance())
    runtime = Runtime(model, int8=False)
    scores = runtime.scores(xs.astype(np.float32).transpose(1, 0, 2), np.array(LENGTHS), "upos").transpose(1, 0, 2)
    powers = np.exp(scores.astype(np.float64))
    shares = powers / powers.sum(-1, keepdims=True)
    return [row[:length] for row, length in zip(shares, LENGTHS, strict=True)]


def agree(mine: list[Array], theirs: list[Array], tolerance: float) -> None:
    for a, b in zip(mine, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=tolerance)


BY = [pytest.param(by_torch, 1e-12, id="torch"), pytest.param(by_onnx, 1e-6, id="onnx")]
"""ONNX Runtime's kernels have single precision only."""


@pytest.mark.parametrize(("compute", "tolerance"), BY)
@pytest.mark.parametrize(("layers", "bidirectional"), few(SHAPES, (1, False), (2, True)))
@pytest.mark.parametrize(("cell", "activation"), KINDS)
@pytest.mark.parametrize("feedback", [False, True], ids=["", "feedback"])
def test_a_network_computes_its_formulas(
    cell: str,
    activation: str,
    layers: int,
    bidirectional: bool,
    feedback: bool,
    compute: Callable[[Network, Array], list[Array]],
    tolerance: float,
) -> None:
    network = network_of(cell, activation, layers, bidirectional=bidirectional, feedback=feedback)
    expected = by_formula(CELLS[cell, activation], ORDER[cell], arrays(network), network, inputs())
    agree(compute(network, inputs()), expected, tolerance)


@pytest.mark.parametrize(("layers", "bidirectional"), few(SHAPES, (1, False), (2, True)))
@pytest.mark.parametrize(("cell", "activation"), KINDS)
@pytest.mark.parametrize("feedback", [False, True], ids=["", "feedback"])
def test_torch_goes_back_through_time_as_the_formulas_do(
    cell: str, activation: str, layers: int, bidirectional: bool, feedback: bool
) -> None:
    """The derivative of the loss in a random direction of each weight and of the inputs."""
    network = network_of(cell, activation, layers, bidirectional=bidirectional, feedback=feedback)
    weights, xs = arrays(network), inputs()
    gold = [np.arange(length) % 5 for length in LENGTHS]

    def loss(weights: Weights, xs: Array) -> complex:
        found = by_formula(CELLS[cell, activation], ORDER[cell], weights, network, xs)
        return sum(equations.loss(list(one), tags) for one, tags in zip(found, gold, strict=True))

    x = torch.from_numpy(xs).requires_grad_()
    scores = network.scores(x, torch.tensor(LENGTHS))["upos"]
    total = sum(
        functional.cross_entropy(row[:length], torch.from_numpy(tags), reduction="sum")
        for row, length, tags in zip(scores, LENGTHS, gold, strict=True)
    )
    total.backward()
    np.testing.assert_allclose(total.item(), loss(weights, xs).real, atol=1e-12)
    random, tiny = np.random.default_rng(0), 1e-100
    named = {name: p for name, p in network.named_parameters() if name.startswith(("layers", "heads"))}
    for name, parameter in named.items():
        direction = random.uniform(-1, 1, parameter.shape)
        slope = loss({**weights, name: weights[name] + 1j * tiny * direction}, xs).imag / tiny
        np.testing.assert_allclose((parameter.grad.numpy() * direction).sum(), slope, atol=1e-10, err_msg=name)
    direction = random.uniform(-1, 1, xs.shape)
    slope = loss(weights, xs + 1j * tiny * direction).imag / tiny
    np.testing.assert_allclose((x.grad.numpy() * direction).sum(), slope, atol=1e-10)


MUTANTS = [
    (cell, "".join({a: b, b: a}.get(gate, gate) for gate in ORDER[cell]))
    for cell in ("lstm", "gru")
    for a, b in combinations(ORDER[cell], 2)
]


@pytest.mark.parametrize(("compute", "tolerance"), BY)
@pytest.mark.parametrize(("cell", "order"), MUTANTS)
def test_a_swapped_gate_would_be_noticed(
    cell: str, order: str, compute: Callable[[Network, Array], list[Array]], tolerance: float
) -> None:
    network = network_of(cell, "tanh", 1, bidirectional=False)
    wrong = by_formula(CELLS[cell, "tanh"], order, arrays(network), network, inputs())
    with pytest.raises(AssertionError, match="Not equal"):
        agree(compute(network, inputs()), wrong, tolerance)


def test_the_other_gru_would_be_noticed() -> None:
    """The one whose reset gate acts before the recurrent product."""

    def original(gates: equations.Gates, x: Array, state: equations.State) -> equations.State:
        (h,) = state
        r, z = (equations.sigmoid(equations.affine(gates[name], x, h)) for name in "rz")
        return (z * h + (1 - z) * np.tanh(equations.affine(gates["n"], x, r * h)),)

    network = network_of("gru", "tanh", 1, bidirectional=False)
    wrong = by_formula(original, ORDER["gru"], arrays(network), network, inputs())
    with pytest.raises(AssertionError, match="Not equal"):
        agree(by_torch(network, inputs()), wrong, 1e-6)
