"""How well word vectors agree with people, and how well they find analogies.

    python -m benchmarks.word_similarity --model lm --vectors glove.txt \\
        --similarity en_wordsim353.txt en_simlex999.txt --analogies zh_ca8_semantic.txt.xz

A line of a file of similarities has two words and a number, separated by tabs (WordSim-353: Finkelstein et al. 2002;
SimLex-999: Hill et al. 2015); the figure is Spearman's correlation over the pairs whose words have vectors. A line of
analogies has four words, A B C D, where D is to C as B is to A (CA8: Li et al. 2018); the figure is the share of those
whose words have vectors that are found first.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr

from rnntag.errors import NotFoundError
from rnntag.formats.decoding import file_lines
from rnntag.model.vocabulary import RESERVED, Vocabulary
from rnntag.word_vectors import WordVectors, load_vectors

AT_ONCE = 500


def from_file(path: Path) -> WordVectors:
    """The vectors of a text file: a word and its numbers on each line."""
    rows = [line.rstrip().split(" ") for line in file_lines(path)]
    rows = [row for row in rows if len(row) == len(rows[-1])]
    table = np.array([row[1:] for row in rows], dtype=np.float32)
    words = tuple(row[0] for row in rows)
    padded = np.concatenate([np.zeros((RESERVED, table.shape[1]), np.float32), table])
    return WordVectors(path.name, Vocabulary(words, len(words), (), {}), padded)


def similarity(vectors: WordVectors, path: Path) -> tuple[float, int, int]:
    """Spearman's correlation, the number of pairs with vectors, and that of all pairs."""
    rows = [line.split("\t") for line in file_lines(path)]
    gold, found = [], []
    for a, b, judged in rows:
        try:
            found.append(vectors.similarity(a, b))
        except NotFoundError:
            continue
        gold.append(float(judged))
    return float(spearmanr(gold, found).statistic), len(gold), len(rows)


def analogies(vectors: WordVectors, path: Path) -> tuple[float, int, int]:
    """The share of analogies found, the number of those whose words have vectors, and that of all."""
    rows = [line.split() for line in file_lines(path) if not line.startswith(":")]
    own = {*vectors.words}
    known = [row for row in rows if own.issuperset(row)]
    unit = np.array([vectors.vector(word) for word in vectors.words])
    unit /= np.maximum(np.linalg.norm(unit, axis=1, keepdims=True), 1e-9)
    place = {word: number for number, word in enumerate(vectors.words)}
    hits = 0
    for begin in range(0, len(known), AT_ONCE):
        a, b, c, d = np.array([[place[word] for word in row] for row in known[begin : begin + AT_ONCE]]).T
        cosines = (unit[b] - unit[a] + unit[c]) @ unit.T
        for asked in (a, b, c):
            cosines[np.arange(len(asked)), asked] = -np.inf
        hits += int((cosines.argmax(1) == d).sum())
    return hits / max(len(known), 1), len(known), len(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", action="append", default=[], help="a tagger or a language model")
    parser.add_argument("--vectors", action="append", default=[], type=Path, help="a text file")
    parser.add_argument("--similarity", nargs="*", default=[], type=Path)
    parser.add_argument("--analogies", nargs="*", default=[], type=Path)
    given = parser.parse_args()
    sources: Sequence[WordVectors] = [*map(load_vectors, given.model), *map(from_file, given.vectors)]
    print("| vectors | test | figure | covered |\n| --- | --- | ---: | ---: |")
    for vectors, name in zip(sources, [*given.model, *(path.name for path in given.vectors)], strict=True):
        for path in given.similarity:
            figure, covered, all_pairs = similarity(vectors, path)
            print(f"| {name} | {path.name} | {figure:.3f} | {covered} of {all_pairs} |", flush=True)
        for path in given.analogies:
            figure, covered, all_pairs = analogies(vectors, path)
            print(f"| {name} | {path.name} | {100 * figure:.1f} % | {covered} of {all_pairs} |", flush=True)


if __name__ == "__main__":
    main()
