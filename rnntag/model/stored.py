"""The contents of a model directory, in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from rnntag.config import CorpusFormat, ModelConfig, SegmenterConfig, TrainConfig
from rnntag.errors import UsageError
from rnntag.model.multiword import Expansions
from rnntag.model.pretokens import PretokenVocabulary
from rnntag.model.vocabulary import Vocabulary
from rnntag.sentences import NATIVE


@dataclass(frozen=True, slots=True)
class Provenance:
    """How a model was made.

    Attributes:
        specs, tagsets, encoding, corpus_format: the corpora as given to `train`.
        corpora: by name, the number of sentences in each split.
        dev, test: accuracies (0 to 1) by corpus name, over all tagsets.
        by_tagset: accuracies of the model as stored, by corpus, tagset and split, `dev` or `test`; empty for a model
            with one tagset.
        epoch: the epoch of the weights.
        minutes: training time up to that epoch.
        created: date, as ISO 8601.
        rnntag, torch: versions used for training.
        init: the model that training started from, and its digest; "" without one.
    """

    specs: tuple[str, ...] = ()
    tagsets: tuple[str, ...] = ()
    encoding: str = "utf-8"
    corpus_format: CorpusFormat = "auto"
    corpora: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    dev: Mapping[str, float] = field(default_factory=dict)
    test: Mapping[str, float] = field(default_factory=dict)
    by_tagset: Mapping[str, Mapping[str, Mapping[str, float]]] = field(default_factory=dict)
    epoch: int = 0
    minutes: float = 0.0
    created: str = ""
    rnntag: str = ""
    torch: str = ""
    init: str = ""

    def as_json(self) -> dict[str, Any]:
        """For JSON; without an empty `by_tagset` or `init`."""
        return {name: value for name, value in asdict(self).items() if value or name not in ("by_tagset", "init")}


@dataclass(frozen=True)
class StoredSegmenter:
    """A model's segmenter, which finds words and sentences in raw text.

    Attributes:
        weights: as stored; see `weights.quantize`.
        dev: by corpus name, F1 (0 to 1) of words and of sentences on its dev split; with `expansions` also of tokens.
        specs: the training corpora, as given to `train`.
        expansions: by language, how its multiword tokens become words, in the order of the network's classes.
    """

    config: SegmenterConfig
    units: PretokenVocabulary
    weights: Mapping[str, np.ndarray]
    dev: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    specs: tuple[str, ...] = ()
    expansions: Mapping[str, Expansions] = field(default_factory=dict)


@dataclass(frozen=True)
class ModelBundle:
    """A model.

    Attributes:
        name: the directory's name.
        weights: as stored, by parameter name of the network; see `weights.quantize`.
        temperatures: by tagset, the divisor of scores before the softmax that calibrates its probabilities; default 1.
        segmenter: None if the model only tags tokens.
        history: the learning curve as stored, see `learning_curve`; empty if unknown.
        digest: eight hexadecimal digits that identify the verified files; "" before they are written.
    """

    name: str
    config: ModelConfig
    training: TrainConfig
    vocabulary: Vocabulary
    weights: Mapping[str, np.ndarray]
    provenance: Provenance
    temperatures: Mapping[str, float] = field(default_factory=dict)
    segmenter: StoredSegmenter | None = None
    history: bytes = b""
    digest: str = ""

    @property
    def tagsets(self) -> tuple[str, ...]:
        """The model's tagsets, universal ones first."""
        return tuple(sorted(self.vocabulary.tags, key=lambda name: (name != "upos", name != "universal", name)))

    def tagset(self, name: str | None) -> str:
        """Check the name of a tagset; None is the first of `tagsets`.

        Raises:
            UsageError: the model does not know it.
        """
        if name is None:
            return self.tagsets[0]
        if name not in self.tagsets:
            raise UsageError(f"the model {self.name} has no tagset {name!r}: use {' or '.join(self.tagsets)}")
        return name

    def several_tagsets(self, names: Sequence[str]) -> tuple[str, ...]:
        """Check the names of one or more tagsets.

        Raises:
            UsageError: the model does not know one, one is given twice, or there are none.
        """
        if not names:
            raise UsageError("no tagset given")
        if twice := [name for name in names if names.count(name) > 1]:
            raise UsageError(f"tagset given twice: {twice[0]}")
        return tuple(map(self.tagset, names))

    @property
    def coarse_and_fine(self) -> tuple[str, ...]:
        """The tagsets of CoNLL-U's columns UPOS and XPOS: `upos`, then `native` or the only other one. Without two such
        tagsets, the first of `tagsets`."""
        first, *others = self.tagsets
        fine = [name for name in others if name == NATIVE] or others
        return (first, *fine) if first == "upos" and len(fine) == 1 else (first,)
