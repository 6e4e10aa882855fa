"""Whatever ends a run, what it has done stays, and what was there stays whole."""

from __future__ import annotations

import errno
import itertools
import json
import os
import pty
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from rnntag.corpora import loading
from rnntag.errors import AccessError
from rnntag.model import directory
from rnntag.storage import atomic
from rnntag.training import checkpoint
from rnntag.training.checkpoint import Checkpoint, Settings, State
from rnntag.training.run import claim
from tests import children
from tests.conftest import few, typed

if sys.platform == "win32":
    pytest.skip("signals and forks are POSIX's", allow_module_level=True)

TRAIN = (
    "train", "mine.conllu", "--out", "m", "--segmenter", "--segmenter-hidden", "4", "--segmenter-bigrams", "16",
    "--segmenter-epochs", "1", "--hidden", "8", "--embedding-dim", "8", "--char-dim", "4", "--char-hidden", "4",
    "--epochs", "3", "--checkpoint-every", "0.001",
)  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a treebank of a few sentences."""
    write_corpus(tmp_path)
    return tmp_path


def write_corpus(folder: Path) -> None:
    (english,) = (path for path in loading.starter_files() if path.stem == "starter_en")
    sentences = english.read_text(encoding="utf-8").split("\n\n")[:30]
    (folder / "mine.conllu").write_text("\n\n".join(sentences) + "\n\n", encoding="utf-8")


def learned(path: Path) -> dict[str, Any]:
    """All that a model directory holds but times, and what follows from them."""
    found: dict[str, Any] = {file.name: file.read_bytes() for file in path.iterdir()}
    config = json.loads(found["config.json"])
    for name in ("minutes", "created"):
        del config["provenance"][name]
    found["config.json"] = config
    found["history.jsonl"] = [
        {key: value for key, value in json.loads(line).items() if key != "seconds"}
        for line in found["history.jsonl"].splitlines()
    ]
    return {name: one for name, one in found.items() if name not in ("MODEL_CARD.md", "SHA256SUMS")}


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {"first", "log", "mine.conllu"}


def wait_for(sign: Callable[[], bool]) -> None:
    limit = time.monotonic() + 60
    while not sign():
        assert time.monotonic() < limit
        time.sleep(0.005)


@pytest.mark.parametrize("most", [5, pytest.param(50, marks=pytest.mark.slow)])
def test_a_run_that_is_killed_again_and_again_ends_as_one_that_is_not(most: int, folder: Path) -> None:
    for _ in range(2):  # the first waits for torch
        started = time.monotonic()
        code, log = children.run(folder, *TRAIN, "--force")
        assert code == 0, log
        duration = time.monotonic() - started
    expected = learned(folder / "m")
    moments = random.Random(8)
    kills = resumed = ended = 0
    while kills < most or not ended:
        shutil.rmtree(folder / "m")
        finished = False
        while not finished:
            child = children.start(folder, *TRAIN, "--resume")
            if kills < most:
                if kills % 2:  # the others come before there is anything, too
                    wait_for(lambda child=child: checkpoint.place(folder / "m").exists() or not child.is_alive())
                child.join(moments.uniform(0, duration))
            else:
                child.join()
            if child.is_alive():
                child.kill()
                kills += 1
            child.join()
            assert child.exitcode in (0, -signal.SIGKILL), (folder / "log").read_text()
            resumed += checkpoint.place(folder / "m").exists()
            finished = (folder / "m").exists() and not checkpoint.place(folder / "m").exists()
            assert finished or child.exitcode
            assert not (folder / "m").exists() or learned(folder / "m") == expected
        assert learned(folder / "m") == expected
        assert names(folder) - {".m.lock"} == {"m"}
        ended += 1
    assert resumed > kills / 4


LONGER = (*TRAIN, "--epochs", "20", "--patience", "20", "--lr", "0.01")


@pytest.fixture(scope="module")
def learned_longer(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What `LONGER` learns where nothing breaks it off."""
    folder = tmp_path_factory.mktemp("longer")
    write_corpus(folder)
    code, log = children.run(folder, *LONGER)
    assert code == 0, log
    return learned(folder / "m")


@pytest.mark.parametrize("number", few([signal.SIGTERM, signal.SIGINT, signal.SIGHUP], signal.SIGTERM))
def test_a_signal_keeps_the_run_and_the_best_model_first(
    number: signal.Signals, folder: Path, learned_longer: dict[str, Any]
) -> None:
    child = children.start(folder, *LONGER)
    wait_for(lambda: (folder / "log").exists() and "epoch 3/20" in (folder / "log").read_text())
    os.kill(child.pid or 0, number)
    child.join()
    assert child.exitcode == 128 + number
    log = (folder / "log").read_text()
    assert "interrupted: the best model so far is saved; continue with: rnntag train --resume --out m" in log
    assert directory.read(folder / "m").provenance.epoch >= 1
    assert names(folder) == {"m", ".m.checkpoint"}
    code, log = children.run(folder, "train", "--resume", "--out", "m")
    assert code == 0
    assert log.startswith("continuing the tagger in epoch ")
    assert "epoch 1/20" not in log
    assert learned(folder / "m") == learned_longer
    assert names(folder) == {"m"}


@pytest.mark.slow
@pytest.mark.parametrize("watched_by", ["a pipe", "a terminal"])
def test_a_run_that_nobody_can_watch_any_more_is_kept_like_any_other(
    watched_by: str, folder: Path, learned_longer: dict[str, Any]
) -> None:
    """A pipe that has ended changes nothing; where a terminal closes SIGHUP comes too."""
    command = [sys.executable, "-m", "rnntag", *LONGER]
    if watched_by == "a pipe":
        with subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE) as process:
            assert process.stderr
            process.stderr.readline()
            process.stderr.close()
            assert process.wait() == 0
    else:
        child, screen = pty.fork()
        if not child:
            os.chdir(folder)
            os.execv(sys.executable, command)
        shown = b""
        while b"epoch 3/20" not in shown:
            shown += os.read(screen, 10_000)
        os.close(screen)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 128 + signal.SIGHUP
        assert directory.read(folder / "m").provenance.epoch >= 1
        assert children.run(folder, *LONGER, "--resume")[0] == 0
    assert learned(folder / "m") == learned_longer


def test_a_second_training_is_refused_by_name_of_the_first_and_none_by_a_dead_one(folder: Path) -> None:
    first = children.start(folder, *TRAIN, "--epochs", "99999", "--patience", "99999", log="first")
    wait_for(checkpoint.place(folder / "m").exists)
    code, log = children.run(folder, *TRAIN)
    assert code == AccessError.exit_code
    assert f"m: in use by process {first.pid} on " in log
    assert len(log.splitlines()) == 1
    first.kill()
    first.join()
    code, log = children.run(folder, *TRAIN)
    assert code == 2
    assert "m: unfinished run found: use --resume or --restart" in log
    assert children.run(folder, *TRAIN, "--restart")[0] == 0
    assert names(folder) == {"m"}


def test_a_claim_is_alone_and_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "models" / "m"
    with claim(path):
        assert (path.parent / ".m.lock").exists()
        for _ in range(2):
            with (
                pytest.raises(AccessError, match=f"m: in use by process {os.getpid()} on .*: wait until it finishes"),
                claim(path),
            ):
                pass
        with claim(tmp_path / "models" / "n"):
            pass
    assert not path.parent.exists()
    with claim(path):
        pass


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_lock_that_another_user_s_killed_run_has_left_stops_nobody() -> None:
    with tempfile.TemporaryDirectory() as name:  # pytest's folders are closed to others
        folder = Path(name)
        folder.chmod(0o777)
        for user, ended in ((65534, -signal.SIGKILL), (65533, 0)):
            child = os.fork()
            if not child:
                try:
                    os.setuid(user)
                    with claim(folder / "m"):
                        if ended:
                            os.kill(os.getpid(), signal.SIGKILL)
                    os._exit(0)
                finally:
                    os._exit(1)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == ended
            assert (folder / ".m.lock").exists() == bool(ended)


def test_a_comparison_is_refused_before_it_trains(
    folder: Path, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    compare = ("compare", "mine.conllu", "--cell", "lstm", "--out", "c")
    with claim(folder / "c" / "lstm"):
        assert typed(*compare) == AccessError.exit_code
    assert f"c/lstm: in use by process {os.getpid()} on " in capsys.readouterr().err
    checkpoint.write(folder / "c" / "lstm", Checkpoint(Settings()))
    assert typed(*compare) == 2
    assert "c/lstm: unfinished run of 'rnntag train' found" in capsys.readouterr().err
    checkpoint.discard(folder / "c" / "lstm")
    shutil.copytree(tiny_folder, folder / "c" / ".lstm.1.old")  # a crash while it was being replaced
    assert typed(*compare) == 2
    assert "c/lstm: already contains a model made on " in capsys.readouterr().err
    assert learned_files(folder / "c" / "lstm") == learned_files(tiny_folder)


def test_a_full_disk_is_told_before_hours_of_work(folder: Path, tiny_folder: Path) -> None:
    shutil.copytree(tiny_folder, folder / "m")
    before = learned_files(folder / "m")
    code, log = children.run(folder, *TRAIN, "--force", largest_file=1000)
    assert code == AccessError.exit_code
    assert ".m.checkpoint: the checkpoint cannot be written: File too large" in log.splitlines()[-1]
    assert learned_files(folder / "m") == before
    assert names(folder) == {"m"}


def learned_files(path: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in path.iterdir()}


@pytest.mark.parametrize("number", few([errno.ENOSPC, errno.EROFS, errno.ESTALE], errno.ENOSPC))
def test_a_disk_that_fails_later_costs_nothing_that_was_done(
    number: int, folder: Path, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(tiny_folder, folder / "m")
    before = learned_files(folder / "m")
    monkeypatch.chdir(folder)
    fsync, calls = os.fsync, itertools.count()

    def failing(descriptor: int) -> None:
        if next(calls) > 8:
            raise OSError(number, os.strerror(number))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", failing)
    assert typed(*TRAIN, "--force") == AccessError.exit_code
    lines = capsys.readouterr().err.splitlines()
    kept = (
        f"warning: {folder}/.m.checkpoint: the checkpoint cannot be written: {os.strerror(number)}; training continues"
    )
    assert kept in lines
    assert lines[-1] == f"error: {folder}/m: the model cannot be written: {os.strerror(number)}"
    assert learned_files(folder / "m") == before
    assert names(folder) == {"m", ".m.checkpoint"}
    monkeypatch.undo()
    monkeypatch.chdir(folder)
    assert typed("train", "--resume", "--out", "m") == 0
    assert directory.read(folder / "m").segmenter
    assert names(folder) == {"m"}


def test_a_folder_that_vanishes_is_made_anew(folder: Path) -> None:
    place = folder / "models" / "m"
    child = children.start(folder, *TRAIN, "--out", place, "--epochs", "40")
    wait_for(checkpoint.place(place).exists)
    (folder / "models").rename(folder / "gone")
    child.join()
    assert child.exitcode == 0
    assert directory.read(place).segmenter


def crashes(action: Callable[[], None], line: int) -> bool:
    """Whether a child that is killed before the so-manieth line of `durable` did not live to the end."""
    child = os.fork()
    if not child:
        left = line

        def trace(frame: FrameType, event: str, argument: object) -> Any:
            nonlocal left
            if frame.f_code.co_filename != atomic.__file__:
                return None
            if event == "line":
                left -= 1
                if not left:
                    os.kill(os.getpid(), signal.SIGKILL)
            return trace

        sys.settrace(trace)
        try:
            action()
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_model_directory_is_the_old_or_the_new_one_wherever_its_writer_dies(tmp_path: Path) -> None:
    path = tmp_path / "m"
    old, new = {directory.CONFIG: b"old", directory.CARD: b"old"}, {directory.CONFIG: b"new", directory.WEIGHTS: b"new"}
    found = []
    between_renames = 0
    for line in itertools.count(1):
        atomic.write_directory(path, old)
        crashed = crashes(lambda: atomic.write_directory(path, new), line)
        between_renames += not path.exists()
        with claim(path):
            pass
        content = learned_files(path)
        assert content in (old, new)
        assert [file.name for file in tmp_path.iterdir()] == ["m"]
        found.append(content == new)
        if not crashed:
            break
    assert found == sorted(found)
    assert (found[0], found[-1], between_renames) == (False, True, 1)
    assert len(found) > 30


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_kept_run_is_the_old_or_the_new_one_wherever_its_writer_dies(tmp_path: Path) -> None:
    path = tmp_path / "m"
    old, new = (Checkpoint(Settings(), {"one": State({"epoch": epoch})}) for epoch in (1, 2))
    for line in itertools.count(1):
        checkpoint.write(path, old)
        crashed = crashes(lambda: checkpoint.write(path, new), line)
        assert checkpoint.read(path) in (old, new)
        with claim(path):
            pass
        assert [file.name for file in tmp_path.iterdir()] == [".m.checkpoint"]
        if not crashed:
            break
    assert checkpoint.read(path) == new
    assert line > 10
