"""One seed gives one model, at the number of threads that torch takes by itself."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from rnntag.model import directory
from tests.conftest import ROOT, Run

SETTINGS = """
{"cell": "rnn"}, {}
{"cell": "gru"}, {}
{"cell": "lstm", "layers": 2, "bidirectional": False}, {"augment": 0.5, "upsample": 0.5}
{"cell": "lstm", "input": "onehot"}, {}
{"cell": "lstm"}, {"bptt": 5}
{"cell": "gru", "feedback": True}, {"teacher_forcing": 0.5}
"""

TRAIN_TWICE = f"""
import sys
from rnntag import corpora
from rnntag.schema import Corpus, ModelConfig, TrainConfig
from rnntag.training import Training

parts = [Corpus(c.name, train=c.train[:120], dev=c.dev[:10]) for c in corpora.load(["starter"])]

def weights(model, run):
    training = Trainer(TaggerTask(parts, ModelConfig(**model), TrainConfig(epochs=1, batch_tokens=1500, **run)))
    for _ in training.steps():
        pass
    return {{name: weight.tobytes() for name, weight in training.task.network.weights().items()}}

for line in {SETTINGS.strip().splitlines()!r}:
    once, again = (weights(*eval(line)) for _ in range(2))
    if once != again:
        sys.exit(f"{{line}}: {{[name for name in once if once[name] != again[name]]}} differ")
"""


def test_the_same_seed_gives_the_same_weights_at_the_default_number_of_threads() -> None:
    """Batches are so large that torch's threads share the work on each."""
    environment = {
        **os.environ,
        "OMP_WAIT_POLICY": "PASSIVE",
    }  # as the command line does: threads wait without spinning
    done = subprocess.run(
        [sys.executable, "-c", TRAIN_TWICE], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_same_command_writes_the_same_model(run: Run, tmp_path: Path) -> None:
    for out in ("once", "again"):
        done = run("train", "--corpus", "starter", "--epochs", "1", "--segmenter-epochs", "1", "--out", out)
        assert done.returncode == 0, done.stderr
    for name in (directory.WEIGHTS, directory.SEGMENTER_WEIGHTS):
        assert (tmp_path / "once" / name).read_bytes() == (tmp_path / "again" / name).read_bytes()
