"""The weights of a model for a larger vocabulary, so that more training begins with what the model knows."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from rnntag.model.pretokens import PretokenVocabulary, fallback_row
from rnntag.model.stored import ModelBundle, StoredSegmenter
from rnntag.model.vocabulary import Vocabulary
from rnntag.model.weights import CHARACTER_TABLE, FEEDBACK, UNIT_TABLE, WORD_TABLE, dequantize

Weights = dict[str, npt.NDArray[np.float32]]


def tagger(model: ModelBundle, vocabulary: Vocabulary, fresh: Mapping[str, np.ndarray]) -> Weights:
    """A tagger's weights, as float32. They predict what the model predicts, but for the little that new tags of an old
    tagset change where its probabilities are fed back.

    New words and characters begin as unknown ones. New tags of an old tagset begin as the mean of its tags, which is
    never the best. New tagsets are not fed back at first.

    Args:
        vocabulary: see `Vocabulary.extended`.
        fresh: weights of the same network, for the layers of new tagsets.
    """
    old = model.vocabulary
    weights = _widened(model.weights)
    weights[WORD_TABLE] = weights[WORD_TABLE][vocabulary.word_rows_in(old)]
    if CHARACTER_TABLE in weights:
        weights[CHARACTER_TABLE] = weights[CHARACTER_TABLE][vocabulary.character_rows_in(old)]
    places: list[int] = []  # of the old tags among all tags, in the order of the tagsets
    begin = 0
    for number, (tagset, tags) in enumerate(vocabulary.tags.items()):
        for part in (f"heads.{number}.weight", f"heads.{number}.bias"):
            if tagset in old.tags:
                weights[part] = _with_means(weights[part], len(tags) - len(old.tags[tagset]))
            else:
                weights[part] = fresh[part].astype(np.float32)
        places += range(begin, begin + len(old.tags.get(tagset, ())))
        begin += len(tags)
    for name in [name for name in weights if name.endswith(FEEDBACK)]:
        columns = np.zeros((len(weights[name]), begin), dtype=np.float32)
        columns[:, places] = weights[name]
        weights[name] = columns
    return weights


def segmenter(
    model: StoredSegmenter, units: PretokenVocabulary, languages: int, fresh: Mapping[str, np.ndarray]
) -> Weights:
    """A segmenter's weights, as float32. New units begin as the unknown units that they were, new languages with
    multiword tokens as the mean of the classes of a token.

    Args:
        units: see `PretokenVocabulary.build`, extending those of the model.
        languages: the number of those with multiword tokens, the model's first.
        fresh: weights of the same network, for the head of languages that the model does not have.
    """
    weights = _widened(model.weights)
    shared = [fallback_row(form) for form in units.known[len(model.units.known) :]]
    weights[UNIT_TABLE] = np.concatenate([weights[UNIT_TABLE], weights[UNIT_TABLE][shared]])
    for part in ("heads.1.weight", "heads.1.bias") if languages else ():
        if model.expansions:
            weights[part] = _with_means(weights[part], languages - len(model.expansions))
        else:
            weights[part] = fresh[part].astype(np.float32)
    return weights


def _with_means(rows: npt.NDArray[np.float32], count: int) -> npt.NDArray[np.float32]:
    """Rows, and so many more, which are their mean."""
    return np.concatenate([rows, np.repeat(rows.mean(axis=0, keepdims=True), count, axis=0)])


def _widened(weights: Mapping[str, np.ndarray]) -> Weights:
    return {name: weight.astype(np.float32) for name, weight in dequantize(weights).items()}
