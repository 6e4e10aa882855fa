"""Finds training sentences that are also in a dev or test split, exactly or nearly.

    python -m recipes.overlap --dev en_ewt-ud-dev.conllu -- en_ewt-ud-train.conllu tagged.jsonl
    python -m recipes.overlap --dev en_ewt-ud-dev.conllu --write clean -- en_ewt-ud-train.conllu

Case, width, script, digits and punctuation are ignored. Two sentences are nearly the same if the shorter has at least
six word trigrams and four fifths of them are in the longer. `--write` makes a folder of the dev files and of the
training files without such sentences, all CoNLL-U. Without it the exit code is 1 if there are any.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from rnntag.corpora import loading
from rnntag.formats import conllu
from rnntag.formats.decoding import file_lines
from rnntag.training import simplification

NEAR, LEAST_TRIGRAMS = 0.8, 6
_FOLD = str.maketrans(simplification.chinese())
_NOT_WORD = re.compile(r"[\W_]+")
_DIGIT = re.compile(r"\d")


def words(tokens: Iterable[str]) -> tuple[str, ...]:
    """What is compared: Chinese characters and other words, whatever the tokens."""
    text = _DIGIT.sub("0", " ".join(tokens).translate(_FOLD).lower())
    text = re.sub("([\u3400-\u9fff])", r" \1 ", text)
    return tuple(_NOT_WORD.sub(" ", text).split())


def _trigrams(sequence: Sequence[str]) -> set[tuple[str, ...]]:
    return {tuple(sequence[i : i + 3]) for i in range(len(sequence) - 2)}


class Held:
    """Held-out sentences, for comparison."""

    def __init__(self, sentences: Iterable[Sequence[str]]) -> None:
        held = [words(tokens) for tokens in sentences]
        self._whole = set(held) - {()}
        self._sizes: list[int] = []
        self._with: dict[tuple[str, ...], list[int]] = defaultdict(list)
        for number, sentence in enumerate(held):
            grams = _trigrams(sentence)
            self._sizes.append(len(grams))
            for gram in grams:
                self._with[gram].append(number)

    def has(self, tokens: Sequence[str]) -> bool:
        """Whether a sentence is among them, exactly or nearly."""
        sentence = words(tokens)
        if sentence in self._whole:
            return True
        grams = _trigrams(sentence)
        common = Counter(number for gram in grams for number in self._with.get(gram, ()))
        shorter = ((count, min(len(grams), self._sizes[number])) for number, count in common.items())
        return any(size >= LEAST_TRIGRAMS and count >= NEAR * size for count, size in shorter)


def held_out(specs: Sequence[str]) -> Held:
    return Held(sentence.tokens for corpus in loading.load(specs, whole=True) for sentence in corpus.dev + corpus.test)


def write_clean(dev: Iterable[Path], training: Iterable[Path], folder: Path) -> None:
    """Write a new folder of the dev files as they are, and the training files without their sentences."""
    held = held_out([str(source) for source in dev])
    fresh = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    for source in dev:
        shutil.copy(source, fresh)
    for source in training:
        with (fresh / source.name).open("w", encoding="utf-8") as out:
            for sentence in conllu.read(file_lines(source), str(source)):
                if not held.has(sentence.column(conllu.FORM)):
                    out.write("\n".join([*sentence.lines, "", ""]))
    fresh.rename(folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dev", nargs="+", required=True, metavar="SPEC")
    parser.add_argument("--write", type=Path, metavar="FOLDER")
    parser.add_argument("training", nargs="+", metavar="SPEC")
    given = parser.parse_args()
    if given.write:
        write_clean([Path(source) for source in given.dev], [Path(source) for source in given.training], given.write)
        return
    held = held_out(given.dev)
    total = 0
    for corpus in loading.load(given.training):
        sentences = corpus.train + corpus.dev + corpus.test
        alike = [sentence for sentence in sentences if held.has(sentence.tokens)]
        total += len(alike)
        print(f"{corpus.name}: {len(alike)} of {len(sentences)} sentences are held out")
        for sentence in alike[:5]:
            print(f"    {' '.join(sentence.tokens)}")
    sys.exit(total > 0)


if __name__ == "__main__":
    main()
