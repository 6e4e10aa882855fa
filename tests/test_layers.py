"""Imports run one way, and what is heavy is imported only where it is needed."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest

from rnntag import history, store
from rnntag.schema import Step
from rnntag.store import StoredModel

PACKAGE = Path(__file__).parent.parent / "rnntag"
LEVELS = {
    "arguments": 0, "schema": 0, "strict_json": 0,
    "compression": 1, "conllu": 1, "durable": 1, "effects": 1, "encoding_guess": 1, "folding": 1, "history": 1,
    "integrity": 1, "onnx_file": 1, "prompt": 1, "running_text": 1, "significance": 1, "spacing": 1,
    "tensorboard_log": 1, "terminal": 1, "units": 1,
    "variants": 1, "vocabulary": 1, "weight_shapes": 1, "windows": 1,
    "cells": 2, "checkpoint": 2, "evaluation": 2, "onnx_layers": 2, "recipe": 2, "segmentation": 2,
    "store": 2, "text": 2,
    "bptt": 3, "card": 3, "claim": 3, "corpora": 3, "formats": 3, "onnx_graph": 3, "optimisation": 3, "vectors": 3,
    "inputs": 4, "network": 4, "onnx_export": 4, "paragraphs": 4, "runtime": 4,
    "segmenter": 5,
    "memory": 5, "portions": 5, "training": 5,
    "segmenter_training": 6, "tagger": 6,
    "calibration": 7, "explanation": 7, "measurement": 7, "nltk_tagger": 7, "spacy_component": 7,
    "comparison": 8, "report_tables": 8,
    "console": 9, "pictures": 9, "report_page": 9,
    "page": 10, "pipeline": 10, "progress": 10,
    "parallel": 11,
    "cli": 12,
    "__main__": 13,
}  # fmt: skip


def room(path: Path) -> str:
    """The module that a file belongs to: itself, or the folder that it lies in."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_rooms(path: Path) -> set[str]:
    rooms = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        rooms |= {name.split(".")[1] for name in names if name.startswith("rnntag.")}
    return rooms & LEVELS.keys()


@pytest.mark.parametrize("path", [p for p in sorted(PACKAGE.rglob("*.py")) if p != PACKAGE / "__init__.py"], ids=str)
def test_a_module_imports_only_from_lower_levels(path: Path) -> None:
    own = room(path)
    assert own in LEVELS, f"{path.name} has no level: give it one"
    too_high = {other for other in imported_rooms(path) if other != own and LEVELS[other] >= LEVELS[own]}
    assert not too_high


def loaded_by(code: str) -> set[str]:
    program = f"import sys\n{code}\nprint('MODULES', *sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(done.stdout.rpartition("MODULES")[2].split())


def running(arguments: list[str]) -> str:
    call = f"from rnntag.cli import app\ntry:\n    app({arguments!r})\n"
    return f"{call}except SystemExit as end:\n    assert not end.code"


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["train", "--help"],
        ["compare", "--help"],
        ["explain", "--help"],
        ["tag", "--help"],
        ["models"],
        ["corpora"],
        ["history", "--help"],
    ],
    ids=" ".join,
)
def test_help_and_models_load_neither_torch_nor_nltk(arguments: list[str]) -> None:
    assert not loaded_by(running(arguments)) & {"torch", "nltk", "onnxruntime", "matplotlib"}


def test_tagging_and_evaluation_load_neither_torch_nor_nltk(tiny_folder: Path, tmp_path: Path) -> None:
    gold = tmp_path / "gold.conllu"
    gold.write_text("1\tI\t_\tPRON" + "\t_" * 6 + "\n", encoding="utf-8")
    page = ["--html", str(tmp_path / "page.html")]
    for command, *rest in (["tag", "I eat"], ["explain", "I eat"], ["eval", str(gold), *page]):
        arguments = [command, "-m", str(tiny_folder), *rest]
        assert not loaded_by(running(arguments)) & {"torch", "nltk", "onnx", "matplotlib"}


def test_a_learning_curve_is_shown_and_drawn_without_torch(tiny: StoredModel, tmp_path: Path) -> None:
    step = Step(1, 1, 1, 1, 1.0, 1.0, 0.0, 1, 1.0, {"a": 0.5}, 0.5)
    store.write(tmp_path / "m", replace(tiny, history=history.write([step])), "")
    for out in ([], ["--out", str(tmp_path / "a.svg")] * (find_spec("matplotlib") is not None)):
        loaded = loaded_by(running(["history", str(tmp_path / "m"), *out]))
        assert not loaded & {"torch", "nltk", "onnx", "onnxruntime"}
        assert ("matplotlib" in loaded) == bool(out)


def test_help_does_without_numpy_too() -> None:
    assert "numpy" not in loaded_by("import rnntag.cli")


def test_importing_the_package_costs_nothing() -> None:
    assert not loaded_by("import rnntag") & {"torch", "nltk", "numpy", "rich", "typer"}


def test_tagging_leaves_nothing_behind_and_calls_nobody(tiny_folder: Path, tmp_path: Path) -> None:
    """ONNX Runtime, left to itself, keeps a database of what it did in the user's folder, to send it home."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}  # no sign of CI, which would stop it too
    done = subprocess.run(
        [sys.executable, "-m", "rnntag", "tag", "-m", str(tiny_folder), "I eat"],
        env=environment, cwd=PACKAGE.parent, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "I/PRON eat/VERB\n"
    assert list(tmp_path.rglob("*")) == []
