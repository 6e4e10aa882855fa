"""A language model in ONNX Runtime, without torch: words to queries, queries to log probabilities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from rnntag.model.arrays import Ids
from rnntag.model.batching import WordIds, length_buckets
from rnntag.model.language_model import UNKNOWN_CHARACTER, StoredLanguageModel, clusters
from rnntag.model.vocabulary import PAD, UNKNOWN
from rnntag.model.weights import (
    CHARACTER_TABLE,
    CLUSTERS,
    FORWARD,
    OUTPUT_BIAS,
    SPELLER,
    WORD_TABLE,
    largest_value,
    table_rows,
)
from rnntag.onnx import graph
from rnntag.onnx.layers import Array, Layers
from rnntag.onnx.protobuf import FLOAT, INT64, Graph, Port
from rnntag.onnx.session import OnnxModel, Scores, WordEncoder, session_of

LogProbs = npt.NDArray[np.float64]

QUERIES, LOG_PROBS = "queries", "log_probs"
"""The names of the outputs of the graphs."""
STEPS_AT_ONCE = 512


class LanguageRuntime(WordEncoder):
    """The tables and graphs of a language model that reads forward. Thread-safe.

    Args:
        int8: compute in 8 bits where ONNX Runtime can; see `graph.has_int8`.

    Raises:
        DataError: ONNX Runtime cannot load the graphs.
    """

    def __init__(self, model: StoredLanguageModel, threads: int = 1, *, int8: bool = True) -> None:
        self._arguments = model, threads, int8
        weights = model.weights
        self._weights = weights
        self._encoder = session_of(graph.encoder(model), threads)
        self._forward = OnnxModel(direction(model, int8=int8), threads)
        self._speller = OnnxModel(speller(model), threads)
        self._softmax = session_of(softmax(), threads)
        self._range_units = self._forward.range_units
        self._set_masked_vector()
        table, bias = table_rows(weights, WORD_TABLE), weights[OUTPUT_BIAS].astype(np.float32)
        self._bounds = clusters(len(table), model.training)
        first = self._bounds[0]
        parts = [(table[UNKNOWN:first], bias[UNKNOWN:first])]
        if len(self._bounds) > 1:
            own = [weights[f"{CLUSTERS}.{name}"].astype(np.float32) for name in ("weight", "bias")]
            parts = [(np.concatenate([parts[0][0], own[0]]), np.concatenate([parts[0][1], own[1]]))]
            parts += [(table[a:b], bias[a:b]) for a, b in zip(self._bounds, self._bounds[1:], strict=False)]
        self._parts = parts

    def __reduce__(self) -> tuple[Any, ...]:
        model, threads, int8 = self._arguments
        return partial(type(self), int8=int8), (model, threads)

    def queries(self, vectors: Scores, lengths: Ids) -> Scores:
        """What the output layer is asked after each word, shape [time, sentences, size]; see `OnnxModel.scores`."""
        return self._forward.scores(vectors, lengths, QUERIES)

    def log_probs(self, queries: Scores, targets: Ids) -> LogProbs:
        """The log probability of each target, shape [steps].

        Args:
            queries: shape [steps, size].
            targets: rows of the word table, shape [steps].
        """
        first = self._bounds[0]
        cluster = np.searchsorted(self._bounds, targets, side="right")
        classes = np.where(cluster > 0, first - UNKNOWN + cluster - 1, targets - UNKNOWN)
        found = self._part(0, queries, classes)
        for number in np.unique(cluster[cluster > 0]).tolist():
            places = np.flatnonzero(cluster == number)
            found[places] += self._part(number, queries[places], targets[places] - self._bounds[number - 1])
        return found

    def _part(self, number: int, queries: Scores, classes: Ids) -> LogProbs:
        """The log probabilities of classes of a part of the output layer, shape [steps]."""
        table, bias = self._parts[number]
        found = np.empty(len(queries), dtype=np.float64)
        for begin in range(0, len(queries), STEPS_AT_ONCE):
            end = begin + STEPS_AT_ONCE
            feed = {"queries": queries[begin:end], "table": table, "bias": bias, "targets": classes[begin:end, None]}
            found[begin:end] = self._softmax.run(None, feed)[0][:, 0]
        return found

    def spelling_log_probs(self, words: WordIds) -> LogProbs:
        """The log probability of the characters of each word that the network reads, and of its end, shape [words]."""
        lengths = words.lengths + 1
        found = np.empty(len(lengths), dtype=np.float64)
        for group in length_buckets(lengths, STEPS_AT_ONCE):
            longest = int(lengths[group].max())
            chars = words.chars[group, : longest - 1].T
            ends = np.full((1, len(group)), PAD)
            read, targets = np.concatenate([ends, chars]), np.concatenate([chars, ends])  # [time, words]
            vectors = self._weights[CHARACTER_TABLE][read].astype(np.float32)
            scores = self._speller.scores(vectors, lengths[group], QUERIES)
            own = np.take_along_axis(scores, targets[:, :, None], axis=-1)[:, :, 0].astype(np.float64)
            largest = scores.max(-1, keepdims=True)
            own -= largest[:, :, 0] + np.log(np.exp(scores - largest).sum(-1))
            own -= UNKNOWN_CHARACTER * (targets == UNKNOWN)
            inside = np.arange(longest)[:, None] < lengths[group]
            found[group] = (own * inside).sum(0)
        return found


def direction(model: StoredLanguageModel, prefix: str = FORWARD, *, int8: bool = True) -> Graph:
    """The graph from word vectors to the queries of the output layer; see `graph.sequences`.

    Args:
        prefix: of the weights of the direction.
        int8: compute the recurrent layers in 8 bits if `graph.has_int8`.
    """
    int8 = int8 and graph.has_int8(model.config)
    largest = max(1.0, largest_value(model.weights, WORD_TABLE)) if int8 else None
    config = replace(model.config, bidirectional=False)
    return graph.sequences(config, _under(model.weights, prefix), {QUERIES: config.embedding_dim}, largest)


def speller(model: StoredLanguageModel) -> Graph:
    """The graph from vectors of characters to scores of the next character; see `graph.sequences`."""
    config = replace(model.config, bidirectional=False, layers=1, hidden=model.config.char_hidden)
    sizes = {QUERIES: model.vocabulary.character_rows}
    return graph.sequences(config, _under(model.weights, SPELLER), sizes, None)


def _under(weights: Mapping[str, Array], prefix: str) -> dict[str, Array]:
    """The weights whose names begin with a prefix, which is taken off."""
    return {name.removeprefix(prefix): weight for name, weight in weights.items() if name.startswith(prefix)}


def softmax() -> Graph:
    """The log probability of one class for each query.

    Inputs: `queries` [steps, size], `table` [classes, size], `bias` [classes] and `targets` [steps, 1], int64.
    Output: `log_probs` [steps, 1].
    """
    layers = Layers({})
    scores = layers.node("Gemm", ["queries", "table", "bias"], "scores", transB=1)
    logs = layers.node("LogSoftmax", [scores], "logs", axis=1)
    layers.node("GatherElements", [logs, "targets"], LOG_PROBS, axis=1)
    inputs = [
        Port("queries", FLOAT, ("steps", "size")),
        Port("table", FLOAT, ("classes", "size")),
        Port("bias", FLOAT, ("classes",)),
        Port("targets", INT64, ("steps", "one")),
    ]
    return layers.graph(inputs, {LOG_PROBS: ("steps", "one")})
