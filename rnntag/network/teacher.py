"""A network as it was before training, which supplies the tags that the data lack."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch

from rnntag.model.batching import IGNORED, Batch
from rnntag.network.tagger import Network


class Teacher:
    """A frozen copy of a network.

    Args:
        network: copied; its vocabulary may be larger than what it knows.
        tagsets: the tagsets that it knows, with their tags, which are the first of the network's tags.
    """

    def __init__(self, network: Network, tagsets: Mapping[str, Sequence[str]]) -> None:
        self._network = copy.deepcopy(network).eval()
        self._tag_counts = {tagset: len(tags) for tagset, tags in tagsets.items()}

    @torch.no_grad()
    def annotated(self, batch: Batch) -> Batch:
        """The batch with probabilities in the tagsets that the network knows, for tokens without a gold tag in them."""
        inside = np.arange(batch.index.shape[1]) < batch.lengths[:, None]  # [sentences, longest]
        soft = dict(batch.soft)
        for tagset, scores in self._network(batch).items():
            known = self._tag_counts.get(tagset, 0)
            if not known:
                continue
            probabilities = np.zeros(scores.shape, dtype=np.float32)
            probabilities[..., :known] = scores[..., :known].softmax(-1).cpu().numpy()
            probabilities[~inside | (batch.gold[tagset] != IGNORED)] = 0
            given = soft.get(tagset)
            if given is not None:
                probabilities = np.where(given.any(-1, keepdims=True), given, probabilities)
            soft[tagset] = probabilities
        return replace(batch, soft=soft)
