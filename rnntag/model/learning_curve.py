"""The learning curve of a run: JSON Lines, one line per epoch."""

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
_LIMITS = {
    "epoch": 10**9, "loss": 1e15, "gradient_norm": math.inf, "clipped": 1, "tokens": 10**15, "seconds": 1e9, "dev": 1,
    "dev_accuracy": 1,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class TrainingStep:
    """Progress after a batch; the last step of an epoch also has the dev figures.

    Attributes:
        epoch, epochs: current epoch, from 1, and maximum.
        batch, batches: current batch and number of batches in the epoch.
        loss: mean cross-entropy per tag, in nats, in this epoch so far.
        gradient_norm: mean before clipping, in this epoch so far.
        clipped: share of batches with a clipped gradient, in this epoch so far.
        tokens: training tokens processed in this run.
        seconds: duration of this run.
        dev: by corpus name, accuracy (0 to 1) on its dev split; of a language model, the reciprocal of its perplexity;
            empty within an epoch.
        dev_accuracy: mean of `dev`, weighted by the square root of each split's size: small languages count, but the
            noise of tiny splits does not dominate.
        best: whether `dev_accuracy` is the highest so far.
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
    """The size of the training data and of the model.

    Attributes:
        sentences, tokens: size of the train splits.
        dev_sentences, dev_tokens: size of the dev splits.
        tags: by tagset, number of tags; empty for a segmenter.
        vocabulary: number of words (or of a segmenter's units) with their own row.
        parameters: number of weights of the network.
        measure: what dev figures are: `accuracy` or `perplexity`, of which they are the reciprocal.
    """

    sentences: int
    tokens: int
    dev_sentences: int
    dev_tokens: int
    tags: Mapping[str, int]
    vocabulary: int
    parameters: int
    measure: str = "accuracy"


@dataclass(frozen=True, slots=True)
class Epoch:
    """The state at the end of an epoch; the fields are those of `TrainingStep`."""

    epoch: int
    loss: float
    gradient_norm: float
    clipped: float
    tokens: int
    seconds: float
    dev: Mapping[str, float]
    dev_accuracy: float


def write(steps: Iterable[TrainingStep]) -> bytes:
    """Serialise the steps that end an epoch."""
    ends = [Epoch(**{field.name: getattr(step, field.name) for field in fields(Epoch)}) for step in steps if step.dev]
    # A corpus's file name may contain bytes that are not UTF-8; Python keeps them as surrogates.
    return "".join(json.dumps(asdict(end), ensure_ascii=False) + "\n" for end in ends).encode(
        "utf-8", "surrogateescape"
    )


def read(content: bytes, source: str) -> tuple[Epoch, ...]:
    """The epochs of a run, at least one.

    Args:
        source: the name used in errors.

    Raises:
        DataError: a line is not an epoch, or there are none.
    """
    epochs = []
    for number, line in enumerate(content.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            epochs.append(_epoch(validation.parse(line)))
        except (ValueError, KeyError, TypeError) as error:
            why = validation.reason(error)
            raise DataError(f"{source}:{number}: is not an epoch written by 'rnntag train': {why}") from error
    if not epochs:
        raise DataError(f"{source}: contains no epoch")
    return tuple(epochs)


def best(epochs: Sequence[Epoch]) -> Epoch:
    """The first epoch with the highest dev accuracy, whose weights are kept."""
    return max(epochs, key=lambda epoch: epoch.dev_accuracy)


def _epoch(values: Mapping[str, Any]) -> Epoch:
    known = {name: values[name] for name in _FORM}
    validation.validate(known, _FORM, "it")
    for name, limit in _LIMITS.items():
        for number in values[name].values() if name == "dev" else [values[name]]:
            if not 0 <= number <= limit:
                raise ValueError(f"{name} is {number}")
    return Epoch(**known)
