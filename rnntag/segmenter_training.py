"""A segmenter's network and its training."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from rnntag import onnx_graph
from rnntag.cells import RecurrentLayer, reversal
from rnntag.characters import RESERVED, Characters, class_rows
from rnntag.optimisation import Optimiser
from rnntag.running_text import Passage, is_spaced, passages
from rnntag.schema import Corpus, RnntagError, SegmenterConfig, Step
from rnntag.segmentation import agreement
from rnntag.segmenter import INSIDE, SENTENCE, WORD, Segmenter
from rnntag.store import CHARACTER_TABLE, PAIR_TABLE, StoredSegmenter, compact
from rnntag.vocabulary import IGNORED, Ids, by_length

MIN_COUNT = 2
"""Rarer characters share the rows of their classes."""
CLIP = 1.0
BATCH_CHARACTERS = 6400
LEAST_BATCHES, LEAST_BATCH_CHARACTERS = 50, 600
"""As in `training`: a small corpus is cut into so many batches, as long as they have so many characters."""
EPOCH_CHARACTERS = 40_000
"""Of an epoch, at least: a smaller corpus is met more than once."""
SHORTEST_CHUNK, LONGEST_CHUNK = 150, 500
LINES, SENTENCE_LINES, WRAPPED = 0.3, 0.1, 0.15
"""How often what follows a paragraph stands on the next line, each sentence on a line of its own, and
a paragraph in lines of some width, so that a network learns of each what it is."""


class SegmenterNetwork(nn.Module):
    def __init__(self, config: SegmenterConfig, characters: Characters) -> None:
        super().__init__()
        self.config = config
        self.chars = nn.Embedding(characters.rows, config.char_dim)
        self.pairs = nn.Embedding(max(characters.bigrams, 1), config.bigram_dim)
        size = config.char_dim + (2 * config.bigram_dim if characters.bigrams else 0)
        self.layers = nn.ModuleList([RecurrentLayer("lstm", "tanh", size, config.hidden, bidirectional=True)])
        self.heads = nn.ModuleList([nn.Linear(2 * config.hidden, 3)])
        nn.init.normal_(self.chars.weight, std=0.3)
        nn.init.normal_(self.pairs.weight, std=0.1)

    def vectors(self, ids: Tensor) -> Tensor:
        """What stands for each character, shape [batch, time, size]; see `forward`."""
        return torch.cat([self.chars(ids[..., 0]), *(self.pairs(ids[..., i]) for i in range(1, ids.shape[-1]))], dim=-1)

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """Scores of the classes of each character, shape [batch, time, 3].

        Args:
            ids: see `Characters.encode`, shape [batch, time, 1 or 3].
            lengths: shape [batch].
        """
        x = functional.dropout(self.vectors(ids), self.config.dropout, self.training)
        order = reversal(lengths, ids.shape[1])
        for layer in self.layers:
            x, _ = layer(x, order)
        x = functional.dropout(x, self.config.dropout, self.training)
        scores: Tensor = self.heads[0](x)
        return scores


@dataclass(frozen=True, slots=True)
class Labelled:
    """Rows of characters, without pairs, and their classes; and where sentences end, in characters."""

    rows: Ids
    gold: Ids
    ends: Ids


def labelled(passage: Passage, characters: Characters) -> Labelled:
    text = passage.text.rstrip()
    gold = np.full(len(text), INSIDE)
    gold[[position for position, character in enumerate(text) if character.isspace()]] = IGNORED
    gold[[end - 1 for _, end in passage.words]] = WORD
    ends = np.array([passage.words[count - 1][1] for count in passage.ends])
    gold[ends - 1] = SENTENCE
    return Labelled(characters.encode(text)[:, 0], gold, ends)


class Hiding:
    """Takes characters for unknown, the rarer the oftener, so that a network learns what to make of those."""

    def __init__(self, texts: Sequence[Labelled], characters: Characters) -> None:
        rows = np.concatenate([one.rows for one in texts])
        self._rates = 1 / (1.0 + np.bincount(rows, minlength=characters.rows))
        self._rates[:RESERVED] = 0
        self._stand_ins = np.array(class_rows(characters.known))

    def hide(self, rows: Ids, random: np.random.Generator) -> Ids:
        """The rows of a text, those of some characters replaced by the rows of their classes."""
        return np.where(random.random(len(rows)) < self._rates[rows], self._stand_ins[rows], rows)


def _chunks(
    corpus: Sequence[Labelled], space: int, newline: int, random: np.random.Generator
) -> Iterator[tuple[Ids, Ids]]:
    """A corpus in pieces as one may meet them, rows and classes; see `LINES`."""
    rows: list[Ids] = []
    gold: list[Ids] = []
    for one in corpus:
        line = one.rows
        if random.random() < WRAPPED:
            line = _wrapped(line, space, newline, int(random.integers(40, 100)))
        classes = one.gold
        if random.random() < SENTENCE_LINES:
            line, classes = _sentence_lines(line, classes, one.ends, newline)
        begin = 0
        while begin < len(line):
            end = begin + int(random.integers(SHORTEST_CHUNK, LONGEST_CHUNK))
            rows.append(line[begin:end])
            gold.append(classes[begin:end])
            if end < len(line) or random.random() >= LINES:
                yield np.concatenate(rows), np.concatenate(gold)
                rows, gold = [], []
            else:
                rows.append(np.array([newline]))
                gold.append(np.array([IGNORED]))
            begin = end
    if rows:
        yield np.concatenate(rows), np.concatenate(gold)


def _wrapped(rows: Ids, space: int, newline: int, width: int) -> Ids:
    rows = rows.copy()
    begin = 0
    spaces = np.flatnonzero(rows == space)
    for before, after in itertools.pairwise([*spaces.tolist(), len(rows)]):
        if after - begin > width:
            rows[before] = newline
            begin = before + 1
    return rows


def _sentence_lines(rows: Ids, gold: Ids, ends: Ids, newline: int) -> tuple[Ids, Ids]:
    inner = ends[ends < len(rows)]
    spaced = gold[inner] == IGNORED
    rows = rows.copy()
    rows[inner[spaced]] = newline
    bare = inner[~spaced]
    return np.insert(rows, bare, newline), np.insert(gold, bare, IGNORED)


class SegmenterTraining:
    """One run over one or more corpora; seeded, and repeatable on one machine.

    Attributes:
        segmenter: that of the last epoch that has ended; None before one has.

    Args:
        corpora: those that do not tell how their words stand in the text are left out.
        folds: characters to read as others; see `Characters`.

    Raises:
        DataError: none of them has a training part that tells it.
    """

    def __init__(self, corpora: Sequence[Corpus], config: SegmenterConfig, folds: tuple[str, str] = ("", "")) -> None:
        usable = [corpus for corpus in corpora if is_spaced(corpus.train)]
        names = ", ".join(corpus.name for corpus in corpora)
        parts = [passages(corpus.train, corpus.name) for corpus in usable] or [passages((), names)]
        self._dev = {c.name: passages(c.dev, c.name) for c in usable if is_spaced(c.dev)}
        texts = [passage.text for part in parts for passage in part]
        self.config = config
        self.characters = Characters.build(texts, MIN_COUNT, config.bigrams, folds)
        self.segmenter: StoredSegmenter | None = None
        self._parts = [[labelled(passage, self.characters) for passage in part] for part in parts]
        self._hiding = Hiding([one for part in self._parts for one in part], self.characters)
        sizes = np.array([sum(len(one.rows) for one in part) for part in self._parts])
        rates = (sizes.max() / sizes) ** config.balance
        self._rates = rates * max(1.0, EPOCH_CHARACTERS / (rates * sizes).sum())
        batch = (self._rates * sizes).sum() / LEAST_BATCHES
        self._batch_characters = int(min(BATCH_CHARACTERS, max(batch, LEAST_BATCH_CHARACTERS)))
        torch.manual_seed(config.seed)
        self._network = SegmenterNetwork(config, self.characters)

    def steps(self) -> Iterator[Step]:
        """Train over all epochs.

        The learning rate falls in a straight line to zero. What an epoch leaves behind are the
        averaged weights (see `Optimiser`). Its dev figures are the F1 of words and of sentences.

        Raises:
            RnntagError: the gradient is no longer finite.
        """
        config, network = self.config, self._network
        random = np.random.default_rng(config.seed)
        started = time.monotonic()
        optimiser = Optimiser(network.parameters(), CLIP)
        tokens = 0
        for epoch in range(1, config.epochs + 1):
            network.train()
            pieces = self._pieces(random)
            batches = by_length(np.array([len(rows) for rows, _ in pieces]), self._batch_characters, random)
            loss_sum = norm_sum = clipped = 0.0
            for number, positions in enumerate(batches, 1):
                done = (epoch - 1 + (number - 1) / len(batches)) / config.epochs
                ids, gold, lengths = self._batch([pieces[position] for position in positions], random)
                scores = network(ids, lengths)
                loss = functional.cross_entropy(scores.flatten(0, 1), gold.flatten(), ignore_index=IGNORED)
                norm = optimiser.step(loss, config.lr * (1 - done))
                if not math.isfinite(norm):
                    raise RnntagError(f"the segmenter's gradients exploded in epoch {epoch}: try another --seed")
                loss_sum += loss.item()
                norm_sum += norm
                clipped += norm > CLIP
                tokens += int((gold > INSIDE).sum())
                seconds = time.monotonic() - started
                figures = (loss_sum / number, norm_sum / number, clipped / number, tokens, seconds)
                if number < len(batches):
                    yield Step(epoch, config.epochs, number, len(batches), *figures)
            dev = self._finish_epoch([weight.numpy() for weight in optimiser.average])
            yield Step(epoch, config.epochs, len(batches), len(batches), *figures, dev=dev)

    def _pieces(self, random: np.random.Generator) -> list[tuple[Ids, Ids]]:
        space, newline = self.characters.encode(" \n")[:, 0].tolist()
        pieces: list[tuple[Ids, Ids]] = []
        for part, rate in zip(self._parts, self._rates, strict=True):
            for _ in range(int(rate + random.random())):
                pieces += _chunks(part, space, newline, random)
        return pieces

    def _batch(self, pieces: Sequence[tuple[Ids, Ids]], random: np.random.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Rows [batch, time, 1 or 3], classes [batch, time] and lengths [batch]."""
        lengths = np.array([len(rows) for rows, _ in pieces])
        ids = np.zeros((len(pieces), lengths.max(), 3 if self.characters.bigrams else 1), dtype=np.int64)
        gold = np.full(ids.shape[:2], IGNORED)
        for place, (rows, classes) in enumerate(pieces):
            ids[place, : len(rows)] = self.characters.with_pairs(self._hiding.hide(rows, random))
            gold[place, : len(rows)] = classes
        return torch.from_numpy(ids), torch.from_numpy(gold), torch.from_numpy(lengths)

    def _finish_epoch(self, average: Sequence[npt.NDArray[np.float32]]) -> dict[str, float]:
        names = [name for name, _ in self._network.named_parameters()]
        weights = compact(dict(zip(names, average, strict=True)), (CHARACTER_TABLE, PAIR_TABLE))
        made = StoredSegmenter(self.config, self.characters, weights)
        made = replace(made, graph=onnx_graph.segmenter(made))
        finder = Segmenter(made)
        figures = {name: agreement(part, finder.find([p.text for p in part])) for name, part in self._dev.items()}
        dev = {name: {kind: round(found.f1, 4) for kind, found in one.items()} for name, one in figures.items()}
        self.segmenter = replace(made, dev=dev)
        return {f"{name} {kind}": f1 for name, kinds in dev.items() for kind, f1 in kinds.items()}
