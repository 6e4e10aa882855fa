"""Other taggers behind the same verbs, to be measured beside rnntag.

    python -m benchmarks.peers train nltk en_ewt-ud-train.conllu MODEL
    python -m benchmarks.peers tag nltk MODEL INPUT OUTPUT
    python -m benchmarks.peers latency nltk MODEL

INPUT holds a sentence a line, words parted by spaces; OUTPUT gets word/TAG. `latency` prints the
median time in milliseconds that one sentence of ten words takes in a warm process.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from rnntag import corpora

Sentences = Iterable[list[str]]
Tag = Callable[[Sentences], Iterator[list[str]]]
Tagged = list[list[tuple[str, str]]]

SENTENCE = ["The", "old", "man", "saw", "a", "red", "bird", "in", "the", "garden"]
CALLS = 300


class Peer(NamedTuple):
    package: str
    train: Callable[[Tagged, Path], None] | None
    load: Callable[[Path], Tag]


def load_rnntag(path: Path) -> Tag:
    import rnntag

    tagger = rnntag.load(path)

    def tag(sentences: Sentences) -> Iterator[list[str]]:
        for pairs in tagger.stream(sentences):
            yield [tag for _, tag in pairs]

    return tag


def train_nltk(sentences: Tagged, path: Path) -> None:
    from nltk.tag.perceptron import PerceptronTagger

    random.seed(1)  # the perceptron shuffles its sentences with Python's global generator
    tagger = PerceptronTagger(load=False)
    tagger.train(sentences, nr_iter=5)
    model = {"weights": tagger.model.weights, "tagdict": tagger.tagdict, "classes": sorted(tagger.classes)}
    path.write_text(json.dumps(model), encoding="utf-8")


def load_nltk(path: Path) -> Tag:
    from nltk.tag.perceptron import PerceptronTagger

    model = json.loads(path.read_text(encoding="utf-8"))
    tagger = PerceptronTagger(load=False)
    tagger.model.weights, tagger.tagdict, tagger.classes = model["weights"], model["tagdict"], set(model["classes"])
    tagger.model.classes = tagger.classes

    def tag(sentences: Sentences) -> Iterator[list[str]]:
        for sentence in sentences:
            yield [tag for _, tag in tagger.tag(sentence)]

    return tag


def train_spacy(sentences: Tagged, path: Path) -> None:
    import spacy
    from spacy.training import Example

    spacy.util.fix_random_seed(1)
    nlp = spacy.blank("en")
    nlp.add_pipe("tagger")
    examples = [
        Example.from_dict(spacy.tokens.Doc(nlp.vocab, words=[w for w, _ in s]), {"tags": [t for _, t in s]})
        for s in sentences
    ]
    nlp.initialize(lambda: examples)
    for _ in range(3):
        random.Random(1).shuffle(examples)
        for batch in spacy.util.minibatch(examples, 64):
            nlp.update(batch)
    nlp.to_disk(path)


def load_spacy(path: Path) -> Tag:
    import spacy

    nlp = spacy.load(path)

    def tag(sentences: Sentences) -> Iterator[list[str]]:
        docs = (spacy.tokens.Doc(nlp.vocab, words=sentence) for sentence in sentences)
        for doc in nlp.pipe(docs, batch_size=256):
            yield [token.tag_ for token in doc]

    return tag


def train_udpipe(sentences: Tagged, path: Path) -> None:
    from ufal import udpipe

    data = udpipe.Sentences()
    for sentence in sentences:
        one = udpipe.Sentence()
        for word, tag in sentence:
            one.addWord(word).upostag = tag
        data.append(one)
    error = udpipe.ProcessingError()
    options = "iterations=5;use_lemma=0;provide_lemma=0;use_xpostag=0;use_feats=0"
    model = udpipe.Trainer.train("morphodita_parsito", data, udpipe.Sentences(), "none", options, "none", error)
    if error.occurred():
        raise RuntimeError(error.message)
    path.write_bytes(model)


def load_udpipe(path: Path) -> Tag:
    from ufal import udpipe

    model = udpipe.Model.load(str(path))
    pipeline = udpipe.Pipeline(model, "horizontal", "", udpipe.Pipeline.NONE, "conllu")

    def tag(sentences: Sentences, _held: object = model) -> Iterator[list[str]]:  # the pipeline does not hold it
        waiting = iter(sentences)
        while block := list(itertools.islice(waiting, 1000)):
            text = pipeline.process("\n".join(" ".join(sentence) for sentence in block))
            tags: list[str] = []
            for line in text.split("\n"):
                if line and line[0] != "#":
                    tags.append(line.split("\t")[3])
                elif not line and tags:
                    yield tags
                    tags = []

    return tag


PEERS = {
    "rnntag": Peer("rnntag", None, load_rnntag),
    "nltk": Peer("nltk", train_nltk, load_nltk),
    "spacy": Peer("spacy", train_spacy, load_spacy),
    "udpipe": Peer("ufal.udpipe", train_udpipe, load_udpipe),
}


def train(name: str, treebank: str, path: Path) -> None:
    (corpus,) = corpora.load([treebank], whole=True)
    sentences = [list(zip(s.tokens, s.tags["upos"], strict=True)) for s in (*corpus.train, *corpus.dev, *corpus.test)]
    learn = PEERS[name].train
    if learn is None:
        raise SystemExit("rnntag is trained with 'rnntag train'")
    learn(sentences, path)


def tag(name: str, model: Path, source: Path, target: Path) -> None:
    tag = PEERS[name].load(model)
    with source.open(encoding="utf-8") as lines, target.open("w", encoding="utf-8") as out:
        ours, theirs = itertools.tee(line.split() for line in lines)
        for tokens, tags in zip(ours, tag(theirs), strict=True):
            out.write(" ".join([f"{token}/{tag}" for token, tag in zip(tokens, tags, strict=True)]) + "\n")


def latency(name: str, model: Path) -> float:
    tag = PEERS[name].load(model)
    seconds = []
    for _ in range(CALLS):
        started = time.perf_counter()
        list(tag([SENTENCE]))
        seconds.append(time.perf_counter() - started)
    return 1000 * statistics.median(seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("verb", choices=["train", "tag", "latency"])
    parser.add_argument("peer", choices=PEERS)
    parser.add_argument("paths", nargs="+")
    given = parser.parse_args()
    if given.verb == "train":
        train(given.peer, given.paths[0], Path(given.paths[1]))
    elif given.verb == "tag":
        tag(given.peer, *map(Path, given.paths))
    else:
        print(f"{latency(given.peer, Path(given.paths[0])):.3f}")


if __name__ == "__main__":
    main()
