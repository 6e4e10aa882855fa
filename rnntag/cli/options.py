"""Options that several commands share, and those that are settings of `config`."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import fields
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from rnntag.config import CorpusFormat, about

INPUT = "Input"

ModelOption = Annotated[
    str, typer.Option("--model", "-m", envvar="RNNTAG_MODEL", help="A model's name (see `rnntag models`) or directory.")
]
EncodingOption = Annotated[str, typer.Option(rich_help_panel=INPUT, help="Encoding of the input.")]
CorpusFormatOption = Annotated[
    CorpusFormat,
    typer.Option(
        metavar="FORMAT",
        rich_help_panel=INPUT,
        help="Of files that are not called .conllu: slash (word/TAG), underscore (word_TAG), tsv (a token and its tag "
        "a line, as TreeTagger writes), spacy (Doc.to_json() a line), jsonl (what a model has tagged) or conllu; auto: "
        "tsv for .tsv, .vert and .vrt, spacy or jsonl for .jsonl, else slash.",
    ),
]
ForceOption = Annotated[bool, typer.Option("--force", help="Replace what is at --out already.")]
Fp32Option = Annotated[
    bool, typer.Option("--fp32", help="Compute in 32 bits: slower, but exactly what torch computes.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]

TagsetOption = Annotated[
    Literal["universal", "native", "both"],
    typer.Option(help="Universal tags, the corpora's own, or a head for each."),
]
TrainingCorpusOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="CORPUS",
        help="An NLTK corpus (see `rnntag corpora`), a file, folder or glob of .conllu files, a file in another "
        "format (see --corpus-format), or what a model has tagged with --format jsonl --top; compressed or not. May be "
        "repeated.",
        show_default="treebank, sinica_treebank",
    ),
]
TrainingCorpusArgument = Annotated[
    list[str] | None, typer.Argument(metavar="CORPUS...", help="As --corpus.", show_default=False)
]


ResumeOption = Annotated[
    bool | None,
    typer.Option(
        "--resume/--restart", help="Continue the unfinished run at --out, or start it again.", show_default=False
    ),
]
CheckpointOption = Annotated[
    float, typer.Option(metavar="MINUTES", min=0, help="Also checkpoint every N minutes (0: only after epochs).")
]


def settings_of(config: type, *names: str, prefix: str = "", **defaults: Any) -> list[inspect.Parameter]:
    """Options for the fields of a dataclass of `config`.

    Args:
        names: of the fields; all that have a help if there are none.
        prefix: of the options' names.
        defaults: where they are others than the fields'.
    """
    chosen = [
        setting for setting in fields(config) if about(setting).help and setting.name in (names or {setting.name})
    ]
    parameters = []
    for setting in chosen:
        known, default = about(setting), defaults.get(setting.name, setting.default)
        kind: Any = Literal[known.choices] if known.choices else type(default)
        if isinstance(default, tuple):
            kind, default = list[Path] | None, None
        name = prefix + setting.name
        flags = known.flags or f"--{name.replace('_', '-')}"
        option = typer.Option(flags, help=known.help, rich_help_panel=known.group)
        annotation = Annotated[kind, option]
        parameters.append(
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
        )
    return parameters


def with_settings(*settings: list[inspect.Parameter]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command these options in the place of its `**options`."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        own = inspect.signature(command, eval_str=True).parameters.values()
        named = [p.replace(kind=p.KEYWORD_ONLY) for p in own if p.kind is not p.VAR_KEYWORD]
        signature = inspect.Signature([*named, *(parameter for group in settings for parameter in group)])

        @wraps(command)
        def run(**options: Any) -> None:
            command(**options)

        run.__signature__ = signature  # type: ignore[attr-defined]
        run.__annotations__ = {name: parameter.annotation for name, parameter in signature.parameters.items()}
        return run

    return decorate


def given(context: typer.Context) -> dict[str, Any]:
    """The parameters that stand on the command line, with their values."""
    sources = {name: context.get_parameter_source(name) for name in context.params}
    return {n: context.params[n] for n, source in sources.items() if source and source.name == "COMMANDLINE"}
