"""Arguments: text, and names of files where text is expected."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from typer.core import TyperCommand

from rnntag.errors import NotFoundError, UsageError
from rnntag.formats.compression import plain_name
from rnntag.formats.registry import CONLLU_SUFFIXES

STDIN = "-"
_FILE_OPTIONS = ("-i", "--input-file")
_TEXT_SUFFIXES = (".txt", *CONLLU_SUFFIXES, ".tsv", ".jsonl")
_MOST_NAMED = 3


class FilesCommand(TyperCommand):
    """Takes all file names after `-i`, so that the shell may expand `-i *.txt`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """The remaining arguments; see Click."""
        return super().parse_args(ctx, _with_an_option_each(args))


def _with_an_option_each(arguments: Sequence[str]) -> list[str]:
    expanded: list[str] = []
    waiting = iter(arguments)
    after_file = False
    for argument in waiting:
        if argument == "--":
            return [*expanded, argument, *waiting]
        if after_file and (argument == STDIN or (argument[:1] != "-" and os.path.exists(argument))):
            expanded += ["-i", argument]
            continue
        expanded.append(argument)
        after_file = argument.startswith(("--input-file=", "-i"))
        if argument in _FILE_OPTIONS:
            expanded += (value for value in [next(waiting, None)] if value is not None)
            after_file = True
    return expanded


def check_texts(texts: Sequence[str], *, recursive: bool = False) -> None:
    """Make sure that texts are not names of files.

    Args:
        texts: arguments of the command line.
        recursive: whether the command can read the files in a directory.

    Raises:
        UsageError: some are files, paths of directories, or `-`.
        NotFoundError: one looks like the name of a text file that does not exist.
    """
    files = [text for text in texts if text == STDIN or (os.path.exists(text) and not os.path.isdir(text))]
    if files:
        names = shlex.join(files[:_MOST_NAMED]) + (" …" if len(files) > _MOST_NAMED else "")
        what, them = "is standard input" if files[0] == STDIN else "is a file", "it"
        if len(files) > 1:
            what, them = f"and {len(files) - 1} more are files", "them"
        raise UsageError(f"{files[0]} {what}, not text: to tag {them}, run 'rnntag tag -i {names}'")
    for text in texts:
        if os.sep in text and os.path.isdir(text):
            advice = f": to tag its files, run 'rnntag tag -i {shlex.quote(text)} --recursive'" if recursive else ""
            raise UsageError(f"{text} is a directory, not text{advice}")
        if _is_named_like_a_file(text):
            raise NotFoundError(f"{text}: no such file; to tag the name itself, pipe it to standard input")


def _is_named_like_a_file(text: str) -> bool:
    suffix = plain_name(Path(text.lower())).suffix
    return suffix in _TEXT_SUFFIXES and "://" not in text and not any(map(str.isspace, text))
