"""One step after the other down the gradient, and the average of where they lead."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from rnntag.errors import RnntagError
from rnntag.model.learning_curve import TrainingStep

AVERAGING_STEPS = 200
"""How many batches the averaged weights look back over, in the mean; fewer while a run is young."""


class ExplosionError(RnntagError):
    """The gradients, or the weights after them, have grown beyond all bounds."""


_MOMENTS = ("step", "exp_avg", "exp_avg_sq")
"""What Adam keeps of each parameter that has had a gradient."""


@dataclass(slots=True)
class EpochState:
    """How far a run has got.

    Attributes:
        shuffle: the state of the generator that orders the epoch's sentences, at its beginning.
        epoch: the one that is under way, or is next.
        batch: how many of its batches are done.
        loss, weight, norm, clipped: sums over these.
        tokens, seconds: see `Step`.
    """

    shuffle: Mapping[str, Any]
    epoch: int = 1
    batch: int = 0
    loss: float = 0.0
    weight: int = 0
    norm: float = 0.0
    clipped: int = 0
    tokens: int = 0
    seconds: float = 0.0

    def add(self, loss: float, weight: int, norm: float, *, clipped: bool, tokens: int) -> None:
        """Count a batch, and its loss with a weight."""
        self.batch += 1
        self.loss += loss * weight
        self.weight += weight
        self.norm += norm
        self.clipped += clipped
        self.tokens += tokens

    def step(self, epochs: int, batches: int, *, ends: bool = False) -> TrainingStep:
        """What there is to tell; the epoch ends here where all its batches are done, or time is up."""
        loss = self.loss / max(self.weight, 1)
        done = max(self.batch, 1)
        norm, clipped = self.norm / done, self.clipped / done
        batch = batches if ends else self.batch
        return TrainingStep(self.epoch, epochs, batch, batches, loss, norm, clipped, self.tokens, self.seconds)

    def begin_epoch(self, shuffle: Mapping[str, Any]) -> None:
        """Go over to the next epoch."""
        self.shuffle = shuffle
        self.epoch += 1
        self.batch = self.weight = self.clipped = 0
        self.loss = self.norm = 0.0


class Optimiser:
    """Adam with clipped gradients, beside the exponential moving average of the weights (Polyak and
    Juditsky 1992).

    Attributes:
        average: of each parameter.

    Args:
        max_grad_norm: largest norm of the gradient; 0: any.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], clip: float) -> None:
        self._parameters = [parameter for parameter in parameters if parameter.requires_grad]
        self._adam = torch.optim.Adam(self._parameters, betas=(0.9, 0.98), fused=True)
        self._clip = clip or math.inf
        self._updates = 0
        self._swapped = False
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
        self._swapped = not self._swapped

    def state(self) -> dict[str, np.ndarray]:
        """All that the next step depends on but its batch and learning rate, by name."""
        weights, average = [parameter.detach() for parameter in self._parameters], self.average
        if self._swapped:
            weights, average = average, weights
        arrays = {"updates": torch.tensor(self._updates), "noise": torch.get_rng_state()}
        if (device := self._parameters[0].device).type == "cuda":
            arrays["noise.cuda"] = torch.cuda.get_rng_state(device)
        for number, parameter in enumerate(self._parameters):
            arrays |= {f"{number}.weight": weights[number], f"{number}.average": average[number]}
            arrays |= {f"{number}.{name}": value for name, value in self._adam.state[parameter].items()}
        return {name: array.cpu().numpy().copy() for name, array in arrays.items()}

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Go on from what `state` told of an optimiser of the same network."""
        own = {name: torch.from_numpy(array) for name, array in arrays.items()}
        self._updates = int(own["updates"])
        torch.set_rng_state(own["noise"])
        if "noise.cuda" in own and (device := self._parameters[0].device).type == "cuda":
            torch.cuda.set_rng_state(own["noise.cuda"], device)
        moments: dict[int, dict[str, Tensor]] = {number: {} for number in range(len(self._parameters))}
        for name, tensor in own.items():
            row, _, kind = name.partition(".")
            if kind in _MOMENTS:
                moments[int(row)][kind] = tensor
        with torch.no_grad():
            for number, (parameter, average) in enumerate(zip(self._parameters, self.average, strict=True)):
                parameter.copy_(own[f"{number}.weight"])
                average.copy_(own[f"{number}.average"])
        groups = self._adam.state_dict()["param_groups"]
        self._adam.load_state_dict({"state": {n: one for n, one in moments.items() if one}, "param_groups": groups})
