"""Pretrained vectors are read, learned with, and end up in the word table."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rnntag.config import ModelConfig, SegmenterConfig, TrainConfig
from rnntag.errors import DataError, UsageError
from rnntag.model.pretokens import SHARED_ROWS
from rnntag.model.vocabulary import RESERVED
from rnntag.sentences import Corpus, Sentence
from rnntag.tagger import Tagger
from rnntag.training import word_vectors
from rnntag.training.segmenter import SegmenterTask
from rnntag.training.tagger import TaggerTask, bundle
from rnntag.training.trainer import Trainer
from rnntag.training.word_vectors import Vectors
from tests.conftest import Run
from tests.torch_runtime import torch_tagger

SMALL = ModelConfig(hidden=16, embedding_dim=8, char_dim=4, char_hidden=4)
QUICK = TrainConfig(epochs=30, batch_tokens=20, lr=0.02, dropout=0.0, word_dropout=0.0, patience=30, device="cpu")


def file(folder: Path, text: str) -> Path:
    path = folder / "vectors.txt"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("header", ["", "4 2\n"])
def test_wanted_words_and_the_commonest_others(tmp_path: Path, header: str) -> None:
    path = file(tmp_path, f"{header}the 1 1\nCat 2 0\ncat 9 9\nof 0 0\ndog -3 -1\n")
    read = word_vectors.read(path, str.lower, ["dog", "bird"], 2)
    assert read.words == ("the", "cat", "dog")
    assert read.matrix.mean() == pytest.approx(0, abs=1e-6)
    assert read.matrix.std() == pytest.approx(1)
    assert np.allclose(np.diff(read.matrix[:, 0]) / np.diff(read.matrix[:, 0])[0], [1, -5])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no vector of any word"),
        ("the 1 1\na 1\n", "vectors.txt:2: has 1 numbers instead of 2"),
        ("the 1 nan\n", "vectors.txt:1: contains NaN or infinity"),
        ("the 1 x\n", "vectors.txt:1: is not a word"),
        ("the\n", "vectors.txt:1: is not a word followed by numbers"),
        ("999999999999 999999999\nthe 1 2\nof 1\n", "vectors.txt:3: has 1 numbers instead of 2"),
        (f"the{' 1' * 20_000}\n", "vectors.txt:1: has more than 10,000 numbers"),
        ("the 3e38 -3e38\nof 3e38 3e38\n", "vectors.txt: has numbers too large"),
        ("the 1e999\n", "vectors.txt:1: contains NaN or infinity"),
        ("\0\n", "vectors.txt:1: is not a word followed by numbers"),
    ],
)
def test_what_is_no_vector_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        word_vectors.read(file(tmp_path, text), str.lower, ["the"], 5)


@pytest.mark.parametrize(
    ("text", "encoding", "message"),
    [
        ("the 1 1\ncafé 1 1\n", "latin-1", ":2: byte 12 of the input is not utf-8: convert it to UTF-8"),
        (
            "我们在这里学习 1 1\n",
            "gb18030",
            ":1: byte 1 of the input is not utf-8: looks like GB18030: convert it to UTF-8",
        ),
        ("the 1 1\n", "utf-16", ": looks like UTF-16 (little endian): convert it to UTF-8"),
    ],
)
def test_another_encoding_is_not_to_be_named(tmp_path: Path, text: str, encoding: str, message: str) -> None:
    """`train --encoding` is about corpora."""
    path = tmp_path / "vectors.txt"
    path.write_text(text, encoding=encoding)
    with pytest.raises(DataError) as error:
        word_vectors.read(path, str.lower, [], 5)
    assert str(error.value) == f"{path}{message}"


def test_a_word_that_training_lacks_is_tagged_as_its_neighbours_are(tmp_path: Path) -> None:
    """Nouns have one vector, verbs another, and nothing else tells them apart."""
    tags = {"ab": "NOUN", "cd": "VERB", "ef": "NOUN", "gh": "VERB", "ij": "NOUN", "kl": "VERB"}
    numbers = {"NOUN": "1 0", "VERB": "0 1"}
    path = file(tmp_path, "".join(f"{word} {numbers[tag]}\n" for word, tag in tags.items()))
    sentences = tuple(Sentence((word,), {"upos": (tags[word],)}) for word in ("ab", "cd", "ef", "gh"))
    corpus = Corpus("x", train=sentences, dev=sentences)
    training = Trainer(
        TaggerTask([corpus], SMALL, replace(QUICK, epochs=200, patience=200, vectors=(str(path),), min_count=2))
    )
    list(training.steps())
    model = bundle(training, "x")
    assert model.vocabulary.extra == tuple(tags)
    assert [Tagger(model).is_known(word) for word in ("ab", "ij")] == [True, False]
    for tagger in (torch_tagger(model), Tagger(model)):
        assert tagger.predict([["ij"], ["kl"]]) == [["NOUN"], ["VERB"]]


def test_the_stored_table_holds_both_parts_of_an_embedding(tmp_path: Path) -> None:
    path = file(tmp_path, "cat 1 0\nnew 0 1\n")
    corpus = Corpus("x", *[(Sentence(("cat", "saw"), {"upos": ("NOUN", "VERB")}),)] * 2)
    training = Trainer(TaggerTask([corpus], SMALL, replace(QUICK, epochs=2, vectors=(str(path),))))
    list(training.steps())
    encoder = training.task.network.eval().encoder
    ids = training.task.vocabulary.encode_words(["cat", "saw", "new", "unknown"])
    expected = training.task.network.vectors(ids)[:, : SMALL.embedding_dim].detach().numpy()
    table = training.task.network.weights()["encoder.words.weight"]
    assert table.shape == (RESERVED + 3, SMALL.embedding_dim)
    assert np.allclose(table[ids.ids], expected, atol=1e-6)
    assert np.allclose(
        table[ids.ids[2]] - table[ids.ids[3]],
        encoder.vectors[ids.ids[2]] @ encoder.projection.weight.detach().T,
        atol=1e-6,
    )


def test_a_one_hot_word_has_no_vector(tmp_path: Path) -> None:
    corpus = Corpus("x", *[(Sentence(("cat",), {"upos": ("NOUN",)}),)] * 2)
    with pytest.raises(UsageError, match="one-hot input cannot use word vectors"):
        Trainer(TaggerTask([corpus], replace(SMALL, input="onehot"), replace(QUICK, vectors=("x",))))


# Of the segmenter


def test_vectors_are_reduced_to_their_principal_components() -> None:
    random = np.random.default_rng(1)
    spread = np.array([5.0, 0.1, 3.0])
    one = Vectors(("b", "c", "a"), (random.normal(size=(3, 3)) * spread).astype(np.float32))
    two = Vectors(("d",), np.array([[7.0]], np.float32))
    words = ["a", "x", "b", "c", "d"]
    found, whole = word_vectors.principal([one, two], words, 10)
    assert [words[position] for position in found] == ["a", "b", "c", "d"]
    assert whole.shape == (4, 4)  # as many components as numbers
    joined = np.zeros((4, 4))
    joined[:3, :3], joined[3, 3] = one.matrix[[2, 0, 1]], 7
    distances, expected = (np.linalg.norm(m[:, None] - m[None], axis=-1) for m in (whole, joined))
    assert np.allclose(distances / distances.max(), expected / expected.max(), atol=1e-5)
    variances = whole.var(0)
    assert (np.diff(variances) <= 1e-6).all()
    assert np.abs(whole.mean(0)).max() < 1e-6
    assert whole.std() == pytest.approx(1)
    _, reduced = word_vectors.principal([one, two], words, 2)
    assert reduced.std() == pytest.approx(1)
    assert np.allclose(np.abs(reduced / reduced[0, 0]), np.abs(whole[:, :2] / whole[0, 0]), atol=1e-4)


def test_the_embeddings_of_a_segmenter_start_from_vectors(tmp_path: Path) -> None:
    tokens = ("Oaks", "sway", ",", "elms", "sway", ".")
    paragraph = Sentence(tokens, spaces=(" ", "", " ", " ", "", ""))
    corpora = [Corpus("x", (paragraph, paragraph), (paragraph,))]
    path = file(tmp_path, "oaks 1 0\nelms 1 0\nsway 0 1\nzebra 9 9\n")
    small = SegmenterConfig(hidden=4, unit_dim=3, bigrams=0)
    task, plain = (SegmenterTask(corpora, replace(small, vectors=own)) for own in ((str(path),), ()))
    assert task.units == plain.units
    rows = {form: SHARED_ROWS + place for place, form in enumerate(task.units.known)}
    table, random = (each.network.units.weight.detach().numpy() for each in (task, plain))
    assert (table[rows["oaks"]][:2] == table[rows["elms"]][:2]).all()
    assert np.abs(table[rows["oaks"]][:2] - table[rows["sway"]][:2]).max() > 0.3
    changed = (table != random).any(-1)
    assert {form for form, row in rows.items() if changed[row]} == {"oaks", "elms", "sway"}
    assert (table[:, 2] == random[:, 2]).all()  # there are but two components
    assert not changed[:SHARED_ROWS].any()


def test_the_option(run: Run, tiny_folder: Path, tiny_raw_folder: Path, tmp_path: Path) -> None:
    path = file(tmp_path, "I 1 0\nthe 0 1\n")
    options = ("--vectors", path, "--epochs", "1", "--hidden", "8", "--out", tmp_path / "m")
    assert run("train-segmenter", tiny_folder, "starter", *options).returncode == 0
    assert f"--vectors {path}" in (tmp_path / "m" / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert run("tag", "--model", tmp_path / "m", "I eat.").returncode == 0
    refused = run("train-segmenter", tiny_folder, "starter", *options, "--init", tiny_raw_folder, "--force")
    assert refused.returncode == 2
    assert "word vectors cannot be combined with a model to start from: leave out --vectors" in refused.stderr
    other = run("train-segmenter", tiny_folder, "starter", "--init", tiny_raw_folder, "--hidden", "9", *options[6:])
    assert "hidden is 9, but" in other.stderr
    assert "leave out --hidden" in other.stderr
    missing = run(
        "train-segmenter", tiny_folder, "starter", "--vectors", tmp_path / "none.txt", "--out", tmp_path / "n"
    )
    assert missing.returncode == 66
    assert "none.txt" in missing.stderr
