"""JSON that may come from anybody, as values of the types that are asked for."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any, TypeVar

_Record = TypeVar("_Record")


def parse(content: bytes) -> Any:
    """What JSON says, whose strings may hold bytes that are no UTF-8, as surrogates.

    Raises:
        ValueError: it is no JSON, is nested too deeply, or holds a name twice in an object, a number that is
            none, or one that is too long.
    """
    try:
        return json.loads(
            content.decode("utf-8", "surrogateescape"), object_pairs_hook=_object, parse_constant=_no_number
        )
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name is there twice")
    return found


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no number")


def validate(value: Any, form: Any, what: str) -> None:
    """Make sure that a value is of a form: a type; a list of one form, `[form]`; an object with values of one
    form under whatever names, `{str: form}`; or one with these names and forms, `{name: form, …}`.

    Raises:
        ValueError: it is not.
    """
    if isinstance(form, list):
        _check_type(value, list, what)
        if form == [str]:
            try:
                "".join(value)  # the fastest way to ask
            except TypeError as error:
                raise ValueError(f"{what} holds something that is no text") from error
            return
        for one in value:
            validate(one, form[0], what)
    elif isinstance(form, dict):
        _check_type(value, dict, what)
        if str in form:
            for name, one in value.items():
                validate(one, form[str], f"{what}[{name!r:.40}]")
            return
        if value.keys() != form.keys():
            raise ValueError(f"{what} has {', '.join(map(repr, value))[:200]}, where {', '.join(form)} are due")
        for name, one in form.items():
            validate(value[name], one, f"{what}.{name}")
    else:
        _check_type(value, form, what)


def _check_type(value: Any, kind: Any, what: str) -> None:
    if kind is float and type(value) is int and abs(value) < 1 << 53:
        return
    if type(value) is not kind or (kind is float and not math.isfinite(value)):
        raise ValueError(f"{what} is {value!r:.40}, which is no {kind.__name__}")


def record(kind: type[_Record], found: Any, what: str, forms: Mapping[str, Any] | None = None) -> _Record:
    """A dataclass from an object with its fields, each of the type of its default value.

    Args:
        forms: of the fields that are no numbers, texts or lists of texts; see `conform`.

    Raises:
        ValueError: a field is unknown, or of another type.
        UsageError: the dataclass does not take a value.
    """
    _check_type(found, dict, what)
    known = {field.name: field for field in fields(kind)}  # type: ignore[arg-type]
    values = {}
    for name, value in found.items():
        if name not in known:
            raise ValueError(f"{what} has {name!r:.40}, which this rnntag does not know")
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
