"""The processes that train a model together: one, or those that `torchrun` starts (see `training.distributed`)."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from torch import nn

_Value = TypeVar("_Value")


class ProcessGroup:
    """One process, which does all the work.

    Attributes:
        rank: the number of this process, from 0. The first alone reads and writes the files of a run.
        world_size: how many there are.
    """

    rank = 0
    world_size = 1

    def part(self, batch: Sequence[Any]) -> Sequence[Any]:
        """The part of a batch that is for this process."""
        return batch

    def all_reduce(self, *values: float) -> Sequence[float]:
        """The sum of each value over all processes. Waits for all of them."""
        return values

    def all_reduce_gradients(self, parameters: Sequence[nn.Parameter]) -> None:
        """Replace each gradient by its sum over all processes; one that a process lacks counts as 0."""

    def broadcast(self, compute: Callable[[], _Value]) -> _Value:
        """What the first process computes. Its error ends all."""
        return compute()


ALONE = ProcessGroup()


def world_size() -> int:
    """The number of processes that `torchrun` has started; 1 without it."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def rank() -> int:
    """The number of this process, from 0."""
    return int(os.environ.get("RANK", "0")) if world_size() > 1 else 0


def started() -> ProcessGroup:
    """The processes of this run, connected."""
    if world_size() == 1:
        return ALONE
    from rnntag.training import distributed  # imports torch, which corpora can be checked without

    return distributed.connected()
