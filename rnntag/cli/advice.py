"""Errors as the command line prints them: the fault, and the options that avoid it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rnntag.errors import ANOTHER, LOWER, RnntagError

_PHRASES = {
    ("encoding", ANOTHER): "set the encoding with {}",
    ("errors", "replace"): "replace such bytes with {} replace",
    ("force", True): "replace it with {}",
    ("lexicon", ANOTHER): "name a file with {}",
    ("jobs", LOWER): "use fewer {}",
    ("resume", False): "start again with {}",
}
"""By setting and value, with a place for the option's name. For others see `_generic`."""


def lines(error: RnntagError, command: Any) -> Iterator[str]:
    """A line for each fault, with advice on the options that avoid it.

    Args:
        command: the Click command that failed. Settings that are not its options are not mentioned.
    """
    options = {parameter.name: parameter for parameter in command.params}
    for fault, remedy in zip(error.args, error.remedies, strict=True):
        advice = ", or ".join(_phrase(options[name], value) for name, value in remedy.items() if name in options)
        yield f"{fault}: {advice}" if advice else fault


def _phrase(option: Any, value: object) -> str:
    flag = next(name for name in option.opts if name.startswith("--"))
    negative = next(iter(option.secondary_opts), flag)
    phrase = _PHRASES.get((option.name, value))
    return phrase.format(negative if value is False else flag) if phrase else _generic(flag, negative, value)


def _generic(flag: str, negative: str, value: object) -> str:
    if value is None:
        return f"leave out {flag if flag == negative else f'{flag}/{negative}'}"
    if value == ANOTHER:
        return f"choose another {flag}" if negative == flag else f"use {flag} or {negative}"
    if value == LOWER:
        return f"use a lower {flag}"
    if isinstance(value, bool):
        return f"use {flag if value else negative}"
    return f"use {flag} {value}"
