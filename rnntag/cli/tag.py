"""`rnntag tag`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rnntag import console, formats
from rnntag.cli.options import INPUT, EncodingOption, ModelOption
from rnntag.formats import InputFormat, OutputFormat
from rnntag.schema import DEFAULT_MODEL, AccessError, UsageError
from rnntag.text import ADVICE, DecodingErrors, check_readable, line_blocks, open_for_reading

if TYPE_CHECKING:
    from rnntag.tagger import Tagger

_STDIN = Path("-")


def tag(
    text: Annotated[
        list[str] | None,
        typer.Argument(metavar="TEXT", help="Sentences, words parted by spaces.", show_default="standard input"),
    ] = None,
    input_file: Annotated[
        list[Path] | None,
        typer.Option(
            "--input-file", "-i", rich_help_panel=INPUT, help="Read a file; - is standard input. May be repeated."
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
            show_default="slash; conllu for CoNLL-U",
        ),
    ] = None,
    source: Annotated[
        InputFormat | None,
        typer.Option(
            "--from",
            rich_help_panel=INPUT,
            help="What the input is written in.",
            show_default="conllu for .conllu files, else tokens",
        ),
    ] = None,
    threads: Annotated[int, typer.Option(min=1, help="Threads to compute with.")] = 1,
    encoding: EncodingOption = "utf-8",
    errors: Annotated[
        DecodingErrors,
        typer.Option(rich_help_panel=INPUT, help="What to do with bytes that are not in the encoding."),
    ] = "strict",
) -> None:
    """Tag TEXT, files or standard input.

    One sentence a line in, one line out, in order; words are parted by white space.

        rnntag tag "我 吃 苹果"

        rnntag tag --format conllu -i text.txt > text.conllu

        cat text.txt | rnntag tag
    """
    if text and input_file:
        raise UsageError("give TEXT or --input-file, not both")
    if sys.stdin is None and not text and not input_file:
        raise UsageError("there is no TEXT, no --input-file and no standard input")
    if sys.stdout is None:
        raise AccessError("standard output is closed")
    files = [_STDIN] if not text and not input_file else input_file or []
    for file in files:
        if file != _STDIN:
            check_readable(file)  # before an hour's work on the files before it
    if source is None:
        source = "conllu" if files and all(file.suffix.lower() == ".conllu" for file in files) else "tokens"
    from rnntag import store

    stored = store.read(store.find(model))
    if _STDIN in files and sys.stdin.isatty() and console.is_watched():
        console.note("Type a sentence, words parted by spaces, and press Enter; end with Ctrl-D.")
    from rnntag.tagger import Tagger

    if not stored.graphs:
        console.note(f"{stored.name} has no ONNX graphs, so torch does the work: 'rnntag export {model}' writes them")
    tagger = Tagger(stored, threads=threads)
    tagset = tagger.check_tagset(tagset)
    output = output or ("conllu" if source == "conllu" else "slash")
    emit = _emitter(tagger, tagset, output)
    if text:
        reader = formats.reader(source, "TEXT")
        emit(list(reader.feed(line for argument in text for line in argument.split("\n"))) + list(reader.finish()))
    advice = f"{ADVICE}, or put a sign in its place with --errors replace"
    for file in files:
        name = "<stdin>" if file == _STDIN else str(file)
        reader = formats.reader(source, name)
        descriptor = sys.stdin.fileno() if file == _STDIN else open_for_reading(file)
        for lines in line_blocks(descriptor, name, encoding, errors, advice):
            sentences: list[formats.Untagged] = []
            try:
                sentences.extend(reader.feed(lines))
            finally:
                emit(sentences)  # those before a malformed line too
        emit(list(reader.finish()))
        if file != _STDIN:
            os.close(descriptor)


def _emitter(tagger: Tagger, tagset: str, output: OutputFormat) -> Callable[[list[formats.Untagged]], None]:
    """What tags a block of sentences and writes it to stdout at once."""
    writer = formats.Writer(output, tagset)
    out = sys.stdout.buffer
    terminal = console.stdout() if output == "slash" and sys.stdout.isatty() else None

    def emit(sentences: list[formats.Untagged]) -> None:
        predicted = tagger.predict([sentence.tokens for sentence in sentences], tagset)
        for sentence, tags in zip(sentences, predicted, strict=True):
            if terminal:
                terminal.print(console.coloured(sentence.tokens, tags))
            else:
                out.write(writer.text(sentence, tags).encode("utf-8", "surrogateescape"))
        out.flush()

    return emit
