"""Compares a model of rnntag with NLTK's averaged perceptron.

    python -m benchmarks.perceptron --model models/lstm treebank sinica_treebank

A perceptron is trained on the train split of each corpus, for ten iterations. The model is one that `rnntag train` made
from the same corpora. Both are evaluated on the test split, or with --split dev on the dev split.
"""

from __future__ import annotations

import argparse
import random

from nltk.tag.perceptron import PerceptronTagger

import rnntag
from rnntag.corpora import loading
from rnntag.sentences import Sentence

ITERATIONS = 10


def accuracy(sentences: tuple[Sentence, ...], tagset: str, predicted: list[list[str]]) -> float:
    gold = [tag for sentence in sentences for tag in sentence.tags[tagset]]
    tags = [tag for sentence in predicted for tag in sentence]
    return sum(a == b for a, b in zip(gold, tags, strict=True)) / len(gold)


def perceptron(train: tuple[Sentence, ...], tagset: str) -> PerceptronTagger:
    random.seed(1)  # the perceptron shuffles with Python's global generator
    tagger = PerceptronTagger(load=False)
    tagger.train([list(zip(s.tokens, s.tags[tagset], strict=True)) for s in train], nr_iter=ITERATIONS)
    return tagger


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpora", nargs="+", help="as for `rnntag train`")
    parser.add_argument("--model", default="lstm")
    parser.add_argument("--split", choices=["dev", "test"], default="test")
    arguments = parser.parse_args()
    model = rnntag.load(arguments.model)
    print(f"| corpus, {arguments.split} split | tokens | perceptron | rnntag {model.model.name} |")
    print("| --- | ---: | ---: | ---: |")
    for corpus in loading.load(arguments.corpora):
        gold = getattr(corpus, arguments.split)
        texts = [list(sentence.tokens) for sentence in gold]
        tagset = next(tagset for tagset in model.tagsets if tagset in gold[0].tags)
        peer = perceptron(corpus.train, tagset)
        theirs = accuracy(gold, tagset, [[tag for _, tag in peer.tag(text)] for text in texts])
        ours = accuracy(gold, tagset, model.predict(texts, tagset))
        print(f"| {corpus.name} | {sum(map(len, texts)):,} | {100 * theirs:.2f} % | {100 * ours:.2f} % |", flush=True)


if __name__ == "__main__":
    main()
