"""`rnntag score`."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import starmap
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.text import Text

from rnntag.cli import completion, signals, tag_inputs
from rnntag.cli.options import INPUT, EncodingOption, Fp32Option
from rnntag.config import DEFAULT_LM
from rnntag.errors import DataError, UsageError
from rnntag.formats import registry
from rnntag.formats.decoding import DecodingErrors, check_encoding
from rnntag.formats.inputs import Input, token_blocks
from rnntag.formats.raw import LazyFinder
from rnntag.formats.records import one_line
from rnntag.formats.registry import InputFormat
from rnntag.terminal import console
from rnntag.terminal.sanitize import as_json, as_lines, visible

if TYPE_CHECKING:
    from rnntag.language_model import LanguageModel, SentenceScore

    Judged = tuple[SentenceScore, str]

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
    typer.Option("--compare", help="Compare TEXTs, or lines of files, in pairs: better for the higher SLOR, or worse."),
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
    and its words. SLOR is the log probability minus the unigram log probability, divided by the number
    of words: it distinguishes well-formed sentences, whatever their length and however rare their words.

        rnntag score "The cat sat on the mat ." "The cat sat mat the on ."

        rnntag score --compare "The cats are asleep." "The cats is asleep."

        rnntag score --words "我 吃 苹果 。"

        rnntag score -i essays.txt --format jsonl > scores.jsonl
    """
    console.set_up(color)
    check_encoding(encoding)
    _check(words, threshold, compare, header, output)
    files = tag_inputs.find_files(text or [], input_file or [], False, None, None)
    known = None if input_format == "auto" else input_format
    from rnntag.language_model import load_lm

    scorer = load_lm(model, threads=threads, int8=not fp32)
    stored = scorer.model
    if known in ("raw", "lines"):
        scorer.segmenter  # noqa: B018  # refused now if there is none
    refusal = f"looks like raw text, but the model {stored.name} has no segmenter: give tokens"
    formats = [known or registry.input_format(file.path) for file in files] or [known] * len(text or [])
    typed, _ = tag_inputs.greet(files, stored, encoding)
    texts = tag_inputs.read(files, text or [], encoding, errors, False, lambda count: None)
    inputs = tag_inputs.inputs(stored, formats, texts, refusal, typed, typed, False)
    writer = _Writer(output, words, has_verdict=compare or threshold is not None)
    out = console.results()
    with signals.ending():
        if header:
            out.write("\t".join(writer.columns) + "\n")
        for scores in _compared(scorer, inputs) if compare else _judged(_scored(scorer, inputs), threshold):
            writer.write(scores)
            out.flush()


def _check(words: bool, threshold: float | None, compare: bool, header: bool, form: str) -> None:
    """Make sure that the options fit each other."""
    if compare and threshold is not None:
        raise UsageError("give --threshold or --compare, not both")
    if words and form == "tsv" and (compare or threshold is not None):
        raise UsageError("--words has no column for a verdict: add --format jsonl, or leave one out")
    if header and form != "tsv":
        raise UsageError("--header is for --format tsv")
    if threshold is not None and math.isnan(threshold):
        raise UsageError("--threshold is not a number")


def _scored(model: LanguageModel, inputs: Iterable[Input]) -> Iterator[list[SentenceScore]]:
    """The scores of the sentences that each block of text completes."""
    for each in inputs:
        for sentences in token_blocks(each, LazyFinder(lambda: model.segmenter)):
            yield model.score_sents(tokens for tokens, _ in sentences)


def _judged(blocks: Iterable[list[SentenceScore]], threshold: float | None) -> Iterator[list[Judged]]:
    """The scores with their verdicts, or ""."""
    for scores in blocks:
        if threshold is None:
            yield [(score, "") for score in scores]
        else:
            yield [(score, "good" if score.slor >= threshold else "bad") for score in scores]


def _compared(model: LanguageModel, inputs: Iterable[Input]) -> Iterator[list[Judged]]:
    """The scores of TEXT arguments and lines, in pairs with their verdicts. Those of several sentences count as one."""
    waiting: list[SentenceScore] = []
    for each in inputs:
        is_argument = each.name == tag_inputs.ARGUMENT
        if each.format == "raw" and not is_argument:
            each = each._replace(format="lines")
        unit: list[SentenceScore] = []
        for sentences in token_blocks(each, LazyFinder(lambda: model.segmenter)):
            for score, (_, ends) in zip(model.score_sents(tokens for tokens, _ in sentences), sentences, strict=True):
                unit.append(score)
                if ends and not is_argument:
                    waiting.append(_joined(unit))
                    unit = []
            yield from _pairs(waiting)
        if unit:
            waiting.append(_joined(unit))
            yield from _pairs(waiting)
    if waiting:
        left = " ".join(waiting[0].tokens)
        raise DataError(f"--compare takes texts in pairs, and {left[:60]!r} has no other")


def _pairs(waiting: list[SentenceScore]) -> Iterator[list[Judged]]:
    """Take the pairs, and give each text its verdict."""
    while len(waiting) > 1:
        pair, waiting[:2] = waiting[:2], []
        best = max(score.slor for score in pair)
        yield [(score, "better" if score.slor == best else "worse") for score in pair]


def _joined(scores: Sequence[SentenceScore]) -> SentenceScore:
    """The score of several sentences as one."""
    tokens, logs, unigrams = (
        [value for score in scores for value in getattr(score, name)] for name in ("tokens", "log_probs", "unigrams")
    )
    return replace(scores[0], tokens=tokens, log_probs=logs, unigrams=unigrams)


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

    def write(self, scores: Iterable[Judged]) -> None:
        if self.is_coloured:
            shown = console.stdout()
            for score, _ in scores:
                shown.print(self._coloured(score))
            return
        out = console.results()
        text = "".join(starmap(self._text, scores))
        escape = as_json if self._form == "jsonl" else as_lines
        out.write(escape(text) if out.isatty() else text)

    def _text(self, score: SentenceScore, verdict: str) -> str:
        figures: dict[str, Any] = {name: round(getattr(score, name), 3) for name in _COLUMNS}
        if verdict:
            figures["verdict"] = verdict
        if self._form == "jsonl":
            bits = {"surprisals": [round(value, 3) for value in score.surprisals]} if self._words else {}
            return json.dumps({"tokens": score.tokens, **figures, **bits}, ensure_ascii=False) + "\n"
        tokens = [*map(one_line, score.tokens)]
        if self._words:
            rows = zip((*tokens, END), score.surprisals, strict=True)
            return "".join(f"{token}\t{bits:.2f}\n" for token, bits in rows) + "\n"
        return "\t".join([*map(str, figures.values()), " ".join(tokens)]) + "\n"

    def _coloured(self, score: SentenceScore) -> Text:
        line = Text()
        for token, bits in zip((*score.tokens, END), score.surprisals, strict=True):
            style = "green" if bits < _EXPECTED else "yellow" if bits < _SURPRISING else "red"
            line.append(visible(token), style=style)
            line.append(f" {bits:.1f}  ", style="dim")
        return line
