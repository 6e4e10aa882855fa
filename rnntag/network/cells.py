"""The recurrent cells in PyTorch.

Of the network, only this file depends on the kind of cell. `onnx/layers.py` builds the same cells as ONNX nodes, and
`model/weights.py` has the sizes of their weights.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from rnntag.model.weights import GATES

State = tuple[Tensor, ...]
"""The state after a step: h, for an LSTM also c, with feedback last the tag distributions. Each has shape
[batch, units], or [batch, time, units] for many steps."""

Gates = dict[str, Tensor]
"""By name of the gate, its activation (0 to 1) at each step, shape [batch, time, units]; empty for a plain RNN."""

Feedback = Callable[[int, Tensor], Tensor]
"""Takes a step and its hidden states [batch, outputs]; returns the tag distributions [batch, tags]."""


class UnrolledCell(nn.Module):
    """The weights of one direction of a layer that torch's kernels cannot run, under the names that those use.

    Args:
        inputs: size of the input; 0 if the input is already multiplied by the input matrix (gates × hidden numbers).
        tags: number of probabilities fed back, through a matrix `weight_fb_l0`; 0 without feedback.
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
    """One step of a cell, without feedback.

    The RNN of Elman (1990), the LSTM of Gers et al. (2000), or the GRU of Cho et al. (2014) with the reset gate applied
    after the recurrent product, as in cuDNN, torch and ONNX.

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
    """Orthogonal recurrent matrices (Saxe et al. 2014); a forget gate bias of 1 (Jozefowicz et al. 2015)."""
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
    """Indices that reverse each sequence and leave its padding in place.

    Args:
        lengths: number of steps of each sequence, shape [batch].
        longest: number of steps of the padded batch.

    Returns:
        Time indices, shape [batch, longest].
    """
    steps = torch.arange(longest, device=lengths.device).expand(len(lengths), longest)
    ends = lengths[:, None]
    return torch.where(steps < ends, ends - 1 - steps, steps)


def _reorder(x: Tensor, order: Tensor) -> Tensor:
    """The steps of x [batch, time, size] at the time indices `order` [batch, steps]."""
    return x.gather(1, order[:, :, None].expand(-1, -1, x.shape[2]))


class RecurrentLayer(nn.Module):
    """One layer over padded sequences, unidirectional or bidirectional.

    Each direction runs its own kernel, the backward one on reversed sequences, so padding always follows the real steps
    and cannot change their states. This is twice as fast on a CPU as packed sequences, which oneDNN's LSTM does not
    support.

    Args:
        onehot: the input is already multiplied by the input matrices, shape [..., directions × gates × hidden].
        tags: with feedback (Jordan 1986), the number of probabilities that enter each step of the forward direction
            from the step before. The backward direction is computed first and gets none.
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
        """Run the layer over a batch.

        Args:
            x: inputs, shape [batch, time, inputs].
            order: `reversal` of the lengths, shape [batch, time].
            initial: the states before the first step of each direction; zeros if None.
            feedback: needed if the layer has feedback.

        Returns:
            The hidden states of all steps, shape [batch, time, outputs]; the last hidden state of each direction,
            shape [batch, outputs].
        """
        before, after = initial or (None, None)
        forward, back = self._inputs(x)
        last = order[:, :1]  # the reversal's first index is the last real step
        if self.backwards is None:
            hidden = self._hidden(self.forwards, forward, before, feedback)
            return hidden, _reorder(hidden, last)[:, 0]
        # Without feedback, forward first: the order affects the last bit of gradients, hence the result of a seed.
        states = None if feedback else self._hidden(self.forwards, forward, before)
        reversed_backward = self._hidden(self.backwards, _reorder(back, order), after)
        backward = _reorder(reversed_backward, order)
        if states is None:
            states = self._hidden(self.forwards, forward, before, _with_backward(feedback, backward))
        ends = torch.cat([_reorder(states, last), _reorder(reversed_backward, last)], dim=-1)[:, 0]
        return torch.cat([states, backward], dim=-1), ends

    def continued(self, x: Tensor, before: State | None) -> tuple[Tensor, State]:
        """The hidden states of all steps of a unidirectional layer, shape [batch, time, outputs], and the state after
        the last.

        Args:
            x: inputs without padding, shape [batch, time, inputs].
            before: the state before the first step; zeros if None.
        """
        state = None if before is None else tuple(part[None] for part in before)
        initial = state if state is None or self.cell == "lstm" else state[0]
        hidden, last = self.forwards(x, initial)
        parts = last if self.cell == "lstm" else (last,)
        return hidden, tuple(part[0] for part in parts)

    def trace(self, x: Tensor, order: Tensor, feedback: Feedback | None = None) -> tuple[State, State | None]:
        """The states of each direction after each step; see `forward`."""
        forward, back = self._inputs(x)
        if self.backwards is None:
            return self._unroll(self.forwards, forward, None, feedback), None
        backward = tuple(_reorder(part, order) for part in self._unroll(self.backwards, _reorder(back, order)))
        return self._unroll(self.forwards, forward, None, _with_backward(feedback, backward[0])), backward

    def gates(self, x: Tensor, order: Tensor, feedback: Feedback | None = None) -> tuple[Gates, Gates | None]:
        """The gates of each direction at each step; see `forward`."""
        forward, back = self._inputs(x)
        states, backward = self.trace(x, order, feedback)
        forward_gates = self._gates(self.forwards, forward, states)
        if self.backwards is None or backward is None:
            return forward_gates, None
        reversed_states = tuple(_reorder(part, order) for part in backward)
        gates = self._gates(self.backwards, _reorder(back, order), reversed_states)
        return forward_gates, {name: _reorder(gate, order) for name, gate in gates.items()}

    def _gates(self, kernel: Kernel, x: Tensor, states: State) -> Gates:
        before = tuple(functional.pad(part, (0, 0, 1, -1)) for part in states)  # shifted: the state before each step
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
        """U x_t + b of each step, shape [batch, time, gates × hidden]."""
        if not self.onehot:
            x = functional.linear(x, kernel.get_parameter("weight_ih_l0"))
        return x + kernel.get_parameter("bias_ih_l0")

    def _inputs(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The inputs of each direction."""
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
        """The states after each step, each of shape [batch, time, units], computed step by step with `_step`."""
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


def _with_backward(feedback: Feedback | None, backward: Tensor) -> Feedback | None:
    """A `feedback` that takes the forward states and adds the backward ones [batch, time, hidden] of the step."""
    if feedback is None:
        return None
    return lambda step, states: feedback(step, torch.cat([states, backward[:, step]], dim=-1))
