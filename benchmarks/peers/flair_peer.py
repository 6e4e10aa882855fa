"""flair's sequence tagger without downloads: its word and character embeddings are learned from the train split."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.peers.adapter import Lesson, Peer, Sentences, Tag, Tagged

BLOCK = 512


def train(lesson: Lesson, path: Path) -> None:
    import flair
    from flair.data import Corpus, Dictionary, Sentence
    from flair.datasets import FlairDatapointDataset
    from flair.embeddings import CharacterEmbeddings, OneHotEmbeddings, StackedEmbeddings
    from flair.models import SequenceTagger
    from flair.trainers import ModelTrainer
    from flair.trainers.plugins.base import TrainerPlugin, TrainingInterrupt

    class Bounded(TrainerPlugin):
        @TrainerPlugin.hook
        def after_training_batch(self, **_: Any) -> None:
            if lesson.over():
                raise TrainingInterrupt("time is up")

    def sentences(split: Tagged) -> Any:
        made = []
        for pairs in split:
            sentence = Sentence([word for word, _ in pairs])
            for token, (_, tag) in zip(sentence, pairs, strict=True):
                token.add_label("upos", tag)
            made.append(sentence)
        return FlairDatapointDataset(made)

    flair.set_seed(1)
    corpus = Corpus(train=sentences(lesson.train), dev=sentences(lesson.dev), sample_missing_splits=False)
    characters = Dictionary()
    for char in sorted({char for pairs in lesson.train for word, _ in pairs for char in word}):
        characters.add_item(char)
    embeddings = StackedEmbeddings([OneHotEmbeddings.from_corpus(corpus), CharacterEmbeddings(characters)])
    tags = corpus.make_label_dictionary("upos", add_unk=False)
    tagger = SequenceTagger(embeddings, tags, "upos")
    with tempfile.TemporaryDirectory() as folder:
        ModelTrainer(tagger, corpus).train(folder, plugins=[Bounded()])
        best = Path(folder) / "best-model.pt"
        shutil.move(best if best.exists() else Path(folder) / "final-model.pt", path)


def load(path: Path) -> Tag:
    from flair.data import Sentence
    from flair.models import SequenceTagger

    tagger = SequenceTagger.load(path)
    for number, embeddings in enumerate(tagger.embeddings.embeddings):
        embeddings.name = f"{number}-{embeddings.name}"  # flair joins vectors by name, but loads one without its number

    def tag(sentences: Sentences) -> Iterator[list[str]]:
        waiting = iter(sentences)
        while block := [Sentence(words) for words in itertools.islice(waiting, BLOCK)]:
            tagger.predict(block, mini_batch_size=32)
            for sentence in block:
                yield [token.get_label("upos").value for token in sentence]

    return tag


PEER = Peer(
    "flair, nothing downloaded",
    ("flair",),
    train,
    load,
    keeps_best=True,
    settings="a BiLSTM-CRF of 256 units over embeddings of words and characters",
)
