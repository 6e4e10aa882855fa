"""The Makefile of the bundled language model."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import typer

from rnntag.cli.app import app
from tests.conftest import ROOT

pytestmark = pytest.mark.skipif(not shutil.which("make"), reason="needs make")

ENGLISH = ("social", "sentences")
CHINESE = (
    "prose_simplified", "technical_simplified", "wikipedia_simplified", "wikipedia_traditional", "science_simplified",
    "other_traditional",
)  # fmt: skip


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A folder with everything that the recipe reads."""
    for folder in ("ud", "clean", "text", "made"):
        (tmp_path / folder).mkdir()
    dev = [f"ud/{name}-ud-dev.conllu" for name in ("en_ewt", "en_gum", "zh_gsdsimp")]
    train = [f"clean/{name}-ud-train.conllu" for name in ("en_ewt", "en_gum", "en_more")]
    text = [f"text/{part}.txt.xz" for part in (*map("en_{}".format, ENGLISH), *map("zh_{}".format, CHINESE))]
    for name in (*dev, *train, *text):
        (tmp_path / name).touch()
    return tmp_path


def make(work: Path, *arguments: str) -> str:
    folders = (f"UD={work}/ud", f"CLEAN={work}/clean", f"TEXT={work}/text", f"WORK={work}/made")
    done = subprocess.run(
        ["make", "-f", "recipes/lm/Makefile", *folders, "SEED=7", *arguments], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.replace("\\\n", " ")


def test_stages_come_in_order(work: Path) -> None:
    lines = [*map(shlex.split, make(work, "-n").splitlines())]
    texts = [line[: line.index(">")] for line in lines if "recipes.unlabelled" in line]
    assert [[Path(word).name for word in line[-2:]] for line in texts] == [
        ["en_social.txt.xz", "en_sentences.txt.xz"], ["zh_other_traditional.txt.xz", "--everyday"],
    ]  # fmt: skip
    *_, training = lines
    group = typer.main.get_command(app)
    verb, *arguments = training[training.index("rnntag") + 1 :]
    assert verb == "pretrain"
    assert [Path(argument).name for argument in arguments[:3]] == ["en-train.txt", "zh-train.txt", "en-train.txt"]
    given = group.commands[verb].make_context(verb, arguments, parent=typer.Context(group)).params
    assert (given["seed"], given["out"]) == (7, f"{work}/made/models/lm-zh-en")


def test_a_fiftieth_of_the_text_is_held_out(work: Path) -> None:
    for name in ("en", "zh"):
        (work / "made" / f"{name}.txt").write_text("".join(f"{number}\n" for number in range(2500)), encoding="utf-8")
    parts = {f"{name}-{split}.txt" for name in ("en", "zh") for split in ("dev", "train")}
    make(work, *(f"{work}/made/{part}" for part in parts))
    found = {part: (work / "made" / part).read_text(encoding="utf-8") for part in parts}
    dev = [*map(str, range(980, 1000)), *map(str, range(1980, 2000))]
    assert found["en-dev.txt"].split("\n")[:-1] == dev
    assert found["zh-dev.txt"].split("\n\n")[:-1] == dev  # paragraphs
    assert sorted(map(int, (found["en-dev.txt"] + found["en-train.txt"]).split())) == [*range(2500)]
    assert found["zh-train.txt"] == found["en-train.txt"].replace("\n", "\n\n")
