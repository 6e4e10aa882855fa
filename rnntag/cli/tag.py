"""`rnntag tag`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from rnntag import conllu, console, prompt
from rnntag.cli.options import INPUT, EncodingOption, ModelOption
from rnntag.compression import plain_name
from rnntag.formats import InputFormat, OutputFormat
from rnntag.schema import DEFAULT_MODEL, UsageError
from rnntag.spacing import is_tokenised
from rnntag.terminal import as_lines
from rnntag.text import ADVICE, DecodingErrors, byte_blocks, check_readable, file_blocks, text_blocks

if TYPE_CHECKING:
    from rnntag.store import StoredModel

_STDIN = Path("-")


def tag(
    text: Annotated[
        list[str] | None,
        typer.Argument(metavar="TEXT", help="Sentences, words parted by spaces.", show_default="standard input"),
    ] = None,
    input_file: Annotated[
        list[Path] | None,
        typer.Option(
            "--input-file",
            "-i",
            rich_help_panel=INPUT,
            help="Read a file, or a compressed one (.gz, .xz, .bz2, .zst); - is standard input. May be repeated.",
        ),
    ] = None,
    model: ModelOption = DEFAULT_MODEL,
    tagset: Annotated[
        str | None, typer.Option(help="One of the model's tagsets.", show_default="its first one")
    ] = None,
    output: Annotated[
        OutputFormat | None,
        typer.Option(
            "--format",
            "-f",
            help="word/TAG, a token a line, CoNLL-U or JSON lines.",
            show_default="slash; conllu for CoNLL-U; tsv for --top",
        ),
    ] = None,
    source: Annotated[
        Literal["auto", InputFormat],
        typer.Option(
            "--input",
            "--from",
            rich_help_panel=INPUT,
            help="tokens: words parted by white space, a sentence a line; raw: running text; auto: conllu for .conllu "
            "files, else tokens where punctuation or short Han words stand apart, else raw.",
        ),
    ] = "auto",
    confidence: Annotated[bool, typer.Option("--confidence", help="Add the probability of each tag.")] = False,
    top: Annotated[
        int | None,
        typer.Option(metavar="K", min=1, help="Add the K likeliest tags and their probabilities.", show_default=False),
    ] = None,
    jobs: Annotated[int, typer.Option(metavar="N", min=1, help="Processes to tag with, for large inputs.")] = 1,
    threads: Annotated[int, typer.Option(metavar="N", min=1, help="Threads of each process.")] = 1,
    encoding: EncodingOption = "utf-8",
    errors: Annotated[
        DecodingErrors,
        typer.Option(rich_help_panel=INPUT, help="What to do with bytes that are not in the encoding."),
    ] = "strict",
) -> None:
    """Tag TEXT, files or standard input.

    One sentence a line out, in order. A model that has a segmenter parts running text into words and
    sentences; where words are parted by white space, a line is a sentence and its words stay as they are.

        rnntag tag "我吃苹果。"

        rnntag tag "我 吃 苹果"

        rnntag tag --format conllu -i text.txt > text.conllu

        cat text.txt | rnntag tag
    """
    if text and input_file:
        raise UsageError("give TEXT or --input-file, not both")
    if sys.stdin is None and not text and not input_file:
        raise UsageError("there is no TEXT, no --input-file and no standard input")
    console.results()
    files = [_STDIN] if not text and not input_file else input_file or []
    for file in files:
        if file != _STDIN:
            check_readable(file)  # before an hour's work on the files before it
    if source == "auto" and files and all(plain_name(file).suffix.lower() in conllu.SUFFIXES for file in files):
        source = "conllu"
    top = top or (1 if confidence else None)
    output = output or ("conllu" if source == "conllu" else "tsv" if top else "slash")
    if top and output == "slash":
        raise UsageError("word/TAG has no place for probabilities: add --format tsv, conllu or jsonl")
    from rnntag import store

    stored = store.read(store.find(model))
    tagset = stored.tagset(tagset)
    if _STDIN in files and sys.stdin.isatty() and console.is_watched():
        what = "text" if stored.segmenter else "a sentence, words parted by spaces,"
        console.note(f"Type {what} and press Enter; end with Ctrl-D.")
    is_typed = _STDIN in files and prompt.is_wanted(encoding)
    if is_typed:
        jobs = 1  # several read ahead in a thread, where Ctrl-C does not reach a line that is being edited
    from rnntag import parallel
    from rnntag.pipeline import Task
    from rnntag.portions import portions

    if not stored.graphs:
        os.environ["OMP_NUM_THREADS"] = str(threads)  # read by torch when it is imported
        console.note(
            f"{stored.name} has no ONNX graphs, so torch does the work: 'rnntag export {model} --out DIR' writes them"
        )
    shown = sys.stdout.isatty()
    coloured = shown and output == "slash"
    inputs: Iterator[tuple[str, Iterable[str]]]
    inputs = (("TEXT", [f"{argument}\n"]) for argument in text) if text else _read(files, encoding, errors, is_typed)
    if source != "conllu" and not text:
        inputs = ((name, _watched(name, blocks)) for name, blocks in inputs)
    if source == "auto":
        first, inputs = _peek(inputs)
        source = _guess(stored, first)
    if source == "raw" and not stored.segmenter:
        raise UsageError(f"the model {stored.name} has no segmenter: part the words by spaces, and take --input tokens")
    if source == "raw" and _STDIN in files and sys.stdin.isatty():
        inputs = ((name, [line]) for name, blocks in inputs for line in blocks)  # each line is a text of its own
    task = Task(stored, tagset, source, output, top, threads, coloured)
    out = sys.stdout.buffer
    for tagged in parallel.tag(task, portions(source, inputs), jobs):
        if shown and not coloured:
            tagged = as_lines(tagged.decode("utf-8", "surrogateescape")).encode()
        out.write(tagged)
        out.flush()


def _peek(inputs: Iterator[tuple[str, Iterable[str]]]) -> tuple[str, Iterator[tuple[str, Iterable[str]]]]:
    """The first text that comes, and the inputs as they were."""
    for name, blocks in inputs:
        rest = iter(blocks)
        first = next(rest, "")
        if first:
            return first, chain([(name, chain([first], rest))], inputs)
    return "", iter(())


def _guess(stored: StoredModel, text: str) -> InputFormat:
    if not stored.segmenter:
        return "tokens"
    source: InputFormat = "tokens" if is_tokenised(text) else "raw"
    if text and console.is_watched():
        taken = "as tokens parted by spaces" if source == "tokens" else "as running text"
        console.note(f"taking the input {taken}; --input tokens or --input raw says otherwise")
    return source


def _read(
    files: list[Path], encoding: str, errors: DecodingErrors, is_typed: bool
) -> Iterator[tuple[str, Iterable[str]]]:
    advice = f"{ADVICE}, or put a sign in its place with --errors replace"
    for file in files:
        name = "<stdin>" if file == _STDIN else str(file)
        if file != _STDIN:
            blocks = file_blocks(file)
        else:
            blocks = prompt.typed_lines() if is_typed else byte_blocks(sys.stdin.fileno(), name)
        yield name, text_blocks(blocks, name, encoding, errors, advice)


def _watched(name: str, blocks: Iterable[str]) -> Iterator[str]:
    """The blocks; a file whose lines end as on the first Macs is told of."""
    rest = iter(blocks)
    first = next(rest, "")
    if "\r" in first.rstrip("\r") and "\n" not in first:
        console.warning(
            f"{name}: has carriage returns, but no line feed: they part words, not lines; `tr '\\r' '\\n'` makes lines"
        )
    yield first
    yield from rest
