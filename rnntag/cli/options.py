"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

INPUT = "Input"

ModelOption = Annotated[
    str, typer.Option("--model", "-m", envvar="RNNTAG_MODEL", help="A model's name (see `rnntag models`) or directory.")
]
EncodingOption = Annotated[str, typer.Option(rich_help_panel=INPUT, help="Encoding of the input.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
