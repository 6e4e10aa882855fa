"""A segmenter's network and its training."""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from rnntag.config import SegmenterConfig
from rnntag.corpora.raw_text import GoldParagraph, gold_paragraphs, is_spaced, spaced
from rnntag.errors import DataError
from rnntag.evaluation.segmentation import agreement
from rnntag.model.arrays import Ids
from rnntag.model.batching import IGNORED, length_buckets
from rnntag.model.learning_curve import Scale, TrainingStep
from rnntag.model.pretokens import LINE, RESERVED, SHAPES, SPACE, PretokenVocabulary, fallback_row
from rnntag.model.stored import StoredSegmenter
from rnntag.model.weights import SEGMENTER_TABLES, quantize
from rnntag.network.cells import RecurrentLayer, reversal
from rnntag.segmenter import INSIDE, SENTENCE, WORD, Segmenter
from rnntag.sentences import Corpus
from rnntag.training import checkpoint
from rnntag.training.checkpoint import State
from rnntag.training.optimizer import EpochState, ExplosionError, Optimiser

MIN_COUNT = 2
"""Rarer units share the rows of those like them."""
CLIP = 1.0
BATCH_UNITS = 2500
LEAST_BATCHES, LEAST_BATCH_UNITS = 50, 250
"""As in `training`: a small corpus is cut into so many batches, as long as they have so many units."""
EPOCH_UNITS = 15_000
"""Of an epoch, at least: a smaller corpus is met more than once."""
SHORTEST_CHUNK, LONGEST_CHUNK = 40, 200
LINES, SENTENCE_LINES, WRAPPED = 0.3, 0.1, 0.15
"""How often what follows a paragraph stands on the next line, each sentence on a line of its own, and
a paragraph in lines of some width, so that a network learns of each what it is."""

ROW, SHAPE, GAP, GOLD = range(4)
"""Columns of what a network learns from, a line for each unit: see `units.Scan`, and its class."""


class SegmenterNetwork(nn.Module):
    def __init__(self, config: SegmenterConfig, units: PretokenVocabulary) -> None:
        super().__init__()
        self.config = config
        self.units = nn.Embedding(units.rows, config.unit_dim)
        self.shapes = nn.Embedding(SHAPES, config.shape_dim)
        self.bigrams = nn.Embedding(max(units.bigrams, 1), config.bigram_dim)
        size = config.unit_dim + config.shape_dim + (2 * config.bigram_dim if units.bigrams else 0)
        self.layers = nn.ModuleList([RecurrentLayer("lstm", "tanh", size, config.hidden, bidirectional=True)])
        self.heads = nn.ModuleList([nn.Linear(2 * config.hidden, 3)])
        nn.init.normal_(self.units.weight, std=0.3)
        nn.init.normal_(self.shapes.weight, std=0.3)
        nn.init.normal_(self.bigrams.weight, std=0.1)

    def vectors(self, columns: Tensor) -> Tensor:
        """What stands for each unit, shape [batch, time, size]; see `forward`."""
        tables = (self.units, self.shapes, self.bigrams, self.bigrams)
        parts = [table(column) for table, column in zip(tables, columns.unbind(-1), strict=False)]
        return torch.cat(parts, dim=-1)

    def forward(self, columns: Tensor, lengths: Tensor) -> Tensor:
        """Scores of the classes of each unit, shape [batch, time, 3].

        Args:
            columns: see `Units.columns`, shape [batch, time, 2 or 4].
            lengths: shape [batch].
        """
        x = functional.dropout(self.vectors(columns), self.config.dropout, self.training)
        order = reversal(lengths, columns.shape[1])
        for layer in self.layers:
            x, _ = layer(x, order)
        x = functional.dropout(x, self.config.dropout, self.training)
        scores: Tensor = self.heads[0](x)
        return scores


def labelled(passage: GoldParagraph, units: PretokenVocabulary) -> tuple[Ids, Ids]:
    """The units of a passage and their classes, shape [units, 4], and where each begins, in characters."""
    scan = units.scan([passage.text])
    gold = np.full(len(scan.ends), INSIDE)
    word_ends = np.array([end for _, end in passage.words])
    for ends, label in ((word_ends, WORD), (word_ends[np.array(passage.ends) - 1], SENTENCE)):
        last = np.searchsorted(scan.ends, ends)
        gold[last[scan.ends[last] == ends]] = label
    return np.stack([scan.rows, scan.shapes, scan.gaps, gold], axis=1), scan.starts


class UnkDropout:
    """Takes units for unknown, the rarer the oftener, so that a network learns what to make of those."""

    def __init__(self, texts: Sequence[Ids], units: PretokenVocabulary) -> None:
        rows = np.concatenate([text[:, ROW] for text in texts])
        self._rates = 1 / (1.0 + np.bincount(rows, minlength=units.rows))
        self._rates[:RESERVED] = 0
        self._stand_ins = np.array([*range(RESERVED), *map(fallback_row, units.known)])

    def hide(self, rows: Ids, random: np.random.Generator) -> Ids:
        """The rows of a text, some of them replaced by those that like units share."""
        return np.where(random.random(len(rows)) < self._rates[rows], self._stand_ins[rows], rows)


def _chunks(corpus: Sequence[tuple[Ids, Ids]], random: np.random.Generator) -> Iterator[Ids]:
    """A corpus in pieces as one may meet them; see `LINES`."""
    parts: list[Ids] = []
    for table, starts in corpus:
        table = table.copy()
        if random.random() < WRAPPED:
            table[_line_begins(table[:, GAP], starts, int(random.integers(40, 100))), GAP] = LINE
        if random.random() < SENTENCE_LINES:
            table[1:][table[:-1, GOLD] == SENTENCE, GAP] = LINE
        begin = 0
        while begin < len(table):
            end = begin + int(random.integers(SHORTEST_CHUNK, LONGEST_CHUNK))
            parts.append(table[begin:end])
            if end < len(table) or random.random() >= LINES:
                yield np.concatenate(parts)
                parts = []
            begin = end
    if parts:
        yield np.concatenate(parts)


def _line_begins(gaps: Ids, starts: Ids, width: int) -> list[int]:
    """Which units begin a line where a text is cut at spaces into lines of about `width` characters."""
    found: list[int] = []
    begin = 0
    for unit in np.flatnonzero(gaps == SPACE).tolist():
        if starts[unit] - begin > width:
            found.append(unit)
            begin = starts[unit]
    return found


def _counted(parts: Iterable[Sequence[GoldParagraph]]) -> tuple[int, int]:
    """The sentences and the words of some passages."""
    passages = [passage for part in parts for passage in part]
    return sum(len(passage.ends) for passage in passages), sum(len(passage.words) for passage in passages)


class SegmenterTraining:
    """One run over one or more corpora; seeded, and repeatable on one machine.

    Attributes:
        segmenter: that of the last epoch that has ended; None before one has.
        scale: how much the run learns from, and how much there is to learn.

    Args:
        corpora: those that do not tell how their words stand in the text are left out.
        char_map: characters to read as others; see `Units`.

    Raises:
        DataError: none of them has a training part that tells it.
    """

    def __init__(
        self, corpora: Sequence[Corpus], config: SegmenterConfig, char_map: tuple[str, str] = ("", "")
    ) -> None:
        usable = spaced(corpora)
        parts = [gold_paragraphs(corpus.train, corpus.name) for corpus in usable]
        self._dev = {c.name: gold_paragraphs(c.dev, c.name) for c in usable if is_spaced(c.dev)}
        self.config = config
        texts = [(passage.text, passage.words) for part in parts for passage in part]
        self.units = PretokenVocabulary.build(texts, MIN_COUNT, config.bigrams, char_map)
        self.segmenter: StoredSegmenter | None = None
        self._parts = [[labelled(passage, self.units) for passage in part] for part in parts]
        self._hiding = UnkDropout([table for part in self._parts for table, _ in part], self.units)
        sizes = np.array([sum(len(table) for table, _ in part) for part in self._parts])
        rates = (sizes.max() / sizes) ** config.upsample
        self._rates = rates * max(1.0, EPOCH_UNITS / (rates * sizes).sum())
        batch = (self._rates * sizes).sum() / LEAST_BATCHES
        self._batch_units = int(min(BATCH_UNITS, max(batch, LEAST_BATCH_UNITS)))
        torch.manual_seed(config.seed)
        self._network = SegmenterNetwork(config, self.units)
        parameters = sum(parameter.numel() for parameter in self._network.parameters())
        self.scale = Scale(*_counted(parts), *_counted(self._dev.values()), {}, len(self.units.known), parameters)
        self._optimiser = Optimiser(self._network.parameters(), CLIP)
        self._random = np.random.default_rng(config.seed)
        self._progress = EpochState(self._random.bit_generator.state)

    def steps(self) -> Iterator[TrainingStep]:
        """Train over all epochs.

        The learning rate falls in a straight line to zero. What an epoch leaves behind are the
        averaged weights (see `Optimiser`). Its dev figures are the F1 of words and of sentences.

        Raises:
            ExplosionError: the gradient is no longer finite.
        """
        config, network, optimiser, now = self.config, self._network, self._optimiser, self._progress
        started = time.monotonic() - now.seconds
        random = self._random
        while now.epoch <= config.epochs:
            network.train()
            within = random.bit_generator.state
            random.bit_generator.state = now.shuffle
            pieces = self._pieces(random)
            batches = length_buckets(np.array(list(map(len, pieces))), self._batch_units, random)
            if now.batch:
                random.bit_generator.state = within
            for positions in batches[now.batch :]:
                done = (now.epoch - 1 + now.batch / len(batches)) / config.epochs
                columns, gold, lengths = self._batch([pieces[position] for position in positions], random)
                scores = network(columns, lengths)
                loss = functional.cross_entropy(scores.flatten(0, 1), gold.flatten(), ignore_index=IGNORED)
                norm = optimiser.step(loss, config.lr * (1 - done))
                if not math.isfinite(norm):
                    raise ExplosionError(f"the segmenter's gradients exploded in epoch {now.epoch}: try another --seed")
                now.add(loss.item(), 1, norm, clipped=norm > CLIP, tokens=int((gold > INSIDE).sum()))
                now.seconds = time.monotonic() - started
                if now.batch < len(batches):
                    yield now.step(config.epochs, len(batches))
            names = [name for name, _ in network.named_parameters()]
            average = dict(zip(names, [weight.numpy() for weight in optimiser.average], strict=True))
            self.segmenter = self._made(quantize(average, SEGMENTER_TABLES))
            dev = self._measured(self.segmenter)
            self.segmenter = replace(self.segmenter, dev=dev)
            step = replace(
                now.step(config.epochs, len(batches), ends=True),
                dev={f"{name} {kind}": f1 for name, kinds in dev.items() for kind, f1 in kinds.items()},
            )
            now.begin_epoch(random.bit_generator.state)
            yield step

    def state(self) -> State:
        """Where the run is, at a `Step` or before the first."""
        figures: dict[str, Any] = {
            "corpora": self._fingerprint,
            "progress": asdict(self._progress),
            "random": self._random.bit_generator.state,
        }
        arrays = checkpoint.within("optimiser", self._optimiser.state())
        if self.segmenter:
            figures["dev"] = self.segmenter.dev
            arrays |= checkpoint.within("made", self.segmenter.weights)
        return State(figures, arrays)

    def restore(self, state: State) -> None:
        """Go on, with `steps`, from where another run with the same settings was; see `training.Training.restore`.

        Raises:
            DataError: that run had other sentences.
        """
        if state.figures["corpora"] != self._fingerprint:
            raise DataError("the corpora are not what the run began with: begin anew with --restart")
        self._progress = EpochState(**state.figures["progress"])
        self._random.bit_generator.state = state.figures["random"]
        self._optimiser.restore(checkpoint.of("optimiser", state.arrays))
        if "dev" in state.figures:
            made = self._made(checkpoint.of("made", state.arrays))
            self.segmenter = replace(made, dev=state.figures["dev"])

    @cached_property
    def _fingerprint(self) -> str:
        """Of all that is learned from."""
        digest = hashlib.sha256(json.dumps(self.units.tables()).encode())
        for part in self._parts:
            for arrays in part:
                for array in arrays:
                    digest.update(array.tobytes())
        digest.update(repr(self._dev).encode("utf-8", "surrogatepass"))
        return digest.hexdigest()

    def _pieces(self, random: np.random.Generator) -> list[Ids]:
        pieces: list[Ids] = []
        for part, rate in zip(self._parts, self._rates, strict=True):
            for _ in range(int(rate + random.random())):
                pieces += _chunks(part, random)
        return pieces

    def _batch(self, pieces: Sequence[Ids], random: np.random.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Columns [batch, time, 2 or 4], classes [batch, time] and lengths [batch]."""
        lengths = np.array(list(map(len, pieces)))
        columns = np.zeros((len(pieces), lengths.max(), 4 if self.units.bigrams else 2), dtype=np.int64)
        gold = np.full(columns.shape[:2], IGNORED)
        for place, piece in enumerate(pieces):
            rows = self._hiding.hide(piece[:, ROW], random)
            columns[place, : len(piece)] = self.units.columns(rows, piece[:, SHAPE], piece[:, GAP])
            gold[place, : len(piece)] = piece[:, GOLD]
        return torch.from_numpy(columns), torch.from_numpy(gold), torch.from_numpy(lengths)

    def _made(self, weights: Mapping[str, np.ndarray]) -> StoredSegmenter:
        return StoredSegmenter(self.config, self.units, weights)

    def _measured(self, made: StoredSegmenter) -> dict[str, dict[str, float]]:
        """By corpus, F1 of words and of sentences on its dev part."""
        finder = Segmenter(made)
        figures = {name: agreement(part, finder.find([p.text for p in part])) for name, part in self._dev.items()}
        return {name: {kind: round(found.f1, 4) for kind, found in one.items()} for name, one in figures.items()}
