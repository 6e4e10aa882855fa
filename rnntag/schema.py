"""What the parts of rnntag pass to one another: frozen records, and the errors a user can meet."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal, NoReturn, get_args

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

UPOS = (
    "ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM", "PART",
    "PRON", "PROPN", "PUNCT", "SCONJ", "SYM", "VERB", "X",
)  # fmt: skip
"""The 17 tags of Universal Dependencies v2 (https://universaldependencies.org/u/pos/)."""

Choices = list[tuple[str, float]]
"""Tags with their probabilities (0 to 1), the likeliest first."""


class RnntagError(Exception):
    """A failure: what, where, and what to do about it, in a line for each fault.

    Attributes:
        args: the lines.
    """

    exit_code: ClassVar[int] = 1

    def __str__(self) -> str:
        return "\n".join(map(str, self.args))


class UsageError(RnntagError):
    """An option or a combination of options that has no meaning."""

    exit_code = 2


class DataError(RnntagError):
    """Input that was found but cannot be understood."""

    exit_code = 65


OnFault = Callable[[str], None]
"""Is given a line that says what is wrong and where, and raises an error or goes on."""


def stop(fault: str) -> NoReturn:
    """The report that ends the work.

    Raises:
        DataError: always.
    """
    raise DataError(fault)


class NotFoundError(RnntagError):
    """A corpus, file or model that is not there."""

    exit_code = 66


class AccessError(RnntagError):
    """A file or directory that cannot be read or written."""

    exit_code = 74


@dataclass(frozen=True, slots=True)
class Sentence:
    """The tokens of one sentence, and for each tagset that it is annotated with, one tag a token.

    Attributes:
        choices: where a model has annotated it, for each token also the tags that it found likely.
        spaces: the white space that follows each token in the text; empty where that is not known.
        opens: whether a paragraph begins with it.

    Raises:
        DataError: a tagset has more or fewer tags than there are tokens.
    """

    tokens: tuple[str, ...]
    tags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    choices: Mapping[str, tuple[Choices, ...]] = field(default_factory=dict)
    spaces: tuple[str, ...] = ()
    opens: bool = False

    def __post_init__(self) -> None:
        for tagset, column in (*self.tags.items(), *self.choices.items()):
            if len(column) != len(self.tokens):
                raise DataError(f"{len(self.tokens)} tokens but {len(column)} {tagset} tags: {' '.join(self.tokens)}")


@dataclass(frozen=True, slots=True)
class Corpus:
    """A named corpus in its three parts; a part may be empty."""

    name: str
    train: tuple[Sentence, ...] = ()
    dev: tuple[Sentence, ...] = ()
    test: tuple[Sentence, ...] = ()


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
        clip: largest norm of the gradient; 0: any.
        bptt: how many words back, and ahead where the network reads both ways, a word's error is
            propagated; 0: all. See `bptt`.
        gold_feedback: with feedback, the share of the words that at first have their gold tag fed back
            instead of what the network finds; it falls to 0 in a straight line.
        dropout: share of the units of each layer's input that is dropped.
        word_dropout: see `network.Regularisation`.
        min_count: how often a word must occur to have an embedding of its own.
        vectors: files of pretrained word vectors; see `vectors`.
        vector_words: how many words of each of them get a row though training does not see them.
        balance: how much oftener an epoch meets small corpora: (tokens of the largest / tokens)^balance
            times; 0: all once, 1: all for as long.
        vary: share of the sentences that an epoch meets in other writing; see `variants`.
        fold: whether traditional Chinese is read as simplified; see `folding.chinese`.
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
    clip: float = 1.0
    bptt: int = 0
    gold_feedback: float = 0.0
    dropout: float = 0.4
    word_dropout: float = 1.0
    min_count: int = 1
    vectors: tuple[str, ...] = ()
    vector_words: int = 10_000
    balance: float = 0.0
    vary: float = 0.0
    fold: bool = False
    patience: int = 5
    seed: int = 1
    device: str = "auto"
    max_minutes: float = 0.0

    def __post_init__(self) -> None:
        _one_of("device", self.device, DEVICES)
        _between(1, 10**9, self, "epochs", "batch_tokens", "min_count", "patience")
        _between(0, 10**9, self, "word_dropout", "clip", "max_minutes", "vector_words", "bptt")
        _between(0, 2**63 - 1, self, "seed")
        _between(0, 0.99, self, "dropout")
        _between(0, 1, self, "balance", "vary", "gold_feedback")
        if not 0 < self.lr < math.inf:
            raise UsageError(f"lr is {self.lr}: it must be above 0")


@dataclass(frozen=True, slots=True)
class SegmenterConfig:
    """The shape of a segmenter, a bidirectional LSTM over the units of running text (see `units`), and
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
        balance: see `TrainConfig`, in units.
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
    balance: float = 0.6
    seed: int = 1

    def __post_init__(self) -> None:
        _between(1, 10_000, self, "hidden", "unit_dim", "shape_dim", "bigram_dim", "epochs")
        _between(0, 1 << 24, self, "bigrams")


@dataclass(frozen=True, slots=True)
class Step:
    """What the trainer tells after a batch, and with `dev` after an epoch.

    Attributes:
        epoch: counted from 1.
        batch, batches: the position in the epoch.
        loss: mean cross-entropy a tag, in nats, over this epoch so far.
        gradient_norm: its mean before clipping, over this epoch so far.
        clipped: the share of this epoch's batches so far whose gradient was clipped.
        tokens: training tokens seen in this run so far.
        seconds: time spent in this run so far.
        dev: accuracy (0 to 1) on each corpus's dev part, by its name; empty but at an epoch's end.
        dev_accuracy: the mean of `dev`, weighted by the square roots of the parts' sizes: a small
            language counts nearly as much as a large one, and chance in a tiny part no more.
        best: whether it is the highest so far.
    """

    epoch: int
    epochs: int
    batch: int
    batches: int
    loss: float
    gradient_norm: float
    clipped: float
    tokens: int
    seconds: float
    dev: Mapping[str, float] = field(default_factory=dict)
    dev_accuracy: float = 0.0
    best: bool = False


@dataclass(frozen=True, slots=True)
class Scale:
    """How much a run learns from, and how much there is to learn.

    Attributes:
        sentences, tokens: of the train parts.
        dev_sentences, dev_tokens: of the dev parts.
        tags: by tagset, how many it has; empty for a segmenter.
        vocabulary: how many words, or units of a segmenter, have a row of their own.
        parameters: of the network.
    """

    sentences: int
    tokens: int
    dev_sentences: int
    dev_tokens: int
    tags: Mapping[str, int]
    vocabulary: int
    parameters: int


@dataclass(frozen=True, slots=True)
class TagScore:
    """Precision, recall and F1 (0 to 1) of one tag, and its number of gold tokens."""

    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True, slots=True)
class MistakenWord:
    """A word, lower-cased, that was given wrong tags.

    Attributes:
        wrong: how often.
        tokens: how often it occurs.
        gold, predicted: its commonest confusion.
    """

    word: str
    wrong: int
    tokens: int
    gold: str
    predicted: str


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """The tokens whose tags were given with about equal confidence: how many, and their mean confidence and
    accuracy (0 to 1), both 0 where there are none."""

    tokens: int
    confidence: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class Report:
    """How the predicted tags of some sentences agree with the gold ones.

    Every accuracy lies between 0 and 1, or is None where there is nothing to measure it on.

    Attributes:
        unseen_tokens: those whose word training has not seen.
        ambiguous_tokens: those whose lower-cased form has more than one tag in these gold sentences. (How many
            it has in its training data, a model does not tell.)
        seen_accuracy, unseen_accuracy, ambiguous_accuracy: on these tokens alone.
        sentence_accuracy: the share of sentences without a wrong tag.
        calibration_error: how far, in the mean, confidence and accuracy differ (0 to 1).
        calibration: bins of equal width, the least confident first; none without confidences.
        intervals: for each accuracy, by its name, the ends of its 95 % interval (see `significance`), or None
            where there are fewer than two sentences.
        confusions: (gold tag, predicted tag, count), the commonest first.
        words: those most often mistaken.
    """

    sentences: int
    tokens: int
    unseen_tokens: int
    ambiguous_tokens: int
    accuracy: float
    seen_accuracy: float | None
    unseen_accuracy: float | None
    ambiguous_accuracy: float | None
    sentence_accuracy: float
    calibration_error: float | None
    intervals: Mapping[str, tuple[float, float] | None]
    tags: Mapping[str, TagScore]
    confusions: tuple[tuple[str, str, int], ...]
    words: tuple[MistakenWord, ...]
    calibration: tuple[CalibrationBin, ...]


@dataclass(frozen=True, slots=True)
class Mistake:
    """A wrong tag: the token's position in its sentence, from 0, and the confidence (0 to 1) if that is known."""

    token: int
    gold: str
    predicted: str
    confidence: float | None


@dataclass(frozen=True, slots=True)
class FaultySentence:
    """A sentence with wrong tags, and its number among all, from 1."""

    number: int
    tokens: tuple[str, ...]
    mistakes: tuple[Mistake, ...]


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a model comes from: what it was trained on and how it did.

    Attributes:
        specs, tagsets, encoding, corpus_format: what the corpora were asked for with.
        corpora: by name, the number of sentences in each part.
        dev, test: accuracies (0 to 1) by corpus name.
        epoch: the one that the weights are from.
        minutes: how long training took until then.
        created: the day, as ISO 8601.
        rnntag, torch: the versions that trained it.
    """

    specs: tuple[str, ...] = ()
    tagsets: tuple[str, ...] = ()
    encoding: str = "utf-8"
    corpus_format: CorpusFormat = "auto"
    corpora: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    dev: Mapping[str, float] = field(default_factory=dict)
    test: Mapping[str, float] = field(default_factory=dict)
    epoch: int = 0
    minutes: float = 0.0
    created: str = ""
    rnntag: str = ""
    torch: str = ""
