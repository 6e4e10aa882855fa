"""`rnntag tag`."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Annotated, Literal

import typer

from rnntag.cli import completion, signals, tag_inputs, tag_outputs
from rnntag.cli.options import INPUT, EncodingOption, Fp32Option, LexiconModeOption, LexiconOption, ModelOption
from rnntag.cli.tag_inputs import STDIN
from rnntag.cli.tag_progress import Watch
from rnntag.config import DEFAULT_MODEL
from rnntag.formats import registry
from rnntag.formats.decoding import DecodingErrors, check_encoding
from rnntag.formats.registry import InputFormat, OutputFormat
from rnntag.terminal import console

OUTPUT = "Output"

_TextArgument = Annotated[
    list[str] | None,
    typer.Argument(metavar="TEXT...", help="Sentences, words separated by spaces.", show_default="standard input"),
]
_InputFileOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--input-file",
        "-i",
        rich_help_panel=INPUT,
        help="Read a file, or several: -i *.txt. May be compressed (.gz, .xz, .bz2, .zst). - is standard input.",
    ),
]
_OutputOption = Annotated[
    OutputFormat | None,
    typer.Option(
        "--format",
        "-f",
        rich_help_panel=OUTPUT,
        help="slash: word/TAG; tsv: one token per line; conllu; jsonl: JSON lines; vertical: for CWB, CQPweb and "
        "Sketch Engine.",
        show_default="slash; that of the input for conllu, vertical and jsonl; tsv with --top, --columns, --header or "
        "several tagsets",
    ),
]
_OutputFileOption = Annotated[
    Path | None,
    typer.Option(
        "--output-file",
        "-o",
        rich_help_panel=OUTPUT,
        help="Write to a file. It appears when it is complete.",
        show_default="standard output",
    ),
]
_OutputDirOption = Annotated[
    Path | None,
    typer.Option(
        rich_help_panel=OUTPUT,
        help="Write a file for each input file, with the same name and the suffix of the format: .tagged (word/TAG), "
        ".tsv, .conllu, .jsonl or .vert. Files whose output already exists are skipped.",
        show_default=False,
    ),
]
_ForceOption = Annotated[
    bool,
    typer.Option("--force", rich_help_panel=OUTPUT, help="Replace what exists at --output-file or in --output-dir."),
]
_ColumnsOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAMES",
        rich_help_panel=OUTPUT,
        help="Columns of tsv and vertical, separated by commas: form, start and end (in raw text), source, confidence, "
        "and names of tagsets, such as upos; also upos_confidence, upos_2, upos_2_confidence …",
        show_default="form and the tags",
    ),
]
_HeaderOption = Annotated[bool, typer.Option("--header", rich_help_panel=OUTPUT, help="Begin TSV with a header row.")]
_OnlyOption = Annotated[
    str | None,
    typer.Option(
        metavar="TAGS",
        rich_help_panel=OUTPUT,
        help="Write only words with these tags, separated by commas: NOUN,PROPN.",
        show_default=False,
    ),
]
_ExpandOption = Annotated[
    bool,
    typer.Option(
        "--expand",
        rich_help_panel=OUTPUT,
        help="Write multiword tokens of raw text as words (de/ADP le/DET), not as tokens (du/ADP+DET), in slash, tsv "
        "and vertical.",
    ),
]
_RecursiveOption = Annotated[
    bool,
    typer.Option(
        "--recursive",
        "-r",
        rich_help_panel=INPUT,
        help="Read the files in folders given with -i, including subfolders.",
    ),
]
_GlobOption = Annotated[
    str | None,
    typer.Option(
        metavar="PATTERN",
        rich_help_panel=INPUT,
        help="With --recursive: only files whose names match PATTERN, such as '*.txt'.",
        show_default=False,
    ),
]
_TextFieldOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        rich_help_panel=INPUT,
        help="The field of jsonl with the text, or with the tokens.",
        show_default="tokens, or else text",
    ),
]
_TagsetOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="TAGSET",
        autocompletion=completion.tagsets,
        help="One of the model's tagsets. May be repeated: each token gets a tag of each.",
        show_default="the model's first; in CoNLL-U also the one for XPOS",
    ),
]
_InputFormatOption = Annotated[
    Literal["auto", InputFormat],
    typer.Option(
        rich_help_panel=INPUT,
        help="tokens: words separated by white space, one sentence per line; raw: raw text; lines: raw text, each line "
        "by itself; conllu; vertical: one token per line; slash: word/TAG; jsonl: one object with a text or tokens "
        "per line; auto: by the suffix (.conllu, .vert, .tsv, .jsonl), else a guess from the start of the input.",
    ),
]
_TopOption = Annotated[
    int | None,
    typer.Option(metavar="K", min=1, help="Add the K most probable tags, with probabilities.", show_default=False),
]
_ErrorsOption = Annotated[
    DecodingErrors, typer.Option(rich_help_panel=INPUT, help="What to do with bytes that are not in the encoding.")
]


_QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="No progress, warnings or hints, only errors.")]
_ColorOption = Annotated[
    console.Colour,
    typer.Option(help="When to use colours; auto: on a terminal; always: word/TAG also in a pipe, as for less -R."),
]


def tag(
    context: typer.Context,
    text: _TextArgument = None,
    input_file: _InputFileOption = None,
    model: ModelOption = DEFAULT_MODEL,
    tagset: _TagsetOption = None,
    output: _OutputOption = None,
    output_file: _OutputFileOption = None,
    output_dir: _OutputDirOption = None,
    force: _ForceOption = False,
    columns: _ColumnsOption = None,
    header: _HeaderOption = False,
    only: _OnlyOption = None,
    expand: _ExpandOption = False,
    input_format: _InputFormatOption = "auto",
    recursive: _RecursiveOption = False,
    glob: _GlobOption = None,
    text_field: _TextFieldOption = None,
    confidence: Annotated[bool, typer.Option("--confidence", help="Add the probability of each tag.")] = False,
    top: _TopOption = None,
    lexicon: LexiconOption = None,
    lexicon_mode: LexiconModeOption = "prefer",
    jobs: Annotated[int, typer.Option(metavar="N", min=1, help="Processes to tag with, for large inputs.")] = 1,
    threads: Annotated[int, typer.Option(metavar="N", min=1, help="Threads of each process.")] = 1,
    fp32: Fp32Option = False,
    encoding: EncodingOption = "utf-8",
    errors: _ErrorsOption = "strict",
    quiet: _QuietOption = False,
    color: _ColorOption = "auto",
) -> None:
    """Tag TEXT, files or standard input.

    Writes one sentence per line, in order. A model with a segmenter splits raw text into words and
    sentences. In tokenized text a line is a sentence, and its words are separated by white space.

        rnntag tag "我吃苹果。"

        rnntag tag "我 吃 苹果"

        rnntag tag --format conllu -i text.txt -o text.conllu

        rnntag tag -i texts --recursive --output-dir tagged

        cat text.txt | rnntag tag
    """
    console.set_up(color, quiet=quiet)
    check_encoding(encoding)
    output_file = None if output_file == STDIN.path else output_file  # - is standard output here
    files = tag_inputs.find_files(text or [], input_file or [], recursive, glob, output_dir)
    known = None if input_format == "auto" else input_format
    from rnntag.model import directory
    from rnntag.tagger import own_words

    path = directory.find(model)
    stored = directory.read(path)
    request = tag_outputs.request(stored, output, tagset or [], columns, only, header, top or int(confidence), expand)
    words = own_words(lexicon or [], lexicon_mode, stored)
    refusal = tag_inputs.refusal(stored, model, known)
    paths: list[Path] = []
    if output_dir:
        form = request.format_of([known or registry.input_format(file.path) for file in files])
        request = replace(request, format=form)
        files, paths = tag_outputs.to_do(files, output_dir, output_file, form, force)
        if not files:
            return
    formats = [known or registry.input_format(file.path) for file in files] or [known] * len(text or [])
    typed, prompted = tag_inputs.greet(files, stored, encoding)
    jobs = 1 if prompted else jobs  # several read ahead in a thread: Ctrl-C would not reach the line being edited
    watch = Watch(files, is_typed=typed, to_stdout=not (output_file or paths), one_each=bool(paths))
    texts = tag_inputs.read(files, text or [], encoding, errors, prompted, watch.read)
    inputs = tag_inputs.inputs(stored, formats, texts, refusal, typed, watch.leaves_room, directory.is_bundled(path))
    if len(formats) == 1 and not typed:
        first = next(inputs)
        formats, inputs = [first.format], chain([first], inputs)
    job = request.job(stored, formats, threads, not fp32, len(files) > 1 and not paths, not output_file)
    job = replace(job, text_field=tag_inputs.check_field(text_field, formats), lexicon=words)
    with signals.ending(), tag_outputs.destination(output_file, job, force) as write:
        code = tag_outputs.run(job, inputs, jobs, header, paths or write, watch, context.command)
    if code:
        raise typer.Exit(code)
