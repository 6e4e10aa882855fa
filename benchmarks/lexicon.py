"""A user's lexicon: how well its words are found, how long it takes to load, and how much it slows tagging.

    python -m benchmarks.lexicon zh_gsdsimp-ud-dev.conllu --json lexicon.json

The words that the segmenter misses in the treebank are given to it as a lexicon. For speed, the treebank's text is
tagged with a lexicon of --entries words: those of the treebank, and random pairs of them; or with that of --lexicon.
Times are seconds of the processor, medians of --rounds. Loading includes the index of the words.
"""

from __future__ import annotations

import argparse
import gc
import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import rnntag
from benchmarks.processes import machine
from rnntag.config import DEFAULT_MODEL, LexiconMode
from rnntag.corpora import loading
from rnntag.corpora.raw_text import gold_paragraphs
from rnntag.lexicon import reading
from rnntag.lexicon.lexicon import Lexicon
from rnntag.model.stored import ModelBundle
from rnntag.sentences import Span
from rnntag.tagger import Tagger

MODES: tuple[LexiconMode | None, ...] = (None, "prefer", "force")


def seconds(work: Callable[[], Any]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def taggers(model: ModelBundle, entries: dict[str, tuple[str, ...]]) -> dict[str, Tagger]:
    return {mode or "none": Tagger(model, lexicon=Lexicon(entries, mode) if mode else None) for mode in MODES}


def accuracy(model: ModelBundle, texts: Sequence[str], gold: Sequence[set[Span]]) -> dict[str, dict[str, float]]:
    """By mode, the F1 of all words and the recall of those of the lexicon, in percent."""
    plain = Tagger(model).find(texts)
    missed = [words - {*one.words} for words, one in zip(gold, plain, strict=True)]
    own = {
        text[begin:end]: () for text, words in zip(texts, missed, strict=True) for begin, end in sorted(words)
        if end - begin > 1
    }  # fmt: skip
    figures = {}
    for mode, tagger in taggers(model, own).items():
        found = [{*one.words} for one in tagger.find(texts)]
        hits = [words & one for words, one in zip(gold, found, strict=True)]
        known = [[text[a:b] in own for a, b in words] for text, words in zip(texts, gold, strict=True)]
        right = [[text[a:b] in own for a, b in words] for text, words in zip(texts, hits, strict=True)]
        figures[mode] = {
            "entries": len(own),
            "f1": 200 * sum(map(len, hits)) / (sum(map(len, gold)) + sum(map(len, found))),
            "recall": 100 * sum(map(sum, right)) / sum(map(sum, known)),
        }
    return figures


def made(texts: Sequence[str], gold: Sequence[set[Span]], count: int, path: Path) -> Path:
    """Write a lexicon of the treebank's words and of random pairs of them."""
    words = sorted({text[begin:end] for text, spans in zip(texts, gold, strict=True) for begin, end in spans})
    chance = random.Random(1)
    entries = dict.fromkeys(words)
    while len(entries) < count:
        entries[chance.choice(words) + chance.choice(words)] = None
    tags = ("NOUN", "VERB", "PROPN", "NOUN,VERB")
    lines = [f"{word} {chance.randrange(10_000)} {chance.choice(tags)}\n" for word in list(entries)[:count]]
    path.write_text("".join(chance.sample(lines, len(lines))), encoding="utf-8")
    return path


def speed(model: ModelBundle, texts: Sequence[str], file: Path, rounds: int) -> dict[str, float]:
    def load() -> Lexicon:
        lexicon = reading.load([file], "prefer", model)
        assert lexicon
        lexicon._index  # noqa: B018
        return lexicon

    loads = [seconds(load) for _ in range(rounds)]
    contestants = taggers(model, load()._entries)
    gc.collect()
    gc.freeze()  # else whichever tagger runs when garbage is collected pays for all entries
    times: dict[str, list[float]] = {mode: [] for mode in contestants}
    for _ in range(rounds + 1):  # the first fills the caches
        for mode, tagger in contestants.items():
            times[mode].append(seconds(lambda tagger=tagger: tagger.find(texts)))
    return {"load": statistics.median(loads), **{mode: statistics.median(own[1:]) for mode, own in times.items()}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("treebank", help="CoNLL-U file")
    parser.add_argument("--model", default=DEFAULT_MODEL)
    parser.add_argument("--lexicon", type=Path, help="use this lexicon for speed")
    parser.add_argument("--entries", type=int, default=500_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path, help="write all figures there")
    given = parser.parse_args()
    model = rnntag.load(given.model).model
    (corpus,) = loading.load([given.treebank], whole=True)
    paragraphs = gold_paragraphs([*corpus.train, *corpus.dev, *corpus.test], corpus.name)
    texts, gold = [paragraph.text for paragraph in paragraphs], [{*paragraph.words} for paragraph in paragraphs]
    with tempfile.TemporaryDirectory() as folder:
        file = given.lexicon or made(texts, gold, given.entries, Path(folder) / "lexicon.txt")
        times = speed(model, texts, file, given.rounds)
    found = accuracy(model, texts, gold)
    print("| lexicon | words, F1 % | recall of its words % | slower by % |\n| --- | ---: | ---: | ---: |")
    for mode, own in found.items():
        slower = 100 * (times[mode] / times["none"] - 1)
        print(f"| {mode} | {own['f1']:.2f} | {own['recall']:.1f} | {slower:.1f} |")
    print(f"\nLoaded in {times['load']:.2f} s.")
    if given.json:
        figures = {"machine": machine(("rnntag", "onnxruntime")), "accuracy": found, "seconds": times}
        given.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
