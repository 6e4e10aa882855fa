"""The network of a teacher of taggers.

A word's vector is the mean of those of its pieces in multilingual-e5-small, concatenated with the output of rnntag's
word encoder and with frozen features (see `recipes.frozen`), and fed to BiLSTM layers and a softmax per tagset.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer, models
from torch import Tensor, nn
from torch.nn import functional

from recipes.frozen import Features, States, is_chinese
from recipes.pretrained import (
    BEGIN,
    END,
    LEAD,
    LONGEST,
    UNKNOWN_PIECE,
    pretrained,
    read_network,
    transformer,
    write_network,
)
from rnntag.config import ModelConfig
from rnntag.model.batching import Batch, length_buckets
from rnntag.model.vocabulary import Vocabulary
from rnntag.network.cells import RecurrentLayer, reversal
from rnntag.network.tagger import CharRNNEncoder
from rnntag.sentences import Sentence

TAGSET = "upos"
FROZEN_WIDTH = 176
PIECES_AT_ONCE = 4000
MOST_PIECES = 8  # of a word


@dataclass(frozen=True)
class Settings:
    language: str = ""  # zh: of use for sentences with Chinese characters, en: for the others
    transformer: bool = True
    frozen: bool = True
    epochs: int = 3
    share: float = 1.0  # of the sentences, in an epoch
    min_count: int = 1  # of words of the word table
    lr: float = 2e-4  # of the transformer
    head_lr: float = 1.5e-3
    warm_up: float = 0.08
    batch_pieces: int = 1000
    dropout: float = 0.3
    transformer_dropout: float = 0.1
    frozen_dropout: float = 0.2
    label_smoothing: float = 0.0
    hidden: int = 200
    layers: int = 1
    lower_case: float = 0.15
    seed: int = 1


class FrozenLayer(nn.Module):
    """Frozen features of words, brought to `FROZEN_WIDTH`."""

    def __init__(self, size: int, dropout: float) -> None:
        super().__init__()
        self.size = size
        self.dropout = dropout
        self.norm = nn.LayerNorm(size)
        self.linear = nn.Linear(size, FROZEN_WIDTH)

    def forward(self, features: Sequence[States | None], longest: int, device: torch.device) -> Tensor:
        """Shape [sentences, longest, FROZEN_WIDTH]; 0 for a sentence without features.

        Args:
            features: for each sentence, shape [tokens, size].
        """
        found = torch.zeros(len(features), longest, FROZEN_WIDTH, device=device)
        given = [(row, torch.from_numpy(one)) for row, one in enumerate(features) if one is not None]
        if given:
            owners = torch.cat([torch.arange(len(one)) + row * longest for row, one in given]).to(device)
            x = self.norm(torch.cat([one for _, one in given]).to(device, torch.float32))
            x = functional.gelu(self.linear(functional.dropout(x, self.dropout, self.training)))
            found = found.view(-1, FROZEN_WIDTH).index_copy(0, owners, x).view(found.shape)
        return found


class Teacher(nn.Module):
    def __init__(self, vocabulary: Vocabulary, settings: Settings, frozen_sizes: Sequence[int]) -> None:
        super().__init__()
        self.vocabulary = vocabulary
        self.settings = settings
        self.dropout = settings.dropout
        self.encoder = CharRNNEncoder(ModelConfig(), vocabulary)
        size = self.encoder.outputs
        self.bert = None
        if settings.transformer:
            given = pretrained()
            self.bert = transformer(given, settings.transformer_dropout)
            self.pieces_table = torch.from_numpy(given.weights["emb.word"].reshape(-1, given.sizes["hidden"]))  # frozen
            self.tokenizer = Tokenizer(models.Unigram(given.pieces, unk_id=UNKNOWN_PIECE))
            self.mix = nn.Parameter(torch.zeros(given.sizes["layers"] + 1))
            size += given.sizes["hidden"]
        self.frozen = nn.ModuleList(FrozenLayer(one, settings.frozen_dropout) for one in frozen_sizes)
        size += FROZEN_WIDTH * len(frozen_sizes)
        self.layers = nn.ModuleList()
        for _ in range(settings.layers):
            self.layers.append(RecurrentLayer("lstm", "tanh", size, settings.hidden, bidirectional=True))
            size = self.layers[-1].outputs
        self.heads = nn.ModuleDict({name: nn.Linear(size, len(tags)) for name, tags in vocabulary.tags.items()})
        self.pieces = lru_cache(maxsize=1 << 20)(self._pieces)
        self.fold = str.maketrans(*vocabulary.char_map)

    @property
    def device(self) -> torch.device:
        return self.heads[TAGSET].weight.device

    def _pieces(self, word: str) -> list[int]:
        word = unicodedata.normalize("NFKC", word.translate(self.fold))
        begins = unicodedata.category(word[:1] or " ")[0] in "LN" and word[:1] < "\u2e80"
        found = self.tokenizer.model.tokenize(f"{LEAD if begins else ''}{word}")
        return [piece.id for piece in found][:MOST_PIECES] or [UNKNOWN_PIECE]

    def lengths(self, sentences: Sequence[Sentence]) -> np.ndarray:
        """Lengths in pieces, including those at both ends; in words without a transformer."""
        if self.bert is None:
            return np.array([len(s.tokens) for s in sentences])
        return np.array([min(sum(len(self.pieces(token)) for token in s.tokens), LONGEST) + 2 for s in sentences])

    def in_context(self, sentences: Sequence[Sentence], longest: int) -> Tensor:
        """The mean vector of each word's pieces, shape [sentences, longest, size]."""
        device = self.device
        ids, owners = [], []
        for row, sentence in enumerate(sentences):
            pieces = [(id, column) for column, token in enumerate(sentence.tokens) for id in self.pieces(token)]
            ids.append(torch.tensor([BEGIN, *(id for id, _ in pieces[:LONGEST]), END]))
            owners.append(torch.tensor([-1, *(row * longest + column for _, column in pieces[:LONGEST]), -1]))
        padded = nn.utils.rnn.pad_sequence(ids, batch_first=True, padding_value=-1)
        owner = nn.utils.rnn.pad_sequence(owners, batch_first=True, padding_value=-1).to(device)
        inputs = self.pieces_table[padded.clamp(min=0)].to(device, self.bert.dtype)
        mask = (padded >= 0).long().to(device)
        with torch.autocast(device.type, torch.bfloat16):
            states = self.bert(inputs_embeds=inputs, attention_mask=mask, output_hidden_states=True).hidden_states
        mixed = torch.stack([weight * state.float() for weight, state in zip(self.mix.softmax(0), states, strict=True)])
        inside = owner >= 0
        found = torch.zeros(len(sentences) * longest, mixed.shape[-1], device=device)
        found = found.index_add(0, owner[inside], mixed.sum(0)[inside])
        counts = torch.bincount(owner[inside], minlength=len(found)).clamp(min=1)
        return (found / counts[:, None]).view(len(sentences), longest, -1)

    @torch.inference_mode()
    def vectors_of(self, words: Sequence[str]) -> np.ndarray:
        """The vector of each word by itself, shape [words, size]."""
        self.eval()
        sentences = [Sentence((word,)) for word in words]
        found = np.empty((len(words), self.bert.config.hidden_size), dtype=np.float32)
        for positions in length_buckets(self.lengths(sentences), PIECES_AT_ONCE):
            found[positions] = self.in_context([sentences[n] for n in positions], 1)[:, 0].cpu().numpy()
        return found

    def forward(
        self,
        batch: Batch,
        sentences: Sequence[Sentence],
        features: Sequence[Features],
        counts: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Scores by tagset, shape [sentences, longest, tags]."""
        device = self.device
        words = batch.words
        ids, chars, lengths, index, sizes = (
            torch.from_numpy(a).to(device) for a in (words.ids, words.chars, words.lengths, batch.index, batch.lengths)
        )
        longest = index.shape[1]
        dropped = None if counts is None else torch.rand(ids.shape, device=device) < 1 / (1 + counts[ids])
        inputs = [self.encoder(ids, chars, lengths, self.dropout, dropped)[index]]
        if self.bert is not None:
            inputs.append(self.in_context(sentences, longest))
        for number, layer in enumerate(self.frozen):
            inputs.append(layer([one[number] for one in features], longest, device))
        x = torch.cat(inputs, dim=-1)
        order = reversal(sizes, longest)
        for layer in self.layers:
            x, _ = layer(functional.dropout(x, self.dropout, self.training), order)
        x = functional.dropout(x, self.dropout, self.training)
        return {name: head(x) for name, head in self.heads.items()}

    @torch.inference_mode()
    def probabilities(
        self, sentences: Sequence[Sentence], features: Sequence[Features], tagsets: Sequence[str]
    ) -> dict[str, list[np.ndarray]]:
        """For each tagset and sentence, shape [tokens, tags]."""
        self.eval()
        encoded = self.vocabulary.encode(sentences)
        found = {tagset: [np.empty((0, 0), dtype=np.float32)] * len(sentences) for tagset in tagsets}
        for positions in length_buckets(self.lengths(sentences), PIECES_AT_ONCE):
            chosen = [sentences[position] for position in positions]
            scores = self(encoded.batch(positions), chosen, [features[position] for position in positions])
            for tagset, own in found.items():
                for row, position in zip(scores[tagset].softmax(-1).cpu().numpy(), positions, strict=True):
                    own[position] = row[: len(sentences[position].tokens)]
        return found


def save(teacher: Teacher, path: Path) -> None:
    about = {
        "vocabulary": json.dumps(teacher.vocabulary.tables()),
        "settings": json.dumps(asdict(teacher.settings)),
        "frozen": json.dumps([layer.size for layer in teacher.frozen]),
    }
    write_network(path, teacher, about)


def load(path: Path) -> Teacher:
    about, weights = read_network(path)
    vocabulary = Vocabulary.from_tables(json.loads(about["vocabulary"]))
    teacher = Teacher(vocabulary, Settings(**json.loads(about["settings"])), json.loads(about["frozen"]))
    teacher.load_state_dict(weights)
    if teacher.bert is not None:
        # Both are faster without a backward pass.
        teacher.bert.set_attn_implementation("sdpa")
        teacher.bert.to(torch.bfloat16)
    return teacher


def mean_probabilities(
    teachers: Sequence[Teacher], sentences: Sequence[Sentence], features: Sequence[Features], tagsets: Sequence[str]
) -> dict[str, list[np.ndarray]]:
    """The mean of the probabilities of a sentence's teachers that have the tagset, for each tagset and sentence of
    shape [tokens, tags], all 0 without such a teacher; the tags are those of the first teacher."""
    names = {tagset: teachers[0].vocabulary.tags[tagset] for tagset in tagsets}
    sums = {
        tagset: [np.zeros((len(sentence.tokens), len(tags)), dtype=np.float32) for sentence in sentences]
        for tagset, tags in names.items()
    }
    chinese = [*map(is_chinese, sentences)]
    for teacher in teachers:
        language = teacher.settings.language
        chosen = [n for n, is_chinese in enumerate(chinese) if not language or is_chinese == (language == "zh")]
        had = [tagset for tagset in tagsets if tagset in teacher.heads]
        own = teacher.probabilities([sentences[n] for n in chosen], [features[n] for n in chosen], had)
        for tagset in had:
            columns = [names[tagset].index(name) for name in teacher.vocabulary.tags[tagset]]
            for number, rows in zip(chosen, own[tagset], strict=True):
                sums[tagset][number][:, columns] += rows
    return {
        tagset: [rows / np.maximum(rows.sum(-1, keepdims=True), 1e-9) for rows in own] for tagset, own in sums.items()
    }
