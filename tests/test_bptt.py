"""Truncated back-propagation stops where it says, and changes nothing but gradients."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from rnntag.config import ModelConfig
from rnntag.model.vocabulary import Vocabulary
from rnntag.network.tagger import Network, Regularisation
from rnntag.network.truncation import TruncationWindows
from rnntag.sentences import Sentence
from tests.conftest import KINDS, few

REACH = 3
LENGTHS = torch.tensor([9, 1, 5])
TAGS = 4
SENTENCE = Sentence(tuple("abcd"), {"upos": ("N", "V", "D", "X")})


def network_of(**shape: object) -> Network:
    torch.manual_seed(1)
    config = ModelConfig(**{"hidden": 5, "embedding_dim": 2, "char_dim": 2, "char_hidden": 2, **shape})
    network = Network(config, Vocabulary.build([SENTENCE], min_count=1)).double()
    for parameter in network.layers.parameters():
        torch.nn.init.uniform_(parameter, -1, 1)
    return network


def inputs(**options: object) -> Tensor:
    torch.manual_seed(2)
    return torch.randn(3, 9, 6, dtype=torch.float64, **options)


def surprise(network: Network, x: Tensor, token: int, bptt_steps: int) -> Tensor:
    """The loss at a token of the first sentence."""
    return -network.scores(x, LENGTHS, bptt_steps=bptt_steps)["upos"][0, token].log_softmax(-1)[token % TAGS]


def slope(network: Network, token: int, bptt_steps: int) -> Tensor:
    """Its derivative by the inputs at each step, shape [steps, size]."""
    x = inputs(requires_grad=True)
    return torch.autograd.grad(surprise(network, x, token, bptt_steps), x)[0][0]


@pytest.mark.parametrize(("cell", "activation"), KINDS)
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("feedback", [False, True])
@pytest.mark.parametrize("layers", [1, 2])
def test_the_states_go_on(cell: str, activation: str, bidirectional: bool, feedback: bool, layers: int) -> None:
    network = network_of(
        cell=cell, activation=activation, bidirectional=bidirectional, feedback=feedback, layers=layers
    )
    inside = torch.arange(9) < LENGTHS[:, None]
    whole, cut = (network.scores(inputs(), LENGTHS, bptt_steps=bptt_steps)["upos"][inside] for bptt_steps in (0, REACH))
    torch.testing.assert_close(whole, cut)


@pytest.mark.parametrize(("cell", "activation"), KINDS)
@pytest.mark.parametrize("feedback", [False, True])
@pytest.mark.parametrize("layers", few([1, 2, 3], 1, 2))
def test_an_error_goes_so_many_steps_back_and_no_further(
    cell: str, activation: str, feedback: bool, layers: int
) -> None:
    network = network_of(cell=cell, activation=activation, feedback=feedback, layers=layers, bidirectional=False)
    for token in (0, 2, 5, 8):
        whole, cut = slope(network, token, 0), slope(network, token, REACH)
        near = slice(max(token - REACH, 0), token + 1)
        torch.testing.assert_close(cut[near], whole[near])
        assert cut[near].any()
        assert not cut[: near.start].any()
        assert not cut[token + 1 :].any()
    assert whole[: near.start].any()


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_an_error_goes_so_many_steps_ahead_too(cell: str, layers: int) -> None:
    network = network_of(cell=cell, layers=layers)
    whole, cut = slope(network, 4, 0), slope(network, 4, REACH)
    near = slice(4 - REACH, 4 + REACH + 1)
    assert not cut[: near.start].any()
    assert not cut[near.stop :].any()
    assert whole[: near.start].any()
    assert whole[near.stop :].any()
    if layers == 1:
        torch.testing.assert_close(cut[near], whole[near])


@pytest.mark.parametrize("token", [1, 4, 8])
def test_the_gradient_of_a_matrix_is_the_sum_over_those_steps(token: int) -> None:
    """∂loss_t/∂W = Σ ∂loss_t/∂W_k over k = t-N … t, where W_k is the copy of W that serves step k."""
    network = network_of(cell="rnn", bidirectional=False)
    kernel, (head,) = network.layers[0].forwards, network.heads
    cut = torch.autograd.grad(surprise(network, inputs(), token, REACH), kernel.weight_hh_l0)[0]
    copies = [kernel.weight_hh_l0.detach().clone().requires_grad_() for _ in range(token + 1)]
    state = torch.zeros(5, dtype=torch.float64)
    for x, copy in zip(inputs()[0], copies, strict=False):
        state = torch.tanh(kernel.weight_ih_l0 @ x + kernel.bias_ih_l0 + copy @ state + kernel.bias_hh_l0)
    loss = -head(state).log_softmax(-1)[token % TAGS]
    by_step = torch.autograd.grad(loss, copies)
    torch.testing.assert_close(cut, sum(by_step[max(token - REACH, 0) :]))


@pytest.mark.parametrize("feedback", [False, True])
def test_a_reach_beyond_the_sentence_cuts_nothing(feedback: bool) -> None:
    """With dropout, too, which must drop the same."""
    network = network_of(feedback=feedback, layers=2)
    network.regularisation = Regularisation(0.5, 0.0, torch.ones(1))
    gradients = []
    for bptt_steps in (0, 9):
        torch.manual_seed(7)
        network.zero_grad()
        inside = torch.arange(9) < LENGTHS[:, None]
        network.scores(inputs(), LENGTHS, bptt_steps=bptt_steps)["upos"][inside].log_softmax(-1)[:, 0].sum().backward()
        gradients.append([p.grad.clone() for p in network.layers.parameters()])
    for whole, cut in zip(*gradients, strict=True):
        torch.testing.assert_close(whole, cut)


def test_cuts_hold_the_steps_around_each_token() -> None:
    cuts = TruncationWindows.around(torch.tensor([4, 1]), 1, bidirectional=True)
    assert cuts.rows.tolist() == [0, 0, 0, 0, 1]
    assert [row[:n].tolist() for row, n in zip(cuts.steps, cuts.lengths, strict=True)] == [
        [0, 1], [0, 1, 2], [1, 2, 3], [2, 3], [0],
    ]  # fmt: skip
    assert cuts.centers.tolist() == [0, 1, 1, 1, 0]
