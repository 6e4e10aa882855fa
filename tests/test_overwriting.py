"""Nothing finished is overwritten unasked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

from rnntag.config import ModelConfig, TrainConfig
from rnntag.corpora import loading
from rnntag.model import directory
from rnntag.model.stored import ModelBundle
from rnntag.training import checkpoint, model_card
from rnntag.training.checkpoint import Checkpoint, Settings
from rnntag.training.optimizer import Optimiser
from tests.conftest import BUNDLED, ROOT, Run, done, interrupt_after, refusal

SMALL = ("--hidden", "5", "--embedding-dim", "4", "--char-dim", "4", "--char-hidden", "4", "--epochs", "1")
SETTINGS = Settings(
    ("x.txt",),
    model=ModelConfig(hidden=5, embedding_dim=4, char_dim=4, char_hidden=4),
    training=TrainConfig(epochs=1),
)
TRAIN = ("train", "x.txt", "--out", "m", *SMALL)
REFUSED = "m: already contains a model made on 2024-02-03: choose another --out, or replace it with --force"
INTERRUPTED = "m: unfinished run found: use --resume or --restart"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder that commands run in, with a corpus."""
    (tmp_path / "x.txt").write_text("a/Q b/R\n" * 9, encoding="utf-8")
    return tmp_path


def finished(path: Path, model: ModelBundle) -> None:
    dated = replace(model, provenance=replace(model.provenance, created="2024-02-03"))
    directory.write(path, dated, model_card.write(dated))


def content(path: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in path.iterdir()} if path.exists() else {}


@pytest.mark.parametrize("flags", ["", "--resume", "--restart", "--force", "--resume --force", "--restart --force"])
@pytest.mark.parametrize("there", ["nothing", "a model", "a run", "a model and a run"])
def test_what_train_does_with_what_is_there(
    there: str, flags: str, folder: Path, tiny: ModelBundle, here: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run is gone on with or begun anew if that is asked for, a finished model alone is replaced if it is forced."""
    model = folder / "m"
    if "model" in there:
        finished(model, tiny)
    if "run" in there:
        checkpoint.write(model, Checkpoint(SETTINGS))
    flag, message = {"nothing": ("", ""), "a model": ("--force", REFUSED)}.get(there, ("--re", INTERRUPTED))
    before = content(model)
    loaded: list[object] = []
    load = loading.load
    monkeypatch.setattr(loading, "load", lambda *given, **named: loaded.append(given) or load(*given, **named))
    ended = here(*TRAIN, *flags.split())
    if flag in flags:
        assert "saved m" in done(ended)
        assert directory.read(model).config == SETTINGS.model
        assert sorted(path.name for path in folder.iterdir()) == ["m", "x.txt"]
    else:
        assert refusal(ended, 2) == f"error: {message}"
        assert not loaded
        assert content(model) == before
        assert checkpoint.place(model).exists() == ("run" in there)


def test_a_second_training_as_it_is_typed(run: Run, folder: Path, tiny: ModelBundle) -> None:
    finished(folder / "models" / "lstm", tiny)
    before = content(folder / "models" / "lstm")
    told = refusal(run("train", "x.txt", "--hidden", "7"), 2)
    assert told == f"error: {REFUSED.replace('m:', 'models/lstm:', 1)}"
    assert content(folder / "models" / "lstm") == before
    assert [path.name for path in (folder / "models").iterdir()] == ["lstm"]


@pytest.mark.parametrize("lost", ["config.json", "vocabulary.json", "model.safetensors", "MODEL_CARD.md"])
def test_a_damaged_model_is_not_overwritten_either(lost: str, folder: Path, tiny: ModelBundle, here: Run) -> None:
    model = folder / "m"
    finished(model, tiny)
    (model / lost).unlink()
    for file in model.iterdir():
        os.utime(file, (1_500_000_000, 1_500_000_000))
    day = "2017-07-14" if lost == "config.json" else "2024-02-03"
    assert f"m: already contains a model made on {day}" in refusal(here(*TRAIN), 2)


@pytest.mark.parametrize("created", ["", "yesterday", 7, None, "\x1b[31m"])
def test_a_date_that_is_none_gives_way_to_that_of_the_files(created: object, folder: Path, tiny: ModelBundle) -> None:
    model = folder / "m"
    finished(model, tiny)
    config = json.loads((model / "config.json").read_text())
    config["provenance"]["created"] = created
    (model / "config.json").write_text(json.dumps(config))
    for file in model.iterdir():
        os.utime(file, (1_500_000_000, 1_500_000_000))
    assert directory.day_made(model) == "2017-07-14"


def test_what_is_replaced_by_force_stays_until_the_other_has_ended(
    folder: Path, tiny: ModelBundle, here: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though Ctrl-C keeps the best model so far where there was none."""
    model = folder / "m"
    finished(model, tiny)
    before = content(model)
    with monkeypatch.context() as patch:
        interrupt_after(patch, 1)
        ended = here(*TRAIN[:-1], "3", "--force")
        assert ended.returncode == 130
        assert "interrupted: m is unchanged until the run is finished; continue with: rnntag" in ended.stderr
        assert content(model) == before
        assert here("train", "--resume", "--out", "m").returncode == 130  # what it is to replace it knows still
        assert content(model) == before
    done(here("train", "--resume", "--out", "m"))
    assert directory.read(model).config == SETTINGS.model
    assert not checkpoint.place(model).exists()


def test_the_early_model_of_a_run_gives_way_to_its_last(
    folder: Path, here: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupt_after(monkeypatch, 1)
    ended = here(*TRAIN[:-1], "3")
    assert ended.returncode == 130
    assert "interrupted: the best model so far is saved" in ended.stderr
    assert len(directory.read(folder / "m").history.splitlines()) == 1
    assert here("train", "--resume", "--out", "m").returncode == 130
    assert len(directory.read(folder / "m").history.splitlines()) == 2


def test_a_run_that_explodes_leaves_the_finished_model(
    folder: Path, tiny: ModelBundle, here: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    finished(folder / "m", tiny)
    before = content(folder / "m")
    steps = iter([1.0] * 3)
    monkeypatch.setattr(Optimiser, "step", lambda *given: next(steps, float("nan")))
    assert here(*TRAIN[:-1], "9", "--force").returncode == 1
    assert content(folder / "m") == before


# Segmenters

ROW = "{}\t{}\t_\t{}\t_\t_\t_\t_\t_\t{}\n"
SENTENCE = (
    ROW.format(1, "I", "PRON", "_") + ROW.format(2, "eat", "VERB", "SpaceAfter=No") + ROW.format(3, ".", "PUNCT", "_")
)
ADD = ("train-segmenter", "m", "gold.conllu", *["--hidden", "4", "--bigrams", "0", "--epochs", "1"])


def test_a_segmenter_is_replaced_by_force_alone(
    folder: Path, tiny: ModelBundle, tiny_raw: ModelBundle, here: Run
) -> None:
    def add(*more: str | Path) -> subprocess.CompletedProcess[str]:
        return here(*ADD, *more)

    (folder / "gold.conllu").write_text(f"{SENTENCE}\n" * 30, encoding="utf-8")
    finished(folder / "m", tiny)
    done(add())
    first = content(folder / "m")
    for flags in ((), ("--resume",), ("--restart",), ("--out", "m"), ("--out", folder / "m")):
        told = refusal(add(*flags), 2)
        assert "m: the model made on 2024-02-03 already has a segmenter: choose another --out, or" in told
        assert content(folder / "m") == first
    done(add("--force", "--seed", "2"))
    second = content(folder / "m")
    assert second["segmenter.safetensors"] != first["segmenter.safetensors"]
    assert second["model.safetensors"] == first["model.safetensors"]
    done(add("--out", "n"))  # a copy
    finished(folder / "o", tiny)
    before = content(folder / "o")
    assert REFUSED.replace("m:", "o:", 1) in refusal(add("--out", "o"), 2)  # in the place of another
    assert content(folder / "o") == before
    done(add("--out", "o", "--force"))
    assert directory.read(folder / "o").segmenter


# What comes with rnntag


@pytest.mark.parametrize(
    "arguments",
    [
        ("train-segmenter", "zh-en", "x.conllu"),
        ("train-segmenter", "zh-en", "--force", "x.conllu"),
        ("train", "--out", BUNDLED, "--force", "x.txt"),
        ("train", "--out", BUNDLED / "sub", "x.txt"),
        ("train", "--resume", "--out", BUNDLED),
        ("compare", "x.txt", "--out", BUNDLED, "--force"),
        ("history", "zh-en", "--out", BUNDLED / "a.svg"),
        ("eval", "x.txt", "--html", BUNDLED / "a.html"),
    ],
    ids=lambda arguments: " ".join(map(str, arguments)).replace(str(ROOT), ""),
)
def test_nothing_writes_into_what_comes_with_rnntag(arguments: tuple[str | Path, ...], folder: Path, here: Run) -> None:
    before = sorted(os.listdir(BUNDLED)), sorted(os.listdir(BUNDLED.parent))
    told = refusal(here(*arguments), 2)
    assert f"{BUNDLED}" in told
    assert "is part of rnntag and cannot be overwritten" in told
    assert "--out" in told or "--html" in told
    assert (sorted(os.listdir(BUNDLED)), sorted(os.listdir(BUNDLED.parent))) == before


def test_what_comes_with_rnntag(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    included = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    names = {Path(path).name for path in included["force-include"].values()} - {"data"}
    assert names == {*directory.BUNDLED_MODELS}
    for name in directory.BUNDLED_MODELS:
        assert directory.is_bundled(ROOT / "models" / name)
        assert directory.is_bundled(ROOT / "models" / "x" / ".." / name / "config.json")
        assert not directory.is_bundled(tmp_path / name)
    assert directory.is_bundled(ROOT / "rnntag" / "models" / "whatever")  # installed, the package holds them
    assert not directory.is_bundled(ROOT / "models" / "lstm")  # where `rnntag train` writes in a checkout
    (tmp_path / "link").symlink_to(BUNDLED)
    assert directory.is_bundled(tmp_path / "link")
    monkeypatch.chdir(ROOT)
    assert directory.is_bundled(Path("models/zh-en"))


# Comparisons and pages


@pytest.mark.parametrize("there", ["c/rnn", "c/figures.json", "c/index.html", "c/learning.svg", "c/recall.png"])
def test_a_comparison_is_not_overwritten(
    there: str, folder: Path, tiny: ModelBundle, here: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("matplotlib")
    path = folder / there
    if path.suffix:
        path.parent.mkdir()
        path.write_text("precious", encoding="utf-8")
    else:
        finished(path, tiny)
    monkeypatch.setattr(loading, "load", lambda *given, **named: pytest.fail("corpora were loaded"))
    told = refusal(here("compare", "x.txt", "--cell", "rnn", "--out", "c"), 2)
    what = "already exists" if path.suffix else "already contains a model made on 2024-02-03"
    assert f"{there}: {what}: choose another --out, or replace it with --force" in told
    assert [file.name for file in (folder / "c").iterdir()] == [path.name]


def test_a_page_takes_the_place_of_no_corpus(run: Run, folder: Path, tiny_folder: Path) -> None:
    """As in `rnntag eval --html gold.txt`, where the name of the page was left out."""
    gold = "I/PRON eat/VERB\n"
    (folder / "gold.txt").write_text(gold, encoding="utf-8")
    told = refusal(run("eval", "-m", tiny_folder, "gold.txt", "--html", "gold.txt"), 2)
    assert "gold.txt: exists and is not a web page: choose another --html" in told
    assert (folder / "gold.txt").read_text(encoding="utf-8") == gold
    for _ in range(2):  # a page takes the place of a page
        assert run("eval", "-m", tiny_folder, "gold.txt", "--html", "page.html").returncode == 0
