"""Training by back-propagation through time, as a stream of events."""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timezone
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import torch

from rnntag.config import CorpusFormat, ModelConfig, TrainConfig
from rnntag.errors import DataError, RnntagError, UsageError
from rnntag.model import learning_curve
from rnntag.model.batching import Encoded
from rnntag.model.learning_curve import Scale, TrainingStep
from rnntag.model.stored import ModelBundle, Provenance
from rnntag.model.vocabulary import RESERVED, Vocabulary
from rnntag.model.weights import quantize
from rnntag.network.tagger import Network, Regularisation, predict
from rnntag.sentences import Corpus, Sentence
from rnntag.training import checkpoint, simplification, word_vectors
from rnntag.training.augmentation import VARIANTS, variants
from rnntag.training.checkpoint import State
from rnntag.training.optimizer import EpochState, ExplosionError, Optimiser
from rnntag.version import __version__

LEAST_BATCHES, LEAST_BATCH_TOKENS = 50, 100
"""A small corpus is cut into so many batches, as long as they have so many tokens: with too few
steps an epoch a network learns too little (4 points less on the starter corpus)."""

LARGEST_WEIGHT = float(np.finfo(np.float16).max)
"""Models are stored in half precision."""


def choose_device(name: str) -> torch.device:
    """The device for `auto`, `cpu` or `cuda`.

    Raises:
        UsageError: cuda was asked for and there is none.
    """
    if name == "cuda" and not torch.cuda.is_available():
        raise UsageError("this machine or this build of torch has no CUDA device: use --device cpu")
    return torch.device("cuda" if name != "cpu" and torch.cuda.is_available() else "cpu")


def sampling_rates(parts: Sequence[Sequence[Sentence]], upsample: float) -> np.ndarray:
    """How often an epoch meets each sentence of the parts that is not empty, in the mean; see
    `TrainConfig.upsample`. Shape [sentences]."""
    lengths = [[len(sentence.tokens) for sentence in part if sentence.tokens] for part in parts]
    largest = max(map(sum, lengths))
    return np.concatenate([np.full(len(part), (largest / max(sum(part), 1)) ** upsample) for part in lengths])


def _with_vectors(vocabulary: Vocabulary, config: TrainConfig) -> tuple[Vocabulary, np.ndarray]:
    """A vocabulary with more words, and the pretrained vector of each of its rows, 0 where there is
    none; each file has columns of its own, shape [rows, sum of sizes]."""
    known = dict.fromkeys(vocabulary.words[: vocabulary.n_embedded])
    files = [
        word_vectors.read(Path(name), vocabulary.normal_form, known, config.extra_vector_words)
        for name in config.vectors
    ]
    extra = dict.fromkeys(word for file in files for word in file.words if word not in known)
    vocabulary = replace(vocabulary, extra=tuple(extra))
    rows = {word: row for row, word in enumerate((*known, *extra), RESERVED)}
    matrix = np.zeros((vocabulary.word_rows, sum(file.matrix.shape[1] for file in files)), dtype=np.float32)
    column = 0
    for file in files:
        end = column + file.matrix.shape[1]
        matrix[[rows[word] for word in file.words], column:end] = file.matrix
        column = end
    return vocabulary, matrix


def _exploded(epoch: int) -> ExplosionError:
    return ExplosionError(
        f"the gradients exploded in epoch {epoch}: train with a lower --lr, or a lower --max-grad-norm above 0"
    )


class Training:
    """One run over one or more corpora; seeded, and repeatable on one machine.

    Attributes:
        vocabulary: built from the train parts.
        network: at a `Step` with dev figures it holds the weights that these were measured on.
        ends: the steps with dev figures so far.

    Args:
        corpora: each trains the heads whose tags it has.

    Raises:
        DataError: the corpora have no training or no dev sentence, or one with other tagsets.
        UsageError: the device is not there.
        NotFoundError: there is no OpenCC to fold with, or no file of vectors.
    """

    def __init__(self, corpora: Sequence[Corpus], model: ModelConfig, config: TrainConfig) -> None:
        sentences = [sentence for corpus in corpora for sentence in corpus.train if sentence.tokens]
        dev = {corpus.name: [s for s in corpus.dev if s.tokens] for corpus in corpora}
        if not sentences or not any(dev.values()):
            part = "dev" if sentences else "train"
            raise DataError(
                f"{', '.join(c.name for c in corpora)}: no sentence in the {part} part: add a corpus, or sentences"
            )
        learned = {tagset for sentence in sentences for tagset in sentence.tags}
        for corpus in corpora:
            for sentence in corpus.dev + corpus.test:
                if not learned & sentence.tags.keys():
                    raise DataError(
                        f"{corpus.name}: its dev or test part is tagged with {', '.join(sentence.tags) or 'nothing'}, "
                        f"the training parts with {', '.join(sorted(learned))}"
                    )
        torch.manual_seed(config.seed)
        self.corpora = tuple(corpora)
        self.config = config
        self.device = choose_device(config.device)
        char_map = simplification.table() if config.simplify_chinese else ("", "")
        self.vocabulary = Vocabulary.build(sentences, config.min_count, char_map)
        pretrained = None
        if config.vectors and model.input == "onehot":
            raise UsageError("a one-hot word has no vector: leave out --vectors, or take --input embedding")
        if config.teacher_forcing and not model.feedback:
            raise UsageError("no tag is fed back: leave out --teacher-forcing, or take --feedback")
        if config.vectors:
            self.vocabulary, pretrained = _with_vectors(self.vocabulary, config)
        self.network = Network(model, self.vocabulary, pretrained).to(self.device)
        counts = Counter(self.vocabulary.normal_form(token) for sentence in sentences for token in sentence.tokens)
        words = (*self.vocabulary.words[: self.vocabulary.n_embedded], *self.vocabulary.extra)
        rows = [1.0] * RESERVED + [float(counts[word]) for word in words]
        self.network.regularisation = Regularisation(
            config.dropout, config.word_dropout, torch.tensor(rows, device=self.device)
        )
        self._rates = sampling_rates([corpus.train for corpus in corpora], config.upsample)
        self._train = self.vocabulary.encode(chain(sentences, self._variants(sentences) if config.augment else ()))
        tokens = sum(len(sentence.tokens) for sentence in sentences)
        self._batch_tokens = min(config.batch_tokens, max(tokens // LEAST_BATCHES, LEAST_BATCH_TOKENS))
        self._dev = {name: self.vocabulary.encode(part) for name, part in dev.items() if part}
        self._optimiser = Optimiser(self.network.parameters(), config.max_grad_norm)
        self._shuffle = np.random.default_rng(config.seed)
        self._progress = EpochState(self._shuffle.bit_generator.state)
        self._best: tuple[TrainingStep, dict[str, np.ndarray]] | None = None
        self.ends: list[TrainingStep] = []

    def steps(self) -> Iterator[TrainingStep]:
        """Train until the epochs or the minutes are over or dev accuracy stands still.

        The learning rate falls in a straight line to zero over the epochs, or over `max_minutes`
        where these are over sooner. Dev accuracy is that of the averaged weights (see
        `Optimiser`), which is what a run leaves behind.

        Raises:
            ExplosionError: the gradient is no longer finite, or a weight too large to be stored.
        """
        config, optimiser, now = self.config, self._optimiser, self._progress
        started = time.monotonic() - now.seconds
        dev_weights = [sum(map(len, encoded.sentences)) ** 0.5 for encoded in self._dev.values()]
        while not self._is_over():
            self.network.train()
            self._shuffle.bit_generator.state = now.shuffle
            batches = self._train.batches(self._batch_tokens, self._shuffle, self._choose(self._shuffle))
            for positions in batches[now.batch :]:
                done = (now.epoch - 1 + now.batch / len(batches)) / config.epochs
                if config.max_minutes:
                    done = max(done, (time.monotonic() - started) / (60 * config.max_minutes))
                if done >= 1:
                    break
                batch = self._train.batch(positions)
                loss, tags = self.network.loss(
                    batch, bptt_steps=config.bptt, gold_rate=config.teacher_forcing * (1 - done)
                )
                norm = optimiser.step(loss, config.lr * (1 - done))
                if not math.isfinite(norm):
                    raise _exploded(now.epoch)
                now.add(
                    loss.item(), tags, norm, clipped=norm > config.max_grad_norm > 0, tokens=int(batch.lengths.sum())
                )
                now.seconds = time.monotonic() - started
                if now.batch < len(batches):
                    yield now.step(config.epochs, len(batches))
            optimiser.swap()
            dev = {name: self._accuracy(encoded) for name, encoded in self._dev.items()}
            mean = float(np.average([*dev.values()], weights=dev_weights))
            best = not self._best or mean > self._best[0].dev_accuracy
            now.seconds = time.monotonic() - started
            step = replace(now.step(config.epochs, len(batches), ends=True), dev=dev, dev_accuracy=mean, best=best)
            weights = self.network.weights()
            if max(np.abs(weight).max(initial=0) for weight in weights.values()) > LARGEST_WEIGHT:
                raise _exploded(now.epoch)
            if best:
                self._best = (step, quantize(weights))
            self.ends.append(step)
            now.begin_epoch(self._shuffle.bit_generator.state)
            yield step
            optimiser.swap()

    @property
    def scale(self) -> Scale:
        """How much the run learns from, and how much there is to learn."""
        train = [len(sentence.tokens) for corpus in self.corpora for sentence in corpus.train if sentence.tokens]
        dev = [len(sentence.tokens) for corpus in self.corpora for sentence in corpus.dev if sentence.tokens]
        return Scale(
            len(train),
            sum(train),
            len(dev),
            sum(dev),
            {tagset: len(tags) for tagset, tags in self.vocabulary.tags.items()},
            self.vocabulary.word_rows - RESERVED,
            sum(parameter.numel() for parameter in self.network.parameters()),
        )

    def _is_over(self) -> bool:
        now = self._progress
        stale = now.epoch - 1 - self._best[0].epoch if self._best else 0
        out_of_time = 0 < 60 * self.config.max_minutes <= now.seconds
        return now.epoch > self.config.epochs or stale >= self.config.patience or out_of_time

    def state(self) -> State:
        """Where the run is, at a `Step` or before the first."""
        figures: dict[str, Any] = {
            "corpora": self._fingerprint,
            "progress": asdict(self._progress),
            "ends": [asdict(step) for step in self.ends],
        }
        arrays = checkpoint.within("optimiser", self._optimiser.state())
        if self._best:
            step, weights = self._best
            figures["best"] = step.epoch
            arrays |= checkpoint.within("best", weights)
        return State(figures, arrays)

    def restore(self, state: State) -> None:
        """Go on, with `steps`, from where another run with the same settings was. What follows is bit for bit
        what would have followed there, on the same machine with the same number of threads and without
        `max_minutes`.

        Raises:
            DataError: that run had other sentences or vectors.
        """
        if state.figures["corpora"] != self._fingerprint:
            raise DataError("the corpora or the vectors are not what the run began with: begin anew with --restart")
        self._progress = EpochState(**state.figures["progress"])
        self.ends = [TrainingStep(**step) for step in state.figures["ends"]]
        self._optimiser.restore(checkpoint.of("optimiser", state.arrays))
        if best := state.figures.get("best"):
            self._best = (self.ends[best - 1], checkpoint.of("best", state.arrays))

    @cached_property
    def _fingerprint(self) -> str:
        """Of all that is learned from."""
        digest = hashlib.sha256(json.dumps(self.vocabulary.tables()).encode())
        for encoded in (self._train, *self._dev.values()):
            for array in encoded.arrays():
                digest.update(array.tobytes())
        for buffer in self.network.buffers():
            digest.update(buffer.cpu().numpy().tobytes())
        return digest.hexdigest()

    def _choose(self, random: np.random.Generator) -> np.ndarray:
        """The position of each sentence or of one of its variants, as often as an epoch meets it."""
        sentences = len(self._rates)
        times = np.floor(self._rates + random.random(sentences)).astype(np.int64)
        positions = np.repeat(np.arange(sentences), times)
        varied = random.random(len(positions)) < self.config.augment
        return positions + varied * random.integers(1, VARIANTS + 1, len(positions)) * sentences

    def _variants(self, sentences: Sequence[Sentence]) -> Iterator[Sentence]:
        """The first variant of each sentence, then the second of each, and so on."""
        others = np.random.default_rng(self.config.seed).permutation(len(sentences))
        found = [variants(sentence, sentences[other]) for sentence, other in zip(sentences, others, strict=True)]
        yield from chain.from_iterable(zip(*found, strict=True))

    @property
    def has_model(self) -> bool:
        """Whether an epoch has ended, so that there is a model to keep."""
        return self._best is not None

    def _accuracy(self, encoded: Encoded) -> float:
        correct = count = 0
        for tagset, column in encoded.gold.items():
            if all(gold is None for gold in column):
                continue
            for gold, best in zip(column, predict(self.network, encoded, tagset), strict=True):
                if gold is not None:
                    correct += int((gold == best).sum())
                    count += len(gold)
        return correct / count if count else 0.0

    def model(
        self,
        name: str,
        specs: Sequence[str] = (),
        tagsets: Sequence[str] = (),
        encoding: str = "utf-8",
        corpus_format: CorpusFormat = "auto",
    ) -> ModelBundle:
        """The best model so far.

        Args:
            name: what it will be called.
            specs, tagsets, encoding, corpus_format: what the corpora were loaded with, so that others
                can do the same.

        Raises:
            RnntagError: no epoch has ended yet.
        """
        if self._best is None:
            raise RnntagError("stopped before the first epoch ended: there is nothing to save")
        step, weights = self._best
        sizes = {c.name: {"train": len(c.train), "dev": len(c.dev), "test": len(c.test)} for c in self.corpora}
        provenance = Provenance(
            specs=tuple(specs),
            tagsets=tuple(tagsets),
            encoding=encoding,
            corpus_format=corpus_format,
            corpora=sizes,
            dev=dict(step.dev),
            epoch=step.epoch,
            minutes=round(step.seconds / 60, 1),
            created=datetime.now(timezone.utc).date().isoformat(),
            rnntag=__version__,
            torch=torch.__version__,
        )
        return ModelBundle(
            name,
            self.network.config,
            self.config,
            self.vocabulary,
            weights,
            provenance,
            history=learning_curve.write(self.ends),
        )
