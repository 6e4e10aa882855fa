"""The files of a model directory: their names, their limits, and what models of all kinds have in common."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy

from rnntag.config import SegmenterConfig
from rnntag.errors import DataError
from rnntag.model import multiword
from rnntag.model import weights as weight_shapes
from rnntag.model.pretokens import PretokenVocabulary
from rnntag.model.stored import StoredSegmenter
from rnntag.model.vocabulary import Vocabulary
from rnntag.storage import checksums, validation
from rnntag.storage.checksums import CHECKSUMS
from rnntag.version import __version__

FORMAT = 2
CONFIG, VOCABULARY, WEIGHTS = "config.json", "vocabulary.json", "model.safetensors"
SHARED_ROWS = "shared_rows.safetensors"
SEGMENTER, SEGMENTER_WEIGHTS = "segmenter.json", "segmenter.safetensors"
SEGMENTER_FILES = (SEGMENTER, SEGMENTER_WEIGHTS)
OLD_FILES = ("encoder.onnx", "tagger.onnx", "segmenter.onnx")
"""Files of older formats: recognised so that such a model is refused with its format's name, and can be replaced."""
CARD = "MODEL_CARD.md"
HISTORY = "history.jsonl"
"""The learning curve of the run that made the model, if known. See `learning_curve`."""
VERIFIED = (CONFIG, VOCABULARY, SHARED_ROWS, WEIGHTS, *SEGMENTER_FILES)
"""The files that a model is read from. The card has no checksum, as people may edit it; old histories have none."""
MAX_CONFIG, MAX_TEXT, MAX_WEIGHTS = 1 << 20, 1 << 26, 1 << 30
"""Limits in bytes: of the configuration and the card; of tables and the history; of weights."""
FILES = {*VERIFIED, CARD, CHECKSUMS, HISTORY, *OLD_FILES}
"""The names of all files that a model directory may contain."""
KIND, LANGUAGE_MODEL = "kind", "language model"
"""The field of the configuration that names the kind of a model that is not a tagger, and its value."""
_SEGMENTER_FORM = {"config": dict, "units": dict, "dev": {str: {str: float}}, "specs": [str], "multiwords": dict}


def open_folder(path: Path) -> checksums.Folder:
    """The files of a model; see `checksums.Folder`."""
    return checksums.Folder(path, VERIFIED, (HISTORY, *OLD_FILES))


def read_config(path: Path, files: checksums.Folder) -> dict[str, Any]:
    """The configuration of a model of this format.

    Raises:
        DataError: it has another format.
        ValueError: it is invalid.
    """
    config = validation.parse(files.read(CONFIG, MAX_CONFIG))
    if not isinstance(config, dict) or config.get("format") != FORMAT:
        version = config.get("format") if isinstance(config, dict) else None
        raise DataError(
            f"{path}: model format {version!r:.20} is not supported by rnntag {__version__}, "
            f"which reads format {FORMAT}"
        )
    if old := [name for name in OLD_FILES if name in files]:
        raise ValueError(f"{CHECKSUMS} lists {old[0]!r}, which is not a file of this format")
    return config


def read_weights(files: checksums.Folder, name: str, shapes: weight_shapes.Shapes) -> dict[str, np.ndarray]:
    """Weights of these shapes; see `weights.read`."""
    return weight_shapes.read(files.read(name, min(weight_shapes.max_bytes(shapes), MAX_WEIGHTS)), shapes)


def segmenter_files(segmenter: StoredSegmenter) -> dict[str, bytes]:
    """The contents of the files of a segmenter, by name."""
    return {
        SEGMENTER: json_bytes(
            {
                "config": asdict(segmenter.config),
                "units": segmenter.units.tables(),
                "dev": dict(segmenter.dev),
                "specs": segmenter.specs,
                **({"multiwords": multiword.tables(segmenter.expansions)} if segmenter.expansions else {}),
            },
            indent=None,
        ),
        SEGMENTER_WEIGHTS: safetensors.numpy.save(dict(segmenter.weights)),
    }


def read_segmenter(files: checksums.Folder) -> StoredSegmenter | None:
    """The segmenter of a model, if it has one.

    Raises:
        ValueError: its files are invalid.
    """
    if not any(name in files for name in SEGMENTER_FILES):
        return None
    fields = validation.parse(files.read(SEGMENTER, MAX_TEXT))
    fields = {"multiwords": {}, **fields} if isinstance(fields, dict) else fields
    validation.validate(fields, _SEGMENTER_FORM, SEGMENTER)
    expansions = multiword.from_tables(fields["multiwords"])
    figures = ("tokens",) * bool(expansions) + ("words", "sentences")
    validation.validate(fields["dev"], {str: dict.fromkeys(figures, float)}, "dev")
    config = validation.record(SegmenterConfig, fields["config"], "config")
    units = PretokenVocabulary.from_tables(fields["units"])
    shapes = weight_shapes.segmenter(config, units.rows, units.shapes, units.bigrams, len(expansions))
    weights = read_weights(files, SEGMENTER_WEIGHTS, shapes)
    return StoredSegmenter(config, units, weights, fields["dev"], tuple(fields["specs"]), expansions)


def read_learning_curve(path: Path, files: checksums.Folder) -> bytes | None:
    """The learning curve, or None; old ones have no checksum."""
    if HISTORY in files:
        return files.read(HISTORY, MAX_TEXT)
    return checksums.content(path, HISTORY, MAX_TEXT) if os.path.lexists(path / HISTORY) else None


def contents(
    config: Mapping[str, Any],
    vocabulary: Vocabulary,
    weights: Mapping[str, np.ndarray],
    segmenter: StoredSegmenter | None,
    history: bytes,
    card: str,
) -> dict[str, bytes]:
    """The contents of the files of a model, by name.

    Args:
        config: its configuration, without the format.
    """
    made = {
        CONFIG: json_bytes({"format": FORMAT, **config}),
        **({HISTORY: history} if history else {}),  # not last, so that a partial write is noticed
        VOCABULARY: json_bytes(vocabulary.tables(), indent=None),
        **({SHARED_ROWS: vocabulary.shared.as_bytes()} if vocabulary.shared else {}),
        WEIGHTS: safetensors.numpy.save(dict(weights)),
        **(segmenter_files(segmenter) if segmenter else {}),
    }
    made[CHECKSUMS] = checksums.checksums(made.items())
    made[CARD] = card.encode("utf-8", "surrogateescape")
    return made


def json_bytes(value: dict[str, Any], indent: int | None = 1) -> bytes:
    """A file of JSON; large tables go without `indent`, which is a fifth of their size."""
    # A corpus's file name may contain bytes that are not UTF-8; Python keeps them as surrogates.
    text = json.dumps(value, ensure_ascii=False, indent=indent, separators=None if indent else (",", ":"))
    return f"{text}\n".encode("utf-8", "surrogateescape")
