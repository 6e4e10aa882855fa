"""Checkpoints of a run, which another process can continue: one file beside the model directory.

The first line is the SHA-256 of the rest: a line of JSON, then arrays as safetensors
(https://github.com/huggingface/safetensors).
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
from safetensors import SafetensorError

from rnntag.config import CorpusFormat, ModelConfig, PretrainConfig, SegmenterConfig, TrainConfig
from rnntag.errors import AccessError, DataError, Remedy, RnntagError
from rnntag.storage import atomic, validation
from rnntag.version import __version__

FORMAT = 2
UNREADABLE = "is not a run that this version of rnntag can continue"
RESTART: Remedy = {"resume": False}


@dataclass(frozen=True, slots=True)
class State:
    """The state of one trainer.

    Attributes:
        figures: numbers and strings, as JSON.
        arrays: by name.
    """

    figures: Mapping[str, Any] = field(default_factory=dict)
    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of a run.

    Attributes:
        corpora: as named by the caller; empty for the default ones.
        tagset, encoding, corpus_format: how to read them.
        model, training: of the tagger.
        segmenter: None: train no segmenter.
        receiver: the model that gets a segmenter; "" if another network is trained.
        pretraining: of a language model; its text is `corpora`. None: another network is trained.
    """

    corpora: tuple[str, ...] = ()
    tagset: str = "universal"
    encoding: str = "utf-8"
    corpus_format: CorpusFormat = "auto"
    model: ModelConfig = field(default_factory=ModelConfig)
    training: TrainConfig = field(default_factory=TrainConfig)
    segmenter: SegmenterConfig | None = None
    receiver: str = ""
    pretraining: PretrainConfig | None = None

    @property
    def command(self) -> str:
        """The command that makes such a model."""
        return "pretrain" if self.pretraining else "train-segmenter" if self.receiver else "train"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A run and its state.

    Attributes:
        states: by the name of what is trained.
        conditions: versions and the number of threads, on which the results also depend.
        folder: the working directory, to which file names are relative.
        replaces: whether the run will replace a finished model.
    """

    settings: Settings
    states: Mapping[str, State] = field(default_factory=dict)
    conditions: Mapping[str, str] = field(default_factory=dict)
    folder: str = field(default_factory=os.getcwd)
    replaces: bool = False


def within(name: str, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Arrays with a prefix before their names; `of` takes it off."""
    return {f"{name}/{key}": array for key, array in arrays.items()}


def of(name: str, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The arrays with a prefix, which is taken off."""
    return {key.removeprefix(f"{name}/"): array for key, array in arrays.items() if key.startswith(f"{name}/")}


def place(path: Path) -> Path:
    """The checkpoint of the run that makes the model directory `path`."""
    path = path.resolve()
    return path.with_name(f".{path.name}.checkpoint")


def write(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint, replacing the last one.

    Args:
        path: of the model directory.

    Raises:
        AccessError: it cannot be written; the last one remains.
    """
    head = {
        "format": FORMAT,
        "rnntag": __version__,
        "conditions": dict(checkpoint.conditions),
        "folder": checkpoint.folder,
        "replaces": checkpoint.replaces,
        "settings": asdict(checkpoint.settings),
        "figures": {name: dict(state.figures) for name, state in checkpoint.states.items()},
    }
    arrays: dict[str, np.ndarray] = {}
    for name, state in checkpoint.states.items():
        arrays |= within(name, state.arrays)
    content = json.dumps(head).encode() + b"\n" + safetensors.numpy.save(arrays)
    file = place(path)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        atomic.write_file(file, hashlib.sha256(content).hexdigest().encode() + b"\n" + content)
    except OSError as error:
        raise AccessError(f"{file}: the checkpoint cannot be written: {error.strerror}") from error


def read(path: Path) -> Checkpoint | None:
    """The unfinished run of the model directory `path`, or None.

    Raises:
        DataError: its checkpoint is damaged, or of another version.
        AccessError: it cannot be read.
    """
    file = place(path)
    try:
        digest, _, content = file.read_bytes().partition(b"\n")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise AccessError(f"{file}: cannot be read: {error.strerror}") from error
    if hashlib.sha256(content).hexdigest().encode() != digest:
        raise DataError(f"{file}: is damaged", remedy=RESTART)
    line, _, tensors = content.partition(b"\n")
    try:
        head = validation.parse(line)
        if head["format"] != FORMAT:
            writer = f"written by rnntag {head['rnntag']}, and only that version can resume it"
            raise DataError(f"{file}: {writer}", remedy=RESTART)
        arrays = safetensors.numpy.load(tensors)
        states = {name: State(figures, of(name, arrays)) for name, figures in head["figures"].items()}
        conditions = {str(name): str(value) for name, value in head["conditions"].items()}
        settings = _settings(head["settings"])
        return Checkpoint(settings, states, conditions, str(head["folder"]), bool(head["replaces"]))
    except DataError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, RnntagError, SafetensorError) as error:
        raise DataError(f"{file}: {UNREADABLE} ({validation.reason(error)})", remedy=RESTART) from error


def discard(path: Path) -> None:
    """Remove the checkpoint.

    Raises:
        AccessError: it cannot be removed.
    """
    file = place(path)
    try:
        file.unlink(missing_ok=True)
    except OSError as error:
        raise AccessError(f"{file}: cannot be removed: {error.strerror}") from error


def _settings(fields: dict[str, Any]) -> Settings:
    segmenter, text = fields["segmenter"], fields["pretraining"]
    parts = {
        "corpora": tuple(map(str, fields["corpora"])),
        "model": validation.record(ModelConfig, fields["model"], "model"),
        "training": validation.record(TrainConfig, fields["training"], "training"),
        "segmenter": segmenter and validation.record(SegmenterConfig, segmenter, "segmenter"),
        "pretraining": text and validation.record(PretrainConfig, text, "pretraining"),
    }
    return Settings(**{**fields, **parts})
