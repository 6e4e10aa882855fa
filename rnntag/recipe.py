"""Recipes: commands that make a model from start to end, each done once.

A recipe is TOML:

    [variables]
    seed = "1"

    [[stages]]
    makes = "work/tagged.jsonl"
    run = ["rnntag", "tag", "--model", "large", "--format", "jsonl", "--top", "5"]
    input = "work/text.txt"
    output = true

    [[stages]]
    makes = "models/small-{seed}"
    run = ["rnntag", "train", "gold.conllu", "work/tagged.jsonl", "--seed", "{seed}", "--out", "{makes}"]

A stage whose product is there is not run again; a `rnntag train` that was broken off goes on. Its command is
run without a shell, with `input` as its standard input; with `output` what it prints becomes the product, once
it has ended well. `{seed}` stands for a variable, in any string.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from string import Formatter
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

from rnntag.errors import AccessError, DataError, NotFoundError, RnntagError, UsageError
from rnntag.storage import atomic

_PROGRAMS = {"python": [sys.executable], "rnntag": [sys.executable, "-m", "rnntag"]}
_BROKEN_OFF = {code: 128 + n for n in (signal.SIGINT, signal.SIGTERM) for code in (-n, 128 + n)}
"""Exit codes of what a signal has ended, and what they are in a shell."""
_KEYS = {"makes", "run", "input", "output"}


@dataclass(frozen=True, slots=True)
class Stage:
    """A command and what it makes; see the module."""

    makes: Path
    command: tuple[str, ...]
    input: Path | None = None
    output: bool = False

    def run(self) -> int:
        """Run the command. The exit code that is due where a signal has ended it, or 0.

        Raises:
            RnntagError: it fails, or does not make what it should.
            AccessError: its input cannot be read or its output not written.
        """
        program, *arguments = self.command
        command = [*_PROGRAMS.get(program, [program]), *arguments]
        fresh = atomic.sibling(self.makes, "new")
        try:
            self.makes.parent.mkdir(parents=True, exist_ok=True)
            with ExitStack() as files:
                source = files.enter_context(self.input.open("rb")) if self.input else subprocess.DEVNULL
                target = files.enter_context(fresh.open("wb")) if self.output else None
                code = _exit_code(command, source, target)
            if self.output and code == 0:
                fresh.rename(self.makes)
        except OSError as error:
            raise AccessError(f"{error.filename or self.makes}: {error.strerror}") from error
        finally:
            fresh.unlink(missing_ok=True)
        if code in _BROKEN_OFF:
            return _BROKEN_OFF[code]
        if code:
            raise RnntagError(f"the stage that makes {self.makes} failed with exit code {code}")
        if not self.makes.exists():
            raise RnntagError(f"the stage that makes {self.makes} has ended, but there is no {self.makes}")
        return 0


def _exit_code(command: Sequence[str], source: Any, target: Any) -> int:
    """That of a command. SIGTERM is handed on to it, and waited for; Ctrl-C reaches it anyway."""
    process: list[subprocess.Popen[bytes]] = []

    def hand_on(number: int, frame: object) -> None:
        for one in process:
            if number == signal.SIGTERM:
                one.send_signal(number)

    before = {number: signal.signal(number, hand_on) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        process.append(subprocess.Popen(command, stdin=source, stdout=target))
        return process[0].wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def read(path: Path, variables: Mapping[str, str]) -> list[Stage]:
    """The stages of a recipe, in order.

    Args:
        variables: values that take the place of the recipe's own.

    Raises:
        NotFoundError: there is no such file.
        DataError: it is no recipe.
        UsageError: the recipe has no variable of a name.
    """
    try:
        recipe = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise NotFoundError(f"{path}: no such recipe") from error
    except OSError as error:
        raise AccessError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: is no TOML: {error}") from error
    given, stages = recipe.get("variables", {}), recipe.get("stages", [])
    if not isinstance(given, dict):
        raise DataError(f"{path}: variables is no table")
    if not isinstance(stages, list) or not all(isinstance(stage, dict) for stage in stages):
        raise DataError(f"{path}: stages is no array of tables")
    known = {name: str(value) for name, value in given.items()}
    for name in variables:
        if name not in known:
            raise UsageError(f"{path} has no variable {name}: it has {', '.join(known) or 'none'}")
    if not stages:
        raise DataError(f"{path}: has no stages")
    return [_stage(f"{path}: stage {number}", stage, {**known, **variables}) for number, stage in enumerate(stages, 1)]


def _stage(where: str, stage: Mapping[str, Any], variables: Mapping[str, str]) -> Stage:
    try:
        if odd := stage.keys() - _KEYS:
            raise DataError(f"{where}: has {', '.join(sorted(odd))}, but a stage has only {', '.join(sorted(_KEYS))}")
        makes = _filled(stage["makes"], variables)
        named = {**variables, "makes": makes}
        command = tuple(_filled(word, named) for word in stage["run"])
        source = Path(_filled(stage["input"], named)) if "input" in stage else None
    except KeyError as error:
        raise DataError(f"{where}: there is no {error.args[0]}") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise DataError(f"{where}: {error}") from error
    if not command:
        raise DataError(f"{where}: runs nothing")
    return Stage(Path(makes), command, source, bool(stage.get("output", False)))


def _filled(template: object, variables: Mapping[str, str]) -> str:
    """With the variables that it names, and nothing else that Python's templates can do."""
    text = str(template)
    for _, name, form, conversion in Formatter().parse(text):
        if form or conversion or not {".", "["}.isdisjoint(name or ""):
            raise ValueError(f"{name} in {text!r} is more than a variable's name")
    return text.format_map(variables)
