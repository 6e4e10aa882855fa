"""Which options have an effect, given the others: one table for `train`, `compare` and a model's card."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rnntag.config import CELLS
from rnntag.errors import UsageError


@dataclass(frozen=True, slots=True)
class Need:
    """What it takes for an option to have an effect.

    Attributes:
        of: another option.
        met: whether a value of that gives it one.
        otherwise: when it has none, in words.
        neutral: a value that may be given all the same, for it says what holds anyway.
    """

    of: str
    met: Callable[[Any], bool]
    otherwise: str
    neutral: object = None


_EMBEDDINGS = Need("input", lambda kind: kind == "embedding", "without --input embedding")
_SEGMENTER = Need("segmenter", lambda wanted: wanted is not False, "with --no-segmenter")

NEEDS: Mapping[str, Need] = {
    "activation": Need("cell", lambda cell: "rnn" in _several(cell or CELLS), "without --cell rnn", neutral="tanh"),
    "embedding_dim": _EMBEDDINGS,
    "char_dim": _EMBEDDINGS,
    "char_hidden": _EMBEDDINGS,
    "vectors": _EMBEDDINGS,
    "extra_vector_words": Need("vectors", bool, "without --vectors"),
    "teacher_forcing": Need("feedback", bool, "without --feedback", neutral=0.0),
    "tensorboard": Need("add_segmenter", lambda model: not model, "with --add-segmenter"),
    "segmenter_hidden": _SEGMENTER,
    "segmenter_bigrams": _SEGMENTER,
    "segmenter_epochs": _SEGMENTER,
}
"""By option, as its parameter is called. What is not here has an effect whatever the others are."""


def without_effect(options: Mapping[str, Any]) -> list[str]:
    """Those of the options in the table that have no effect beside the others.

    Args:
        options: by the names of their parameters, defaults and all.
    """
    return [name for name, need in NEEDS.items() if name in options and not need.met(options[need.of])]


def check(options: Mapping[str, Any], given: Iterable[str]) -> None:
    """Make sure that each option does something.

    Args:
        options: see `without_effect`.
        given: the names of those that somebody has asked for.

    Raises:
        UsageError: one of these has no effect.
    """
    asked = set(given)
    idle = [name for name in without_effect(options) if name in asked and options[name] != NEEDS[name].neutral]
    refuse({name: NEEDS[name].otherwise for name in idle})


def refuse(idle: Mapping[str, str]) -> None:
    """Raise a UsageError if there are options without effect; when they have none, in words, by their names."""
    if idle:
        told = "; ".join(f"--{name.replace('_', '-')} has no effect {when}" for name, when in idle.items())
        raise UsageError(f"{told}: leave {'it' if len(idle) == 1 else 'them'} out")


def _several(cell: str | Iterable[str]) -> tuple[str, ...]:
    """`train` takes one cell, `compare` several."""
    return (cell,) if isinstance(cell, str) else tuple(cell)
