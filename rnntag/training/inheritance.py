"""Training that starts from a finished model: what it takes over.

Architecture and character map are the model's. Its words, characters and tags keep their places, and new ones follow
them (see `model.extension`).

With `keep`, sentences of the starter corpus are mixed in, and whatever has no gold tag, there and in the new text, is
trained on the probabilities of the model as it was (learning without forgetting: Li and Hoiem 2016).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

from rnntag.config import SEGMENTER_PREFIX, ModelConfig, SegmenterConfig, TrainConfig, about
from rnntag.corpora import loading
from rnntag.errors import UsageError
from rnntag.model import directory
from rnntag.model.stored import ModelBundle
from rnntag.sentences import Corpus, Sentence
from rnntag.training.checkpoint import Settings

KEPT_SHARE = 1.0
"""Tokens of the starter corpus in an epoch, for each token of the corpora."""
_ARCHITECTURE = ("hidden", "unit_dim", "shape_dim", "bigrams", "bigram_dim")
"""The settings of a segmenter that are its architecture."""
_Config = TypeVar("_Config", ModelConfig, TrainConfig, SegmenterConfig)


@dataclass(frozen=True, slots=True)
class Start:
    """What a run starts from.

    Attributes:
        model: the model.
        kept: the starter corpus; empty without `keep`.
    """

    model: ModelBundle
    kept: tuple[Corpus, ...] = ()


def model_of(settings: Settings) -> str:
    """The model that a run starts from, or ""."""
    return settings.training.init or (settings.segmenter.init if settings.segmenter else "")


def start(settings: Settings, corpora: Sequence[Corpus]) -> Start | None:
    """What a run starts from; None: nothing.

    Args:
        corpora: to learn from. Those of the starter corpus among them are not mixed in again.

    Raises:
        NotFoundError, DataError, AccessError: the model cannot be read.
    """
    name = model_of(settings)
    if not name:
        return None
    keep = settings.training.keep if settings.training.init or not settings.segmenter else settings.segmenter.keep
    named = {corpus.name for corpus in corpora}
    starter = loading.load([loading.STARTER]) if keep else []
    return Start(directory.read(directory.find(name)), tuple(c for c in starter if c.name not in named))


def kept_by_tagger(start: Start) -> list[Corpus]:
    """The starter corpus without gold tags, but with its dev and test splits if the model has their tagset."""
    measured = "upos" in start.model.vocabulary.tags
    return [
        Corpus(
            corpus.name,
            tuple(Sentence(sentence.tokens) for sentence in corpus.train),
            corpus.dev if measured else (),
            corpus.test if measured else (),
        )
        for corpus in start.kept
    ]


def inherited(asked: Settings, given: Collection[str]) -> Settings:
    """The settings of a run, with those that it takes over from the model that it starts from.

    Args:
        given: the names of the settings that the caller gave.

    Raises:
        UsageError: one of these contradicts the model.
        NotFoundError, DataError, AccessError: the model cannot be read.
    """
    name = model_of(asked)
    if not name:
        return asked
    model = directory.read(directory.find(name))
    network, training, segmenter = asked.model, asked.training, asked.segmenter
    if training.init:
        _refuse_vectors(training, "vectors")
        network = _taken_over(network, model.config, (field.name for field in fields(network)), given, model)
        training = _with_defaults(training, given)
    elif not model.segmenter:
        raise UsageError(f"the model {model.name} has no segmenter to start from", remedy={"init": None})
    if segmenter and not model.segmenter:
        segmenter = replace(segmenter, init="")
    elif segmenter and model.segmenter:
        shown = "" if asked.receiver else SEGMENTER_PREFIX  # of its settings in messages
        _refuse_vectors(segmenter, f"{shown}vectors")
        segmenter = _taken_over(segmenter, model.segmenter.config, _ARCHITECTURE, given, model, SEGMENTER_PREFIX, shown)
        segmenter = _with_defaults(segmenter, given, SEGMENTER_PREFIX)
    char_map = model.vocabulary.char_map if training.init or not model.segmenter else model.segmenter.units.char_map
    simplifies = any(char_map)
    if "simplify_chinese" in given and training.simplify_chinese != simplifies:
        raise UsageError(
            f"the model {model.name} {'reads' if simplifies else 'does not read'} traditional Chinese as simplified",
            remedy={"simplify_chinese": None},
        )
    return replace(asked, model=network, training=replace(training, simplify_chinese=simplifies), segmenter=segmenter)


def _refuse_vectors(asked: TrainConfig | SegmenterConfig, name: str) -> None:
    if asked.vectors:
        raise UsageError("word vectors cannot be combined with a model to start from", remedy={name: None})


def _taken_over(
    asked: _Config,
    source: _Config,
    names: Iterable[str],
    given: Collection[str],
    model: ModelBundle,
    prefix: str = "",
    shown: str = "",
) -> _Config:
    """The settings with some of those of the model to start from.

    Args:
        prefix, shown: of the settings in `given`, and in messages.
    """
    values = {name: getattr(source, name) for name in names}
    for name, value in values.items():
        if prefix + name in given and getattr(asked, name) != value:
            raise UsageError(
                f"{shown}{name} is {getattr(asked, name)}, but {value} in the model {model.name}",
                remedy={shown + name: None},
            )
    return replace(asked, **values)


def _with_defaults(asked: _Config, given: Collection[str], prefix: str = "") -> _Config:
    """The settings with the defaults of runs that start from a model."""
    settings: Sequence[Any] = fields(asked)
    own = [setting for setting in settings if prefix + setting.name not in given and about(setting).with_init]
    defaults: dict[str, Any] = {setting.name: about(setting).with_init for setting in own}
    return replace(asked, **defaults)
