"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from rnntag.config import Activation, CorpusFormat, Input

INPUT = "Input"
NETWORK = "Network"
RUN = "Training"

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
InputOption = Annotated[
    Input,
    typer.Option(help="Word and character embeddings, or the bare one-hot word.", rich_help_panel=NETWORK),
]
ActivationOption = Annotated[Activation, typer.Option(help="Of the plain rnn.", rich_help_panel=NETWORK)]
UnidirectionalOption = Annotated[
    bool, typer.Option("--unidirectional", help="Read from the left only.", rich_help_panel=NETWORK)
]
FeedbackOption = Annotated[
    bool,
    typer.Option(
        "--feedback",
        help="Let the tag probabilities of a word into the hidden layer at the next one.",
        rich_help_panel=NETWORK,
    ),
]
LayersOption = Annotated[int, typer.Option(rich_help_panel=NETWORK, help="Recurrent layers.")]
HiddenOption = Annotated[int, typer.Option(rich_help_panel=NETWORK, help="Hidden units a direction.")]
EpochsOption = Annotated[int, typer.Option(rich_help_panel=RUN, help="Passes over the data, at most.")]
LearningRateOption = Annotated[float, typer.Option(rich_help_panel=RUN, help="First learning rate (Adam); falls to 0.")]
MaxGradNormOption = Annotated[float, typer.Option(rich_help_panel=RUN, help="Largest gradient norm; 0: any.")]
BpttOption = Annotated[
    int,
    typer.Option(rich_help_panel=RUN, help="Words that an error is propagated through; 0: the whole sentence."),
]
DropoutOption = Annotated[float, typer.Option(rich_help_panel=RUN, help="Share of units dropped.")]
SeedOption = Annotated[int, typer.Option(rich_help_panel=RUN, help="The same seed gives the same model.")]
TrainingCorpusOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="SPEC",
        help="An NLTK corpus (see `rnntag corpora`), a file, folder or glob of .conllu files, a file in another "
        "format (see --corpus-format), or what a model has tagged with --format jsonl --top; compressed or not. May be "
        "repeated.",
        show_default="treebank, sinica_treebank",
    ),
]
TrainingCorpusArgument = Annotated[
    list[str] | None, typer.Argument(metavar="SPEC", help="As --corpus.", show_default=False)
]


def given(context: typer.Context) -> list[str]:
    """The parameters that stand on the command line."""
    sources = {name: context.get_parameter_source(name) for name in context.params}
    return [name for name, source in sources.items() if source and source.name == "COMMANDLINE"]
