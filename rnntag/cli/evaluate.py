"""`rnntag eval`."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from rnntag import __version__, console, evaluation
from rnntag.cli.options import CorpusFormatOption, EncodingOption, JsonOption, ModelOption
from rnntag.schema import DEFAULT_MODEL, Corpus, CorpusFormat, DataError, NotFoundError, Sentence, UsageError

if TYPE_CHECKING:
    from rnntag.store import StoredModel


def evaluate(
    corpus: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="CORPUS",
            help="NLTK corpora, .conllu files, or files in another format (see --corpus-format).",
            show_default="what the model was trained on",
        ),
    ] = None,
    model: ModelOption = DEFAULT_MODEL,
    part: Annotated[
        Literal["auto", "train", "dev", "test"],
        typer.Option(help="Which part; auto: the test part, or all of a file."),
    ] = "auto",
    tagset: Annotated[
        Literal["universal", "native"] | None,
        typer.Option(help="Universal tags, or the corpus's own.", show_default="universal, or as trained"),
    ] = None,
    raw: Annotated[
        bool, typer.Option("--raw", help="Measure words, sentences and tags on the corpora's running text.")
    ] = False,
    encoding: EncodingOption = "utf-8",
    corpus_format: CorpusFormatOption = "auto",
    as_json: JsonOption = False,
) -> None:
    """Measure a model on tagged text.

    Accuracy, also on words that training did not see and on whole sentences; precision, recall
    and F1 of each tag; the commonest confusions; and a line by which two people can tell that
    they measured the same thing.

        rnntag eval en_ewt-ud-dev.conllu zh_gsdsimp-ud-dev.conllu

        rnntag eval treebank --model lstm --json

        rnntag eval --raw en_ewt-ud-dev.conllu
    """
    from rnntag import store

    stored = store.read(store.find(model))
    if raw and not stored.segmenter:
        raise UsageError(f"the model {stored.name} has no segmenter: 'rnntag train --add-segmenter' makes one")
    loaded = _evaluation_corpora(stored, corpus or [], tagset, encoding, corpus_format)
    from rnntag.measurement import measure, measure_raw
    from rnntag.tagger import Tagger

    tagger = Tagger(stored)
    results = []
    for one in loaded:
        chosen, sentences = _part(one, part)
        if raw:
            for head, text, figures in measure_raw(tagger, one.name, sentences):
                signature = _signature(stored, f"text {one.name}/{chosen}:{text}", head)
                fields = {kind: {**asdict(found), "f1": found.f1} for kind, found in figures.items()}
                results.append({"corpus": one.name, "part": chosen, "tagset": head, "signature": signature, **fields})
                if not as_json:
                    console.print_agreement(f"{one.name}, {chosen} part, running text, {head} tags", figures, signature)
            continue
        for head, gold, report in measure(tagger, one.name, sentences):
            signature = _signature(stored, f"corpus {one.name}/{chosen}:{evaluation.fingerprint(gold, head)}", head)
            results.append(
                {"corpus": one.name, "part": chosen, "tagset": head, "signature": signature, **asdict(report)}
            )
            if not as_json:
                console.print_report(f"{one.name}, {chosen} part, {head} tags", report, signature)
    if as_json:
        typer.echo(json.dumps(results, ensure_ascii=False, indent=1))


def _signature(stored: StoredModel, gold: str, tagset: str) -> str:
    return f"rnntag {__version__} | model {stored.name}:{stored.digest} | {gold} | tagset {tagset}"


def _evaluation_corpora(
    stored: StoredModel, specs: list[str], tagset: str | None, encoding: str, corpus_format: CorpusFormat
) -> list[Corpus]:
    """The corpora named, or else those that the model was trained on."""
    from rnntag import corpora
    from rnntag.progress import DownloadView

    with DownloadView() as download:
        if specs:
            return corpora.load(
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
            return corpora.load(
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


def _part(corpus: Corpus, part: str) -> tuple[str, tuple[Sentence, ...]]:
    parts = {"test": corpus.test, "dev": corpus.dev, "train": corpus.train}
    if part == "auto":
        part = next(name for name, sentences in parts.items() if sentences)
    if not parts[part]:
        raise DataError(f"{corpus.name} has no {part} part: it has {', '.join(n for n, s in parts.items() if s)}")
    return part, parts[part]
