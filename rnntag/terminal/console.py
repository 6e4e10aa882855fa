"""What people see: tables, coloured tags, errors. All of it but results on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, TextIO

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from rnntag.errors import AccessError
from rnntag.terminal.sanitize import SafeConsole, as_json, as_lines, visible

if TYPE_CHECKING:
    pass

COLOURS = {
    "NOUN": "green", "PROPN": "bold green", "PRON": "cyan", "VERB": "red", "AUX": "magenta", "ADJ": "yellow",
    "ADV": "bright_yellow", "ADP": "blue", "DET": "bright_cyan", "NUM": "bright_blue", "CCONJ": "bright_magenta",
    "CONJ": "bright_magenta", "SCONJ": "bright_magenta", "PART": "bright_red", "PRT": "bright_red",
    "INTJ": "bright_green", "PUNCT": "dim", ".": "dim", "SYM": "dim",
}  # fmt: skip

LEAST_ABOUT = 24
"""Characters that tell what a corpus is, at least, where they are not told whole."""

GAP = 2
"""Spaces between the columns of the table of corpora."""

LONGEST_MESSAGE = 2000
"""Characters of an error, at most: what it quotes may be as long as its input."""


def results() -> TextIO:
    """Where results go.

    Raises:
        AccessError: it is closed.
    """
    if sys.stdout is None:
        raise AccessError("standard output is closed")
    return sys.stdout


def stdout() -> Console:
    """A console for results; see `results`."""
    return SafeConsole(file=results(), soft_wrap=True)


def stderr() -> Console:
    """A console for everything else."""
    return SafeConsole(stderr=True, soft_wrap=True)


def error(message: str) -> None:
    """Say what failed, in one line."""
    one_line = " ".join(message[: 2 * LONGEST_MESSAGE].split())
    if len(message) > LONGEST_MESSAGE:
        one_line = f"{one_line[: LONGEST_MESSAGE - 200]} … {' '.join(message[-200:].split())}"
    stderr().print(f"[bold red]error:[/] {escape(one_line)}")


def warning(message: str) -> None:
    """Say what a user should know though the work goes on."""
    with suppress(OSError):  # nobody reads it any more
        stderr().print(f"[yellow]warning:[/] {escape(message)}")


def note(message: str) -> None:
    """Say something that is neither a result nor a problem."""
    with suppress(OSError):  # nobody reads it any more
        stderr().print(escape(message))


def is_interactive() -> bool:
    """Whether a person reads stderr."""
    return stderr().is_terminal


def coloured(tokens: Sequence[str], tags: Sequence[str]) -> Text:
    """word/TAG as a terminal shows it. Control characters in a word are shown, not obeyed."""
    line = Text()
    for token, tag in zip(tokens, tags, strict=True):
        if line:
            line.append(" ")
        line.append(visible(token))
        line.append(f"/{tag}", style=COLOURS.get(tag, "green"))
    return line


def print_json(value: object) -> None:
    """Print JSON, in a pipe as it is; on a terminal control characters stand as escapes, which JSON has too."""
    text = json.dumps(value, ensure_ascii=False, indent=1)
    out = results()
    if out.isatty():
        text = as_json(text)
    out.write(f"{text}\n")


def print_text(text: str) -> None:
    """Print text, in a pipe as it is; see `terminal.as_lines`."""
    out = results()
    out.write((as_lines(text) if out.isatty() else text) + "\n")


def new_table(*columns: str, title: str | None = None, numbers: Iterable[str] = ()) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    for column in columns:
        numeric = column in set(numbers)
        # A number is not broken; a header of several words gives way before its numbers do.
        table.add_column(
            column, justify="right" if numeric else "left", overflow="fold", no_wrap=numeric and " " not in column
        )
    return table


def print_table(table: Table) -> None:
    """Print a table, on a terminal as wide as that is, elsewhere as wide as it needs to be."""
    console = SafeConsole(file=results())
    if not console.is_terminal:
        console = SafeConsole(file=results(), width=1000)
    console.print(table)


def cell(text: str) -> str:
    return escape(visible(text))
