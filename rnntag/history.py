"""The learning curve of a run: JSON, a line for each epoch."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from rnntag import strict_json
from rnntag.schema import DataError, Step

_FORM = {
    "epoch": int, "loss": float, "gradient_norm": float, "clipped": float, "tokens": int, "seconds": float,
    "dev": {str: float}, "dev_accuracy": float,
}  # fmt: skip
_MOST = {
    "epoch": 10**9, "loss": 1e15, "gradient_norm": math.inf, "clipped": 1, "tokens": 10**15, "seconds": 1e9, "dev": 1,
    "dev_accuracy": 1,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Epoch:
    """What the last `Step` of an epoch tells of it; see there."""

    epoch: int
    loss: float
    gradient_norm: float
    clipped: float
    tokens: int
    seconds: float
    dev: Mapping[str, float]
    dev_accuracy: float


def write(steps: Iterable[Step]) -> bytes:
    """The lines for those of a run's steps that end an epoch."""
    ends = [Epoch(**{field.name: getattr(step, field.name) for field in fields(Epoch)}) for step in steps if step.dev]
    # A corpus's file name may hold bytes that are no UTF-8, which Python keeps as surrogates.
    return "".join(json.dumps(asdict(end), ensure_ascii=False) + "\n" for end in ends).encode(
        "utf-8", "surrogateescape"
    )


def read(content: bytes, source: str) -> tuple[Epoch, ...]:
    """The epochs of a run, at least one.

    Args:
        source: what errors call it.

    Raises:
        DataError: a line is no epoch, or there is none.
    """
    epochs = []
    for number, line in enumerate(content.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            epochs.append(_epoch(strict_json.parse(line)))
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(f"{source}:{number}: is no epoch that 'rnntag train' writes: {error!r}") from error
    if not epochs:
        raise DataError(f"{source}: no epoch in it")
    return tuple(epochs)


def best(epochs: Sequence[Epoch]) -> Epoch:
    """The epoch whose weights were kept: the first with the highest dev accuracy."""
    return max(epochs, key=lambda epoch: epoch.dev_accuracy)


def _epoch(values: Mapping[str, Any]) -> Epoch:
    found = {name: values[name] for name in _FORM}
    strict_json.conform(found, _FORM, "it")
    for name, most in _MOST.items():
        for number in values[name].values() if name == "dev" else [values[name]]:
            if not 0 <= number <= most:
                raise ValueError(f"{name} is {number}")
    return Epoch(**found)
