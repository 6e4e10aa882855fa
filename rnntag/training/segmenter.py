"""A segmenter as a task of the trainer: gold paragraphs as pretokens with classes, cut into pieces."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from random import Random
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from rnntag.config import SegmenterConfig
from rnntag.corpora import loading
from rnntag.corpora.raw_text import GoldParagraph, gold_paragraph, gold_paragraphs, is_spaced, paragraphs, spaced
from rnntag.errors import ANOTHER, Remedy
from rnntag.evaluation.segmentation import agreement, token_agreement
from rnntag.model import extension, multiword
from rnntag.model.arrays import Ids
from rnntag.model.batching import IGNORED, length_buckets
from rnntag.model.characters import are_letters
from rnntag.model.learning_curve import Scale
from rnntag.model.multiword import Expansions
from rnntag.model.pretokens import LINE, SHARED_ROWS, SPACE, PretokenVocabulary, fallback_row
from rnntag.model.rules import INSIDE, SENTENCE, WORD
from rnntag.model.stored import StoredSegmenter
from rnntag.model.weights import SEGMENTER_TABLES, quantize
from rnntag.network.segmenter import SegmenterNetwork
from rnntag.network.tagger import load
from rnntag.segmenter import Segmenter
from rnntag.sentences import Corpus, Span
from rnntag.training import word_vectors
from rnntag.training.inheritance import KEPT_SHARE, Start
from rnntag.training.trainer import Loss, Schedule, Task, Trainer
from rnntag.training.variation import joined, variants

MIN_COUNT = 2
"""Rarer pretokens share the rows of similar ones."""
CLIP = 1.0
BATCH_UNITS = 2500
LEAST_BATCHES, LEAST_BATCH_UNITS = 50, 250
"""A small corpus is cut into at least so many batches, unless they would have fewer pretokens than this."""
HIDDEN_LETTERS = 10.0
"""A run of letters that occurs so often is hidden half of the time."""
EPOCH_UNITS = 15_000
"""Of an epoch, at least: a smaller corpus is repeated."""
SHORTEST_CHUNK, LONGEST_CHUNK = 40, 200
LINES, SENTENCE_LINES, WRAPPED = 0.3, 0.1, 0.15
"""How often the next paragraph begins on the next line, each sentence is a line, and a paragraph is wrapped: a network
must learn what each of them looks like."""

ROW, SHAPE, GAP, GOLD, LANGUAGE, KEPT = range(6)
"""Columns of the training data, with a row for each pretoken: see `model.pretokens`. GOLD is the class of the boundary.
LANGUAGE is, at the last pretoken of a token, that of a multiword token, or 0. KEPT, only in the pieces of a run that
keeps what a model knows, is 1 in text of the starter corpus, where the model's probabilities replace the classes."""


def labelled(paragraph: GoldParagraph, units: PretokenVocabulary, language: int | None = None) -> tuple[Ids, Ids]:
    """The pretokens of a paragraph with their classes, shape [pretokens, 5], and where each begins, in characters.

    Args:
        language: of its multiword tokens, from 1. None: to find words, not tokens, without LANGUAGE.
    """
    scan = units.scan([paragraph.text])
    words = [end for _, end in paragraph.words]
    gold = np.full(len(scan.ends), INSIDE)

    def label(labels: Ids, ends: Sequence[int], own: int) -> None:
        last = np.searchsorted(scan.ends, ends)
        labels[last[scan.ends[last] == ends]] = own

    label(gold, words if language is None else [end for _, end in paragraph.segmentation.tokens], WORD)
    label(gold, [words[end - 1] for end in paragraph.ends], SENTENCE)
    languages = np.where(gold > INSIDE, 0, IGNORED) if language is not None else np.full_like(gold, IGNORED)
    if language is not None and paragraph.multiwords:
        label(languages, [words[each.end - 1] for each in paragraph.multiwords], language)
    return np.stack([scan.rows, scan.shapes, scan.gaps, gold, languages], axis=1), scan.starts


def _expansions(
    corpora: Sequence[Corpus], parts: Sequence[Sequence[GoldParagraph]], old: StoredSegmenter | None, keep: bool
) -> dict[str, Expansions]:
    """By language, what multiword tokens become in the corpora. A segmenter that finds words, and is to `keep` what it
    knows, goes on doing so."""
    if keep and old and not old.expansions:
        return {}
    before = dict(old.expansions) if old else {}
    tokens: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
    for corpus, part in zip(corpora, parts, strict=True):
        own = [(each.token, each.words) for paragraph in part for each in paragraph.multiwords]
        if own:
            tokens.setdefault(loading.language(corpus.name), []).extend(own)
    newer = {name: Expansions.learned(own, before.get(name)) for name, own in sorted(tokens.items())}
    return {**before, **newer}


def _pretrained(config: SegmenterConfig, units: PretokenVocabulary) -> tuple[Ids, np.ndarray]:
    """The rows of units with a pretrained vector, shape [units], and the vectors, shape [units, components].

    Raises:
        DataError, NotFoundError, AccessError: see `word_vectors.read`.
    """
    files = [word_vectors.read(Path(name), str, units.known, 0) for name in config.vectors]
    found, vectors = word_vectors.principal(files, units.known, config.unit_dim)
    return SHARED_ROWS + found, vectors


class UnkDropout:
    """Makes pretokens unknown at random, rare ones more often, so that a network learns to handle unknown ones.

    Runs of letters are hidden more often than characters: otherwise it learns by heart which words end the sentences
    of its corpora.

    Args:
        learned: the first rows of the table, so many, are never hidden.
    """

    def __init__(self, texts: Sequence[Ids], units: PretokenVocabulary, learned: int = SHARED_ROWS) -> None:
        rows = np.concatenate([text[:, ROW] for text in texts])
        often = np.ones(units.rows)
        often[SHARED_ROWS:][are_letters(units.known)] = HIDDEN_LETTERS
        self._rates = often / (often + np.bincount(rows, minlength=units.rows))
        self._rates[:learned] = 0
        self._fallback_rows = np.array([*range(SHARED_ROWS), *map(fallback_row, units.known)])

    def hide(self, rows: Ids, random: np.random.Generator) -> Ids:
        """The rows of a text, some of them replaced by rows that similar pretokens share."""
        return np.where(random.random(len(rows)) < self._rates[rows], self._fallback_rows[rows], rows)


def _chunks(corpus: Sequence[tuple[Ids, Ids]], random: np.random.Generator) -> Iterator[Ids]:
    """A corpus in pieces with various line breaks; see `LINES`."""
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
    """The pretokens that begin a line when a text is wrapped at spaces to about `width` characters."""
    first: list[int] = []
    begin = 0
    for unit in np.flatnonzero(gaps == SPACE).tolist():
        if starts[unit] - begin > width:
            first.append(unit)
            begin = starts[unit]
    return first


def _counted(parts: Iterable[Sequence[GoldParagraph]]) -> tuple[int, int]:
    """The number of sentences and of words of some paragraphs."""
    paragraphs = [paragraph for part in parts for paragraph in part]
    return sum(len(paragraph.ends) for paragraph in paragraphs), sum(len(paragraph.words) for paragraph in paragraphs)


def _kept_text(corpus: Corpus, random: Random) -> list[GoldParagraph]:
    """The text of the starter corpus, also with other numbers, names and signs, and with signs between words, which it
    has too rarely: `SegmenterTask` keeps what a model makes of them, whatever the gold words are."""
    own = [*gold_paragraphs(corpus.train, corpus.name)]
    own += map(gold_paragraph, variants(paragraphs(corpus.train), 1.0, random))
    return [*own, *(replace(each, text=joined(each.text, random)) for each in own)]


class SegmenterTask(Task[list[Ids]]):
    """Training a segmenter on one or more corpora; see `trainer.Task`.

    Args:
        corpora: those without the text between their words are left out.
        char_map: characters to read as others; see `PretokenVocabulary`.
        start: what to start from; its model has a segmenter.

    Raises:
        DataError: no train split has the text between its words, or a file of vectors is malformed.
        NotFoundError, AccessError: a file of vectors does not exist or cannot be read.
    """

    network: SegmenterNetwork
    tables = SEGMENTER_TABLES
    remedy: ClassVar[Remedy] = {"seed": ANOTHER}

    def __init__(
        self,
        corpora: Sequence[Corpus],
        config: SegmenterConfig,
        char_map: tuple[str, str] = ("", ""),
        start: Start | None = None,
    ) -> None:
        usable, kept = spaced(corpora), start.kept if start else ()
        old = start.model.segmenter if start else None
        parts = [gold_paragraphs(corpus.train, corpus.name) for corpus in usable]
        self._dev = {c.name: gold_paragraphs(c.dev, c.name) for c in (*usable, *kept) if is_spaced(c.dev)}
        self.config = config
        size = _counted(parts)
        random = Random(config.seed)
        if config.augment:
            for corpus, part in zip(usable, parts, strict=True):
                part += map(gold_paragraph, variants(paragraphs(corpus.train), config.augment, random))
        self.expansions = _expansions(usable, parts, old, config.keep)
        texts = [(paragraph.text, self._spans(paragraph)) for part in parts for paragraph in part]
        self.units = PretokenVocabulary.build(texts, MIN_COUNT, config.bigrams, char_map, old.units if old else None)
        self._parts = [self._labelled(corpus, part) for corpus, part in zip(usable, parts, strict=True)]
        self._kept = [each for corpus in kept for each in self._labelled(corpus, _kept_text(corpus, random))]
        tables = [table for part in self._parts for table, _ in part]
        self._hiding = UnkDropout(tables, self.units, old.units.rows if old else SHARED_ROWS)
        sizes = np.array([sum(len(table) for table, _ in part) for part in self._parts])
        rates = (sizes.max() / sizes) ** config.upsample
        self._rates = rates * max(1.0, EPOCH_UNITS / (rates * sizes).sum())
        per_epoch = (self._rates * sizes).sum()
        self._kept_rate = KEPT_SHARE * per_epoch / max(sum(len(table) for table, _ in self._kept), 1)
        batch = per_epoch * (1 + KEPT_SHARE * bool(self._kept)) / LEAST_BATCHES
        self._batch_units = int(min(BATCH_UNITS, max(batch, LEAST_BATCH_UNITS)))
        torch.manual_seed(config.seed)
        self.network = SegmenterNetwork(config, self.units, len(self.expansions))
        if config.vectors:
            self.network.start_from(*_pretrained(config, self.units))
        self._teacher: SegmenterNetwork | None = None
        if start and old:
            load(self.network, extension.segmenter(old, self.units, len(self.expansions), self.weights()))
            self._teacher = copy.deepcopy(self.network).eval() if self._kept else None
        self._start = start.model.digest if start else ""
        parameters = sum(parameter.numel() for parameter in self.network.parameters())
        self.scale = Scale(*size, *_counted(self._dev.values()), {}, len(self.units.known), parameters)
        self.seed = config.seed
        self.schedule = Schedule(config.epochs, config.lr, CLIP)

    def _spans(self, paragraph: GoldParagraph) -> Sequence[Span]:
        """What to find in it: tokens, or words if there are no multiword tokens to find."""
        return paragraph.segmentation.tokens if self.expansions else paragraph.words

    def _labelled(self, corpus: Corpus, part: Iterable[GoldParagraph]) -> list[tuple[Ids, Ids]]:
        """See `labelled`. The multiword tokens of a language whose treebanks have none in training are no labels."""
        numbers = {name: number for number, name in enumerate(self.expansions, 1)}
        language = numbers.get(loading.language(corpus.name), 0) if self.expansions else None
        return [labelled(paragraph, self.units, language) for paragraph in part]

    def batches(self, random: np.random.Generator) -> list[list[Ids]]:
        """Pieces of the corpora, each of shape [pretokens, 5], or 6 with KEPT; see `ROW`."""
        pieces = self._pieces(random)
        groups = length_buckets(np.array(list(map(len, pieces))), self._batch_units, random)
        return [[pieces[position] for position in group] for group in groups]

    def loss(self, batch: list[Ids], random: np.random.Generator, remaining: float) -> Loss:
        columns, gold, lengths = self._batch(batch, random)
        scores = self.network.scores(columns, lengths)
        units, tokens = int((gold[0] != IGNORED).sum()), int((gold[0] > INSIDE).sum())
        if not self._teacher:
            losses = [
                functional.cross_entropy(own.flatten(0, 1), classes.flatten(), ignore_index=IGNORED)
                for own, classes in zip(scores, gold, strict=True)
            ]
            return Loss(_sum(losses, gold), units, tokens)
        with torch.no_grad():
            taught = self._teacher.scores(columns, lengths)
        is_own = torch.from_numpy(np.array([not piece[0, KEPT] for piece in batch]))
        losses = []
        for own, classes, teacher in zip(scores, gold, taught, strict=True):
            targets = teacher.softmax(-1)
            targets[is_own] = functional.one_hot(classes[is_own].clamp(min=0), targets.shape[-1]).to(targets.dtype)
            surprise = -(targets * own.log_softmax(-1)).sum(-1)
            losses.append(surprise[classes != IGNORED].mean())
        return Loss(_sum(losses, gold), units, tokens)

    def evaluate(self) -> tuple[Mapping[str, float], float]:
        """F1 of words and of sentences on the dev splits, of tokens too if there are multiword tokens to find. They do
        not choose the epoch: the last one is kept."""
        weights = quantize(self.weights(), self.tables)
        finder = Segmenter(StoredSegmenter(self.config, self.units, weights, expansions=self.expansions))
        figures: dict[str, float] = {}
        for name, part in self._dev.items():
            found = finder.find([paragraph.text for paragraph in part])
            tokens = {"tokens": token_agreement(part, found)} if self.expansions else {}
            measured = tokens | agreement(part, found)
            figures |= {f"{name} {kind}": round(prf.f1, 4) for kind, prf in measured.items()}
        return figures, 0.0

    def weights(self) -> dict[str, np.ndarray]:
        return {name: parameter.detach().numpy() for name, parameter in self.network.named_parameters()}

    @cached_property
    def fingerprint(self) -> str:
        """A digest of the training and dev data."""
        digest = hashlib.sha256(json.dumps([self.units.tables(), multiword.tables(self.expansions)]).encode())
        digest.update(self._start.encode())
        for part in (*self._parts, self._kept):
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
        if not self._kept:
            return pieces
        pieces = [np.column_stack([piece, np.zeros_like(piece[:, :1])]) for piece in pieces]
        for _ in range(int(self._kept_rate + random.random())):
            pieces += (np.column_stack([piece, np.ones_like(piece[:, :1])]) for piece in _chunks(self._kept, random))
        return pieces

    def _batch(self, pieces: Sequence[Ids], random: np.random.Generator) -> tuple[Tensor, list[Tensor], Tensor]:
        """Columns [batch, time, 2 or 4], classes of each head [batch, time] and lengths [batch]."""
        lengths = np.array(list(map(len, pieces)))
        columns = np.zeros((len(pieces), lengths.max(), 4 if self.units.bigrams else 2), dtype=np.int64)
        heads = (GOLD, LANGUAGE) if self.expansions else (GOLD,)
        gold = np.full((len(heads), *columns.shape[:2]), IGNORED)
        for place, piece in enumerate(pieces):
            rows = self._hiding.hide(piece[:, ROW], random)
            columns[place, : len(piece)] = self.units.columns(rows, piece[:, SHAPE], piece[:, GAP])
            gold[:, place, : len(piece)] = piece[:, heads].T
        return torch.from_numpy(columns), [*torch.from_numpy(gold)], torch.from_numpy(lengths)


def _sum(losses: Sequence[Tensor], gold: Sequence[Tensor]) -> Tensor:
    """The mean loss of a unit: a head counts as often as it has units with a class.

    Args:
        losses: the mean of each head over its units with a class, the first of which has all units.
        gold: the classes of each head, shape [batch, time].
    """
    first, *others = losses
    units = (gold[0] != IGNORED).sum()
    for loss, classes in zip(others, gold[1:], strict=True):
        count = (classes != IGNORED).sum()
        if count:  # the mean of nothing is NaN
            first = first + loss * count / units
    return first


def stored(trainer: Trainer[SegmenterTask]) -> StoredSegmenter | None:
    """The segmenter after the last complete epoch; None before the first."""
    if trainer.kept is None:
        return None
    step, weights = trainer.kept
    dev: dict[str, dict[str, float]] = {}
    for figure, f1 in step.dev.items():
        name, _, kind = figure.rpartition(" ")
        dev.setdefault(name, {})[kind] = f1
    task = trainer.task
    return StoredSegmenter(task.config, task.units, weights, dev, expansions=task.expansions)
