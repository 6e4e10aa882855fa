"""A tagger as a task of the trainer: its vocabulary and network, its batches, its loss and its dev accuracy."""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch

from rnntag.config import ModelConfig, TrainConfig
from rnntag.errors import LOWER, DataError, Remedy, UsageError
from rnntag.model import extension, learning_curve
from rnntag.model.batching import Encoded, length_buckets
from rnntag.model.learning_curve import Scale
from rnntag.model.shared_rows import SharedRows
from rnntag.model.stored import ModelBundle, Provenance
from rnntag.model.vocabulary import RESERVED, Vocabulary
from rnntag.model.weights import WORD_TABLE
from rnntag.network.tagger import Network, Regularisation, predict
from rnntag.network.teacher import Teacher
from rnntag.sentences import UNTAGGED, Corpus, Sentence
from rnntag.training import class_weights, inheritance, simplification, word_vectors
from rnntag.training.augmentation import VARIANTS, variant
from rnntag.training.inheritance import KEPT_SHARE, Start
from rnntag.training.trainer import Loss, Schedule, Task, Trainer
from rnntag.version import __version__

LEAST_BATCHES, LEAST_BATCH_TOKENS = 50, 100
"""A small corpus is cut into at least so many batches, unless they would have fewer tokens than this: with too few
steps per epoch a network learns too little (4 points less on the starter corpus)."""


LEAST_EPOCH_TOKENS = 2000
"""Of an epoch that starts from a model: a smaller corpus is repeated."""


def choose_device(name: str) -> torch.device:
    """The device for `auto`, `cpu` or `cuda`.

    Raises:
        UsageError: there is no CUDA device.
    """
    if name == "cuda" and not torch.cuda.is_available():
        raise UsageError("this machine or this build of torch has no CUDA device", remedy={"device": "cpu"})
    return torch.device("cuda" if name != "cpu" and torch.cuda.is_available() else "cpu")


def _tagged(sentences: Sequence[Sentence]) -> list[Sentence]:
    """The sentences in which a word has a tag."""
    return [sentence for sentence in sentences if sentence.tokens and sentence.tags]


def _check_tagsets(corpora: Iterable[Corpus], learned: set[str]) -> None:
    for corpus in corpora:
        for sentence in _tagged(corpus.dev + corpus.test):
            if not learned & sentence.tags.keys():
                raise DataError(
                    f"{corpus.name}: its dev or test split is tagged with {', '.join(sentence.tags)}, "
                    f"the train splits with {', '.join(sorted(learned))}"
                )


def _gold_tags(sentences: Iterable[Sentence], tagsets: Collection[str]) -> int:
    """The number of gold tags of these tagsets."""
    columns = [s.tags[tagset] for s in sentences for tagset in s.tags.keys() & tagsets if tagset not in s.tag_probs]
    return sum(tag != UNTAGGED for column in columns for tag in column)


def sampling_rates(parts: Sequence[Sequence[Sentence]], upsample: float) -> np.ndarray:
    """How often each sentence that is not empty occurs in an epoch, on average; see `TrainConfig.upsample`. Shape
    [sentences]."""
    lengths = [[len(sentence.tokens) for sentence in part if sentence.tokens] for part in parts]
    largest = max(map(sum, lengths))
    return np.concatenate([np.full(len(part), (largest / max(sum(part), 1)) ** upsample) for part in lengths])


def _vocabulary(sentences: Sequence[Sentence], config: TrainConfig, start: Start | None) -> Vocabulary:
    if start:
        old = start.model.vocabulary
        return old.extended(Vocabulary.build(sentences, config.min_count, old.char_map))
    char_map = simplification.table() if config.simplify_chinese else ("", "")
    return Vocabulary.build(sentences, config.min_count, char_map)


def _word_counts(sentences: Iterable[Sentence], vocabulary: Vocabulary, start: Start | None) -> list[float]:
    """For each row of the word table, how often the word occurs; infinite for words of the model to start from, and for
    shared rows."""
    counts: dict[str, float] = {**Counter(vocabulary.normal_form(token) for s in sentences for token in s.tokens)}
    if start:
        old = start.model.vocabulary
        counts |= dict.fromkeys((*old.words[: old.n_embedded], *old.extra), math.inf)
    words = (*vocabulary.words[: vocabulary.n_embedded], *vocabulary.extra)
    own = [float(counts.get(word, 0)) for word in words]
    return [1.0] * RESERVED + own + [math.inf] * vocabulary.shared_rows


def _with_vectors(vocabulary: Vocabulary, config: TrainConfig) -> tuple[Vocabulary, np.ndarray]:
    """The vocabulary extended by words of the vector files, and the pretrained vectors of its rows, shape [rows, sum of
    sizes]. Each file has its own columns. Rows without a vector are 0; a shared one has the mean of its words'."""
    known = dict.fromkeys(vocabulary.words[: vocabulary.n_embedded])
    own = config.extra_vector_words
    most = math.inf if config.shared_rows else own
    files = [word_vectors.read(Path(name), vocabulary.normal_form, known, most) for name in config.vectors]
    others = [[word for word in file.words if word not in known] for file in files]
    extra = dict.fromkeys(word for words in others for word in words[:own])
    sharing = dict.fromkeys(word for words in others for word in words[own:] if word not in extra)
    rows = {word: row for row, word in enumerate((*known, *extra, *sharing), RESERVED)}
    places = [np.array([rows[word] for word in file.words], dtype=np.int64) for file in files]
    matrix = word_vectors.side_by_side(files, places, RESERVED + len(rows))
    vocabulary = replace(vocabulary, extra=tuple(extra))
    if not sharing:
        return vocabulary, matrix
    matrix, others_matrix = np.split(matrix, [vocabulary.word_rows])
    clusters, centroids = word_vectors.clusters(others_matrix, config.shared_rows, config.seed)
    shared = SharedRows.of(dict(zip(sharing, clusters.tolist(), strict=True)))
    return replace(vocabulary, shared=shared), np.concatenate([matrix, centroids[: shared.count]])


class TaggerTask(Task[list[int]]):
    """Training a tagger on one or more corpora; see `trainer.Task`.

    Attributes:
        vocabulary: built from the train splits, and from the model to start from.
        start: that model's name and digest; "" without one.

    Args:
        corpora: each trains the heads of its tagsets.
        start: what to start from.

    Raises:
        DataError: the corpora have no training or no dev sentence, or a dev or test sentence has other tagsets.
        UsageError: the device does not exist.
        NotFoundError: OpenCC is not installed, or a file of vectors or class weights does not exist.
    """

    network: Network
    tables = (WORD_TABLE,)
    remedy: ClassVar[Remedy] = {"lr": LOWER, "max_grad_norm": LOWER}

    def __init__(
        self, corpora: Sequence[Corpus], model: ModelConfig, config: TrainConfig, start: Start | None = None
    ) -> None:
        train = [_tagged(corpus.train) for corpus in corpora]
        sentences = [sentence for part in train for sentence in part]
        kept = inheritance.kept_by_tagger(start) if start else []
        dev = {corpus.name: _tagged(corpus.dev) for corpus in (*corpora, *kept)}
        if not sentences or not any(dev[corpus.name] for corpus in corpora):
            part, names = "dev" if sentences else "train", ", ".join(corpus.name for corpus in corpora)
            raise DataError(f"{names}: no tagged sentence in the {part} split: add a corpus, or sentences")
        learned = {tagset for sentence in sentences for tagset in sentence.tags}
        _check_tagsets(corpora, learned | {*(start.model.tagsets if start else ())})
        torch.manual_seed(config.seed)
        self.corpora = (*corpora, *kept)
        self.config = config
        self.device = choose_device(config.device)
        self.vocabulary = _vocabulary(sentences, config, start)
        pretrained = None
        if config.vectors and model.input == "onehot":
            raise UsageError("one-hot input cannot use word vectors", remedy={"vectors": None})
        if config.teacher_forcing and not model.feedback:
            raise UsageError("teacher forcing has no effect without feedback", remedy={"teacher_forcing": None})
        if config.vectors:
            self.vocabulary, pretrained = _with_vectors(self.vocabulary, config)
        self.network = Network(model, self.vocabulary, pretrained)
        if start:
            self.network.load_weights(extension.tagger(start.model, self.vocabulary, self.network.weights()))
        self.network.to(self.device)
        self._teacher = Teacher(self.network, start.model.vocabulary.tags) if start and config.keep else None
        counts = _word_counts(sentences, self.vocabulary, start)
        self.network.regularisation = Regularisation(
            config.dropout, config.word_dropout, torch.tensor(counts, device=self.device)
        )
        if config.class_weights:
            weights = class_weights.of_tags(config.class_weights, sentences, self.vocabulary.tags)
            self.network.class_weights = {
                tagset: torch.from_numpy(own).to(self.device) for tagset, own in weights.items()
            }
        tokens = sum(len(sentence.tokens) for sentence in sentences)
        per_epoch = max(tokens, LEAST_EPOCH_TOKENS) if start else tokens
        self._rates = sampling_rates(train, config.upsample) * (per_epoch / tokens)
        self._sentences = sentences + [sentence for corpus in kept for sentence in corpus.train]
        if more := sum(len(sentence.tokens) for sentence in self._sentences) - tokens:
            rate = np.full(len(self._sentences) - len(sentences), KEPT_SHARE * per_epoch / more)
            self._rates = np.concatenate([self._rates, rate])
            per_epoch += int(KEPT_SHARE * per_epoch)
        self._others = np.random.default_rng(config.seed).permutation(len(self._sentences)).tolist()
        self.start = f"{start.model.name}:{start.model.digest}" if start else ""
        dev_lengths = [len(sentence.tokens) for split in dev.values() for sentence in split]
        self.scale = Scale(
            len(sentences),
            tokens,
            len(dev_lengths),
            sum(dev_lengths),
            {tagset: len(tags) for tagset, tags in self.vocabulary.tags.items()},
            self.vocabulary.n_embedded + len(self.vocabulary.extra),
            sum(parameter.numel() for parameter in self.network.parameters()),
        )
        self._batch_tokens = min(config.batch_tokens, max(per_epoch // LEAST_BATCHES, LEAST_BATCH_TOKENS))
        self._dev = {name: self.vocabulary.encode(part) for name, part in dev.items() if part}
        self._dev_tags = {name: _gold_tags(part, self.vocabulary.tags) for name, part in dev.items()}
        self._dev_weights = [sum(map(len, encoded.sentences)) ** 0.5 for encoded in self._dev.values()]
        self.seed = config.seed
        self.schedule = Schedule(config.epochs, config.lr, config.max_grad_norm, config.patience, config.max_minutes)

    def batches(self, random: np.random.Generator) -> list[list[int]]:
        """Positions of sentences and variants; see `_sentence`."""
        chosen = self._choose(random)
        lengths = np.array([len(self._sentence(position).tokens) for position in chosen.tolist()])
        return [chosen[group].tolist() for group in length_buckets(lengths, self._batch_tokens, random)]

    def loss(self, batch: list[int], random: np.random.Generator, remaining: float) -> Loss:
        sentences = self.vocabulary.encode(map(self._sentence, batch)).batch(range(len(batch)))
        if self._teacher:
            sentences = self._teacher.annotated(sentences)
        gold_rate = self.config.teacher_forcing * remaining
        loss, tags = self.network.loss(sentences, bptt_steps=self.config.bptt, gold_rate=gold_rate)
        return Loss(loss, tags, int(sentences.lengths.sum()))

    def evaluate(self) -> tuple[Mapping[str, float], float]:
        """Accuracy on each dev split, and their mean, weighted by the square roots of the splits' sizes."""
        dev = {name: self._correct(encoded) / max(self._dev_tags[name], 1) for name, encoded in self._dev.items()}
        return dev, float(np.average([*dev.values()], weights=self._dev_weights))

    def weights(self) -> dict[str, np.ndarray]:
        return self.network.weights()

    @cached_property
    def fingerprint(self) -> str:
        """A digest of the training and dev data."""
        digest = hashlib.sha256(json.dumps(self.vocabulary.tables()).encode())
        if self.vocabulary.shared:
            digest.update(self.vocabulary.shared.as_bytes())
        digest.update(self.start.encode())
        for sentence in self._sentences:
            digest.update(json.dumps([sentence.tokens, sentence.tags, sentence.tag_probs]).encode())
        for encoded in self._dev.values():
            for array in encoded.arrays():
                digest.update(array.tobytes())
        for tensor in (*self.network.buffers(), *self.network.class_weights.values()):
            digest.update(tensor.cpu().numpy().tobytes())
        return digest.hexdigest()

    def _choose(self, random: np.random.Generator) -> np.ndarray:
        """The positions of the sentences, or of their variants, of an epoch."""
        sentences = len(self._rates)
        times = np.floor(self._rates + random.random(sentences)).astype(np.int64)
        positions = np.repeat(np.arange(sentences), times)
        varied = random.random(len(positions)) < self.config.augment
        return positions + varied * random.integers(1, VARIANTS + 1, len(positions)) * sentences

    def _sentence(self, position: int) -> Sentence:
        """A sentence, or one of its variants: all first variants follow the sentences, then all second ones, and so
        on. They are made when they are needed, as those of a large corpus would not fit in memory."""
        kind, number = divmod(position, len(self._sentences))
        sentence = self._sentences[number]
        return variant(kind - 1, sentence, self._sentences[self._others[number]]) if kind else sentence

    def _correct(self, encoded: Encoded) -> int:
        """The number of correct tags, over all tagsets."""
        correct = 0
        for tagset, column in encoded.gold.items():
            if all(gold is None for gold in column):
                continue
            for gold, best in zip(column, predict(self.network, encoded, tagset), strict=True):
                if gold is not None:
                    correct += int((gold == best).sum())
        return correct


def bundle(trainer: Trainer[TaggerTask], name: str) -> ModelBundle:
    """The best model so far.

    Args:
        name: of the model.

    Raises:
        RnntagError: no epoch has ended yet.
    """
    task, (step, weights) = trainer.task, trainer.result()
    provenance = Provenance(
        corpora={c.name: {"train": len(c.train), "dev": len(c.dev), "test": len(c.test)} for c in task.corpora},
        dev=dict(step.dev),
        epoch=step.epoch,
        minutes=round(step.seconds / 60, 1),
        created=datetime.now(timezone.utc).date().isoformat(),
        rnntag=__version__,
        torch=torch.__version__,
        init=task.start,
    )
    history = learning_curve.write(trainer.ends)
    return ModelBundle(name, task.network.config, task.config, task.vocabulary, weights, provenance, history=history)
