"""A stored language model: its contents, its directory, and the clusters of its output layer."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from rnntag.config import ModelConfig, PretrainConfig
from rnntag.errors import DataError, UsageError
from rnntag.model import weights as weight_shapes
from rnntag.model.files import (
    CONFIG,
    KIND,
    LANGUAGE_MODEL,
    MAX_TEXT,
    VOCABULARY,
    WEIGHTS,
    contents,
    open_folder,
    read_config,
    read_learning_curve,
    read_segmenter,
    read_weights,
)
from rnntag.model.stored import StoredSegmenter
from rnntag.model.vocabulary import LONGEST_WORD, UNKNOWN, Vocabulary
from rnntag.storage import validation

SENTENCE_END = "\n"
"""The first word of the vocabulary: no token has a line feed."""
UNKNOWN_CHARACTER = math.log(0x110000)
"""The negative log-likelihood of an unknown character, given that it is unknown: it is one of Unicode's code points."""

_LARGEST = math.log(sys.float_info.max)
_CONFIG_FORM = {"format": int, KIND: str, "model": dict, "training": dict, "provenance": dict}


def clusters(rows: int, config: PretrainConfig) -> list[int]:
    """Where the clusters of rare words begin in the word table, and where the last one ends.

    The output layer is an adaptive softmax (Grave et al. 2017): its first part has the unknown word, the most frequent
    words and the clusters; each other part has the words of a cluster.
    """
    first = min(rows, UNKNOWN + config.shortlist)
    return [*range(first, rows, config.cluster), rows] if first < rows else [rows]


def unread_cost(form: str, vocabulary: Vocabulary) -> float:
    """The negative log-likelihood of what the network does not read of a long word in normal form, in nats: how many
    characters there are in its middle (each time one more with probability 1/2), and which (all are equally likely)."""
    if len(form) < LONGEST_WORD:
        return 0.0
    middle = form[LONGEST_WORD // 2 : -LONGEST_WORD // 2]
    known = {*vocabulary.characters}
    unknown = sum(character not in known for character in middle)
    each = math.log(vocabulary.character_rows - 1)  # the known ones, and the unknown one
    return (len(middle) + 1) * math.log(2) + len(middle) * each + unknown * UNKNOWN_CHARACTER


def perplexity_of(nats: float) -> float:
    """The perplexity, given the mean negative log-likelihood. It is finite: the largest number at most."""
    return math.exp(min(nats, _LARGEST))


@dataclass(frozen=True, slots=True)
class Perplexity:
    """How well a model predicts a text.

    Attributes:
        nats: the negative log-likelihood of the text.
        words: number of tokens and sentence ends.
        characters: of the tokens, and one for each sentence end.
    """

    nats: float = 0.0
    words: int = 0
    characters: int = 0

    @property
    def per_word(self) -> float:
        return perplexity_of(self.nats / max(self.words, 1))

    @property
    def per_character(self) -> float:
        return perplexity_of(self.nats / max(self.characters, 1))


@dataclass(frozen=True, slots=True)
class TextProvenance:
    """How a language model was made.

    Attributes:
        texts, encoding: as given to `pretrain`.
        sentences, tokens: of the training text.
        dev: see `Perplexity`.
        epoch: of the weights.
        minutes: training time up to that epoch.
        created: date, as ISO 8601.
        rnntag, torch: versions used for training.
    """

    texts: tuple[str, ...] = ()
    encoding: str = "utf-8"
    sentences: int = 0
    tokens: int = 0
    dev: Mapping[str, float] = field(default_factory=dict)
    epoch: int = 0
    minutes: float = 0.0
    created: str = ""
    rnntag: str = ""
    torch: str = ""

    @property
    def perplexity(self) -> Perplexity:
        own = self.dev
        return Perplexity(own["nats"], int(own["words"]), int(own["characters"])) if own else Perplexity()


@dataclass(frozen=True)
class StoredLanguageModel:
    """A language model.

    Attributes:
        name: the directory's name.
        vocabulary: without tags. Its first word is `SENTENCE_END`.
        weights: as stored, by parameter name of the network; see `weights.quantize`.
        segmenter: None if the model only reads tokens.
        history: the learning curve as stored; empty if unknown.
        digest: eight hexadecimal digits that identify the verified files; "" before they are written.
    """

    name: str
    config: ModelConfig
    training: PretrainConfig
    vocabulary: Vocabulary
    weights: Mapping[str, np.ndarray]
    provenance: TextProvenance
    segmenter: StoredSegmenter | None = None
    history: bytes = b""
    digest: str = ""


def as_files(model: StoredLanguageModel, card: str) -> dict[str, bytes]:
    """The contents of the files of a model's directory, by name."""
    config = {
        KIND: LANGUAGE_MODEL,
        "model": asdict(model.config),
        "training": asdict(model.training),
        "provenance": asdict(model.provenance),
    }
    return contents(config, model.vocabulary, model.weights, model.segmenter, model.history, card)


def is_language_model(path: Path) -> bool:
    """Whether a model directory has a language model.

    Raises:
        DataError, AccessError: see `directory.read`.
    """
    try:
        return read_config(path, open_folder(path)).get(KIND) == LANGUAGE_MODEL
    except ValueError as error:
        raise DataError(f"{path}: is not a valid rnntag model: {error}") from error


def read(path: Path) -> StoredLanguageModel:
    """Read and verify the directory of a language model.

    Raises:
        DataError: a file is missing, damaged, or of another format version, or the model is a tagger.
        AccessError: a file cannot be read.
    """
    files = open_folder(path)
    try:
        config = read_config(path, files)
        if config.get(KIND) != LANGUAGE_MODEL:
            raise DataError(f"{path}: is a tagger, not a language model: 'rnntag pretrain' makes one")
        validation.validate(config, _CONFIG_FORM, CONFIG)
        shape = validation.record(ModelConfig, config["model"], "model")
        vocabulary = Vocabulary.from_tables(validation.parse(files.read(VOCABULARY, MAX_TEXT)))
        if shape.feedback or shape.input != "embedding":
            raise ValueError("its network is not that of a language model")
        if vocabulary.tags or vocabulary.words[: vocabulary.n_embedded][:1] != (SENTENCE_END,):
            raise ValueError("its vocabulary is not that of a language model")
        training = validation.record(PretrainConfig, config["training"], "training")
        parts = len(clusters(vocabulary.word_rows, training)) - 1
        shapes = weight_shapes.language_model(shape, vocabulary.word_rows, vocabulary.character_rows, parts)
        forms = {"dev": dict.fromkeys(("nats", "words", "characters"), float)}
        return StoredLanguageModel(
            name=path.resolve().name,
            config=shape,
            training=training,
            vocabulary=vocabulary,
            weights=read_weights(files, WEIGHTS, shapes),
            provenance=validation.record(TextProvenance, config["provenance"], "provenance", forms),
            segmenter=read_segmenter(files),
            history=read_learning_curve(path, files) or b"",
            digest=files.digest,
        )
    except (ValueError, UsageError) as error:
        raise DataError(f"{path}: is not a valid rnntag model: {error}") from error
