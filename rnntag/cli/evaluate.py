"""`rnntag eval`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.measure import Measurement

from rnntag.cli import completion
from rnntag.cli.options import CorpusFormatOption, EncodingOption, Fp32Option, JsonOption
from rnntag.config import DEFAULT_MODEL, CorpusFormat
from rnntag.errors import ANOTHER, AccessError, DataError, NotFoundError, UsageError
from rnntag.sentences import Corpus, Sentence
from rnntag.terminal import console
from rnntag.terminal.console import cell, new_table, print_table, stdout

if TYPE_CHECKING:
    from rnntag.evaluation.tables import Table
    from rnntag.model.stored import ModelBundle
    from rnntag.tagger import Tagger

_PAGE_START = b"<!doctype html"
_FOLDABLE_COLUMNS = 10


_CorpusArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="CORPUS...",
        autocompletion=completion.corpora,
        help="NLTK corpora, .conllu files, or files in another format (see --corpus-format).",
        show_default="the corpora the model was trained on",
    ),
]
_ModelsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--model",
        "-m",
        metavar="MODEL",
        autocompletion=completion.models,
        help="A model's name (see `rnntag models`) or directory. May be repeated: the others are compared with the "
        "first.",
        show_default=f"$RNNTAG_MODEL, or {DEFAULT_MODEL}",
    ),
]


def evaluate(
    corpus: _CorpusArgument = None,
    model: _ModelsOption = None,
    split: Annotated[
        Literal["auto", "train", "dev", "test"],
        typer.Option(help="The split to measure; auto: the test split, or all of a file."),
    ] = "auto",
    tagset: Annotated[
        Literal["universal", "native"] | None,
        typer.Option(help="Universal tags, or the corpus's own tags.", show_default="universal, or as trained"),
    ] = None,
    raw: Annotated[
        bool, typer.Option("--raw", help="Measure words, sentences and tags on the raw text of the corpora.")
    ] = False,
    fp32: Fp32Option = False,
    encoding: EncodingOption = "utf-8",
    corpus_format: CorpusFormatOption = "auto",
    as_json: JsonOption = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print the tables as Markdown.")] = False,
    html: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Also write a web page to browse the errors.", show_default=False),
    ] = None,
) -> None:
    """Measure a model, or several models, on tagged text.

    Prints accuracy with its 95 % confidence interval, also on known and unknown words, on ambiguous words and on
    whole sentences, and the most-frequent-tag baseline if the corpus has a train split; precision, recall and F1 of
    each tag; the most frequent confusions and the words most often wrong. The last line is a signature: equal
    signatures mean the same model on the same test set.

        rnntag eval en_ewt-ud-dev.conllu zh_gsdsimp-ud-dev.conllu

        rnntag eval treebank --model lstm --json

        rnntag eval 'en_ewt-ud-*.conllu' --model zh-en --model zh-en-fast --html report.html

        rnntag eval --raw en_ewt-ud-dev.conllu
    """
    if as_json and as_markdown:
        raise UsageError("give --json or --markdown, not both")
    if raw and html:
        raise UsageError("--html does not support --raw: leave out --raw, or use --markdown instead of --html")
    from rnntag.model import directory

    if html:
        directory.check_not_bundled(html, "html")
        _check_target(html)
    names = model or [os.environ.get("RNNTAG_MODEL") or DEFAULT_MODEL]
    models = {path: directory.read(path) for path in map(directory.find, names)}
    for stored in models.values():
        if raw and not stored.segmenter:
            raise UsageError(f"the model {stored.name} has no segmenter: add one with 'rnntag train-segmenter'")
    loaded = _corpora(next(iter(models.values())), corpus or [], tagset, encoding, corpus_format)
    taggers = _taggers(models, fp32)
    from rnntag.evaluation import evaluate as evaluation
    from rnntag.evaluation import tables

    results: list[Any] = []
    for each in loaded:
        name, sentences = _split(each, split)
        groups: Iterable[Sequence[Any]] = (
            evaluation.raw_results(taggers, each.name, name, sentences)
            if raw
            else evaluation.results(taggers, each.name, name, sentences, each.train)
        )
        for group in groups:
            results += group
            shown = tables.raw_tables(group) if raw else tables.tables(group)
            signatures = [result.signature for result in group]
            if as_markdown:
                console.print_text(tables.markdown(shown, signatures))
            elif not as_json:
                _print_report(shown, signatures)
    if as_json:
        console.print_json([result.figures() for result in results])
    if html:
        _write_page(html, results, models, taggers)


def _taggers(models: Mapping[Path, ModelBundle], fp32: bool) -> dict[str, Tagger]:
    """The taggers by the models' names, or by their paths if two have the same name."""
    from rnntag.tagger import Tagger

    unique = len({stored.name for stored in models.values()}) == len(models)
    return {stored.name if unique else str(path): Tagger(stored, int8=not fp32) for path, stored in models.items()}


def _write_page(path: Path, results: Sequence[Any], models: Mapping[Path, ModelBundle], labels: Iterable[str]) -> None:
    from rnntag.evaluation import html_report
    from rnntag.model import learning_curve
    from rnntag.model.files import HISTORY
    from rnntag.storage import atomic

    learned = {
        label: learning_curve.read(stored.history, str(folder / HISTORY))
        for label, (folder, stored) in zip(labels, models.items(), strict=True)
        if stored.history
    }
    # What cannot be encoded is inside JSON strings, where Python's escapes are JSON's.
    atomic.write_file(path, html_report.write(results, learned).encode("utf-8", "backslashreplace"))
    console.note(f"saved {path}")


def _check_target(path: Path) -> None:
    if path.is_dir():
        raise AccessError(f"{path}: is a directory: name a file for --html")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise AccessError(f"{path}: {path.parent} is not a writable directory", remedy={"html": ANOTHER})
    if path.is_file():
        with path.open("rb") as file:
            if not file.read(len(_PAGE_START)).lower() == _PAGE_START:
                raise UsageError(f"{path}: exists and is not a web page", remedy={"html": ANOTHER})


def _corpora(
    stored: ModelBundle, specs: list[str], tagset: str | None, encoding: str, corpus_format: CorpusFormat
) -> list[Corpus]:
    """The named corpora, or else those that the model was trained on."""
    from rnntag.cli.progress import fetched, working
    from rnntag.corpora import loading

    with working("loading the corpora") as progress:
        load = partial(loading.load, progress=partial(fetched, progress))
        if specs:
            return load(specs, (tagset or "universal",), whole=True, encoding=encoding, corpus_format=corpus_format)
        provenance = stored.provenance
        if not provenance.specs:
            raise UsageError(f"the model {stored.name} does not say what it was trained on: name a CORPUS")
        tagsets = (tagset,) if tagset else provenance.tagsets
        encoding, corpus_format = provenance.encoding, provenance.corpus_format
        try:
            return load(provenance.specs, tagsets, encoding=encoding, corpus_format=corpus_format)
        except NotFoundError as error:
            raise NotFoundError(
                f"the corpora that {stored.name} was trained on were not found ({error}): name a CORPUS"
            ) from error


def _split(corpus: Corpus, name: str) -> tuple[str, tuple[Sentence, ...]]:
    """The name and the sentences of a split; of the first one that has sentences for `auto`."""
    splits = {"test": corpus.test, "dev": corpus.dev, "train": corpus.train}
    filled = [split for split, sentences in splits.items() if sentences]
    name = filled[0] if name == "auto" else name
    if name not in filled:
        raise DataError(f"{corpus.name} has no {name} split: it has {', '.join(filled)}")
    return name, splits[name]


def _print_report(tables: Iterable[Table], signatures: Iterable[str]) -> None:
    """Print tables and signatures. A table of many columns is left out if it is wider than the terminal."""
    console = stdout()
    unbounded = console.options.update(max_width=100_000)
    for each in tables:
        table = new_table(*map(cell, each.columns), title=cell(each.title) or None, numbers=[*map(cell, each.numbers)])
        for row in each.rows:
            table.add_row(*map(cell, row))
        fits = Measurement.get(console, unbounded, table).maximum <= console.width
        if fits or not console.is_terminal or len(each.columns) <= _FOLDABLE_COLUMNS:
            print_table(table)
    for signature in signatures:
        console.print(cell(signature))
