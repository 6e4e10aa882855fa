"""The tagging network: word encoder, recurrent layers, one softmax head for each tagset."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from rnntag.config import ModelConfig
from rnntag.errors import DataError
from rnntag.model.arrays import Ids
from rnntag.model.batching import IGNORED, Batch, Encoded, WordIds
from rnntag.model.stored import ModelBundle
from rnntag.model.vocabulary import PAD, RESERVED, UNKNOWN, Vocabulary
from rnntag.model.weights import GATES, WORD_TABLE, dequantize
from rnntag.network.cells import Feedback, Gates, RecurrentLayer, State, reversal
from rnntag.network.truncation import TruncationWindows

PREDICTION_TOKENS = 8000
VECTOR_DROPOUT = 0.1
"""Probability, in training, of hiding a word's pretrained vector, so that the network does not rely on it alone."""


@dataclass(frozen=True, slots=True)
class Regularisation:
    """Dropout in training.

    Attributes:
        dropout: probability for each unit of each layer's input (Srivastava et al. 2014).
        word_dropout: a word that occurs n times becomes unknown with probability word_dropout / (word_dropout + n)
            (Kiperwasser and Goldberg 2016).
        counts: n for each row of the word table, shape [rows].
    """

    dropout: float
    word_dropout: float
    counts: Tensor


def _initialise(table: nn.Embedding) -> None:
    nn.init.normal_(table.weight, std=0.1)
    nn.init.zeros_(table.weight[: UNKNOWN + 1])  # neutral even if training never meets an unknown


LENGTHS = (4, 8)
"""The greatest lengths of groups of words, in characters; longer words are one more group."""


class CharRNNEncoder(nn.Module):
    """A word embedding concatenated with the last states of a bidirectional RNN over the characters (Ling et al. 2015;
    Plank et al. 2016).

    With pretrained vectors, which are frozen, a word's embedding is the sum of a learned row and a linear map of its
    vector. Words outside the training data use the unknown row.
    """

    def __init__(self, config: ModelConfig, vocabulary: Vocabulary, vectors: Tensor | None = None) -> None:
        super().__init__()
        rows = vocabulary.word_rows if vectors is None else RESERVED + vocabulary.n_embedded
        self.words = nn.Embedding(rows, config.embedding_dim, padding_idx=PAD)
        self.vectors: Tensor
        self.projection: nn.Linear | None = None
        if vectors is not None:
            self.register_buffer("vectors", vectors, persistent=False)
            self.projection = nn.Linear(vectors.shape[1], config.embedding_dim, bias=False)
            nn.init.normal_(self.projection.weight, std=0.02)
        self.chars = nn.Embedding(vocabulary.character_rows, config.char_dim, padding_idx=PAD)
        for table in (self.words, self.chars):
            _initialise(table)
        self.spelling = RecurrentLayer(
            config.cell, config.activation, config.char_dim, config.char_hidden, bidirectional=True
        )
        self.outputs = config.embedding_dim + self.spelling.outputs

    def forward(self, ids: Tensor, chars: Tensor, lengths: Tensor, dropout: float, dropped: Tensor | None) -> Tensor:
        """Vectors of words, shape [words, outputs]. Words that are `dropped` [words] use the unknown row."""
        spelling = self._spelling(chars, lengths, dropout)
        rows = ids if dropped is None else ids.masked_fill(dropped, UNKNOWN)
        embedding = self.words(rows.masked_fill(rows >= len(self.words.weight), UNKNOWN))
        if self.projection is not None:
            hidden = torch.rand(ids.shape, device=ids.device) < (VECTOR_DROPOUT if self.training else 0.0)
            embedding = embedding + self.projection(self.vectors[ids]) * ~hidden[:, None]
        return torch.cat([embedding, spelling], dim=-1)

    def _spelling(self, chars: Tensor, lengths: Tensor, dropout: float) -> Tensor:
        """The last states over the characters of words, shape [words, outputs].

        Words of about the same length are computed together: most are far shorter than the longest.
        """
        groups = torch.bucketize(lengths, torch.tensor(LENGTHS, device=lengths.device))
        orders, states = [], []
        for words in (torch.nonzero(groups == group)[:, 0] for group in range(len(LENGTHS) + 1)):
            if len(words):
                longest = int(lengths[words].max())
                letters = functional.dropout(self.chars(chars[words, :longest]), dropout, self.training)
                orders.append(words)
                states.append(self.spelling(letters, reversal(lengths[words], longest))[1])
        return torch.cat(states)[torch.cat(orders).argsort()]

    def table(self) -> Tensor:
        """The embedding of each word, shape [rows, size]."""
        learned = self.words.weight
        if self.projection is None:
            return learned
        others = learned[UNKNOWN].expand(len(self.vectors) - len(learned), -1)
        return torch.cat([learned, others]) + self.projection(self.vectors)  # type: ignore[no-any-return]


class OneHotEncoder(nn.Module):
    """U·onehot(w) for each gate of each direction: a row of the transposed U (Elman 1990)."""

    def __init__(self, config: ModelConfig, vocabulary: Vocabulary) -> None:
        super().__init__()
        self.outputs = GATES[config.cell] * config.hidden * (2 if config.bidirectional else 1)
        self.words = nn.Embedding(vocabulary.word_rows, self.outputs, padding_idx=PAD)
        _initialise(self.words)

    def forward(self, ids: Tensor, chars: Tensor, lengths: Tensor, dropout: float, dropped: Tensor | None) -> Tensor:
        return self.words(ids if dropped is None else ids.masked_fill(dropped, UNKNOWN))  # type: ignore[no-any-return]

    def table(self) -> Tensor:
        return self.words.weight


def _masked(x: Tensor, dropout_mask: Tensor | None) -> Tensor:
    return x if dropout_mask is None else x * dropout_mask


class Network(nn.Module):
    """Computes tag scores from batches of indices."""

    def __init__(self, config: ModelConfig, vocabulary: Vocabulary, vectors: np.ndarray | None = None) -> None:
        super().__init__()
        self.config = config
        onehot = config.input == "onehot"
        if onehot:
            self.encoder: OneHotEncoder | CharRNNEncoder = OneHotEncoder(config, vocabulary)
        else:
            self.encoder = CharRNNEncoder(config, vocabulary, None if vectors is None else torch.from_numpy(vectors))
        self.layers = nn.ModuleList()
        inputs = self.encoder.outputs
        self._tag_counts = [len(tags) for tags in vocabulary.tags.values()]
        fed_back = sum(self._tag_counts) if config.feedback else 0
        for depth in range(config.layers):
            layer = RecurrentLayer(
                config.cell,
                config.activation,
                inputs,
                config.hidden,
                bidirectional=config.bidirectional,
                onehot=onehot and depth == 0,
                tags=fed_back if depth == config.layers - 1 else 0,
            )
            self.layers.append(layer)
            inputs = layer.outputs
        self.tagsets = tuple(vocabulary.tags)
        self.heads = nn.ModuleList(nn.Linear(inputs, count) for count in self._tag_counts)
        self.regularisation: Regularisation | None = None
        self.class_weights: Mapping[str, Tensor] = {}  # by tagset, the weight of each gold tag in the loss, [tags]

    @classmethod
    def of(cls, model: ModelBundle) -> Network:
        """The network of a stored model, in evaluation mode.

        Raises:
            DataError: the weights do not fit the model's configuration.
        """
        network = cls(model.config, model.vocabulary)
        network.load_weights(dequantize(model.weights))
        return network.eval()

    def vectors(self, words: WordIds) -> Tensor:
        """The vector of each word, shape [words, size]; in training with word dropout."""
        device = next(self.parameters()).device
        ids, chars, lengths = (torch.from_numpy(a).to(device) for a in (words.ids, words.chars, words.lengths))
        drop = self.regularisation if self.training else None
        dropped = None
        if drop and drop.word_dropout:
            odds = drop.word_dropout / (drop.word_dropout + drop.counts[ids])
            dropped = torch.rand(ids.shape, device=device) < odds
        return self.encoder(ids, chars, lengths, self._dropout, dropped)  # type: ignore[no-any-return]

    def scores(
        self, x: Tensor, lengths: Tensor, gold: Tensor | None = None, *, bptt_steps: int = 0
    ) -> dict[str, Tensor]:
        """Scores before the softmax; for each tagset, shape [sentences, time, tags].

        Args:
            x: vectors of words, padded on the right, shape [sentences, time, size].
            lengths: number of words of each sentence, shape [sentences].
            gold: with feedback, distributions to feed back instead of the network's own; NaN where its own are used.
                Shape [sentences, time, tags of all tagsets].
            bptt_steps: how many steps errors go back, see `TruncationWindows`; 0: all. It affects gradients only.
        """
        order = reversal(lengths, x.shape[1])
        masks = [self._dropout_mask(x, size) for size in (x.shape[2], *(layer.outputs for layer in self._recurrent))]
        if not bptt_steps:
            return self._heads(self._states(x, order, masks, gold))
        with torch.no_grad():
            traces = self._traces(x, order, masks, gold)
        windows = TruncationWindows.around(lengths, bptt_steps, bidirectional=self.config.bidirectional)
        states = self._states(
            windows.of(x),
            reversal(windows.lengths, windows.steps.shape[1]),
            [None if mask is None else windows.of(mask) for mask in masks],
            None if gold is None else windows.of(gold),
            [windows.states(trace) for trace in traces],
        )
        return self._heads(windows.core(states, x.shape[1]))

    def _states(
        self,
        x: Tensor,
        order: Tensor,
        masks: list[Tensor | None],
        gold: Tensor | None,
        initial: Sequence[tuple[State, State | None] | None] | None = None,
    ) -> Tensor:
        """The inputs of the heads, shape [sentences, time, size].

        Args:
            masks: the dropout mask of each layer's input, then that of the heads.
        """
        for layer, mask, before in zip(self._recurrent, masks, initial or [None] * len(self.layers), strict=False):
            x, _ = layer(_masked(x, mask), order, before, self._feedback(layer, masks[-1], gold))
        return _masked(x, masks[-1])

    def _traces(
        self, x: Tensor, order: Tensor, masks: list[Tensor | None], gold: Tensor | None
    ) -> list[tuple[State, State | None]]:
        """The states of each layer and direction after each step."""
        traces = []
        for layer, mask in zip(self._recurrent, masks, strict=False):
            forward, backward = layer.trace(_masked(x, mask), order, self._feedback(layer, masks[-1], gold))
            traces.append((forward, backward))
            x = forward[0] if backward is None else torch.cat([forward[0], backward[0]], dim=-1)
        return traces

    def gates(self, x: Tensor, lengths: Tensor) -> list[tuple[Gates, Gates | None]]:
        """The gates of each layer and direction; see `scores` and `cells.Gates`."""
        order = reversal(lengths, x.shape[1])
        gates = []
        for layer in self._recurrent:
            feedback = self._feedback(layer, None, None)
            gates.append(layer.gates(x, order, feedback))
            x, _ = layer(x, order, feedback=feedback)
        return gates

    def _feedback(self, layer: RecurrentLayer, mask: Tensor | None, gold: Tensor | None) -> Feedback | None:
        """The feedback function of a layer; `mask` is the dropout mask of the heads."""
        if not layer.tags:
            return None

        def feedback(step: int, states: Tensor) -> Tensor:
            scores = self._heads(_masked(states, None if mask is None else mask[:, step]))
            predicted = torch.cat([tagset_scores.softmax(-1) for tagset_scores in scores.values()], dim=-1)
            return predicted if gold is None else torch.where(gold[:, step].isnan(), predicted, gold[:, step])

        return feedback

    def _heads(self, states: Tensor) -> dict[str, Tensor]:
        return {tagset: head(states) for tagset, head in zip(self.tagsets, self.heads, strict=True)}

    @property
    def _recurrent(self) -> Iterator[RecurrentLayer]:
        yield from self.layers  # type: ignore[misc]

    def _dropout_mask(self, x: Tensor, size: int) -> Tensor | None:
        """A dropout mask of shape [sentences, time, size]; None without dropout."""
        if not self._dropout:
            return None
        return functional.dropout(x.new_ones(*x.shape[:2], size), self._dropout)

    @property
    def _dropout(self) -> float:
        return self.regularisation.dropout if self.regularisation and self.training else 0.0

    def forward(self, batch: Batch, *, bptt_steps: int = 0, gold_rate: float = 0.0) -> dict[str, Tensor]:
        """Scores before the softmax; for each tagset, shape [sentences, longest, tags]. Arguments: see `loss`."""
        device = next(self.parameters()).device
        index, lengths = (torch.from_numpy(array).to(device) for array in (batch.index, batch.lengths))
        gold = self._gold(batch, gold_rate).to(device) if self.config.feedback and gold_rate else None
        # Not vectors[index]: its gradient is summed by several threads in no fixed order.
        x = functional.embedding(index, self.vectors(batch.words))
        return self.scores(x, lengths, gold, bptt_steps=bptt_steps)

    def _gold(self, batch: Batch, rate: float) -> Tensor:
        """The target distributions of a random share of the tokens, NaN elsewhere; see `scores`."""
        distributions = []
        for tagset, count in zip(self.tagsets, self._tag_counts, strict=True):
            gold = torch.from_numpy(batch.gold[tagset])
            targets = torch.zeros(*gold.shape, count).scatter_(2, gold.clamp(min=0)[..., None], 1.0)  # one-hot
            targets[gold == IGNORED] = torch.nan
            if tagset in batch.soft:
                soft = torch.from_numpy(batch.soft[tagset])
                targets = torch.where(soft.any(-1, keepdim=True), soft, targets)
            distributions.append(targets)
        is_forced = torch.rand(batch.index.shape) < rate
        return torch.cat(distributions, dim=-1).masked_fill(~is_forced[..., None], torch.nan)

    def loss(self, batch: Batch, *, bptt_steps: int = 0, gold_rate: float = 0.0) -> tuple[Tensor, int]:
        """The mean cross-entropy over all tags of all tagsets, in nats, and the number of tags.

        Targets are gold tags, weighted by `class_weights`, or the tag probabilities of a model (Hinton et al. 2015, at
        temperature 1).

        Args:
            bptt_steps: see `scores`.
            gold_rate: with feedback, the share of tokens whose target is fed back instead of the network's prediction
                (Bengio et al. 2015).
        """
        total = torch.zeros(())
        count = 0
        predicted = self(batch, bptt_steps=bptt_steps, gold_rate=gold_rate)
        for tagset, scores in predicted.items():
            gold = batch.gold[tagset]
            annotated = int((gold != IGNORED).sum())
            if annotated:
                target = torch.from_numpy(gold).to(scores.device)
                total = total.to(scores.device) + functional.cross_entropy(
                    scores.flatten(0, 1),
                    target.flatten(),
                    self.class_weights.get(tagset),
                    ignore_index=IGNORED,
                    reduction="sum",
                )
                count += annotated
            if tagset in batch.soft:
                probabilities = torch.from_numpy(batch.soft[tagset]).to(scores.device)
                total = total.to(scores.device) - (probabilities * scores.log_softmax(-1)).sum()
                count += int((batch.soft[tagset].any(-1)).sum())
        if not count:  # all tagged words were cut off
            total = torch.stack([scores.sum() for scores in predicted.values()]).sum() * 0
        return total / max(count, 1), count

    def weights(self) -> dict[str, np.ndarray]:
        """The trained weights by name, with pretrained vectors merged into the word table; see `load_weights`."""
        weights = {
            name: parameter.detach().cpu().numpy()
            for name, parameter in self.named_parameters()
            if parameter.requires_grad and name != "encoder.projection.weight"
        }
        return {**weights, WORD_TABLE: self.encoder.table().detach().cpu().numpy()}

    def load_weights(self, weights: Mapping[str, np.ndarray]) -> None:
        """Copy weights of any float type into the network.

        Raises:
            DataError: a name or a shape differs from this network's.
        """
        load(self, weights)


def load(network: nn.Module, weights: Mapping[str, np.ndarray]) -> None:
    """Copy weights of any float type into a network; see `Network.load_weights`."""
    parameters = {name: parameter for name, parameter in network.named_parameters() if parameter.requires_grad}
    if parameters.keys() != weights.keys():
        odd = ", ".join(sorted(parameters.keys() ^ weights.keys()))
        raise DataError(f"the weights do not fit the configuration: {odd}")
    with torch.no_grad():
        for name, parameter in parameters.items():
            if tuple(parameter.shape) != weights[name].shape:
                raise DataError(f"{name} has shape {weights[name].shape}, not {tuple(parameter.shape)}")
            parameter.copy_(torch.from_numpy(weights[name]))


@torch.inference_mode()
def predict(network: Network, encoded: Encoded, tagset: str) -> list[Ids]:
    """The index of the most likely tag of each token; for each sentence, shape [tokens]."""
    network.eval()
    best: list[Ids] = [np.zeros(0, dtype=np.int64)] * len(encoded.sentences)
    for positions in encoded.batches(PREDICTION_TOKENS):
        rows = network(encoded.batch(positions))[tagset].argmax(-1).cpu().numpy()
        for row, position in zip(rows, positions, strict=True):
            best[position] = row[: len(encoded.sentences[position])]
    return best
