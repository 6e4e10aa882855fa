"""The recurrent cells. The only file that tells rnn, lstm, gru and feedback apart."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

GATES = {"rnn": 1, "lstm": 4, "gru": 3}
"""Rows of a cell's input matrix, in multiples of its hidden size."""

State = tuple[Tensor, ...]
"""What a cell hands on from step to step: h, for an LSTM also c, with feedback last the
distributions of tags; each of shape [batch, units], of many steps [batch, time, units]."""

Gates = dict[str, Tensor]
"""How far each gate of a cell is open at each step, 0 to 1, shape [batch, time, units]; empty for
the plain RNN, which has none."""

Feedback = Callable[[int, Tensor], Tensor]
"""The distributions of tags [batch, tags] at a step, given all hidden states there [batch, outputs]."""


class UnrolledCell(nn.Module):
    """The weights of one direction of a layer, for what torch's own kernels cannot do; named as theirs.

    With feedback, the tags of the step before are more inputs, with a matrix of their own.

    Args:
        inputs: size of the input; 0 if this already is the product of the input matrix with a
            one-hot vector, gates × hidden numbers.
        tags: how many probabilities are fed back; 0: none.
    """

    def __init__(self, cell: str, inputs: int, hidden: int, tags: int) -> None:
        super().__init__()
        gates = GATES[cell] * hidden
        self.hidden_size = hidden
        if inputs:
            self.weight_ih_l0 = nn.Parameter(torch.empty(gates, inputs))
        if tags:
            self.weight_fb_l0 = nn.Parameter(torch.empty(gates, tags))
        self.weight_hh_l0 = nn.Parameter(torch.empty(gates, hidden))
        self.bias_ih_l0 = nn.Parameter(torch.empty(gates))
        self.bias_hh_l0 = nn.Parameter(torch.empty(gates))


Kernel = nn.RNN | nn.LSTM | nn.GRU | UnrolledCell


def _step(cell: str, activation: str, x: Tensor, recurrent: Tensor, state: State) -> State:
    """One step of a cell.

    The plain RNN is Elman's (1990), the LSTM that of Gers et al. (2000), the GRU that of Cho et
    al. (2014) with the reset gate after the recurrent product, as cuDNN, torch and ONNX have it.

    Args:
        x, recurrent: U x_t + b and W h_{t-1} + b' for each gate, shape [batch, gates × hidden].
    """
    if cell == "rnn":
        return (torch.tanh(x + recurrent) if activation == "tanh" else torch.relu(x + recurrent),)
    if cell == "lstm":
        i, f, g, o = (x + recurrent).chunk(4, dim=-1)
        c = f.sigmoid() * state[1] + i.sigmoid() * g.tanh()
        return o.sigmoid() * c.tanh(), c
    (r, z, n), (r_, z_, n_) = x.chunk(3, dim=-1), recurrent.chunk(3, dim=-1)
    new = torch.tanh(n + (r + r_).sigmoid() * n_)
    keep = (z + z_).sigmoid()
    return (keep * state[0] + (1 - keep) * new,)


def _initialise(kernel: Kernel, cell: str) -> None:
    """Orthogonal recurrent matrices (Saxe et al. 2014); the LSTM's forget gate begins open
    (Jozefowicz et al. 2015)."""
    hidden = kernel.hidden_size
    for name, parameter in kernel.named_parameters():
        if name.startswith("weight_hh"):
            for gate in torch.split(parameter.data, hidden):
                nn.init.orthogonal_(gate)
        elif name.startswith("weight"):
            for gate in torch.split(parameter.data, hidden):
                nn.init.xavier_uniform_(gate)
        else:
            nn.init.zeros_(parameter)
            if cell == "lstm" and name.startswith("bias_ih"):
                parameter.data[hidden : 2 * hidden] = 1.0


def reversal(lengths: Tensor, longest: int) -> Tensor:
    """Indices that turn each sequence round and leave its padding in place.

    Args:
        lengths: number of steps of each sequence, shape [batch].
        longest: number of steps of the padded batch.

    Returns:
        Time indices, shape [batch, longest].
    """
    steps = torch.arange(longest, device=lengths.device).expand(len(lengths), longest)
    ends = lengths[:, None]
    return torch.where(steps < ends, ends - 1 - steps, steps)


def _turned(x: Tensor, order: Tensor) -> Tensor:
    return x.gather(1, order[:, :, None].expand_as(x))


class RecurrentLayer(nn.Module):
    """One layer over padded sequences, forward or in both directions.

    Each direction is a kernel of its own that reads from its sequence's first real step on, so
    padding on the right changes no state that counts. That is twice as fast on a CPU as packed
    sequences, which oneDNN's LSTM does not take.

    Args:
        onehot: whether a step's input already is the product of the input matrix with a one-hot
            vector, for every gate of every direction, shape [..., directions × gates × hidden].
        tags: with feedback (Jordan 1986), how many probabilities enter each step of the forward
            direction from the step before. The backward direction, which has gone before, gets none.
    """

    def __init__(
        self,
        cell: str,
        activation: str,
        inputs: int,
        hidden: int,
        *,
        bidirectional: bool,
        onehot: bool = False,
        tags: int = 0,
    ) -> None:
        super().__init__()
        self.cell, self.activation, self.onehot, self.tags = cell, activation, onehot, tags
        self.outputs = hidden * (2 if bidirectional else 1)
        self.forwards = self._kernel(inputs, hidden, tags)
        self.backwards = self._kernel(inputs, hidden, 0) if bidirectional else None
        for kernel in (self.forwards, self.backwards):
            if kernel is not None:
                _initialise(kernel, cell)

    def _kernel(self, inputs: int, hidden: int, tags: int) -> Kernel:
        if self.onehot or tags:
            return UnrolledCell(self.cell, 0 if self.onehot else inputs, hidden, tags)
        if self.cell == "rnn":
            return nn.RNN(inputs, hidden, nonlinearity=self.activation, batch_first=True)
        return (nn.LSTM if self.cell == "lstm" else nn.GRU)(inputs, hidden, batch_first=True)

    def forward(
        self,
        x: Tensor,
        order: Tensor,
        initial: tuple[State, State | None] | None = None,
        feedback: Feedback | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Run over a batch.

        Args:
            x: inputs, shape [batch, time, inputs].
            order: `reversal` of the lengths, shape [batch, time].
            initial: the states before the first step of each direction; zeros if None.
            feedback: with feedback, what the network makes of the hidden states of a step.

        Returns:
            The hidden states of all steps, shape [batch, time, outputs]; and the last state of
            each direction, shape [batch, outputs].
        """
        before, after = initial or (None, None)
        forward, back = self._inputs(x)
        last = order[:, :1]  # the reversal's first index is the last real step
        if self.backwards is None:
            alone = self._hidden(self.forwards, forward, before, feedback)
            return alone, _turned(alone, last)[:, 0]
        # The order decides on the last bit of gradients, and so on whether a seed gives the model it gave.
        states = None if feedback else self._hidden(self.forwards, forward, before)
        turned = self._hidden(self.backwards, _turned(back, order), after)
        backward = _turned(turned, order)
        if states is None:
            states = self._hidden(self.forwards, forward, before, _beside(feedback, backward))
        ends = torch.cat([_turned(states, last), _turned(turned, last)], dim=-1)[:, 0]
        return torch.cat([states, backward], dim=-1), ends

    def trace(self, x: Tensor, order: Tensor, feedback: Feedback | None = None) -> tuple[State, State | None]:
        """What each direction hands on at each step of a batch; see `forward`."""
        forward, back = self._inputs(x)
        if self.backwards is None:
            return self._unroll(self.forwards, forward, None, feedback), None
        turned = self._unroll(self.backwards, _turned(back, order))
        backward = tuple(_turned(part, order) for part in turned)
        return self._unroll(self.forwards, forward, None, _beside(feedback, backward[0])), backward

    def gates(self, x: Tensor, order: Tensor, feedback: Feedback | None = None) -> tuple[Gates, Gates | None]:
        """The gates of each direction; see `forward`."""
        forward, back = self._inputs(x)
        states, backward = self.trace(x, order, feedback)
        opened = self._gates(self.forwards, forward, states)
        if self.backwards is None or backward is None:
            return opened, None
        turned = self._gates(self.backwards, _turned(back, order), tuple(_turned(part, order) for part in backward))
        return opened, {name: _turned(gate, order) for name, gate in turned.items()}

    def _gates(self, kernel: Kernel, x: Tensor, states: State) -> Gates:
        before = tuple(functional.pad(part, (0, 0, 1, -1)) for part in states)
        products = self._products(kernel, x)
        if self.tags and kernel is self.forwards:
            products = products + functional.linear(before[-1], kernel.get_parameter("weight_fb_l0"))
        recurrent = functional.linear(
            before[0], kernel.get_parameter("weight_hh_l0"), kernel.get_parameter("bias_hh_l0")
        )
        parts = (products + recurrent).chunk(GATES[self.cell], dim=-1)
        names = {"rnn": (), "lstm": ("input", "forget", "", "output"), "gru": ("reset", "update")}[self.cell]
        return {name: part.sigmoid() for name, part in zip(names, parts, strict=False) if name}

    def _products(self, kernel: Kernel, x: Tensor) -> Tensor:
        """U x_t + b of each step."""
        if not self.onehot:
            x = functional.linear(x, kernel.get_parameter("weight_ih_l0"))
        return x + kernel.get_parameter("bias_ih_l0")

    def _inputs(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Those of each direction."""
        if self.onehot and self.backwards is not None:
            forward, back = x.chunk(2, dim=-1)
            return forward, back
        return x, x

    def _hidden(self, kernel: Kernel, x: Tensor, before: State | None, feedback: Feedback | None = None) -> Tensor:
        if isinstance(kernel, UnrolledCell):
            return self._unroll(kernel, x, before, feedback)[0]
        if before is None:
            return kernel(x)[0]  # type: ignore[no-any-return]
        state = tuple(part[None] for part in before)
        return kernel(x, state if self.cell == "lstm" else state[0])[0]  # type: ignore[no-any-return]

    def _unroll(
        self, kernel: Kernel, x: Tensor, before: State | None = None, feedback: Feedback | None = None
    ) -> State:
        """What the kernel hands on at each step, shape [batch, time, units]; step by step, by `_step`."""
        x = self._products(kernel, x)
        if before is None:
            parts = [kernel.hidden_size] * (2 if self.cell == "lstm" else 1) + [self.tags] * (feedback is not None)
            before = tuple(x.new_zeros(len(x), size) for size in parts)
        weight, bias = kernel.get_parameter("weight_hh_l0"), kernel.get_parameter("bias_hh_l0")
        tag_weight = kernel.get_parameter("weight_fb_l0") if feedback else None
        state, history = before, []
        for step, products in enumerate(x.unbind(1)):
            if tag_weight is not None:
                products = products + functional.linear(state[-1], tag_weight)
            recurrent = functional.linear(state[0], weight, bias)
            state = _step(self.cell, self.activation, products, recurrent, state)
            if feedback:
                state = (*state, feedback(step, state[0]))
            history.append(state)
        return tuple(torch.stack(part, dim=1) for part in zip(*history, strict=True))


def _beside(feedback: Feedback | None, backward: Tensor) -> Feedback | None:
    """As `feedback`, for hidden states that lack those of the backward direction."""
    if feedback is None:
        return None
    return lambda step, states: feedback(step, torch.cat([states, backward[:, step]], dim=-1))
