"""Weights of tags: what they are, and what they do to the loss, to a run and to its card."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.utils.class_weight import compute_class_weight

from rnntag.config import ModelConfig, TrainConfig
from rnntag.errors import DataError, NotFoundError
from rnntag.model import directory
from rnntag.sentences import UNTAGGED, Corpus, Sentence
from rnntag.training import class_weights
from rnntag.training.class_weights import BALANCED
from rnntag.training.tagger import TaggerTask
from rnntag.training.trainer import Trainer
from tests.conftest import QUICK_TO_TRAIN, Run, done, refusal

SENTENCES = [
    Sentence(tuple("abcde"), {"t": ("N", "N", "N", "V", UNTAGGED)}),
    Sentence(tuple("ab"), {"t": ("X", "X")}, {"t": ([("X", 1.0)], [("N", 1.0)])}),
]
TAGSETS = {"t": ("N", "V", "X")}
SMALL = ModelConfig(layers=1, hidden=8, embedding_dim=8, char_dim=4, char_hidden=4)


def test_balanced_weights_are_those_of_scikit_learn() -> None:
    """Tags that no sentence has as gold have any weight."""
    weights = class_weights.of_tags(BALANCED, SENTENCES, TAGSETS)["t"]
    gold = np.array([*"NNNV"])
    np.testing.assert_allclose(weights[:2], compute_class_weight("balanced", classes=np.array(["N", "V"]), y=gold))


def test_weights_from_a_file_have_the_mean_1(tmp_path: Path) -> None:
    path = tmp_path / "w"
    path.write_text("V 5\n\nX\t0.5\n", encoding="utf-8")
    weights = class_weights.of_tags(str(path), SENTENCES, TAGSETS)["t"]
    np.testing.assert_allclose(weights, [4 / 8, 5 * 4 / 8, 0.5 * 4 / 8])


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("V", "expected a tag and a weight above 0, not 'V'"),
        ("V 0", "expected a tag and a weight above 0"),
        ("V nan", "expected a tag and a weight above 0"),
        ("V 1 2", "expected a tag and a weight above 0"),
        ("Q 1", "'Q' is not a tag: the corpora have N, V, X"),
        ("N 2", "'N' occurs twice"),
    ],
)
def test_a_bad_line_is_named(line: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "w"
    path.write_text(f"N 1\n{line}\n", encoding="utf-8")
    with pytest.raises(DataError, match=re.escape(f"{path}:2: {message}")):
        class_weights.of_tags(str(path), SENTENCES, TAGSETS)
    with pytest.raises(NotFoundError):
        class_weights.of_tags(str(tmp_path / "none"), SENTENCES, TAGSETS)


def test_the_loss_is_weighted() -> None:
    corpus = Corpus("c", tuple(SENTENCES[:1]), tuple(SENTENCES[:1]))
    plain, weighted = (
        TaggerTask([corpus], SMALL, TrainConfig(device="cpu", dropout=0, word_dropout=0, class_weights=choice))
        for choice in ("", BALANCED)
    )
    assert plain.fingerprint != weighted.fingerprint
    batch = weighted.vocabulary.encode(SENTENCES[:1]).batch([0])
    log_probs = weighted.network(batch)["t"][0].log_softmax(-1)
    expected = -(4 / 6 * log_probs[:3, 0].sum() + 4 / 2 * log_probs[3, 1]) / 4
    assert weighted.network.loss(batch)[0].item() == pytest.approx(expected.item())
    assert plain.network.loss(batch)[0].item() == pytest.approx(-(log_probs[:3, 0].sum() + log_probs[3, 1]).item() / 4)


def test_a_rare_tag_is_found_more_often() -> None:
    """One word has the tag N nine times of ten, else V, and nothing tells which."""
    words = [Sentence(("x",), {"t": ("V" if n % 10 == 0 else "N",)}) for n in range(100)]
    corpus = Corpus("c", tuple(words), tuple(words))
    run = TrainConfig(epochs=40, lr=0.02, dropout=0, word_dropout=0, patience=40, device="cpu")
    shares = []
    for choice in ("", BALANCED):
        training = Trainer(TaggerTask([corpus], SMALL, replace(run, class_weights=choice)))
        list(training.steps())
        network = training.task.network.eval()  # not the best epoch's: N alone is right most often
        batch = training.task.vocabulary.encode(words[:1]).batch([0])
        shares.append(network(batch)["t"][0, 0].softmax(-1)[1].item())
    assert shares == [pytest.approx(0.1, abs=0.06), pytest.approx(0.5, abs=0.12)]


def test_train_takes_weights_and_the_card_has_them(tmp_path: Path, here: Run) -> None:
    (tmp_path / "a.txt").write_text("I/PRON swim/VERB\n" * 10, encoding="utf-8")
    (tmp_path / "w.txt").write_text("VERB 3\n", encoding="utf-8")
    command = ["train", "a.txt", *QUICK_TO_TRAIN, "--epochs", "1", "--out", "m"]
    done(here(*command, "--class-weights", "w.txt"))
    card = (tmp_path / "m" / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "--class-weights w.txt" in card
    assert directory.read(tmp_path / "m").training.class_weights == "w.txt"
    (tmp_path / "w.txt").write_text("NOUN 3\n", encoding="utf-8")
    told = refusal(here(*command, "--force", "--class-weights", "w.txt"), 65)
    assert told == "error: w.txt:1: 'NOUN' is not a tag: the corpora have PRON, VERB"
    done(here(*command, "--force"))
    assert "--class-weights" not in (tmp_path / "m" / "MODEL_CARD.md").read_text(encoding="utf-8")
