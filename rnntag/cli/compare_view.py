"""Shows a comparison on the screen, and saves its models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from rnntag.analysis.compare import CompareCallbacks
from rnntag.cli.run_view import RunView
from rnntag.model import directory
from rnntag.model.stored import ModelBundle
from rnntag.training import model_card


class CompareView(RunView, CompareCallbacks):
    """Shows a comparison. Ctrl-C ends it at once."""

    def __init__(self) -> None:
        super().__init__()
        self._out: Path | None = None
        self._origin: Mapping[str, Any] = {}

    def keep_in(self, out: Path, origin: Mapping[str, Any]) -> None:
        """Save the models in this directory, with this provenance of the corpora."""
        self._out, self._origin = out, origin

    @contextmanager
    def training(self) -> Iterator[None]:
        with self._view:
            yield

    def note(self, what: str) -> None:
        self._view.note(what)

    def progress(self, what: str, done: int, total: int) -> None:
        self._view.progress(what, done, total)

    def keep(self, name: str, model: ModelBundle) -> None:
        if self._out:
            model = replace(model, provenance=replace(model.provenance, **self._origin))
            directory.write(self._out / name, model, model_card.write(model))
