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
from rnntag.terminal.console import GAP, LEAST_ABOUT, note, print_table, results
from rnntag.terminal.sanitize import SafeConsole


def print_corpora(rows: Iterable[Mapping[str, Any]]) -> None:
    """The corpora as a table, a line each; see `corpora.listing`. On a terminal that is too narrow for all columns some
    are left out."""
    cells = [
        {
            "corpus": row["name"],
            "language": " ".join(row["languages"]),
            "sentences": f"{row['sentences']:,}",
            "tokens": f"{row['tokens']:,}",
            "universal": "yes" if row["universal"] else "no",
            "here": "yes" if row["here"] else "no",
            "licence": row["licence"],
            "tagset": ", ".join(row["tagsets"]),
            "what": row["about"],
        }
        for row in rows
    ]
    widths = {name: max(cell_len(name), *(cell_len(row[name]) for row in cells)) for name in cells[0]}
    console = SafeConsole(file=results())
    left_out: list[str] = []
    if console.is_terminal:
        whole = widths["what"]
        widths["what"] = min(whole, LEAST_ABOUT)
        for name in ("tagset", "licence", "what", "universal", "here", "language"):
            if (spare := console.width - sum(widths.values()) - GAP * (len(widths) - 1)) < 0:
                left_out.append(name)
                del widths[name]
        if "what" in widths:
            widths["what"] = min(widths["what"] + max(spare, 0), whole)
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for name in widths:
        table.add_column(name, justify="right" if name in ("sentences", "tokens") else "left", no_wrap=True)
    for row in cells:
        texts = {name: Text(row[name]) for name in widths}
        for name, text in texts.items():
            text.truncate(widths[name], overflow="ellipsis")
        table.add_row(*texts.values())
    print_table(table)
    if left_out:
        note(f"a wider terminal shows {', '.join(reversed(left_out))} too; --json has everything")


def corpora(as_json: JsonOption = False) -> None:
    """List the corpora that rnntag knows by name.

    Sizes, tags, licences, and whether they are on this machine. NLTK fetches one that is missing
    when it is named in `train` or `eval`.

        rnntag corpora

        rnntag corpora --json
    """
    from rnntag.corpora import loading as known

    rows = known.listing()
    if as_json:
        console.print_json(rows)
    else:
        print_corpora(rows)
