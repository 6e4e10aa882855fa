"""Untrusted JSON, parsed strictly and checked against expected types."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any, TypeVar

_Record = TypeVar("_Record")


def parse(content: bytes) -> Any:
    """Parse JSON. Bytes that are not UTF-8 become surrogates.

    Raises:
        ValueError: it is not JSON, is nested too deeply, repeats a name within an object, or contains NaN, infinity or
            an integer that is too long.
    """
    try:
        return json.loads(
            content.decode("utf-8", "surrogateescape"), object_pairs_hook=_object, parse_constant=_refuse_constant
        )
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        raise ValueError("an object repeats a name")
    return values


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a number")


def reason(error: Exception) -> str:
    """What an error says, for a message. The text of a KeyError is only the name of a field."""
    return f"no field {error}" if isinstance(error, KeyError) else f"{error}"


def validate(value: Any, form: Any, what: str) -> None:
    """Check a parsed value.

    Args:
        form: a type; `[form]`, a list of such values; `{str: form}`, an object with any names; or
            `{name: form, …}`, an object with exactly these names.
        what: the value's name in errors.

    Raises:
        ValueError: the value does not have this form.
    """
    if isinstance(form, list):
        _check_type(value, list, what)
        if form == [str]:
            try:
                "".join(value)  # the fastest check
            except TypeError as error:
                raise ValueError(f"{what} contains a value that is not a string") from error
            return
        for item in value:
            validate(item, form[0], what)
    elif isinstance(form, dict):
        _check_type(value, dict, what)
        if str in form:
            for name, item in value.items():
                validate(item, form[str], f"{what}[{name!r:.40}]")
            return
        if value.keys() != form.keys():
            raise ValueError(f"{what} has the fields {', '.join(map(repr, value))[:200]}, not {', '.join(form)}")
        for name, item_form in form.items():
            validate(value[name], item_form, f"{what}.{name}")
    else:
        _check_type(value, form, what)


def _check_type(value: Any, kind: Any, what: str) -> None:
    if kind is float and type(value) is int and abs(value) < 1 << 53:
        return
    if type(value) is not kind or (kind is float and not math.isfinite(value)):
        raise ValueError(f"{what} is {value!r:.40}, not a valid {kind.__name__}")


def record(kind: type[_Record], parsed: Any, what: str, forms: Mapping[str, Any] | None = None) -> _Record:
    """Make a dataclass from a parsed object. Each value must have the type of the field's default.

    Args:
        forms: the form of each field that is not a number, a string or a tuple of strings; see `validate`.

    Raises:
        ValueError: a field is unknown or has another type.
        UsageError: the dataclass rejects a value.
    """
    _check_type(parsed, dict, what)
    known = {field.name: field for field in fields(kind)}  # type: ignore[arg-type]
    values = {}
    for name, value in parsed.items():
        if name not in known:
            raise ValueError(f"{what} has the unknown field {name!r:.40}")
        default = known[name].default
        if forms and name in forms:
            validate(value, forms[name], f"{what}.{name}")
        elif isinstance(default, tuple):
            validate(value, [str], f"{what}.{name}")
            value = tuple(value)
        else:
            assert default is not MISSING
            _check_type(value, type(default), f"{what}.{name}")
        values[name] = value
    return kind(**values)
