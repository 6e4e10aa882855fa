"""`rnntag models`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from rnntag.cli import completion
from rnntag.cli.options import JsonOption
from rnntag.errors import RnntagError
from rnntag.evaluation.metrics import percent
from rnntag.terminal import console
from rnntag.terminal.console import cell, new_table, note, print_table, results, stdout
from rnntag.terminal.sanitize import visible


def models(
    name: Annotated[
        str | None,
        typer.Argument(metavar="MODEL", autocompletion=completion.models, help="Show the card of this model."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List the models, or show one model's card.

    The card says what a model was trained on, with which settings,
    and how accurate it is.

        rnntag models

        rnntag models zh-en
    """
    from rnntag.model import directory

    if name is not None:
        path = directory.find(name)
        if as_json:
            console.print_json(_summary(path))
        else:
            _print_card(path, directory.read_card(path))
        return
    listed = {model: _summary(path) for model, path in directory.available().items()}
    if as_json:
        console.print_json(listed)
    else:
        _print_models(listed)


_MOST_LINES = 20
"""Lines of dev accuracy for a model; --json has all."""


def _of_language_model(path: Path) -> dict[str, Any]:
    from rnntag.model import directory, language_model
    from rnntag.model.files import LANGUAGE_MODEL

    stored = language_model.read(path)
    perplexity = stored.provenance.perplexity
    return {
        "path": str(path),
        "kind": LANGUAGE_MODEL,
        "digest": stored.digest,
        "megabytes": round(directory.megabytes(path), 1),
        "network": asdict(stored.config),
        "perplexity": {"word": perplexity.per_word, "character": perplexity.per_character},
        "provenance": asdict(stored.provenance),
    }


def _summary(path: Path) -> dict[str, Any]:
    from rnntag.model import directory, language_model

    try:
        if language_model.is_language_model(path):
            return _of_language_model(path)
        stored = directory.read(path)
    except RnntagError as error:
        return {"path": str(path), "damaged": str(error)}
    return {
        "path": str(path),
        "digest": stored.digest,
        "megabytes": round(directory.megabytes(path), 1),
        "network": asdict(stored.config),
        "tagsets": list(stored.tagsets),
        "provenance": stored.provenance.as_json(),
    }


def _print_models(models: Mapping[str, Mapping[str, Any]]) -> None:
    """Print a table of the models, given their summaries by name."""
    if not models:
        note("no models yet: train one with 'rnntag train'")
        return
    table = new_table("model", "network", "tagsets", "dev accuracy", "MB", "path", numbers=["MB"])
    for column in (table.columns[0], table.columns[3]):
        column.no_wrap = True
    for name, model in models.items():
        if "damaged" in model:
            table.add_row(cell(name), "[red]damaged[/]", "", "", "", cell(model["path"]))
            continue
        network = model["network"]
        if "kind" in model:
            perplexity = f"perplexity {model['perplexity']['word']:.1f}"
            cells = "language model", perplexity, f"{model['megabytes']:.1f}", cell(model["path"])
            table.add_row(cell(name), f"{network['cell']} {network['layers']}×{network['hidden']}", *cells)
            continue
        dev = [*_dev_accuracies(model["provenance"])]
        if len(dev) > _MOST_LINES:
            dev[_MOST_LINES:] = [f"and {len(dev) - _MOST_LINES} more"]
        table.add_row(
            cell(name),
            f"{network['cell']} {network['layers']}×{network['hidden']}, {network['input']}",
            cell(", ".join(model["tagsets"])),
            "\n".join(map(cell, dev)),
            f"{model['megabytes']:.1f}",
            cell(model["path"]),
        )
    print_table(table)


def _dev_accuracies(provenance: Mapping[str, Any]) -> Iterator[str]:
    """A line for each corpus, or for each of its tagsets if the model has several."""
    for corpus, accuracy in provenance["dev"].items():
        tagsets = provenance.get("by_tagset", {}).get(corpus)
        for tagset, splits in tagsets.items() if tagsets else [("", {"dev": accuracy})]:
            yield f"{corpus} {tagset}".strip() + f" {percent(splits.get('dev'))}"


def _print_card(path: Path, card: str) -> None:
    """Print a model's card, rendered on a terminal. Its author is not trusted: the targets of links are shown, and
    control characters are escaped."""
    console = stdout()
    if console.is_terminal:
        from rich.markdown import Markdown

        console.print(Markdown("\n".join(map(visible, card.splitlines())), hyperlinks=False))
        console.print(cell(str(path)), style="dim")
    else:
        results().write(card)
