"""A trained model at work."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np

from rnntag import store
from rnntag.runtime import Runtime, Scores
from rnntag.schema import DEFAULT_MODEL, UsageError
from rnntag.vocabulary import Ids, Vocabulary, Words, by_length, normal_form

WINDOW = 512
OVERLAP = 32
"""A longer sentence is tagged in windows of `WINDOW` tokens, which share `OVERLAP` tokens of
context with each neighbour: no state reaches far enough for a token to miss what lies beyond."""

BLOCK_TOKENS = 16_384
BATCH_TOKENS = 2048
ENCODED_AT_ONCE = 4096
"""Characters, padding included, of the new words that are encoded together."""

CACHED_WORDS = 32_768


class Backend(Protocol):
    """What computes: `runtime.Runtime`, or `network.TorchRuntime` where a network has no ONNX form."""

    @property
    def size(self) -> int: ...

    def vectors(self, words: Words) -> Scores: ...

    def scores(self, vectors: Scores, lengths: Ids, tagset: str) -> Scores: ...


class WordVectors:
    """The vectors of the words met last, in one matrix of bounded size.

    A word's vector does not depend on its sentence, so that each word is encoded once.
    """

    def __init__(self, vocabulary: Vocabulary, backend: Backend) -> None:
        self._vocabulary = vocabulary
        self._backend = backend
        self._lock = threading.Lock()
        self._clear()

    def _clear(self) -> None:
        # A new matrix, not the old one emptied: other threads may still read that.
        self._rows: dict[str, int] = {}
        self._matrix = np.empty((CACHED_WORDS, self._backend.size), dtype=np.float32)

    def look_up(self, tokens: Sequence[str]) -> tuple[Scores, Ids]:
        """A matrix, and for each token the row of its vector in it.

        Args:
            tokens: at most `CACHED_WORDS` different ones.
        """
        with self._lock:
            distinct = dict.fromkeys(tokens)
            new = [token for token in distinct if token not in self._rows]
            if len(self._rows) + len(new) > CACHED_WORDS:
                self._clear()
                new = list(distinct)
            if new:
                self._encode(new)
            rows = self._rows
            return self._matrix, np.array([rows[token] for token in tokens], dtype=np.int64)

    def _encode(self, words: list[str]) -> None:
        encoded = self._vocabulary.encode_words(words)
        for group in by_length(encoded.lengths, ENCODED_AT_ONCE):
            start = len(self._rows)
            self._matrix[start : start + len(group)] = self._backend.vectors(encoded.take(np.array(group)))
            self._rows.update((words[position], start + i) for i, position in enumerate(group))


def load(name: str | Path = DEFAULT_MODEL, *, threads: int = 1) -> Tagger:
    """The tagger of a model, given its name or its directory.

    Args:
        threads: how many it may compute with.

    Raises:
        NotFoundError: there is no such model.
        DataError: it is damaged.
        AccessError: it cannot be read.
    """
    return Tagger(store.read(store.find(str(name))), threads=threads)


class Tagger:
    """Tags sentences of words. May be used by several threads at once.

    Attributes:
        model: what was read from the model directory.
        tagsets: the tagsets it knows; the first one is used unless another is asked for.
    """

    def __init__(self, model: store.StoredModel, *, threads: int = 1) -> None:
        self.model = model
        self.tagsets = tuple(
            sorted(model.vocabulary.tags, key=lambda name: (name != "upos", name != "universal", name))
        )
        self._backend = _backend(model, threads)
        self._words = WordVectors(model.vocabulary, self._backend)
        self._names = {tagset: np.array([*tags], dtype=object) for tagset, tags in model.vocabulary.tags.items()}

    def tag(self, tokens: Sequence[str], tagset: str | None = None) -> list[tuple[str, str]]:
        """The words of one sentence with their tags; see `predict` for `tagset`."""
        return self.tag_sents([tokens], tagset)[0]

    def tag_sents(self, sentences: Iterable[Sequence[str]], tagset: str | None = None) -> list[list[tuple[str, str]]]:
        """The words of many sentences with their tags; see `predict` for `tagset`."""
        return list(self.stream(sentences, tagset))

    def stream(self, sentences: Iterable[Sequence[str]], tagset: str | None = None) -> Iterator[list[tuple[str, str]]]:
        """As `tag_sents`, for more sentences than memory holds."""
        block: list[Sequence[str]] = []
        tokens = 0
        for sentence in sentences:
            block.append(sentence)
            tokens += max(len(sentence), 1)
            if tokens >= BLOCK_TOKENS:
                yield from self._pairs(block, tagset)
                block, tokens = [], 0
        yield from self._pairs(block, tagset)

    def _pairs(self, block: Sequence[Sequence[str]], tagset: str | None) -> Iterator[list[tuple[str, str]]]:
        for words, tags in zip(block, self.predict(block, tagset), strict=True):
            yield list(zip(words, tags, strict=True))

    def predict(self, sentences: Sequence[Sequence[str]], tagset: str | None = None) -> list[list[str]]:
        """The tags of each sentence.

        Args:
            sentences: of any length; an empty one gets no tags.
            tagset: one of `tagsets`; the first if None.

        Raises:
            UsageError: the model does not know the tagset.
        """
        tagset = self.check_tagset(tagset)
        tags: list[list[str]] = [[] for _ in sentences]
        for block in _blocks(sentences):
            windows = [sentences[position][begin:end] for position, begin, end, _ in block]
            for (position, _, _, inner), found in zip(block, self._tag_windows(windows, tagset), strict=True):
                tags[position] += found[inner]
        return tags

    def _tag_windows(self, windows: list[Sequence[str]], tagset: str) -> list[list[str]]:
        lengths = np.array([len(window) for window in windows], dtype=np.int64)
        starts = np.cumsum(lengths) - lengths
        matrix, rows = self._words.look_up([token for window in windows for token in window])
        best = np.empty(len(rows), dtype=np.int64)
        for group in by_length(lengths, BATCH_TOKENS):
            steps = np.arange(lengths[group].max())[:, None]
            inside = steps < lengths[group]
            places = np.where(inside, starts[group] + steps, starts[group])
            scores = self._backend.scores(matrix[rows[places]], lengths[group], tagset)
            best[places[inside]] = scores.argmax(-1)[inside]
        names = self._names[tagset][best].tolist()
        return [names[start:end] for start, end in zip(starts.tolist(), (starts + lengths).tolist(), strict=True)]

    def check_tagset(self, tagset: str | None) -> str:
        """The tagset that is meant; the first of `tagsets` for None.

        Raises:
            UsageError: the model does not know it.
        """
        if tagset is None:
            return self.tagsets[0]
        if tagset not in self.tagsets:
            raise UsageError(f"the model {self.model.name} does not know {tagset}: it knows {', '.join(self.tagsets)}")
        return tagset

    @cached_property
    def _seen(self) -> frozenset[str]:
        return frozenset(self.model.vocabulary.words)

    def has_seen(self, word: str) -> bool:
        """Whether the word, in upper or lower case, was in the training data."""
        return normal_form(word) in self._seen


def _backend(model: store.StoredModel, threads: int) -> Backend:
    if model.graphs:
        return Runtime(model, threads)
    from rnntag.network import TorchRuntime

    return TorchRuntime(model)


def _blocks(sentences: Sequence[Sequence[str]]) -> Iterator[list[tuple[int, int, int, slice]]]:
    """Windows of at most about `BLOCK_TOKENS` tokens together.

    A window is the position of its sentence, where it begins and ends there, and which of its
    tags count.
    """
    block: list[tuple[int, int, int, slice]] = []
    tokens = 0
    stride = WINDOW - 2 * OVERLAP
    for position, sentence in enumerate(sentences):
        length = len(sentence)
        if length <= WINDOW:
            windows = [(position, 0, length, slice(None))] if length else []
        else:
            windows = []
            for start in range(0, length, stride):
                begin, end = max(0, start - OVERLAP), min(length, start + stride + OVERLAP)
                windows.append((position, begin, end, slice(start - begin, start - begin + stride)))
        for window in windows:
            block.append(window)
            tokens += window[2] - window[1]
            if tokens >= BLOCK_TOKENS:
                yield block
                block, tokens = [], 0
    if block:
        yield block
