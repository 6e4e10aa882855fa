"""Scoring sentences with a trained language model: `load_lm` and `LanguageModel`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path

import numpy as np

from rnntag import python_input
from rnntag.config import DEFAULT_LM
from rnntag.errors import UsageError
from rnntag.model import directory
from rnntag.model import language_model as stored
from rnntag.model.arrays import Ids
from rnntag.model.language_model import SENTENCE_END, Perplexity, StoredLanguageModel, perplexity_of, unread_cost
from rnntag.model.vocabulary import UNKNOWN
from rnntag.model.weights import UNIGRAMS
from rnntag.onnx.language_model import LanguageRuntime, LogProbs
from rnntag.onnx.session import Scores, in_batches
from rnntag.segmenter import Segmenter
from rnntag.windows import blocks, core_parts
from rnntag.word_cache import WordCache

BLOCK_TOKENS, BATCH_TOKENS = 8192, 512
"""Steps whose scores are in memory at once, and steps of a batch, padding included."""


@dataclass(frozen=True, slots=True)
class SentenceScore:
    """The score of a sentence.

    Attributes:
        tokens: the sentence.
        log_probs: the log probability of each token given those before it, and last that of the end, in nats.
        unigrams: the unigram log probability of each token and of the end, in nats.
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
        return perplexity_of(-float(np.mean(self.log_probs)))

    @property
    def slor(self) -> float:
        """The log probability minus the unigram log probability, per token and end (Pauls and Klein 2012; Lau et al.
        2017)."""
        return float(np.mean(np.subtract(self.log_probs, self.unigrams)))

    @property
    def surprisals(self) -> list[float]:
        """How unexpected each token is, and the end, in bits."""
        return [-float(value) / float(np.log(2)) for value in self.log_probs]


def load_lm(name: str | Path = DEFAULT_LM, *, threads: int = 1, int8: bool = True) -> LanguageModel:
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
            python_input.check_tokens(sentence)
            block.append(sentence)
            tokens += len(sentence) + 1
            if tokens >= BLOCK_TOKENS:
                yield from self._scored(block)
                block, tokens = [], 0
        if block:
            yield from self._scored(block)

    def _scored(self, sentences: Sequence[Sequence[str]]) -> Iterator[SentenceScore]:
        """The scores of sentences of together about `BLOCK_TOKENS` tokens, or of one longer sentence."""
        form_of = {token: self._form(token) for token in dict.fromkeys(chain.from_iterable(sentences))}
        forms = [[form_of[token] for token in sentence] for sentence in sentences]
        rows, spelled = self._targets([form for own in forms for form in (*own, SENTENCE_END)])
        log_probs = np.empty(len(rows))
        end = 0
        for block in blocks([[SENTENCE_END, *own] for own in forms], BLOCK_TOKENS):
            queries = self._queries([window for _, (window, _) in block])
            cores = np.concatenate([core for _, core in core_parts(block, queries)])
            begin, end = end, end + len(cores)
            log_probs[begin:end] = self._runtime.log_probs(cores, rows[begin:end])
        log_probs += spelled
        unigrams = self._unigrams[rows] + spelled
        begin = 0
        for sentence in sentences:
            end = begin + len(sentence) + 1
            yield SentenceScore(sentence, log_probs[begin:end].tolist(), unigrams[begin:end].tolist())
            begin = end

    def _form(self, token: str) -> str:
        """What the model reads: the normal form; a line feed is no end of a sentence here."""
        return self._vocabulary.normal_form(token).replace(SENTENCE_END, "\r")

    def _queries(self, windows: list[Sequence[str]]) -> Scores:
        """What the output layer is asked after each token of the windows, shape [tokens of all, size]."""
        lengths = np.array([len(window) for window in windows], dtype=np.int64)
        words = self._words.look_up([token for window in windows for token in window])

        def queries(positions: Ids, lengths: Ids) -> Scores:
            return self._runtime.queries(words.matrix[words.rows[positions]], lengths)

        return in_batches(lengths, BATCH_TOKENS, queries)

    def _targets(self, forms: Sequence[str]) -> tuple[Ids, LogProbs]:
        """The row of each normal form, and the log probability of its spelling if it has none; both of shape
        [forms]."""
        distinct = {form: place for place, form in enumerate(dict.fromkeys(forms))}
        rows = self._vocabulary.rows([*distinct])
        spelled = np.zeros(len(rows))
        unknown = [form for form, row in zip(distinct, rows.tolist(), strict=True) if row == UNKNOWN]
        if unknown:
            words = self._vocabulary.encode_words(unknown)
            unread = np.array([unread_cost(form, self._vocabulary) for form in unknown])
            spelled[rows == UNKNOWN] = self._runtime.spelling_log_probs(words) - unread
        places = np.fromiter(map(distinct.__getitem__, forms), dtype=np.int64, count=len(forms))
        return rows[places], spelled[places]


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
