"""A trained model at work."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import chain, islice, pairwise
from pathlib import Path
from typing import Any, overload

import numpy as np

from rnntag import python_input
from rnntag.config import DEFAULT_MODEL
from rnntag.errors import DataError, NotFoundError, UsageError
from rnntag.formats import raw
from rnntag.model import directory, stored
from rnntag.model.arrays import Ids
from rnntag.model.batching import length_buckets
from rnntag.model.vocabulary import Vocabulary, spelling_lengths
from rnntag.onnx.session import Probabilities, Runtime, Scores, in_batches
from rnntag.segmenter import Segmenter
from rnntag.sentences import Segmentation, TagProbs
from rnntag.version import __version__
from rnntag.windows import blocks, core_parts

BLOCK_TOKENS = 8192
BATCH_TOKENS = 256
"""Few enough for what one batch needs to stay in the processor's cache: 2,048 take twice as long."""

ENCODED_AT_ONCE = 512
"""Characters, padding included, of the new words that are encoded together."""

CACHED_WORDS = 8192
"""At least `BLOCK_TOKENS`, for all tokens of a block may differ."""


class WordVectorCache:
    """The vectors of the words met last, in one matrix of bounded size.

    A word's vector does not depend on its sentence, so that each word is encoded once. The empty
    word stands for one that is hidden: its vector says nothing (the erasure of Li et al. 2016).
    """

    def __init__(self, vocabulary: Vocabulary, runtime: Runtime) -> None:
        self._vocabulary = vocabulary
        self._runtime = runtime
        self._lock = threading.Lock()
        self._clear()

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._vocabulary, self._runtime)

    def _clear(self) -> None:
        # A new matrix, not the old one emptied: other threads may still read that. Between the two
        # none, so that the memory of the old one can be had again.
        size = len(self._runtime.masked_vector)
        self._rows = {"": 0}
        self._matrix = np.empty((0, size), dtype=np.float32)
        self._matrix = np.empty((1 + CACHED_WORDS, size), dtype=np.float32)
        self._matrix[0] = self._runtime.masked_vector

    def look_up(self, tokens: Sequence[str]) -> tuple[Scores, Ids]:
        """A matrix, and for each token the row of its vector in it.

        Args:
            tokens: at most `CACHED_WORDS` different ones.
        """
        with self._lock:
            try:
                rows = list(map(self._rows.get, tokens))
            except TypeError:  # one that cannot be hashed, such as a list
                python_input.check_tokens(tokens)
                raise
            if None in rows:
                python_input.check_tokens(tokens)
                keys = list(map(self._vocabulary.shorten, tokens))
                self._add(dict.fromkeys(keys))
                rows = list(map(self._rows.get, keys))
            return self._matrix, np.array(rows, dtype=np.int64)

    def _add(self, distinct: Iterable[str]) -> None:
        words = [word for word in distinct if word not in self._rows]
        if len(self._rows) + len(words) > len(self._matrix):
            self._clear()
            words = [word for word in distinct if word]
        for group in length_buckets(spelling_lengths(words), ENCODED_AT_ONCE):
            encoded = self._vocabulary.encode_words([words[position] for position in group])
            start = len(self._rows)
            self._matrix[start : start + len(group)] = self._runtime.vectors(encoded)
            self._rows.update((words[position], row) for row, position in enumerate(group, start))


def load(name: str | Path = DEFAULT_MODEL, *, threads: int = 1, int8: bool = True) -> Tagger:
    """The tagger of a model, given its name or its directory.

    Args:
        threads: how many it may compute with.
        int8: compute in 8 bits where ONNX Runtime can, which is twice as fast; else in 32, as PyTorch does.

    Raises:
        NotFoundError: there is no such model.
        DataError: it is damaged.
        AccessError: it cannot be read.
    """
    path = directory.find(str(name))
    tagger = Tagger(directory.read(path), threads=threads, int8=int8)
    tagger._bundled = directory.is_bundled(path)
    return tagger


class Tagger:
    """Tags sentences of words. May be used by several threads at once.

    It can be pickled and copied. A pickle has the model in it; but of a bundled model that `load` has read only
    the name and the digest, and to unpickle it takes an rnntag with the same model: else that is an error.

    Attributes:
        model: what was read from the model directory.
        tagsets: the tagsets it knows; the first one is used unless another is asked for.
        int8: whether it computes in 8 bits where ONNX Runtime can; see `load`.
    """

    def __init__(self, model: stored.ModelBundle, *, threads: int = 1, int8: bool = True) -> None:
        self.model = model
        self.tagsets = model.tagsets
        self.int8 = int8
        self._threads = threads
        self._bundled = False
        self._runtime = Runtime(model, threads, int8=int8)
        self._words = WordVectorCache(model.vocabulary, self._runtime)
        self._names = {tagset: np.array([*tags], dtype=object) for tagset, tags in model.vocabulary.tags.items()}

    def __reduce__(self) -> tuple[Any, ...]:
        model = (self.model.name, self.model.digest) if self._bundled else self.model
        return _unpickled, (type(self), model, self._threads, self.int8)

    def tag(self, tokens: Iterable[str], tagset: str | None = None) -> list[tuple[str, str]]:
        """The words of one sentence with their tags; see `predict` for `tagset` and errors."""
        return self.tag_sents([python_input.one_sentence(tokens)], tagset)[0]

    def tag_sents(self, sentences: Iterable[Iterable[str]], tagset: str | None = None) -> list[list[tuple[str, str]]]:
        """The words of many sentences with their tags; see `predict` for `tagset` and errors."""
        return list(self.stream(sentences, tagset))

    def stream(self, sentences: Iterable[Iterable[str]], tagset: str | None = None) -> Iterator[list[tuple[str, str]]]:
        """As `tag_sents`, for more sentences than memory holds."""
        python_input.check_sentences(sentences)
        return self._stream(sentences, tagset)

    def _stream(self, sentences: Iterable[Iterable[str]], tagset: str | None) -> Iterator[list[tuple[str, str]]]:
        block: list[Sequence[str]] = []
        tokens = 0
        for sentence in map(python_input.sentence, sentences):
            block.append(sentence)
            tokens += max(len(sentence), 1)
            if tokens >= BLOCK_TOKENS:
                yield from self._pairs(block, tagset)
                block, tokens = [], 0
        yield from self._pairs(block, tagset)

    def _pairs(self, block: Sequence[Sequence[str]], tagset: str | None) -> Iterator[list[tuple[str, str]]]:
        for words, tags in zip(block, self.predict(block, tagset), strict=True):
            yield list(zip(words, tags, strict=True))

    def tag_text(self, text: str, tagset: str | None = None) -> list[list[tuple[str, str]]]:
        """The sentences of raw text as words with their tags; see `find`."""
        python_input.check_text(text)
        (segmentation,) = self.find([text], tagset)
        places = zip(segmentation.words, segmentation.tags, strict=True)
        pairs = [(text[begin:end], tag) for (begin, end), tag in places]
        return [pairs[first:last] for first, last in pairwise((0, *segmentation.ends))]

    def find(self, texts: Iterable[str], tagset: str | None = None) -> list[Segmentation]:
        """Where words and sentences are in raw text, with the tags of the words.

        An empty line ends a sentence, as on the command line.

        Raises:
            TypeError: `texts` is a single string, or a text is not a string.
            UsageError: the model has no segmenter, or does not know the tagset.
        """
        texts = python_input.texts(texts)
        segmentations = raw.segment(self._segmenter, texts)
        sentences = [
            [text[begin:end] for begin, end in segmentation.words[first:last]]
            for text, segmentation in zip(texts, segmentations, strict=True)
            for first, last in pairwise((0, *segmentation.ends))
        ]
        tags = chain.from_iterable(self.predict(sentences, tagset))
        return [replace(s, tags=list(islice(tags, len(s.words)))) for s in segmentations]

    @cached_property
    def _segmenter(self) -> Segmenter:
        if not self.model.segmenter:
            raise UsageError(
                f"the model {self.model.name} has no segmenter, which raw text takes: add one with "
                "'rnntag train-segmenter MODEL CORPUS…', or give tokens to tag()"
            )
        return Segmenter(self.model.segmenter, threads=self._threads, int8=self.int8)

    @overload
    def predict(
        self, sentences: Iterable[Iterable[str]], tagset: str | None = None, *, top: None = None
    ) -> list[list[str]]: ...

    @overload
    def predict(
        self, sentences: Iterable[Iterable[str]], tagset: str | None = None, *, top: int
    ) -> list[list[TagProbs]]: ...

    def predict(
        self, sentences: Iterable[Iterable[str]], tagset: str | None = None, *, top: int | None = None
    ) -> list[list[str]] | list[list[TagProbs]]:
        """The tag of each token of each sentence.

        Args:
            sentences: of any length; an empty one gets no tags. An empty token is a word that is there,
                but hidden from the network.
            tagset: one of `tagsets`; the first if None.
            top: how many of its likeliest tags to give for each token, with their probabilities,
                instead of its tag alone.

        Raises:
            TypeError: a string stands in place of a list of sentences or tokens, or a token is not a string.
            UsageError: the model does not know the tagset, or `top` is below 1.
        """
        sentences = python_input.sentences(sentences)
        tagset = self.model.tagset(tagset)
        if top is not None and top < 1:
            raise UsageError(f"top is {top}: it must be at least 1")
        results: list[list[Any]] = [[] for _ in sentences]
        for block in blocks(sentences, BLOCK_TOKENS):
            scores = self._score([window for _, (window, _) in block], tagset)
            tags = self._best(scores, tagset) if top is None else self._likeliest(scores, tagset, top)
            for position, own_tags in core_parts(block, tags):
                results[position] += own_tags
        return results

    def scores(self, sentences: Iterable[Iterable[str]], tagset: str) -> Scores:
        """The scores of each tag before the softmax, shape [tokens of all sentences, tags]; see `predict`."""
        sentences = python_input.sentences(sentences)
        core_scores = [np.empty((0, len(self._names[tagset])), dtype=np.float32)]
        for block in blocks(sentences, BLOCK_TOKENS):
            scores = self._score([window for _, (window, _) in block], tagset)
            core_scores += [own_scores for _, own_scores in core_parts(block, scores)]
        return np.concatenate(core_scores)

    def probabilities(self, sentences: Iterable[Iterable[str]], tagset: str) -> Probabilities:
        """The probability of each tag, shape [tokens of all sentences, tags]; see `predict`."""
        return self._calibrated(self.scores(sentences, tagset), tagset)

    def _score(self, windows: list[Sequence[str]], tagset: str) -> Scores:
        """As `scores`, for at most `BLOCK_TOKENS` tokens of windows."""
        lengths = np.array([len(window) for window in windows], dtype=np.int64)
        matrix, rows = self._words.look_up(list(chain.from_iterable(windows)))

        def score(places: Ids, lengths: Ids) -> Scores:
            return self._runtime.scores(matrix[rows[places]], lengths, tagset)

        return in_batches(lengths, BATCH_TOKENS, score)

    def _best(self, scores: Scores, tagset: str) -> list[str]:
        return self._names[tagset][scores.argmax(-1)].tolist()  # type: ignore[no-any-return]

    def _likeliest(self, scores: Scores, tagset: str, count: int) -> list[TagProbs]:
        order = np.argsort(-scores, axis=-1, kind="stable")[:, :count]  # the first of equals, as argmax
        shares = np.take_along_axis(self._calibrated(scores, tagset), order, axis=-1).tolist()
        names = self._names[tagset][order].tolist()
        return [list(zip(*row, strict=True)) for row in zip(names, shares, strict=True)]

    def _calibrated(self, scores: Scores, tagset: str) -> Probabilities:
        scores = scores / self.model.temperatures.get(tagset, 1.0)
        powers = np.exp(scores - scores.max(-1, keepdims=True), dtype=np.float64)
        return powers / powers.sum(-1, keepdims=True)  # type: ignore[no-any-return]

    @cached_property
    def _seen(self) -> frozenset[str]:
        return frozenset(self.model.vocabulary.words)

    def has_seen(self, word: str) -> bool:
        """Whether the word, in upper or lower case, was in the training data."""
        return self.model.vocabulary.normal_form(word) in self._seen


def _unpickled(kind: type[Tagger], model: stored.ModelBundle | tuple[str, str], threads: int, int8: bool) -> Tagger:
    if isinstance(model, stored.ModelBundle):
        return kind(model, threads=threads, int8=int8)
    tagger = kind(_read_bundled(*model), threads=threads, int8=int8)
    tagger._bundled = True
    return tagger


def _read_bundled(name: str, digest: str) -> stored.ModelBundle:
    """The bundled model of this name, if it is the one that is meant.

    Raises:
        NotFoundError: this rnntag has no model of this name.
        DataError: its model of this name is another one, or is damaged.
        AccessError: it cannot be read.
    """
    path = directory.model_folders()[-1] / name
    meant = f"the pickled tagger needs the model {name}:{digest} that comes with rnntag"
    advice = "install the same rnntag on both sides, or load a copy of the model from a directory: it is pickled whole"
    if not (path / directory.CONFIG).is_file():
        raise NotFoundError(f"{meant}; rnntag {__version__} here has no such model: {advice}")
    model = directory.read(path)
    if model.digest != digest:
        raise DataError(f"{meant}; rnntag {__version__} here has {name}:{model.digest}: {advice}")
    return model
