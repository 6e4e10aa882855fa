"""A run learns, repeats itself, and keeps its best."""

from __future__ import annotations

import gc
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch

from rnntag.config import CELLS, INPUTS, ModelConfig, TrainConfig
from rnntag.errors import DataError, RnntagError, UsageError
from rnntag.model import directory
from rnntag.model.learning_curve import TrainingStep
from rnntag.sentences import Corpus, Sentence
from rnntag.tagger import Tagger
from rnntag.training.augmentation import VARIANTS
from rnntag.training.tagger import TaggerTask, bundle
from rnntag.training.trainer import Trainer
from tests.conftest import KINDS, few
from tests.torch_runtime import torch_tagger

SMALL = ModelConfig(layers=1, hidden=24, embedding_dim=24, char_dim=12, char_hidden=12)
QUICK = TrainConfig(
    epochs=60, batch_tokens=60, lr=0.01, dropout=0.0, word_dropout=0.0, min_count=1, patience=60, device="cpu"
)


def by_heart(starter: list[Corpus]) -> Corpus:
    sentences = starter[0].train[:12] + starter[1].train[:12]
    return Corpus("few", train=sentences, dev=sentences, test=sentences)


@pytest.mark.parametrize("input", ["embedding", "onehot"])
@pytest.mark.parametrize("cell", CELLS)
def test_every_kind_of_network_learns_a_few_sentences_by_heart(cell: str, input: str, starter: list[Corpus]) -> None:
    corpus = by_heart(starter)
    training = Trainer(TaggerTask([corpus], replace(SMALL, cell=cell, input=input), QUICK))
    accuracy = 0.0
    for step in training.steps():
        accuracy = max(accuracy, step.dev_accuracy)
        if accuracy == 1:
            break
    assert accuracy == 1
    model = bundle(training, "few")
    predicted = Tagger(model).predict([sentence.tokens for sentence in corpus.train])
    assert predicted == [list(sentence.tags["upos"]) for sentence in corpus.train]


@pytest.mark.parametrize(
    ("input", "feedback", "bidirectional"),
    few(product(INPUTS, [True, False], [True, False]), ("embedding", True, False), ("onehot", False, True)),
)
@pytest.mark.parametrize(("cell", "activation"), KINDS)
def test_every_kind_of_network_tags_the_same_once_it_is_stored(
    cell: str, activation: str, input: str, feedback: bool, bidirectional: bool, starter: list[Corpus], tmp_path: Path
) -> None:
    shape = replace(
        SMALL, cell=cell, activation=activation, input=input, feedback=feedback, bidirectional=bidirectional
    )
    corpus = by_heart(starter)
    run = replace(QUICK, epochs=3, bptt=2, dropout=0.1, teacher_forcing=0.5 if feedback else 0.0)
    training = Trainer(TaggerTask([corpus], shape, run))
    list(training.steps())
    model = bundle(training, "kind")
    directory.write(tmp_path / "kind", model, "")
    stored = directory.read(tmp_path / "kind")
    assert stored.config == shape
    assert stored.training == run
    texts = [sentence.tokens for sentence in corpus.dev]
    by_torch, by_onnx = torch_tagger(model), Tagger(stored, int8=False)
    np.testing.assert_allclose(by_torch.scores(texts, "upos"), by_onnx.scores(texts, "upos"), atol=1e-4)
    assert by_torch.predict(texts) == by_onnx.predict(texts)


def test_gradients_are_measured_before_they_are_clipped(starter: list[Corpus]) -> None:
    def steps(clip: float) -> list[TrainingStep]:
        return list(
            Trainer(TaggerTask([by_heart(starter)], SMALL, replace(QUICK, epochs=1, max_grad_norm=clip))).steps()
        )

    free, loose, tight = steps(0), steps(1000.0), steps(1e-6)
    assert free == [replace(step, seconds=other.seconds) for step, other in zip(loose, free, strict=True)]
    assert [step.clipped for step in free] == [0.0] * len(free)
    assert [step.clipped for step in tight] == [1.0] * len(tight)
    assert tight[0].gradient_norm == free[0].gradient_norm > 0.1


@pytest.mark.parametrize("lr", [1e3, 1e30])
def test_a_run_that_explodes_ends_with_what_it_has(lr: float, starter: list[Corpus]) -> None:
    shape = replace(SMALL, cell="rnn", activation="relu")
    training = Trainer(TaggerTask([by_heart(starter)], shape, replace(QUICK, lr=lr, max_grad_norm=0)))
    with pytest.raises(RnntagError, match="exploded in epoch 1") as raised:
        list(training.steps())
    assert not training.kept
    del raised  # and with it the tensors of the run


def test_gold_tags_are_fed_back_to_networks_with_feedback_only(starter: list[Corpus]) -> None:
    with pytest.raises(UsageError, match="teacher forcing has no effect without feedback"):
        Trainer(TaggerTask([by_heart(starter)], SMALL, replace(QUICK, teacher_forcing=0.5)))


def test_a_run_keeps_no_history_of_its_gradients(starter: list[Corpus]) -> None:
    training = Trainer(TaggerTask([by_heart(starter)], SMALL, replace(QUICK, epochs=1)))
    for _ in training.steps():
        pass
    held = [o for o in gc.get_objects() if issubclass(type(o), torch.Tensor) and o.grad_fn is not None]
    assert not held


def test_events_tell_how_far_the_run_has_got(starter: list[Corpus]) -> None:
    corpus = by_heart(starter)
    steps = list(Trainer(TaggerTask([corpus], SMALL, replace(QUICK, epochs=3))).steps())
    assert [step.epoch for step in steps if step.dev] == [1, 2, 3]
    batches = steps[0].batches
    assert batches > 1
    assert [step.batch for step in steps] == [*range(1, batches + 1)] * 3
    assert steps[-1].tokens == 3 * sum(len(sentence.tokens) for sentence in corpus.train)
    assert steps[0].loss > steps[-1].loss > 0
    assert steps[batches - 1].best
    assert set(steps[-1].dev) == {"few"}


def test_the_best_epoch_is_kept_and_the_run_stops_when_it_gets_no_better(starter: list[Corpus]) -> None:
    training = Trainer(TaggerTask([by_heart(starter)], SMALL, replace(QUICK, patience=3)))
    history = [step for step in training.steps() if step.dev]
    best = max(history, key=lambda step: step.dev_accuracy)
    kept = bundle(training, "x").provenance
    assert kept.epoch == best.epoch
    assert kept.dev == best.dev
    assert len(history) == best.epoch + 3 < QUICK.epochs


def test_large_dev_parts_count_for_more_than_small_ones(starter: list[Corpus]) -> None:
    large, small = (replace(starter[0], name=name, dev=starter[0].dev[:size]) for name, size in (("a", 40), ("b", 4)))
    *_, step = Trainer(TaggerTask([large, replace(small, train=())], SMALL, replace(QUICK, epochs=1))).steps()
    sizes = [sum(len(s.tokens) for s in corpus.dev) for corpus in (large, small)]
    expected = np.average([step.dev["a"], step.dev["b"]], weights=np.sqrt(sizes))
    assert step.dev_accuracy == pytest.approx(expected)
    assert step.dev["a"] != step.dev["b"]


def test_a_run_may_be_left_after_any_epoch_but_not_before(starter: list[Corpus]) -> None:
    training = Trainer(TaggerTask([by_heart(starter)], SMALL, QUICK))
    steps = training.steps()
    next(steps)
    with pytest.raises(RnntagError, match="nothing to save"):
        bundle(training, "x")
    while not next(steps).dev:
        pass
    steps.close()
    assert bundle(training, "x").provenance.epoch == 1


def test_time_runs_out(starter: list[Corpus]) -> None:
    training = Trainer(
        TaggerTask([by_heart(starter)], SMALL, replace(QUICK, epochs=100_000, patience=100_000, max_minutes=0.02))
    )
    last = list(training.steps())[-1]
    assert last.dev
    assert last.seconds < 6


def test_corpora_without_a_train_or_dev_part_are_refused() -> None:
    sentence = Sentence(("a",), {"t": ("A",)})
    with pytest.raises(DataError, match="no tagged sentence in the train split"):
        Trainer(TaggerTask([Corpus("x", dev=(sentence,))], SMALL, QUICK))
    with pytest.raises(DataError, match="no tagged sentence in the dev split"):
        Trainer(TaggerTask([Corpus("x", train=(sentence,))], SMALL, QUICK))


@pytest.mark.parametrize("bad", [{"lr": 0}, {"epochs": 0}, {"dropout": 1.0}, {"dropout": -0.1}, {"device": "tpu"}])
def test_impossible_settings_are_refused(bad: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        TrainConfig(**bad)


def test_all_kinds_of_writing_are_met_and_each_sentence_once_an_epoch(starter: list[Corpus]) -> None:
    corpus = replace(by_heart(starter), train=starter[0].train[:12])
    training = Trainer(TaggerTask([corpus], SMALL, replace(QUICK, augment=0.5)))
    generator = np.random.default_rng(1)
    met = set()
    for _ in range(50):
        chosen = training.task._choose(generator)
        assert sorted(chosen % 12) == list(range(12))
        met |= {position // 12 for position in chosen}
    assert met == set(range(VARIANTS + 1))
    assert training.task._sentence(0) == corpus.train[0]
    assert training.task._sentence(12 * 3).tokens == tuple(token.upper() for token in corpus.train[0].tokens)


@pytest.mark.parametrize(("upsample", "longer"), [(0.0, 1.0), (0.5, 3.0), (1.0, 9.0)])
def test_small_corpora_are_met_oftener(upsample: float, longer: float, starter: list[Corpus]) -> None:
    sentence = starter[0].train[0]
    large, small = (Corpus(name, train=(sentence,) * size, dev=(sentence,)) for name, size in (("a", 90), ("b", 10)))
    steps = list(Trainer(TaggerTask([large, small], SMALL, replace(QUICK, epochs=1, upsample=upsample))).steps())
    assert steps[-1].tokens == pytest.approx((90 + longer * 10) * len(sentence.tokens))
