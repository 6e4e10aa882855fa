"""Tagging with a trained model: `load` and `Tagger`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import chain, islice, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from rnntag import python_input
from rnntag.config import DEFAULT_MODEL, LexiconMode
from rnntag.errors import DataError, NotFoundError, UsageError
from rnntag.formats import raw
from rnntag.model import directory, stored
from rnntag.model.arrays import Ids
from rnntag.model.files import CONFIG
from rnntag.onnx.session import Probabilities, Runtime, Scores, in_batches
from rnntag.python_input import Pairs
from rnntag.segmenter import Segmenter
from rnntag.sentences import Segmentation, TagProbs
from rnntag.version import __version__
from rnntag.windows import blocks, core_parts
from rnntag.word_cache import WordCache

if TYPE_CHECKING:
    from rnntag.lexicon.lexicon import Lexicon

BLOCK_TOKENS = 8192
BATCH_TOKENS = 256
"""Tokens per batch, padding included: few enough for the processor's cache. 2,048 take twice as long."""

Tagsets = list[str] | tuple[str, ...]
"""Names of several tagsets."""

Tagged = list[tuple[str, ...]]
"""The tokens of a sentence, each with a tag of each of several tagsets."""


def load(
    name: str | Path = DEFAULT_MODEL,
    *,
    threads: int = 1,
    int8: bool = True,
    lexicon: str | Path | Sequence[str | Path] = (),
    lexicon_mode: LexiconMode = "prefer",
) -> Tagger:
    """Load a model, given its name or its directory.

    Args:
        threads: number of threads to compute with.
        int8: compute in 8 bits where ONNX Runtime can, twice as fast; else in 32 bits, as PyTorch does.
        lexicon: files of words to find in raw text, with tags that they may have; see `lexicon.reading.load`.
        lexicon_mode: `prefer`: words of the lexicon are more likely; `force`: they are always found, of overlapping
            ones the longest.

    Raises:
        NotFoundError: there is no such model or file.
        DataError: it is damaged, or a lexicon has bad lines.
        AccessError: it cannot be read.
        UsageError: there is no such mode, or no lexicon to force the words of.
    """
    path = directory.find(str(name))
    model = directory.read(path)
    files = [lexicon] if isinstance(lexicon, (str, Path)) else lexicon
    words = own_words(files, lexicon_mode, model)
    tagger = Tagger(model, threads=threads, int8=int8, lexicon=words)
    tagger._bundled = directory.is_bundled(path)
    return tagger


def own_words(files: Sequence[str | Path], mode: LexiconMode, model: stored.ModelBundle) -> Lexicon | None:
    """The words of a user's lexicon; see `lexicon.reading.load`."""
    if not files and mode == "prefer":
        return None
    from rnntag.lexicon import reading  # most users have none

    return reading.load(files, mode, model)


class Tagger:
    """Tags sentences. Thread-safe.

    A tagger can be copied and pickled. A pickle contains the model. For a bundled model read by `load` it only contains
    name and digest, and unpickling needs an rnntag with the same model.

    Attributes:
        model: the model.
        tagsets: the model's tagsets; the first is the default.
        int8: whether it computes in 8 bits where ONNX Runtime can; see `load`.
        lexicon: the words of the user's files, if there are any; see `load`.
    """

    def __init__(
        self, model: stored.ModelBundle, *, threads: int = 1, int8: bool = True, lexicon: Lexicon | None = None
    ) -> None:
        self.model = model
        self.tagsets = model.tagsets
        self.int8 = int8
        self.lexicon = lexicon
        self._threads = threads
        self._bundled = False
        self._runtime = Runtime(model, threads, int8=int8)
        self._words = WordCache(model.vocabulary, self._runtime, lexicon.choices_of if lexicon else None)
        self._names = {tagset: np.array([*tags], dtype=object) for tagset, tags in model.vocabulary.tags.items()}

    def __reduce__(self) -> tuple[Any, ...]:
        model = (self.model.name, self.model.digest) if self._bundled else self.model
        return unpickled, (type(self), model, self._threads, self.int8, self.lexicon)

    @overload
    def tag(self, tokens: Iterable[str], tagset: str | None = None) -> Pairs: ...

    @overload
    def tag(self, tokens: Iterable[str], tagset: Tagsets) -> Tagged: ...

    def tag(self, tokens: Iterable[str], tagset: str | Tagsets | None = None) -> Pairs | Tagged:
        """Tag a sentence: (token, tag) pairs, or (token, tag, tag, …) for several tagsets. See `predict` for `tagset`
        and errors."""
        return self.tag_sents([python_input.one_sentence(tokens)], tagset)[0]

    @overload
    def tag_sents(self, sentences: Iterable[Iterable[str]], tagset: str | None = None) -> list[Pairs]: ...

    @overload
    def tag_sents(self, sentences: Iterable[Iterable[str]], tagset: Tagsets) -> list[Tagged]: ...

    def tag_sents(
        self, sentences: Iterable[Iterable[str]], tagset: str | Tagsets | None = None
    ) -> list[Pairs] | list[Tagged]:
        """Tag many sentences: a list for each, as from `tag`."""
        python_input.check_sentences(sentences)
        return list(self._stream(sentences, tagset))

    @overload
    def stream(self, sentences: Iterable[Iterable[str]], tagset: str | None = None) -> Iterator[Pairs]: ...

    @overload
    def stream(self, sentences: Iterable[Iterable[str]], tagset: Tagsets) -> Iterator[Tagged]: ...

    def stream(
        self, sentences: Iterable[Iterable[str]], tagset: str | Tagsets | None = None
    ) -> Iterator[Pairs] | Iterator[Tagged]:
        """Tag sentences lazily, in constant memory; else as `tag_sents`."""
        python_input.check_sentences(sentences)
        return self._stream(sentences, tagset)

    def _stream(self, sentences: Iterable[Iterable[str]], tagset: str | Tagsets | None) -> Iterator[Any]:
        block: list[Sequence[str]] = []
        tokens = 0
        for sentence in map(python_input.sentence, sentences):
            block.append(sentence)
            tokens += max(len(sentence), 1)
            if tokens >= BLOCK_TOKENS:
                yield from self._tagged(block, tagset)
                block, tokens = [], 0
        yield from self._tagged(block, tagset)

    def _tagged(self, block: Sequence[Sequence[str]], tagset: str | Tagsets | None) -> Iterator[Any]:
        predicted = self._predict(block, self._tagsets(tagset), None)
        for tokens, *columns in zip(block, *predicted.values(), strict=True):
            yield list(zip(tokens, *columns, strict=True))

    @overload
    def tag_text(self, text: str, tagset: str | None = None) -> list[Pairs]: ...

    @overload
    def tag_text(self, text: str, tagset: Tagsets) -> list[Tagged]: ...

    def tag_text(self, text: str, tagset: str | Tagsets | None = None) -> list[Pairs] | list[Tagged]:
        """Segment and tag raw text: a list for each sentence, as from `tag`. See `find`."""
        python_input.check_text(text)
        return self.tag_texts([text], tagset)[0]

    @overload
    def tag_texts(self, texts: Iterable[str], tagset: str | None = None) -> list[list[Pairs]]: ...

    @overload
    def tag_texts(self, texts: Iterable[str], tagset: Tagsets) -> list[list[Tagged]]: ...

    def tag_texts(
        self, texts: Iterable[str], tagset: str | Tagsets | None = None
    ) -> list[list[Pairs]] | list[list[Tagged]]:
        """Segment and tag raw texts: for each what `tag_text` returns, but faster than one by one. See `find`."""
        segmentations, sentences = self.segmented(python_input.texts(texts))
        tagged = self._tagged(sentences, tagset)
        return [list(islice(tagged, len(each.ends))) for each in segmentations]

    def find(self, texts: Iterable[str], tagset: str | None = None) -> list[Segmentation]:
        """Segment and tag raw texts: the positions of words and sentences, the tags of the words, and the multiword
        tokens. `Segmentation.forms` gives the words.

        An empty line ends a sentence, as on the command line.

        Raises:
            TypeError: `texts` is a single string, or a text is not a string.
            UsageError: the model has no segmenter, or does not know the tagset.
        """
        segmentations, sentences = self.segmented(python_input.texts(texts))
        tags = chain.from_iterable(self.predict(sentences, self.model.tagset(tagset)))
        return [replace(each, tags=list(islice(tags, len(each.words)))) for each in segmentations]

    def segment(self, texts: Iterable[str]) -> list[Segmentation]:
        """Segment raw texts: as `find`, but without tags."""
        return raw.segment(self._segmenter, python_input.texts(texts))

    def segmented(self, texts: Sequence[str]) -> tuple[Sequence[Segmentation], list[list[str]]]:
        """Segment raw texts: the segmentation of each, and the words of the sentences of all of them; see `find`."""
        segmentations = raw.segment(self._segmenter, texts)
        sentences = [
            forms[first:last]
            for text, segmentation in zip(texts, segmentations, strict=True)
            for forms in [segmentation.forms(text)]
            for first, last in pairwise((0, *segmentation.ends))
        ]
        return segmentations, sentences

    @cached_property
    def _segmenter(self) -> Segmenter:
        if not self.model.segmenter:
            raise UsageError(
                f"the model {self.model.name} has no segmenter for raw text: add one with "
                "'rnntag train-segmenter MODEL CORPUS…', or give tokens to tag()"
            )
        return Segmenter(self.model.segmenter, threads=self._threads, int8=self.int8, lexicon=self.lexicon)

    @overload
    def predict(
        self, sentences: Iterable[Iterable[str]], tagset: str | None = None, *, top: None = None
    ) -> list[list[str]]: ...

    @overload
    def predict(
        self, sentences: Iterable[Iterable[str]], tagset: str | None = None, *, top: int
    ) -> list[list[TagProbs]]: ...

    @overload
    def predict(
        self, sentences: Iterable[Iterable[str]], tagset: Tagsets, *, top: None = None
    ) -> dict[str, list[list[str]]]: ...

    @overload
    def predict(
        self, sentences: Iterable[Iterable[str]], tagset: Tagsets, *, top: int
    ) -> dict[str, list[list[TagProbs]]]: ...

    def predict(
        self, sentences: Iterable[Iterable[str]], tagset: str | Tagsets | None = None, *, top: int | None = None
    ) -> Any:
        """The tag of each token of each sentence; for several tagsets, that by tagset, in one pass over the network.

        Args:
            sentences: lists of tokens, of any length. An empty token is a masked word: the network does not see it.
            tagset: one of `tagsets`, or a list of them; the first if None.
            top: instead of the tag, return this many of the most likely tags with their probabilities.

        Raises:
            TypeError: a string is given instead of a list of sentences or tokens, or a token is not a string.
            UsageError: the model does not know a tagset, one is given twice, or `top` is below 1.
        """
        sentences = python_input.sentences(sentences)
        tagsets = self._tagsets(tagset)
        if top is not None and top < 1:
            raise UsageError(f"top is {top}: it must be at least 1")
        predictions = self._predict(sentences, tagsets, top)
        return predictions if isinstance(tagset, (list, tuple)) else predictions[tagsets[0]]

    def _tagsets(self, tagset: str | Tagsets | None) -> tuple[str, ...]:
        if isinstance(tagset, (list, tuple)):
            return self.model.several_tagsets(tagset)
        return (self.model.tagset(tagset),)

    def _predict(
        self, sentences: Sequence[Sequence[str]], tagsets: tuple[str, ...], top: int | None
    ) -> dict[str, list[list[Any]]]:
        predictions: dict[str, list[list[Any]]] = {tagset: [[] for _ in sentences] for tagset in tagsets}
        for block in blocks(sentences, BLOCK_TOKENS):
            scores = self._score([window for _, (window, _) in block], tagsets)
            for tagset, own in scores.items():
                tags = self._best(own, tagset) if top is None else self._top(own, tagset, top)
                for position, core_tags in core_parts(block, tags):
                    predictions[tagset][position] += core_tags
        return predictions

    def scores(self, sentences: Iterable[Iterable[str]], tagset: str) -> Scores:
        """The scores of each tag before the softmax, shape [tokens of all sentences, tags]; see `predict`."""
        sentences = python_input.sentences(sentences)
        parts = [np.empty((0, len(self._names[tagset])), dtype=np.float32)]
        for block in blocks(sentences, BLOCK_TOKENS):
            scores = self._score([window for _, (window, _) in block], (tagset,))[tagset]
            parts += [core_scores for _, core_scores in core_parts(block, scores)]
        return np.concatenate(parts)

    def probabilities(self, sentences: Iterable[Iterable[str]], tagset: str) -> Probabilities:
        """The probability of each tag, shape [tokens of all sentences, tags]; see `predict`."""
        return self._calibrated(self.scores(sentences, tagset), tagset)

    def _score(self, windows: list[Sequence[str]], tagsets: tuple[str, ...]) -> dict[str, Scores]:
        """By tagset, the scores of windows of together at most `BLOCK_TOKENS` tokens."""
        lengths = np.array([len(window) for window in windows], dtype=np.int64)
        words = self._words.look_up(list(chain.from_iterable(windows)))

        def score(positions: Ids, lengths: Ids) -> Scores:
            return self._runtime.scores(words.matrix[words.rows[positions]], lengths, *tagsets)

        scores = in_batches(lengths, BATCH_TOKENS, score)
        ends = np.cumsum([len(self._names[tagset]) for tagset in tagsets])
        by_tagset = dict(zip(tagsets, np.split(scores, ends[:-1], axis=-1), strict=True))
        if self.lexicon:
            choices = words.choices[words.rows]
            limited = np.flatnonzero(choices)
            for tagset in tagsets if len(limited) else ():
                by_tagset[tagset][limited] += self._limits[tagset][choices[limited]]
        return by_tagset

    @cached_property
    def _limits(self) -> dict[str, Scores]:
        """By tagset, what is added to the scores of words of the lexicon, shape [choices, tags]: minus infinity for
        tags that they must not have. A choice without tags of the tagset leaves them all."""
        assert self.lexicon
        limits = {}
        for tagset, names in self._names.items():
            allowed = np.array([np.isin(names, tags) for tags in self.lexicon.choices])
            allowed |= ~allowed.any(-1, keepdims=True)
            limits[tagset] = np.where(allowed, 0, -np.inf).astype(np.float32)
        return limits

    def _best(self, scores: Scores, tagset: str) -> list[str]:
        return self._names[tagset][scores.argmax(-1)].tolist()  # type: ignore[no-any-return]

    def _top(self, scores: Scores, tagset: str, count: int) -> list[TagProbs]:
        order = np.argsort(-scores, axis=-1, kind="stable")[:, :count]  # of equal scores the first, as with argmax
        probs = np.take_along_axis(self._calibrated(scores, tagset), order, axis=-1).tolist()
        names = self._names[tagset][order].tolist()
        return [list(zip(*row, strict=True)) for row in zip(names, probs, strict=True)]

    def _calibrated(self, scores: Scores, tagset: str) -> Probabilities:
        scores = scores / self.model.temperatures.get(tagset, 1.0)
        powers = np.exp(scores - scores.max(-1, keepdims=True), dtype=np.float64)
        return powers / powers.sum(-1, keepdims=True)  # type: ignore[no-any-return]

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(self.model.vocabulary.words)

    def is_known(self, word: str) -> bool:
        """Whether the word is known: it occurs in the training data, in any case."""
        return self.model.vocabulary.normal_form(word) in self._known


def unpickled(
    kind: type[Tagger],
    model: stored.ModelBundle | tuple[str, str],
    threads: int,
    int8: bool,
    lexicon: Lexicon | None,
) -> Tagger:
    """The tagger of a pickle; see `Tagger`."""
    if isinstance(model, stored.ModelBundle):
        return kind(model, threads=threads, int8=int8, lexicon=lexicon)
    tagger = kind(_read_bundled(*model), threads=threads, int8=int8, lexicon=lexicon)
    tagger._bundled = True
    return tagger


def _read_bundled(name: str, digest: str) -> stored.ModelBundle:
    """The bundled model of this name and digest.

    Raises:
        NotFoundError: this rnntag has no model of this name.
        DataError: its model has another digest, or is damaged.
        AccessError: it cannot be read.
    """
    path = directory.model_folders()[-1] / name
    needed = f"the pickled tagger needs the bundled model {name}:{digest}"
    advice = (
        "install the same rnntag on both sides, or load the model from a copy of its directory: "
        "a pickle then contains it"
    )
    if not (path / CONFIG).is_file():
        raise NotFoundError(f"{needed}; rnntag {__version__} here has no such model: {advice}")
    model = directory.read(path)
    if model.digest != digest:
        raise DataError(f"{needed}; rnntag {__version__} here has {name}:{model.digest}: {advice}")
    return model
