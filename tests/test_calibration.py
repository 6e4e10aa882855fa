"""Probabilities are made to come true."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnntag.model.stored import ModelBundle
from rnntag.sentences import Corpus
from rnntag.tagger import Tagger
from rnntag.training import calibration


@settings(max_examples=20, deadline=None)
@given(st.floats(0.3, 4), st.integers(0, 99))
def test_the_temperature_that_made_the_data_is_found_again(true: float, seed: int) -> None:
    random = np.random.default_rng(seed)
    scores = random.normal(0, 3, (20_000, 5)).astype(np.float32)
    noise = random.gumbel(size=scores.shape)  # adding it draws from the softmax
    gold = (scores / true + noise).argmax(-1)
    assert calibration.temperature(scores, gold) == pytest.approx(true, rel=0.1)


def test_its_loss_is_the_least() -> None:
    random = np.random.default_rng(1)
    scores, gold = random.normal(0, 2, (500, 4)), random.integers(0, 4, 500)
    scores[np.arange(500), gold] += 2

    def loss(temperature: float) -> float:
        x = scores / temperature
        return float(np.log(np.exp(x).sum(-1)).mean() - x[np.arange(500), gold].mean())

    best = calibration.temperature(scores, gold)
    assert loss(best) < min(loss(best * 1.02), loss(best / 1.02))


def test_a_tagger_uses_the_temperature_of_its_tagset(tiny: ModelBundle, starter: list[Corpus]) -> None:
    dev = [sentence for corpus in starter for sentence in corpus.dev]
    found = calibration.temperatures(Tagger(tiny), [dev])
    assert found.keys() == {"upos"}
    assert found["upos"] > 1  # it has learned little by heart, and is too sure of the rest
    sure = Tagger(tiny).predict([dev[0].tokens], top=17)[0]
    calibrated = Tagger(replace(tiny, temperatures=found)).predict([dev[0].tokens], top=17)[0]
    for before, after in zip(sure, calibrated, strict=True):
        assert [tag for tag, _ in before] == [tag for tag, _ in after]
        flattened = [p ** (1 / found["upos"]) for _, p in before]
        assert [p for _, p in after] == pytest.approx([p / math.fsum(flattened) for p in flattened], abs=1e-6)


def test_tags_that_the_model_does_not_know_are_left_out(tiny: ModelBundle, starter: list[Corpus]) -> None:
    dev = starter[0].dev[:20]
    odd = [replace(sentence, tags={"upos": ("?",) * len(sentence.tokens)}) for sentence in dev]
    tagger = Tagger(tiny)
    assert calibration.temperatures(tagger, [[*dev, *odd]]) == calibration.temperatures(tagger, [dev])
    assert calibration.temperatures(tagger, [odd]) == calibration.temperatures(tagger, []) == {}


def test_a_small_dev_split_counts_too(tiny: ModelBundle, starter: list[Corpus]) -> None:
    tagger = Tagger(tiny)
    english, chinese = (list(corpus.dev) for corpus in starter)
    alone, other = (calibration.temperatures(tagger, [split])["upos"] for split in (chinese[:20], english * 9))
    together = calibration.temperatures(tagger, [chinese[:20], english * 9])["upos"]
    pooled = calibration.temperatures(tagger, [[*chinese[:20], *english * 9]])["upos"]
    assert abs(together - alone) < abs(pooled - alone)
    assert min(alone, other) < together < max(alone, other)
