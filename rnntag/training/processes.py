"""The processes that train a model together: one, or those that `torchrun` starts (see `training.distributed`)."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from torch import nn

_Value = TypeVar("_Value")


class Processes:
    """One process, which does all the work.

    Attributes:
        rank: the number of this process, from 0. The first alone reads and writes the files of a run.
        size: how many there are.
    """

    rank = 0
    size = 1

    def part(self, batch: Sequence[Any]) -> Sequence[Any]:
        """The part of a batch that is for this process."""
        return batch

    def sums(self, *values: float) -> Sequence[float]:
        """The sum of each value over all processes."""
        return values

    def add_gradients(self, parameters: Sequence[nn.Parameter]) -> None:
        """Replace each gradient by its sum over all processes; one that a process lacks counts as 0."""

    def from_first(self, compute: Callable[[], _Value]) -> _Value:
        """What the first process computes."""
        return compute()


ALONE = Processes()


def rank() -> int:
    """The number of this process, from 0."""
    return int(os.environ.get("RANK", "0"))


def started() -> Processes:
    """The processes of this run, connected."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return ALONE
    from rnntag.training import distributed  # imports torch, which corpora can be checked without

    return distributed.connected()
