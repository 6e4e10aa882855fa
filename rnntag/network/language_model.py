"""The language network: recurrent layers over word vectors, and an output layer for the next word.

The output layer is an adaptive softmax (Grave et al. 2017) whose rows are the word embeddings (Press and Wolf 2017). A
word without a row is the unknown word, spelled by a small recurrent network, so that each word has a probability.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from rnntag.config import ModelConfig, PretrainConfig
from rnntag.model.arrays import Ids
from rnntag.model.batching import WordIds
from rnntag.model.language_model import UNKNOWN_CHARACTER, clusters
from rnntag.model.vocabulary import PAD, UNKNOWN, Vocabulary
from rnntag.model.weights import UNIGRAMS
from rnntag.network.cells import RecurrentLayer, State
from rnntag.network.tagger import CharRNNEncoder, load

WORD_END = PAD
"""The class of the end of a word; also what the spelling begins with."""


class Window(NamedTuple):
    """Some steps of several texts.

    Attributes:
        words: the distinct words that are read.
        places: position of each word read in `words`, shape [texts, time].
        targets: the row of the word to predict; `PAD` where there is none. Shape [texts, time].
        unknown: the words to predict that have no row, in the order of `targets`.
        unread: see `model.language_model.unread_cost`, shape [words].
    """

    words: WordIds
    places: Ids
    targets: Ids
    unknown: WordIds
    unread: npt.NDArray[np.float32]


class Stack(nn.Module):
    """Recurrent layers in one direction and a linear map of their states."""

    def __init__(self, config: ModelConfig, inputs: int, hidden: int, layers: int, outputs: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList()
        for _ in range(layers):
            self.layers.append(RecurrentLayer(config.cell, config.activation, inputs, hidden, bidirectional=False))
            inputs = hidden
        self.heads = nn.ModuleList([nn.Linear(inputs, outputs)])

    def run(
        self, x: Tensor, wanted: Tensor, before: Sequence[State] | None, dropout: float
    ) -> tuple[Tensor, list[State]]:
        """The outputs of the wanted steps, shape [steps, outputs], and the state of each layer after the last.

        Args:
            x: shape [texts, time, inputs].
            wanted: whether each step is, shape [texts, time].
            before: the state of each layer before the first step; zeros if None.
        """
        after = []
        for depth, layer in enumerate(self.layers):
            x = functional.dropout(x, dropout, self.training)
            x, state = layer.continued(x, before[depth] if before else None)  # type: ignore[operator]
            after.append(state)
        return self.heads[0](functional.dropout(x[wanted], dropout, self.training)), after


class AdaptiveSoftmax(nn.Module):
    """See `model.language_model.clusters`.

    Args:
        rows: of the word table.
        size: of its rows.
    """

    def __init__(self, rows: int, size: int, config: PretrainConfig) -> None:
        super().__init__()
        self.bounds = clusters(rows, config)
        self.bias = nn.Parameter(torch.zeros(rows))
        self.unigrams: Tensor
        self.register_buffer("unigrams", torch.zeros(rows))
        if len(self.bounds) > 1:
            self.clusters = nn.Linear(size, len(self.bounds) - 1)

    @torch.no_grad()
    def begin_with(self, probabilities: Tensor) -> None:
        """Begin with the probability of each word by itself, shape [rows]."""
        self.unigrams.copy_(probabilities.log())
        self.bias.copy_(self.unigrams)
        if len(self.bounds) > 1:
            totals = torch.stack([probabilities[a:b].sum() for a, b in pairwise(self.bounds)])
            self.clusters.bias.copy_(totals.log())

    def losses(self, queries: Tensor, targets: Tensor, table: Tensor) -> Tensor:
        """The negative log-likelihood of each target, shape [steps].

        Args:
            queries: shape [steps, size].
            targets: rows of the table, shape [steps].
            table: shape [rows, size].
        """
        first = self.bounds[0]
        # Split, not sliced: the gradient of each slice would be as large as the table.
        sizes = np.diff([0, UNKNOWN, *self.bounds]).tolist()
        _, head, *tails = zip(torch.split(table, sizes), torch.split(self.bias, sizes), strict=True)
        scores = functional.linear(queries, *head)
        cluster = torch.bucketize(targets, torch.tensor(self.bounds, device=targets.device), right=True)
        if len(self.bounds) > 1:
            scores = torch.cat([scores, self.clusters(queries)], dim=-1)
        classes = torch.where(cluster > 0, first - UNKNOWN + cluster - 1, targets - UNKNOWN)
        losses = functional.cross_entropy(scores, classes, reduction="none")
        for number, (begin, tail) in enumerate(zip(self.bounds, tails, strict=False), 1):
            places = torch.nonzero(cluster == number)[:, 0]
            if len(places):
                scores = functional.linear(queries[places], *tail)
                own = functional.cross_entropy(scores, targets[places] - begin, reduction="none")
                losses = losses.index_add(0, places, own)
        return losses


class LanguageNetwork(Stack):
    """Predicts the next word, and with `config.bidirectional` also, with layers of its own, the one before.

    Args:
        vocabulary: of words and characters.
        counts: how often each row of the word table occurs, and the unknown word; shape [rows].
    """

    def __init__(
        self, config: ModelConfig, training: PretrainConfig, vocabulary: Vocabulary, counts: np.ndarray
    ) -> None:
        encoder = CharRNNEncoder(config, vocabulary)
        super().__init__(config, encoder.outputs, config.hidden, config.layers, config.embedding_dim)
        self.encoder = encoder
        self.config = config
        self.dropout = training.dropout
        self.reverse: Stack | None = None
        if config.bidirectional:
            self.reverse = Stack(config, encoder.outputs, config.hidden, config.layers, config.embedding_dim)
        self.speller = Stack(config, config.char_dim, config.char_hidden, 1, vocabulary.character_rows)
        self.output = AdaptiveSoftmax(vocabulary.word_rows, config.embedding_dim, training)
        self.output.begin_with(torch.from_numpy(np.maximum(counts, 1) / counts.sum()).float())
        self.counts = torch.from_numpy(counts)

    @property
    def device(self) -> torch.device:
        return self.output.bias.device

    def losses(
        self, window: Window, before: Sequence[State] | None = None, *, backward: bool = False
    ) -> tuple[Tensor, list[State]]:
        """The negative log-likelihood of each word to predict, shape [words], and the states after the last step.

        Args:
            before: the states before the first step; zeros if None.
            backward: whether the texts are read from their ends.
        """
        device = self.device
        ids, chars, lengths = (
            torch.from_numpy(part).to(device) for part in (window.words.ids, window.words.chars, window.words.lengths)
        )
        dropped = None
        if self.training:
            dropped = torch.rand(ids.shape, device=device) < 1 / (1 + self.counts.to(device)[ids])
        vectors = self.encoder(ids, chars, lengths, self.dropout, dropped)
        stack = self.reverse if backward and self.reverse is not None else self
        targets = torch.from_numpy(window.targets).to(device)
        inside = targets != PAD
        # Not vectors[places]: its gradient is summed by several threads in no fixed order.
        x = functional.embedding(torch.from_numpy(window.places).to(device), vectors)
        queries, after = stack.run(x, inside, before, self.dropout)
        losses = self.output.losses(queries, targets[inside], self.encoder.table())
        if len(window.unknown.ids):
            places = torch.nonzero(targets[inside] == UNKNOWN)[:, 0]
            spelled = self.spelling_losses(window.unknown) + torch.from_numpy(window.unread).to(device)
            losses = losses.index_add(0, places, spelled)
        return losses, after

    def spelling_losses(self, words: WordIds) -> Tensor:
        """The negative log-likelihood of the characters of each word and of its end, shape [words]."""
        device = self.device
        chars, lengths = torch.from_numpy(words.chars).to(device), torch.from_numpy(words.lengths).to(device)
        read = functional.pad(chars, (1, 0), value=WORD_END)
        inside = torch.arange(read.shape[1], device=device) <= lengths[:, None]
        scores, _ = self.speller.run(self.encoder.chars(read), inside, None, 0.0)
        targets = functional.pad(chars, (0, 1), value=WORD_END)[inside]
        losses = functional.cross_entropy(scores, targets, reduction="none")
        losses = losses + UNKNOWN_CHARACTER * (targets == UNKNOWN)
        owners = torch.nonzero(inside)[:, 0]
        return torch.zeros(len(lengths), device=device).index_add(0, owners, losses)

    def weights(self) -> dict[str, np.ndarray]:
        """The weights by name, with `UNIGRAMS`."""
        named = {name: parameter.detach().cpu().numpy() for name, parameter in self.named_parameters()}
        return named | {UNIGRAMS: self.output.unigrams.cpu().numpy()}

    def load_weights(self, weights: Mapping[str, np.ndarray]) -> None:
        """Load weights as they are before they are stored; see `weights.dequantize`."""
        self.output.unigrams = torch.from_numpy(np.array(weights[UNIGRAMS], dtype=np.float32))
        load(self, {name: weight for name, weight in weights.items() if name != UNIGRAMS})
