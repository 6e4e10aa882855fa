"""Stanza's tagger without downloads: no pretrained vectors, no character language model."""

from __future__ import annotations

import contextlib
import itertools
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.peers.adapter import Lesson, Peer, Sentences, Tag, write_conllu

BATCH, EVERY, BLOCK = 32, 200, 512


class _TimeIsUpError(Exception):
    pass


def train(lesson: Lesson, path: Path) -> None:
    from stanza.models import tagger

    class Bounded(tagger.Trainer):
        def update(self, batch: Any, eval: bool = False) -> Any:
            if lesson.over():
                if not path.exists():  # else the best model on dev has been saved
                    self.save(path)
                raise _TimeIsUpError
            return super().update(batch, eval=eval)

    tagger.Trainer = Bounded
    with tempfile.TemporaryDirectory() as folder:
        splits = {"train": lesson.train, "dev": lesson.dev}
        for split, sentences in splits.items():
            write_conllu(sentences, Path(folder) / f"{split}.conllu")
        arguments = {
            "lang": lesson.language,
            "shorthand": f"{lesson.language}_peer",
            "train_file": f"{folder}/train.conllu",
            "eval_file": f"{folder}/dev.conllu",
            "save_dir": path.parent,
            "save_name": path.name,
            "batch_size": BATCH,
            "eval_interval": EVERY,
        }
        given = [word for name, value in arguments.items() for word in (f"--{name}", str(value))]
        with contextlib.suppress(_TimeIsUpError):
            tagger.main([*given, "--fix_eval_interval", "--no_pretrain", "--cpu"])


def load(path: Path) -> Tag:
    import torch
    from stanza.models.common.doc import Document
    from stanza.models.common.utils import unsort
    from stanza.models.pos.data import Dataset
    from stanza.models.pos.trainer import Trainer

    trainer = Trainer(model_file=str(path), device="cpu")

    def tag(sentences: Sentences) -> Iterator[list[str]]:
        waiting = iter(sentences)
        while block := list(itertools.islice(waiting, BLOCK)):
            document = Document([[{"id": (n,), "text": word} for n, word in enumerate(words, 1)] for words in block])
            data = Dataset(document, trainer.args, None, vocab=trainer.vocab, evaluation=True, sort_during_eval=True)
            found: list[list[list[str]]] = []
            order: list[int] = []
            with torch.no_grad():
                for batch in data.to_length_limited_loader(batch_size=250, maximum_tokens=5000):
                    found += trainer.predict(batch)
                    order.extend(batch.idx)
            for words in unsort(found, order):
                yield [upos for upos, *_ in words]

    return tag


PEER = Peer(
    "Stanza, nothing downloaded",
    ("stanza",),
    train,
    load,
    keeps_best=True,
    settings=f"its network without pretrained vectors, batches of {BATCH} sentences",
)
