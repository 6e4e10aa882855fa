"""`rnntag models` and `rnntag corpora`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from rnntag import console
from rnntag.cli.options import JsonOption
from rnntag.schema import RnntagError


def models(
    name: Annotated[str | None, typer.Argument(help="Show the card of this one.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List the models, or show one's card.

    rnntag models

    rnntag models zh-en
    """
    from rnntag import store

    if name is not None:
        path = store.find(name)
        if as_json:
            console.print_json(_summary(path))
        else:
            console.print_card(path, store.read_card(path))
        return
    listed = {found: _summary(path) for found, path in store.available().items()}
    if as_json:
        console.print_json(listed)
    else:
        console.print_models(listed)


def _summary(path: Path) -> dict[str, Any]:
    from rnntag import store

    try:
        stored = store.read(path)
    except RnntagError as error:
        return {"path": str(path), "damaged": str(error)}
    return {
        "path": str(path),
        "digest": stored.digest,
        "megabytes": round(store.megabytes(path), 1),
        "network": asdict(stored.config),
        "tagsets": list(stored.vocabulary.tags),
        "provenance": asdict(stored.provenance),
    }


def corpora(as_json: JsonOption = False) -> None:
    """List the corpora that rnntag knows by name.

    Sizes, tags, licences, and whether they are on this machine. NLTK fetches one that is missing
    when it is named in `train` or `eval`.

        rnntag corpora

        rnntag corpora --json
    """
    from rnntag import corpora as known

    rows = known.listing()
    if as_json:
        console.print_json(rows)
    else:
        console.print_corpora(rows)
