"""`rnntag corpora`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rich import box
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from rnntag.cli.options import JsonOption
from rnntag.terminal import console

_GAP = 2
_LEAST_ABOUT = 24
"""Characters of a corpus's description, at least."""

_LESS_IMPORTANT = ("tagset", "licence", "description", "universal", "installed", "language")
"""Columns that a narrow terminal leaves out, in this order."""


def corpora(as_json: JsonOption = False) -> None:
    """List the corpora that rnntag knows by name.

    Shows their sizes, tagsets and licences, and whether they are on this machine. A missing NLTK corpus
    is downloaded when `train` or `eval` needs it.

        rnntag corpora

        rnntag corpora --json
    """
    from rnntag.corpora import loading

    rows = loading.listing()
    if as_json:
        console.print_json(rows)
    else:
        _print_corpora(rows)


def _print_corpora(rows: Iterable[Mapping[str, Any]]) -> None:
    """Print a table of the corpora, one per line, with as many columns as the terminal has room for."""
    cells = [
        {
            "corpus": row["name"],
            "language": " ".join(row["languages"]),
            "sentences": f"{row['sentences']:,}",
            "tokens": f"{row['tokens']:,}",
            "universal": "yes" if row["universal"] else "no",
            "installed": "yes" if row["here"] else "no",
            "licence": row["licence"],
            "tagset": ", ".join(row["tagsets"]),
            "description": row["about"],
        }
        for row in rows
    ]
    widths = {name: max(cell_len(name), *(cell_len(row[name]) for row in cells)) for name in cells[0]}
    widths["description"] = _LEAST_ABOUT
    stdout = console.stdout()
    left_out: list[str] = []
    for name in _LESS_IMPORTANT if stdout.is_terminal else ():
        if sum(widths.values()) + _GAP * (len(widths) - 1) > stdout.width:
            left_out.insert(0, name)
            del widths[name]
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for name in widths:
        table.add_column(
            name, justify="right" if name in ("sentences", "tokens") else "left", no_wrap=name != "description"
        )
    for row in cells:
        table.add_row(*(Text(row[name], no_wrap=True, overflow="ellipsis") for name in widths))
    console.print_table(table)
    if left_out:
        console.note(f"a wider terminal also shows {', '.join(left_out)}; --json shows everything")
