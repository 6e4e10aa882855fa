"""The learning curve of a run: JSON, a line for each epoch."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields

from rnntag.schema import DataError, Step

MOST = 1e12
"""No figure of a run is greater."""


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
    for number, line in enumerate(content.decode("utf-8", "surrogateescape").split("\n"), 1):
        if not line.strip():
            continue
        try:
            values = json.loads(line)
            epochs.append(
                Epoch(
                    epoch=int(_figure(values["epoch"])),
                    loss=_figure(values["loss"]),
                    gradient_norm=_figure(values["gradient_norm"]),
                    clipped=_figure(values["clipped"]),
                    tokens=int(_figure(values["tokens"])),
                    seconds=_figure(values["seconds"]),
                    dev={name: _figure(accuracy) for name, accuracy in values["dev"].items()},
                    dev_accuracy=_figure(values["dev_accuracy"]),
                )
            )
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
            raise DataError(f"{source}:{number}: is no epoch that 'rnntag train' writes: {error!r}") from error
    if not epochs:
        raise DataError(f"{source}: no epoch in it")
    return tuple(epochs)


def best(epochs: Sequence[Epoch]) -> Epoch:
    """The epoch whose weights were kept: the first with the highest dev accuracy."""
    return max(epochs, key=lambda epoch: epoch.dev_accuracy)


def _figure(value: float) -> float:
    if not 0 <= (number := float(value)) <= MOST:  # nor is nan
        raise ValueError(f"{number} is no figure")
    return number
