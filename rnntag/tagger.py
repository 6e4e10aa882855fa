"""A trained model at work."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from rnntag import store
from rnntag.network import Network, predict
from rnntag.schema import DEFAULT_MODEL, Sentence, UsageError
from rnntag.vocabulary import normal_form

WINDOW = 1000
OVERLAP = 50
"""A longer sentence is tagged in windows of `WINDOW` tokens, which share `OVERLAP` tokens of
context with each neighbour: no state reaches far enough for a token to miss what lies beyond."""

STREAM_TOKENS = 20_000


def load(name: str | Path = DEFAULT_MODEL) -> Tagger:
    """The tagger of a model, given its name or its directory.

    Raises:
        NotFoundError: there is no such model.
        DataError: it is damaged.
        AccessError: it cannot be read.
    """
    return Tagger(store.read(store.find(str(name))))


class Tagger:
    """Tags sentences of words.

    Attributes:
        model: what was read from the model directory.
        tagsets: the tagsets it knows; the first one is used unless another is asked for.

    Raises:
        DataError: the weights do not fit the model's configuration.
    """

    def __init__(self, model: store.StoredModel) -> None:
        self.model = model
        self._network = Network(model.config, model.vocabulary)
        self._network.load_weights(model.weights)
        self._network.eval()
        self._seen = frozenset(model.vocabulary.words)
        names = list(model.vocabulary.tags)
        self.tagsets = tuple(sorted(names, key=lambda name: (name != "upos", name != "universal", name)))

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
            if tokens >= STREAM_TOKENS:
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
        names = self.model.vocabulary.tags[tagset]
        windows: list[Sentence] = []
        kept: list[list[tuple[int, slice]]] = []
        for sentence in sentences:
            pieces = []
            for window, inner in _windows(sentence):
                pieces.append((len(windows), inner))
                windows.append(Sentence(tuple(window)))
            kept.append(pieces)
        tags = predict(self._network, self.model.vocabulary.encode(windows), tagset)
        return [[names[i] for window, inner in pieces for i in tags[window][inner].tolist()] for pieces in kept]

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

    def has_seen(self, word: str) -> bool:
        """Whether the word, in upper or lower case, was in the training data."""
        return normal_form(word) in self._seen


def _windows(sentence: Sequence[str]) -> Iterator[tuple[Sequence[str], slice]]:
    """Pieces of a sentence, and which of each piece's tags count."""
    if len(sentence) <= WINDOW:
        yield sentence, slice(None)
        return
    stride = WINDOW - 2 * OVERLAP
    for start in range(0, len(sentence), stride):
        begin = max(0, start - OVERLAP)
        yield sentence[begin : start + stride + OVERLAP], slice(start - begin, start - begin + stride)
