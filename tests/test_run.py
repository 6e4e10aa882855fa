"""Training from Python: `rnntag.train` and `rnntag.train_segmenter`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

import rnntag
from rnntag.errors import DataError, NotFoundError, UsageError
from rnntag.model import directory
from rnntag.model.learning_curve import Scale, TrainingStep
from rnntag.sentences import Corpus
from rnntag.training import checkpoint
from rnntag.training.callbacks import Callbacks, InterruptedTrainingError

SMALL = {"hidden": 8, "embedding_dim": 8, "char_dim": 4, "char_hidden": 4, "epochs": 2}
ROW = "{}\t{}\t_\t{}\t_\t_\t_\t_\t_\t{}\n"
GOLD = "".join(
    ROW.format(*row) for row in [(1, "I", "PRON", "_"), (2, "eat", "VERB", "SpaceAfter=No"), (3, ".", "PUNCT", "_")]
)


class Record(Callbacks):
    """Records what a run calls, and stops it after some steps."""

    def __init__(self, stop_after: int = 10**9) -> None:
        self.stop_after = stop_after
        self.corpora: list[str] = []
        self.began: list[tuple[str, int]] = []
        self.steps: list[TrainingStep] = []
        self.warnings: list[str] = []

    def loaded(self, corpora: Sequence[Corpus]) -> None:
        self.corpora = [corpus.name for corpus in corpora]

    def begin(self, what: str, scale: Scale, epoch: int) -> None:
        self.began.append((what, epoch))

    def step(self, step: TrainingStep) -> None:
        self.steps.append(step)

    def warn(self, message: str) -> None:
        self.warnings.append(message)

    def should_stop(self) -> bool:
        return len(self.steps) >= self.stop_after


@pytest.fixture
def gold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "gold.conllu"
    path.write_text(f"{GOLD}\n" * 60, encoding="utf-8")
    return path


def test_a_model_is_trained_followed_and_loaded(gold: Path, capfd: pytest.CaptureFixture[str]) -> None:
    record = Record()
    path = rnntag.train(gold, out="m", watch=record, cell="gru", segmenter_hidden=4, segmenter_epochs=1, **SMALL)
    assert path == Path("m")
    assert record.corpora == ["gold"]
    assert record.began == [("tagger", 0), ("segmenter", 0)]
    assert [step.epoch for step in record.steps if step.dev] == [1, 2, 1]
    assert record.warnings == []
    model = directory.read(path)
    assert (model.config.cell, model.training.epochs, model.provenance.specs) == ("gru", 2, (str(gold),))
    assert model.segmenter
    assert len(rnntag.load("m").tag(["I", "eat"])) == 2
    assert capfd.readouterr() == ("", "")  # a library prints nothing


def test_without_out_the_model_is_named_after_its_cell(gold: Path) -> None:
    assert rnntag.train([gold], segmenter=False, cell="rnn", **SMALL) == Path("models/rnn")


def test_a_stopped_run_is_kept_and_continued_to_the_same_end(gold: Path) -> None:
    rnntag.train(gold, out="whole", segmenter=False, **SMALL)
    with pytest.raises(InterruptedTrainingError, match="there is no model yet") as stopped:
        rnntag.train(gold, out="m", segmenter=False, watch=Record(stop_after=1), **SMALL)
    assert stopped.value.out == Path("m")
    with pytest.raises(UsageError, match="unfinished run found"):
        rnntag.train(gold, out="m", segmenter=False, **SMALL)
    with pytest.raises(UsageError, match="has epochs 2, not 3"):
        rnntag.train(out="m", resume=True, epochs=3)
    record = Record()
    rnntag.train(out="m", resume=True, watch=record)
    assert record.began == [("tagger", 1)]
    assert Path("m/model.safetensors").read_bytes() == Path("whole/model.safetensors").read_bytes()
    assert not checkpoint.place(Path("m")).exists()


def test_a_segmenter_is_added_to_a_model_or_to_its_copy(gold: Path) -> None:
    small = {"hidden": 4, "bigrams": 0, "epochs": 1}
    rnntag.train(gold, out="m", segmenter=False, **SMALL)
    assert rnntag.train_segmenter("m", gold, out="copy", **small) == Path("copy")
    assert directory.read(Path("m")).segmenter is None
    assert rnntag.train_segmenter("m", gold, seed=3, **small) == Path("m")
    added = directory.read(Path("m")).segmenter
    assert added
    assert (added.config.hidden, added.config.seed, added.specs) == (4, 3, (str(gold),))
    assert Path("m/model.safetensors").read_bytes() == Path("copy/model.safetensors").read_bytes()
    with pytest.raises(UsageError, match="already has a segmenter"):
        rnntag.train_segmenter("m", gold, **small)


def test_each_kind_of_run_is_continued_as_what_it_is(gold: Path) -> None:
    rnntag.train(gold, out="m", segmenter=False, **SMALL)
    with pytest.raises(InterruptedTrainingError):
        rnntag.train_segmenter("m", gold, hidden=4, bigrams=0, epochs=2, watch=Record(stop_after=1))
    with pytest.raises(UsageError, match="the unfinished run is from 'rnntag train-segmenter'"):
        rnntag.train(out="m", resume=True)
    rnntag.train_segmenter("m", resume=True)
    assert directory.read(Path("m")).segmenter


def test_faults_are_errors_and_leave_nothing(gold: Path) -> None:
    with pytest.raises(TypeError, match="no option 'hiden'"):
        rnntag.train(gold, out="m", hiden=8)
    with pytest.raises(UsageError, match="epochs is 0"):
        rnntag.train(gold, out="m", epochs=0)
    with pytest.raises(UsageError, match="has no effect"):
        rnntag.train(gold, out="m", teacher_forcing=0.5)
    with pytest.raises(NotFoundError, match="no such corpus"):
        rnntag.train("missing.conllu", out="m")
    Path("bad.txt").write_text("word\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"bad\.txt:1"):
        rnntag.train("bad.txt", out="m")
    with pytest.raises(NotFoundError, match="no unfinished run"):
        rnntag.train(out="m", resume=True)
    assert sorted(path.name for path in gold.parent.iterdir()) == ["bad.txt", "gold.conllu"]


def test_a_run_is_not_continued_with_another_choice_of_segmenter(gold: Path) -> None:
    with pytest.raises(InterruptedTrainingError):
        rnntag.train(gold, out="m", watch=Record(stop_after=1), segmenter_hidden=4, segmenter_epochs=1, **SMALL)
    with pytest.raises(UsageError, match="the unfinished run has segmenter True, not False"):
        rnntag.train(out="m", resume=True, segmenter=False)
    rnntag.train(out="m", resume=True, segmenter=True)
    assert directory.read(Path("m")).segmenter
