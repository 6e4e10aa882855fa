"""NLTK's averaged perceptron, TnT and conditional random field."""

from __future__ import annotations

import json
import pickle
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.peers.adapter import Lesson, Peer, Sentences, Tag


def _tagging(tagger: Any) -> Tag:
    def tag(sentences: Sentences) -> Iterator[list[str]]:
        for sentence in sentences:
            yield [tag for _, tag in tagger.tag(sentence)]

    return tag


def train_perceptron(lesson: Lesson, path: Path) -> None:
    from nltk.tag.perceptron import PerceptronTagger

    random.seed(1)  # the perceptron shuffles with Python's global generator
    tagger = PerceptronTagger(load=False)
    tagger.train(lesson.train, nr_iter=5)
    model = {"weights": tagger.model.weights, "tagdict": tagger.tagdict, "classes": sorted(tagger.classes)}
    path.write_text(json.dumps(model), encoding="utf-8")


def load_perceptron(path: Path) -> Tag:
    from nltk.tag.perceptron import PerceptronTagger

    model = json.loads(path.read_text(encoding="utf-8"))
    tagger = PerceptronTagger(load=False)
    tagger.model.weights, tagger.tagdict, tagger.classes = model["weights"], model["tagdict"], set(model["classes"])
    tagger.model.classes = tagger.classes
    return _tagging(tagger)


def train_tnt(lesson: Lesson, path: Path) -> None:
    from nltk.tag.tnt import TnT

    tagger = TnT()
    tagger.train(lesson.train)
    path.write_bytes(pickle.dumps(tagger))


def train_tnt_with_endings(lesson: Lesson, path: Path) -> None:
    from nltk.tag import AffixTagger, DefaultTagger
    from nltk.tag.tnt import TnT

    # TnT by itself gives unknown words no tag.
    endings = AffixTagger(lesson.train, affix_length=-3, min_stem_length=1, backoff=DefaultTagger("NOUN"))
    tagger = TnT(unk=endings, Trained=True)
    tagger.train(lesson.train)
    path.write_bytes(pickle.dumps(tagger))


def load_tnt(path: Path) -> Tag:
    return _tagging(pickle.loads(path.read_bytes()))


def _allow(path: Path) -> None:
    """Let NLTK read and write there: a CRFTagger's model must be among NLTK's data."""
    import nltk

    nltk.data.path.append(str(path.resolve().parent))


def train_crf(lesson: Lesson, path: Path) -> None:
    from nltk.tag.crf import CRFTagger

    _allow(path)
    CRFTagger(training_opt={"max_iterations": 100}).train(lesson.train, str(path))


def load_crf(path: Path) -> Tag:
    from nltk.tag.crf import CRFTagger

    _allow(path)
    tagger = CRFTagger()
    tagger.set_model_file(str(path))
    return _tagging(tagger)


PERCEPTRON = Peer("NLTK's perceptron", ("nltk",), train_perceptron, load_perceptron, settings="5 iterations")
TNT = Peer("NLTK's TnT", ("nltk",), train_tnt, load_tnt, settings="as it comes")
ENDINGS = "unknown words by their last three letters"
TNT_WITH_ENDINGS = Peer("TnT with endings", ("nltk",), train_tnt_with_endings, load_tnt, settings=ENDINGS)
CRF = Peer("NLTK's CRF", ("nltk", "python-crfsuite"), train_crf, load_crf, settings="100 iterations at most")
