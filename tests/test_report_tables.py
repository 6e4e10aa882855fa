"""What was measured, as tables of text."""

from __future__ import annotations

import pytest

from rnntag.evaluation.metrics import SentenceErrors
from rnntag.evaluation.tables import Table, context, interval, markdown, probability


def test_markdown_is_a_table_whatever_stands_in_it() -> None:
    table = Table("a*b", ("word", "times"), (("x|y\n", "1"), ("`<i>`", "2")), ("times",))
    assert markdown([table, table._replace(title="")], ["a | b"]).split("\n\n") == [
        r"### a\*b",
        "| word | times |\n| --- | ---: |\n| x\\|y | 1 |\n| \\`\\<i\\>\\` | 2 |",
        "| word | times |\n| --- | ---: |\n| x\\|y | 1 |\n| \\`\\<i\\>\\` | 2 |",
        "    a | b\n",
    ]


@pytest.mark.parametrize(
    ("token", "expected"),
    [(0, "[0] 1 2 3 4 …"), (5, "… 1 2 3 4 [5] 6 7 8 9"), (9, "… 5 6 7 8 [9]"), (4, "0 1 2 3 [4] 5 6 7 8 …")],
)
def test_a_word_in_context(token: int, expected: str) -> None:
    assert context(SentenceErrors(1, tuple("0123456789"), ()), token) == expected


def test_figures_as_people_read_them() -> None:
    assert (probability(0.04), probability(0.00001), probability(1)) == ("0.0400", "< 0.0001", "1.0000")
    assert (interval((0.1234, 0.5)), interval(None)) == ("12.34–50.00", "–")
