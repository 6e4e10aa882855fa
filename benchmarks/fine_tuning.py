"""What a hundred sentences are worth, for a model that knows much and for one that knows nothing.

    python -m benchmarks.fine_tuning --model zh-en --known en_ewt-ud-dev.conllu --known zh_gsdsimp-ud-dev.conllu \\
        fr-ud-dev.conllu.xz en_ark_twitter_oct27.txt.xz

For each corpus, 100 sentences (--sentences) are chosen at random, 90 to train and 10 for dev; all others are held out.
Accuracy is measured on these, and on the corpora that the model knows: of the model as it is, of a network of the same
architecture trained on the sentences alone, and of the model trained further on them, with and without --keep.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import rnntag
from rnntag.corpora import loading
from rnntag.errors import DataError
from rnntag.evaluation.evaluate import measure, micro_average
from rnntag.model import directory
from rnntag.sentences import Corpus, Sentence
from rnntag.tagger import Tagger

SEED = 1
DEV_SHARE = 0.1


def chosen(corpus: Corpus, count: int) -> tuple[list[Sentence], list[Sentence]]:
    """So many sentences of a corpus at random, and all others."""
    sentences = [sentence for sentence in corpus.train + corpus.dev + corpus.test if sentence.tags]
    random.Random(SEED).shuffle(sentences)
    return sentences[:count], sentences[count:]


def write(folder: Path, name: str, sentences: Sequence[Sentence]) -> list[Path]:
    """A train and a dev file of sentences with tags of one tagset."""
    first_dev = len(sentences) - max(1, round(DEV_SHARE * len(sentences)))
    paths = []
    for split, part in (("train", sentences[:first_dev]), ("dev", sentences[first_dev:])):
        rows = (
            f"{token}\t{tag}\n" if end < len(sentence.tokens) else f"{token}\t{tag}\n\n"
            for sentence in part
            for end, (token, tag) in enumerate(zip(sentence.tokens, *sentence.tags.values(), strict=True), 1)
        )
        paths.append(folder / f"{name}-{split}.tsv")
        paths[-1].write_text("".join(rows), encoding="utf-8")
    return paths


def accuracy(tagger: Tagger, name: str, sentences: Sequence[Sentence]) -> str:
    """In percent; a dash if the model does not know the tagset."""
    try:
        correct, _ = micro_average(report for _, _, report in measure(tagger, name, tuple(sentences)))
    except DataError:
        return "–"
    return f"{100 * correct:.2f} %"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpora", nargs="+", help="files with tags of one tagset")
    parser.add_argument("--model", default="zh-en")
    parser.add_argument("--known", action="append", default=[], metavar="CORPUS", help="what the model has learned")
    parser.add_argument("--sentences", type=int, default=100)
    parser.add_argument("--epochs", type=int, help="of the further training, at most")
    arguments = parser.parse_args()
    known = loading.load(arguments.known, whole=True)
    architecture = asdict(directory.read(directory.find(arguments.model)).config)
    more: dict[str, Any] = {} if arguments.epochs is None else {"epochs": arguments.epochs}
    runs: dict[str, dict[str, Any]] = {
        "from nothing": {**architecture, "min_count": 1},
        "--init, --no-keep": {"init": arguments.model, "keep": False, **more},
        "--init": {"init": arguments.model, **more},
    }
    print(f"| {arguments.sentences} sentences of | model | held out | {' | '.join(each.name for each in known)} |")
    print("| --- | --- | ---: |" + " ---: |" * len(known))
    for corpus in loading.load(arguments.corpora, whole=True):
        sentences, held_out = chosen(corpus, arguments.sentences)

        def row(name: str, tagger: Tagger, corpus: Corpus = corpus, rest: Sequence[Sentence] = held_out) -> None:
            splits = {corpus.name: rest, **{each.name: each.dev + each.test for each in known}}
            figures = [accuracy(tagger, name, split) for name, split in splits.items()]
            print(f"| {corpus.name} | {name} | {' | '.join(figures)} |", flush=True)

        row(arguments.model, rnntag.load(arguments.model))
        with tempfile.TemporaryDirectory() as folder:
            files = write(Path(folder), corpus.name, sentences)
            for name, options in runs.items():
                out = rnntag.train(files, out=Path(folder) / "m", segmenter=False, force=True, **options)
                row(name, rnntag.load(str(out)))


if __name__ == "__main__":
    main()
