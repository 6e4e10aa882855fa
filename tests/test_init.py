"""Training that starts from a finished model."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import rnntag
from rnntag.config import ModelConfig, SegmenterConfig, TrainConfig
from rnntag.errors import UsageError
from rnntag.model import directory
from rnntag.model.stored import ModelBundle
from rnntag.model.vocabulary import UNKNOWN, Vocabulary
from rnntag.model.weights import quantize
from rnntag.sentences import Corpus, Multiword, Sentence
from rnntag.tagger import Tagger
from rnntag.training.inheritance import Start
from rnntag.training.segmenter import SegmenterTask
from rnntag.training.segmenter import stored as stored_segmenter
from rnntag.training.tagger import TaggerTask, bundle
from rnntag.training.trainer import Trainer
from tests.conftest import Run, done, few, interrupt_after, refusal
from tests.test_checkpoint import goes_on, same
from tests.torch_runtime import torch_tagger

WORDS = ("I", "frobnicate", "ĸwords", "你")
UPOS = Sentence(WORDS, {"upos": ("PRON", "VERB", "NEWTAG", "PRON")})
OWN = Sentence(WORDS, {"own": ("p", "v", "n", "p")})
MORE = TrainConfig(epochs=3, lr=0.005, dropout=0.0, word_dropout=0.0, patience=3, device="cpu", init="tiny")


def corpus_of(*sentences: Sentence, times: int = 10) -> Corpus:
    return Corpus("mine", sentences * times, sentences, sentences)


def task(corpora: Sequence[Corpus], start: Start, config: TrainConfig = MORE) -> TaggerTask:
    return TaggerTask(corpora, start.model.config, config, start)


def kept(model: ModelBundle, starter: list[Corpus]) -> Start:
    return Start(model, tuple(replace(corpus, train=corpus.train[:40], dev=corpus.dev[:10]) for corpus in starter))


def test_a_vocabulary_is_extended() -> None:
    old = Vocabulary(("a", "b", "c"), 2, ("a", "b"), {"t": ("X", "Y")}, ("é", "e"), ("v", "w"))
    new = Vocabulary(("w", "b", "d", "c"), 3, ("b", "d"), {"s": ("S",), "t": ("A", "X")}, ("é", "e"))
    both = old.extended(new)
    assert both == Vocabulary(
        ("a", "b", "w", "d", "c"), 4, ("a", "b", "d"), {"t": ("X", "Y", "A"), "s": ("S",)}, ("é", "e"), ("v",)
    )
    assert both.word_rows_in(old).tolist() == [0, 1, 2, 3, 5, UNKNOWN, 4]
    assert both.character_rows_in(old).tolist() == [0, 1, 2, 3, UNKNOWN]


@pytest.mark.parametrize("feedback", [False, True])
def test_at_first_nothing_is_predicted_otherwise(feedback: bool, tiny: ModelBundle, starter: list[Corpus]) -> None:
    """New words, characters and tags change no score, and neither does a new tagset."""
    texts = [*(sentence.tokens for sentence in starter[0].dev[:20] + starter[1].dev[:20]), WORDS]
    model = tiny
    if feedback:
        shape = ModelConfig(layers=1, hidden=8, embedding_dim=8, char_dim=4, char_hidden=4, feedback=True)
        training = Trainer(TaggerTask([corpus_of(*starter[0].train[:30], times=1)], shape, replace(MORE, init="")))
        list(training.steps())
        model = bundle(training, "fed")
    new = () if feedback else ("NEWTAG",)  # a new tag takes some of the probability that is fed back
    made = task([corpus_of(*([OWN] if feedback else [UPOS, OWN]))], Start(model))
    upos = made.vocabulary.tags["upos"]
    assert upos == (*model.vocabulary.tags["upos"], *new)
    assert made.vocabulary.tags["own"] == ("n", "p", "v")
    grown = replace(model, vocabulary=made.vocabulary, weights=quantize(made.weights()), temperatures={})
    before = torch_tagger(replace(model, temperatures={})).scores(texts, "upos")
    after = torch_tagger(grown).scores(texts, "upos")
    np.testing.assert_allclose(after[:, : before.shape[1]], before, atol=2e-3)
    assert (after.argmax(-1) < before.shape[1]).all()


def test_it_learns_new_words_and_a_new_tagset(tiny: ModelBundle, starter: list[Corpus]) -> None:
    start = kept(tiny, starter)
    training = Trainer(task([corpus_of(OWN)], start, replace(MORE, epochs=20, patience=20, lr=0.01)))
    list(training.steps())
    model = bundle(training, "mine")
    assert model.provenance.init == "tiny:"
    assert {*model.provenance.corpora} == {"mine", "starter_en", "starter_zh"}
    tagger = Tagger(model)
    assert tagger.predict([WORDS], "own") == [[*OWN.tags["own"]]]
    assert tagger.is_known("frobnicate")
    texts = [sentence.tokens for sentence in starter[0].train[:40]]
    agreed = [a == b for one, other in zip(tagger.predict(texts, "upos"), Tagger(tiny).predict(texts), strict=True)
              for a, b in zip(one, other, strict=True)]  # fmt: skip
    assert np.mean(agreed) > 0.97


def test_keep_holds_what_the_model_knew(tiny: ModelBundle, starter: list[Corpus]) -> None:
    """Sentences whose words all have the same tag would make it tag everything so."""
    wrong = corpus_of(
        *(Sentence(s.tokens, {"upos": ("X",) * len(s.tokens)}) for s in starter[0].train[100:140]), times=1
    )
    texts = [sentence.tokens for sentence in starter[1].train[:40]]
    gold = [tag for sentence in starter[1].train[:40] for tag in sentence.tags["upos"]]
    right = []
    for start, keep in ((kept(tiny, starter), True), (Start(tiny), False)):
        training = Trainer(task([wrong], start, replace(MORE, epochs=6, keep=keep)))
        list(training.steps())
        scores = Tagger(bundle(training, "m")).predict(texts, "upos")
        right.append(np.mean([a == b for a, b in zip(gold, (tag for tags in scores for tag in tags), strict=True)]))
    assert right[0] > right[1] + 0.1


def test_it_goes_on_from_any_step(tiny: ModelBundle, starter: list[Corpus], tmp_path: Path) -> None:
    config = replace(MORE, dropout=0.1, word_dropout=1.0, augment=0.3, class_weights="balanced")
    corpora = [corpus_of(UPOS, OWN), corpus_of(*starter[0].train[200:230], times=1)]
    corpora[1] = replace(corpora[1], name="other")
    whole, broken = goes_on(lambda: Trainer(task(corpora, kept(tiny, starter), config)), tmp_path / "m")
    same(bundle(broken, "m").weights, bundle(whole, "m").weights)
    other = task(corpora, Start(replace(tiny, digest="0"), kept(tiny, starter).kept), config)
    assert other.fingerprint != whole.task.fingerprint


def test_a_segmenter_starts_from_another(tiny_raw: ModelBundle, starter: list[Corpus], tmp_path: Path) -> None:
    assert tiny_raw.segmenter
    old = tiny_raw.segmenter
    token = Multiword(0, "Frobnicate", ("Frob", "nicate"))
    sentence = Sentence(("Frob", "nicate", "me", "!"), spaces=("", " ", "", " "), multiwords=(token,))
    corpus = Corpus("mine", (sentence,) * 20, (sentence,) * 2)
    config = replace(old.config, epochs=2, lr=0.002, init="tiny_raw")
    whole, broken = goes_on(
        lambda: Trainer(SegmenterTask([corpus], config, old.units.char_map, kept(tiny_raw, starter))), tmp_path / "m"
    )
    made, resumed = stored_segmenter(whole), stored_segmenter(broken)
    assert made
    assert resumed
    same(made.weights, resumed.weights)
    assert made.units.known[: len(old.units.known)] == old.units.known
    assert "frobnicate" in made.units.known
    assert [*made.expansions] == ["en", "mine"]
    assert {*made.dev} == {"mine", "starter_en", "starter_zh"}
    assert made.dev["mine"]["words"] == 1
    for name in ("starter_en", "starter_zh"):
        assert made.dev[name]["words"] > old.dev[name]["words"] - 0.05


# From the command line


@pytest.fixture
def mine(tmp_path: Path, tiny_raw_folder: Path) -> Path:
    (tmp_path / "mine.txt").write_text("I/p frobnicate/v it/p ./s\nyou/p eat/v ./s\n" * 10, encoding="utf-8")
    rows = "1\tFrob\t_\tNOUN\t_\t_\t_\t_\t_\tSpaceAfter=No\n2\t!\t_\tPUNCT" + "\t_" * 6 + "\n\n"
    (tmp_path / "mine.conllu").write_text(rows * 10, encoding="utf-8")
    return tiny_raw_folder


QUICK = ("--epochs", "1", "--out", "m")


def test_train_starts_from_a_model(mine: Path, tmp_path: Path, here: Run) -> None:
    done(here("train", "mine.txt", "--init", mine, *QUICK))
    old, new = directory.read(mine), directory.read(tmp_path / "m")
    assert new.config == old.config
    assert new.tagsets == ("upos", "mine")
    assert (new.training.lr, new.training.dropout, new.training.init) == (0.001, 0.1, str(mine))
    assert new.segmenter  # as it was: word/TAG lines have no raw text
    same(new.segmenter.weights, old.segmenter.weights if old.segmenter else {})
    assert new.provenance.init == f"tiny_raw:{old.digest}"
    card = (tmp_path / "m" / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert f"Training started from the model tiny_raw:{old.digest}" in card
    assert f"--init {mine}" in card
    assert json.loads((tmp_path / "m" / "config.json").read_text())["training"]["keep"] is True
    given = here("tag", "--model", "m", "--tagset", "mine", "I eat.")
    assert done(given) == ""
    assert given.stdout.count("/") == 3


def test_a_segmenter_is_trained_on_beside_the_tagger_or_alone(mine: Path, tmp_path: Path, here: Run) -> None:
    done(here("train", "mine.conllu", "--init", mine, "--no-keep", "--segmenter-epochs", "1", *QUICK))
    made = directory.read(tmp_path / "m")
    assert made.segmenter
    assert (made.segmenter.config.init, made.segmenter.config.lr, made.segmenter.config.keep) == (
        str(mine),
        0.0007,
        False,
    )
    assert {*made.provenance.corpora} == {"mine"}
    done(here("train-segmenter", mine, "mine.conllu", "--init", mine, "--epochs", "1", "--out", "n"))
    card = (tmp_path / "n" / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert f"--init {mine}" in card
    again = directory.read(tmp_path / "n")
    same(again.weights, directory.read(mine).weights)
    assert again.segmenter
    assert {*again.segmenter.dev} == {"mine", "starter_en", "starter_zh"}


REFUSED = [
    (("--hidden", "31"), "hidden is 31, but 32 in the model tiny_raw: leave out --hidden"),
    (("--cell", "gru"), "cell is gru, but lstm in the model tiny_raw: leave out --cell"),
    (("--segmenter-hidden", "8"), "segmenter_hidden is 8, but 32 in the model tiny_raw: leave out --segmenter-hidden"),
    (("--simplify-chinese",), "the model tiny_raw does not read traditional Chinese as simplified: leave out "
     "--simplify-chinese"),
    (("--vectors", "v.txt"), "word vectors cannot be combined with a model to start from: leave out --vectors"),
]  # fmt: skip


@pytest.mark.parametrize(("options", "message"), few(REFUSED, REFUSED[0], REFUSED[3]))
def test_contradictions_are_refused(options: Sequence[str], message: str, mine: Path, here: Run) -> None:
    assert refusal(here("train", "mine.txt", "--init", mine, *options), 2) == f"error: {message}"


def test_keep_needs_init(mine: Path, tiny_folder: Path, here: Run) -> None:
    for command in (["train", "mine.txt"], ["train-segmenter", mine, "mine.conllu"]):
        assert (
            refusal(here(*command, "--no-keep"), 2)
            == "error: keep has no effect without init: leave out --keep/--no-keep"
        )
    told = refusal(here("train-segmenter", mine, "mine.conllu", "--init", tiny_folder, "--force"), 2)
    assert told == "error: the model tiny has no segmenter to start from: leave out --init"
    assert refusal(here("train", "mine.txt", "--init", "none"), 66).startswith("error: none: no such model")


@pytest.mark.slow
def test_an_interrupted_run_is_continued(
    mine: Path, tmp_path: Path, here: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ["mine.txt", "--init", mine, "--epochs", "2"]
    done(here("train", *options, "--out", "whole"))
    with monkeypatch.context() as patch:
        interrupt_after(patch, 1)
        assert here("train", *options, "--out", "m").returncode == 130
    done(here("train", "--resume", "--out", "m"))
    same(directory.read(tmp_path / "m").weights, directory.read(tmp_path / "whole").weights)


def test_python_has_the_same_names(mine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = rnntag.train("mine.txt", out="m", init=str(mine), keep=False, class_weights="balanced", epochs=1, lr=0.003)
    model = directory.read(path)
    assert (model.training.lr, model.training.keep, model.training.class_weights) == (0.003, False, "balanced")
    with pytest.raises(UsageError, match="cell is rnn, but lstm"):
        rnntag.train("mine.txt", out="n", init=str(mine), cell="rnn")
    assert SegmenterConfig().init == ""
