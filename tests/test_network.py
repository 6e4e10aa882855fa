"""The network computes what its formulas say, padding or not."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rnntag.config import CELLS, ModelConfig
from rnntag.errors import DataError, UsageError
from rnntag.model.vocabulary import Vocabulary
from rnntag.model.weights import GATES
from rnntag.network.cells import RecurrentLayer, reversal
from rnntag.network.tagger import Network, predict
from rnntag.sentences import Corpus, Sentence
from tests.conftest import KINDS

SMALL = {"hidden": 6, "embedding_dim": 5, "char_dim": 4, "char_hidden": 3}


def network_of(corpus: Corpus, **shape: object) -> tuple[Network, Vocabulary]:
    torch.manual_seed(0)
    vocabulary = Vocabulary.build(corpus.train, min_count=1)
    network = Network(ModelConfig(**{**SMALL, **shape}), vocabulary)
    return network.eval(), vocabulary


@pytest.mark.parametrize("cell", CELLS)
def test_a_one_hot_row_is_the_dense_product(cell: str) -> None:
    """Looking up a row equals multiplying the input matrix U with the one-hot vector."""
    torch.manual_seed(0)
    words, hidden, lengths = 7, 4, torch.tensor([5, 3])
    ids = torch.randint(words, (2, 5))
    layer = RecurrentLayer(cell, "tanh", 0, hidden, bidirectional=True, onehot=True)
    dense = RecurrentLayer(cell, "tanh", words, hidden, bidirectional=True)
    table = torch.randn(words, 2 * GATES[cell] * hidden)
    assert layer.backwards is not None
    assert dense.backwards is not None
    for mine, theirs, u in (
        (layer.forwards, dense.forwards, table[:, : GATES[cell] * hidden]),
        (layer.backwards, dense.backwards, table[:, GATES[cell] * hidden :]),
    ):
        theirs.load_state_dict({**mine.state_dict(), "weight_ih_l0": u.T})
    onehot = torch.nn.functional.one_hot(ids, words).float()
    order = reversal(lengths, 5)
    for mine, theirs in zip(layer(table[ids], order), dense(onehot, order), strict=True):
        torch.testing.assert_close(mine, theirs)


@pytest.mark.parametrize("bidirectional", [True, False])
def test_a_given_tag_is_fed_back_instead_of_what_is_found(bidirectional: bool, starter: list[Corpus]) -> None:
    network, vocabulary = network_of(starter[0], feedback=True, bidirectional=bidirectional)
    batch = vocabulary.encode(starter[0].test[:1]).batch([0])
    tags = len(vocabulary.tags["upos"])
    x, lengths = network.vectors(batch.words)[batch.index], torch.from_numpy(batch.lengths)
    own = network.scores(x, lengths)["upos"]
    gold = torch.full((*batch.index.shape, tags), torch.nan)
    torch.testing.assert_close(network.scores(x, lengths, gold)["upos"], own)
    torch.testing.assert_close(network.scores(x, lengths, own.softmax(-1))["upos"], own)
    gold[0, 1] = torch.eye(tags)[3]
    given = network.scores(x, lengths, gold)["upos"]
    torch.testing.assert_close(given[0, :2], own[0, :2])
    assert (given[0, 2] - own[0, 2]).abs().max() > 1e-6


def test_a_word_s_vector_does_not_depend_on_how_long_the_others_are() -> None:
    words = ["x" * length for length in (9, 4, 1, 30, 5, 8, 2, 12, 3)]
    corpus = Corpus("x", [Sentence(tuple(words), {"upos": ("X",) * len(words)})], [], [])
    network, vocabulary = network_of(corpus)
    together = network.vectors(vocabulary.encode(corpus.train).batch([0]).words)
    alone = [vocabulary.encode([Sentence((word,))]).batch([0]).words for word in words]
    index = vocabulary.encode(corpus.train).batch([0]).index[0]
    for place, word in zip(index, alone, strict=True):
        torch.testing.assert_close(together[place], network.vectors(word)[0])


def test_the_share_of_gold_tags_is_that_asked_for(starter: list[Corpus]) -> None:
    network, vocabulary = network_of(starter[0], feedback=True)
    batch = vocabulary.encode(starter[0].train).batch(range(400))
    annotated = torch.from_numpy(batch.gold["upos"] >= 0)
    for rate in (0.0, 0.25, 1.0):
        gold = network._gold(batch, rate)
        given = ~gold.isnan().any(-1)
        assert given[annotated].float().mean().item() == pytest.approx(rate, abs=0.03)
        assert not given[~annotated].any()
        assert torch.equal(gold[given].argmax(-1), torch.from_numpy(batch.gold["upos"])[given])
        assert torch.equal(gold[given].sum(-1), torch.ones(int(given.sum())))


@pytest.mark.parametrize(("cell", "activation"), KINDS)
@pytest.mark.parametrize("input", ["embedding", "onehot"])
def test_a_batch_gives_the_tags_of_its_sentences_one_by_one(
    cell: str, activation: str, input: str, starter: list[Corpus]
) -> None:
    network, vocabulary = network_of(starter[0], cell=cell, activation=activation, input=input)
    sentences = [*starter[0].test[:30], Sentence(()), Sentence(("",))]
    together = predict(network, vocabulary.encode(sentences), "upos")
    for sentence, tags in zip(sentences, together, strict=True):
        (alone,) = predict(network, vocabulary.encode([sentence]), "upos")
        assert tags.tolist() == alone.tolist()
        assert len(tags) == len(sentence.tokens)


def test_only_the_heads_that_a_corpus_has_tags_for_are_trained() -> None:
    sentences = (Sentence(("a", "b"), {"one": ("A", "B")}), Sentence(("a", "c"), {"two": ("X", "Y")}))
    network, vocabulary = network_of(Corpus("x", train=sentences))
    encoded = vocabulary.encode(sentences)
    loss, count = network.loss(encoded.batch([0]))
    loss.backward()
    assert count == 2
    one, two = network.heads
    assert one.weight.grad is not None
    grad = two.weight.grad
    assert grad is None or not grad.any()
    assert network.loss(encoded.batch([0, 1]))[1] == 4


def test_the_loss_of_equal_scores_is_the_logarithm_of_the_number_of_tags() -> None:
    sentences = (Sentence(("a", "b", "c"), {"t": ("A", "B", "C")}), Sentence(("a",), {"t": ("A",)}))
    network, vocabulary = network_of(Corpus("x", train=sentences))
    for parameter in network.heads.parameters():
        torch.nn.init.zeros_(parameter)
    loss, _ = network.loss(vocabulary.encode(sentences).batch([0, 1]))
    assert loss.item() == pytest.approx(np.log(3))


def test_the_loss_against_a_model_s_tags_is_the_cross_entropy() -> None:
    gold = Sentence(("a", "b"), {"t": ("A", "B")})
    tagged = Sentence(
        ("b", "a", "b"), {"t": ("A", "A", "Z")}, {"t": ([("A", 0.6), ("B", 0.3)], [("A", 1)], [("Z", 1)])}
    )
    network, vocabulary = network_of(Corpus("x", train=(gold,)))
    for parameter in network.heads.parameters():
        torch.nn.init.zeros_(parameter)
    network.heads[0].bias.data = torch.tensor([1.0, -1.0])
    loss, count = network.loss(vocabulary.encode([gold, tagged]).batch([0, 1]))
    a, b = np.log(1 / (1 + np.exp(-2))), np.log(1 / (1 + np.exp(2)))
    assert count == 4  # Z is unknown
    assert loss.item() == pytest.approx(-(a + b + (2 * a + b) / 3 + a) / 4)


def test_weights_of_another_network_are_refused(starter: list[Corpus]) -> None:
    network, _ = network_of(starter[0])
    other, _ = network_of(starter[0], layers=3)
    with pytest.raises(DataError, match="do not fit"):
        network.load_weights(other.weights())
    wider, _ = network_of(starter[0], hidden=7)
    with pytest.raises(DataError, match="has shape"):
        network.load_weights(wider.weights())


@pytest.mark.parametrize(
    "bad", [{"cell": "banana"}, {"hidden": 0}, {"layers": 0}, {"cell": "gru", "activation": "relu"}, {"input": "x"}]
)
def test_impossible_shapes_are_refused(bad: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        ModelConfig(**bad)


@pytest.mark.parametrize("cell", CELLS)
def test_a_one_hot_word_is_exactly_the_dense_product(cell: str) -> None:
    vocabulary = Vocabulary.build([Sentence(tuple("abcde"), {"upos": ("X",) * 5})], min_count=1)
    encoder = Network(ModelConfig(cell=cell, input="onehot", hidden=7), vocabulary).encoder
    ids = torch.arange(vocabulary.word_rows).repeat(3)
    dense = torch.nn.functional.one_hot(ids, vocabulary.word_rows).float() @ encoder.words.weight
    assert torch.equal(encoder(ids, ids[:, None], torch.ones_like(ids), 0.0, None), dense)
