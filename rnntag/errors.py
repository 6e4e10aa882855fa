"""The errors that a user can meet, each with its exit code."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, NoReturn


class RnntagError(Exception):
    """A failure: what, where, and what to do about it, in a line for each fault.

    Attributes:
        args: the lines.
    """

    exit_code: ClassVar[int] = 1

    def __str__(self) -> str:
        return "\n".join(map(str, self.args))


class UsageError(RnntagError):
    """An option or a combination of options that has no meaning."""

    exit_code = 2


class DataError(RnntagError):
    """Input that was found but cannot be understood."""

    exit_code = 65


OnFault = Callable[[str], None]
"""Is given a line that says what is wrong and where, and raises an error or goes on."""


def stop(fault: str) -> NoReturn:
    """The report that ends the work.

    Raises:
        DataError: always.
    """
    raise DataError(fault)


class NotFoundError(RnntagError):
    """A corpus, file or model that is not there."""

    exit_code = 66


class AccessError(RnntagError):
    """A file or directory that cannot be read or written."""

    exit_code = 74
