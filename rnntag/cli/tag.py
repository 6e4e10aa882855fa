"""`rnntag tag`."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from rnntag.cli.arguments import check_texts
from rnntag.cli.options import INPUT, LEXICON, EncodingOption, Fp32Option, ModelOption
from rnntag.config import DEFAULT_MODEL, LexiconMode
from rnntag.errors import UsageError
from rnntag.formats.decoding import DecodingErrors, byte_blocks, check_readable, file_blocks, text_blocks
from rnntag.formats.registry import InputFormat, OutputFormat, writer
from rnntag.tagging.inputs import Input, format_by_name, guessed, has_bare_carriage_returns, tokens_or_treebank
from rnntag.tagging.spacing import STRONG, evidence
from rnntag.terminal import console, prompt
from rnntag.terminal.sanitize import as_lines

if TYPE_CHECKING:
    from rnntag.lexicon.lexicon import Lexicon
    from rnntag.model.stored import ModelBundle

_STDIN = Path("-")
_STDIN_NAME = "<stdin>"
_ARGUMENT = "TEXT"


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
        help="word/TAG, a token per line, CoNLL-U or JSON lines.",
        show_default="slash; conllu for CoNLL-U input; tsv with --top or several tagsets",
    ),
]
_TagsetOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="TAGSET",
        help="One of the model's tagsets. May be repeated: each token gets a tag of each.",
        show_default="the model's first; in CoNLL-U also the one for XPOS",
    ),
]
_InputFormatOption = Annotated[
    Literal["auto", InputFormat],
    typer.Option(
        rich_help_panel=INPUT,
        help="tokens: words separated by white space, a sentence per line; raw: raw text; auto: conllu for files "
        "named .conllu or .conll, else a guess from the start of the input.",
    ),
]
_TopOption = Annotated[
    int | None,
    typer.Option(metavar="K", min=1, help="Add the K most probable tags, with probabilities.", show_default=False),
]
_LexiconOption = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="FILE",
        rich_help_panel=LEXICON,
        help="Your own words, to be found in raw text: a word per line, optionally its frequency (ignored) and the "
        "only tags that it may get (NOUN,VERB). May be repeated.",
    ),
]
_LexiconModeOption = Annotated[
    LexiconMode,
    typer.Option(
        rich_help_panel=LEXICON,
        help="prefer: these words are more likely to be found; force: always, of overlapping ones the longest.",
    ),
]
_ErrorsOption = Annotated[
    DecodingErrors, typer.Option(rich_help_panel=INPUT, help="What to do with bytes that are not in the encoding.")
]


def tag(
    text: _TextArgument = None,
    input_file: _InputFileOption = None,
    model: ModelOption = DEFAULT_MODEL,
    tagset: _TagsetOption = None,
    output: _OutputOption = None,
    input_format: _InputFormatOption = "auto",
    confidence: Annotated[bool, typer.Option("--confidence", help="Add the probability of each tag.")] = False,
    top: _TopOption = None,
    lexicon: _LexiconOption = None,
    lexicon_mode: _LexiconModeOption = "prefer",
    jobs: Annotated[int, typer.Option(metavar="N", min=1, help="Processes to tag with, for large inputs.")] = 1,
    threads: Annotated[int, typer.Option(metavar="N", min=1, help="Threads of each process.")] = 1,
    fp32: Fp32Option = False,
    encoding: EncodingOption = "utf-8",
    errors: _ErrorsOption = "strict",
) -> None:
    """Tag TEXT, files or standard input.

    Writes one sentence per line, in order. A model with a segmenter splits raw text into words and
    sentences. In tokenized text a line is a sentence, and its words are separated by white space.

        rnntag tag "我吃苹果。"

        rnntag tag "我 吃 苹果"

        rnntag tag --format conllu -i text.txt > text.conllu

        rnntag tag --lexicon words.txt -i text.txt

        cat text.txt | rnntag tag
    """
    files = _files(text or [], input_file or [])
    known = None if input_format == "auto" else input_format
    formats = [known or format_by_name(file) for file in files] or [known] * len(text or [])
    top = top or (1 if confidence else None)
    if top and output == "slash":
        raise UsageError("word/TAG cannot hold probabilities: use --format tsv, conllu or jsonl")
    from rnntag.model import directory

    stored = directory.read(directory.find(model))
    asked = stored.several_tagsets(tagset) if tagset else ()
    if output:
        writer(output, *asked)  # refuses tagsets that the format cannot hold
    words = _lexicon(lexicon or [], lexicon_mode, stored)
    remedy = f"add one with 'rnntag train-segmenter {shlex.quote(model)} CORPUS…'"
    without = f"the model {stored.name} has no segmenter: {remedy}"
    if input_format == "raw" and not stored.segmenter:
        raise UsageError(f"{without}, or give tokens with --input-format tokens")
    typed = _STDIN in files and sys.stdin.isatty()
    if typed and console.is_interactive():
        what = "text" if stored.segmenter else "a sentence, words separated by spaces,"
        console.note(f"Type {what} and press Enter; end with Ctrl-D.")
    prompted = _STDIN in files and prompt.is_wanted(encoding)
    if prompted:
        jobs = 1  # several jobs read ahead in a thread, where Ctrl-C would not reach the line being edited
    texts = _read(files, encoding, errors, prompted) if files else ((_ARGUMENT, [f"{line}\n"]) for line in text or [])
    refusal = f"looks like raw text, and {without}, or use --input-format tokens"
    inputs = _inputs(stored, formats, texts, refusal, typed)
    if len(formats) == 1 and not typed:
        first = next(inputs)
        formats, inputs = [first.format], chain([first], inputs)
    output = output or ("conllu" if {*formats} == {"conllu"} else "tsv" if top or len(asked) > 1 else "slash")
    _write(stored, asked, output, top, inputs, jobs, threads, fp32, words)


def _files(texts: Sequence[str], files: Sequence[Path]) -> Sequence[Path]:
    """The files to read, `_STDIN` for standard input; none if there are texts."""
    check_texts(texts, "rnntag tag -i {}")
    if texts and files:
        raise UsageError(f"give TEXT or --input-file, not both: {texts[0]!r} is not a file")
    if sys.stdin is None and not texts and not files:
        raise UsageError("there is no TEXT, no --input-file and no standard input")
    console.results()
    for file in files:
        if file != _STDIN:
            check_readable(file)  # now, and not after an hour of work on the files before it
    return files or [_STDIN] * (not texts)


def _lexicon(files: Sequence[Path], mode: LexiconMode, stored: ModelBundle) -> Lexicon | None:
    if not files and mode == "prefer":
        return None  # without a lexicon, start-up does not pay for it
    from rnntag.lexicon import reading

    return reading.load(files, mode, stored)


def _write(
    stored: ModelBundle,
    asked: tuple[str, ...],
    output: OutputFormat,
    top: int | None,
    inputs: Iterable[Input],
    jobs: int,
    threads: int,
    fp32: bool,
    lexicon: Lexicon | None,
) -> None:
    """Tag the inputs and write them to stdout."""
    from rnntag.tagging import parallel
    from rnntag.tagging.chunks import chunks
    from rnntag.tagging.pipeline import TagJob

    on_terminal = sys.stdout.isatty()
    coloured = on_terminal and output == "slash"
    tagsets = asked or (stored.coarse_and_fine if output == "conllu" else stored.tagsets[:1])
    job = TagJob(stored, tagsets, output, top, threads, not fp32, coloured, not asked, lexicon)
    job.writer()  # refuses tagsets that the format cannot hold
    out = sys.stdout.buffer
    for tagged in parallel.tag(job, chunks(inputs), jobs):
        if on_terminal and not coloured:
            tagged = as_lines(tagged.decode("utf-8", "surrogateescape")).encode()
        out.write(tagged)
        out.flush()


def _inputs(
    stored: ModelBundle,
    formats: Sequence[InputFormat | None],
    texts: Iterable[tuple[str, Iterable[str]]],
    refusal: str,
    typed: bool,
) -> Iterator[Input]:
    """The texts with their formats, guessed where they are unknown.

    Args:
        refusal: the message for raw text that the model cannot read.
        typed: whether standard input is a terminal. Then each line is a separate input.
    """
    last_guess: InputFormat | None = None
    for known, (name, blocks) in zip(formats, texts, strict=True):
        if typed and name == _STDIN_NAME and known in (None, "raw"):
            yield from _typed(stored, known, name, blocks, refusal)
            continue
        if known != "conllu" and name != _ARGUMENT:
            blocks = _with_warning(name, blocks)
        if known:
            yield Input(name, known, blocks)
            continue
        guess, blocks = guessed(blocks) if stored.segmenter else tokens_or_treebank(blocks, name, refusal)
        if stored.segmenter and guess != last_guess and console.is_interactive():
            taken = {"tokens": "as tokens separated by spaces", "raw": "as raw text", "conllu": "as CoNLL-U"}[guess]
            console.note(f"reading {name} {taken}; --input-format overrides")
        last_guess = guess
        yield Input(name, guess, blocks)


def _typed(
    stored: ModelBundle, known: InputFormat | None, name: str, lines: Iterable[str], refusal: str
) -> Iterator[Input]:
    for line in lines:
        for_tokens = evidence(line)
        if not stored.segmenter and for_tokens <= -STRONG:
            console.warning(refusal)
            continue
        yield Input(name, known or ("tokens" if for_tokens > 0 or not stored.segmenter else "raw"), [line])


def _read(
    files: Sequence[Path], encoding: str, errors: DecodingErrors, prompted: bool
) -> Iterator[tuple[str, Iterable[str]]]:
    for file in files:
        name = _STDIN_NAME if file == _STDIN else str(file)
        if file != _STDIN:
            blocks = file_blocks(file)
        else:
            blocks = prompt.typed_lines() if prompted else byte_blocks(sys.stdin.fileno(), name)
        yield name, text_blocks(blocks, name, encoding, errors)


def _with_warning(name: str, blocks: Iterable[str]) -> Iterator[str]:
    """The blocks, with a warning if lines end as on the first Macs."""
    has_bare, blocks = has_bare_carriage_returns(blocks)
    if has_bare:
        console.warning(
            f"{name}: has carriage returns, but no line feed: they separate words, not lines; convert them with "
            "`tr '\\r' '\\n'`"
        )
    yield from blocks
