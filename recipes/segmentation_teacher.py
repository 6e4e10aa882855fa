"""A large Chinese segmenter, the teacher of the small one: multilingual-e5-small, fine-tuned.

    pip install ".[recipe]"
    python -m recipes.segmentation_teacher train teacher.safetensors zh_gsdsimp-ud-*.conllu
    python -m recipes.segmentation_teacher segment teacher.safetensors < text.txt > zh_auto-ud-train.conllu

Each pretoken (see `rnntag.model.pretokens`), so each Chinese character, is one piece for the transformer (see
`recipes.teacher`). Its vector is concatenated with embeddings of the pretoken, its shape and its two bigrams, and fed
to a BiLSTM and a softmax. text.txt has one paragraph per line. The output has words and sentences; every tag is X.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from recipes.teacher import (
    BALANCE,
    BEGIN,
    END,
    LEAD,
    LONGEST,
    UNKNOWN_PIECE,
    FineTuning,
    pretrained,
    read_network,
    transformer,
    write_network,
)
from rnntag.corpora import loading
from rnntag.corpora.raw_text import GoldParagraph, gold_paragraphs
from rnntag.evaluation.segmentation import agreement
from rnntag.formats import conllu
from rnntag.model.arrays import Ids
from rnntag.model.batching import IGNORED, length_buckets
from rnntag.model.pretokens import SHAPES, PretokenVocabulary, Scan
from rnntag.network.cells import RecurrentLayer, reversal
from rnntag.segmenter import segmentations
from rnntag.sentences import Corpus, Segmentation
from rnntag.training import simplification
from rnntag.training.segmenter import GAP, GOLD, ROW, SHAPE, UnkDropout, labelled

PAIRS = 1 << 15
SHORTEST_CHUNK, LONGEST_CHUNK = 30, 200
AT_ONCE = 4000  # pretokens
PARAGRAPHS_AT_ONCE = 200
SENTENCES = re.compile(r".{1,400}?[。！？][”』」]*|.{1,400}")  # each match ends with a sentence
LATIN_SPACE = re.compile(r"(?<=[A-Za-z0-9,.]) (?=[A-Za-z0-9(])")


@dataclass(frozen=True)
class Settings:
    epochs: int = 4
    lr: float = 2e-4  # of the transformer
    head_lr: float = 1.5e-3
    warm_up: float = 0.08
    batch: int = 1200  # pretokens
    dropout: float = 0.3
    seed: int = 1


class Teacher(nn.Module):
    def __init__(self, units: PretokenVocabulary, dropout: float) -> None:
        super().__init__()
        given = pretrained()
        size = given.sizes["hidden"]
        self.units = units
        self.dropout = dropout
        self.bert = transformer(given)
        self.pieces_table = torch.from_numpy(given.weights["emb.word"].reshape(-1, size))  # frozen, and not saved
        self.mix = nn.Parameter(torch.zeros(given.sizes["layers"] + 1))
        self.rows = nn.Embedding(units.rows, 64)
        self.shapes = nn.Embedding(SHAPES, 12)
        self.pairs = nn.Embedding(PAIRS, 32)
        for table in (self.rows, self.shapes):
            nn.init.normal_(table.weight, std=0.3)
        nn.init.normal_(self.pairs.weight, std=0.1)
        self.layer = RecurrentLayer("lstm", "tanh", size + 140, 150, bidirectional=True)
        self.head = nn.Linear(self.layer.outputs, 3)
        self._piece = {piece: number for number, (piece, _) in enumerate(given.pieces)}
        self._char_map = str.maketrans(*units.char_map)

    def pieces(self, texts: Sequence[str], scan: Scan) -> list[Ids]:
        """The piece of each pretoken, for each text."""
        text = "\n".join(texts).translate(self._char_map)
        forms = [text[start:end] for start, end in zip(scan.starts.tolist(), scan.ends.tolist(), strict=True)]
        own = [self._piece.get(form, self._piece.get(LEAD + form, UNKNOWN_PIECE)) for form in forms]
        return np.split(np.array(own, dtype=np.int64), scan.firsts[1:])

    def forward(self, pieces: Tensor, columns: Tensor, lengths: Tensor) -> Tensor:
        """Scores, shape [batch, time, 3].

        Args:
            pieces: of the pretokens, shape [batch, time].
            columns: see `PretokenVocabulary.columns`, shape [batch, time, 4].
            lengths: at most `LONGEST`, shape [batch].
        """
        device = self.mix.device
        steps = torch.arange(pieces.shape[1] + 2, device=device)
        ends = lengths[:, None] + 1
        bounded = functional.pad(pieces, (1, 1), value=BEGIN)
        bounded = torch.where(steps == ends, END, bounded)
        with torch.autocast(device.type, torch.bfloat16):
            inputs = self.pieces_table[bounded.cpu()].to(device, torch.float32)
            mask = (steps <= ends).long()
            states = self.bert(inputs_embeds=inputs, attention_mask=mask, output_hidden_states=True).hidden_states
        mixed = sum(weight * state.float() for weight, state in zip(self.mix.softmax(0), states, strict=True))
        tables = (self.rows, self.shapes, self.pairs, self.pairs)
        own = [table(column) for table, column in zip(tables, columns.unbind(-1), strict=True)]
        x = functional.dropout(torch.cat([mixed[:, 1:-1], *own], dim=-1), self.dropout, self.training)
        x, _ = self.layer(x, reversal(lengths, x.shape[1]))
        return self.head(functional.dropout(x, self.dropout, self.training))

    @torch.inference_mode()
    def find(self, texts: Sequence[str]) -> list[Segmentation]:
        """The words and sentences of texts of at most `LONGEST` pretokens."""
        self.eval()
        scan, columns = self.units.encode(texts)
        encoded = list(zip(self.pieces(texts, scan), columns, strict=True))
        classes = [np.empty(0, dtype=np.int64)] * len(texts)
        for positions in length_buckets(np.array(list(map(len, columns))), AT_ONCE):
            scores = self(*batch([encoded[position] for position in positions], self.mix.device))
            for row, position in zip(scores.argmax(-1).cpu().numpy(), positions, strict=True):
                classes[position] = row[: len(columns[position])]
        return segmentations(texts, scan, np.concatenate(classes))


def batch(encoded: Sequence[tuple[Ids, Ids]], device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    lengths = torch.tensor([len(pieces) for pieces, _ in encoded], device=device)
    pieces, columns = (
        nn.utils.rnn.pad_sequence([torch.from_numpy(one) for one in column], batch_first=True).to(device)
        for column in zip(*encoded, strict=True)
    )
    return pieces, columns, lengths


def chunks(texts: Sequence[tuple[Ids, Ids]], random: np.random.Generator) -> Iterator[tuple[Ids, Ids]]:
    """Random chunks of texts: pieces, and the table of `labelled`."""
    for pieces, table in texts:
        begin = 0
        while begin < len(pieces):
            end = begin + int(random.integers(SHORTEST_CHUNK, LONGEST_CHUNK))
            yield pieces[begin:end], table[begin:end]
            begin = end


def train(corpora: Sequence[Corpus], settings: Settings, device: torch.device) -> Teacher:
    """A teacher; prints F1 on the sentences of each dev split after each epoch."""
    torch.manual_seed(settings.seed)
    random = np.random.default_rng(settings.seed)
    splits = [gold_paragraphs(corpus.train, corpus.name) for corpus in corpora]
    dev = {corpus.name: by_sentence(gold_paragraphs(corpus.dev, corpus.name)) for corpus in corpora}
    words = [(paragraph.text, paragraph.words) for split in splits for paragraph in split]
    units = PretokenVocabulary.build(words, 1, PAIRS, simplification.table())
    teacher = Teacher(units, settings.dropout).to(device)
    encoded, tables = [], []
    for split in splits:
        texts = [paragraph.text for paragraph in split]
        own = [labelled(paragraph, units)[0] for paragraph in split]
        encoded.append(list(zip(teacher.pieces(texts, units.scan(texts)), own, strict=True)))
        tables += own
    hiding = UnkDropout(tables, units)
    sizes = np.array([sum(len(table) for _, table in split) for split in encoded])
    rates = (sizes.max() / sizes) ** BALANCE
    tuning = FineTuning(teacher, teacher.bert, settings.lr, settings.head_lr, settings.warm_up)
    started = time.monotonic()
    for epoch in range(1, settings.epochs + 1):
        teacher.train()
        drawn = [split for split, rate in zip(encoded, rates, strict=True) for _ in range(int(rate + random.random()))]
        cut = [chunk for split in drawn for chunk in chunks(split, random)]
        batches = length_buckets(np.array([len(pieces) for pieces, _ in cut]), settings.batch, random)
        for number, positions in enumerate(batches, 1):
            done = (epoch - 1 + number / len(batches)) / settings.epochs
            chosen = []
            for pieces, table in map(cut.__getitem__, positions):
                rows = hiding.hide(table[:, ROW], random)
                chosen.append((pieces, units.columns(rows, table[:, SHAPE], table[:, GAP])))
            gold = [torch.from_numpy(cut[position][1][:, GOLD]) for position in positions]
            padded = nn.utils.rnn.pad_sequence(gold, batch_first=True, padding_value=IGNORED).to(device)
            scores = teacher(*batch(chosen, device))
            loss = functional.cross_entropy(scores.flatten(0, 1), padded.flatten(), ignore_index=IGNORED)
            tuning.step(loss, done)
            if number % 20 == 0:
                seconds = time.monotonic() - started
                line = f"epoch {epoch} batch {number}/{len(batches)} loss {loss.item():.4f} {seconds:.0f} s"
                print(line, file=sys.stderr, flush=True)
        for name, split in dev.items():
            figures = agreement(split, teacher.find([paragraph.text[:LONGEST] for paragraph in split]))
            line = " ".join(f"{kind} {100 * figure.f1:.2f}" for kind, figure in figures.items())
            print(f"epoch {epoch} {name} {line}", flush=True)
    return teacher


def segment(teacher: Teacher, paragraphs: Iterable[str]) -> Iterator[str]:
    """Sentences as CoNLL-U, without white space except between Latin words."""
    lines = [_closed_up(paragraph) for paragraph in paragraphs]
    for begin in range(0, len(lines), PARAGRAPHS_AT_ONCE):
        parts = [SENTENCES.findall(line) for line in lines[begin : begin + PARAGRAPHS_AT_ONCE]]
        texts = [text for part in parts for text in part]
        results = iter(zip(texts, teacher.find(texts), strict=True))
        for part in parts:
            opening = "# newpar\n"
            for _ in part:
                text, segmentation = next(results)
                for first, last in pairwise((0, *segmentation.ends)):
                    words = segmentation.words[first:last]
                    nexts = [*(a for a, _ in segmentation.words[first + 1 : last + 1]), len(text)]
                    spaces = [conllu.spacing("", text[b:a]) for (_, b), a in zip(words, nexts, strict=False)]
                    rows = conllu.rows(1, [text[a:b] for a, b in words], ["X"] * len(words), "upos", (), spaces)
                    yield opening + "\n".join([*rows, "", ""])
                    opening = ""


def _closed_up(paragraph: str) -> str:
    return "".join(LATIN_SPACE.sub("\0", paragraph).split()).replace("\0", " ")


def by_sentence(text: Iterable[GoldParagraph]) -> list[GoldParagraph]:
    sentences = []
    for paragraph in text:
        for first, last in pairwise((0, *paragraph.ends)):
            begin, end = paragraph.words[first][0], paragraph.words[last - 1][1]
            words = tuple((a - begin, b - begin) for a, b in paragraph.words[first:last])
            sentences.append(GoldParagraph(paragraph.text[begin:end], words, (len(words),), {}))
    return sentences


def save(teacher: Teacher, path: Path) -> None:
    about = {"units": json.dumps(teacher.units.tables()), "dropout": str(teacher.dropout)}
    write_network(path, teacher, about)


def load(path: Path) -> Teacher:
    about, weights = read_network(path)
    teacher = Teacher(PretokenVocabulary.from_tables(json.loads(about["units"])), float(about["dropout"]))
    teacher.load_state_dict(weights)
    return teacher


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    learn = verbs.add_parser("train")
    learn.add_argument("path", type=Path)
    learn.add_argument("specs", nargs="+", metavar="SPEC", help="as for `rnntag train`")
    for name, value in asdict(Settings()).items():
        learn.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value)
    use = verbs.add_parser("segment")
    use.add_argument("path", type=Path)
    given = parser.parse_args()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if given.verb == "segment":
        sys.stdout.writelines(segment(load(given.path).to(device), sys.stdin))
        return
    settings = Settings(**{name: getattr(given, name) for name in asdict(Settings())})
    save(train(loading.load(given.specs), settings, device), given.path)


if __name__ == "__main__":
    main()
