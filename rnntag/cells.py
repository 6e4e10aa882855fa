"""The recurrent cells. The only file that tells rnn, lstm and gru apart."""

from __future__ import annotations

import torch
from torch import Tensor, nn

GATES = {"rnn": 1, "lstm": 4, "gru": 3}
"""Rows of a cell's input matrix, in multiples of its hidden size."""


def _cell(cell: str, activation: str, inputs: int, hidden: int) -> nn.RNNBase:
    if cell == "rnn":
        return nn.RNN(inputs, hidden, nonlinearity=activation, batch_first=True)
    kernel: type[nn.LSTM | nn.GRU] = nn.LSTM if cell == "lstm" else nn.GRU
    return kernel(inputs, hidden, batch_first=True)


def _initialise(kernel: nn.RNNBase, cell: str) -> None:
    """Orthogonal recurrent matrices (Saxe et al. 2014); the LSTM's forget gate begins open
    (Jozefowicz et al. 2015)."""
    hidden = kernel.hidden_size
    for name, parameter in kernel.named_parameters():
        if name.startswith("weight_hh"):
            for gate in torch.split(parameter.data, hidden):
                nn.init.orthogonal_(gate)
        elif name.startswith("weight_ih"):
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

    With `gated_inputs` a step's input already is the product of the input matrix with a one-hot
    vector, for every gate of every direction, shape [..., directions × gates × hidden]; the
    kernel's own input matrix is then the identity and not trained.
    """

    def __init__(
        self, cell: str, activation: str, inputs: int, hidden: int, *, bidirectional: bool, gated_inputs: bool = False
    ) -> None:
        super().__init__()
        gates = GATES[cell] * hidden
        self.gated_inputs = gated_inputs
        self.outputs = hidden * (2 if bidirectional else 1)
        self.forwards = _cell(cell, activation, gates if gated_inputs else inputs, hidden)
        self.backwards = _cell(cell, activation, gates if gated_inputs else inputs, hidden) if bidirectional else None
        for kernel in (self.forwards, self.backwards):
            if kernel is None:
                continue
            _initialise(kernel, cell)
            if gated_inputs:
                identity = kernel.get_parameter("weight_ih_l0")
                nn.init.eye_(identity)
                identity.requires_grad_(False)

    def forward(self, x: Tensor, order: Tensor) -> tuple[Tensor, Tensor]:
        """Run over a batch.

        Args:
            x: inputs, shape [batch, time, inputs].
            order: `reversal` of the lengths, shape [batch, time].

        Returns:
            The hidden states of all steps, shape [batch, time, outputs]; and the last state of
            each direction, shape [batch, outputs].
        """
        last = order[:, :1]  # the reversal's first index is the last real step
        if self.backwards is None:
            states, _ = self.forwards(x)
            return states, _turned(states, last)[:, 0]
        halves = x.chunk(2, dim=-1) if self.gated_inputs else (x, x)
        ahead, _ = self.forwards(halves[0].contiguous())
        back, _ = self.backwards(_turned(halves[1], order))
        ends = torch.cat([_turned(ahead, last), _turned(back, last)], dim=-1)[:, 0]
        return torch.cat([ahead, _turned(back, order)], dim=-1), ends
