"""The model directory: write, verify, read, find."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import safetensors.numpy

from rnntag import __version__, durable, integrity, strict_json, weight_shapes
from rnntag.integrity import CHECKSUMS
from rnntag.schema import (
    AccessError,
    DataError,
    ModelConfig,
    NotFoundError,
    Provenance,
    SegmenterConfig,
    TrainConfig,
    UsageError,
)
from rnntag.units import SHAPES, Units
from rnntag.vocabulary import Ids, Vocabulary
from rnntag.weight_shapes import WORD_TABLE, scales

FORMAT = 2
CONFIG, VOCABULARY, WEIGHTS = "config.json", "vocabulary.json", "model.safetensors"
SEGMENTER, SEGMENTER_WEIGHTS = "segmenter.json", "segmenter.safetensors"
SEGMENTER_FILES = (SEGMENTER, SEGMENTER_WEIGHTS)
_OLD_FILES = ("encoder.onnx", "tagger.onnx", "segmenter.onnx")
"""What models of another format have besides: known so that they can be refused as such, and replaced."""
CARD = "MODEL_CARD.md"
HISTORY = "history.jsonl"
"""The learning curve of the run that made the model, if that is known. See `history`."""
RECIPE = "recipe.toml"
"""How to make the model, if somebody has written that down; it stays where it lies. See `recipe`."""
VERIFIED = (CONFIG, VOCABULARY, WEIGHTS, *SEGMENTER_FILES)
"""The files that a model is read from. The card and the recipe are for people, who may edit them. The history
has a checksum, too, but where an older rnntag wrote it."""
_MOST_CONFIG, _MOST_TEXT, _MOST_WEIGHTS = 1 << 20, 1 << 26, 1 << 30
"""Bytes of a file, at most: of the configuration, the card and the recipe; of tables and the history; of
weights, if the configuration asks for so many."""
FILES = {*VERIFIED, CARD, CHECKSUMS, HISTORY, RECIPE, *_OLD_FILES}
"""The names of all that a model's directory may hold."""
BUNDLED_MODELS = ("zh-en", "zh-en-fast")
ALL_ROWS = slice(None)
_CONFIG_FORM = {"format": int, "model": dict, "training": dict, "temperatures": {str: float}, "provenance": dict}
_PROVENANCE_FORMS = {
    "corpora": {str: {"train": int, "dev": int, "test": int}},
    "dev": {str: float},
    "test": {str: float},
}
_SEGMENTER_FORM = {"config": dict, "units": dict, "dev": {str: {"words": float, "sentences": float}}, "specs": [str]}
SMALLEST_SCALE = 2.0**-14  # of what float16 holds in full


@dataclass(frozen=True)
class StoredSegmenter:
    """What finds words and sentences in running text.

    Attributes:
        weights: by the network's parameter names, on disk and here; see `compact`.
        dev: by corpus name, F1 (0 to 1) of words and of sentences on its dev part.
        specs: the corpora that it was trained on.
    """

    config: SegmenterConfig
    units: Units
    weights: Mapping[str, np.ndarray]
    dev: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    specs: tuple[str, ...] = ()


@dataclass(frozen=True)
class StoredModel:
    """All that a model directory holds.

    Attributes:
        name: the directory's name.
        weights: by the network's parameter names, on disk and here; see `compact`.
        temperatures: by tagset, what scores are divided by before the softmax, so that its
            probabilities come true; 1 where there is none.
        segmenter: None if it can only tag words.
        history: the learning curve, as on disk; see `history`. Empty if it is not known.
        digest: eight hexadecimal digits that stand for the verified files; "" before they are written.
    """

    name: str
    config: ModelConfig
    training: TrainConfig
    vocabulary: Vocabulary
    weights: Mapping[str, np.ndarray]
    provenance: Provenance
    temperatures: Mapping[str, float] = field(default_factory=dict)
    segmenter: StoredSegmenter | None = None
    history: bytes = b""
    digest: str = ""

    @property
    def tagsets(self) -> tuple[str, ...]:
        """The tagsets that it knows, universal ones first."""
        return tuple(sorted(self.vocabulary.tags, key=lambda name: (name != "upos", name != "universal", name)))

    def tagset(self, name: str | None) -> str:
        """The tagset that is meant; the first of `tagsets` for None.

        Raises:
            UsageError: the model does not know it.
        """
        if name is None:
            return self.tagsets[0]
        if name not in self.tagsets:
            raise UsageError(f"the model {self.name} does not know {name}: it knows {', '.join(self.tagsets)}")
        return name


def compact(weights: Mapping[str, np.ndarray], tables: Sequence[str] = (WORD_TABLE,)) -> dict[str, np.ndarray]:
    """Weights as they are stored: float16, and embedding tables in 8 bits with a scale for each row."""
    stored = {name: weight.astype(np.float16) for name, weight in weights.items()}
    for name in tables:
        table = weights[name].astype(np.float32)
        steps = np.maximum(np.abs(table).max(axis=1, keepdims=True) / 127, SMALLEST_SCALE).astype(np.float16)
        stored[name] = np.round(table / steps).clip(-127, 127).astype(np.int8)
        stored[scales(name)] = steps
    return stored


def table_rows(weights: Mapping[str, np.ndarray], table: str, rows: Ids | slice = ALL_ROWS) -> npt.NDArray[np.float32]:
    """Rows of a stored embedding table, shape [rows, size]."""
    found: npt.NDArray[np.float32] = weights[table][rows].astype(np.float32) * weights[scales(table)][rows]
    return found


def largest_value(weights: Mapping[str, np.ndarray], table: str) -> float:
    """What no value of a stored embedding table goes beyond."""
    return 127 * float(weights[scales(table)].max())


def widened(weights: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Stored weights as a network takes them."""
    tables = {name: table_rows(weights, name) for name in weights if scales(name) in weights}
    others = {scales(name) for name in tables}
    return {name: weight for name, weight in weights.items() if name not in others} | tables


def model_folders() -> tuple[Path, ...]:
    """Where names are looked up: `./models`, then the bundled models."""
    package = Path(__file__).parent
    bundled = next((f for f in (package / "models", package.parent / "models") if f.is_dir()), package / "models")
    return (Path("models"), bundled)


def is_bundled(path: Path) -> bool:
    """Whether a path is one of the bundled models, or lies in one or elsewhere in the installed package."""
    package = Path(__file__).resolve().parent
    in_checkout = (package.parent / "models" / name for name in BUNDLED_MODELS)
    return any(path.resolve().is_relative_to(folder) for folder in (package, *in_checkout))


def check_not_bundled(path: Path, option: str = "--out") -> None:
    """Make sure that nothing is written into the package.

    Args:
        option: that names another place.

    Raises:
        UsageError: the path lies there; see `is_bundled`.
    """
    if is_bundled(path):
        raise UsageError(f"{path} comes with rnntag and is not written to: choose another place with {option}")


def day_made(path: Path) -> str | None:
    """The day on which a model was made, as ISO 8601: its own date, or that of its files where it has none
    or is damaged. None if no file of a model is there."""
    files = [path / name for name in VERIFIED if os.path.lexists(path / name)]
    if not files:
        return None
    try:
        config = strict_json.parse(integrity.content(path, CONFIG, _MOST_CONFIG))
        return date.fromisoformat(config["provenance"]["created"]).isoformat()
    except (DataError, AccessError, ValueError, KeyError, TypeError):
        return date.fromtimestamp(max(file.lstat().st_mtime for file in files)).isoformat()


def check_free(path: Path) -> None:
    """Make sure that no finished model is overwritten.

    Raises:
        UsageError: there is a model at `path`.
    """
    if day := day_made(path):
        raise UsageError(
            f"{path}: there is a model made on {day} already: choose another --out, or replace it with --force"
        )


def check_absent(paths: Iterable[Path]) -> None:
    """Make sure that no file is overwritten.

    Raises:
        UsageError: there is one.
    """
    for path in paths:
        if path.exists():
            raise UsageError(f"{path}: there is one already: choose another --out, or replace it with --force")


def available() -> dict[str, Path]:
    """Every model that a name finds, by name."""
    found: dict[str, Path] = {}
    for folder in model_folders():
        if folder.is_dir():
            for path in sorted(folder.iterdir()):
                if (path / CONFIG).is_file() and not path.name.startswith("."):
                    found.setdefault(path.name, path)
    return found


def find(name: str) -> Path:
    """The directory of a model, given its path or its name.

    Raises:
        NotFoundError: there is none.
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
        names: of the files that may be replaced there.
        what: the kind of directory that has such files.

    Raises:
        AccessError: it cannot be, or something else than a model lies there.
    """
    path = path.resolve()
    folder = next((parent for parent in path.parents if parent.exists()), path)
    if path.exists() and not path.is_dir():
        raise AccessError(f"{path}: is a file, not a directory: choose another --out")
    if path.is_mount():
        raise AccessError(f"{path}: a file system is mounted there: choose a directory within it as --out")
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        raise AccessError(f"{path}: {folder} cannot be written to: choose another --out")
    if path.is_dir():
        _check_replaceable(path, names, what)


def _check_replaceable(path: Path, names: Collection[str] = FILES, what: str = "a model") -> None:
    strange = sorted({entry.name for entry in path.iterdir()} - {*names})
    if strange:
        raise AccessError(f"{path}: holds {strange[0]}, which is no part of {what}: choose another --out")


def write(path: Path, model: StoredModel, card: str) -> None:
    """Write a model directory beside `path`, then put it in its place.

    Raises:
        AccessError: it cannot be written, or something else than a model lies at `path`, which
            stays as it was.
    """
    path = path.resolve()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            _check_replaceable(path)
        contents = as_files(model, card)
        if (path / RECIPE).is_file():
            contents[RECIPE] = integrity.content(path, RECIPE, _MOST_CONFIG)
        durable.write_directory(path, contents)
    except OSError as error:
        raise AccessError(f"{path}: the model cannot be written: {error.strerror}") from error


def as_files(model: StoredModel, card: str) -> dict[str, bytes]:
    """The files of a model's directory, by name."""
    contents = {
        CONFIG: _json_bytes(
            {
                "format": FORMAT,
                "model": asdict(model.config),
                "training": asdict(model.training),
                "temperatures": dict(model.temperatures),
                "provenance": asdict(model.provenance),
            }
        ),
        **({HISTORY: model.history} if model.history else {}),  # not last: whatever follows it must be there
        VOCABULARY: _json_bytes(model.vocabulary.tables()),
        WEIGHTS: safetensors.numpy.save(dict(model.weights)),
        **(_segmenter_files(model.segmenter) if model.segmenter else {}),
    }
    contents[CHECKSUMS] = integrity.checksums(contents.items())
    contents[CARD] = card.encode("utf-8", "surrogateescape")
    return contents


def read(path: Path) -> StoredModel:
    """Read a model directory, once its checksums hold.

    Raises:
        DataError: a file is missing, damaged, or of another format version.
        AccessError: a file cannot be read.
    """
    files = _folder(path)
    try:
        config = strict_json.parse(files.read(CONFIG, _MOST_CONFIG))
        if not isinstance(config, dict) or config.get("format") != FORMAT:
            given = config.get("format") if isinstance(config, dict) else None
            raise DataError(
                f"{path}: model format {given!r:.20} needs another rnntag than {__version__}, "
                f"which reads format {FORMAT}"
            )
        if old := [name for name in _OLD_FILES if name in files]:
            raise ValueError(f"{CHECKSUMS} names {old[0]!r}, which is no part of it")
        strict_json.conform({"temperatures": {}, **config}, _CONFIG_FORM, CONFIG)
        shape = strict_json.record(ModelConfig, config["model"], "model")
        vocabulary = Vocabulary.from_tables(strict_json.parse(files.read(VOCABULARY, _MOST_TEXT)))
        classes = [len(tags) for tags in vocabulary.tags.values()]
        shapes = weight_shapes.tagger(shape, vocabulary.word_rows, vocabulary.character_rows, classes)
        temperatures = {tagset: float(value) for tagset, value in config.get("temperatures", {}).items()}
        if min(temperatures.values(), default=1.0) <= 0:
            raise ValueError("a temperature is not above 0")
        return StoredModel(
            name=path.resolve().name,
            config=shape,
            training=strict_json.record(TrainConfig, config["training"], "training"),
            vocabulary=vocabulary,
            weights=_weights(files, WEIGHTS, shapes),
            temperatures=temperatures,
            provenance=strict_json.record(Provenance, config["provenance"], "provenance", _PROVENANCE_FORMS),
            segmenter=_segmenter(files) if any(name in files for name in SEGMENTER_FILES) else None,
            history=_history(path, files) or b"",
            digest=files.digest,
        )
    except (ValueError, UsageError) as error:
        raise DataError(f"{path}: is no rnntag model: {error}") from error


def _folder(path: Path) -> integrity.Folder:
    return integrity.Folder(path, VERIFIED, (HISTORY, *_OLD_FILES))


def _weights(files: integrity.Folder, name: str, shapes: weight_shapes.Shapes) -> dict[str, np.ndarray]:
    return weight_shapes.read(files.read(name, min(weight_shapes.most_bytes(shapes), _MOST_WEIGHTS)), shapes)


def _segmenter_files(segmenter: StoredSegmenter) -> dict[str, bytes]:
    return {
        SEGMENTER: _json_bytes(
            {
                "config": asdict(segmenter.config),
                "units": segmenter.units.tables(),
                "dev": dict(segmenter.dev),
                "specs": segmenter.specs,
            }
        ),
        SEGMENTER_WEIGHTS: safetensors.numpy.save(dict(segmenter.weights)),
    }


def _segmenter(files: integrity.Folder) -> StoredSegmenter:
    fields = strict_json.parse(files.read(SEGMENTER, _MOST_TEXT))
    strict_json.conform(fields, _SEGMENTER_FORM, SEGMENTER)
    config = strict_json.record(SegmenterConfig, fields["config"], "config")
    units = Units.from_tables(fields["units"])
    shapes = weight_shapes.segmenter(config, units.rows, SHAPES, units.bigrams)
    weights = _weights(files, SEGMENTER_WEIGHTS, shapes)
    return StoredSegmenter(config, units, weights, fields["dev"], tuple(fields["specs"]))


def _history(path: Path, files: integrity.Folder) -> bytes | None:
    if HISTORY in files:
        return files.read(HISTORY, _MOST_TEXT)
    return integrity.content(path, HISTORY, _MOST_TEXT) if os.path.lexists(path / HISTORY) else None


def read_card(path: Path) -> str:
    """The model's card as Markdown.

    Raises:
        DataError, AccessError: it is missing or cannot be read.
    """
    return integrity.content(path, CARD, _MOST_CONFIG).decode("utf-8", "surrogateescape")


def read_history(path: Path) -> bytes:
    """The learning curve of the run that made the model; see `history.read`.

    Raises:
        NotFoundError: the model has none.
        DataError: it is damaged.
        AccessError: it cannot be read.
    """
    found = _history(path, _folder(path))
    if found is None:
        raise NotFoundError(f"{path}: no {HISTORY} in this model, as in older and the bundled ones: train one anew")
    return found


def megabytes(path: Path) -> float:
    """The size of a model directory, in 10⁶ bytes."""
    return sum(file.stat().st_size for file in path.iterdir() if file.is_file()) / 1e6


def _json_bytes(value: dict[str, Any]) -> bytes:
    # A corpus's file name may hold bytes that are no UTF-8, which Python keeps as surrogates.
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode("utf-8", "surrogateescape")
