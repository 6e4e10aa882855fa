"""`rnntag eval`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.measure import Measurement

from rnntag.cli.options import CorpusFormatOption, EncodingOption, Fp32Option, JsonOption
from rnntag.config import DEFAULT_MODEL, CorpusFormat
from rnntag.errors import AccessError, DataError, NotFoundError, UsageError
from rnntag.sentences import Corpus, Sentence
from rnntag.terminal import console
from rnntag.terminal.console import cell, new_table, print_table, stdout

if TYPE_CHECKING:
    from rnntag.evaluation import tables as report_tables
    from rnntag.evaluation.evaluate import RawResult, Result
    from rnntag.model.stored import ModelBundle


def evaluate(
    corpus: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="CORPUS",
            help="NLTK corpora, .conllu files, or files in another format (see --corpus-format).",
            show_default="what the model was trained on",
        ),
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(
            "--model",
            "-m",
            metavar="MODEL",
            help="A model's name (see `rnntag models`) or directory. Repeated: the others are tested against the "
            "first, on the same tokens.",
            show_default=f"$RNNTAG_MODEL, or {DEFAULT_MODEL}",
        ),
    ] = None,
    split: Annotated[
        Literal["auto", "train", "dev", "test"],
        typer.Option(help="Which split; auto: the test split, or all of a file."),
    ] = "auto",
    tagset: Annotated[
        Literal["universal", "native"] | None,
        typer.Option(help="Universal tags, or the corpus's own.", show_default="universal, or as trained"),
    ] = None,
    raw: Annotated[
        bool, typer.Option("--raw", help="Measure words, sentences and tags on the corpora's raw text.")
    ] = False,
    fp32: Fp32Option = False,
    encoding: EncodingOption = "utf-8",
    corpus_format: CorpusFormatOption = "auto",
    as_json: JsonOption = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print the tables as Markdown.")] = False,
    html: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Also write a page to look into the errors with.", show_default=False),
    ] = None,
) -> None:
    """Measure a model on tagged text, or several on the same.

    Accuracy with its 95 % interval, also on words that training has or has not seen, on ambiguous words and on
    whole sentences, beside that of giving each word its commonest tag where the corpus has a train part;
    precision, recall and F1 of each tag; which tags are confused, and in which words; and a line by which two
    people can tell that they measured the same thing.

        rnntag eval en_ewt-ud-dev.conllu zh_gsdsimp-ud-dev.conllu

        rnntag eval treebank --model lstm --json

        rnntag eval 'en_ewt-ud-*.conllu' --model zh-en --model zh-en-fast --html report.html

        rnntag eval --raw en_ewt-ud-dev.conllu
    """
    if as_json and as_markdown:
        raise UsageError("give --json or --markdown, not both")
    if raw and html:
        raise UsageError("--html is about tags of given words: leave out --raw, or take --markdown")
    from rnntag.model import directory

    if html:
        directory.check_not_bundled(html, "html")
        _check_target(html)

    names = model or [os.environ.get("RNNTAG_MODEL") or DEFAULT_MODEL]
    paths = list(dict.fromkeys(map(directory.find, names)))
    models = [directory.read(path) for path in paths]
    for stored in models:
        if raw and not stored.segmenter:
            raise UsageError(f"the model {stored.name} has no segmenter: add one with 'rnntag train-segmenter'")
    loaded = _evaluation_corpora(models[0], corpus or [], tagset, encoding, corpus_format)
    from rnntag.evaluation import evaluate as measurement
    from rnntag.evaluation import html_report
    from rnntag.evaluation import tables as report_tables
    from rnntag.model import learning_curve
    from rnntag.tagger import Tagger

    labels = [stored.name for stored in models]
    if len(set(labels)) < len(labels):
        labels = list(map(str, paths))
    taggers = {label: Tagger(stored, int8=not fp32) for label, stored in zip(labels, models, strict=True)}
    learned = {
        label: learning_curve.read(stored.history, str(path / directory.HISTORY))
        for label, stored, path in zip(labels, models, paths, strict=True)
        if html and stored.history
    }
    figures: list[dict[str, Any]] = []
    measured: list[Result] = []

    def tell(tables: list[report_tables.Table], group: Sequence[Result | RawResult]) -> None:
        figures.extend(result.figures() for result in group)
        signatures = [result.signature for result in group]
        if as_markdown:
            console.print_text(report_tables.markdown(tables, signatures))
        elif not as_json:
            print_report(tables, signatures)

    for one in loaded:
        chosen, sentences = _split(one, split)
        if raw:
            for texts in measurement.raw_results(taggers, one.name, chosen, sentences):
                tell(report_tables.raw_tables(texts), texts)
            continue
        for group in measurement.results(taggers, one.name, chosen, sentences, one.train):
            tell(report_tables.tables(group), group)
            measured += group
    if as_json:
        console.print_json(figures)
    if html:
        from rnntag.storage import atomic

        # What cannot be encoded stands inside JSON strings, where Python's escapes are JSON's.
        atomic.write_file(html, html_report.write(measured, learned).encode("utf-8", "backslashreplace"))
        console.note(f"saved {html}")


_PAGE = b"<!doctype html"


def _check_target(path: Path) -> None:
    if path.is_dir():
        raise AccessError(f"{path}: is a directory: name a file for --html")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise AccessError(f"{path}: {path.parent} is no folder that can be written to: choose another --html")
    if path.is_file():
        with path.open("rb") as file:
            if not file.read(len(_PAGE)).lower() == _PAGE:
                raise UsageError(f"{path}: is there already and is no page: choose another --html")


def _evaluation_corpora(
    stored: ModelBundle, specs: list[str], tagset: str | None, encoding: str, corpus_format: CorpusFormat
) -> list[Corpus]:
    """The corpora named, or else those that the model was trained on."""
    from rnntag.cli.progress import fetched, working
    from rnntag.corpora import loading

    with working("loading the corpora") as progress:
        download = partial(fetched, progress)
        if specs:
            return loading.load(
                specs,
                (tagset or "universal",),
                whole=True,
                encoding=encoding,
                corpus_format=corpus_format,
                progress=download,
            )
        provenance = stored.provenance
        if not provenance.specs:
            raise UsageError(f"the model {stored.name} does not tell what it was trained on: name a CORPUS")
        tagsets = (tagset,) if tagset else provenance.tagsets
        try:
            return loading.load(
                provenance.specs,
                tagsets,
                encoding=provenance.encoding,
                corpus_format=provenance.corpus_format,
                progress=download,
            )
        except NotFoundError as error:
            raise NotFoundError(
                f"what {stored.name} was trained on is not here: name a CORPUS to measure it on ({error})"
            ) from error


def _split(corpus: Corpus, part: str) -> tuple[str, tuple[Sentence, ...]]:
    parts = {"test": corpus.test, "dev": corpus.dev, "train": corpus.train}
    if part == "auto":
        part = next(name for name, sentences in parts.items() if sentences)
    if not parts[part]:
        raise DataError(f"{corpus.name} has no {part} part: it has {', '.join(n for n, s in parts.items() if s)}")
    return part, parts[part]


FOLDABLE_COLUMNS = 10


def print_report(tables: Iterable[report_tables.Table], signatures: Iterable[str]) -> None:
    """What was measured, and the lines that tell whether two people have measured the same.

    A table of many columns is left out where it is wider than the terminal.
    """
    console = stdout()
    unbounded = console.options.update(max_width=100_000)
    for one in tables:
        table = new_table(*map(cell, one.columns), title=cell(one.title) or None, numbers=[*map(cell, one.numbers)])
        for row in one.rows:
            table.add_row(*map(cell, row))
        fits = Measurement.get(console, unbounded, table).maximum <= console.width
        if fits or not console.is_terminal or len(one.columns) <= FOLDABLE_COLUMNS:
            print_table(table)
    for signature in signatures:
        stdout().print(cell(signature))
