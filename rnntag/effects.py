"""Which settings have an effect, given the others: for `train`, `compare` and model cards."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

from rnntag.config import SEGMENTER_PREFIX, ModelConfig, Need, SegmenterConfig, TrainConfig, about
from rnntag.errors import UsageError

_SEGMENTER = Need("segmenter", lambda wanted: wanted is not False, "without a segmenter")

NEEDS: Mapping[str, Need] = {
    **{
        setting.name: need
        for config in (ModelConfig, TrainConfig)
        for setting in fields(config)
        if (need := about(setting).need)
    },
    **{SEGMENTER_PREFIX + setting.name: _SEGMENTER for setting in fields(SegmenterConfig)},
}
"""By setting. Others always have an effect."""


def without_effect(options: Mapping[str, Any]) -> list[str]:
    """The settings in the table that have no effect, given the others.

    Args:
        options: all settings with their values, by name.
    """
    return [name for name, need in NEEDS.items() if name in options and not need.met(options[need.of])]


def check(options: Mapping[str, Any], given: Iterable[str]) -> None:
    """Make sure that each given setting has an effect.

    Args:
        options: see `without_effect`.
        given: the names of the settings that the caller has given.

    Raises:
        UsageError: one of these has no effect.
    """
    asked = set(given)
    idle = [name for name in without_effect(options) if name in asked and options[name] != NEEDS[name].neutral]
    refuse({name: NEEDS[name].otherwise for name in idle})


def refuse(idle: Mapping[str, str]) -> None:
    """Raise a UsageError if there are settings without effect.

    Args:
        idle: by setting, when it has no effect.
    """
    if idle:
        raise UsageError(
            *(UsageError(f"{name} has no effect {when}", remedy={name: None}) for name, when in idle.items())
        )
