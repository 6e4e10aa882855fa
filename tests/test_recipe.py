"""A recipe's stages are run once, in order, and one that was cut short is run again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from rnntag import recipe
from rnntag.config import ModelConfig, TrainConfig
from rnntag.errors import DataError, NotFoundError, RnntagError, UsageError
from rnntag.training import checkpoint
from rnntag.training.checkpoint import Checkpoint, Settings
from tests.conftest import BUNDLED, Run

RECIPE = """
[variables]
word = "eat"
[[stages]]
makes = "work/text.txt"
run = ["python", "-c", "print('I {word}')"]
output = true
[[stages]]
makes = "work/{word}.txt"
run = ["python", "-c", "import sys; open(sys.argv[1], 'w').write(sys.stdin.read().upper())", "{makes}"]
input = "work/text.txt"
"""


@pytest.fixture
def kitchen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "recipe.toml").write_text(RECIPE, encoding="utf-8")
    return tmp_path


def test_stages_are_run_in_order_and_once(run: Run, kitchen: Path) -> None:
    done = run("train", "--recipe", "recipe.toml", "--set", "word=sleep")
    assert done.returncode == 0
    assert (kitchen / "work" / "sleep.txt").read_text() == "I SLEEP\n"
    assert "stage 1 of 2: python -c" in done.stderr
    (kitchen / "work" / "text.txt").write_text("kept")
    (kitchen / "work" / "sleep.txt").unlink()
    again = run("train", "--recipe", "recipe.toml", "--set", "word=sleep")
    assert "stage 1 of 2: work/text.txt is there" in again.stderr
    assert (kitchen / "work" / "sleep.txt").read_text() == "KEPT"
    assert sorted(path.name for path in (kitchen / "work").iterdir()) == ["sleep.txt", "text.txt"]


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("print('half'); raise SystemExit(3)", "the stage that makes a failed with exit code 3"),
        ("pass", "there is no a"),
    ],
)
def test_a_stage_that_fails_leaves_nothing_that_looks_done(kitchen: Path, code: str, message: str) -> None:
    stage = recipe.Stage(Path("a"), (sys.executable, "-c", code), output="half" in code)
    with pytest.raises(RnntagError, match=message):
        stage.run()
    assert [path.name for path in kitchen.iterdir()] == ["recipe.toml"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no stages"),
        ("[[stages", "is no TOML"),
        ("[[stages]]\nmakes = 'a'", "stage 1: there is no run"),
        ("[[stages]]\nmakes = 'a'\nrun = []", "stage 1: runs nothing"),
        ("[[stages]]\nmakes = '{b}'\nrun = ['x']", "stage 1: there is no b"),
        ("[[stages]]\nmakes = '{'\nrun = ['x']", "stage 1: "),
        ("[[stages]]\nmakes = 'a'\nrun = ['x']\nshell = true", "stage 1: has shell, but"),
    ],
)
def test_what_is_no_recipe_is_refused(kitchen: Path, text: str, message: str) -> None:
    Path("recipe.toml").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=rf"recipe.toml: .*{message}"):
        recipe.read(Path("recipe.toml"), {})


def test_what_is_not_there_is_named(kitchen: Path) -> None:
    with pytest.raises(NotFoundError, match="nowhere: no such recipe"):
        recipe.read(Path("nowhere"), {})
    with pytest.raises(UsageError, match=r"has no variable sed: it has word"):
        recipe.read(Path("recipe.toml"), {"sed": "1"})
    with pytest.raises(RnntagError, match="missing: No such file"):
        recipe.Stage(Path("a"), ("x",), Path("missing")).run()
    with pytest.raises(RnntagError, match="no-such-program: No such file"):
        recipe.Stage(Path("a"), ("no-such-program",)).run()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--set", "a=b"), "name that with --recipe"),
        (("--recipe", "recipe.toml", "--set", "a"), "it must be NAME=VALUE"),
        (("--recipe", "recipe.toml", "--cell", "gru", "starter"), "settings: leave out "),
    ],
)
def test_options_that_do_not_go_together(run: Run, kitchen: Path, arguments: tuple[str, ...], message: str) -> None:
    done = run("train", *arguments)
    assert done.returncode == 2
    assert message in " ".join(done.stderr.split())


def test_the_bundled_models_recipe_can_be_read() -> None:
    stages = recipe.read(BUNDLED / "recipe.toml", {"work": "w", "seed": "2"})
    made = {stage.makes for stage in stages}
    assert [stage.makes for stage in stages[-2:]] == [Path("w/models/zh-en"), Path("w/models/zh-en-fast")]
    assert all(stage.input is None or stage.input in made for stage in stages)


def test_a_training_that_was_broken_off_is_gone_on_with(run: Run, tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("a/Q b/R\n" * 9, encoding="utf-8")
    command = ["rnntag", "train", "x.txt", "--hidden", "8", "--embedding-dim", "8", "--epochs", "1"]
    stage = f"[[stages]]\nmakes = 'm'\nrun = {json.dumps([*command, '--out', '{makes}'])}\n"
    (tmp_path / "recipe.toml").write_text(stage, encoding="utf-8")
    path = tmp_path / "m"
    assert run("train", "--recipe", "recipe.toml").returncode == 0
    assert "stage 1 of 1: m is there" in run("train", "--recipe", "recipe.toml").stderr
    settings = Settings(("x.txt",), model=ModelConfig(hidden=8, embedding_dim=8), training=TrainConfig(epochs=1))
    checkpoint.write(path, Checkpoint(settings))
    assert "epoch 1/1" in run("train", "--recipe", "recipe.toml").stderr
    assert not checkpoint.place(path).exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_reaches_the_stage_and_what_it_keeps(number: signal.Signals, tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("a/Q b/R\n" * 9, encoding="utf-8")
    command = ["rnntag", "train", "x.txt", "--hidden", "8", "--epochs", "99999", "--patience", "99999"]
    stage = f"[[stages]]\nmakes = 'm'\nrun = {json.dumps([*command, '--out', '{makes}'])}\n"
    (tmp_path / "recipe.toml").write_text(stage, encoding="utf-8")
    with subprocess.Popen(
        [sys.executable, "-m", "rnntag", "train", "--recipe", "recipe.toml"],
        cwd=tmp_path, stderr=subprocess.PIPE, text=True, start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background jobs ignore it
    ) as run:  # fmt: skip
        assert run.stderr
        for line in run.stderr:
            if line.startswith("epoch 3/"):
                break
        if number == signal.SIGINT:
            os.killpg(run.pid, number)  # as a terminal does
        else:
            run.send_signal(number)
        rest = run.stderr.read()
        assert run.wait() == 128 + number
    assert "interrupted: the best model so far is kept" in rest
    assert checkpoint.place(tmp_path / "m").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == [".m.checkpoint", "m", "recipe.toml", "x.txt"]
