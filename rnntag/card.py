"""A model's card: what it is, what it was trained on, how well it does, how to train it again."""

from __future__ import annotations

import shlex
from dataclasses import asdict

from rnntag.evaluation import percent
from rnntag.store import StoredModel

_NOT_OPTIONS = ("bidirectional", "device")


def write(model: StoredModel) -> str:
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
            *_running_text(model),
            "Tokens as the corpora have them. The dev parts chose the epoch, so their figures flatter a little.",
            "",
            f"Trained on {provenance.created} with rnntag {provenance.rnntag} and torch {provenance.torch}: "
            f"{provenance.minutes} minutes to the best epoch, number {provenance.epoch}. Again:",
            "",
            f"    {_command(model)}",
            "",
            "The corpora's licences hold for what a model learned from them; see `rnntag corpora`.",
            "",
        ]
    )


def _running_text(model: StoredModel) -> list[str]:
    """How well its segmenter does, if it has one."""
    if model.segmenter is None:
        return []
    figures = [
        f"| {name} | {percent(found['words'])} | {percent(found['sentences'])} |"
        for name, found in model.segmenter.dev.items()
    ]
    head = ["| running text of the dev part | words F1 | sentences F1 |", "| --- | ---: | ---: |"]
    return ["It finds words and sentences in running text:", "", *head, *figures, ""]


def _command(model: StoredModel) -> str:
    words = ["rnntag", "train"]
    for spec in model.provenance.specs:
        words += ["--corpus", spec]
    if model.provenance.tagsets != ("universal",):
        words += ["--tagset", "both" if len(model.provenance.tagsets) > 1 else model.provenance.tagsets[0]]
    # Every option, for a later version may have other defaults.
    for name, value in (asdict(model.config) | asdict(model.training)).items():
        option = f"--{name.replace('_', '-')}"
        if isinstance(value, bool):
            words += [option] * (value and name not in _NOT_OPTIONS)
        elif name not in _NOT_OPTIONS:
            for one in value if isinstance(value, tuple) else [value]:
                words += [option, f"{one}"]
    if model.segmenter:
        config = model.segmenter.config
        words += ["--segmenter", "--segmenter-hidden", f"{config.hidden}", "--segmenter-bigrams", f"{config.bigrams}"]
    if model.provenance.encoding != "utf-8":
        words += ["--encoding", model.provenance.encoding]
    if not model.config.bidirectional:
        words.append("--unidirectional")
    return shlex.join([*words, "--out", f"models/{model.name}"])
