"""An rnntag model as an NLTK tagger."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from nltk.tag.api import TaggerI

from rnntag import python_input
from rnntag.config import DEFAULT_MODEL
from rnntag.tagger import load


class RNNTagger(TaggerI):  # type: ignore[misc]
    """An NLTK `TaggerI`: NLTK can tag, chunk and evaluate with it.

    Args:
        name: a model's name or directory.
        tagset: one of the model's tagsets; the first if None.

    Raises:
        NotFoundError, DataError, AccessError: see `rnntag.load`.
        UsageError: the model does not know the tagset.
    """

    def __init__(self, name: str | Path = DEFAULT_MODEL, tagset: str | None = None) -> None:
        self._tagger = load(name)
        self._tagset = self._tagger.model.tagset(tagset)

    def tag(self, tokens: Iterable[str]) -> list[tuple[str, str]]:
        """Tag a sentence: (token, tag) pairs."""
        return self._tagger.tag(tokens, self._tagset)

    def tag_sents(self, sentences: Iterable[Iterable[str]]) -> list[list[tuple[str, str]]]:
        """Tag many sentences, faster than one by one."""
        return self._tagger.tag_sents(sentences, self._tagset)

    def accuracy(self, gold: Iterable[Iterable[tuple[str, str]]]) -> float:
        """NLTK's accuracy (0 to 1) on gold sentences.

        Raises:
            TypeError: the sentences are not lists of (word, tag) pairs.
        """
        return super().accuracy(python_input.tagged_sentences(gold))  # type: ignore[no-any-return]

    def confusion(self, gold: Iterable[Iterable[tuple[str, str]]]) -> Any:
        """NLTK's `ConfusionMatrix`, also the basis of its recall and precision; see `accuracy`."""
        return super().confusion(python_input.tagged_sentences(gold))
