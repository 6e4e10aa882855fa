"""What tags with PyTorch: the oracle for the graphs that ONNX Runtime runs."""

from __future__ import annotations

import numpy as np
import torch

from rnntag.model.arrays import Ids
from rnntag.model.batching import WordIds
from rnntag.model.stored import ModelBundle
from rnntag.network.tagger import Network
from rnntag.tagger import Tagger
from rnntag.word_cache import WordCache


class TorchRuntime:
    """Does what `onnx.session.Runtime` does."""

    def __init__(self, model: ModelBundle) -> None:
        self._network = Network.of(model)
        self.masked_vector = np.zeros(self._network.encoder.outputs, dtype=np.float32)

    @torch.inference_mode()
    def vectors(self, words: WordIds) -> np.ndarray:
        return self._network.vectors(words).numpy()

    @torch.inference_mode()
    def scores(self, vectors: np.ndarray, lengths: Ids, tagset: str) -> np.ndarray:
        x = torch.from_numpy(vectors).transpose(0, 1)
        return self._network.scores(x, torch.from_numpy(lengths))[tagset].transpose(0, 1).numpy()


def torch_tagger(model: ModelBundle) -> Tagger:
    """A tagger that computes with PyTorch."""
    tagger = Tagger(model)
    tagger._runtime = TorchRuntime(model)
    tagger._words = WordCache(model.vocabulary, tagger._runtime)
    return tagger
