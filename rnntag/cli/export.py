"""`rnntag export`."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from rnntag import console


def export(
    name: Annotated[str, typer.Argument(metavar="MODEL", help="A model's name (see `rnntag models`) or directory.")],
    fp32: Annotated[
        bool, typer.Option("--fp32", help="Compute in 32 bits: slower, but exactly what torch computes.")
    ] = False,
) -> None:
    """Write a model's ONNX graphs anew.

    `tag` and `eval` run these graphs. `train` writes them at its end: LSTM layers in 8 bits, which
    are twice as fast as 32; for other cells ONNX Runtime has no such operator.

        rnntag export models/lstm --fp32
    """
    from rnntag import onnx_graph, store
    from rnntag.claim import claim

    path = store.find(name)
    with claim(path):
        model = store.read(path)
        model = replace(model, graphs=onnx_graph.graphs(model, int8=False if fp32 else None))
        if model.segmenter:
            graph = onnx_graph.segmenter(model.segmenter, int8=not fp32)
            model = replace(model, segmenter=replace(model.segmenter, graph=graph))
        store.write(path, model, store.read_card(path))
    console.note(f"wrote {', '.join(model.graphs)} in {path}")
