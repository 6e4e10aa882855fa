"""The settings of models and of training."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

from rnntag.errors import UsageError

DEFAULT_MODEL = "zh-en"
Cell = Literal["rnn", "lstm", "gru"]
Activation = Literal["tanh", "relu"]
Input = Literal["embedding", "onehot"]
Device = Literal["auto", "cpu", "cuda"]
CorpusFormat = Literal["auto", "slash", "underscore", "tsv", "spacy", "conllu", "jsonl"]
CELLS: tuple[str, ...] = get_args(Cell)
ACTIVATIONS: tuple[str, ...] = get_args(Activation)
INPUTS: tuple[str, ...] = get_args(Input)
DEVICES: tuple[str, ...] = get_args(Device)


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise UsageError(f"{name} is {value!r}: it must be one of {', '.join(allowed)}")


def _between(least: float, most: float, config: object, *names: str) -> None:
    for name in names:
        value = getattr(config, name)
        if not least <= value <= most:  # nor is nan
            raise UsageError(f"{name} is {value}: it must lie between {least} and {most}")


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """The shape of a network.

    Attributes:
        cell: one of `CELLS`, in the recurrent layers and over characters.
        activation: one of `ACTIVATIONS`; only the plain rnn has a choice.
        input: one of `INPUTS`: word and character embeddings, or the one-hot vector of the word.
        bidirectional: whether the recurrent layers read from both sides.
        feedback: whether the last recurrent layer, where it reads forward, sees the probabilities of
            the tags of the word before.
        layers: how many there are.
        hidden: their units, for each direction.
        embedding_dim, char_dim: size of a word's and of a character's embedding.
        char_hidden: units of the network over characters, for each direction.

    Raises:
        UsageError: a value is out of its range.
    """

    cell: str = "lstm"
    activation: str = "tanh"
    input: str = "embedding"
    bidirectional: bool = True
    feedback: bool = False
    layers: int = 1
    hidden: int = 200
    embedding_dim: int = 100
    char_dim: int = 64
    char_hidden: int = 64

    def __post_init__(self) -> None:
        _one_of("cell", self.cell, CELLS)
        _one_of("activation", self.activation, ACTIVATIONS)
        _one_of("input", self.input, INPUTS)
        if self.activation == "relu" and self.cell != "rnn":
            raise UsageError(f"activation relu belongs to the plain rnn: a {self.cell} has its own gates")
        _between(1, 100, self, "layers")
        _between(1, 10_000, self, "hidden", "embedding_dim", "char_dim", "char_hidden")


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """How a network is trained.

    Attributes:
        epochs: passes over the training data, at most.
        batch_tokens: tokens of a batch, padding included; fewer where the corpus is small.
        lr: the first learning rate of Adam; it falls to 0 in a straight line.
        max_grad_norm: largest norm of the gradient; 0: any.
        bptt: how many words back, and ahead where the network reads both ways, a word's error is
            propagated; 0: all. See `bptt`.
        teacher_forcing: with feedback, the share of the words that at first have their gold tag fed back
            instead of what the network finds; it falls to 0 in a straight line.
        dropout: share of the units of each layer's input that is dropped.
        word_dropout: see `network.Regularisation`.
        min_count: how often a word must occur to have an embedding of its own.
        vectors: files of pretrained word vectors; see `vectors`.
        extra_vector_words: how many words of each of them get a row though training does not see them.
        upsample: how much oftener an epoch meets small corpora: (tokens of the largest / tokens)^upsample
            times; 0: all once, 1: all for as long.
        augment: share of the sentences that an epoch meets in other writing; see `variants`.
        simplify_chinese: whether traditional Chinese is read as simplified; see `folding.chinese`.
        patience: epochs without a better dev accuracy after which training stops.
        seed: of all that is random.
        device: one of `DEVICES`.
        max_minutes: the time after which training stops; 0: none.

    Raises:
        UsageError: a value is out of its range.
    """

    epochs: int = 20
    batch_tokens: int = 1000
    lr: float = 0.002
    max_grad_norm: float = 1.0
    bptt: int = 0
    teacher_forcing: float = 0.0
    dropout: float = 0.4
    word_dropout: float = 1.0
    min_count: int = 1
    vectors: tuple[str, ...] = ()
    extra_vector_words: int = 10_000
    upsample: float = 0.0
    augment: float = 0.0
    simplify_chinese: bool = False
    patience: int = 5
    seed: int = 1
    device: str = "auto"
    max_minutes: float = 0.0

    def __post_init__(self) -> None:
        _one_of("device", self.device, DEVICES)
        _between(1, 10**9, self, "epochs", "batch_tokens", "min_count", "patience")
        _between(0, 10**9, self, "word_dropout", "max_grad_norm", "max_minutes", "extra_vector_words", "bptt")
        _between(0, 2**63 - 1, self, "seed")
        _between(0, 0.99, self, "dropout")
        _between(0, 1, self, "upsample", "augment", "teacher_forcing")
        if not 0 < self.lr < math.inf:
            raise UsageError(f"lr is {self.lr}: it must be above 0")


@dataclass(frozen=True, slots=True)
class SegmenterConfig:
    """The shape of a segmenter, a bidirectional LSTM over the units of raw text (see `units`), and
    how it is trained.

    Attributes:
        hidden: LSTM units for each direction.
        unit_dim: size of a unit's embedding.
        shape_dim: size of the embedding of how it is written.
        bigrams: rows that pairs of neighbouring units share by their hash; 0: none are read.
        bigram_dim: size of such a row.
        epochs: passes over the training data.
        lr: the first learning rate of Adam; it falls to 0 in a straight line.
        dropout: share of the units of the layer's input and output that is dropped.
        upsample: see `TrainConfig`, in units.
        seed: of all that is random.

    Raises:
        UsageError: a size is out of its range.
    """

    hidden: int = 96
    unit_dim: int = 40
    shape_dim: int = 12
    bigrams: int = 16384
    bigram_dim: int = 16
    epochs: int = 8
    lr: float = 0.004
    dropout: float = 0.3
    upsample: float = 0.6
    seed: int = 1

    def __post_init__(self) -> None:
        _between(1, 10_000, self, "hidden", "unit_dim", "shape_dim", "bigram_dim", "epochs")
        _between(0, 1 << 24, self, "bigrams")
