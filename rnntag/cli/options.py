"""Options that several commands share, and options made from the settings in `config`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from rnntag.cli import completion
from rnntag.config import CorpusFormat, LexiconMode, about

INPUT = "Input"
LEXICON = "Custom words"

_MODEL_HELP = "A model's name (see `rnntag models`) or directory."
ModelOption = Annotated[
    str,
    typer.Option("--model", "-m", envvar="RNNTAG_MODEL", autocompletion=completion.models, help=_MODEL_HELP),
]
ModelArgument = Annotated[str, typer.Argument(metavar="MODEL", autocompletion=completion.models, help=_MODEL_HELP)]
EncodingOption = Annotated[
    str, typer.Option(rich_help_panel=INPUT, help="Encoding of the input; auto: guessed for each file.")
]
CorpusFormatOption = Annotated[
    CorpusFormat,
    typer.Option(
        metavar="FORMAT",
        rich_help_panel=INPUT,
        help="Format of files not named .conllu: slash (word/TAG), underscore (word_TAG), tsv (one token and its tag "
        "per line, as in TreeTagger's output), spacy (one Doc.to_json() object per line), jsonl (output of `rnntag "
        "tag`) or conllu. auto: tsv for .tsv, .vert and .vrt, spacy or jsonl for .jsonl, else slash.",
    ),
]
ForceOption = Annotated[bool, typer.Option("--force", help="Replace what exists at --out.")]
Fp32Option = Annotated[bool, typer.Option("--fp32", help="Compute in 32 bits: slower, same results as PyTorch.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]

LexiconOption = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="FILE",
        rich_help_panel=LEXICON,
        help="Your own words, to be found in raw text: one word per line, optionally with its frequency (ignored) and "
        "the only tags that it may get (NOUN,VERB). May be repeated.",
    ),
]
LexiconModeOption = Annotated[
    LexiconMode,
    typer.Option(
        rich_help_panel=LEXICON,
        help="prefer: these words are more likely to be found; force: always found; where words overlap, the longest "
        "wins.",
    ),
]
TagsetOption = Annotated[
    Literal["universal", "native", "both"],
    typer.Option(help="Universal tags, the corpora's own tags, or both."),
]
TrainingCorpusOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="CORPUS",
        autocompletion=completion.corpora,
        help="An NLTK corpus (see `rnntag corpora`); a file, directory or glob of .conllu files; a file in another "
        "format (see --corpus-format); or output of `rnntag tag --format jsonl --top K`. Files may be compressed. May "
        "be repeated.",
        show_default="treebank, sinica_treebank",
    ),
]
TrainingCorpusArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="CORPUS...", autocompletion=completion.corpora, help="Same as --corpus.", show_default=False
    ),
]


ResumeOption = Annotated[
    bool | None,
    typer.Option(
        "--resume/--restart", help="Continue the unfinished run at --out, or start it over.", show_default=False
    ),
]
CheckpointOption = Annotated[
    float, typer.Option(metavar="X", min=0, help="Also checkpoint every X minutes (0: only after epochs).")
]


_METAVARS = {int: "N", float: "X"}
"""What the help calls a number."""


def settings_of(
    config: type, *names: str, prefix: str = "", helps: Mapping[str, str] | None = None, **defaults: Any
) -> list[inspect.Parameter]:
    """Options for the fields of a dataclass of `config`.

    Args:
        names: of the fields; without names, all fields that have a help.
        prefix: of the options' names.
        helps: that differ from the fields'.
        defaults: that differ from the fields'.
    """
    chosen = [
        setting for setting in fields(config) if about(setting).help and setting.name in (names or {setting.name})
    ]
    starts = "init" in [setting.name for setting in chosen]
    parameters = []
    for setting in chosen:
        known, default = about(setting), defaults.get(setting.name, setting.default)
        kind: Any = Literal[known.choices] if known.choices else type(default)
        if isinstance(default, tuple):
            kind, default = list[Path] | None, None
        name = prefix + setting.name
        flags = known.flags or f"--{name.replace('_', '-')}"
        shown = (
            f"{default}; with --init {known.with_init}" if known.with_init and starts else bool(default) or default == 0
        )
        option = typer.Option(
            flags,
            metavar=known.metavar or _METAVARS.get(kind),
            autocompletion=completion.models if known.metavar == "MODEL" else None,
            help=(helps or {}).get(setting.name, known.help),
            rich_help_panel=known.group,
            show_default=shown,
        )
        annotation = Annotated[kind, option]
        parameters.append(
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
        )
    return parameters


def with_settings(*settings: list[inspect.Parameter]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Replace a command's `**options` by these options."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        parameters = inspect.signature(command, eval_str=True).parameters.values()
        named = [p.replace(kind=p.KEYWORD_ONLY) for p in parameters if p.kind is not p.VAR_KEYWORD]
        signature = inspect.Signature([*named, *(parameter for group in settings for parameter in group)])

        @wraps(command)
        def run(**options: Any) -> None:
            command(**options)

        run.__signature__ = signature  # type: ignore[attr-defined]
        run.__annotations__ = {name: parameter.annotation for name, parameter in signature.parameters.items()}
        return run

    return decorate


def given(context: typer.Context) -> dict[str, Any]:
    """The parameters given on the command line, with their values."""
    sources = {name: context.get_parameter_source(name) for name in context.params}
    return {n: context.params[n] for n, source in sources.items() if source and source.name == "COMMANDLINE"}
