"""A stored network without torch: arrays of indices to vectors, vectors to tag scores."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from rnntag.errors import DataError
from rnntag.model.arrays import Ids
from rnntag.model.batching import WordIds, length_buckets
from rnntag.model.stored import ModelBundle
from rnntag.model.weights import WORD_TABLE, table_rows
from rnntag.onnx import graph as onnx_graph
from rnntag.onnx import protobuf
from rnntag.onnx.protobuf import Graph

Scores = npt.NDArray[np.float32]
Probabilities = npt.NDArray[np.float64]


def in_batches(lengths: Ids, most: int, score: Callable[[Ids, Ids], Scores]) -> Scores:
    """Scores of sequences that lie one after the other, made batch by batch.

    Args:
        lengths: of each sequence, at least 1, shape [sequences].
        most: steps of a batch, padding included.
        score: given where the steps of some of them lie, shape [time, batch], and their lengths,
            shape [batch], their scores, shape [time, batch, classes].

    Returns:
        Shape [steps of all sequences, classes].
    """
    starts = np.cumsum(lengths) - lengths
    found: Scores | None = None
    for group in length_buckets(lengths, most):
        steps = np.arange(lengths[group].max())[:, None]
        inside = steps < lengths[group]
        places = np.where(inside, starts[group] + steps, starts[group])
        scores = score(places, lengths[group])
        if found is None:
            found = np.empty((lengths.sum(), scores.shape[-1]), dtype=np.float32)
        found[places[inside]] = scores[inside]
    assert found is not None
    return found


class OnnxModel:
    """A graph from vectors to scores, see `onnx_graph.sequences`. May be used by several threads at once.

    Attributes:
        range_units: what the graph wants at the end of each vector.

    Raises:
        DataError: ONNX Runtime cannot load it.
    """

    def __init__(self, graph: Graph, threads: int = 1) -> None:
        self._session = _session(graph, threads)
        self.range_units = np.array(
            json.loads(graph.properties.get(onnx_graph.RANGE_UNITS_KEY, "[]")), dtype=np.float32
        )

    def scores(self, vectors: Scores, lengths: Ids, output: str) -> Scores:
        """The scores of each class before the softmax.

        Args:
            vectors: shape [time, sequences, size]; what follows a sequence's end does not matter.
            lengths: of each sequence, at least 1, shape [sequences].
            output: one of the graph's.

        Returns:
            Shape [time, sequences, classes].
        """
        feed = {"vectors": vectors, "lengths": lengths.astype(np.int32)}
        return self._session.run([output], feed)[0]  # type: ignore[no-any-return]


class Runtime:
    """The word table of a model, and its graphs, built here: see `onnx_graph`. May be used by several threads at once.

    Attributes:
        masked_vector: in place of a word's vector, that no word is read there; shape [size].

    Args:
        int8: compute in 8 bits where ONNX Runtime can; see `onnx_graph.has_int8`.

    Raises:
        DataError: ONNX Runtime cannot load the graphs.
    """

    def __init__(self, model: ModelBundle, threads: int = 1, *, int8: bool = True) -> None:
        self._made_of = model, threads, int8
        self._weights = model.weights
        self._encoder = None
        if model.config.input == "embedding":
            self._encoder = _session(onnx_graph.encoder(model), threads)
        self._tagger = OnnxModel(onnx_graph.tagger(model, int8=int8), threads)
        one = np.ones(1, dtype=np.int64)
        self.masked_vector = self.vectors(WordIds(one, one[:, None], one))[0]
        self.masked_vector[: len(self.masked_vector) - len(self._tagger.range_units)] = 0

    def __reduce__(self) -> tuple[Any, ...]:
        model, threads, int8 = self._made_of
        return partial(type(self), int8=int8), (model, threads)  # a session cannot be pickled

    def vectors(self, words: WordIds) -> Scores:
        """The vector of each word, shape [words, size]: its row of the table, its spelling, and the
        range_units that `onnx_graph.tagger` wants."""
        parts: list[Any] = [table_rows(self._weights, WORD_TABLE, words.ids)]
        if self._encoder:
            feed = {"chars": np.ascontiguousarray(words.chars.T), "lengths": words.lengths.astype(np.int32)}
            parts += self._encoder.run(None, feed)
        parts.append(np.broadcast_to(self._tagger.range_units, (len(words.ids), len(self._tagger.range_units))))
        return np.concatenate(parts, axis=1, dtype=np.float32)

    def scores(self, vectors: Scores, lengths: Ids, tagset: str) -> Scores:
        """The scores of each tag of one of the model's tagsets; see `Sequences.scores`."""
        return self._tagger.scores(vectors, lengths, onnx_graph.scores_of(tagset))


def _session(graph: Graph, threads: int) -> Any:
    # From 1.29 on it keeps a log of its use in the user's folders, and sends it to Microsoft.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Waiting threads that spin take the cores from other processes.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # An arena keeps the memory of the largest batch so far; this is as fast, and flat.
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(protobuf.write(graph), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's own exceptions have no common class to name
        raise DataError(f"ONNX Runtime cannot load the model: {error}") from error
