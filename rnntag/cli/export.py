"""`rnntag export`."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from rnntag import console
from rnntag.cli.options import ForceOption


def export(
    name: Annotated[str, typer.Argument(metavar="MODEL", help="A model's name (see `rnntag models`) or directory.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where the copy goes.")],
    fp32: Annotated[
        bool, typer.Option("--fp32", help="Compute in 32 bits: slower, but exactly what torch computes.")
    ] = False,
    force: ForceOption = False,
) -> None:
    """Write a copy of a model with new ONNX graphs, made from its weights.

    `tag` and `eval` run these graphs. `train` writes them at its end: LSTM layers in 8 bits, which
    are twice as fast as 32; for other cells ONNX Runtime has no such operator.

        rnntag export lstm --fp32 --out models/lstm-fp32
    """
    from rnntag import onnx_graph, store
    from rnntag.claim import claim

    source = store.find(name)
    store.check_not_bundled(out)
    with claim(out):
        if not force:
            store.check_free(out)
        model = store.read(source)
        model = replace(model, graphs=onnx_graph.graphs(model, int8=False if fp32 else None))
        if model.segmenter:
            graph = onnx_graph.segmenter(model.segmenter, int8=not fp32)
            model = replace(model, segmenter=replace(model.segmenter, graph=graph))
        store.write(out, model, store.read_card(source))
    console.note(f"saved {out}; next: {shlex.join(['rnntag', 'tag', '--model', str(out), 'I can swim.'])}")
