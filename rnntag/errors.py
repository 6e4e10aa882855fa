"""The errors of rnntag, each with its exit code."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar, Final, NoReturn

ANOTHER: Final = "another"
LOWER: Final = "lower"
Remedy = Mapping[str, object]
"""Settings, by their names in Python, with the values that would avoid an error: `ANOTHER`, `LOWER`, or None to leave a
setting out. `cli.advice` turns them into options."""


class RnntagError(Exception):
    """A failure: what is wrong, and where.

    Attributes:
        args: a line for each fault.
        remedies: for each of them, settings that would avoid it.

    Args:
        faults: a line each, or errors, whose lines are taken.
        remedy: of the faults that are lines.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, *faults: str | RnntagError, remedy: Remedy | None = None) -> None:
        lines: list[str] = []
        self.remedies: list[Remedy] = []
        for fault in faults:
            lines += fault.args if isinstance(fault, RnntagError) else [fault]
            self.remedies += fault.remedies if isinstance(fault, RnntagError) else [remedy or {}]
        super().__init__(*lines)

    def __str__(self) -> str:
        return "\n".join(self.args)


class UsageError(RnntagError):
    """A setting, or a combination of settings, that is not allowed."""

    exit_code = 2


class DataError(RnntagError):
    """Invalid input data."""

    exit_code = 65


OnFault = Callable[[str | DataError], None]
"""Takes a line that says what is wrong and where, or an error with one, and raises an error or returns."""


def stop(fault: str | DataError) -> NoReturn:
    """The `OnFault` that raises.

    Raises:
        DataError: always.
    """
    raise fault if isinstance(fault, DataError) else DataError(fault)


class NotFoundError(RnntagError):
    """A corpus, file or model that does not exist."""

    exit_code = 66


class AccessError(RnntagError):
    """A file or directory that cannot be read or written."""

    exit_code = 74
