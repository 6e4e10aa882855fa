"""The model directory: write, verify, read, find."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict
from datetime import date
from pathlib import Path

from rnntag.config import DEFAULT_LM, DEFAULT_MODEL, WORLD_MODEL, ModelConfig, TrainConfig
from rnntag.errors import ANOTHER, AccessError, DataError, NotFoundError, UsageError
from rnntag.model import weights as weight_shapes
from rnntag.model.files import (
    CARD,
    CONFIG,
    FILES,
    HISTORY,
    KIND,
    LANGUAGE_MODEL,
    MAX_CONFIG,
    MAX_TEXT,
    SHARED_ROWS,
    VERIFIED,
    VOCABULARY,
    WEIGHTS,
    contents,
    open_folder,
    read_config,
    read_learning_curve,
    read_segmenter,
    read_weights,
)
from rnntag.model.shared_rows import MAX_BYTES, SharedRows
from rnntag.model.stored import ModelBundle, Provenance
from rnntag.model.vocabulary import Vocabulary
from rnntag.storage import atomic, checksums, validation

BUNDLED_TAGGERS = (DEFAULT_MODEL, "zh-en-fast", WORLD_MODEL)
BUNDLED_MODELS = (*BUNDLED_TAGGERS, DEFAULT_LM)
_CONFIG_FORM = {"format": int, "model": dict, "training": dict, "temperatures": {str: float}, "provenance": dict}
_PROVENANCE_FORMS = {
    "corpora": {str: {"train": int, "dev": int, "test": int}},
    "dev": {str: float},
    "test": {str: float},
    "by_tagset": {str: {str: {str: float}}},
}


def model_folders() -> tuple[Path, ...]:
    """The folders where names are looked up: `./models`, then that of the bundled models."""
    package = Path(__file__).parent.parent
    bundled = next((f for f in (package / "models", package.parent / "models") if f.is_dir()), package / "models")
    return (Path("models"), bundled)


def is_bundled(path: Path) -> bool:
    """Whether a path is in a bundled model or elsewhere in the installed package."""
    package = Path(__file__).resolve().parent.parent
    in_checkout = (package.parent / "models" / name for name in BUNDLED_MODELS)
    return any(path.resolve().is_relative_to(folder) for folder in (package, *in_checkout))


def check_not_bundled(path: Path, argument: str = "out") -> None:
    """Make sure that nothing is written into the package.

    Args:
        argument: the setting that names another place.

    Raises:
        UsageError: see `is_bundled`.
    """
    if is_bundled(path):
        raise UsageError(f"{path} is part of rnntag and cannot be overwritten", remedy={argument: ANOTHER})


def day_made(path: Path) -> str | None:
    """The date of a model as ISO 8601; that of its files if it has none or is damaged. None if there is no model."""
    files = [path / name for name in VERIFIED if os.path.lexists(path / name)]
    if not files:
        return None
    try:
        config = validation.parse(checksums.content(path, CONFIG, MAX_CONFIG))
        return date.fromisoformat(config["provenance"]["created"]).isoformat()
    except (DataError, AccessError, ValueError, KeyError, TypeError):
        return date.fromtimestamp(max(file.lstat().st_mtime for file in files)).isoformat()


def check_free(path: Path) -> None:
    """Make sure that no finished model is overwritten.

    Raises:
        UsageError: `path` contains a model.
    """
    if day := day_made(path):
        raise UsageError(f"{path}: already contains a model made on {day}", remedy={"out": ANOTHER, "force": True})


def check_absent(paths: Iterable[Path]) -> None:
    """Make sure that no file is overwritten.

    Raises:
        UsageError: a file exists.
    """
    for path in paths:
        if path.exists():
            raise UsageError(f"{path}: already exists", remedy={"out": ANOTHER, "force": True})


def available() -> dict[str, Path]:
    """The directories of the models that can be found by name."""
    models: dict[str, Path] = {}
    for folder in model_folders():
        if folder.is_dir():
            for path in sorted(folder.iterdir()):
                if (path / CONFIG).is_file() and not path.name.startswith("."):
                    models.setdefault(path.name, path)
    return models


def find(name: str) -> Path:
    """The directory of a model, given its path or its name.

    Raises:
        NotFoundError: there is no such model.
    """
    path = Path(name)
    if name and (path / CONFIG).is_file():
        return path
    known = available()
    if name in known:
        return known[name]
    if name and path.is_dir():
        raise NotFoundError(f"{name}: no model in this directory ({CONFIG} is missing)")
    listed = f"known models: {', '.join(known)}" if known else "no model is installed: train one with 'rnntag train'"
    raise NotFoundError(f"{name or 'an empty name'}: no such model; {listed}")


def check_target(path: Path, names: Collection[str] = FILES, what: str = "a model") -> None:
    """Make sure, before hours of training, that a model can be written to `path`.

    Args:
        names: files that may be replaced there.
        what: the kind of directory that has such files.

    Raises:
        AccessError: it cannot be written, or contains other files.
    """
    path = path.resolve()
    folder = next((parent for parent in path.parents if parent.exists()), path)
    if path.exists() and not path.is_dir():
        raise AccessError(f"{path}: is a file, not a directory", remedy={"out": ANOTHER})
    if path.is_mount():
        raise AccessError(f"{path}: is a mount point and cannot be replaced", remedy={"out": ANOTHER})
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        raise AccessError(f"{path}: {folder} cannot be written to", remedy={"out": ANOTHER})
    if path.is_dir():
        _check_replaceable(path, names, what)


def _check_replaceable(path: Path, names: Collection[str] = FILES, what: str = "a model") -> None:
    others = sorted({entry.name for entry in path.iterdir()} - {*names})
    if others:
        raise AccessError(f"{path}: contains {others[0]}, which does not belong to {what}", remedy={"out": ANOTHER})


def write(path: Path, model: ModelBundle, card: str) -> None:
    """Write or replace a model directory.

    Raises:
        AccessError: it cannot be written, or `path` contains other files. It is then unchanged.
    """
    replace_files(path, as_files(model, card))


def replace_files(path: Path, files: Mapping[str, bytes]) -> None:
    """Write or replace a model directory, given the contents of its files; see `write`."""
    path = path.resolve()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            _check_replaceable(path)
        atomic.write_directory(path, files)
    except OSError as error:
        raise AccessError(f"{path}: the model cannot be written: {error.strerror}") from error


def as_files(model: ModelBundle, card: str) -> dict[str, bytes]:
    """The contents of the files of a model's directory, by name."""
    config = {
        "model": asdict(model.config),
        "training": asdict(model.training),
        "temperatures": dict(model.temperatures),
        "provenance": model.provenance.as_json(),
    }
    return contents(config, model.vocabulary, model.weights, model.segmenter, model.history, card)


def read(path: Path) -> ModelBundle:
    """Read and verify a model directory.

    Raises:
        DataError: a file is missing, damaged, or of another format version.
        AccessError: a file cannot be read.
    """
    files = open_folder(path)
    try:
        config = read_config(path, files)
        if KIND in config:
            kind = LANGUAGE_MODEL if config[KIND] == LANGUAGE_MODEL else f"model of the kind {config[KIND]!r:.40}"
            raise DataError(f"{path}: is a {kind}, not a tagger: use it with 'rnntag score' or 'rnntag similar'")
        validation.validate({"temperatures": {}, **config}, _CONFIG_FORM, CONFIG)
        shape = validation.record(ModelConfig, config["model"], "model")
        shared = SharedRows.from_bytes(files.read(SHARED_ROWS, MAX_BYTES)) if SHARED_ROWS in files else None
        vocabulary = Vocabulary.from_tables(validation.parse(files.read(VOCABULARY, MAX_TEXT)), shared)
        if not vocabulary.tags:
            raise ValueError("there is no tagset")
        classes = [len(tags) for tags in vocabulary.tags.values()]
        shapes = weight_shapes.tagger(shape, vocabulary.word_rows, vocabulary.character_rows, classes)
        temperatures = {tagset: float(value) for tagset, value in config.get("temperatures", {}).items()}
        if min(temperatures.values(), default=1.0) <= 0:
            raise ValueError("a temperature is not positive")
        return ModelBundle(
            name=path.resolve().name,
            config=shape,
            training=validation.record(TrainConfig, config["training"], "training"),
            vocabulary=vocabulary,
            weights=read_weights(files, WEIGHTS, shapes),
            temperatures=temperatures,
            provenance=validation.record(Provenance, config["provenance"], "provenance", _PROVENANCE_FORMS),
            segmenter=read_segmenter(files),
            history=read_learning_curve(path, files) or b"",
            digest=files.digest,
        )
    except (ValueError, UsageError) as error:
        raise DataError(f"{path}: is not a valid rnntag model: {error}") from error


def read_card(path: Path) -> str:
    """The model card, in Markdown.

    Raises:
        DataError, AccessError: it is missing or cannot be read.
    """
    return checksums.content(path, CARD, MAX_CONFIG).decode("utf-8", "surrogateescape")


def read_history(path: Path) -> bytes:
    """The learning curve of the run that made the model, for `learning_curve.read`.

    Raises:
        NotFoundError: the model has none.
        DataError: it is damaged.
        AccessError: it cannot be read.
    """
    history = read_learning_curve(path, open_folder(path))
    if history is None:
        raise NotFoundError(f"{path}: this model has no {HISTORY}; models trained with 'rnntag train' have one")
    return history


def megabytes(path: Path) -> float:
    """The size of a model directory, in MB (10⁶ bytes)."""
    return sum(file.stat().st_size for file in path.iterdir() if file.is_file()) / 1e6
