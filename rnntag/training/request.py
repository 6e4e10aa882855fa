"""A request to make a model directory: the claim on it, and the unfinished run that it continues."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rnntag.config import SEGMENTER_PREFIX
from rnntag.errors import ANOTHER, NotFoundError, UsageError
from rnntag.model import directory
from rnntag.storage import atomic
from rnntag.storage.lock import locked
from rnntag.training import checkpoint
from rnntag.training.callbacks import Callbacks
from rnntag.training.checkpoint import Checkpoint, Settings

Paths = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]
CHECKPOINT_MINUTES = 10.0


@contextmanager
def claim(path: Path) -> Iterator[None]:
    """Lock a model directory, and recover from a crash of an earlier process.

    Raises:
        AccessError: another process has locked it, or a model cannot be written there.
    """
    directory.check_target(path)
    with locked(path):
        for left in (path.resolve(), checkpoint.place(path)):
            atomic.recover(left)
        yield


@contextmanager
def naming_folder(kept: Checkpoint | None) -> Iterator[None]:
    """If a file is not found, name the folder in which a continued run was started, unless it is the current one."""
    try:
        yield
    except NotFoundError as error:
        if kept and kept.folder != os.getcwd():
            raise NotFoundError(f"{error} (the run was started in {kept.folder})") from error
        raise


def flat(settings: Settings) -> dict[str, Any]:
    """All settings, by the names of `train`'s arguments."""
    parts = asdict(settings)
    model, training, segmenter, text = (parts.pop(name) for name in ("model", "training", "segmenter", "pretraining"))
    if text is not None:
        return {"texts": parts["corpora"], "encoding": parts["encoding"], **model, **text}
    of_segmenter = {SEGMENTER_PREFIX + name: value for name, value in (segmenter or {}).items()}
    return {**parts, **model, **training, **of_segmenter, "segmenter": segmenter is not None}


def given_names(**arguments: Any) -> set[str]:
    """The names of the arguments that are not empty."""
    return {name for name, value in arguments.items() if value}


def names(paths: Paths) -> tuple[str, ...]:
    """The names of one or several files, as they were given."""
    several = [paths] if isinstance(paths, (str, os.PathLike)) else paths
    return tuple(os.fspath(path) for path in several)


def _shown(value: object) -> str:
    return (", ".join(value) if isinstance(value, tuple) else f"{value}") or "none"


@dataclass(frozen=True)
class Request:
    """A call of `train`, `train_segmenter` or `pretrain`.

    Attributes:
        given: the names of the settings that the caller gave.
    """

    out: Path
    asked: Settings
    given: set[str]
    force: bool
    resume: bool | None
    watch: Callbacks

    def prepared(self) -> tuple[Settings, Checkpoint | None]:
        """The settings, and the unfinished run to continue."""
        if not (self.force or checkpoint.place(self.out).exists()):
            self._check_free()
        kept = None if self.resume is False else checkpoint.read(self.out)
        return (self._continued(kept) if kept else self._begun()), kept

    def _check_free(self) -> None:
        """Make sure that nothing finished is overwritten."""
        receiver = directory.find(self.asked.receiver) if self.asked.receiver else None
        if not receiver or self.out.resolve() != receiver.resolve():
            directory.check_free(self.out)
        elif directory.read(self.out).segmenter:
            raise UsageError(
                f"{self.out}: the model made on {directory.day_made(self.out)} already has a segmenter",
                remedy={"out": ANOTHER, "force": True},
            )

    def _begun(self) -> Settings:
        if self.resume and not self.given - {"receiver"}:
            raise NotFoundError(f"{self.out}: no unfinished run; to start one, name corpora or settings")
        return self.asked

    def _continued(self, kept: Checkpoint) -> Settings:
        """The settings of the unfinished run, if it may be continued with those that are given."""
        if not self.resume:
            raise UsageError(f"{self.out}: unfinished run found", remedy={"resume": ANOTHER})
        if kept.settings.command != self.asked.command:
            raise UsageError(
                f"{self.out}: the unfinished run is from 'rnntag {kept.settings.command}': continue it with that"
            )
        before, now = flat(kept.settings), flat(self.asked)
        for name in sorted(self.given):
            if before.get(name) != now.get(name):
                own = name.removeprefix(SEGMENTER_PREFIX) if kept.settings.receiver else name
                what = "model" if name == "receiver" else own
                raise UsageError(
                    f"{self.out}: the unfinished run has {what} {_shown(before.get(name))}, not "
                    f"{_shown(now.get(name))}",
                    remedy={own: None, "resume": False},
                )
        return kept.settings
