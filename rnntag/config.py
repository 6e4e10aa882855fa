"""The settings of models and of training, each with its default, its range and its help.

The options of the command line, `rnntag.train`, a model's `config.json` and its card are all made from them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args

from rnntag.errors import UsageError

DEFAULT_MODEL = "zh-en"
WORLD_MODEL = "world"
"""The bundled model that knows most languages."""
DEFAULT_LM = "lm-zh-en"
"""The bundled language model."""
Cell = Literal["rnn", "lstm", "gru"]
LexiconMode = Literal["prefer", "force"]
"""Whether words of a lexicon are more likely or certain; see `tagger.load`."""

CorpusFormat = Literal["auto", "slash", "underscore", "tsv", "spacy", "conllu", "jsonl"]
CELLS: tuple[str, ...] = get_args(Cell)
ACTIVATIONS = ("tanh", "relu")
INPUTS = ("embedding", "onehot")
NETWORK, TRAINING, SEGMENTER = "Network", "Training", "Segmenter"
SEGMENTER_PREFIX = "segmenter_"
"""Of the names of a segmenter's settings beside those of a tagger."""
"""The groups of options in the help."""


@dataclass(frozen=True, slots=True)
class Need:
    """The condition for a setting to have an effect.

    Attributes:
        of: another setting.
        met: whether a value of the other setting meets the condition.
        otherwise: when the condition is not met, in words.
        neutral: a value that is allowed anyway, because it changes nothing.
    """

    of: str
    met: Callable[[Any], bool]
    otherwise: str
    neutral: object = None


@dataclass(frozen=True, slots=True)
class About:
    """The properties of a setting besides its name, type and default.

    Attributes:
        help: for the command line; "" for settings without an option.
        group: of options in the help.
        least, most: the range of a number.
        choices: the allowed values, if they are few.
        metavar: what the help calls its value, if not by its type.
        flags: the option's names, if they do not follow from the setting's; for a bool, yes and no with a slash
            between them.
        need: the condition for it to have an effect, if there is one.
        with_init: the default of a run that starts from a model, if it differs.
    """

    help: str
    group: str
    least: float = -math.inf
    most: float = math.inf
    choices: tuple[str, ...] = ()
    metavar: str = ""
    flags: str = ""
    need: Need | None = None
    with_init: float | None = None


def about(setting: Any) -> About:
    """The properties of a field of a configuration."""
    properties: About = setting.metadata["about"]
    return properties


def _network(default: Any, help: str = "", **known: Any) -> Any:
    return field(default=default, metadata={"about": About(help, NETWORK, **known)})


def _training(default: Any, help: str = "", **known: Any) -> Any:
    return field(default=default, metadata={"about": About(help, TRAINING, **known)})


def _segmenter(default: Any, help: str = "", **known: Any) -> Any:
    return field(default=default, metadata={"about": About(help, SEGMENTER, **known)})


def _check(config: Any) -> None:
    for setting in fields(config):
        name, value, properties = setting.name, getattr(config, setting.name), about(setting)
        if properties.choices and value not in properties.choices:
            raise UsageError(f"{name} is {value!r}: it must be one of {', '.join(properties.choices)}")
        if properties.least > -math.inf and not properties.least <= value <= properties.most:  # false for NaN too
            raise UsageError(f"{name} is {value}: it must be between {properties.least} and {properties.most}")


_SIZE: dict[str, Any] = {"least": 1, "most": 10_000}
_COUNT: dict[str, Any] = {"least": 1, "most": 10**9}
_LIMIT: dict[str, Any] = {"least": 0, "most": 10**9}
_SHARED: dict[str, Any] = {"least": 0, "most": 1 << 16}  # stored in 16 bits
_SHARE: dict[str, Any] = {"least": 0, "most": 1}
_DROPOUT: dict[str, Any] = {"least": 0, "most": 0.99}
_SEED: dict[str, Any] = {"least": 0, "most": 2**63 - 1}
_EMBEDDINGS = Need("input", lambda kind: kind == "embedding", "unless input is embedding")


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """The architecture of a network. See also the help of each field.

    Attributes:
        cell: of the recurrent layers and of the RNN over characters.
        bidirectional: whether the recurrent layers read in both directions.
        feedback: whether the forward direction of the last recurrent layer gets the tag probabilities of the previous
            word.
        hidden, char_hidden: units per direction.

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
            raise UsageError(f"activation relu needs cell rnn, not {self.cell}")


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """How to train a network. See also the help of each field.

    Attributes:
        batch_tokens: with padding; fewer if the corpus is small.
        lr: of Adam. It falls linearly to 0.
        bptt: the number of words back, and forward in a bidirectional network; see `network.truncation`.
        teacher_forcing: with feedback, the share of words whose gold tag is fed back instead of the predicted
            probabilities. It falls linearly to 0.
        word_dropout: see `network.tagger.Regularisation`.
        vectors: paths; see `training.word_vectors`.
        augment: see `training.augmentation`.
        simplify_chinese: see `training.simplification`.
        init, keep: see `training.inheritance`.
        class_weights: see `training.class_weights`.
        device: `auto` is CUDA if there is a device, else the CPU.

    Raises:
        UsageError: a value is out of its range.
    """

    epochs: int = _training(20, "Maximum number of epochs (passes over the training data).", with_init=6, **_COUNT)
    batch_tokens: int = _training(1000, "Tokens per batch, at most.", **_COUNT)
    lr: float = _training(0.002, "Initial learning rate (Adam). It decays to 0.", with_init=0.001)
    max_grad_norm: float = _training(1.0, "Clip the gradient to this norm; 0: do not clip.", **_LIMIT)
    bptt: int = _training(0, "Propagate each word's error over at most N words; 0: the whole sentence.", **_LIMIT)
    teacher_forcing: float = _training(
        0.0,
        "Share of words whose gold tag is fed back at first. It decays to 0.",
        need=Need("feedback", bool, "without feedback", neutral=0.0),
        **_SHARE,
    )
    dropout: float = _training(0.4, "Dropout rate.", with_init=0.1, **_DROPOUT)
    word_dropout: float = _training(
        1.0, "Replace a word by the unknown word with probability X / (X + its count).", **_LIMIT
    )
    min_count: int = _training(1, "Words that occur fewer than N times have no embedding of their own.", **_COUNT)
    vectors: tuple[str, ...] = _training(
        (), "A file of pretrained word vectors as text (word2vec, GloVe). May be repeated.", need=_EMBEDDINGS
    )
    extra_vector_words: int = _training(
        10_000,
        "At most N words of each vector file that are not in the corpora get an embedding of their own.",
        need=Need("vectors", bool, "without vectors"),
        **_LIMIT,
    )
    shared_rows: int = _training(
        0,
        "Group the other words of the vector files into N clusters of similar words that share an embedding; 0: none.",
        need=Need("vectors", bool, "without vectors", neutral=0),
        **_SHARED,
    )
    upsample: float = _training(
        0.0,
        "Repeat each corpus (tokens of the largest corpus / its own tokens)^X times in each epoch; 0: no repetition.",
        **_SHARE,
    )
    augment: float = _training(
        0.0,
        "Share of sentences to augment: lower case, capitals, headlines, no final punctuation, two in a line, one "
        "word.",
        **_SHARE,
    )
    init: str = _training(
        "", "Start from this model (a name or a directory), and learn more words, characters and tags.", metavar="MODEL"
    )
    keep: bool = _training(
        True,
        "With --init, also train on the starter corpus and on what the model predicts, to limit forgetting.",
        flags="--keep/--no-keep",
        need=Need("init", bool, "without init", neutral=True),
    )
    class_weights: str = _training(
        "",
        "Weight of each tag in the loss: balanced, so that rare tags count as much as frequent ones, or a file with a "
        "tag and its weight on each line.",
        metavar="balanced|FILE",
    )
    simplify_chinese: bool = _training(False, "Read traditional Chinese as simplified (needs OpenCC).")
    patience: int = _training(5, "Stop after N epochs without a better dev accuracy.", **_COUNT)
    seed: int = _training(1, "The same seed gives the same model.", **_SEED)
    device: str = _training("auto", "The device to train on; auto: CUDA if available.", choices=("auto", "cpu", "cuda"))
    max_minutes: float = _training(0.0, "Stop training the tagger after X minutes; 0: no limit.", **_LIMIT)

    def __post_init__(self) -> None:
        _check(self)
        if not 0 < self.lr < math.inf:
            raise UsageError(f"lr is {self.lr}: it must be above 0")


@dataclass(frozen=True, slots=True)
class SegmenterConfig:
    """The architecture of a segmenter, a bidirectional LSTM over the pretokens of raw text (see `model.pretokens`), and
    how to train it.

    Attributes:
        unit_dim, shape_dim: sizes of the embeddings of a pretoken and of its shape.
        bigrams: rows of a table of hashed pairs of pretokens; 0: no pairs.
        bigram_dim: size of such a row.
        lr: of Adam. It falls linearly to 0.
        dropout: share of dropped units of the layer's input and output.
        vectors: paths; see `training.word_vectors`.
        upsample: see `TrainConfig`; counted in pretokens.
        augment: see `training.variation`.
        init, keep: see `training.inheritance`.

    Raises:
        UsageError: a value is out of its range.
    """

    hidden: int = _segmenter(96, "Hidden units per direction of the segmenter.", **_SIZE)
    unit_dim: int = _segmenter(40, "Size of the embedding of a pretoken.", **_SIZE)
    shape_dim: int = _segmenter(12, **_SIZE)
    bigrams: int = _segmenter(16384, "Rows of the hash table of pretoken pairs; 0: no pairs.", least=0, most=1 << 24)
    bigram_dim: int = _segmenter(16, "Size of the embedding of a pretoken pair.", **_SIZE)
    epochs: int = _segmenter(8, "Passes over the segmenter's training data.", **_SIZE)
    lr: float = _segmenter(0.004, with_init=0.0007)
    dropout: float = _segmenter(0.3, "Dropout of the input and the output of the segmenter's layer.", **_DROPOUT)
    vectors: tuple[str, ...] = _segmenter(
        (),
        "A file of pretrained word vectors as text (word2vec, GloVe): the embeddings of pretokens start from them. May "
        "be repeated.",
    )
    upsample: float = _segmenter(0.6, **_SHARE)
    augment: float = _segmenter(
        0.0,
        "Share of paragraphs to train on a second time with other numbers, names and signs, in quotation marks or "
        "brackets, with emoji, URLs and e-mail addresses.",
        **_SHARE,
    )
    init: str = _segmenter("")
    keep: bool = _segmenter(True)
    seed: int = _segmenter(1, **_SEED)

    def __post_init__(self) -> None:
        _check(self)


@dataclass(frozen=True, slots=True)
class PretrainConfig:
    """How to train a language model. See also the help of each field.

    Attributes:
        dev: paths.
        segmenter: a model with a segmenter, for raw text.
        words: with their own row and output.
        shortlist, cluster: words of the first part of the output layer, and of each of the others; see
            `model.language_model.clusters`.
        batch_tokens: with padding.
        bptt: see `training.language_model`.

    Raises:
        UsageError: a value is out of its range.
    """

    dev: tuple[str, ...] = _training((), "A text to measure perplexity on. May be repeated.")
    segmenter: str = _training("zh-en-fast", "Split raw text with the segmenter of this model.", metavar="MODEL")
    words: int = _training(50_000, "At most N words, the most frequent ones, have an output of their own.", **_COUNT)
    min_count: int = _training(2, "Words that occur fewer than N times have no embedding and no output.", **_COUNT)
    shortlist: int = _training(500, **_COUNT)
    cluster: int = _training(1000, **_COUNT)
    epochs: int = _training(5, "Passes over the text.", **_COUNT)
    batch_tokens: int = _training(2000, "Tokens per batch, at most.", **_COUNT)
    lr: float = _training(0.002, "Initial learning rate (Adam). It decays to 0.")
    max_grad_norm: float = _training(1.0, "Clip the gradient to this norm; 0: do not clip.", **_LIMIT)
    bptt: int = _training(
        35,
        "Read running text N words at a time: the hidden state carries over, gradients stop at the window; 0: read "
        "each sentence by itself.",
        **_LIMIT,
    )
    dropout: float = _training(0.2, "Dropout rate.", **_DROPOUT)
    simplify_chinese: bool = _training(False, "Read traditional Chinese as simplified (needs OpenCC).")
    seed: int = _training(1, "The same seed gives the same model.", **_SEED)
    device: str = _training("auto", "The device to train on; auto: CUDA if available.", choices=("auto", "cpu", "cuda"))
    max_minutes: float = _training(0.0, "Stop training after X minutes; 0: no limit.", **_LIMIT)

    def __post_init__(self) -> None:
        _check(self)
        if not 0 < self.lr < math.inf:
            raise UsageError(f"lr is {self.lr}: it must be above 0")


LANGUAGE_NETWORK: dict[str, Any] = {
    "cell": "lstm",
    "activation": "tanh",
    "bidirectional": False,
    "layers": 1,
    "hidden": 256,
    "embedding_dim": 128,
    "char_dim": 32,
    "char_hidden": 32,
}
"""The settings of `ModelConfig` that a language model has, with their defaults there."""
