"""A segmenter is trained wherever the corpora say how words stand in text."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from rnntag.config import ModelConfig, SegmenterConfig, TrainConfig
from rnntag.corpora import loading
from rnntag.errors import DataError
from rnntag.model import directory
from rnntag.model.pretokens import PretokenVocabulary
from rnntag.training import checkpoint
from rnntag.training.checkpoint import Checkpoint, Settings
from tests.conftest import Run, interrupt_after, typed
from tests.test_crashes import learned

SMALL = ("--hidden", "8", "--embedding-dim", "8", "--char-dim", "4", "--char-hidden", "4", "--epochs", "2")
SEGMENTER = ("--segmenter-hidden", "4", "--segmenter-bigrams", "0", "--segmenter-epochs", "3")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with corpora that say how words stand in text, and others."""
    monkeypatch.chdir(tmp_path)
    (english,) = (path for path in loading.starter_files() if path.stem == "starter_en")
    spaced = "\n\n".join(english.read_text(encoding="utf-8").split("\n\n")[:30]) + "\n\n"
    Path("spaced.conllu").write_text(spaced, encoding="utf-8")
    bare = re.sub(r"^\d+-\d+\t.*\n", "", spaced.replace("SpaceAfter=No", "_"), flags=re.MULTILINE)
    Path("bare.conllu").write_text(bare, encoding="utf-8")
    Path("only_dev-ud-train.conllu").write_text(bare, encoding="utf-8")
    Path("only_dev-ud-dev.conllu").write_text(spaced, encoding="utf-8")
    Path("slash.txt").write_text("I/PRON eat/VERB ./PUNCT\n" * 20, encoding="utf-8")
    document = {
        "text": "I eat.", "sents": [{"start": 0, "end": 6}],
        "tokens": [
            {"id": 0, "start": 0, "end": 1, "pos": "PRON"},
            {"id": 1, "start": 2, "end": 5, "pos": "VERB"},
            {"id": 2, "start": 5, "end": 6, "pos": "PUNCT"},
        ],
    }  # fmt: skip
    Path("spacy.jsonl").write_text((json.dumps(document) + "\n") * 20, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("specs", "flags", "teaching"),
    [
        (("spaced.conllu",), (), ("spaced",)),
        (("spacy.jsonl",), (), ()),  # all of it is trained on
        (("slash.txt", "spaced.conllu"), (), ("spaced",)),
        (("spaced.conllu", "bare.conllu"), (), ("spaced",)),
        (("spaced.conllu",), ("--segmenter",), ("spaced",)),
        (("slash.txt", "spaced.conllu"), ("--segmenter",), ("spaced",)),
        (("spaced.conllu",), ("--no-segmenter",), None),
        (("slash.txt",), (), None),
        (("bare.conllu",), (), None),
        (("only_dev-ud-*.conllu",), (), None),
    ],
)
def test_the_corpora_decide(
    specs: tuple[str, ...], flags: tuple[str, ...], teaching: tuple[str, ...] | None, folder: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    sizes = SEGMENTER if teaching is not None else ()
    assert typed("train", *specs, *flags, *SMALL, *sizes, "--out", "m") == 0
    model = directory.read(folder / "m")
    *_, saved, last = capsys.readouterr().err.splitlines()
    if teaching is None:
        assert model.segmenter is None
        assert saved.startswith("saved m; next: rnntag tag --model m --input-format tokens ")
        assert last.startswith(
            "m tags tokens only, not raw text; to add a segmenter: rnntag train --add-segmenter m CORPUS"
        )
    else:
        assert model.segmenter
        assert model.segmenter.specs == specs
        assert set(teaching) <= {*model.segmenter.dev} <= {*teaching, "spacy"}
        assert last == "saved m; next: rnntag tag --model m 'I can swim. 我吃苹果。'"
    assert "CORPUS" not in saved


def test_the_starter_corpus_teaches_one_and_its_model_reads_raw_text(run: Run, tmp_path: Path) -> None:
    done = run("train", "starter", *SMALL, *SEGMENTER, "--out", "m")
    assert done.returncode == 0, done.stderr
    assert directory.read(tmp_path / "m").segmenter
    done = run("tag", "-m", "m", "--input-format", "raw", "I eat. 我吃苹果。")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("/") >= 5


def test_one_that_is_asked_for_and_cannot_be_had_is_an_error(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert typed("train", "slash.txt", "bare.conllu", "--segmenter", *SMALL, "--out", "m") == 65
    told = capsys.readouterr().err
    assert "slash, bare: nothing tells which words stand together in the text" in told
    assert told.count("\n") == 1
    assert not (folder / "m").exists()


def test_it_changes_nothing_in_the_tagger(folder: Path) -> None:
    assert typed("train", "spaced.conllu", *SMALL, *SEGMENTER, "--out", "with") == 0
    assert typed("train", "spaced.conllu", *SMALL, "--no-segmenter", "--out", "without") == 0
    both, tagger = learned(folder / "with"), learned(folder / "without")
    assert {**tagger, **both} == both
    assert sorted(both.keys() - tagger.keys()) == sorted(directory.SEGMENTER_FILES)


@pytest.mark.parametrize(("phase", "epochs"), [("tagger", 1), ("segmenter", 1), ("segmenter", 2)])
def test_ctrl_c_in_either_phase_keeps_the_tagger_and_the_run(
    phase: str, epochs: int, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ("train", "spaced.conllu", *SMALL, *SEGMENTER)
    assert typed(*command, "--out", "whole") == 0
    whole = learned(folder / "whole")
    with monkeypatch.context() as patch:
        interrupt_after(patch, epochs, phase)
        capsys.readouterr()
        assert typed(*command, "--out", "m") == 130
    kept = "the best model so far is kept" if phase == "tagger" else "the tagger is kept, the segmenter is not done"
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == f"interrupted: {kept}; go on with: rnntag train --resume --out m"
    early = learned(folder / "m")
    assert early != whole
    assert (directory.read(folder / "m").segmenter is None) == (phase == "tagger")
    if phase == "segmenter":
        assert {name: early[name] for name in early if name not in directory.SEGMENTER_FILES} == {
            name: whole[name] for name in whole if name not in directory.SEGMENTER_FILES
        }
    assert typed("train", "--resume", "--out", "m") == 0
    assert learned(folder / "m") == whole
    assert not checkpoint.place(folder / "m").exists()


def test_a_segmenter_that_is_interrupted_early_leaves_a_tagger_that_says_so(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    interrupt_after(monkeypatch, 0, "segmenter")
    assert typed("train", "spaced.conllu", *SMALL, *SEGMENTER, "--out", "m") == 130
    assert "the tagger is kept, the segmenter is not done" in capsys.readouterr().err
    assert directory.read(folder / "m").segmenter is None


@pytest.mark.parametrize("segmenter", [None, SegmenterConfig(hidden=4, bigrams=0, epochs=1)])
def test_a_run_goes_on_with_what_it_began_with(segmenter: SegmenterConfig | None, folder: Path) -> None:
    """Without a segmenter, too, as an older rnntag began it."""
    settings = Settings(
        ("spaced.conllu",), model=ModelConfig(hidden=8, embedding_dim=8), training=TrainConfig(epochs=1),
        segmenter=segmenter,
    )  # fmt: skip
    checkpoint.write(folder / "m", Checkpoint(settings))
    assert typed("train", "--resume", "--out", "m") == 0
    assert (directory.read(folder / "m").segmenter is None) == (segmenter is None)


def test_the_help_says_what_decides(run: Run) -> None:
    done = run("train", "--help")
    assert "--no-segmenter" in done.stdout
    assert "if the corpora allow it" in " ".join(done.stdout.replace("│", " ").split())


def test_what_is_wrong_with_the_segmenter_is_found_before_the_tagger_is_trained(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def wrong(*given: object, **named: object) -> None:
        raise DataError("mine: no such units")

    monkeypatch.setattr(PretokenVocabulary, "build", wrong)
    assert typed("train", "spaced.conllu", *SMALL, *SEGMENTER, "--out", "m") == 65
    assert capsys.readouterr().err == "error: mine: no such units\n"
    assert not (folder / "m").exists()
