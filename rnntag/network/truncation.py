"""Truncated back-propagation through time."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from rnntag.network.cells import State


@dataclass(frozen=True, slots=True)
class TruncationWindows:
    """For each token of a batch a window of the steps that its error reaches, as a sequence.

    This is BPTT(N; 1) of Williams and Peng (1990): the error of each step goes back exactly N steps; in a bidirectional
    network, N steps each way. A batch of sentences becomes a batch of windows, one per token. Each window starts from
    the states that a forward pass over the whole sentence has just outside it, without their gradients, so the windows'
    states equal the sentence's while gradients end at the windows' edges.

    Attributes:
        rows: the sentence of each token, shape [tokens].
        steps: the time indices of each window, padded on the right with its last one, shape [tokens, longest].
        lengths: number of steps of each window, shape [tokens].
        centers: position of the token itself in its window, shape [tokens].
        at_end: whether the window reaches the end of its sentence, shape [tokens].
    """

    rows: Tensor
    steps: Tensor
    lengths: Tensor
    centers: Tensor
    at_end: Tensor

    @staticmethod
    def around(lengths: Tensor, bptt_steps: int, *, bidirectional: bool) -> TruncationWindows:
        """The windows of a padded batch.

        Args:
            lengths: number of tokens of each sentence, shape [sentences].
            bptt_steps: N.
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
        """Cut the windows out of values: from [sentences, time, size] to [tokens, longest, size]."""
        # Step t of sentence s is row s × time + t of the flattened values. Not an index: see `Network.forward`.
        return functional.embedding(self.rows[:, None] * values.shape[1] + self.steps, values.flatten(0, 1))

    def states(self, trace: tuple[State, State | None]) -> tuple[State, State | None]:
        """The initial states of the windows in each direction, each of shape [tokens, units].

        Forward, the state after the step before the window; backward, the one after the step that follows it; zeros at
        the ends of a sentence.

        Args:
            trace: see `RecurrentLayer.trace`, each of shape [sentences, time, units].
        """
        forward, backward = trace
        first, last = self.steps[:, 0], self.steps.gather(1, self.lengths[:, None] - 1)[:, 0]
        before = tuple(
            torch.where((first > 0)[:, None], part[self.rows, (first - 1).clamp(min=0)], 0.0) for part in forward
        )
        if backward is None:
            return before, None
        after = tuple(
            torch.where(self.at_end[:, None], 0.0, part[self.rows, (last + 1).clamp(max=part.shape[1] - 1)])
            for part in backward
        )
        return before, after

    def core(self, values: Tensor, longest: int) -> Tensor:
        """The values of the tokens themselves, as padded sentences again: from [tokens, longest window, size] to
        [sentences, longest, size], 0 at padding."""
        tokens = torch.arange(len(values), device=values.device)
        sentences = values.new_zeros(int(self.rows[-1]) + 1, longest, values.shape[-1])
        return sentences.index_put((self.rows, self.steps[tokens, self.centers]), values[tokens, self.centers])
