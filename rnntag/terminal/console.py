"""Output: results on stdout; errors, warnings and notes on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any, Literal, TextIO

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from rnntag.errors import AccessError
from rnntag.terminal.sanitize import SafeConsole, as_json, as_lines, visible

COLOURS = {
    "NOUN": "green", "PROPN": "bold green", "PRON": "cyan", "VERB": "red", "AUX": "magenta", "ADJ": "yellow",
    "ADV": "bright_yellow", "ADP": "blue", "DET": "bright_cyan", "NUM": "bright_blue", "CCONJ": "bright_magenta",
    "CONJ": "bright_magenta", "SCONJ": "bright_magenta", "PART": "bright_red", "PRT": "bright_red",
    "INTJ": "bright_green", "PUNCT": "dim", ".": "dim", "SYM": "dim",
}  # fmt: skip

Colour = Literal["auto", "always", "never"]

_choices: dict[str, Any] = {"colour": "auto", "quiet": False}
"""The choices made by `set_up`."""

LONGEST_MESSAGE = 2000
"""Characters of an error, at most: it may quote its input."""


def results() -> TextIO:
    """The stream for results.

    Raises:
        AccessError: it is closed.
    """
    if sys.stdout is None:
        raise AccessError("standard output is closed")
    return sys.stdout


def set_up(colour: Colour = "auto", *, quiet: bool = False) -> None:
    """Choose, for all that is printed from now on, whether it is coloured.

    Args:
        colour: `auto` colours on a terminal, unless the environment variable NO_COLOR is set; `always` also colours
            results that do not go to a terminal.
        quiet: whether to leave out warnings and notes.
    """
    _choices.update(colour=colour, quiet=quiet)


def is_quiet() -> bool:
    """Whether warnings and notes are left out."""
    return bool(_choices["quiet"])


def has_coloured_results() -> bool:
    """Whether results are to be coloured."""
    return _choices["colour"] == "always" or (_choices["colour"] == "auto" and results().isatty())


def stdout() -> Console:
    """A console for results; see `results`."""
    return SafeConsole(file=results(), soft_wrap=True, **_colours(_choices["colour"]))


def stderr() -> Console:
    """A console for everything else."""
    colour = _choices["colour"]
    return SafeConsole(stderr=True, soft_wrap=True, **_colours("auto" if colour == "always" else colour))


def _colours(colour: Colour) -> dict[str, Any]:
    """The options of Rich's console."""
    if colour == "always":
        return {"force_terminal": True, "color_system": "standard", "no_color": False}
    return {"color_system": None} if colour == "never" else {}


def error(message: str, on: Console | None = None) -> None:
    """Print an error as one line, on a console other than `stderr` if there is one that has a bar."""
    one_line = " ".join(message[: 2 * LONGEST_MESSAGE].split())
    if len(message) > LONGEST_MESSAGE:
        one_line = f"{one_line[: LONGEST_MESSAGE - 200]} … {' '.join(message[-200:].split())}"
    (on or stderr()).print(f"[bold red]error:[/] {escape(one_line)}")


def warning(message: str) -> None:
    """Print a warning, unless it is to be quiet."""
    if is_quiet():
        return
    with suppress(OSError):  # stderr is closed
        stderr().print(f"[yellow]warning:[/] {escape(message)}")


def note(message: str) -> None:
    """Print a hint or a piece of news, unless it is to be quiet."""
    if is_quiet():
        return
    with suppress(OSError):  # stderr is closed
        stderr().print(escape(message))


def is_interactive() -> bool:
    """Whether stderr is a terminal."""
    return stderr().is_terminal


def coloured(tokens: Sequence[str], tags: Sequence[str]) -> Text:
    """word/TAG with coloured tags, and control characters escaped."""
    line = Text()
    for token, tag in zip(tokens, tags, strict=True):
        if line:
            line.append(" ")
        line.append(visible(token))
        line.append(f"/{tag}", style=COLOURS.get(tag, "green"))
    return line


def print_json(value: object) -> None:
    """Print JSON; on a terminal with control characters as JSON's escapes."""
    text = json.dumps(value, ensure_ascii=False, indent=1)
    out = results()
    if out.isatty():
        text = as_json(text)
    out.write(f"{text}\n")


def print_text(text: str) -> None:
    """Print text; on a terminal with control characters escaped."""
    out = results()
    out.write((as_lines(text) if out.isatty() else text) + "\n")


def new_table(*columns: str, title: str | None = None, numbers: Iterable[str] = ()) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    for column in columns:
        numeric = column in set(numbers)
        # Numbers are not wrapped; headers of several words are.
        table.add_column(
            column, justify="right" if numeric else "left", overflow="fold", no_wrap=numeric and " " not in column
        )
    return table


def print_table(table: Table) -> None:
    """Print a table, on a terminal no wider than that."""
    console = SafeConsole(file=results())
    if not console.is_terminal:
        console = SafeConsole(file=results(), width=1000)
    console.print(table)


def cell(text: str) -> str:
    """Text for a cell of a table, its markup and control characters escaped."""
    return escape(visible(text))
