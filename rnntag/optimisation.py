"""One step after the other down the gradient, and the average of where they lead."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn

AVERAGING_STEPS = 200
"""How many batches the averaged weights look back over, in the mean; fewer while a run is young."""


class Optimiser:
    """Adam with clipped gradients, beside the exponential moving average of the weights (Polyak and
    Juditsky 1992).

    Attributes:
        average: of each parameter.

    Args:
        clip: largest norm of the gradient; 0: any.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], clip: float) -> None:
        self._parameters = [parameter for parameter in parameters if parameter.requires_grad]
        self._adam = torch.optim.Adam(self._parameters, betas=(0.9, 0.98), fused=True)
        self._clip = clip or math.inf
        self._updates = 0
        self.average = [parameter.detach().clone() for parameter in self._parameters]

    def step(self, loss: Tensor, lr: float) -> float:
        """One step; the norm of its gradient before clipping. If that is not finite nothing has changed."""
        self._adam.param_groups[0]["lr"] = lr
        self._adam.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(self._parameters, self._clip).item()
        if not math.isfinite(norm):
            return norm
        self._adam.step()
        self._updates += 1
        weight = max(1 / AVERAGING_STEPS, 9 / (9 + self._updates))
        with torch.no_grad():
            torch._foreach_lerp_(self.average, list(self._parameters), weight)
        return norm

    def swap(self) -> None:
        """Put the average in the place of the weights; and again to put them back."""
        for parameter, other in zip(self._parameters, self.average, strict=True):
            parameter.data, other.data = other.data, parameter.data
