"""The smallest model that there can be, with every file that one can have, and what an attacker does to it."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import HealthCheck, settings

from rnntag.cli import history
from rnntag.config import ModelConfig, SegmenterConfig, TrainConfig
from rnntag.errors import DataError
from rnntag.model import directory
from rnntag.model import learning_curve as curve
from rnntag.model import weights as weight_shapes
from rnntag.model.files import HISTORY, VERIFIED
from rnntag.model.learning_curve import TrainingStep
from rnntag.model.multiword import Expansions
from rnntag.model.pretokens import PretokenVocabulary
from rnntag.model.shared_rows import SharedRows
from rnntag.model.stored import ModelBundle, Provenance, StoredSegmenter
from rnntag.model.vocabulary import Vocabulary
from rnntag.storage import checksums
from rnntag.storage.checksums import CHECKSUMS
from rnntag.tagger import Tagger
from rnntag.training import model_card

TEXT = "a b ab. ü"
repeatedly = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=60
)


def some_weights(shapes: weight_shapes.Shapes) -> dict[str, np.ndarray]:
    random = np.random.default_rng(1)
    found = weight_shapes.stored(shapes)
    return {
        name: random.integers(0 if name.endswith("scale") else -9, 9, shape).astype(dtype)
        for name, (dtype, shape) in found.items()
    }


def smallest() -> ModelBundle:
    """A model with every file that one can have, each of at most some two thousand bytes."""
    config = ModelConfig("rnn", bidirectional=False, hidden=1, embedding_dim=1, char_dim=1, char_hidden=1)
    vocabulary = Vocabulary(("a", "b"), 1, ("a",), {"upos": ("X", "Y")}, shared=SharedRows.of({"ü": 0, "z": 0}))
    shapes = weight_shapes.tagger(config, vocabulary.word_rows, vocabulary.character_rows, [2])
    origin = Provenance(
        specs=("c",), tagsets=("universal",), corpora={"c": {"train": 1, "dev": 1, "test": 0}}, dev={"c": 1.0}
    )
    model = ModelBundle("m", config, TrainConfig(), vocabulary, some_weights(shapes), origin)
    small = SegmenterConfig(hidden=1, unit_dim=1, shape_dim=1, bigrams=0, bigram_dim=1)
    units = PretokenVocabulary(("ab",), {"ab": (1,)}, ("", ""), 0)
    weights = some_weights(weight_shapes.segmenter(small, units.rows, units.shapes, 0, 1))
    dev = {"c": {"tokens": 1.0, "words": 1.0, "sentences": 1.0}}
    expansions = {"c": Expansions({"ab": ("a", "b")}, {"b": ("", "b")}, {"a": ("a", "")})}
    segmenter = StoredSegmenter(small, units, weights, dev, expansions=expansions)
    return replace(
        model,
        segmenter=segmenter,
        temperatures={"upos": 1.5},
        history=curve.write([TrainingStep(1, 1, 1, 1, 1.0, 1.0, 0.0, 1, 1.0, {"c": 1.0}, 1.0)]),
    )


def sign(path: Path) -> None:
    """The attacker's checksums."""
    names = [name for name in (*VERIFIED, HISTORY) if (path / name).exists()]
    (path / CHECKSUMS).write_bytes(checksums.checksums((name, (path / name).read_bytes()) for name in names))


def changed(path: Path, name: str, change: Callable[[Any], object]) -> None:
    value = json.loads((path / name).read_bytes())
    change(value)
    (path / name).write_text(json.dumps(value))
    sign(path)


def use(path: Path) -> None:
    """All that may be done with a model that has been read."""
    tagger = Tagger(directory.read(path))
    tagger.tag_text(TEXT)
    tagger.predict([TEXT.split(), [""]], top=3)
    assert tagger.model.segmenter
    model_card.with_segmenter("", tagger.model)
    epochs = curve.read(directory.read_history(path), "x")
    with redirect_stdout(io.StringIO()):
        history.print_history("x", epochs)


def refuses_or_works(path: Path) -> bool:
    """Whether it works."""
    with np.errstate(all="ignore"):
        try:
            use(path)
        except DataError:
            return False
    return True


def attempt(path: Path, name: str, content: bytes) -> None:
    """That a model is used which has other content in a file, under checksums of the attacker's."""
    original = (path / name).read_bytes()
    (path / name).write_bytes(content)
    sign(path)
    try:
        refuses_or_works(path)
    finally:
        (path / name).write_bytes(original)
