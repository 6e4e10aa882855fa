"""A model's card: what it is, its training data, its accuracy, and the command that trains it again."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import asdict, fields

from rnntag import effects
from rnntag.config import ModelConfig, PretrainConfig, SegmenterConfig, TrainConfig, about
from rnntag.evaluation.metrics import percent
from rnntag.model.stored import ModelBundle, StoredSegmenter

_RAW_TEXT = "## Raw text"


def write(model: ModelBundle) -> str:
    """The card as Markdown."""
    config, provenance = model.config, model.provenance
    directions = "bidirectional" if config.bidirectional else "unidirectional"
    tagsets = ", ".join(f"{name} ({len(model.vocabulary.tags[name])} tags)" for name in model.tagsets)
    rows = [
        f"| {name} | {sizes['train']:,} | {sizes['dev']:,} | {sizes['test']:,} "
        f"| {percent(provenance.dev.get(name))} | {percent(provenance.test.get(name))} |"
        for name, sizes in provenance.corpora.items()
    ]
    return "\n".join(
        [
            f"# {model.name}",
            "",
            f"A part-of-speech tagger: {directions} {config.cell.upper()}, {config.layers} × {config.hidden}, "
            f"on {config.input} inputs. Tagsets: {tagsets}.",
            "",
            "| corpus | train sentences | dev | test | dev accuracy | test accuracy |",
            "| --- | ---: | ---: | ---: | ---: | ---: |",
            *rows,
            "",
            "Accuracy on the tokens of the corpora. The dev splits chose the epoch, so dev accuracy is optimistic.",
            "",
            *_by_tagset(model),
            f"Trained on {provenance.created} with rnntag {provenance.rnntag} and torch {provenance.torch}: "
            f"{provenance.minutes} minutes to epoch {provenance.epoch}, which was kept. To train it again:",
            "",
            f"    {_command(model)}",
            "",
            *_origin(model),
            "The licences of the corpora apply to models trained on them; see `rnntag corpora`.",
            "",
            *([_raw_text(model, model.segmenter)] if model.segmenter else []),
        ]
    )


def _origin(model: ModelBundle) -> Iterator[str]:
    """The model that training started from, if there is one."""
    if model.provenance.init:
        yield f"Training started from the model {model.provenance.init}, whose card has its corpora and licences."
        yield ""


def _by_tagset(model: ModelBundle) -> Iterator[str]:
    """The accuracy of each tagset, if it is known by tagset."""
    if not model.provenance.by_tagset:
        return
    yield from ("| corpus | tagset | dev accuracy | test accuracy |", "| --- | --- | ---: | ---: |")
    for corpus, tagsets in model.provenance.by_tagset.items():
        for tagset, splits in tagsets.items():
            yield f"| {corpus} | {tagset} | {percent(splits.get('dev'))} | {percent(splits.get('test'))} |"
    yield ""


def with_segmenter(card: str, model: ModelBundle) -> str:
    """A card with the section on the model's segmenter added or replaced."""
    assert model.segmenter
    before, _, rest = card.partition(f"{_RAW_TEXT}\n")
    following = re.search("^## ", rest, re.MULTILINE)
    sections = [before, _raw_text(model, model.segmenter), rest[following.start() :] if following else ""]
    return "\n\n".join(section.strip() for section in sections if section.strip()) + "\n"


def _raw_text(model: ModelBundle, segmenter: StoredSegmenter) -> str:
    """The section on the segmenter: its F1, and the command that trains it again."""
    kinds = ["tokens"] * bool(segmenter.expansions) + ["words", "sentences"]
    figures = [f"| {name} | {' | '.join(percent(f1[kind]) for kind in kinds)} |" for name, f1 in segmenter.dev.items()]
    config = segmenter.config
    words = ["rnntag", "train-segmenter", f"models/{model.name}", *segmenter.specs, *options(config, ("seed",))]
    words += ["--simplify-chinese"] * any(segmenter.units.char_map)
    words += ["--init", config.init, *["--no-keep"] * (not config.keep)] if config.init else []
    return "\n".join(
        [
            _RAW_TEXT,
            "",
            f"The segmenter, a bidirectional LSTM with {config.hidden} units per direction, splits raw text.",
            "",
            *_multiwords(segmenter),
            f"| dev split | {' | '.join(f'{kind} F1' for kind in kinds)} |",
            f"| --- |{' ---: |' * len(kinds)}",
            *figures,
            "",
            "To train it again:",
            "",
            f"    {shlex.join([*words, '--seed', f'{config.seed}'])}",
            "",
        ]
    )


def _multiwords(segmenter: StoredSegmenter) -> Iterator[str]:
    """The languages whose multiword tokens it finds, if there are any."""
    if segmenter.expansions:
        yield f"It finds the multiword tokens of {', '.join(segmenter.expansions)} and gives their words."
        yield ""


def _command(model: ModelBundle) -> str:
    provenance = model.provenance
    words = ["rnntag", "train", *provenance.specs]
    if provenance.tagsets != ("universal",):
        words += ["--tagset", "both" if len(provenance.tagsets) > 1 else provenance.tagsets[0]]
    if provenance.encoding != "utf-8":
        words += ["--encoding", provenance.encoding]
    if provenance.corpus_format != "auto":
        words += ["--corpus-format", provenance.corpus_format]
    # The segmenter has its own command.
    idle = effects.without_effect(asdict(model.config) | asdict(model.training))
    words += [*options(model.config, idle), *options(model.training, ("device", *idle))]
    return shlex.join([*words, "--no-segmenter", "--out", f"models/{model.name}"])


def options(
    config: ModelConfig | PretrainConfig | SegmenterConfig | TrainConfig, without: Iterable[str]
) -> Iterator[str]:
    """All options, because a later version may have other defaults."""
    for setting in fields(config):
        known, value = about(setting), getattr(config, setting.name)
        if not known.help or setting.name in without:
            continue
        option = f"--{setting.name.replace('_', '-')}"
        if isinstance(value, bool):
            yes, _, no = (known.flags or option).partition("/")
            yield from [yes if value else no] * (value != setting.default)
            continue
        for each in value if isinstance(value, tuple) else [value] if value != "" else []:
            yield from (option, f"{each}")
