"""The errors that users see, each with its exit code."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, NoReturn


class RnntagError(Exception):
    """A failure. Each of `args` is a line that says what is wrong, where, and what to do."""

    exit_code: ClassVar[int] = 1

    def __str__(self) -> str:
        return "\n".join(map(str, self.args))


class UsageError(RnntagError):
    """An invalid option or combination of options."""

    exit_code = 2


class DataError(RnntagError):
    """Invalid input data."""

    exit_code = 65


OnFault = Callable[[str], None]
"""Takes a line that says what is wrong and where; raises an error, or returns to continue."""


def stop(fault: str) -> NoReturn:
    """Raise a DataError: the `OnFault` that does not continue."""
    raise DataError(fault)


class NotFoundError(RnntagError):
    """A corpus, file or model that does not exist."""

    exit_code = 66


class AccessError(RnntagError):
    """A file or directory that cannot be read or written."""

    exit_code = 74
