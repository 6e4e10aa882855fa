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
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from recipes.fixed_words import FixedWords
from recipes.frozen import Lac, States
from recipes.pretrained import (
    BEGIN,
    END,
    LEAD,
    LONGEST,
    UNKNOWN_PIECE,
    FineTuning,
    add_settings,
    pretrained,
    read_network,
    settings_of,
    transformer,
    write_network,
)
from rnntag.corpora import loading
from rnntag.corpora.raw_text import GoldParagraph, gold_paragraphs
from rnntag.evaluation.segmentation import agreement
from rnntag.formats import conllu
from rnntag.model.arrays import Ids
from rnntag.model.batching import IGNORED, length_buckets
from rnntag.model.pretokens import PretokenVocabulary, Scan
from rnntag.model.spelling import READ_AS
from rnntag.network.cells import RecurrentLayer, reversal
from rnntag.segmenter import segmentations
from rnntag.sentences import Corpus, Segmentation, Tags
from rnntag.training import simplification
from rnntag.training.segmenter import GAP, GOLD, ROW, SHAPE, UnkDropout, labelled

PAIRS = 1 << 15
BALANCE = 0.5  # see `SegmenterConfig.upsample`
FROZEN_WIDTH = 176
SHORTEST_CHUNK, LONGEST_CHUNK = 30, 200
AT_ONCE = 4000  # pretokens
PARAGRAPHS_AT_ONCE = 200
SENTENCES = re.compile(r".{1,400}?[。！？][”』」]*|.{1,400}")  # each match ends with a sentence
LATIN_SPACE = re.compile(r"(?<=[A-Za-z0-9,.]) (?=[A-Za-z0-9(])")


@dataclass(frozen=True)
class Settings:
    transformer: bool = True
    frozen: bool = True
    epochs: int = 4
    lr: float = 2e-4  # of the transformer
    head_lr: float = 1.5e-3
    warm_up: float = 0.08
    batch: int = 1200  # pretokens
    dropout: float = 0.3
    transformer_dropout: float = 0.1
    hidden: int = 150
    layers: int = 1
    seed: int = 1


class Encoded(NamedTuple):
    """A text as arrays, one row for each pretoken.

    Attributes:
        pieces: for the transformer, shape [pretokens].
        columns: see `PretokenVocabulary.columns`, shape [pretokens, 4].
        states: LAC's, shape [pretokens, Lac.SIZE] or [pretokens, 0].
    """

    pieces: Ids
    columns: Ids
    states: States

    def part(self, begin: int, end: int) -> Encoded:
        return Encoded(*(array[begin:end] for array in self))


class Teacher(nn.Module):
    def __init__(self, units: PretokenVocabulary, settings: Settings) -> None:
        super().__init__()
        given = pretrained()
        self.units = units
        self.settings = settings
        self.dropout = settings.dropout
        size = 140
        self.bert = None
        if settings.transformer:
            self.bert = transformer(given, settings.transformer_dropout)
            self.pieces_table = torch.from_numpy(given.weights["emb.word"].reshape(-1, given.sizes["hidden"]))  # frozen
            self.mix = nn.Parameter(torch.zeros(given.sizes["layers"] + 1))
            size += given.sizes["hidden"]
        self.lac = None
        if settings.frozen:
            self.lac = Lac()
            self.norm = nn.LayerNorm(Lac.SIZE)
            self.linear = nn.Linear(Lac.SIZE, FROZEN_WIDTH)
            size += FROZEN_WIDTH
        self.rows = nn.Embedding(units.rows, 64)
        self.shapes = nn.Embedding(units.shapes, 12)
        self.pairs = nn.Embedding(PAIRS, 32)
        for table in (self.rows, self.shapes):
            nn.init.normal_(table.weight, std=0.3)
        nn.init.normal_(self.pairs.weight, std=0.1)
        self.layers = nn.ModuleList()
        for _ in range(settings.layers):
            self.layers.append(RecurrentLayer("lstm", "tanh", size, settings.hidden, bidirectional=True))
            size = self.layers[-1].outputs
        self.head = nn.Linear(size, 3)
        self._piece = {piece: number for number, (piece, _) in enumerate(given.pieces)}
        self._char_map = str.maketrans(*units.char_map)

    @property
    def device(self) -> torch.device:
        return self.head.weight.device

    def encode(self, texts: Sequence[str]) -> tuple[Scan, list[Encoded]]:
        scan, columns = self.units.encode(texts)
        return scan, [*map(Encoded, self.pieces(texts, scan), columns, self.states(texts, scan))]

    def states(self, texts: Sequence[str], scan: Scan) -> list[States]:
        """For each text, the means of LAC's states over each pretoken's characters."""
        bounds = zip(np.split(scan.starts, scan.firsts[1:]), np.split(scan.ends, scan.firsts[1:]), strict=True)
        if self.lac is None:
            return [np.empty((len(starts), 0), np.float16) for starts, _ in bounds]
        begin, means = 0, []
        for text, states, (starts, ends) in zip(texts, self.lac.characters(texts), bounds, strict=True):
            sums = np.concatenate([np.zeros((1, Lac.SIZE)), states.astype(np.float64).cumsum(0)])
            lengths = (ends - starts)[:, None]
            means.append(((sums[ends - begin] - sums[starts - begin]) / lengths).astype(np.float16))
            begin += len(text) + 1
        return means

    def pieces(self, texts: Sequence[str], scan: Scan) -> list[Ids]:
        """The piece of each pretoken, for each text."""
        text = "\n".join(texts).translate(self._char_map)
        bounds = zip(scan.starts.tolist(), scan.ends.tolist(), strict=True)
        forms = [text[start:end].translate(READ_AS) for start, end in bounds]
        own = [self._piece.get(form, self._piece.get(LEAD + form, UNKNOWN_PIECE)) for form in forms]
        return np.split(np.array(own, dtype=np.int64), scan.firsts[1:])

    def in_context(self, pieces: Tensor, lengths: Tensor) -> Tensor:
        """The transformer's vectors, shape [batch, time, size].

        Args:
            pieces: of the pretokens, shape [batch, time].
            lengths: at most `LONGEST`, shape [batch].
        """
        steps = torch.arange(pieces.shape[1] + 2, device=self.device)
        ends = lengths[:, None] + 1
        bounded = functional.pad(pieces, (1, 1), value=BEGIN)
        bounded = torch.where(steps == ends, END, bounded)
        with torch.autocast(self.device.type, torch.bfloat16):
            inputs = self.pieces_table[bounded.cpu()].to(self.device, torch.float32)
            mask = (steps <= ends).long()
            states = self.bert(inputs_embeds=inputs, attention_mask=mask, output_hidden_states=True).hidden_states
        mixed = sum(weight * state.float() for weight, state in zip(self.mix.softmax(0), states, strict=True))
        return mixed[:, 1:-1]

    def forward(self, batch: Sequence[Encoded]) -> Tensor:
        """Scores, shape [batch, time, 3]."""
        lengths = torch.tensor([len(one.pieces) for one in batch], device=self.device)
        pieces, columns, states = (
            nn.utils.rnn.pad_sequence([torch.from_numpy(one) for one in column], batch_first=True).to(self.device)
            for column in zip(*batch, strict=True)
        )
        tables = (self.rows, self.shapes, self.pairs, self.pairs)
        inputs = [table(column) for table, column in zip(tables, columns.unbind(-1), strict=True)]
        if self.bert is not None:
            inputs.append(self.in_context(pieces, lengths))
        if self.lac is not None:
            dropped = functional.dropout(self.norm(states.float()), 0.2, self.training)
            inputs.append(functional.gelu(self.linear(dropped)))
        x = torch.cat(inputs, dim=-1)
        order = reversal(lengths, x.shape[1])
        for layer in self.layers:
            x, _ = layer(functional.dropout(x, self.dropout, self.training), order)
        return self.head(functional.dropout(x, self.dropout, self.training))

    @torch.inference_mode()
    def probabilities(self, encoded: Sequence[Encoded]) -> list[np.ndarray]:
        """For each text, shape [pretokens, 3]. Texts have at most `LONGEST` pretokens."""
        self.eval()
        found = [np.empty((0, 3), dtype=np.float32)] * len(encoded)
        for positions in length_buckets(np.array([len(one.pieces) for one in encoded]), AT_ONCE):
            scores = self([encoded[position] for position in positions])
            for row, position in zip(scores.softmax(-1).cpu().numpy(), positions, strict=True):
                found[position] = row[: len(encoded[position].pieces)]
        return found


def find(teachers: Sequence[Teacher], texts: Sequence[str], fixed: FixedWords | None = None) -> list[Segmentation]:
    """The words and sentences of texts of at most `LONGEST` pretokens, by the mean of the teachers, which must have
    learned from the same corpora."""
    scan, _ = teachers[0].units.encode(texts)
    columns = [teacher.probabilities(teacher.encode(texts)[1]) for teacher in teachers]
    classes = np.concatenate([np.mean(rows, axis=0).argmax(-1) for rows in zip(*columns, strict=True)])
    if fixed:
        classes = fixed.applied("\n".join(texts), scan, classes)
    return segmentations(texts, scan, classes)


def chunks(texts: Sequence[tuple[Encoded, Ids]], random: np.random.Generator) -> Iterator[tuple[Encoded, Ids]]:
    """Random chunks of texts, with those of the table of `labelled`."""
    for encoded, table in texts:
        begin = 0
        while begin < len(table):
            end = begin + int(random.integers(SHORTEST_CHUNK, LONGEST_CHUNK))
            yield encoded.part(begin, end), table[begin:end]
            begin = end


def train(corpora: Sequence[Corpus], settings: Settings, path: Path, device: torch.device) -> None:
    """Write a teacher, and print F1 on the sentences of each dev split after each epoch. An interrupted training
    goes on after its last epoch."""
    torch.manual_seed(settings.seed)
    splits = [gold_paragraphs(corpus.train, corpus.name) for corpus in corpora]
    words = [(paragraph.text, paragraph.words) for split in splits for paragraph in split]
    units = PretokenVocabulary.build(words, 1, PAIRS, simplification.table())
    teacher = Teacher(units, settings).to(device)
    encoded, tables = [], []
    for split in splits:
        texts = [paragraph.text for paragraph in split]
        own = [labelled(paragraph, units)[0] for paragraph in split]
        encoded.append(list(zip(teacher.encode(texts)[1], own, strict=True)))
        tables += own
    hiding = UnkDropout(tables, units)
    sizes = np.array([sum(len(table) for _, table in split) for split in encoded])
    rates = (sizes.max() / sizes) ** BALANCE
    tuning = FineTuning(teacher, settings.head_lr, settings.warm_up, teacher.bert, settings.lr)
    started = time.monotonic()
    for epoch, random in tuning.epochs(settings.epochs, settings.seed, path.with_suffix(".checkpoint")):
        teacher.train()
        drawn = [split for split, rate in zip(encoded, rates, strict=True) for _ in range(int(rate + random.random()))]
        cut = [chunk for split in drawn for chunk in chunks(split, random)]
        batches = tuning.part(length_buckets(np.array([len(table) for _, table in cut]), settings.batch, random))
        for number, positions in enumerate(batches, 1):
            done = (epoch - 1 + number / len(batches)) / settings.epochs
            chosen = []
            for one, table in map(cut.__getitem__, positions):
                rows = hiding.hide(table[:, ROW], random)
                chosen.append(one._replace(columns=units.columns(rows, table[:, SHAPE], table[:, GAP])))
            gold = [torch.from_numpy(cut[position][1][:, GOLD]) for position in positions]
            padded = nn.utils.rnn.pad_sequence(gold, batch_first=True, padding_value=IGNORED).to(device)
            scores = teacher(chosen)
            loss = functional.cross_entropy(scores.flatten(0, 1), padded.flatten(), ignore_index=IGNORED)
            tuning.step(loss, done)
            if number % 20 == 0 and tuning.is_first:
                seconds = time.monotonic() - started
                line = f"epoch {epoch} batch {number}/{len(batches)} loss {loss.item():.4f} {seconds:.0f} s"
                print(line, file=sys.stderr, flush=True)
        if tuning.is_first:
            report([teacher], corpora, f"epoch {epoch}")
    if tuning.is_first:
        save(teacher, path)


def report(teachers: Sequence[Teacher], corpora: Sequence[Corpus], title: str) -> None:
    """Print F1 of the teachers' mean on the sentences of each dev split, in percent."""
    for corpus in corpora:
        split = by_sentence(gold_paragraphs(corpus.dev, corpus.name))
        figures = agreement(split, find(teachers, [paragraph.text[:LONGEST] for paragraph in split]))
        print(title, corpus.name, *(f"{kind} {100 * figure.f1:.2f}" for kind, figure in figures.items()), flush=True)


def segment(teachers: Sequence[Teacher], paragraphs: Iterable[str], fixed: FixedWords) -> Iterator[str]:
    """Sentences as CoNLL-U, without white space except between Latin words."""
    lines = [_closed_up(paragraph) for paragraph in paragraphs]
    for begin in range(0, len(lines), PARAGRAPHS_AT_ONCE):
        parts = [SENTENCES.findall(line) for line in lines[begin : begin + PARAGRAPHS_AT_ONCE]]
        texts = [text for part in parts for text in part]
        results = iter(zip(texts, find(teachers, texts, fixed), strict=True))
        for part in parts:
            opening = "# newpar\n"
            for _ in part:
                text, segmentation = next(results)
                for first, last in pairwise((0, *segmentation.ends)):
                    words = segmentation.words[first:last]
                    nexts = [*(a for a, _ in segmentation.words[first + 1 : last + 1]), len(text)]
                    spaces = [conllu.spacing("", text[b:a]) for (_, b), a in zip(words, nexts, strict=False)]
                    rows = conllu.rows(1, [text[a:b] for a, b in words], untagged(len(words)), spaces)
                    yield opening + "\n".join([*rows, "", ""])
                    opening = ""


def untagged(words: int) -> dict[int, Tags]:
    """The columns of words whose tags are not known."""
    return {conllu.UPOS_COLUMN: Tags(["X"] * words, ())}


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
    about = {"units": json.dumps(teacher.units.tables()), "settings": json.dumps(asdict(teacher.settings))}
    write_network(path, teacher, about)


def load(path: Path) -> Teacher:
    about, weights = read_network(path)
    units = PretokenVocabulary.from_tables(json.loads(about["units"]))
    teacher = Teacher(units, Settings(**json.loads(about["settings"])))
    teacher.load_state_dict(weights)
    if teacher.bert is not None:
        teacher.bert.set_attn_implementation("sdpa")  # faster without a backward pass
    return teacher


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    learn = verbs.add_parser("train")
    learn.add_argument("path", type=Path)
    learn.add_argument("specs", nargs="+", metavar="SPEC", help="as for `rnntag train`")
    add_settings(learn, Settings())
    for verb in ("segment", "test"):
        verbs.add_parser(verb).add_argument("paths", nargs="+", type=Path)
    verbs.choices["test"].add_argument("--specs", nargs="+", required=True)
    verbs.choices["segment"].add_argument(
        "--lexicon", type=Path, default=Path("lexicon"), help="folder of the word lists"
    )
    given = parser.parse_args()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if given.verb == "train":
        train(loading.load(given.specs), settings_of(given, Settings), given.path, device)
        return
    teachers = [load(path).to(device) for path in given.paths]
    if given.verb == "test":
        report(teachers, loading.load(given.specs), "mean")
    else:
        sys.stdout.writelines(segment(teachers, sys.stdin, FixedWords(given.lexicon)))


if __name__ == "__main__":
    main()
