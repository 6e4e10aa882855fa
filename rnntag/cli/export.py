"""`rnntag export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rnntag import console
from rnntag.cli.options import ForceOption, Fp32Option
from rnntag.schema import AccessError


def export(
    name: Annotated[str, typer.Argument(metavar="MODEL", help="A model's name (see `rnntag models`) or directory.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where the graphs go.")],
    fp32: Fp32Option = False,
    force: ForceOption = False,
) -> None:
    """Write a model's ONNX graphs for other programs.

    DIR gets tagger.onnx, encoder.onnx if the model reads spellings, segmenter.onnx if it has a segmenter, and
    README.md with their inputs and outputs. rnntag itself does not need them: it builds its graphs when it loads a
    model.

        rnntag export zh-en --out zh-en-onnx
    """
    from rnntag import durable, onnx_export, store

    source = store.find(name)
    store.check_not_bundled(out)
    store.check_target(out, onnx_export.FILES, "an export")
    if out.is_dir() and not force:
        store.check_absent(sorted(out.iterdir()))
    contents = onnx_export.files(store.read(source), int8=not fp32)
    path = out.resolve()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        durable.write_directory(path, contents)
    except OSError as error:
        raise AccessError(f"{path}: the graphs cannot be written: {error.strerror}") from error
    console.note(f"saved {out}; {out / onnx_export.README} describes the inputs and outputs")
