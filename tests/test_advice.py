"""The library says what is wrong, the command line which option avoids it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from rnntag.errors import DataError, UsageError
from rnntag.formats.faults import Faults
from rnntag.training import run
from tests.conftest import typed
from tests.test_layers import PACKAGE

WITH_OPTIONS = {"cli", "config.py", "language_card.py", "model_card.py"}
"""What is about options: the command line, their definitions, and the command in a model's card."""

CASES = [
    ("train slash.txt --restart", "slash: no tagged sentence in the dev split: add a corpus, or sentences"),
    ("train under.txt", "under.txt:1: 'a_X' is not word/TAG: use --corpus-format underscore"),
    ("train tab.txt", "tab.txt:1: 'a' is not word/TAG: use --corpus-format tsv"),
    ("train gb.txt", "gb.txt:1: byte 1 of the input is not utf-8: looks like GB18030: use --encoding gb18030"),
    ("tag -i damaged.txt", "damaged.txt:1: byte 3 of the input is not utf-8: set the encoding with --encoding, or "
     "replace such bytes with --errors replace"),
    ("train damaged.txt", "damaged.txt:1: byte 3 of the input is not utf-8: set the encoding with --encoding"),
    ("train slash.txt --char-dim 9 --input onehot", "char_dim has no effect unless input is embedding: leave out "
     "--char-dim"),
    ("train mac_morpho --tagset both", "NLTK has no universal map for the tags of mac_morpho: use --tagset native"),
    ("train slash.txt --out made", "made: already contains a model made on 2024-02-03: choose another --out, or "
     "replace it with --force"),
    ("train slash.txt --out file/x", "{folder}/file/x: {folder}/file cannot be written to: choose another --out"),
    ("history made --out x.gif", "x.gif: a plot is an .svg or a .png file: choose another --out"),
]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with files that are wrong in several ways."""
    monkeypatch.chdir(tmp_path)
    for name, text in {"slash": "a/X b/Y\n", "under": "a_X b_Y\n", "tab": "a\tX\n"}.items():
        Path(f"{name}.txt").write_text(text, encoding="utf-8")
    Path("gb.txt").write_bytes("我们在北京的大学里学习中文，明天下午要去图书馆看书。\n".encode("gb18030"))
    Path("damaged.txt").write_bytes(b"a/\xff b/Y\n")
    Path("made").mkdir()
    Path("made/config.json").write_text('{"provenance": {"created": "2024-02-03"}}', encoding="utf-8")
    Path("file").touch()
    return tmp_path


@pytest.mark.parametrize(("command", "message"), CASES)
def test_an_error_names_the_option(
    command: str, message: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert typed(*command.split()) != 0
    assert capsys.readouterr().err == f"error: {message.format(folder=folder)}\n"


def test_each_of_several_faults_has_its_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("both.txt").write_text("a_X\nb\tY\nc/Z\n", encoding="utf-8")
    assert typed("train", "both.txt") == DataError.exit_code
    assert capsys.readouterr().err.splitlines() == [
        "error: both.txt:1: 'a_X' is not word/TAG: use --corpus-format underscore",
        "error: both.txt:2: 'b' is not word/TAG: use --corpus-format tsv",
        "error: 2 errors in all",
    ]


def test_python_gets_settings_and_no_options(folder: Path) -> None:
    with pytest.raises(UsageError) as error:
        run.train("slash.txt", out="made")
    assert str(error.value) == "made: already contains a model made on 2024-02-03"
    assert [set(remedy) for remedy in error.value.remedies] == [{"out", "force"}]


def test_each_fault_has_its_own_remedy() -> None:
    faults = Faults()
    faults.add(DataError("x:1: wrong", remedy={"encoding": "big5"}))
    faults.add("x:2: wrong")
    with pytest.raises(DataError) as error:
        faults.check()
    assert str(error.value) == "x:1: wrong\nx:2: wrong\n2 errors in all"
    assert error.value.remedies == [{"encoding": "big5"}, {}, {}]


def test_the_library_names_no_option() -> None:
    for path in PACKAGE.rglob("*.py"):
        if not WITH_OPTIONS & {*path.relative_to(PACKAGE).parts}:
            strings = [
                n.value for n in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(n, ast.Constant)
            ]
            assert not [
                text for text in strings if isinstance(text, str) and re.search(r"(?<!\S)['`]?--[a-z]", text)
            ], path
