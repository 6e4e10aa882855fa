"""What the documentation shows is what happens."""

from __future__ import annotations

import doctest
import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT

DOCS = ROOT / "docs"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
IMPORT = re.compile(r"^>>> (?:import|from) (\w+)", re.MULTILINE)
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")


def blocks(page: str, language: str) -> list[str]:
    return [text for name, text in BLOCK.findall((DOCS / page).read_text(encoding="utf-8")) if name == language]


def commands(block: str) -> list[tuple[str, str]]:
    """Each command and what it prints."""
    _, *found = re.split(r"^\$ ", block, flags=re.MULTILINE)
    return [(command, printed) for command, _, printed in (one.partition("\n") for one in found)]


@pytest.mark.parametrize("block", blocks("shell.md", "console"))
def test_commands_print_what_is_shown(block: str, tmp_path: Path) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for command, printed in commands(block):
        done = subprocess.run(
            ["bash", "-c", command], capture_output=True, text=True, cwd=tmp_path, env={**os.environ, "PATH": path}
        )
        assert (done.stdout, done.stderr) == (printed, ""), command


def test_python_prints_what_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
    names: dict[str, Any] = {}
    ran = 0
    for number, block in enumerate(blocks("python.md", "python")):
        if not all(map(importlib.util.find_spec, IMPORT.findall(block))):
            continue
        test = doctest.DocTestParser().get_doctest(block, names, f"block {number}", "python.md", 0)
        told: list[str] = []
        result = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=told.append, clear_globs=False)
        assert not result.failed, "".join(told)
        names = test.globs
        ran += 1
    assert ran >= 6


@pytest.mark.parametrize("page", [ROOT / "README.md", *sorted(DOCS.glob("*.md"))], ids=lambda path: path.name)
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert [target for target in LINK.findall(text) if not (page.parent / target).exists()] == []
