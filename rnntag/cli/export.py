"""`rnntag export`."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from rnntag import console


def export(
    name: Annotated[str, typer.Argument(metavar="MODEL", help="A model's name (see `rnntag models`) or directory.")],
    int8: Annotated[
        bool, typer.Option("--int8", help="8-bit LSTM weights: smaller and faster, not quite the same tags.")
    ] = False,
) -> None:
    """Write a model's ONNX graphs anew.

    `tag` and `eval` run these graphs. `train` writes them at its end, in the precision of the
    weights.

        rnntag export models/lstm --int8
    """
    from rnntag import onnx_graph, store

    path = store.find(name)
    model = store.read(path, weights=True)
    store.write(path, replace(model, graphs=onnx_graph.graphs(model, int8=int8)), store.read_card(path))
    console.note(f"wrote {', '.join(store.GRAPHS)} in {path}")
