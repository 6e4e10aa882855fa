"""Processes that `torchrun` starts, each with a part of every batch.

They have the same weights at all times, as they all take the steps of the whole batch's gradient. Gradients are summed
here rather than by torch's `DistributedDataParallel`, which averages over processes and not over tokens.
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import torch
from torch import distributed, nn

from rnntag.errors import RnntagError
from rnntag.training.processes import ProcessGroup

_Value = TypeVar("_Value")


class _Connected(ProcessGroup):
    def __init__(self) -> None:
        self.rank = distributed.get_rank()
        self.world_size = distributed.get_world_size()

    def part(self, batch: Sequence[Any]) -> Sequence[Any]:
        return batch[self.rank :: self.world_size]

    def all_reduce(self, *values: float) -> Sequence[float]:
        tensor = torch.tensor(values, dtype=torch.float64)
        distributed.all_reduce(tensor)
        sums: list[float] = tensor.tolist()
        return sums

    def all_reduce_gradients(self, parameters: Sequence[nn.Parameter]) -> None:
        gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
        flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
        distributed.all_reduce(flat)
        for parameter, part in zip(parameters, torch.split(flat, [p.numel() for p in parameters]), strict=True):
            parameter.grad = part.view_as(parameter)

    def broadcast(self, compute: Callable[[], _Value]) -> _Value:
        values: list[Any] = [None, None]
        if self.rank == 0:
            try:
                values[0] = compute()
            except RnntagError as error:
                values[1] = error
        distributed.broadcast_object_list(values)
        if values[1] is not None:
            raise values[1] if self.rank == 0 else SystemExit(values[1].exit_code)  # told once
        return values[0]  # type: ignore[no-any-return]


def connected() -> ProcessGroup:
    """The processes that `torchrun` has started; connects to them, over Gloo, for GPUs over NCCL."""
    if not distributed.is_initialized():
        if torch.cuda.is_available():
            torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
        distributed.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo")
        atexit.register(distributed.destroy_process_group)
    return _Connected()
