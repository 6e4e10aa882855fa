"""The model directory: write, verify, read, find."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import safetensors.numpy
from safetensors import SafetensorError

from rnntag import __version__, durable
from rnntag.schema import (
    AccessError,
    DataError,
    ModelConfig,
    NotFoundError,
    Provenance,
    RnntagError,
    SegmenterConfig,
    TrainConfig,
    UsageError,
)
from rnntag.units import Units
from rnntag.vocabulary import Ids, Vocabulary

FORMAT = 3
CONFIG, VOCABULARY, WEIGHTS = "config.json", "vocabulary.json", "model.safetensors"
ENCODER, TAGGER = "encoder.onnx", "tagger.onnx"
GRAPHS = (ENCODER, TAGGER)
SEGMENTER, SEGMENTER_WEIGHTS, SEGMENTER_GRAPH = "segmenter.json", "segmenter.safetensors", "segmenter.onnx"
SEGMENTER_FILES = (SEGMENTER, SEGMENTER_WEIGHTS, SEGMENTER_GRAPH)
WORD_TABLE = "encoder.words.weight"
"""The weights that no graph holds: one row for each word, most of a model's size."""
UNIT_TABLE, SHAPE_TABLE, BIGRAM_TABLE = "units.weight", "shapes.weight", "bigrams.weight"
SEGMENTER_TABLES = (UNIT_TABLE, SHAPE_TABLE, BIGRAM_TABLE)
"""Those of a segmenter."""
BOUNDARIES = ("inside", "word", "sentence")
"""What ends with a unit: nothing, a word, or a sentence and so a word."""
CLASSES = "boundaries"
"""The output of a segmenter's graph."""
ANCHORS_KEY = "anchors"
"""Where the metadata of the graph `TAGGER` tells which numbers it wants at the end of each vector."""
CARD, CHECKSUMS = "MODEL_CARD.md", "SHA256SUMS"
HISTORY = "history.jsonl"
"""The learning curve of the run that made the model, if that is known. See `history`."""
RECIPE = "recipe.toml"
"""How to make the model, if somebody has written that down; it stays where it lies. See `recipe`."""
VERIFIED = (CONFIG, VOCABULARY, WEIGHTS, *GRAPHS, *SEGMENTER_FILES)
"""The files that a model is read from. The card is for people, who may edit it, and the history tells
of the run: no model tags otherwise without it."""
_FILES = {*VERIFIED, CARD, CHECKSUMS, HISTORY, RECIPE}
ALL_ROWS = slice(None)
SMALLEST_SCALE = 2.0**-14  # of what float16 holds in full


@dataclass(frozen=True)
class StoredSegmenter:
    """What finds words and sentences in running text.

    Attributes:
        weights: by the network's parameter names, on disk and here; see `compact`.
        graph: the network over units for ONNX Runtime; see `onnx_graph`.
        dev: by corpus name, F1 (0 to 1) of words and of sentences on its dev part.
        specs: the corpora that it was trained on.
    """

    config: SegmenterConfig
    units: Units
    weights: Mapping[str, np.ndarray]
    graph: bytes = b""
    dev: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    specs: tuple[str, ...] = ()


@dataclass(frozen=True)
class StoredModel:
    """All that a model directory holds.

    Attributes:
        name: the directory's name.
        weights: by the network's parameter names, on disk and here; see `compact`.
        graphs: the network for ONNX Runtime, by file name; see `onnx_graph`. Empty if it has none.
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
    graphs: Mapping[str, bytes] = field(default_factory=dict)
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
        scales = np.maximum(np.abs(table).max(axis=1, keepdims=True) / 127, SMALLEST_SCALE).astype(np.float16)
        stored[name] = np.round(table / scales).clip(-127, 127).astype(np.int8)
        stored[_scales(name)] = scales
    return stored


def table_rows(weights: Mapping[str, np.ndarray], table: str, rows: Ids | slice = ALL_ROWS) -> npt.NDArray[np.float32]:
    """Rows of a stored embedding table, shape [rows, size]."""
    found: npt.NDArray[np.float32] = weights[table][rows].astype(np.float32) * weights[_scales(table)][rows]
    return found


def widened(weights: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Stored weights as a network takes them."""
    tables = {name: table_rows(weights, name) for name in weights if _scales(name) in weights}
    scales = {_scales(name) for name in tables}
    return {name: weight for name, weight in weights.items() if name not in scales} | tables


def _scales(table: str) -> str:
    """The name of what each row of a stored table is a multiple of, shape [rows, 1]."""
    return f"{table.removesuffix('weight')}scale"


def model_folders() -> tuple[Path, ...]:
    """Where names are looked up: `./models`, then the bundled models."""
    package = Path(__file__).parent
    bundled = next((f for f in (package / "models", package.parent / "models") if f.is_dir()), package / "models")
    return (Path("models"), bundled)


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


def check_target(path: Path) -> None:
    """Make sure, before hours of training, that a model can be written to `path`.

    Raises:
        AccessError: it cannot be, or something else than a model lies there.
    """
    path = path.resolve()
    folder = next(parent for parent in path.parents if parent.exists())
    if path.exists() and not path.is_dir():
        raise AccessError(f"{path}: is a file, not a directory: choose another --out")
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        raise AccessError(f"{path}: {folder} cannot be written to: choose another --out")
    if path.is_dir():
        _check_replaceable(path)


def _check_replaceable(path: Path) -> None:
    strange = sorted({entry.name for entry in path.iterdir()} - _FILES)
    if strange:
        raise AccessError(f"{path}: holds {strange[0]}, which is no part of a model: choose another --out")


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
            VOCABULARY: _json_bytes(model.vocabulary.tables()),
            WEIGHTS: safetensors.numpy.save(dict(model.weights)),
            **model.graphs,
            **(_segmenter_files(model.segmenter) if model.segmenter else {}),
        }
        contents[CHECKSUMS] = "".join(
            f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in contents.items()
        ).encode()
        contents[CARD] = card.encode("utf-8", "surrogateescape")
        if model.history:
            contents[HISTORY] = model.history
        if (path / RECIPE).is_file():
            contents[RECIPE] = (path / RECIPE).read_bytes()
        durable.write_directory(path, contents)
    except OSError as error:
        raise AccessError(f"{path}: the model cannot be written: {error.strerror}") from error


def read(path: Path) -> StoredModel:
    """Read a model directory, once its checksums hold.

    Raises:
        DataError: a file is missing, damaged, or of another format version.
        AccessError: a file cannot be read.
    """
    contents, digest = _verified(path)
    try:
        config = json.loads(contents[CONFIG].decode("utf-8", "surrogateescape"))
        if config["format"] != FORMAT:
            raise DataError(
                f"{path}: model format {config['format']} needs another rnntag than {__version__}, "
                f"which reads format {FORMAT}"
            )
        return StoredModel(
            name=path.resolve().name,
            config=ModelConfig(**config["model"]),
            training=_train_config(config["training"]),
            vocabulary=Vocabulary.from_tables(json.loads(contents[VOCABULARY])),
            weights=safetensors.numpy.load(contents[WEIGHTS]),
            graphs={name: contents[name] for name in GRAPHS if name in contents},
            temperatures={tagset: float(value) for tagset, value in config.get("temperatures", {}).items()},
            provenance=_provenance(config["provenance"]),
            segmenter=_segmenter(contents) if SEGMENTER in contents else None,
            history=_bytes(path / HISTORY) if (path / HISTORY).exists() else b"",
            digest=digest,
        )
    except DataError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, RnntagError, SafetensorError) as error:
        raise DataError(f"{path}: is no rnntag model: {error!r}") from error


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
        SEGMENTER_GRAPH: segmenter.graph,
    }


def _segmenter(contents: Mapping[str, bytes]) -> StoredSegmenter:
    fields = json.loads(contents[SEGMENTER])
    return StoredSegmenter(
        SegmenterConfig(**fields["config"]),
        Units.from_tables(fields["units"]),
        safetensors.numpy.load(contents[SEGMENTER_WEIGHTS]),
        contents[SEGMENTER_GRAPH],
        fields["dev"],
        tuple(fields["specs"]),
    )


def _train_config(fields: dict[str, Any]) -> TrainConfig:
    return TrainConfig(**{**fields, "vectors": tuple(fields["vectors"])})


def _provenance(fields: dict[str, Any]) -> Provenance:
    return Provenance(**{**fields, "specs": tuple(fields["specs"]), "tagsets": tuple(fields["tagsets"])})


def read_card(path: Path) -> str:
    """The model's card as Markdown.

    Raises:
        DataError, AccessError: it is missing or cannot be read.
    """
    return _bytes(path / CARD).decode("utf-8", "surrogateescape")


def read_history(path: Path) -> bytes:
    """The learning curve of the run that made the model; see `history.read`.

    Raises:
        NotFoundError: the model has none.
        AccessError: it cannot be read.
    """
    if not (path / HISTORY).exists():
        raise NotFoundError(f"{path}: no {HISTORY} in this model, as in older and the bundled ones: train one anew")
    return _bytes(path / HISTORY)


def megabytes(path: Path) -> float:
    """The size of a model directory, in 10⁶ bytes."""
    return sum(file.stat().st_size for file in path.iterdir() if file.is_file()) / 1e6


def _verified(path: Path) -> tuple[dict[str, bytes], str]:
    sums = _bytes(path / CHECKSUMS)
    try:
        expected = dict(line.split("  ")[::-1] for line in sums.decode().splitlines())
    except ValueError as error:
        raise DataError(f"{path / CHECKSUMS}: is damaged: copy the model again, or train it") from error
    contents = {}
    for name in (CONFIG, VOCABULARY, WEIGHTS, *(name for name in (*GRAPHS, *SEGMENTER_FILES) if name in expected)):
        content = _bytes(path / name)
        if hashlib.sha256(content).hexdigest() != expected.get(name):
            raise DataError(f"{path / name}: does not match its checksum: copy the model again, or train it")
        contents[name] = content
    return contents, hashlib.sha256(sums).hexdigest()[:8]


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise DataError(f"{path}: is missing: copy the model again, or train it") from error
    except OSError as error:
        raise AccessError(f"{path}: cannot be read: {error.strerror}") from error


def _json_bytes(value: dict[str, Any]) -> bytes:
    # A corpus's file name may hold bytes that are no UTF-8, which Python keeps as surrogates.
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode("utf-8", "surrogateescape")
