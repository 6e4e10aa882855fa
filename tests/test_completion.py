"""What the shell is given to complete a command."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import get_args

import pytest

from rnntag.config import CELLS, CorpusFormat
from rnntag.corpora.nltk import CATALOGUE
from rnntag.formats.registry import OUTPUT_FORMATS, InputFormat
from rnntag.model import directory
from rnntag.model.stored import ModelBundle
from tests.conftest import Run
from tests.test_layers import loaded_by
from tests.test_two_tagsets import two as two


def completed(run: Run, *words: str | Path) -> list[str]:
    """What Bash is given for the last of these words, which may have begun."""
    line = " ".join(map(str, ("rnntag", *words)))
    done = run(_RNNTAG_COMPLETE="complete_bash", COMP_WORDS=line, COMP_CWORD=str(len(words)))
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split()


@pytest.mark.parametrize(
    "words",
    [
        ["tag", "--model"], ["tag", "swim", "-m"], ["explain", "-m"], ["eval", "treebank", "--model"],
        ["models"], ["history"], ["export"], ["train-segmenter"],
        ["train", "--init"], ["train-segmenter", "mine", "--init"],
    ],
)  # fmt: skip
def test_models(run: Run, tiny_folder: Path, tmp_path: Path, words: list[str]) -> None:
    bundled = [*directory.available()]
    shutil.copytree(tiny_folder, tmp_path / "models" / "mine")
    assert completed(run, *words, "") == ["mine", *bundled]
    assert completed(run, *words, "m") == ["mine"]
    assert completed(run, *words, "models/m") == []


@pytest.mark.parametrize("words", [["train"], ["train", "--corpus"], ["eval"], ["compare", "treebank"]])
def test_corpora(run: Run, words: list[str]) -> None:
    assert completed(run, *words, "") == ["starter", *CATALOGUE]
    assert completed(run, *words, "sini") == ["sinica_treebank"]
    assert completed(run, *words, "./") == []


@pytest.mark.parametrize("command", ["tag", "explain"])
def test_tagsets_of_the_model(run: Run, tmp_path: Path, two: ModelBundle, tiny_folder: Path, command: str) -> None:
    directory.write(tmp_path / "models" / "both", two, "")
    assert completed(run, command, "--model", "both", "--tagset", "") == ["upos", "native"]
    assert completed(run, command, "--model", "both", "--tagset", "n") == ["native"]
    assert completed(run, command, "-m", tiny_folder, "--tagset", "") == ["upos"]
    assert completed(run, command, "-m", "nobody", "--tagset", "") == []


def test_formats_and_other_choices(run: Run) -> None:
    assert completed(run, "tag", "--format", "") == [*OUTPUT_FORMATS]
    assert completed(run, "tag", "--input-format", "") == ["auto", *get_args(InputFormat)]
    assert completed(run, "eval", "--corpus-format", "") == [*get_args(CorpusFormat)]
    assert completed(run, "train", "--cell", "") == [*CELLS]


@pytest.mark.parametrize("words", ["tag --model", "train", "tag --tagset"])
def test_completion_loads_nothing_heavy(words: str) -> None:
    environment = {
        "_RNNTAG_COMPLETE": "complete_bash",
        "COMP_WORDS": f"rnntag {words} ",
        "COMP_CWORD": f"{words.count(' ') + 2}",
    }
    call = f"import os\nos.environ.update({environment!r})\nfrom rnntag.cli.app import app\n"
    loaded = loaded_by(f"{call}try:\n    app(prog_name='rnntag')\nexcept SystemExit:\n    pass")
    assert "rnntag.cli.completion" in loaded
    assert not loaded & {"torch", "nltk", "onnxruntime", "matplotlib", "spacy"}
    assert not ("numpy" in loaded and words == "train")
