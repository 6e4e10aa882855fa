"""A run that is broken off and gone on with ends as one that never was."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnntag.cli.app import app
from rnntag.config import ModelConfig, SegmenterConfig, TrainConfig
from rnntag.errors import AccessError, DataError, UsageError
from rnntag.model.learning_curve import TrainingStep
from rnntag.sentences import Corpus, Sentence
from rnntag.training import checkpoint, run
from rnntag.training.callbacks import Callbacks
from rnntag.training.checkpoint import Checkpoint, Settings, State
from rnntag.training.job import Job
from rnntag.training.optimizer import Optimiser
from rnntag.training.runner import Runner
from rnntag.training.segmenter import SegmenterTask, stored
from rnntag.training.tagger import TaggerTask, bundle
from rnntag.training.trainer import Trainer
from tests.conftest import few

SMALL = ModelConfig(layers=2, hidden=8, embedding_dim=8, char_dim=4, char_hidden=4)
RUN = TrainConfig(
    epochs=4, batch_tokens=60, lr=0.01, dropout=0.3, word_dropout=1.0, augment=0.3, upsample=0.5, bptt=3, device="cpu"
)
SEGMENTER = SegmenterConfig(hidden=8, unit_dim=8, bigrams=16, bigram_dim=4, epochs=3)


def two(starter: list[Corpus]) -> list[Corpus]:
    """Corpora with a tagset each, so that not every batch reaches every weight."""
    own = tuple(Sentence(s.tokens, {"own": s.tags["upos"]}) for s in starter[1].train[:30])
    english = replace(starter[0], train=starter[0].train[:60], dev=starter[0].dev[:10])
    return [english, Corpus("own", train=own, dev=own[:10])]


def goes_on(make: Callable[[], Trainer[Any]], path: Path) -> tuple[Trainer[Any], Trainer[Any]]:
    """A training that was not broken off, and one that was, before its first step, after a random number of
    steps again and again, and at each epoch's end."""
    whole = make()
    told = list(whole.steps())
    broken = make()  # not before: torch has one source of noise
    random = np.random.default_rng(1)
    breaks = {0, *random.integers(1, 40, len(told)).cumsum(), *(n for n, step in enumerate(told, 1) if step.dev)}
    heard: list[TrainingStep] = []
    steps = broken.steps()
    for number in range(len(told) + 1):
        if number in breaks:
            checkpoint.write(path, Checkpoint(Settings(), {"one": broken.state()}))
            found = checkpoint.read(path)
            assert found
            broken = make()
            broken.restore(found.states["one"])
            steps = broken.steps()
        heard += islice(steps, 1)
    assert [replace(step, seconds=0) for step in heard] == [replace(step, seconds=0) for step in told]
    return whole, broken


@pytest.mark.parametrize("cell", few(["lstm", "gru"], "lstm"))
def test_a_tagger_goes_on_from_any_step(cell: str, starter: list[Corpus], tmp_path: Path) -> None:
    shape = replace(SMALL, cell=cell, feedback=cell == "gru")
    run = replace(RUN, teacher_forcing=0.5 if cell == "gru" else 0.0)
    whole, broken = goes_on(lambda: Trainer(TaggerTask(two(starter), shape, run)), tmp_path / "m")
    expected, found = bundle(whole, "m"), bundle(broken, "m")
    same(found.weights, expected.weights)
    assert found.provenance == replace(expected.provenance, minutes=found.provenance.minutes)
    assert found.history.count(b"\n") == RUN.epochs


def test_a_segmenter_goes_on_from_any_step(starter: list[Corpus], tmp_path: Path) -> None:
    whole, broken = goes_on(lambda: Trainer(SegmenterTask(two(starter)[:1], SEGMENTER)), tmp_path / "m")
    expected, found = stored(whole), stored(broken)
    assert expected
    assert found
    same(found.weights, expected.weights)
    assert found.dev == expected.dev


def same(a: Mapping[str, np.ndarray], b: Mapping[str, np.ndarray]) -> None:
    assert a.keys() == b.keys()
    assert all(np.array_equal(a[name], b[name]) for name in a)


def test_other_corpora_are_not_gone_on_with(starter: list[Corpus], tmp_path: Path) -> None:
    corpora = two(starter)
    fewer = [replace(corpora[0], train=corpora[0].train[1:]), corpora[1]]
    for make in (lambda c: Trainer(TaggerTask(c, SMALL, RUN)), lambda c: Trainer(SegmenterTask(c[:1], SEGMENTER))):
        state = make(corpora).state()
        make(corpora).restore(state)
        with pytest.raises(DataError, match="have changed since the run started"):
            make(fewer).restore(state)


def test_settings_and_states_come_back(tmp_path: Path) -> None:
    path = tmp_path / "m"
    assert checkpoint.read(path) is None
    settings = Settings(
        ("a.conllu", "b\udcff"), "both", "gb18030", "tsv", SMALL, replace(RUN, vectors=("v",)), SEGMENTER, "zh-en"
    )
    state = State({"pi": 3.141592653589793, "large": 2**127 - 1}, {"a/b": np.arange(6, dtype=np.float16).reshape(2, 3)})
    checkpoint.write(path, Checkpoint(settings, {"one": state, "other": State()}))
    found = checkpoint.read(path)
    assert found
    assert found.settings == settings
    assert found.states["one"].figures == state.figures
    same(found.states["one"].arrays, state.arrays)
    assert found.states["other"] == State()
    assert [file.name for file in tmp_path.iterdir()] == [".m.checkpoint"]
    checkpoint.discard(path)
    assert checkpoint.read(path) is None


def test_a_changed_or_missing_byte_of_a_kept_run_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "m"
    checkpoint.write(path, Checkpoint(Settings(), {"one": State({}, {"a": np.zeros(2)})}))
    file = checkpoint.place(path)
    content = file.read_bytes()
    for position in range(0, len(content), 3):
        changed = bytearray(content)
        changed[position] ^= 1 + position % 255
        for damaged in (bytes(changed), content[:position]):
            file.write_bytes(damaged)
            with pytest.raises(DataError, match=r"\.m\.checkpoint: is damaged"):
                checkpoint.read(path)


def test_a_run_of_another_format_is_not_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "m"
    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "FORMAT", 99)
        checkpoint.write(path, Checkpoint(Settings()))
    with pytest.raises(DataError, match=r"written by rnntag .*, and only that version can resume it"):
        checkpoint.read(path)


def test_a_run_goes_on_for_the_same_model_and_corpora(tmp_path: Path) -> None:
    path = tmp_path / "m"
    checkpoint.write(path, Checkpoint(Settings(("a.txt", "b.txt"), segmenter=SegmenterConfig(), receiver="lstm")))
    with pytest.raises(UsageError, match="the unfinished run has model lstm, not gru"):
        run.train_segmenter("gru", out=path, resume=True)
    with pytest.raises(UsageError, match=r"the unfinished run has corpora a\.txt, b\.txt, not c\.txt"):
        run.train_segmenter("lstm", ["c.txt"], out=path, resume=True)
    with pytest.raises(UsageError, match="the unfinished run has hidden 96, not 8"):
        run.train_segmenter("lstm", out=path, resume=True, hidden=8)


def test_what_is_asked_of_a_run_that_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("x.txt").write_text("a/Q b/R\n" * 9, encoding="utf-8")

    def error(*arguments: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as end:
            app(["train", *arguments])
        return int(end.value.code or 0), capsys.readouterr().err

    code, told = error("--resume", "--out", "m")
    assert (code, told) == (66, "error: m: no unfinished run; to start one, name corpora or settings\n")
    small = ("--hidden", "8", "--embedding-dim", "8", "--epochs", "2")
    monkeypatch.setattr(Job, "_finish", lambda *given: (_ for _ in ()).throw(AccessError("the disk is gone")))
    assert error("x.txt", "--out", "m", *small, "--resume")[0] == 74
    code, told = error("x.txt", "--out", "m", *small)
    assert (code, told) == (2, "error: m: unfinished run found: use --resume or --restart\n")
    code, told = error("x.txt", "--out", "m", *small, "--resume", "--lr", "0.1")
    assert code == 2
    assert "the unfinished run has lr 0.002, not 0.1: leave out --lr, or start again with --restart" in told
    Path("elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    code, told = error("--out", "../m", "--resume")
    assert (code, told.count("\n")) == (66, 1)
    assert "x.txt: no such corpus" in told
    assert f"(the run was started in {tmp_path})" in told
    monkeypatch.chdir(tmp_path)
    Path("elsewhere").rmdir()
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    Path("x.txt").write_text("a/Q b/Q\n" * 9, encoding="utf-8")
    code, told = error("--out", "m", "--resume")
    assert (code, told.count("\n")) == (65, 1)
    Path("x.txt").write_text("a/Q b/R\n" * 9, encoding="utf-8")
    kept = checkpoint.read(Path("m"))
    assert kept
    checkpoint.write(Path("m"), Checkpoint(kept.settings, {"tagger": State()}))
    code, told = error("--out", "m", "--resume")
    assert (code, told.count("\n")) == (65, 1)
    assert ".m.checkpoint: is not a run that this version of rnntag can continue (" in told
    checkpoint.write(Path("m"), kept)
    code, told = error("x.txt", "--out", "m", *small, "--resume")
    assert (code, "epoch" in told) == (0, False)
    code, told = error("x.txt", "--out", "m", *small, "--resume")
    assert (code, told.count("\n")) == (2, 1)
    assert told.startswith("error: m: already contains a model made on ")
    assert [file.name for file in tmp_path.iterdir() if file.name != "x.txt"] == ["m"]


def test_what_is_wrong_with_the_tagger_is_found_before_the_segmenter_is_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as end:
        app(["train", "starter", "--out", "m", "--segmenter", "--vectors", "missing.txt"])
    assert end.value.code == 66
    assert capsys.readouterr().err.startswith("error: missing.txt: ")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("stage", ["--segmenter", "--no-segmenter"])
def test_a_run_that_explodes_is_not_gone_on_with(
    stage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Optimiser, "step", lambda *given: float("nan"))
    with pytest.raises(SystemExit) as end:
        app(["train", "starter", "--out", "m", "--hidden", "8", stage])
    assert end.value.code == 1
    assert "exploded in epoch 1" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_other_versions_and_threads_are_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Checkpoint(Settings(), conditions={"torch": "1.0", "threads": "99"})
    watch, told = Callbacks(), []
    monkeypatch.setattr(watch, "warn", told.append)
    Runner(tmp_path / "m", Settings(), kept, 0, watch)._check_conditions()
    assert [warning.partition(" and continues with ")[0] for warning in told] == [
        "the run began with torch 1.0",
        "the run began with threads 99",
    ]
