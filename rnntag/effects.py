"""Which settings have an effect, given the others: for `train`, `compare` and a model's card."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

from rnntag.config import ModelConfig, Need, SegmenterConfig, TrainConfig, about
from rnntag.errors import UsageError

_SEGMENTER = Need("segmenter", lambda wanted: wanted is not False, "with --no-segmenter")

NEEDS: Mapping[str, Need] = {
    **{
        setting.name: need
        for config in (ModelConfig, TrainConfig)
        for setting in fields(config)
        if (need := about(setting).need)
    },
    **{f"segmenter_{setting.name}": _SEGMENTER for setting in fields(SegmenterConfig)},
}
"""By setting. What is not here always has an effect."""


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
