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

from rnntag.model import directory, learning_curve
from rnntag.model.learning_curve import TrainingStep
from rnntag.model.stored import ModelBundle

PACKAGE = Path(__file__).parent.parent / "rnntag"
LAYERS = [
    {"errors", "python_input", "version", "windows"},
    {"config", "sentences"},
    {"effects", "storage", "terminal"},
    {"formats"},
    {"model"},
    {"corpora"},
    {"onnx"},
    {"lexicon", "network"},
    {"segmenter", "word_cache"},
    {"language_model", "tagger", "word_vectors"},
    {"evaluation"},
    {"training"},
    {"tagging"},
    {"analysis"},
    {"integrations"},
    {"bulk"},
    {"cli"},
    {"__main__"},
]
"""Packages, and modules that lie beside them: each imports only from layers above its own in this list."""
LEVELS = {name: level for level, layer in enumerate(LAYERS) for name in layer}


def package_of(path: Path) -> str:
    """The package that a file belongs to, or the module that it is."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_packages(path: Path) -> set[str]:
    packages = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module == "rnntag":
            names = [f"rnntag.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
        else:
            continue
        packages |= {name.split(".")[1] for name in names if name.startswith("rnntag.")}
    return packages & LEVELS.keys()


@pytest.mark.parametrize("path", [p for p in sorted(PACKAGE.rglob("*.py")) if p != PACKAGE / "__init__.py"], ids=str)
def test_imports_run_down_only(path: Path) -> None:
    own = package_of(path)
    assert own in LEVELS, f"{own} has no layer: give it one"
    assert not {other for other in imported_packages(path) - {own} if LEVELS[other] >= LEVELS[own]}


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=str)
def test_modules_and_functions_are_short(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert len(source.splitlines()) <= 400
    functions = [n for n in ast.walk(ast.parse(source)) if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))]
    assert not {f.name: f.end_lineno - f.lineno + 1 for f in functions if f.end_lineno - f.lineno >= 80}


def loaded_by(code: str) -> set[str]:
    program = f"import sys\n{code}\nprint('MODULES', *sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(done.stdout.rpartition("MODULES")[2].split())


def running(arguments: list[str]) -> str:
    call = f"from rnntag.cli.app import app\ntry:\n    app({arguments!r})\n"
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
        assert not loaded_by(running(arguments)) & {"torch", "nltk", "onnx", "matplotlib", "filelock", "rnntag.lexicon"}


def test_a_learning_curve_is_shown_and_drawn_without_torch(tiny: ModelBundle, tmp_path: Path) -> None:
    step = TrainingStep(1, 1, 1, 1, 1.0, 1.0, 0.0, 1, 1.0, {"a": 0.5}, 0.5)
    directory.write(tmp_path / "m", replace(tiny, history=learning_curve.write([step])), "")
    for out in ([], ["--out", str(tmp_path / "a.svg")] * (find_spec("matplotlib") is not None)):
        loaded = loaded_by(running(["history", str(tmp_path / "m"), *out]))
        assert not loaded & {"torch", "nltk", "onnx", "onnxruntime"}
        assert ("matplotlib" in loaded) == bool(out)


def test_help_does_without_numpy_too() -> None:
    assert "numpy" not in loaded_by("import rnntag.cli.app")


def test_training_loads_torch_only_once_its_corpora_are_there() -> None:
    assert "torch" not in loaded_by(
        "import rnntag\ntry:\n    rnntag.train('missing.conllu')\nexcept rnntag.NotFoundError:\n    pass"
    )


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
