"""The segmenter's network: embeddings of pretokens, a bidirectional LSTM, a head over the three boundary classes, and
one over the languages that have multiword tokens."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from rnntag.config import SegmenterConfig
from rnntag.model.arrays import Ids
from rnntag.model.pretokens import PretokenVocabulary
from rnntag.model.weights import segmenter_classes
from rnntag.network.cells import RecurrentLayer, reversal

UNIT_DEVIATION = 0.3
"""Of the numbers in the embeddings of units at first."""


class SegmenterNetwork(nn.Module):
    """See `weights.segmenter_classes` for the heads.

    Args:
        languages: number of languages that have multiword tokens.
    """

    def __init__(self, config: SegmenterConfig, units: PretokenVocabulary, languages: int = 0) -> None:
        super().__init__()
        self.config = config
        self.units = nn.Embedding(units.rows, config.unit_dim)
        self.shapes = nn.Embedding(units.shapes, config.shape_dim)
        self.bigrams = nn.Embedding(max(units.bigrams, 1), config.bigram_dim)
        size = config.unit_dim + config.shape_dim + (2 * config.bigram_dim if units.bigrams else 0)
        self.layers = nn.ModuleList([RecurrentLayer("lstm", "tanh", size, config.hidden, bidirectional=True)])
        self.heads = nn.ModuleList([nn.Linear(2 * config.hidden, classes) for classes in segmenter_classes(languages)])
        nn.init.normal_(self.units.weight, std=UNIT_DEVIATION)
        nn.init.normal_(self.shapes.weight, std=0.3)
        nn.init.normal_(self.bigrams.weight, std=0.1)

    def start_from(self, rows: Ids, vectors: np.ndarray) -> None:
        """Begin with pretrained vectors of units.

        Args:
            rows: of the unit table, shape [units].
            vectors: of deviation 1, shape [units, at most the size of a row].
        """
        with torch.no_grad():
            self.units.weight[rows, : vectors.shape[1]] = UNIT_DEVIATION * torch.from_numpy(vectors)

    def vectors(self, columns: Tensor) -> Tensor:
        """The input vectors of units, shape [batch, time, size]; see `forward`."""
        tables = (self.units, self.shapes, self.bigrams, self.bigrams)
        parts = [table(column) for table, column in zip(tables, columns.unbind(-1), strict=False)]
        return torch.cat(parts, dim=-1)

    def forward(self, columns: Tensor, lengths: Tensor) -> Tensor:
        """Scores of the boundary classes before the softmax, shape [batch, time, 3]; see `scores`."""
        return self.scores(columns, lengths)[0]

    def scores(self, columns: Tensor, lengths: Tensor) -> list[Tensor]:
        """Scores of the classes of each head before the softmax, shape [batch, time, classes].

        Args:
            columns: see `PretokenVocabulary.columns`, shape [batch, time, 2 or 4].
            lengths: number of units of each text, shape [batch].
        """
        x = functional.dropout(self.vectors(columns), self.config.dropout, self.training)
        order = reversal(lengths, columns.shape[1])
        for layer in self.layers:
            x, _ = layer(x, order)
        x = functional.dropout(x, self.config.dropout, self.training)
        return [head(x) for head in self.heads]
