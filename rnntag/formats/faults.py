"""What is wrong with the lines of corpora, collected so that all of it is told at once."""

from __future__ import annotations

from rnntag.errors import DataError

SHOWN = 10


class Faults:
    """The first `SHOWN` faults, and the number of all.

    Attributes:
        count: of all.
    """

    def __init__(self) -> None:
        self.count = 0
        self._first: list[str | DataError] = []

    def add(self, fault: str | DataError) -> None:
        """Take note of a fault, a line that says where it is and what is wrong; see `errors.OnFault`."""
        self.count += 1
        if self.count <= SHOWN:
            self._first.append(fault)

    def check(self) -> None:
        """Raise an error if there has been a fault.

        Raises:
            DataError: there has; a line for each, and one that counts them if there are several.
        """
        if not self.count:
            return
        remark = f"{self.count:,} errors in all"
        if self.count > SHOWN:
            remark += f"; only the first {SHOWN} are shown"
        raise DataError(*self._first, *[remark] * (self.count > 1))
