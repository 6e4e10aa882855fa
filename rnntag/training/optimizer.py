"""Gradient steps with Adam, and the average of the weights."""

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
from rnntag.training.processes import ALONE, ProcessGroup

AVERAGING_STEPS = 200
"""The mean number of batches in the average of the weights; fewer at the start of a run."""


class ExplosionError(RnntagError):
    """The gradients or the weights are no longer finite, or too large to store."""


_MOMENTS = ("step", "exp_avg", "exp_avg_sq")
"""Adam's state of each parameter that has had a gradient."""


@dataclass(slots=True)
class EpochState:
    """The progress of a run.

    Attributes:
        shuffle: the state of the random generator at the start of the epoch.
        epoch: the current one.
        batch: the number of its batches that are done.
        loss, weight, norm, clipped: sums over these batches.
        tokens, seconds: see `TrainingStep`.
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
        """Add a batch, its loss with a weight."""
        self.batch += 1
        self.loss += loss * weight
        self.weight += weight
        self.norm += norm
        self.clipped += clipped
        self.tokens += tokens

    def step(self, epochs: int, batches: int, *, ends: bool = False) -> TrainingStep:
        """The last step. With `ends` it ends the epoch, even if time is up before the last batch."""
        loss = self.loss / max(self.weight, 1)
        done = max(self.batch, 1)
        norm, clipped = self.norm / done, self.clipped / done
        batch = batches if ends else self.batch
        return TrainingStep(self.epoch, epochs, batch, batches, loss, norm, clipped, self.tokens, self.seconds)

    def begin_epoch(self, shuffle: Mapping[str, Any]) -> None:
        """Begin the next epoch."""
        self.shuffle = shuffle
        self.epoch += 1
        self.batch = self.weight = self.clipped = 0
        self.loss = self.norm = 0.0


class Optimiser:
    """Adam with gradient clipping, and an exponential moving average of the weights (Polyak and Juditsky 1992).

    Attributes:
        average: of each parameter.

    Args:
        max_grad_norm: the gradient is clipped to this norm; 0: it is not.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], max_grad_norm: float) -> None:
        self._parameters = [parameter for parameter in parameters if parameter.requires_grad]
        self._adam = torch.optim.Adam(self._parameters, betas=(0.9, 0.98), fused=True)
        self._max_grad_norm = max_grad_norm or math.inf
        self._updates = 0
        self._swapped = False
        self.average = [parameter.detach().clone() for parameter in self._parameters]

    def step(self, loss: Tensor | None, lr: float, processes: ProcessGroup = ALONE) -> float:
        """Take a step. Returns the norm of the gradient before clipping; if it is not finite, no weight changes.

        Args:
            loss: this process's share of the loss; None if it has no part of the batch.
        """
        self._adam.param_groups[0]["lr"] = lr
        self._adam.zero_grad(set_to_none=True)
        if loss is not None:
            loss.backward()  # type: ignore[no-untyped-call]
        processes.all_reduce_gradients(self._parameters)
        norm = nn.utils.clip_grad_norm_(self._parameters, self._max_grad_norm).item()
        if not math.isfinite(norm):
            return norm
        self._adam.step()
        self._updates += 1
        weight = max(1 / AVERAGING_STEPS, 9 / (9 + self._updates))
        with torch.no_grad():
            torch._foreach_lerp_(self.average, list(self._parameters), weight)
        return norm

    def swap(self) -> None:
        """Exchange the weights and their average."""
        for parameter, other in zip(self._parameters, self.average, strict=True):
            parameter.data, other.data = other.data, parameter.data
        self._swapped = not self._swapped

    def state(self) -> dict[str, np.ndarray]:
        """All arrays that the next steps depend on, by name."""
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
        """Continue from the `state` of an optimiser of the same network."""
        tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
        self._updates = int(tensors["updates"])
        torch.set_rng_state(tensors["noise"])
        if "noise.cuda" in tensors and (device := self._parameters[0].device).type == "cuda":
            torch.cuda.set_rng_state(tensors["noise.cuda"], device)
        moments: dict[int, dict[str, Tensor]] = {number: {} for number in range(len(self._parameters))}
        for name, tensor in tensors.items():
            row, _, kind = name.partition(".")
            if kind in _MOMENTS:
                moments[int(row)][kind] = tensor
        with torch.no_grad():
            for number, (parameter, average) in enumerate(zip(self._parameters, self.average, strict=True)):
                parameter.copy_(tensors[f"{number}.weight"])
                average.copy_(tensors[f"{number}.average"])
        groups = self._adam.state_dict()["param_groups"]
        self._adam.load_state_dict(
            {"state": {number: state for number, state in moments.items() if state}, "param_groups": groups}
        )
