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
from rnntag.model.files import SEGMENTER_FILES
from rnntag.model.pretokens import PretokenVocabulary
from rnntag.training import checkpoint
from rnntag.training.checkpoint import Checkpoint, Settings
from tests.conftest import Run, done, few, interrupt_after, refusal
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
    specs: tuple[str, ...], flags: tuple[str, ...], teaching: tuple[str, ...] | None, folder: Path, here: Run
) -> None:
    sizes = SEGMENTER if teaching is not None else ()
    *_, saved, last = done(here("train", *specs, *flags, *SMALL, *sizes, "--out", "m")).splitlines()
    model = directory.read(folder / "m")
    if teaching is None:
        assert model.segmenter is None
        assert saved.startswith("saved m; next: rnntag tag --model m --input-format tokens ")
        assert last.startswith("m tags tokens only, not raw text; to add a segmenter: rnntag train-segmenter m CORPUS")
    else:
        assert model.segmenter
        assert model.segmenter.specs == specs
        assert set(teaching) <= {*model.segmenter.dev} <= {*teaching, "spacy"}
        assert last == "saved m; next: rnntag tag --model m 'I can swim. 我吃苹果。'"
    assert "CORPUS" not in saved


def test_the_starter_corpus_teaches_one_and_its_model_reads_raw_text(run: Run, tmp_path: Path) -> None:
    done(run("train", "starter", *SMALL, *SEGMENTER, "--epochs", "1", "--segmenter-epochs", "1", "--out", "m"))
    assert directory.read(tmp_path / "m").segmenter
    tagged = run("tag", "-m", "m", "--input-format", "raw", "I eat. 我吃苹果。")
    assert done(tagged) == ""
    assert tagged.stdout.count("/") >= 5


def test_one_that_is_asked_for_and_cannot_be_had_is_an_error(folder: Path, here: Run) -> None:
    told = refusal(here("train", "slash.txt", "bare.conllu", "--segmenter", *SMALL, "--out", "m"), 65)
    assert "slash, bare: does not say where words are joined" in told
    assert not (folder / "m").exists()


def test_it_changes_nothing_in_the_tagger(folder: Path, here: Run) -> None:
    done(here("train", "spaced.conllu", *SMALL, *SEGMENTER, "--out", "with"))
    done(here("train", "spaced.conllu", *SMALL, "--no-segmenter", "--out", "without"))
    both, tagger = learned(folder / "with"), learned(folder / "without")
    assert {**tagger, **both} == both
    assert sorted(both.keys() - tagger.keys()) == sorted(SEGMENTER_FILES)


@pytest.mark.parametrize(
    ("phase", "epochs"),
    few([("tagger", 1), ("segmenter", 0), ("segmenter", 1), ("segmenter", 2)], ("tagger", 1), ("segmenter", 0)),
)
def test_ctrl_c_in_either_phase_keeps_the_tagger_and_the_run(
    phase: str, epochs: int, folder: Path, here: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ("train", "spaced.conllu", *SMALL, *SEGMENTER)
    done(here(*command, "--out", "whole"))
    whole = learned(folder / "whole")
    with monkeypatch.context() as patch:
        interrupt_after(patch, epochs, phase)
        ended = here(*command, "--out", "m")
    assert ended.returncode == 130
    kept = "the best model so far is saved" if phase == "tagger" else "the tagger is saved, the segmenter is not"
    last = ended.stderr.splitlines()[-1]
    assert last == f"interrupted: {kept}; continue with: rnntag train --resume --out m"
    early = learned(folder / "m")
    assert early != whole
    assert (directory.read(folder / "m").segmenter is None) == (phase == "tagger" or not epochs)
    if epochs and phase == "segmenter":
        assert {name: early[name] for name in early if name not in SEGMENTER_FILES} == {
            name: whole[name] for name in whole if name not in SEGMENTER_FILES
        }
    done(here("train", "--resume", "--out", "m"))
    assert learned(folder / "m") == whole
    assert not checkpoint.place(folder / "m").exists()


@pytest.mark.parametrize("segmenter", [None, SegmenterConfig(hidden=4, bigrams=0, epochs=1)])
def test_a_run_goes_on_with_what_it_began_with(segmenter: SegmenterConfig | None, folder: Path, here: Run) -> None:
    """Without a segmenter, too, as an older rnntag began it."""
    settings = Settings(
        ("spaced.conllu",), model=ModelConfig(hidden=8, embedding_dim=8), training=TrainConfig(epochs=1),
        segmenter=segmenter,
    )  # fmt: skip
    checkpoint.write(folder / "m", Checkpoint(settings))
    done(here("train", "--resume", "--out", "m"))
    assert (directory.read(folder / "m").segmenter is None) == (segmenter is None)


def test_the_help_says_what_decides(run: Run) -> None:
    done = run("train", "--help")
    assert "--no-segmenter" in done.stdout
    assert "if the corpora allow it" in " ".join(done.stdout.replace("│", " ").split())


def test_what_is_wrong_with_the_segmenter_is_found_before_the_tagger_is_trained(
    folder: Path, here: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(*given: object, **named: object) -> None:
        raise DataError("mine: no such units")

    monkeypatch.setattr(PretokenVocabulary, "build", wrong)
    ended = here("train", "spaced.conllu", *SMALL, *SEGMENTER, "--out", "m")
    assert refusal(ended, 65) == "error: mine: no such units"
    assert not (folder / "m").exists()
