"""What a model directory holds, as records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from rnntag.config import CorpusFormat, ModelConfig, SegmenterConfig, TrainConfig
from rnntag.errors import UsageError
from rnntag.model.pretokens import PretokenVocabulary
from rnntag.model.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a model comes from: what it was trained on and how it did.

    Attributes:
        specs, tagsets, encoding, corpus_format: what the corpora were asked for with.
        corpora: by name, the number of sentences in each part.
        dev, test: accuracies (0 to 1) by corpus name.
        epoch: the one that the weights are from.
        minutes: how long training took until then.
        created: the day, as ISO 8601.
        rnntag, torch: the versions that trained it.
    """

    specs: tuple[str, ...] = ()
    tagsets: tuple[str, ...] = ()
    encoding: str = "utf-8"
    corpus_format: CorpusFormat = "auto"
    corpora: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    dev: Mapping[str, float] = field(default_factory=dict)
    test: Mapping[str, float] = field(default_factory=dict)
    epoch: int = 0
    minutes: float = 0.0
    created: str = ""
    rnntag: str = ""
    torch: str = ""


@dataclass(frozen=True)
class StoredSegmenter:
    """What finds words and sentences in raw text.

    Attributes:
        weights: by the network's parameter names, on disk and here; see `compact`.
        dev: by corpus name, F1 (0 to 1) of words and of sentences on its dev part.
        specs: the corpora that it was trained on.
    """

    config: SegmenterConfig
    units: PretokenVocabulary
    weights: Mapping[str, np.ndarray]
    dev: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    specs: tuple[str, ...] = ()


@dataclass(frozen=True)
class ModelBundle:
    """All that a model directory holds.

    Attributes:
        name: the directory's name.
        weights: by the network's parameter names, on disk and here; see `compact`.
        temperatures: by tagset, what scores are divided by before the softmax, so that its
            probabilities come true; 1 where there is none.
        segmenter: None if it can only tag words.
        history: the learning curve, as on disk; see `history`. Empty if it is not known.
        digest: eight hexadecimal digits that stand for the verified files; "" before they are written.
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
        """The tagsets that it knows, universal ones first."""
        return tuple(sorted(self.vocabulary.tags, key=lambda name: (name != "upos", name != "universal", name)))

    def tagset(self, name: str | None) -> str:
        """The tagset that is meant; the first of `tagsets` for None.

        Raises:
            UsageError: the model does not know it.
        """
        if name is None:
            return self.tagsets[0]
        if name not in self.tagsets:
            raise UsageError(f"the model {self.name} does not know {name}: it knows {', '.join(self.tagsets)}")
        return name
