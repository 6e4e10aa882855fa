"""Names that the shell completes. Where none fits, as in a path, it completes names of files."""

from __future__ import annotations

import typer

from rnntag.config import DEFAULT_MODEL
from rnntag.errors import RnntagError


def models() -> list[str]:
    """The names of the models."""
    from rnntag.model import directory

    return [*directory.available()]


def corpora() -> list[str]:
    """The names of the corpora that rnntag knows."""
    from rnntag.corpora.loading import STARTER
    from rnntag.corpora.nltk import CATALOGUE

    return [STARTER, *CATALOGUE]


def tagsets(context: typer.Context) -> list[str]:
    """The tagsets of the model that is named before, or else of the default one."""
    from rnntag.model import directory

    try:
        return [*directory.read(directory.find(context.params.get("model") or DEFAULT_MODEL)).tagsets]
    except RnntagError:  # the command itself will say why
        return []
