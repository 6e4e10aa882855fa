"""`rnntag score`."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from itertools import chain, starmap
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.text import Text

from rnntag.cli import completion, signals, tag_inputs
from rnntag.cli.options import INPUT, EncodingOption, Fp32Option
from rnntag.errors import DataError, UsageError
from rnntag.formats import registry
from rnntag.formats.decoding import DecodingErrors, check_encoding
from rnntag.formats.inputs import Input
from rnntag.formats.records import SentenceJoiner
from rnntag.formats.registry import InputFormat
from rnntag.terminal import console
from rnntag.terminal.sanitize import visible

if TYPE_CHECKING:
    from rnntag.language_model import LanguageModel, SentenceScore

DEFAULT_LM = "lm"
END = "</s>"
"""Stands for the end of a sentence among its words."""
_COLUMNS = ("log_prob", "perplexity", "slor")
_EXPECTED, _SURPRISING = 6.0, 12.0
"""Bits: less surprising words are green, more surprising ones red."""


_InputFileOption = Annotated[
    list[Path] | None,
    typer.Option("--input-file", "-i", rich_help_panel=INPUT, help="Read a file, or several: -i *.txt."),
]
_ModelOption = Annotated[
    str,
    typer.Option("--model", "-m", autocompletion=completion.models, help="A language model's name or directory."),
]
_ThresholdOption = Annotated[
    float | None,
    typer.Option(metavar="X", help="Add a verdict: good if SLOR is at least X, else bad.", show_default=False),
]
_CompareOption = Annotated[
    bool,
    typer.Option("--compare", help="Add a verdict on each two sentences: better for the higher SLOR, or worse."),
]


def score(
    text: Annotated[
        list[str] | None,
        typer.Argument(metavar="TEXT...", help="Sentences.", show_default="standard input"),
    ] = None,
    input_file: _InputFileOption = None,
    model: _ModelOption = DEFAULT_LM,
    input_format: Annotated[
        Literal["auto", InputFormat], typer.Option(rich_help_panel=INPUT, help="See `rnntag tag --help`.")
    ] = "auto",
    output: Annotated[
        Literal["tsv", "jsonl"], typer.Option("--format", "-f", help="tsv: columns; jsonl: JSON lines.")
    ] = "tsv",
    words: Annotated[
        bool, typer.Option("--words", help="The surprisal of each word, in bits; coloured on a terminal.")
    ] = False,
    threshold: _ThresholdOption = None,
    compare: _CompareOption = False,
    header: Annotated[bool, typer.Option("--header", help="Begin TSV with a header row.")] = False,
    threads: Annotated[int, typer.Option(metavar="N", min=1, help="Threads to compute with.")] = 1,
    fp32: Fp32Option = False,
    encoding: EncodingOption = "utf-8",
    errors: Annotated[
        DecodingErrors, typer.Option(rich_help_panel=INPUT, help="What to do with bytes that are not in the encoding.")
    ] = "strict",
    color: Annotated[console.Colour, typer.Option(help="When to use colours; auto: on a terminal.")] = "auto",
) -> None:
    """Tell how likely sentences are.

    Writes, for each sentence, its log probability (in nats), its perplexity per word, its SLOR score
    and its words. SLOR is the log probability, less that of the words by themselves, divided by the
    number of words: it tells well-formed sentences from others, however long and rare their words are.

        rnntag score "The cat sat on the mat ." "The cat sat mat the on ."

        rnntag score --compare "The cats are asleep." "The cats is asleep."

        rnntag score --words "我 吃 苹果 。"

        rnntag score -i essays.txt --format jsonl > scores.jsonl
    """
    console.set_up(color)
    check_encoding(encoding)
    files = tag_inputs.find_files(text or [], input_file or [], False, None, None)
    known = None if input_format == "auto" else input_format
    from rnntag.language_model import load_lm

    scorer = load_lm(model, threads=threads, int8=not fp32)
    stored = scorer.model
    refusal = f"looks like raw text, but the model {stored.name} has no segmenter: give tokens"
    formats = [known or registry.input_format(file.path) for file in files] or [known] * len(text or [])
    typed, _ = tag_inputs.greet(files, stored, encoding)
    texts = tag_inputs.read(files, text or [], encoding, errors, False, lambda count: None)
    inputs = tag_inputs.inputs(stored, formats, texts, refusal, typed, typed, False)
    if compare and threshold is not None:
        raise UsageError("give --threshold or --compare, not both")
    writer = _Writer(output, words, has_verdict=compare or threshold is not None)
    out = console.results()
    with signals.ending():
        if header and output == "tsv":
            out.write("\t".join(writer.columns) + "\n")
        for scores in _judged(_scored(scorer, inputs), threshold, compare):
            if writer.is_coloured:
                shown = console.stdout()
                for each, _ in scores:
                    shown.print(writer.coloured(each))
            else:
                out.write("".join(starmap(writer.text, scores)))
            out.flush()


def _scored(model: LanguageModel, inputs: Iterator[Input]) -> Iterator[list[SentenceScore]]:
    """The scores of the sentences that each block of text completes."""
    for each in inputs:
        finder = model.segmenter if each.format in ("raw", "lines", "jsonl") else None
        reader = registry.reader(each.format, each.name, finder=finder)
        joiner = SentenceJoiner()
        for block in each.blocks:
            yield model.score_sents(joiner.feed(reader.feed(block)))
        yield model.score_sents(chain(joiner.feed(reader.finish()), joiner.finish()))


def _judged(
    blocks: Iterator[list[SentenceScore]], threshold: float | None, compare: bool
) -> Iterator[list[tuple[SentenceScore, str]]]:
    """The scores with their verdicts, or ""."""
    waiting: list[SentenceScore] = []
    for scores in blocks:
        if not compare:
            least = -math.inf if threshold is None else threshold
            verdict = {True: "good", False: "bad"} if threshold is not None else {True: "", False: ""}
            yield [(score, verdict[score.slor >= least]) for score in scores]
            continue
        waiting += scores
        judged = []
        for one, other in zip(waiting[::2], waiting[1::2], strict=False):
            best = max(one.slor, other.slor)
            judged += [(score, "better" if score.slor == best else "worse") for score in (one, other)]
        yield judged
        waiting = waiting[len(judged) :]
    if waiting:
        raise DataError(f"--compare takes sentences two by two, and {' '.join(waiting[0].tokens)[:60]!r} is left over")


class _Writer:
    """Writes scores.

    Attributes:
        columns: of TSV.
        is_coloured: whether words are coloured.
    """

    def __init__(self, form: str, words: bool, *, has_verdict: bool) -> None:
        self._form = form
        self._words = words
        verdict = ("verdict",) * has_verdict
        self.columns = ("token", "bits") if words else (*_COLUMNS, *verdict, "sentence")
        self.is_coloured = words and form == "tsv" and console.has_coloured_results()

    def text(self, score: SentenceScore, verdict: str) -> str:
        figures: dict[str, Any] = {name: round(getattr(score, name), 3) for name in _COLUMNS}
        if verdict:
            figures["verdict"] = verdict
        if self._form == "jsonl":
            bits = {"surprisals": [round(value, 3) for value in score.surprisals]} if self._words else {}
            return json.dumps({"tokens": score.tokens, **figures, **bits}, ensure_ascii=False) + "\n"
        if self._words:
            rows = zip((*score.tokens, END), score.surprisals, strict=True)
            return "".join(f"{token}\t{bits:.2f}\n" for token, bits in rows) + "\n"
        return "\t".join([*map(str, figures.values()), " ".join(score.tokens)]) + "\n"

    def coloured(self, score: SentenceScore) -> Text:
        line = Text(f"{score.perplexity:8,.0f}  ", style="dim")
        for token, bits in zip(score.tokens, score.surprisals, strict=False):
            style = "green" if bits < _EXPECTED else "yellow" if bits < _SURPRISING else "red"
            line.append(f"{visible(token)} ", style=style)
        return line
