"""Training on several processes is training on one, in parts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from rnntag.config import SegmenterConfig
from rnntag.model import directory, learning_curve
from rnntag.sentences import Corpus
from rnntag.training.segmenter import SegmenterTask, UnkDropout

SMALL = [
    "--hidden",
    "16",
    "--embedding-dim",
    "8",
    "--char-hidden",
    "4",
    "--char-dim",
    "4",
    "--no-segmenter",
    "--seed",
    "3",
]
EXACT = ["--dropout", "0", "--word-dropout", "0", "--max-grad-norm", "0"]


def command(processes: int, *arguments: str) -> list[str]:
    program = [sys.executable, "-m"]
    if processes > 1:
        program += ["torch.distributed.run", "--standalone", "--nproc-per-node", str(processes), "-m"]
    return [*program, "rnntag", "train", *arguments]


def train(folder: Path, processes: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(command(processes, "starter", *SMALL, *arguments), cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done


def curve(path: Path) -> list[tuple[float, float, int]]:
    epochs = learning_curve.read(directory.read(path).history, "history")
    return [(epoch.loss, epoch.gradient_norm, epoch.tokens) for epoch in epochs]


@pytest.mark.slow
def test_two_processes_learn_what_one_does(tmp_path: Path) -> None:
    one = train(tmp_path, 1, *EXACT, "--epochs", "1", "--out", "one")
    two = train(tmp_path, 2, *EXACT, "--epochs", "1", "--out", "two")
    np.testing.assert_allclose(curve(tmp_path / "one"), curve(tmp_path / "two"), rtol=1e-5)
    assert two.stderr.count("training the tagger") == 1
    assert one.stderr.count("saved one") == two.stderr.count("saved two") == 1
    assert not [*tmp_path.glob(".*.checkpoint")]


def test_the_parts_of_a_batch_have_the_loss_of_the_whole(
    starter: list[Corpus], monkeypatch: pytest.MonkeyPatch
) -> None:
    task = SegmenterTask(starter, SegmenterConfig(hidden=4, bigrams=0, dropout=0), ("", ""))
    monkeypatch.setattr(UnkDropout, "hide", lambda self, rows, random: rows)
    random = np.random.default_rng(1)
    batch = max(task.batches(random), key=len)
    whole = task.loss(batch, random, 1.0)
    parts = [task.loss(batch[rank::2], random, 1.0) for rank in range(2)]
    assert sum(part.weight for part in parts) == whole.weight
    assert sum(part.mean.item() * part.weight for part in parts) == pytest.approx(whole.mean.item() * whole.weight)


@pytest.mark.slow
def test_an_interrupted_run_is_continued(tmp_path: Path) -> None:
    train(tmp_path, 2, "--epochs", "3", "--out", "whole")
    started = subprocess.Popen(
        command(2, "starter", *SMALL, "--epochs", "3", "--out", "stopped"),
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert started.stderr
    for line in started.stderr:
        if line.startswith("epoch 1/3"):
            break
    started.send_signal(signal.SIGTERM)
    _, rest = started.communicate()
    assert started.returncode
    assert "continue with" in rest
    train(tmp_path, 2, "--resume", "--epochs", "3", "--out", "stopped")
    names = ("model.safetensors", "vocabulary.json")
    for name in names:
        assert (tmp_path / "stopped" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


@pytest.mark.slow
def test_an_error_is_told_once_and_ends_all(tmp_path: Path) -> None:
    began = time.monotonic()
    done = subprocess.run(command(2, "no-such-corpus", "--out", "x"), cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode
    assert time.monotonic() - began < 120
    assert done.stderr.count("error: no-such-corpus") == 1
