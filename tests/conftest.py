"""What the tests share: where the real corpora are, and one tiny model trained once."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import hypothesis
import pytest

hypothesis.settings.register_profile("rnntag", deadline=None)  # no test is about speed
hypothesis.settings.load_profile("rnntag")

import torch

torch.set_num_threads(1)  # of this process alone: with networks so small threads do little but wait for one another

from rnntag.cli.app import app
from rnntag.config import ACTIVATIONS, CELLS, DEFAULT_MODEL, ModelConfig, SegmenterConfig, TrainConfig
from rnntag.corpora import loading
from rnntag.model import directory
from rnntag.model.learning_curve import TrainingStep
from rnntag.model.stored import ModelBundle
from rnntag.sentences import Corpus
from rnntag.training import model_card
from rnntag.training.segmenter import SegmenterTask, stored
from rnntag.training.tagger import TaggerTask, bundle
from rnntag.training.trainer import Trainer
from tests import children, smallest_model

ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared"
BUNDLED = ROOT / "models" / DEFAULT_MODEL

KINDS = [(cell, activation) for cell in CELLS for activation in ACTIVATIONS if cell == "rnn" or activation == "tanh"]
"""Every cell with each activation that it may have."""

QUICK_TO_TRAIN = (
    "--layers", "1", "--hidden", "8", "--embedding-dim", "8", "--char-dim", "4", "--char-hidden", "4", "--no-segmenter",
)  # fmt: skip

RNNTAG = (sys.executable, "-m", "rnntag")

T = TypeVar("T")
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def treebanks() -> Path:
    """The folder of UD treebanks."""
    folder = SHARED / "ud"
    if not folder.is_dir():
        pytest.skip("the UD treebanks are not on this machine (../shared/ud)")
    return folder


@pytest.fixture(scope="session")
def nltk_data() -> Path:
    """The folder of NLTK's corpora, made known to NLTK."""
    folder = SHARED / "nltk_data"
    if not folder.is_dir():
        pytest.skip("NLTK's corpora are not on this machine (../shared/nltk_data)")
    import nltk

    if str(folder) not in nltk.data.path:
        nltk.data.path.insert(0, str(folder))
    return folder


@pytest.fixture(scope="session")
def starter() -> list[Corpus]:
    return loading.load([loading.STARTER])


def tiny_model() -> ModelBundle:
    """A small LSTM that has learned a part of the starter corpus by heart."""
    english, chinese = (corpus.train[:60] for corpus in loading.load([loading.STARTER]))
    corpus = Corpus("tiny", train=english + chinese, dev=english[:20] + chinese[:20], test=english[20:40])
    config = ModelConfig(layers=1, hidden=32, embedding_dim=32, char_dim=16, char_hidden=16)
    run = TrainConfig(epochs=40, batch_tokens=100, lr=0.01, dropout=0.0, word_dropout=0.0, min_count=1, device="cpu")
    training = Trainer(TaggerTask([corpus], config, run))
    for step in training.steps():
        if step.dev_accuracy == 1:
            break
    model = bundle(training, "tiny")
    provenance = replace(model.provenance, specs=("tiny.conllu",), tagsets=("universal",))
    return replace(model, provenance=provenance, history=b"")


def with_segmenter(model: ModelBundle) -> ModelBundle:
    """The model with a segmenter that knows the starter corpus."""
    config = SegmenterConfig(hidden=32, unit_dim=24, bigrams=512, bigram_dim=8, epochs=6, lr=0.02, dropout=0.1)
    training = Trainer(SegmenterTask(loading.load([loading.STARTER]), config))
    for _ in training.steps():
        pass
    return replace(model, name="tiny_raw", segmenter=stored(training))


@pytest.fixture(scope="session")
def tiny() -> ModelBundle:
    return tiny_model()


def saved(model: ModelBundle, folder: Path) -> Path:
    directory.write(folder, model, model_card.write(model))
    return folder


@pytest.fixture(scope="session")
def tiny_folder(tiny: ModelBundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(tiny, tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="session")
def tiny_raw(tiny: ModelBundle) -> ModelBundle:
    return with_segmenter(tiny)


@pytest.fixture(scope="session")
def tiny_raw_folder(tiny_raw: ModelBundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(tiny_raw, tmp_path_factory.mktemp("models") / "tiny_raw")


@pytest.fixture(scope="session")
def smallest() -> ModelBundle:
    return smallest_model.smallest()


@pytest.fixture
def smallest_folder(smallest: ModelBundle, tmp_path: Path) -> Path:
    path = tmp_path / "m"
    directory.write(path, smallest, model_card.write(smallest))
    return path


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs rnntag as a user would, in an empty folder; gives back its exit code, stdout and stderr."""

    def run(*arguments: str | Path, stdin: str | bytes = "", **environment: str) -> subprocess.CompletedProcess[str]:
        given = stdin.encode() if isinstance(stdin, str) else stdin
        variables = {**os.environ, "COLUMNS": "120", **environment}
        if "PYTHONPATH" in environment and "PYTHONPATH" in os.environ:
            variables["PYTHONPATH"] += os.pathsep + os.environ["PYTHONPATH"]
        if environment.keys() & {"PYTHONPATH", "LD_PRELOAD"}:  # which are read when Python starts
            command = [*RNNTAG, *map(str, arguments)]
            done = subprocess.run(command, input=given, capture_output=True, cwd=tmp_path, env=variables, check=False)
            code, out, err = done.returncode, done.stdout, done.stderr
        else:
            code, out, err = children.output(tmp_path, *arguments, stdin=given, environment=variables)
        return subprocess.CompletedProcess(
            arguments, code, out.decode("utf-8", "surrogateescape"), err.decode("utf-8", "replace")
        )

    return run


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs rnntag as `run` does, but in this process, where what it calls can be replaced."""

    def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        with monkeypatch.context() as patch:
            patch.chdir(tmp_path)
            capsys.readouterr()
            code = typed(*arguments)
        return subprocess.CompletedProcess(arguments, code, *capsys.readouterr())

    return run


def typed(*arguments: str | Path) -> int:
    """The exit code of a command that is run in this process, which has torch already."""
    with pytest.raises(SystemExit) as end:
        app([*map(str, arguments)])
    return int(end.value.code or 0)


def one_line(text: str) -> str:
    """The only line of what was written to stderr."""
    lines = text.splitlines()
    assert len(lines) == 1, text
    assert "Traceback" not in text
    return lines[0]


def on_terminal(*commands: tuple[int, Sequence[str | Path]], folder: Path, columns: int = 200) -> list[str]:
    """What a terminal gets of each command, by both stdout and stderr, if it ends with the code given."""
    environment = {**os.environ, "TERM": "xterm-256color", "NO_COLOR": "", "COLUMNS": str(columns)}
    screen, end = pty.openpty()
    name, shown = os.ttyname(end), []
    for code, arguments in commands:
        child = children.start(folder, *arguments, stdout=name, log=name, environment=environment)
        told = b""
        while screen in select.select([screen, child.sentinel], [], [])[0]:
            told += os.read(screen, 10_000)
        child.join()
        assert child.exitcode == code, told
        shown.append(told.decode())
    os.close(end)
    os.close(screen)
    return shown


def few(values: Iterable[T], *quick: T) -> list[Any]:
    """The parameters of a test, of which these few are tested on each change."""
    return [
        value
        if value in quick
        else pytest.param(*value if isinstance(value, tuple) else [value], marks=pytest.mark.slow)
        for value in values
    ]


def refusal(done: subprocess.CompletedProcess[str], code: int) -> str:
    """The only line of a command that failed with that code and wrote nothing to stdout."""
    assert (done.returncode, done.stdout) == (code, "")
    return one_line(done.stderr)


def done(ended: subprocess.CompletedProcess[str]) -> str:
    """What a command that succeeded wrote to stderr."""
    assert ended.returncode == 0, ended.stderr
    return ended.stderr


def interrupt_after(monkeypatch: pytest.MonkeyPatch, epochs: int, training: str = "tagger") -> None:
    """From now on Ctrl-C comes in each command after so many epochs of the tagger's or the segmenter's training."""
    from rnntag.cli import run_view
    from rnntag.cli.run_view import RunView
    from rnntag.cli.signals import INTERRUPTED, Interruption

    class Interrupted(Interruption):
        def __enter__(self) -> Interruption:
            watched.append(self)
            return super().__enter__()

    watched: list[Interruption] = []
    under_way: list[str] = []
    begin, show = RunView.begin, RunView.step

    def begun(self: RunView, name: str, *rest: Any) -> None:
        under_way[:] = [name]
        begin(self, name, *rest)

    def shown(self: RunView, step: TrainingStep) -> None:
        show(self, step)
        if step.dev:
            under_way.append("epoch")
        if under_way == [training] + epochs * ["epoch"]:
            watched[-1].code = INTERRUPTED

    monkeypatch.setattr(run_view, "Interruption", Interrupted)
    monkeypatch.setattr(RunView, "begin", begun)
    monkeypatch.setattr(RunView, "step", shown)
