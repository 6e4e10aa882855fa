"""What `rnntag tag` reads: files, folders, standard input and TEXT arguments, each in its format."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rnntag.cli.arguments import check_texts
from rnntag.config import WORLD_MODEL
from rnntag.errors import AccessError, UsageError
from rnntag.formats.decoding import DecodingErrors, OnRead, byte_blocks, check_readable, file_blocks, text_blocks
from rnntag.formats.inputs import Input, guessed, has_bare_carriage_returns, tokens_or_treebank
from rnntag.formats.registry import InputFormat
from rnntag.formats.spacing import STRONG, evidence
from rnntag.tagging.folders import FoundFile, walk
from rnntag.terminal import console, prompt

if TYPE_CHECKING:
    from rnntag.model.language_model import StoredLanguageModel
    from rnntag.model.stored import ModelBundle

    Stored = ModelBundle | StoredLanguageModel

STDIN = FoundFile(Path("-"), Path("-"))
STDIN_NAME = "<stdin>"
ARGUMENT = "TEXT"
"""The name of a TEXT argument."""


def find_files(
    texts: Sequence[str], named: Sequence[Path], recursive: bool, pattern: str | None, output_dir: Path | None
) -> list[FoundFile]:
    """The files to read, with `STDIN` for standard input; none if there are texts.

    Args:
        recursive, pattern: whether to read the files in folders, and which.
        output_dir: a folder to leave out.
    """
    check_texts(texts, recursive=True)
    if texts and named:
        raise UsageError(f"give TEXT or --input-file, not both: {texts[0]!r} is not a file")
    if pattern is not None and not recursive:
        raise UsageError("--glob chooses among the files of a folder: add --recursive")
    if sys.stdin is None and not texts and not named:
        raise UsageError("there is no TEXT, no --input-file and no standard input")
    console.results()
    files: list[FoundFile] = []
    for path in named:
        if path == STDIN.path:
            files.append(STDIN)
        elif recursive and path.is_dir():
            files += walk(path, pattern or "*", output_dir)
        elif path.is_dir():
            raise AccessError(f"{path}: is a directory, not a file", remedy={"recursive": True})
        else:
            check_readable(path)  # now, and not after an hour of work on the files before it
            files.append(FoundFile(path, Path(path.name)))
    return files or [STDIN] * (not texts)


def refusal(stored: ModelBundle, model: str, asked: InputFormat | None) -> str:
    """The message for raw text that the model cannot read.

    Args:
        model: its name, as it was given.

    Raises:
        UsageError: raw text is asked for.
    """
    remedy = f"add one with 'rnntag train-segmenter {shlex.quote(model)} CORPUS…'"
    without = f"the model {stored.name} has no segmenter: {remedy}"
    if asked in ("raw", "lines") and not stored.segmenter:
        raise UsageError(f"{without}, or give tokens with --input-format tokens")
    return f"looks like raw text, but {without}, or use --input-format tokens"


def check_field(field: str | None, formats: Iterable[InputFormat | None]) -> str:
    """The field of JSON lines with the text, or "".

    Raises:
        UsageError: there are no JSON lines.
    """
    if field is not None and "jsonl" not in formats:
        raise UsageError("--text-field is for --input-format jsonl")
    return field or ""


def greet(files: Sequence[FoundFile], stored: Stored, encoding: str) -> tuple[bool, bool]:
    """Whether the user types the input, and whether at a prompt. A hint says what to type."""
    typed = STDIN in files and sys.stdin.isatty()
    if typed and console.is_interactive():
        what = "text" if stored.segmenter else "a sentence, words separated by spaces,"
        console.note(f"Type {what} and press Enter; end with Ctrl-D.")
    return typed, STDIN in files and prompt.is_wanted(encoding)


def inputs(
    stored: Stored,
    formats: Sequence[InputFormat | None],
    texts: Iterable[tuple[str, Iterable[str]]],
    refusal: str,
    typed: bool,
    hints: bool,
    bundled: bool,
) -> Iterator[Input]:
    """The texts with their formats, guessed where they are unknown.

    Args:
        refusal: the message for raw text that the model cannot read.
        typed: whether standard input is a terminal. Then each line is a separate input.
        hints: whether to say what is guessed.
        bundled: whether the model is a bundled one. Unless it is `WORLD_MODEL`, a hint names other languages.
    """
    world_hint = hints and bundled and stored.name != WORLD_MODEL
    last_guess: InputFormat | None = None
    for known, (name, blocks) in zip(formats, texts, strict=True):
        if world_hint and known in (None, "raw", "lines", "tokens"):
            blocks = _with_world_hint(name, blocks)
        if typed and name == STDIN_NAME and known in (None, "raw"):
            yield from _typed(stored, known, name, blocks, refusal)
            continue
        if known in (None, "raw", "lines", "tokens") and name != ARGUMENT:
            blocks = _with_warning(name, blocks)
        if known:
            yield Input(name, known, blocks)
            continue
        guess, blocks = guessed(blocks) if stored.segmenter else tokens_or_treebank(blocks, name, refusal)
        if stored.segmenter and guess != last_guess and hints:
            taken = {"tokens": "as tokens separated by spaces", "raw": "as raw text", "conllu": "as CoNLL-U"}[guess]
            console.note(f"reading {name} {taken}; --input-format overrides")
        last_guess = guess
        yield Input(name, guess, blocks)


def _typed(stored: Stored, known: InputFormat | None, name: str, lines: Iterable[str], refusal: str) -> Iterator[Input]:
    for line in lines:
        for_tokens = evidence(line)
        if not stored.segmenter and for_tokens <= -STRONG:
            console.warning(refusal)
            continue
        yield Input(name, known or ("tokens" if for_tokens > 0 or not stored.segmenter else "raw"), [line])


def read(
    files: Sequence[FoundFile],
    texts: Sequence[str],
    encoding: str,
    errors: DecodingErrors,
    prompted: bool,
    on_read: OnRead,
) -> Iterator[tuple[str, Iterable[str]]]:
    """The name and the text of each TEXT argument and of each file.

    Args:
        prompted: whether standard input is typed at a prompt.
        on_read: see `decoding.file_blocks`.
    """
    for text in texts:
        yield ARGUMENT, [f"{text}\n"]
    for file in files:
        name = STDIN_NAME if file == STDIN else str(file.path)
        if file != STDIN:
            blocks = file_blocks(file.path, on_read)
        else:
            blocks = prompt.typed_lines() if prompted else byte_blocks(sys.stdin.fileno(), name, on_read)
        yield name, text_blocks(blocks, name, encoding, errors)


def _with_world_hint(name: str, blocks: Iterable[str]) -> Iterator[str]:
    """The blocks, with a hint once they are clearly in a language that the model does not know."""
    from rnntag.tagging.languages import LOOKS_AT, other_language  # patterns, of use on terminals alone

    head, language = "", ""
    for block in blocks:
        if not language and len(head) < LOOKS_AT:
            head += block[:LOOKS_AT]
            language = other_language(head)
            if language:
                console.note(f"{name} looks like {language}: try --model {WORLD_MODEL}")
        yield block


def _with_warning(name: str, blocks: Iterable[str]) -> Iterator[str]:
    """The blocks, with a warning if lines end as on the first Macs."""
    has_bare, blocks = has_bare_carriage_returns(blocks)
    if has_bare:
        console.warning(
            f"{name}: lines end in carriage returns only, which are read as spaces, not as line ends; convert them "
            "with `tr '\\r' '\\n'`"
        )
    yield from blocks
