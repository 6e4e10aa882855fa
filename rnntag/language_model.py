"""Scoring sentences with a trained language model: `load_lm` and `LanguageModel`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from rnntag import python_input
from rnntag.errors import UsageError
from rnntag.model import directory
from rnntag.model import language_model as stored
from rnntag.model.arrays import Ids
from rnntag.model.language_model import SENTENCE_END, Perplexity, StoredLanguageModel
from rnntag.model.vocabulary import RESERVED, UNKNOWN
from rnntag.model.weights import UNIGRAMS
from rnntag.onnx.language_model import LanguageRuntime, LogProbs
from rnntag.onnx.session import Scores, in_batches
from rnntag.segmenter import Segmenter
from rnntag.windows import blocks, core_parts
from rnntag.word_cache import WordCache

BLOCK_TOKENS, BATCH_TOKENS = 8192, 512
"""Steps whose scores are in memory at once, and steps of a batch, padding included."""
_CACHED_WORDS = 1 << 16


@dataclass(frozen=True, slots=True)
class SentenceScore:
    """What a language model makes of a sentence.

    Attributes:
        tokens: the sentence.
        log_probs: the log probability of each token given those before it, and last that of the end, in nats.
        unigrams: the same of each by itself: how frequent it is in the text that the model has learned from.
    """

    tokens: Sequence[str]
    log_probs: Sequence[float]
    unigrams: Sequence[float]

    @property
    def log_prob(self) -> float:
        """The log probability of the sentence, in nats."""
        return float(np.sum(self.log_probs))

    @property
    def perplexity(self) -> float:
        """For each token and the end: exp of minus the mean log probability."""
        return float(np.exp(-np.mean(self.log_probs)))

    @property
    def slor(self) -> float:
        """The log probability, less that of the tokens by themselves, for each token and the end: how likely the
        order and choice of words is, however rare they are and however many (Pauls and Klein 2012; Lau et al. 2017)."""
        return float(np.mean(np.subtract(self.log_probs, self.unigrams)))

    @property
    def surprisals(self) -> list[float]:
        """How unexpected each token is, and the end, in bits."""
        return [-float(value) / float(np.log(2)) for value in self.log_probs]


def load_lm(name: str | Path, *, threads: int = 1, int8: bool = True) -> LanguageModel:
    """Load a language model, given its name or its directory.

    Args:
        threads: number of threads to compute with.
        int8: compute in 8 bits where ONNX Runtime can; else in 32 bits, as PyTorch does.

    Raises:
        NotFoundError: there is no such model.
        DataError: it is damaged, or is not a language model.
        AccessError: it cannot be read.
    """
    return LanguageModel(stored.read(directory.find(str(name))), threads=threads, int8=int8)


class LanguageModel:
    """Scores sentences. Thread-safe.

    Attributes:
        model: the model.
    """

    def __init__(self, model: StoredLanguageModel, *, threads: int = 1, int8: bool = True) -> None:
        self.model = model
        self._threads = threads
        self._int8 = int8
        self._vocabulary = model.vocabulary
        self._runtime = LanguageRuntime(model, threads, int8=int8)
        self._words = WordCache(model.vocabulary, self._runtime)
        self._unigrams = model.weights[UNIGRAMS].astype(np.float64)
        self._rows: dict[str, int] = {SENTENCE_END: RESERVED}
        self._spelled: dict[str, float] = {}

    def __reduce__(self) -> tuple[object, ...]:
        return unpickled, (type(self), self.model, self._threads, self._int8)

    @cached_property
    def segmenter(self) -> Segmenter:
        """What splits raw text into words and sentences.

        Raises:
            UsageError: the model has none.
        """
        if not self.model.segmenter:
            raise UsageError(f"the model {self.model.name} has no segmenter: give it tokens")
        return Segmenter(self.model.segmenter, threads=self._threads, int8=self._int8)

    def score(self, tokens: Iterable[str]) -> SentenceScore:
        """Score a sentence. A sentence of more than 256 tokens is read in windows: then each token is given at least
        the 32 tokens before it.

        Raises:
            TypeError: a token is not a string, or a string is given instead of a list of tokens.
        """
        return next(self.stream([python_input.one_sentence(tokens)]))

    def score_sents(self, sentences: Iterable[Iterable[str]]) -> list[SentenceScore]:
        """Score many sentences, faster than one by one; see `score`."""
        return list(self.stream(sentences))

    def stream(self, sentences: Iterable[Iterable[str]]) -> Iterator[SentenceScore]:
        """Score sentences lazily, in constant memory; see `score`."""
        python_input.check_sentences(sentences)
        return self._stream(sentences)

    def _stream(self, sentences: Iterable[Iterable[str]]) -> Iterator[SentenceScore]:
        block: list[Sequence[str]] = []
        tokens = 0
        for sentence in map(python_input.sentence, sentences):
            block.append(sentence)
            tokens += len(sentence) + 1
            if tokens >= BLOCK_TOKENS:
                yield from self._scored(block)
                block, tokens = [], 0
        if block:
            yield from self._scored(block)

    def _scored(self, sentences: Sequence[Sequence[str]]) -> Iterator[SentenceScore]:
        """The scores of sentences of together about `BLOCK_TOKENS` tokens, or of one longer sentence."""
        read = [[SENTENCE_END, *sentence] for sentence in sentences]
        parts: list[Scores] = []
        for block in blocks(read, BLOCK_TOKENS):
            parts += (core for _, core in core_parts(block, self._queries([window for _, (window, _) in block])))
        targets = [token for sentence in sentences for token in (*sentence, SENTENCE_END)]
        rows, spelled = self._targets(targets)
        log_probs = self._runtime.log_probs(np.concatenate(parts), rows) + spelled
        unigrams = self._unigrams[rows] + spelled
        begin = 0
        for sentence in sentences:
            end = begin + len(sentence) + 1
            yield SentenceScore(sentence, log_probs[begin:end].tolist(), unigrams[begin:end].tolist())
            begin = end

    def _queries(self, windows: list[Sequence[str]]) -> Scores:
        """What the output layer is asked after each token of the windows, shape [tokens of all, size]."""
        lengths = np.array([len(window) for window in windows], dtype=np.int64)
        matrix, rows = self._words.look_up([token for window in windows for token in window])

        def queries(positions: Ids, lengths: Ids) -> Scores:
            return self._runtime.queries(matrix[rows[positions]], lengths)

        return in_batches(lengths, BATCH_TOKENS, queries)

    def _targets(self, tokens: Sequence[str]) -> tuple[Ids, LogProbs]:
        """The row of each token, and the log probability of its spelling if it has none; both of shape [tokens]."""
        known, spelled_before = self._rows, self._spelled
        if len(known) > _CACHED_WORDS:  # replaced, not cleared: other threads may still read them
            known, spelled_before = self._rows, self._spelled = {SENTENCE_END: RESERVED}, {}
        new = [token for token in dict.fromkeys(tokens) if token not in known]
        rows_of_new = self._vocabulary.rows(new).tolist()
        unknown = [token for token, row in zip(new, rows_of_new, strict=True) if row == UNKNOWN]
        chars = [self._vocabulary.characters_of(token) for token in unknown]
        spelled_before.update(zip(unknown, self._runtime.spelling_log_probs(chars).tolist(), strict=True))
        # Last, so that a thread that finds a word here finds its spelling too.
        known.update(zip(new, rows_of_new, strict=True))
        rows = np.fromiter(map(known.__getitem__, tokens), dtype=np.int64, count=len(tokens))
        spelled = np.zeros(len(tokens))
        for place in np.flatnonzero(rows == UNKNOWN).tolist():
            spelled[place] = spelled_before[tokens[place]]
        return rows, spelled


def perplexity(model: LanguageModel, sentences: Iterable[Sequence[str]]) -> Perplexity:
    """How well a model predicts a text, each sentence by itself."""
    nats, words, characters = 0.0, 0, 0
    form = model.model.vocabulary.normal_form
    for score in model.stream(sentences):
        nats -= score.log_prob
        words += len(score.log_probs)
        characters += 1 + sum(len(form(token)) for token in score.tokens)
    return Perplexity(nats, words, characters)


def unpickled(kind: type[LanguageModel], model: StoredLanguageModel, threads: int, int8: bool) -> LanguageModel:
    """The language model of a pickle."""
    return kind(model, threads=threads, int8=int8)
