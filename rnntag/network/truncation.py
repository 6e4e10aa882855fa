"""Truncated back-propagation through time: how far the error of each step goes back."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from rnntag.network.cells import State


@dataclass(frozen=True, slots=True)
class TruncationWindows:
    """For each token of a batch the steps around it that its error reaches, a sequence of its own.

    That is BPTT(N; 1) of Williams and Peng (1990): each step's error goes back exactly N steps, on
    the states that the whole sentence has there; in both directions where the network reads in both.

    Attributes:
        rows: the sentence of each token, shape [tokens].
        steps: the cut out steps, padded on the right, shape [tokens, longest].
        lengths: how many they are, shape [tokens].
        places: which of them is the token itself, shape [tokens].
        whole: whether they end with the sentence, shape [tokens].
    """

    rows: Tensor
    steps: Tensor
    lengths: Tensor
    places: Tensor
    whole: Tensor

    @staticmethod
    def around(lengths: Tensor, bptt_steps: int, *, bidirectional: bool) -> TruncationWindows:
        """The cuts of a padded batch.

        Args:
            lengths: number of tokens of each sentence, shape [sentences].
            bptt_steps: how many steps an error goes back.
            bidirectional: whether it also goes forward.
        """
        longest = int(lengths.max())
        rows, tokens = (torch.arange(longest, device=lengths.device) < lengths[:, None]).nonzero(as_tuple=True)
        first = (tokens - bptt_steps).clamp(min=0)
        last = torch.minimum(tokens + bptt_steps, lengths[rows] - 1) if bidirectional else tokens
        sizes = last - first + 1
        offsets = torch.arange(int(sizes.max()), device=lengths.device)
        steps = (first[:, None] + offsets).minimum(last[:, None])
        return TruncationWindows(rows, steps, sizes, tokens - first, last == lengths[rows] - 1)

    def of(self, values: Tensor) -> Tensor:
        """What the cuts hold of values at all steps, shape [sentences, time, size] to [tokens, longest, size]."""
        # Step t of sentence s is row s × time + t. As in `Network.forward`, no gradient of an index.
        return functional.embedding(self.rows[:, None] * values.shape[1] + self.steps, values.flatten(0, 1))

    def states(self, trace: tuple[State, State | None]) -> tuple[State, State | None]:
        """The states before the first step of each direction; see `cells.RecurrentLayer.trace`."""
        forward, backward = trace
        first, last = self.steps[:, 0], self.steps.gather(1, self.lengths[:, None] - 1)[:, 0]
        before = tuple(
            torch.where((first > 0)[:, None], part[self.rows, (first - 1).clamp(min=0)], 0.0) for part in forward
        )
        if backward is None:
            return before, None
        after = tuple(
            torch.where(self.whole[:, None], 0.0, part[self.rows, (last + 1).clamp(max=part.shape[1] - 1)])
            for part in backward
        )
        return before, after

    def core(self, values: Tensor, longest: int) -> Tensor:
        """Of values at all steps of the cuts those at the tokens themselves, in sentences again:
        shape [tokens, …, size] to [sentences, longest, size], 0 where there is no token."""
        tokens = torch.arange(len(values), device=values.device)
        sentences = values.new_zeros(int(self.rows[-1]) + 1, longest, values.shape[-1])
        return sentences.index_put((self.rows, self.steps[tokens, self.places]), values[tokens, self.places])
