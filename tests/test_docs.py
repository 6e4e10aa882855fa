"""What the documentation shows is what happens.

In `console` blocks commands and their output, in `python` blocks doctests, in `sh` blocks commands that take hours or
data that is not here, of which only the options are checked.
"""

from __future__ import annotations

import doctest
import importlib.util
import inspect
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from rnntag.cli.app import app
from tests.conftest import ROOT

PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("*/README.md"), *ROOT.glob("models/*/*.md")]
}
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^\$ (.*(?:\n> .*|\n>$)*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)
IMPORT = re.compile(r"^>>> (?:import|from) (\w+)", re.MULTILINE)
LINK = re.compile(r"\]\(([^)#:]*)(?:#([^)]*))?\)")
CODE = re.compile(r"^```(?:sh|console)\n(.*?)^```$|`([^`\n]+)`|^ {4,}([^\n]*)$", re.MULTILINE | re.DOTALL)
RUN = re.compile(r"(?:^|[|;&] *|\$ )rnntag ([a-z][\w-]*)([^|;&#>\n]*)", re.MULTILINE)


def blocks(language: str) -> list[Any]:
    """Those of all pages but the translated ones, which show the same."""
    found = [(page, BLOCK.findall(text)) for page, text in sorted(PAGES.items()) if not page.endswith(".zh.md")]
    return [
        pytest.param(text, id=f"{page}-{number}")
        for page, all_blocks in found
        for number, text in enumerate(text for name, text in all_blocks if name == language)
    ]


@pytest.mark.parametrize("block", blocks("console"))
def test_commands_print_what_is_shown(block: str, tmp_path: Path) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    shown = COMMAND.findall(block)
    assert shown
    for command, printed in shown:
        done = subprocess.run(
            ["bash", "-c", re.sub(r"^> ?", "", command, flags=re.MULTILINE)],
            capture_output=True, text=True, cwd=tmp_path, env={**os.environ, "PATH": path},
        )  # fmt: skip
        assert re.fullmatch(re.escape(printed).replace("…", ".*"), done.stdout), f"{command}\n{done.stdout}"
        assert not done.stderr, command


@pytest.mark.parametrize("page", [page for page in sorted(PAGES) if "```python" in PAGES[page]])
def test_python_prints_what_is_shown(page: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    shown = [text for name, text in BLOCK.findall(PAGES[page]) if name == "python"]
    for number, block in enumerate(shown):
        if not all(map(importlib.util.find_spec, IMPORT.findall(block))):
            continue
        test = doctest.DocTestParser().get_doctest(block, names, f"block {number}", page, 0)
        assert test.examples
        printed: list[str] = []
        result = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=printed.append, clear_globs=False)
        assert not result.failed, "".join(printed)
        names = test.globs


@pytest.mark.parametrize("page", sorted(PAGES))
def test_shown_commands_have_the_options(page: str) -> None:
    known = {
        name: {option for one in command.params for option in (*one.opts, *one.secondary_opts)}
        for name, command in typer.main.get_command(app).commands.items()  # type: ignore[attr-defined]
    }
    code = "\n".join(map("".join, CODE.findall(PAGES[page].replace("\\\n", " "))))
    for name, rest in RUN.findall(code):
        used = set(re.findall(r"(?<!\S)--?[a-z][\w-]*", rest))
        assert used <= {*known[name], "--help", "-h"}, (name, rest)


@pytest.mark.parametrize("page", sorted(page for page in PAGES if page.endswith(".zh.md")))
def test_translations_show_the_same(page: str) -> None:
    ours, original = (
        [block for block in BLOCK.findall(PAGES[name]) if block[0] != "sh"] for name in (page, page.replace(".zh", ""))
    )
    assert ours == original


def anchors(text: str) -> set[str]:
    """Those that GitHub gives the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", sorted(PAGES))
def test_links_lead_somewhere(page: str) -> None:
    folder = (ROOT / page).parent
    for target, anchor in LINK.findall(PAGES[page]):
        path = (folder / target).resolve() if target else ROOT / page
        assert path.exists(), target
        assert not anchor or anchor in anchors(path.read_text(encoding="utf-8")), f"{target}#{anchor}"


def test_the_reference_of_the_command_line_is_that_of_the_commands() -> None:
    made = runpy.run_path(str(ROOT / "docs" / "generate_cli.py"))["render"]()
    if "`TEXT...`: \n" in made:
        pytest.skip("this Typer loses the help of arguments beside this Click")
    assert PAGES["docs/cli.md"] == made, "run python docs/generate_cli.py"


def test_the_readme_is_short() -> None:
    assert len(PAGES["README.md"].splitlines()) <= 130


def test_tagging_needs_the_versions_that_the_package_declares() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    declared = project.partition("dependencies = [")[2].partition("\n]")[0]
    needed = (ROOT / "requirements-tagging.txt").read_text(encoding="utf-8").splitlines()
    of_training = ("torch", "nltk", "filelock")
    assert {line for line in re.findall('"(.*?)"', declared) if not line.startswith(of_training)} == {
        line for line in needed if line and line[0] != "#"
    }


def test_examples_in_the_help_are_blocks() -> None:
    program: Any = typer.main.get_command(app)
    for command in (program, *program.commands.values()):
        rest = inspect.cleandoc(command.help).partition("\n\n")[2]  # as Typer does
        assert "\n    rnntag " in inspect.cleandoc(rest), command.name
