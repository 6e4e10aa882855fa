"""The settings of models and of training, each with its default, its range and its help.

Everything that asks for a setting or names one reads it here: the options of the command line, `rnntag.train`, a
model's `config.json` and its card.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args

from rnntag.errors import UsageError

DEFAULT_MODEL = "zh-en"
Cell = Literal["rnn", "lstm", "gru"]
CorpusFormat = Literal["auto", "slash", "underscore", "tsv", "spacy", "conllu", "jsonl"]
CELLS: tuple[str, ...] = get_args(Cell)
ACTIVATIONS = ("tanh", "relu")
INPUTS = ("embedding", "onehot")
NETWORK, TRAINING, SEGMENTER = "Network", "Training", "Segmenter"
"""The groups of options in the help."""


@dataclass(frozen=True, slots=True)
class Need:
    """What it takes for a setting to have an effect.

    Attributes:
        of: another setting.
        met: whether a value of that gives it an effect.
        otherwise: when it has none, in words.
        neutral: a value that may be given all the same, because it states what holds anyway.
    """

    of: str
    met: Callable[[Any], bool]
    otherwise: str
    neutral: object = None


@dataclass(frozen=True, slots=True)
class About:
    """What is known of a setting besides its name, type and default.

    Attributes:
        help: for the command line; "" for settings that are no options.
        group: of the help.
        least, most: its range, if it is a number.
        choices: its values, if they can be counted.
        flags: the option's names, if they do not follow from the setting's; for a bool the second one, after a slash,
            says no.
        need: what it takes for it to have an effect, if it does not always have one.
    """

    help: str
    group: str
    least: float = -math.inf
    most: float = math.inf
    choices: tuple[str, ...] = ()
    flags: str = ""
    need: Need | None = None


def about(setting: Any) -> About:
    """What is known of a field of a configuration."""
    known: About = setting.metadata["about"]
    return known


def _network(default: Any, help: str = "", **known: Any) -> Any:
    return field(default=default, metadata={"about": About(help, NETWORK, **known)})


def _training(default: Any, help: str = "", **known: Any) -> Any:
    return field(default=default, metadata={"about": About(help, TRAINING, **known)})


def _segmenter(default: Any, help: str = "", **known: Any) -> Any:
    return field(default=default, metadata={"about": About(help, SEGMENTER, **known)})


def _check(config: Any) -> None:
    for setting in fields(config):
        name, value, known = setting.name, getattr(config, setting.name), about(setting)
        if known.choices and value not in known.choices:
            raise UsageError(f"{name} is {value!r}: it must be one of {', '.join(known.choices)}")
        if known.least > -math.inf and not known.least <= value <= known.most:  # nor is nan
            raise UsageError(f"{name} is {value}: it must lie between {known.least} and {known.most}")


_SIZE: dict[str, Any] = {"least": 1, "most": 10_000}
_COUNT: dict[str, Any] = {"least": 1, "most": 10**9}
_LIMIT: dict[str, Any] = {"least": 0, "most": 10**9}
_SHARE: dict[str, Any] = {"least": 0, "most": 1}
_DROPOUT: dict[str, Any] = {"least": 0, "most": 0.99}
_SEED: dict[str, Any] = {"least": 0, "most": 2**63 - 1}
_EMBEDDINGS = Need("input", lambda kind: kind == "embedding", "unless input is embedding")


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """The shape of a network. Each field's help is beside it.

    Attributes:
        cell: in the recurrent layers and over characters.
        bidirectional: whether the recurrent layers read from both sides.
        feedback: whether the last recurrent layer, where it reads forward, sees the probabilities of the tags of the
            word before.
        hidden, char_hidden: units for each direction.

    Raises:
        UsageError: a value is out of its range.
    """

    cell: str = _network("lstm", "The recurrent cell.", choices=CELLS)
    activation: str = _network(
        "tanh",
        "The activation of the plain RNN.",
        choices=ACTIVATIONS,
        need=Need("cell", lambda cell: "rnn" in cell, "unless cell is rnn", neutral="tanh"),
    )
    input: str = _network(
        "embedding", "Word and character embeddings, or the one-hot vector of the word.", choices=INPUTS
    )
    bidirectional: bool = _network(
        True, "Read each sentence in both directions, or from the left only.", flags="--bidirectional/--unidirectional"
    )
    feedback: bool = _network(False, "Feed each word's tag probabilities into the hidden layer at the next word.")
    layers: int = _network(1, "Recurrent layers.", least=1, most=100)
    hidden: int = _network(200, "Hidden units per direction.", **_SIZE)
    embedding_dim: int = _network(100, "Size of a word embedding.", need=_EMBEDDINGS, **_SIZE)
    char_dim: int = _network(64, "Size of a character embedding.", need=_EMBEDDINGS, **_SIZE)
    char_hidden: int = _network(64, "Hidden units per direction of the RNN over characters.", need=_EMBEDDINGS, **_SIZE)

    def __post_init__(self) -> None:
        _check(self)
        if self.activation == "relu" and self.cell != "rnn":
            raise UsageError(f"activation relu belongs to the plain rnn: a {self.cell} has its own gates")


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """How a network is trained. Each field's help is beside it.

    Attributes:
        batch_tokens: padding included; fewer where the corpus is small.
        lr: of Adam; it falls to 0 in a straight line.
        bptt: how many words back, and forward where the network reads both ways; see `network.truncation`.
        teacher_forcing: with feedback, the share of the words whose gold tag is fed back instead of the network's own
            probabilities; it falls to 0 in a straight line.
        word_dropout: see `network.tagger.Regularisation`.
        vectors: paths; see `training.word_vectors`.
        augment: see `training.augmentation`.
        simplify_chinese: see `training.simplification`.
        device: `auto` is CUDA where there is a device, else the CPU.

    Raises:
        UsageError: a value is out of its range.
    """

    epochs: int = _training(20, "Passes over the training data, at most.", **_COUNT)
    batch_tokens: int = _training(1000, "Tokens per batch, at most.", **_COUNT)
    lr: float = _training(0.002, "Initial learning rate (Adam). It falls to 0.")
    max_grad_norm: float = _training(1.0, "Clip the gradient to this norm; 0: do not clip.", **_LIMIT)
    bptt: int = _training(0, "Propagate each word's error over at most N words; 0: the whole sentence.", **_LIMIT)
    teacher_forcing: float = _training(
        0.0,
        "Share of words whose gold tag is fed back at first. It falls to 0.",
        need=Need("feedback", bool, "without feedback", neutral=0.0),
        **_SHARE,
    )
    dropout: float = _training(0.4, "Share of units dropped.", **_DROPOUT)
    word_dropout: float = _training(1.0, "Word dropout: P(unknown) = p / (p + count).", **_LIMIT)
    min_count: int = _training(1, "Words that occur less often have no embedding of their own.", **_COUNT)
    vectors: tuple[str, ...] = _training(
        (), "A file of pretrained word vectors as text (word2vec, GloVe). May be repeated.", need=_EMBEDDINGS
    )
    extra_vector_words: int = _training(
        10_000,
        "How many words of each vector file get a row although the corpora lack them.",
        need=Need("vectors", bool, "without vectors"),
        **_LIMIT,
    )
    upsample: float = _training(
        0.0, "Repeat small corpora (tokens of the largest / tokens)^P times in each epoch.", **_SHARE
    )
    augment: float = _training(
        0.0,
        "Share of sentences to augment: lower case, capitals, headlines, no final mark, two in a line, one word.",
        **_SHARE,
    )
    simplify_chinese: bool = _training(False, "Read traditional Chinese as simplified (needs OpenCC).")
    patience: int = _training(5, "Stop after N epochs without a better dev accuracy.", **_COUNT)
    seed: int = _training(1, "The same seed gives the same model.", **_SEED)
    device: str = _training("auto", "Where to compute.", choices=("auto", "cpu", "cuda"))
    max_minutes: float = _training(0.0, "Stop training the tagger after N minutes; 0: no limit.", **_LIMIT)

    def __post_init__(self) -> None:
        _check(self)
        if not 0 < self.lr < math.inf:
            raise UsageError(f"lr is {self.lr}: it must be above 0")


@dataclass(frozen=True, slots=True)
class SegmenterConfig:
    """The shape of a segmenter, a bidirectional LSTM over the pretokens of raw text (see `model.pretokens`), and how it
    is trained.

    Attributes:
        unit_dim, shape_dim: sizes of the embeddings of a pretoken and of how it is written.
        bigrams: rows that pairs of neighbouring pretokens share by their hash; 0: none are read.
        bigram_dim: size of such a row.
        lr: of Adam; it falls to 0 in a straight line.
        dropout: share of the units of the layer's input and output that is dropped.
        upsample: see `TrainConfig`, in pretokens.

    Raises:
        UsageError: a value is out of its range.
    """

    hidden: int = _segmenter(96, "Hidden units per direction of the segmenter.", **_SIZE)
    unit_dim: int = _segmenter(40, **_SIZE)
    shape_dim: int = _segmenter(12, **_SIZE)
    bigrams: int = _segmenter(16384, "Rows that pairs of characters share; 0: none.", least=0, most=1 << 24)
    bigram_dim: int = _segmenter(16, **_SIZE)
    epochs: int = _segmenter(8, "Passes over the segmenter's training data.", **_SIZE)
    lr: float = _segmenter(0.004)
    dropout: float = _segmenter(0.3, **_DROPOUT)
    upsample: float = _segmenter(0.6, **_SHARE)
    seed: int = _segmenter(1, **_SEED)

    def __post_init__(self) -> None:
        _check(self)
