"""`rnntag history`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from rnntag import console
from rnntag.cli.options import JsonOption


def history(
    name: Annotated[str, typer.Argument(metavar="MODEL", help="A model's name (see `rnntag models`) or directory.")],
    out: Annotated[
        Path | None, typer.Option(help="Draw the curves to this .svg or .png file, too (needs matplotlib).")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show how a model learned.

    Loss, the gradient's norm, the share of batches whose gradient was clipped, and dev accuracy, by
    epoch; the epoch that was kept has a star.

        rnntag history lstm

        rnntag history models/ewt --out ewt.svg
    """
    from rnntag import history, store

    if out:
        from rnntag import pictures

        pictures.check_file(out)
        store.check_not_bundled(out)
    path = store.find(name)
    epochs = history.read(store.read_history(path), str(path / store.HISTORY))
    called = path.resolve().name
    if out:
        pictures.write_history(out, called, epochs)
    if as_json:
        console.print_json([asdict(epoch) for epoch in epochs])
    else:
        console.print_history(called, epochs)
    if out:
        console.note(f"saved {out}")
