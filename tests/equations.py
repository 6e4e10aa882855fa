"""The recurrent cells straight from their formulas, in NumPy: what torch and ONNX are held against.

Nothing here is shared with the package. Weights come by the names of the network's parameters.
All of it takes complex numbers too, for derivatives by a complex step (Squire and Trapp 1998).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.complex128 | np.float64]
Weights = Mapping[str, Array]
Gates = Mapping[str, tuple[Array, Array, Array, Array]]
"""By gate: the matrices of the input and of the hidden state, and the bias of each."""
State = tuple[Array, ...]
Cell = Callable[[Gates, Array, State], State]

ORDER = {"rnn": "s", "lstm": "ifgo", "gru": "rzn"}
"""How torch stacks the gates."""


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def relu(x: Array) -> Array:
    return np.where(x.real > 0, x, 0)


def softmax(x: Array) -> Array:
    powers = np.exp(x - x.real.max())
    return powers / powers.sum()


def affine(gate: tuple[Array, Array, Array, Array], x: Array, h: Array) -> Array:
    u, w, b, d = gate
    return u @ x + b + w @ h + d


def plain(f: Callable[[Array], Array]) -> Cell:
    """s_t = f(U x_t + W s_{t-1})."""

    def cell(gates: Gates, x: Array, state: State) -> State:
        return (f(affine(gates["s"], x, state[0])),)

    return cell


def lstm(gates: Gates, x: Array, state: State) -> State:
    """Forget, then select, then put out."""
    h, c = state
    z_f, z_i, z_o = (sigmoid(affine(gates[name], x, h)) for name in "fio")
    z = np.tanh(affine(gates["g"], x, h))
    c = z_f * c + z_i * z
    return z_o * np.tanh(c), c


def gru(gates: Gates, x: Array, state: State) -> State:
    """The reset gate acts on the product of the hidden state, bias and all."""
    (h,) = state
    r, z = (sigmoid(affine(gates[name], x, h)) for name in "rz")
    u, w, b, d = gates["n"]
    new = np.tanh(u @ x + b + r * (w @ h + d))
    return (z * h + (1 - z) * new,)


CELLS: Mapping[tuple[str, str], Cell] = {
    ("rnn", "tanh"): plain(np.tanh),
    ("rnn", "relu"): plain(relu),
    ("lstm", "tanh"): lstm,
    ("gru", "tanh"): gru,
}


def gates_of(weights: Weights, kernel: str, order: str) -> Gates:
    parts = [
        np.split(weights[f"{kernel}.{name}_l0"], len(order))
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    ]
    return {gate: (u, w, b, d) for gate, u, w, b, d in zip(order, *parts, strict=True)}


def zeros(order: str, hidden: int) -> State:
    """The state before the first step; only the LSTM, with its four gates, has a second part."""
    return (np.zeros(hidden),) * (2 if len(order) == 4 else 1)


def distributions(
    cell: Cell, order: str, weights: Weights, xs: Array, *, layers: int, feedback: bool = False
) -> list[Array]:
    """o_t = softmax(V s_t + b) for each step of one sentence.

    The same weights serve all steps; the state before the first one is 0. With feedback o_{t-1}
    is a further input of the last layer's forward direction, 0 before the first step.

    Args:
        xs: shape [time, inputs].
    """
    heads_w, heads_b = weights["heads.0.weight"], weights["heads.0.bias"]
    hidden = weights["layers.0.forwards.weight_hh_l0"].shape[1]
    rows = list(xs)
    outputs: list[Array] = []
    for depth in range(layers):
        backward: list[Array] = [np.zeros(0)] * len(rows)
        if f"layers.{depth}.backwards.weight_hh_l0" in weights:
            gates = gates_of(weights, f"layers.{depth}.backwards", order)
            state = zeros(order, hidden)
            for step in reversed(range(len(rows))):
                state = cell(gates, rows[step], state)
                backward[step] = state[0]
        fed = feedback and depth == layers - 1
        named = dict(weights)
        if fed:
            prefix = f"layers.{depth}.forwards"
            pair = [weights[f"{prefix}.weight_ih_l0"], weights[f"{prefix}.weight_fb_l0"]]
            named[f"{prefix}.weight_ih_l0"] = np.concatenate(pair, axis=1)
        gates = gates_of(named, f"layers.{depth}.forwards", order)
        state = zeros(order, hidden)
        states, outputs = [], []
        o = np.zeros(len(heads_b))
        for step, x in enumerate(rows):
            state = cell(gates, np.concatenate([x, o]) if fed else x, state)
            states.append(np.concatenate([state[0], backward[step]]))
            if depth == layers - 1:
                o = softmax(heads_w @ states[-1] + heads_b)
                outputs.append(o)
        rows = states
    return outputs


def loss(probabilities: list[Array], gold: npt.NDArray[np.int64]) -> complex:
    """The cross-entropy of all steps."""
    return -sum(np.log(p[tag]) for p, tag in zip(probabilities, gold, strict=True))
