"""Words that share embeddings: their table, how they are learned, and what becomes of them."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path
from zlib import crc32

import hypothesis.strategies as st
import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given

from rnntag.config import ModelConfig, TrainConfig
from rnntag.model import directory
from rnntag.model.shared_rows import SharedRows
from rnntag.model.stored import ModelBundle
from rnntag.model.vocabulary import LONG_WORD, RESERVED, UNKNOWN, Vocabulary
from rnntag.model.weights import WORD_TABLE, table_rows
from rnntag.sentences import Corpus, Sentence
from rnntag.tagger import Tagger
from rnntag.training import word_vectors
from rnntag.training.inheritance import Start
from rnntag.training.tagger import TaggerTask, bundle
from rnntag.training.trainer import Trainer

SMALL = ModelConfig(hidden=16, embedding_dim=8, char_dim=4, char_hidden=4)
CONFIG = TrainConfig(
    epochs=200, patience=200, batch_tokens=20, lr=0.02, dropout=0.0, word_dropout=0.0, min_count=2, device="cpu",
    extra_vector_words=1, shared_rows=2,
)  # fmt: skip
TAGS = {"ab": "NOUN", "cd": "VERB", "ef": "NOUN", "gh": "VERB", "ij": "NOUN", "kl": "VERB", "mn": "NOUN"}
NUMBERS = {"NOUN": "1 0", "VERB": "0 1"}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> ModelBundle:
    """Nouns have one vector, verbs another, and nothing else tells them apart."""
    path = tmp_path_factory.mktemp("vectors") / "vectors.txt"
    path.write_text("".join(f"{word} {NUMBERS[tag]}\n" for word, tag in TAGS.items()), encoding="utf-8")
    sentences = tuple(Sentence((word,), {"upos": (TAGS[word],)}) for word in ("ab", "cd", "ef", "gh"))
    training = Trainer(TaggerTask([Corpus("x", sentences, sentences)], SMALL, replace(CONFIG, vectors=(str(path),))))
    list(training.steps())
    return bundle(training, "x")


@given(st.dictionaries(st.text(max_size=4), st.integers(0, 2**16 - 1), min_size=1), st.lists(st.text(max_size=4)))
def test_words_are_found_in_the_table(rows: dict[str, int], others: list[str]) -> None:
    table = SharedRows.from_bytes(SharedRows.of(rows).as_bytes())
    assert table == SharedRows.of(rows)
    assert table.count == max(rows.values()) + 1
    assert table.find([*rows]).tolist() == [*rows.values()]
    hashes = {crc32(word.encode("utf-8", "surrogatepass")) for word in rows}
    for word, row in zip(others, table.find(others).tolist(), strict=True):
        assert row == rows.get(word, -1) or crc32(word.encode()) in hashes


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ({"hashes": np.array([1, 2], np.uint32)}, "an array is missing or unexpected: 'rows'"),
        ({"hashes": np.array([1], np.uint32), "rows": np.array([1], np.int64)}, "their shared rows int64"),
        ({"hashes": np.array([1, 2], np.uint32), "rows": np.array([1], np.uint16)}, "have the shape"),
        ({"hashes": np.array([], np.uint32), "rows": np.array([], np.uint16)}, "have the shape"),
        ({"hashes": np.array([[1]], np.uint32), "rows": np.array([[1]], np.uint16)}, "have the shape"),
        ({"hashes": np.array([2, 2], np.uint32), "rows": np.array([1, 1], np.uint16)}, "do not ascend"),
    ],
)
def test_another_table_is_refused(tables: dict[str, np.ndarray], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SharedRows.from_bytes(safetensors.numpy.save(tables))
    with pytest.raises(ValueError, match="its header has"):
        SharedRows.from_bytes(b"nonsense")


def test_of_two_words_with_one_hash_the_first_counts() -> None:
    assert crc32(b"plumless") == crc32(b"buckeroo")
    table = SharedRows.of({"plumless": 3, "buckeroo": 5, "cat": 7})
    assert table.find(["plumless", "buckeroo", "cat"]).tolist() == [3, 3, 7]


@given(
    st.dictionaries(st.text(max_size=4), st.integers(0, 2**16 - 1), min_size=1),
    st.dictionaries(st.text(max_size=4), st.integers(0, 2**16 - 1), min_size=1),
)
def test_a_table_is_extended(rows: dict[str, int], more: dict[str, int]) -> None:
    table = SharedRows.of(rows).extended(more)
    assert table == SharedRows.from_bytes(table.as_bytes())
    assert table == SharedRows.of(more | rows | more)


def test_a_long_word_has_no_shared_row() -> None:
    """It is shortened before it is looked up, which changes its hash."""
    words = ["a" * LONG_WORD, "a" * (LONG_WORD + 1)]
    vocabulary = Vocabulary((), 0, (), {"upos": ("X",)}, shared=SharedRows.of(dict.fromkeys(words, 0)))
    assert vocabulary.encode_words(words).ids.tolist() == [RESERVED, UNKNOWN]
    assert vocabulary.encode_words([*map(vocabulary.shorten, words)]).ids.tolist() == [RESERVED, UNKNOWN]


def test_vectors_are_put_with_those_that_are_like_them() -> None:
    random = np.random.default_rng(1)
    centres = random.normal(size=(5, 3)) * 100
    expected = random.integers(0, 5, 300)
    matrix = (centres[expected] + random.normal(size=(300, 3))).astype(np.float32)
    found, centroids = word_vectors.clusters(matrix, 40, seed=1)
    assert centroids.shape == (40, 3)
    assert all(len(np.unique(expected[found == cluster])) <= 1 for cluster in range(40))
    assert np.abs(centroids[found] - matrix).max() < 10
    assert len(word_vectors.clusters(matrix[:3], 40, seed=1)[1]) == 3


def test_words_that_training_lacks_are_tagged_as_similar_ones(trained: ModelBundle, tmp_path: Path) -> None:
    assert trained.vocabulary.extra == ("ab",)  # the first of the file; the others share two rows
    assert trained.vocabulary.shared_rows == 2
    assert len(trained.weights[WORD_TABLE]) == RESERVED + 1 + 2
    directory.write(tmp_path / "m", trained, "")
    tagger = Tagger(directory.read(tmp_path / "m"))
    assert tagger.predict([["ij"], ["kl"], ["MN"]]) == [["NOUN"], ["VERB"], ["NOUN"]]
    assert not tagger.is_known("ij")


def test_a_copy_has_the_same_rows(trained: ModelBundle) -> None:
    copy = pickle.loads(pickle.dumps(trained.vocabulary))
    assert copy == trained.vocabulary
    assert copy.encode_words(["ij", "kl"]).ids.tolist() == trained.vocabulary.encode_words(["ij", "kl"]).ids.tolist()
    assert copy != replace(copy, shared=SharedRows.of({"ij": 0}))


def test_files_of_vectors_have_their_own_columns_and_words(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("new 1 0\nother 1 0\nboth 1 0\n", encoding="utf-8")
    (tmp_path / "b.txt").write_text("both 5\nthird 3\n", encoding="utf-8")
    sentence = Sentence(("cat",), {"upos": ("NOUN",)})
    corpora = [Corpus("x", (sentence,) * 2, (sentence,))]
    config = replace(CONFIG, vectors=(str(tmp_path / "a.txt"), str(tmp_path / "b.txt")))
    task = TaggerTask(corpora, SMALL, config)
    assert task.vocabulary.extra == ("new", "both")  # the first of each file
    assert task.vocabulary.shared
    assert len(task.vocabulary.shared.hashes) == 2
    assert task.network.encoder.vectors.shape == (task.vocabulary.word_rows, 3)
    ids = task.vocabulary.encode_words(["both", "other", "third"]).ids
    assert ids.min() > UNKNOWN
    both, other, third = task.network.encoder.vectors[ids].numpy()
    assert (both != 0).all()
    assert other[2] == third[0] == third[1] == 0
    assert TaggerTask(corpora, SMALL, config).fingerprint == task.fingerprint
    assert TaggerTask(corpora, SMALL, replace(config, shared_rows=1)).fingerprint != task.fingerprint
    assert TaggerTask(corpora, SMALL, replace(config, extra_vector_words=3)).vocabulary.shared is None


def test_a_larger_vocabulary_keeps_the_shared_rows(trained: ModelBundle) -> None:
    """A word that gets a row of its own begins with the one that it shared."""
    old = trained.vocabulary
    both = old.extended(Vocabulary(("ij", "new"), 2, (), {"upos": ("NOUN", "VERB")}))
    *own, first, second = both.word_rows_in(old).tolist()
    assert own == [0, 1, *old.encode_words(["ij"]).ids, UNKNOWN, *old.encode_words(["ab"]).ids]
    assert [first, second] == [old.word_rows - 2, old.word_rows - 1]
    sentence = Sentence(("ij", "new"), {"upos": ("NOUN", "VERB")})
    config = replace(CONFIG, init="x", vectors=(), extra_vector_words=10_000, shared_rows=0, min_count=1)
    grown = TaggerTask([Corpus("y", (sentence,), (sentence,))], SMALL, config, Start(trained))
    words = ["ab", "ij", "kl", "mn", "zz"]
    rows, before = grown.vocabulary.encode_words(words).ids, old.encode_words(words).ids
    assert (grown.weights()[WORD_TABLE][rows] == table_rows(trained.weights, WORD_TABLE, before)).all()
