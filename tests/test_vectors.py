"""Pretrained vectors are read, learned with, and end up in the word table."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rnntag.config import ModelConfig, TrainConfig
from rnntag.errors import DataError, UsageError
from rnntag.model.vocabulary import RESERVED
from rnntag.sentences import Corpus, Sentence
from rnntag.tagger import Tagger
from rnntag.training import word_vectors
from rnntag.training.tagger import TaggerTask, bundle
from rnntag.training.trainer import Trainer
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
