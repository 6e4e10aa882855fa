"""A model's card: what it is, what it was trained on, how well it does, how to train it again."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import asdict, fields

from rnntag import effects
from rnntag.config import ModelConfig, SegmenterConfig, TrainConfig, about
from rnntag.evaluation.metrics import percent
from rnntag.model.stored import ModelBundle, StoredSegmenter

_RAW_TEXT = "## Raw text"


def write(model: ModelBundle) -> str:
    """The card as Markdown."""
    config, provenance = model.config, model.provenance
    directions = "bidirectional" if config.bidirectional else "unidirectional"
    tagsets = ", ".join(f"{name} ({len(tags)} tags)" for name, tags in model.vocabulary.tags.items())
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
            "Tokens as the corpora have them. The dev parts chose the epoch, so their figures flatter a little.",
            "",
            f"Trained on {provenance.created} with rnntag {provenance.rnntag} and torch {provenance.torch}: "
            f"{provenance.minutes} minutes to the best epoch, number {provenance.epoch}. Again:",
            "",
            f"    {_command(model)}",
            "",
            "The corpora's licences hold for what a model learned from them; see `rnntag corpora`.",
            "",
            *([_raw_text(model, model.segmenter)] if model.segmenter else []),
        ]
    )


def with_segmenter(card: str, model: ModelBundle) -> str:
    """A card that tells of the model's segmenter, and for the rest what it told before."""
    assert model.segmenter
    before, _, rest = card.partition(f"{_RAW_TEXT}\n")
    following = re.search("^## ", rest, re.MULTILINE)
    sections = [before, _raw_text(model, model.segmenter), rest[following.start() :] if following else ""]
    return "\n\n".join(section.strip() for section in sections if section.strip()) + "\n"


def _raw_text(model: ModelBundle, segmenter: StoredSegmenter) -> str:
    """How well its segmenter does, and how to train that again."""
    figures = [
        f"| {name} | {percent(found['words'])} | {percent(found['sentences'])} |"
        for name, found in segmenter.dev.items()
    ]
    config = segmenter.config
    words = ["rnntag", "train-segmenter", f"models/{model.name}", *segmenter.specs, *_options(config, ("seed",))]
    words += ["--simplify-chinese"] * any(segmenter.units.char_map)
    return "\n".join(
        [
            _RAW_TEXT,
            "",
            f"A bidirectional LSTM of {config.hidden} units a direction finds words and sentences in it.",
            "",
            "| dev part | words F1 | sentences F1 |",
            "| --- | ---: | ---: |",
            *figures,
            "",
            "Trained again by",
            "",
            f"    {shlex.join([*words, '--seed', f'{config.seed}'])}",
            "",
        ]
    )


def _command(model: ModelBundle) -> str:
    provenance = model.provenance
    words = ["rnntag", "train", *provenance.specs]
    if provenance.tagsets != ("universal",):
        words += ["--tagset", "both" if len(provenance.tagsets) > 1 else provenance.tagsets[0]]
    if provenance.encoding != "utf-8":
        words += ["--encoding", provenance.encoding]
    if provenance.corpus_format != "auto":
        words += ["--corpus-format", provenance.corpus_format]
    # Its segmenter has a command of its own.
    idle = effects.without_effect(asdict(model.config) | asdict(model.training))
    words += [*_options(model.config, idle), *_options(model.training, ("device", *idle))]
    return shlex.join([*words, "--no-segmenter", "--out", f"models/{model.name}"])


def _options(config: ModelConfig | TrainConfig | SegmenterConfig, without: Iterable[str]) -> Iterator[str]:
    """Every option, because a later version may have other defaults."""
    for setting in fields(config):
        known, value = about(setting), getattr(config, setting.name)
        if not known.help or setting.name in without:
            continue
        option = f"--{setting.name.replace('_', '-')}"
        if isinstance(value, bool):
            yes, _, no = (known.flags or option).partition("/")
            yield from [yes if value else no] * (value != setting.default)
            continue
        for each in value if isinstance(value, tuple) else [value]:
            yield from (option, f"{each}")
