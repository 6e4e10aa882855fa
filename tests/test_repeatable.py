"""One seed gives one model, at the number of threads that torch takes by itself."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.conftest import ROOT, few

SETTINGS: list[dict[str, object]] = [
    {"cell": "rnn"},
    {"cell": "gru"},
    {"cell": "lstm", "layers": 2, "bidirectional": False, "augment": 0.5, "upsample": 0.5},
    {"cell": "lstm", "input": "onehot"},
    {"cell": "lstm", "bptt": 5},
    {"cell": "gru", "feedback": True, "teacher_forcing": 0.5},
    {"init": "zh-en-fast", "class_weights": "balanced"},
]

TRAIN_TWICE = """
import sys
from rnntag.config import ModelConfig, TrainConfig
from rnntag.corpora import loading
from rnntag.model import directory
from rnntag.sentences import Corpus
from rnntag.training.inheritance import Start
from rnntag.training.tagger import TaggerTask
from rnntag.training.trainer import Trainer

parts = [Corpus(c.name, train=c.train[:120], dev=c.dev[:10]) for c in loading.load(["starter"])]
settings = eval(sys.argv[1])
model = directory.read(directory.find(settings["init"])) if "init" in settings else None
start = Start(model, tuple(parts)) if model else None
given = {name: settings.pop(name) for name in ModelConfig.__slots__ if name in settings}
shape = model.config if model else ModelConfig(**given)

def weights(seed):
    config = TrainConfig(epochs=1, batch_tokens=1500, seed=seed, **settings)
    training = Trainer(TaggerTask(parts, shape, config, start))
    for _ in training.steps():
        pass
    return {name: weight.tobytes() for name, weight in training.task.network.weights().items()}

once, again = weights(1), weights(1)
assert once != weights(2)
if once != again:
    sys.exit(f"{[name for name in once if once[name] != again[name]]} differ")
"""


@pytest.mark.parametrize("settings", few(SETTINGS, SETTINGS[0]), ids=str)
def test_the_same_seed_gives_the_same_weights_at_the_default_number_of_threads(settings: dict[str, object]) -> None:
    """Batches are so large that torch's threads share the work on each."""
    environment = {**os.environ, "OMP_WAIT_POLICY": "PASSIVE"}  # as the command line does: no thread spins
    command = [sys.executable, "-c", TRAIN_TWICE, str(settings)]
    subprocess.run(command, cwd=ROOT, env=environment, check=True)
