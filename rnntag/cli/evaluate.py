"""`rnntag eval`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from rnntag import __version__, console, evaluation
from rnntag.cli.options import EncodingOption, JsonOption, ModelOption
from rnntag.schema import DEFAULT_MODEL, Corpus, DataError, NotFoundError, Report, Sentence, UsageError

if TYPE_CHECKING:
    from rnntag.store import StoredModel
    from rnntag.tagger import Tagger


def evaluate(
    corpus: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="CORPUS",
            help="NLTK corpora, .conllu or word/TAG files.",
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
    encoding: EncodingOption = "utf-8",
    as_json: JsonOption = False,
) -> None:
    """Measure a model on tagged text.

    Accuracy, also on words that training did not see and on whole sentences; precision, recall
    and F1 of each tag; the commonest confusions; and a line by which two people can tell that
    they measured the same thing.

        rnntag eval en_ewt-ud-dev.conllu zh_gsdsimp-ud-dev.conllu

        rnntag eval treebank --model lstm --json
    """
    from rnntag import store

    stored = store.read(store.find(model))
    loaded = _evaluation_corpora(stored, corpus or [], tagset, encoding)
    from rnntag.tagger import Tagger

    tagger = Tagger(stored)
    results = []
    for one in loaded:
        chosen, sentences = _part(one, part)
        for head, gold, report in measure(tagger, one.name, sentences):
            signature = (
                f"rnntag {__version__} | model {stored.name}:{stored.digest} | "
                f"corpus {one.name}/{chosen}:{evaluation.fingerprint(gold, head)} | tagset {head}"
            )
            results.append(
                {"corpus": one.name, "part": chosen, "tagset": head, "signature": signature, **asdict(report)}
            )
            if not as_json:
                console.print_report(f"{one.name}, {chosen} part, {head} tags", report, signature)
    if as_json:
        typer.echo(json.dumps(results, ensure_ascii=False, indent=1))


def measure(tagger: Tagger, name: str, sentences: tuple[Sentence, ...]) -> Iterator[tuple[str, list[Sentence], Report]]:
    """For each tagset that the model and the corpus share: the model's name for it, the sentences
    that have it, and how well the model does on them.

    Raises:
        DataError: they share none.
    """
    for tagset, head in _shared_tagsets(tagger, name, sentences):
        gold = [Sentence(s.tokens, {head: s.tags[tagset]}) for s in sentences if tagset in s.tags]
        likeliest = tagger.predict([sentence.tokens for sentence in gold], head, top=1)
        predicted = [[choices[0][0] for choices in sentence] for sentence in likeliest]
        confidences = [[choices[0][1] for choices in sentence] for sentence in likeliest]
        known = [[tagger.has_seen(token) for token in sentence.tokens] for sentence in gold]
        yield head, gold, evaluation.evaluate(gold, head, predicted, known, confidences)


def _evaluation_corpora(stored: StoredModel, specs: list[str], tagset: str | None, encoding: str) -> list[Corpus]:
    """The corpora named, or else those that the model was trained on."""
    from rnntag import corpora
    from rnntag.progress import DownloadView

    with DownloadView() as download:
        if specs:
            return corpora.load(specs, (tagset or "universal",), whole=True, encoding=encoding, progress=download)
        provenance = stored.provenance
        if not provenance.specs:
            raise UsageError(f"the model {stored.name} does not tell what it was trained on: name a CORPUS")
        tagsets = (tagset,) if tagset else provenance.tagsets
        try:
            return corpora.load(provenance.specs, tagsets, encoding=provenance.encoding, progress=download)
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


def _shared_tagsets(tagger: Tagger, name: str, sentences: tuple[Sentence, ...]) -> list[tuple[str, str]]:
    """The gold tagsets that the model can be measured on, each with the head for it.

    That is the head of the same name, or else one that has all of the gold tags.
    """
    gold: dict[str, set[str]] = {}
    for sentence in sentences:
        for tagset, tags in sentence.tags.items():
            gold.setdefault(tagset, set()).update(tags)
    shared = []
    for tagset, inventory in gold.items():
        heads = [head for head in tagger.tagsets if inventory <= set(tagger.model.vocabulary.tags[head])]
        if tagset in tagger.tagsets or heads:
            shared.append((tagset, tagset if tagset in tagger.tagsets else heads[0]))
    if not shared:
        raise DataError(
            f"{name} is tagged with {', '.join(gold)}, which the model {tagger.model.name} does not know: "
            f"it knows {', '.join(tagger.tagsets)}"
        )
    return shared
