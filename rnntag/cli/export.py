"""`rnntag export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rnntag.cli.options import ForceOption, Fp32Option, ModelArgument
from rnntag.errors import AccessError
from rnntag.terminal import console


def export(
    name: ModelArgument,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Directory for the graphs.")],
    fp32: Fp32Option = False,
    force: ForceOption = False,
) -> None:
    """Write a model's ONNX graphs for other programs.

    Writes tagger.onnx, encoder.onnx if the model reads spellings, segmenter.onnx if it has a segmenter, and README.md
    with the inputs and outputs. rnntag itself does not need them: it builds its graphs when it loads a model.

        rnntag export zh-en --out zh-en-onnx
    """
    from rnntag.model import directory
    from rnntag.onnx import export as onnx_export
    from rnntag.storage import atomic

    source = directory.find(name)
    directory.check_not_bundled(out)
    directory.check_target(out, onnx_export.FILES, "an export")
    if out.is_dir() and not force:
        directory.check_absent(sorted(out.iterdir()))
    contents = onnx_export.files(directory.read(source), int8=not fp32)
    path = out.resolve()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic.write_directory(path, contents)
    except OSError as error:
        raise AccessError(f"{path}: the graphs cannot be written: {error.strerror}") from error
    console.note(f"saved {out}; {out / onnx_export.README} describes the inputs and outputs")
