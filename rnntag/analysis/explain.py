"""What a tag depends on: how it changes when other words are hidden, and how far the gates are open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rnntag.errors import UsageError
from rnntag.model.stored import ModelBundle
from rnntag.onnx.session import Probabilities
from rnntag.tagger import Tagger
from rnntag.windows import WINDOW


@dataclass(frozen=True, slots=True)
class Explanation:
    """The tags of one sentence, and how they depend on its words.

    Attributes:
        tokens: the words.
        tags: the tags of the tagset.
        probabilities: of each tag, shape [tokens, tags].
        without: the same while one word is hidden, shape [hidden token, tokens, tags].
    """

    tokens: tuple[str, ...]
    tags: tuple[str, ...]
    probabilities: Probabilities
    without: Probabilities

    def changes(self, token: int) -> list[tuple[int, str, float]]:
        """For each other token, the largest change first: its position, the tag whose probability changes most when it
        is hidden, and the change."""
        gains = self.without[:, token] - self.probabilities[token]
        largest = [(other, int(abs(row).argmax())) for other, row in enumerate(gains) if other != token]
        largest.sort(key=lambda pair: -abs(gains[pair]))
        return [(other, self.tags[tag], float(gains[other, tag])) for other, tag in largest]


@dataclass(frozen=True, slots=True)
class Gate:
    """One gate of one direction of one layer.

    Attributes:
        layer: counted from 1.
        direction: `forward` or `backward`.
        name: `input`, `forget`, `output` (LSTM); `reset`, `update` (GRU).
        openness: of each unit at each token, 0 (shut) to 1 (open), shape [tokens, units].
    """

    layer: int
    direction: str
    name: str
    openness: Probabilities


def explain(tagger: Tagger, tokens: Sequence[str], tagset: str | None = None) -> Explanation:
    """Hide each word of a sentence in turn (Li, Monroe and Jurafsky 2016).

    Args:
        tagset: see `Tagger.predict`.

    Raises:
        UsageError: the sentence has no word, or too many, or the model does not have the tagset.
    """
    if not 0 < len(tokens) <= WINDOW:
        raise UsageError(f"a sentence of {len(tokens):,} words: give one of 1 to {WINDOW} words")
    tagset = tagger.model.tagset(tagset)
    hidden = [[*tokens[:position], "", *tokens[position + 1 :]] for position in range(len(tokens))]
    table = tagger.probabilities([tokens, *hidden], tagset).reshape(len(tokens) + 1, len(tokens), -1)
    return Explanation(tuple(tokens), tuple(tagger.model.vocabulary.tags[tagset]), table[0], table[1:])


def gates(model: ModelBundle, tokens: Sequence[str]) -> list[Gate]:
    """The gates of a network as it reads a sentence, computed with PyTorch; none for the plain RNN."""
    import torch

    from rnntag.network.tagger import Network

    network = Network.of(model)
    with torch.inference_mode():
        x = network.vectors(model.vocabulary.encode_words(tokens))
        layers = network.gates(x[None], torch.tensor([len(tokens)]))
    return [
        Gate(number, direction, name, openness[0].numpy().astype(np.float64))
        for number, layer in enumerate(layers, 1)
        for direction, by_name in zip(("forward", "backward"), layer, strict=True)
        for name, openness in (by_name or {}).items()
    ]
