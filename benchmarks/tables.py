"""The cost of tagging a column of texts in one call, one by one, and as the stream that `rnntag tag` reads.

    python -m benchmarks.tables en_ewt-ud-dev.conllu zh_gsdsimp-ud-dev.conllu

The column is a pandas Series of --rows sentences of the treebanks, shuffled and repeated as needed. All ways must find
the same words and tags. The table has medians of processor time over --rounds, in each of which all ways run in turn,
each with a tagger that has seen no word yet. Needs pandas.
"""

from __future__ import annotations

import argparse
import itertools
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import pandas

from benchmarks.processes import machine
from rnntag.corpora import loading
from rnntag.corpora.raw_text import gold_paragraphs
from rnntag.formats.inputs import Input
from rnntag.model import directory
from rnntag.model.stored import ModelBundle
from rnntag.python_input import Pairs
from rnntag.tagger import Tagger
from rnntag.tagging.chunks import chunks
from rnntag.tagging.pipeline import Pipeline, TagJob

BLOCK = 1 << 16
"""Characters of the stream that arrive together, as from a file."""

Way = Callable[["pandas.Series[str]"], list[str]]
"""Tags a column; gives a line of word/TAG for each sentence."""


def column(treebanks: Iterable[str], rows: int) -> pandas.Series[str]:
    """So many sentences of the treebanks as raw text, in an order that is the same each time."""
    texts = []
    for corpus in loading.load([*treebanks], whole=True):
        for paragraph in gold_paragraphs([*corpus.train, *corpus.dev, *corpus.test], corpus.name):
            places = [paragraph.words[end - 1][1] for end in paragraph.ends]
            texts += [paragraph.text[begin:end].strip() for begin, end in itertools.pairwise((0, *places))]
    random.Random(1).shuffle(texts)
    return pandas.Series(list(itertools.islice(itertools.cycle(texts), rows)))


def in_one_call(model: ModelBundle) -> Way:
    tagger = Tagger(model)
    return lambda texts: lines(sentence for row in tagger.tag_texts(texts) for sentence in row)


def one_by_one(model: ModelBundle) -> Way:
    tagger = Tagger(model)
    return lambda texts: lines(sentence for text in texts for sentence in tagger.tag_text(text))


def as_a_stream(model: ModelBundle) -> Way:
    pipeline = Pipeline(TagJob(model, model.tagsets[:1], "slash"))

    def tag(texts: pandas.Series[str]) -> list[str]:
        text = "\n\n".join(texts)
        blocks = (text[start : start + BLOCK] for start in range(0, len(text), BLOCK))
        tagged = b"".join(itertools.chain.from_iterable(map(pipeline.tag, chunks([Input("rows", "raw", blocks)]))))
        return [line for line in tagged.decode().splitlines() if line]

    return tag


def lines(sentences: Iterable[Pairs]) -> list[str]:
    """Each sentence as `rnntag tag` writes it."""
    return [" ".join(f"{word}/{tag}" for word, tag in sentence) for sentence in sentences]


WAYS = {"`tag_texts`": in_one_call, "`tag_text`, row by row": one_by_one, "one stream": as_a_stream}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("treebanks", nargs="+", help="CoNLL-U files")
    parser.add_argument("--model", nargs="+", default=["models/zh-en", "models/zh-en-fast"])
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    texts = column(given.treebanks, given.rows)
    print("| | " + " | ".join(f"{name}, s" for name in WAYS) + " |")
    print("| --- |" + " ---: |" * len(WAYS))
    for path in given.model:
        model = directory.read(directory.find(path))
        seconds: dict[str, list[float]] = {name: [] for name in WAYS}
        for _ in range(given.rounds):
            tagged = []
            for name, made in WAYS.items():
                way = made(model)
                way(texts[:1])  # loads the segmenter
                started = time.process_time()
                tagged.append(way(texts))
                seconds[name].append(time.process_time() - started)
            for name, found in zip(WAYS, tagged, strict=True):
                if found != tagged[0]:
                    sys.exit(f"{path}: {name} finds other words or tags")
        middle = (f"{statistics.median(each):.2f}" for each in seconds.values())
        print(f"| {Path(path).name} | {' | '.join(middle)} |", flush=True)
    versions = machine(("rnntag", "onnxruntime", "pandas"))
    print(f"\n{len(texts):,} rows; " + ", ".join(f"{name} {version}" for name, version in versions.items()))


if __name__ == "__main__":
    main()
