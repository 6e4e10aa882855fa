"""The learning curve of a run: JSON, a line for each epoch."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from rnntag.errors import DataError
from rnntag.storage import validation

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


def write(steps: Iterable[TrainingStep]) -> bytes:
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
            epochs.append(_epoch(validation.parse(line)))
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
    validation.validate(found, _FORM, "it")
    for name, most in _MOST.items():
        for number in values[name].values() if name == "dev" else [values[name]]:
            if not 0 <= number <= most:
                raise ValueError(f"{name} is {number}")
    return Epoch(**found)


@dataclass(frozen=True, slots=True)
class TrainingStep:
    """What the trainer tells after a batch, and with `dev` after an epoch.

    Attributes:
        epoch: counted from 1.
        batch, batches: the position in the epoch.
        loss: mean cross-entropy a tag, in nats, over this epoch so far.
        gradient_norm: its mean before clipping, over this epoch so far.
        clipped: the share of this epoch's batches so far whose gradient was clipped.
        tokens: training tokens seen in this run so far.
        seconds: time spent in this run so far.
        dev: accuracy (0 to 1) on each corpus's dev part, by its name; empty but at an epoch's end.
        dev_accuracy: the mean of `dev`, weighted by the square roots of the parts' sizes: a small
            language counts nearly as much as a large one, and chance in a tiny part no more.
        best: whether it is the highest so far.
    """

    epoch: int
    epochs: int
    batch: int
    batches: int
    loss: float
    gradient_norm: float
    clipped: float
    tokens: int
    seconds: float
    dev: Mapping[str, float] = field(default_factory=dict)
    dev_accuracy: float = 0.0
    best: bool = False


@dataclass(frozen=True, slots=True)
class Scale:
    """How much a run learns from, and how much there is to learn.

    Attributes:
        sentences, tokens: of the train parts.
        dev_sentences, dev_tokens: of the dev parts.
        tags: by tagset, how many it has; empty for a segmenter.
        vocabulary: how many words, or units of a segmenter, have a row of their own.
        parameters: of the network.
    """

    sentences: int
    tokens: int
    dev_sentences: int
    dev_tokens: int
    tags: Mapping[str, int]
    vocabulary: int
    parameters: int
