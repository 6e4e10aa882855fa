"""Words without a gold tag train nothing and are not measured."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from rnntag.config import ModelConfig, TrainConfig
from rnntag.corpora import loading
from rnntag.corpora.raw_text import gold_paragraph
from rnntag.errors import DataError
from rnntag.evaluation.metrics import evaluate, faulty, most_frequent_tags
from rnntag.evaluation.segmentation import PRF, agreement
from rnntag.model.vocabulary import Vocabulary
from rnntag.network.tagger import Network
from rnntag.sentences import UNTAGGED, Corpus, Segmentation, Sentence
from rnntag.training.augmentation import alone, joined
from rnntag.training.tagger import TaggerTask, bundle
from rnntag.training.trainer import Trainer
from tests.conftest import QUICK_TO_TRAIN, Run, done, refusal

SMALL = ModelConfig(layers=1, hidden=16, embedding_dim=16, char_dim=8, char_hidden=8)
RUN = TrainConfig(epochs=60, batch_tokens=60, lr=0.01, dropout=0.0, word_dropout=0.0, patience=60, device="cpu")
PARTLY = Sentence(("I", "can", "swim"), {"upos": ("PRON", UNTAGGED, "VERB")})


def test_words_without_a_tag_are_read(tmp_path: Path) -> None:
    conllu = "1\tI\t_\tPRON" + "\t_" * 6 + "\n2\tcan\t_\t_" + "\t_" * 6 + "\n3\tswim\t_\tVERB" + "\t_" * 6 + "\n\n"
    conllu += "1\tno\t_\t_" + "\t_" * 6 + "\n\n"
    for name, text in (("a.conllu", conllu), ("a.txt", "I/PRON can/ swim/VERB\nno/\n")):
        (tmp_path / name).write_text(text, encoding="utf-8")
        (corpus,) = loading.load([str(tmp_path / name)], whole=True)
        assert [(s.tokens, s.tags) for s in corpus.test] == [(PARTLY.tokens, PARTLY.tags), (("no",), {})]


def test_a_file_without_any_tag_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("\nI/ can/\nswim/\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"a\.txt:2: no word has a tag: expected word/TAG$"):
        loading.load([str(tmp_path / "a.txt")])


def test_they_add_nothing_to_the_loss() -> None:
    full = replace(PARTLY, tags={"upos": ("PRON", "AUX", "VERB")})
    vocabulary = Vocabulary.build([full, PARTLY], 1)
    assert vocabulary.tags == {"upos": ("AUX", "PRON", "VERB")}
    torch.manual_seed(1)
    network = Network(SMALL, vocabulary)
    batch = vocabulary.encode([PARTLY]).batch([0])
    expected = -network(batch)["upos"][0].log_softmax(-1)[[0, 2], [1, 2]].mean()
    loss, tags = network.loss(batch)
    assert tags == 2
    assert loss.item() == pytest.approx(expected.item())
    nothing, tags = network.loss(vocabulary.encode([alone(PARTLY, 1)]).batch([0]))
    nothing.backward()
    assert (nothing.item(), tags) == (0, 0)
    assert all(not parameter.grad.any() for parameter in network.parameters() if parameter.grad is not None)
    annotated = replace(full, tag_probs={"upos": ([("PRON", 1.0)], [("AUX", 0.5), ("VERB", 0.5)], [("VERB", 1.0)])})
    assert network.loss(vocabulary.encode([joined(PARTLY, annotated)]).batch([0]))[1] == 5


def test_the_other_words_are_learned(starter: list[Corpus]) -> None:
    """Every second word of each sentence has a tag, and dev accuracy is that of the tagged words."""
    whole = starter[0].train[:20]
    half = tuple(
        replace(s, tags={"upos": tuple(tag if n % 2 == 0 else UNTAGGED for n, tag in enumerate(s.tags["upos"]))})
        for s in whole
    )
    untagged = Sentence(("no", "tags"))
    training = Trainer(TaggerTask([Corpus("half", (*half, untagged), (*half, untagged), (untagged,))], SMALL, RUN))
    assert max(step.dev_accuracy for step in training.steps()) == 1
    assert UNTAGGED not in bundle(training, "half").vocabulary.tags["upos"]
    with pytest.raises(DataError, match="no tagged sentence in the train split"):
        TaggerTask([Corpus("none", (untagged,), half)], SMALL, RUN)


def test_figures_are_those_of_the_tagged_words() -> None:
    gold = [PARTLY, Sentence(("can", "I"), {"upos": ("AUX", "PRON")}), Sentence(("can",), {"upos": ("NOUN",)})]
    cut = [Sentence(("I", "swim"), {"upos": ("PRON", "VERB")}), *gold[1:]]
    rest = [["AUX", "VERB"], ["NOUN"]], [[True, False], [False]], [[0.9, 0.8], [0.7]]
    found = evaluate(gold, "upos", *([first, *others] for first, others in zip(
        (["PRON", "NOUN", "NOUN"], [True, True, False], [0.5, 0.1, 0.6]), rest, strict=True)))  # fmt: skip
    expected = evaluate(cut, "upos", *([first, *others] for first, others in zip(
        (["PRON", "NOUN"], [True, False], [0.5, 0.6]), rest, strict=True)))  # fmt: skip
    assert (found.tokens, found.untagged_tokens, expected.untagged_tokens) == (5, 1, 0)
    assert replace(found, untagged_tokens=0) == expected
    (mistakes, *_) = faulty(gold, "upos", [["PRON", "NOUN", "NOUN"], *rest[0]])
    assert [(error.token, error.gold) for error in mistakes.mistakes] == [(2, "VERB")]
    assert most_frequent_tags([PARTLY], "upos", [PARTLY]) == [["PRON", "PRON", "VERB"]]


def test_tags_in_raw_text_are_those_of_the_tagged_words() -> None:
    paragraph = gold_paragraph([replace(PARTLY, spaces=(" ", " ", "\n"))])
    found = Segmentation(paragraph.words, [3], ["PRON", "NOUN", "NOUN"])
    assert agreement([paragraph], [found], "upos")["tags"] == PRF(gold=2, found=2, both=1)


def test_eval_says_how_many_it_leaves_out(tiny_folder: Path, tmp_path: Path, run: Run) -> None:
    (tmp_path / "a.txt").write_text("I/PRON eat/ it/ ./PUNCT\n", encoding="utf-8")
    ended = run("eval", "-m", tiny_folder, "a.txt", "--json")
    assert done(ended) == ""
    (report,) = json.loads(ended.stdout)
    assert (report["tokens"], report["untagged_tokens"], report["accuracy"]) == (2, 2, 1)
    assert "without a gold tag (left out)" in run("eval", "-m", tiny_folder, "a.txt").stdout
    assert "| without a gold tag" in run("eval", *("-m", tiny_folder) * 2, "a.txt", "--markdown").stdout
    (tmp_path / "b.conllu").write_text("1\tI\t_\t_\tPRP" + "\t_" * 5 + "\n\n", encoding="utf-8")
    told = refusal(run("eval", "-m", tiny_folder, "b.conllu"), 65)
    assert told.endswith("no word has a tag in UPOS: use --tagset native")


def test_a_model_is_trained_on_them(tmp_path: Path, here: Run) -> None:
    (tmp_path / "a.txt").write_text("I/PRON can/ swim/VERB\nwe/ can/AUX\n" * 4 + "I/ can/AUX\nno/\n", encoding="utf-8")
    done(here("train", "a.txt", *QUICK_TO_TRAIN, "--epochs", "1", "--out", "m"))
    assert json.loads((tmp_path / "m" / "vocabulary.json").read_text())["tags"] == {"upos": ["AUX", "PRON", "VERB"]}
