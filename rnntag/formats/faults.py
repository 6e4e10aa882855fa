"""Collects the faults of corpus files, to report them together."""

from __future__ import annotations

from rnntag.errors import DataError

SHOWN = 10


class Faults:
    """The first `SHOWN` faults, and the count of all."""

    def __init__(self) -> None:
        self.count = 0
        self._first: list[str | DataError] = []

    def add(self, fault: str | DataError) -> None:
        """Add a fault; see `errors.OnFault`."""
        self.count += 1
        if self.count <= SHOWN:
            self._first.append(fault)

    def check(self) -> None:
        """Raise an error if there are faults.

        Raises:
            DataError: there are: one line each and, for several, one with their count.
        """
        if not self.count:
            return
        remark = f"{self.count:,} errors in all"
        if self.count > SHOWN:
            remark += f"; only the first {SHOWN} are shown"
        raise DataError(*self._first, *[remark] * (self.count > 1))
