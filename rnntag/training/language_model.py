"""A language model as a task of the trainer: its text, its windows, its loss and its perplexity.

With `bptt`, the text is one stream of words and sentence ends. It is cut into as many parts as a batch has rows, and
read some words at a time; the hidden state carries over to the next words, gradients stop (truncated back-propagation
through time: Williams and Peng 1990). Without it, each sentence is read by itself.
"""

from __future__ import annotations

import hashlib
import json
import math
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import cached_property
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from rnntag.config import ModelConfig, PretrainConfig
from rnntag.errors import LOWER, DataError, Remedy
from rnntag.model import learning_curve
from rnntag.model.arrays import Ids
from rnntag.model.batching import length_buckets
from rnntag.model.language_model import SENTENCE_END, StoredLanguageModel, TextProvenance, unread_cost
from rnntag.model.learning_curve import Scale
from rnntag.model.vocabulary import PAD, RESERVED, UNKNOWN, Vocabulary
from rnntag.model.weights import WORD_TABLE
from rnntag.network.cells import State
from rnntag.network.language_model import LanguageNetwork, Window
from rnntag.training import simplification
from rnntag.training.tagger import LEAST_BATCH_TOKENS, LEAST_BATCHES, choose_device
from rnntag.training.trainer import Loss, Schedule, Task, Trainer
from rnntag.version import __version__


class Numbered:
    """Words as numbers, in the order in which they are met; the first is `SENTENCE_END`."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {SENTENCE_END: 0}

    def text(self, sentences: Iterable[Sequence[str]]) -> Ids:
        """A text as one stream, with the end of each sentence, shape [tokens + sentences]."""
        stream = array("i")
        numbers = self._numbers
        for sentence in sentences:
            if sentence:
                stream.extend([numbers.setdefault(token, len(numbers)) for token in sentence])
                stream.append(0)
        return np.array(stream, dtype=np.int32)

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(self._numbers)


@dataclass(frozen=True, slots=True)
class Text:
    """A text to learn from, and one to measure on.

    Attributes:
        words: all distinct ones, the first of them `SENTENCE_END`.
        train, dev: numbers of words, shape [tokens + sentences].
    """

    words: tuple[str, ...]
    train: Ids
    dev: Ids

    def dev_sentences(self) -> Iterator[list[str]]:
        begin = 0
        for end in np.flatnonzero(self.dev == 0).tolist():
            yield [self.words[number] for number in self.dev[begin:end].tolist()]
            begin = end + 1


def vocabulary_of(text: Text, config: PretrainConfig) -> Vocabulary:
    """The words and characters with rows, by their frequency in the training text."""
    vocabulary = Vocabulary((), 0, (), {}, simplification.table() if config.simplify_chinese else ("", ""))
    times = np.bincount(text.train, minlength=len(text.words)).tolist()
    counts: Counter[str] = Counter()
    characters: Counter[str] = Counter()
    for word, count in zip(text.words[1:], times[1:], strict=True):
        if count:
            form = vocabulary.normal_form(word)
            counts[form] += count
            characters.update(dict.fromkeys(form, count))
    ranked = sorted(counts, key=lambda word: (-counts[word], word))[: config.words]
    words = tuple(word for word in ranked if counts[word] >= config.min_count)
    known = tuple(sorted(c for c, count in characters.items() if count >= config.min_count))
    return Vocabulary((SENTENCE_END, *words), 1 + len(words), known, {}, vocabulary.char_map)


class LanguageTask(Task[list[int]]):
    """Training a language model; see `trainer.Task`.

    Raises:
        DataError: there is no text to learn from, or none to measure on.
        UsageError: the device does not exist.
        NotFoundError: OpenCC is not installed.
    """

    network: LanguageNetwork
    tables = (WORD_TABLE,)
    remedy: ClassVar[Remedy] = {"lr": LOWER, "max_grad_norm": LOWER}

    def __init__(self, text: Text, model: ModelConfig, config: PretrainConfig) -> None:
        for part, what in ((text.train, "to learn from"), (text.dev, "to measure on")):
            if not len(part):
                raise DataError(f"there is no text {what}")
        torch.manual_seed(config.seed)
        self.config = config
        self.text = text
        self.vocabulary = vocabulary_of(text, config)
        forms = [*map(self.vocabulary.normal_form, text.words)]
        self._words = self.vocabulary.encode_words(forms)
        self._unread = np.array([unread_cost(form, self.vocabulary) for form in forms], dtype=np.float32)
        self._words.ids[0] = RESERVED
        counts = np.bincount(self._words.ids[text.train], minlength=self.vocabulary.word_rows)
        self.network = LanguageNetwork(model, config, self.vocabulary, counts)
        self.network.to(choose_device(config.device))
        self._states: dict[int, list[State]] = {}  # by direction: 0 forward, 1 backward
        # Where each sentence begins, and where the last one ends.
        self._ends, self._dev_ends = (np.append(0, np.flatnonzero(part == 0) + 1) for part in (text.train, text.dev))
        sentences, dev_sentences = len(self._ends) - 1, len(self._dev_ends) - 1
        self.scale = Scale(
            sentences,
            len(text.train) - sentences,
            dev_sentences,
            len(text.dev) - dev_sentences,
            {},
            self.vocabulary.n_embedded - 1,
            sum(parameter.numel() for parameter in self.network.parameters()),
            "perplexity",
        )
        self.seed = config.seed
        self.schedule = Schedule(config.epochs, config.lr, config.max_grad_norm, config.epochs, config.max_minutes)

    def batches(self, random: np.random.Generator) -> list[list[int]]:
        """Without `bptt`, the numbers of sentences; with it, where a window begins in all parts of the stream."""
        if not self.config.bptt:
            return length_buckets(np.diff(self._ends), self.config.batch_tokens, random)
        # Each epoch cuts the stream elsewhere.
        stream = np.roll(self.text.train, -int(random.integers(len(self.text.train))))
        self._running = [self._parts(stream), *([self._parts(stream[::-1])] if self.network.reverse else [])]
        return [[begin] for begin in self._begins(self._running[0])]

    def loss(self, batch: list[int], random: np.random.Generator, remaining: float) -> Loss:
        by_direction = self._next(batch[0]) if self.config.bptt else self._losses(self.text.train, self._ends, batch)
        losses = [*by_direction]
        total, words = sum(own.sum() for own in losses), sum(len(own) for own in losses)
        assert isinstance(total, Tensor)
        return Loss(total / words, words, words // len(losses))

    def _next(self, begin: int) -> Iterator[Tensor]:
        """The losses of a window in each direction, whose states are those after the window before."""
        for backward, parts in enumerate(self._running):
            before = self._states[backward] if begin else None
            losses, after = self.network.losses(self._cut(parts, begin), before, backward=bool(backward))
            self._states[backward] = [tuple(part.detach() for part in state) for state in after]
            yield losses

    def _parts(self, stream: Ids) -> tuple[Ids, Ids]:
        """The words to read and those to predict, each of shape [parts, time]: as many parts as a batch has room
        for."""
        size = min(self.config.batch_tokens, max(len(stream) // LEAST_BATCHES, LEAST_BATCH_TOKENS))
        count = max(1, min(size // self.config.bptt, len(stream)))
        targets = stream[: len(stream) // count * count].reshape(count, -1)
        before = np.append(0, targets[:-1, -1])  # the word before each part
        return np.column_stack([before, targets[:, :-1]]), targets

    def _begins(self, parts: tuple[Ids, Ids]) -> range:
        """Where each window begins."""
        return range(0, parts[0].shape[1], self.config.bptt)

    def _cut(self, parts: tuple[Ids, Ids], begin: int) -> Window:
        read, targets = (part[:, begin : begin + self.config.bptt] for part in parts)
        return self._window(read, targets)

    def _losses(self, stream: Ids, ends: Ids, sentences: Sequence[int]) -> Iterator[Tensor]:
        """The losses of sentences by themselves, in each direction."""
        lengths = np.diff(ends)[[*sentences]]
        inside = np.arange(lengths.max()) < lengths[:, None]
        parts = [stream[ends[number] : ends[number + 1]] for number in sentences]
        for backward in (False, True)[: 1 + self.network.config.bidirectional]:
            rows = [np.append(part[-2::-1], 0) for part in parts] if backward else parts
            targets = np.full(inside.shape, -1, dtype=np.int64)
            targets[inside] = np.concatenate(rows)
            read = np.column_stack([np.zeros(len(rows), dtype=np.int64), targets.clip(min=0)[:, :-1]])
            losses, _ = self.network.losses(self._window(read, targets), backward=backward)
            yield losses

    def _window(self, read: Ids, targets: Ids) -> Window:
        """See `Window`; a target of -1 is none."""
        numbers, places = np.unique(read, return_inverse=True)
        rows = np.where(targets < 0, PAD, self._words.ids[targets])
        unknown = targets[rows == UNKNOWN]
        spelled = self._words.take(unknown), self._unread[unknown]
        return Window(self._words.take(numbers), places.reshape(read.shape), rows, *spelled)

    @torch.inference_mode()
    def evaluate(self) -> tuple[Mapping[str, float], float]:
        """The reciprocal of the perplexity of the dev text per word, each sentence by itself as in `score`."""
        self.network.eval()
        nats, words = 0.0, 0
        for group in length_buckets(np.diff(self._dev_ends), self.config.batch_tokens):
            losses = next(self._losses(self.text.dev, self._dev_ends, group))
            nats, words = nats + losses.double().sum().item(), words + len(losses)
        chance = math.exp(-nats / words)
        return {"perplexity": chance}, chance

    def weights(self) -> dict[str, np.ndarray]:
        return self.network.weights()

    @cached_property
    def fingerprint(self) -> str:
        """A digest of the training and dev text."""
        digest = hashlib.sha256(json.dumps([self.text.words, self.vocabulary.tables()]).encode("utf-8", "replace"))
        for part in (self.text.train, self.text.dev):
            digest.update(part.tobytes())
        return digest.hexdigest()

    def state(self) -> dict[str, np.ndarray]:
        return {
            f"{backward}.{layer}.{part}": tensor.cpu().numpy()
            for backward, states in self._states.items()
            for layer, state in enumerate(states)
            for part, tensor in enumerate(state)
        }

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        device = self.network.device
        found: dict[int, dict[int, dict[int, Tensor]]] = {}
        for name, values in arrays.items():
            backward, layer, part = map(int, name.split("."))
            found.setdefault(backward, {}).setdefault(layer, {})[part] = torch.from_numpy(values).to(device)
        self._states = {
            backward: [tuple(parts[part] for part in sorted(parts)) for _, parts in sorted(layers.items())]
            for backward, layers in found.items()
        }


def bundle(trainer: Trainer[LanguageTask], name: str) -> StoredLanguageModel:
    """The best model so far, without a segmenter and without figures of its dev text.

    Args:
        name: of the model.

    Raises:
        RnntagError: no epoch has ended yet.
    """
    task, (step, weights) = trainer.task, trainer.result()
    provenance = TextProvenance(
        sentences=task.scale.sentences,
        tokens=task.scale.tokens,
        epoch=step.epoch,
        minutes=round(step.seconds / 60, 1),
        created=datetime.now(timezone.utc).date().isoformat(),
        rnntag=__version__,
        torch=torch.__version__,
    )
    history = learning_curve.write(trainer.ends)
    config, vocabulary = task.network.config, task.vocabulary
    return StoredLanguageModel(name, config, task.config, vocabulary, weights, provenance, history=history)
