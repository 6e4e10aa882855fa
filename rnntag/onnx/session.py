"""Models in ONNX Runtime, without torch: indices to vectors, vectors to scores."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Mapping
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


def in_batches(lengths: Ids, max_steps: int, score: Callable[[Ids, Ids], Scores]) -> Scores:
    """Score concatenated sequences in batches of similar length.

    Args:
        lengths: length of each sequence, at least 1, shape [sequences].
        max_steps: steps per batch, padding included.
        score: scores a batch [time, batch, classes], given the positions of its steps in the concatenation, shape
            [time, batch], and the lengths of its sequences, shape [batch].

    Returns:
        The scores of all steps in the order of the concatenation, shape [steps, classes].
    """
    starts = np.cumsum(lengths) - lengths
    all_scores: Scores | None = None
    for group in length_buckets(lengths, max_steps):
        # Gather each sequence into a column, with its first step as padding; scatter the scores back, without padding.
        steps = np.arange(lengths[group].max())[:, None]  # [time, 1]
        inside = steps < lengths[group]  # [time, batch]
        positions = np.where(inside, starts[group] + steps, starts[group])
        scores = score(positions, lengths[group])
        if all_scores is None:
            all_scores = np.empty((lengths.sum(), scores.shape[-1]), dtype=np.float32)
        all_scores[positions[inside]] = scores[inside]
    assert all_scores is not None
    return all_scores


class OnnxModel:
    """A graph from vectors to scores; see `onnx.graph.sequences`. Thread-safe.

    Attributes:
        range_units: the numbers that each vector must end in; empty in 32 bits.

    Raises:
        DataError: ONNX Runtime cannot load it.
    """

    def __init__(self, graph: Graph, threads: int = 1) -> None:
        self._session = session_of(graph, threads)
        self.range_units = np.array(
            json.loads(graph.properties.get(onnx_graph.RANGE_UNITS_KEY, "[]")), dtype=np.float32
        )

    def scores(self, vectors: Scores, lengths: Ids, *outputs: str) -> Scores:
        """The scores before the softmax, shape [time, sequences, classes], the classes of each output side by side.

        Args:
            vectors: shape [time, sequences, size]; the padding has no effect.
            lengths: length of each sequence, at least 1, shape [sequences].
            outputs: the names of outputs of the graph.
        """
        feed = {"vectors": vectors, "lengths": lengths.astype(np.int32)}
        scores = self._session.run(outputs, feed)
        return scores[0] if len(scores) == 1 else np.concatenate(scores, axis=-1)


class WordEncoder:
    """The word table of a model and the graph from characters to spelling vectors.

    Attributes:
        masked_vector: the vector of a masked word, shape [size].
    """

    _weights: Mapping[str, np.ndarray]
    _encoder: Any
    _range_units: Scores
    masked_vector: Scores

    def _set_masked_vector(self) -> None:
        # Any word's vector has the right size; all of it but the range units becomes 0.
        any_id = np.ones(1, dtype=np.int64)
        self.masked_vector = self.vectors(WordIds(any_id, any_id[:, None], any_id))[0]
        self.masked_vector[: len(self.masked_vector) - len(self._range_units)] = 0

    def vectors(self, words: WordIds) -> Scores:
        """The vector of each word, shape [words, size]: its row of the table, its spelling vector, the range units."""
        parts: list[Any] = [table_rows(self._weights, WORD_TABLE, words.ids)]
        if self._encoder:
            feed = {"chars": np.ascontiguousarray(words.chars.T), "lengths": words.lengths.astype(np.int32)}
            parts += self._encoder.run(None, feed)
        parts.append(np.broadcast_to(self._range_units, (len(words.ids), len(self._range_units))))
        return np.concatenate(parts, axis=1, dtype=np.float32)


class Runtime(WordEncoder):
    """The word table and the graphs of a tagger; see `onnx.graph`. Thread-safe.

    Args:
        int8: compute in 8 bits where ONNX Runtime can; see `onnx.graph.has_int8`.

    Raises:
        DataError: ONNX Runtime cannot load the graphs.
    """

    def __init__(self, model: ModelBundle, threads: int = 1, *, int8: bool = True) -> None:
        self._arguments = model, threads, int8
        self._weights = model.weights
        self._encoder = None
        if model.config.input == "embedding":
            self._encoder = session_of(onnx_graph.encoder(model), threads)
        self._lock = threading.Lock()
        self._taggers: dict[tuple[str, ...], OnnxModel] = {}
        self._range_units = self._tagger(model.tagsets[:1]).range_units
        self._set_masked_vector()

    def __reduce__(self) -> tuple[Any, ...]:
        model, threads, int8 = self._arguments
        return partial(type(self), int8=int8), (model, threads)  # a session cannot be pickled

    def scores(self, vectors: Scores, lengths: Ids, *tagsets: str) -> Scores:
        """The scores of the tags of tagsets, in one pass; see `OnnxModel.scores`."""
        return self._tagger(tagsets).scores(vectors, lengths, *map(onnx_graph.scores_of, tagsets))

    def _tagger(self, tagsets: tuple[str, ...]) -> OnnxModel:
        """The graph with these heads alone: ONNX Runtime would compute the others too."""
        with self._lock:
            if tagsets not in self._taggers:
                model, threads, int8 = self._arguments
                self._taggers[tagsets] = OnnxModel(onnx_graph.tagger(model, tagsets, int8=int8), threads)
            return self._taggers[tagsets]


def session_of(graph: Graph, threads: int) -> Any:
    """A session of ONNX Runtime.

    Raises:
        DataError: ONNX Runtime cannot load the graph.
    """
    # From 1.29 on, ONNX Runtime logs its use in the user's folders and sends the log to Microsoft.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Threads that spin while they wait would take cores from other processes.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # An arena would keep the memory of the largest batch; without it, speed is the same and memory stays flat.
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(protobuf.write(graph), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's exceptions have no common base class
        raise DataError(f"ONNX Runtime cannot load the model: {error}") from error
