"""The command line: parse, call the library, hand what comes back to `console` or `formats`."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from typer.core import TyperGroup

from rnntag import __version__, console, corpora, evaluation, formats
from rnntag.schema import (
    DEFAULT_MODEL,
    AccessError,
    Corpus,
    DataError,
    ModelConfig,
    NotFoundError,
    RnntagError,
    Sentence,
    TrainConfig,
    UsageError,
)
from rnntag.text import ADVICE, line_blocks, open_for_reading

if TYPE_CHECKING:
    from rnntag.tagger import Tagger

# Else torch's threads spin while they wait: beside two busy processes on two cores, training took 40 times as long.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

INTERRUPTED = 130
_UsageError: Any = typer.BadParameter.__base__  # Typer's own, which it does not export
_MODEL = ModelConfig()
_TRAINING = TrainConfig()


class Commands(TyperGroup):
    """Turns every failure into one line and an exit code."""

    def main(self, *args: Any, **options: Any) -> Any:
        try:
            code = super().main(*args, **{**options, "standalone_mode": False})
        except RnntagError as error:
            console.error(str(error))
            code = error.exit_code
        except (KeyboardInterrupt, typer.Abort):
            code = INTERRUPTED
        except OSError as error:
            console.error(f"{error.filename or 'output'}: {error.strerror}")
            code = AccessError.exit_code
        except _UsageError as error:
            console.error(f"{error.format_message()} See '{error.ctx.command_path if error.ctx else 'rnntag'} --help'.")
            code = UsageError.exit_code
        sys.exit(code)

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            # The reader has what it wanted. Python would complain of stdout once more at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            raise typer.Exit from None


app = typer.Typer(
    cls=Commands,
    invoke_without_command=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    help="Tag words with their parts of speech, with recurrent networks.",
    epilog="Exit codes: 0 done, 1 failed, 2 wrong usage, 65 bad input, 66 not found, 74 cannot read or write, "
    "130 interrupted.",
)

ModelOption = Annotated[
    str, typer.Option("--model", "-m", envvar="RNNTAG_MODEL", help="A model's name (see `rnntag models`) or directory.")
]
EncodingOption = Annotated[str, typer.Option(help="Encoding of the input files.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"rnntag {__version__}")
        raise typer.Exit


@app.callback()
def main(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command(rich_help_panel="Use a model")
def tag(
    text: Annotated[
        list[str] | None, typer.Argument(metavar="[TEXT]...", help="Sentences, words parted by spaces.")
    ] = None,
    input_file: Annotated[
        list[Path] | None, typer.Option("--input-file", "-i", help="Read a file, one sentence a line. May be repeated.")
    ] = None,
    model: ModelOption = DEFAULT_MODEL,
    output: Annotated[
        Literal["slash", "tsv", "conllu", "jsonl"] | None,
        typer.Option("--format", "-f", help="word/TAG, a token a line, CoNLL-U or JSON lines.", show_default="slash"),
    ] = None,
    source: Annotated[
        Literal["tokens", "conllu"], typer.Option("--from", help="What the input is written in.")
    ] = "tokens",
    encoding: EncodingOption = "utf-8",
    errors: Annotated[
        Literal["strict", "replace", "ignore"], typer.Option(help="What to do with bytes that are not in the encoding.")
    ] = "strict",
) -> None:
    """Tag TEXT, files or standard input.

    One sentence a line in, one line out, in order; words are parted by white space.

        rnntag tag "我 吃 苹果"

        rnntag tag --format conllu -i text.txt > text.conllu

        cat text.txt | rnntag tag
    """
    if text and input_file:
        raise UsageError("give TEXT or --input-file, not both")
    interactive = not text and not input_file and sys.stdin.isatty()
    if interactive and console.is_watched():
        console.note("Type a sentence, words parted by spaces, and press Enter; end with Ctrl-D.")
    from rnntag import store

    stored = store.read(store.find(model))
    for file in input_file or []:
        os.close(open_for_reading(file))  # before an hour's work on the files before it
    from rnntag.tagger import Tagger

    tagger = Tagger(stored)
    name = output or ("conllu" if source == "conllu" else "slash")
    writer = formats.Writer(name, tagger.tagsets[0])
    emit = _emitter(tagger, writer, coloured=name == "slash" and sys.stdout.isatty())
    if text:
        reader = formats.reader(source, "TEXT")
        emit(list(reader.feed(line for argument in text for line in argument.split("\n"))) + list(reader.finish()))
        return
    advice = f"{ADVICE}, or put a sign in its place with --errors replace"
    sources: list[Path | None] = [*input_file] if input_file else [None]
    for path in sources:
        descriptor = sys.stdin.fileno() if path is None else open_for_reading(path)
        called = "<stdin>" if path is None else str(path)
        reader = formats.reader(source, called)
        for lines in line_blocks(descriptor, called, encoding, errors, advice):
            emit(list(reader.feed(lines)))
        emit(list(reader.finish()))
        if path is not None:
            os.close(descriptor)


def _emitter(tagger: Tagger, writer: formats.Writer, *, coloured: bool) -> Callable[[list[formats.Untagged]], None]:
    """What writes a block of sentences to stdout, each as soon as it is tagged."""
    out = sys.stdout.buffer
    terminal = console.stdout()

    def emit(sentences: list[formats.Untagged]) -> None:
        predicted = tagger.predict([sentence.tokens for sentence in sentences])
        for sentence, tags in zip(sentences, predicted, strict=True):
            if coloured:
                terminal.print(console.coloured(sentence.tokens, tags))
            else:
                out.write(writer.text(sentence, tags).encode("utf-8", "surrogateescape"))
        out.flush()

    return emit


@app.command("eval", rich_help_panel="Use a model")
def evaluate(
    corpus: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[CORPUS]...", help="NLTK names, .conllu or word/TAG files; else what the model was trained on."
        ),
    ] = None,
    model: ModelOption = DEFAULT_MODEL,
    part: Annotated[
        Literal["auto", "train", "dev", "test"],
        typer.Option(help="Which part; auto: the test part, or all of a file."),
    ] = "auto",
    tagset: Annotated[
        Literal["universal", "native"], typer.Option(help="Universal tags, or the corpus's own.")
    ] = "universal",
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
    specs = corpus or list(stored.provenance.specs)
    tagsets = (tagset,) if corpus else stored.provenance.tagsets
    with console.DownloadView() as download:
        loaded = corpora.load(specs, tagsets, whole=bool(corpus), encoding=encoding, progress=download)
    from rnntag.tagger import Tagger

    tagger = Tagger(stored)
    results = []
    for one in loaded:
        chosen, sentences = _part(one, part)
        gold_tagset = _shared_tagset(tagger, one.name, sentences)
        predicted = tagger.predict([sentence.tokens for sentence in sentences], gold_tagset)
        known = [[tagger.has_seen(token) for token in sentence.tokens] for sentence in sentences]
        report = evaluation.evaluate(sentences, gold_tagset, predicted, known)
        signature = (
            f"rnntag {__version__} | model {stored.name}:{stored.digest} | "
            f"corpus {one.name}/{chosen}:{evaluation.fingerprint(sentences, gold_tagset)} | tagset {gold_tagset}"
        )
        results.append({"corpus": one.name, "part": chosen, "signature": signature, **asdict(report)})
        if not as_json:
            console.print_report(f"{one.name}, {chosen} part", report, signature)
    if as_json:
        typer.echo(json.dumps(results, ensure_ascii=False, indent=1))


def _part(corpus: Corpus, part: str) -> tuple[str, tuple[Sentence, ...]]:
    parts = {"test": corpus.test, "dev": corpus.dev, "train": corpus.train}
    if part == "auto":
        part = next(name for name, sentences in parts.items() if sentences)
    if not parts[part]:
        raise DataError(f"{corpus.name} has no {part} part: it has {', '.join(n for n, s in parts.items() if s)}")
    return part, parts[part]


def _shared_tagset(tagger: Tagger, name: str, sentences: tuple[Sentence, ...]) -> str:
    shared = [tagset for tagset in tagger.tagsets if tagset in sentences[0].tags]
    if not shared:
        raise DataError(
            f"{name} is tagged with {', '.join(sentences[0].tags)}, which the model {tagger.model.name} does not know: "
            f"it knows {', '.join(tagger.tagsets)}"
        )
    return shared[0]


_NETWORK = "Network"
_RUN = "Training"


@app.command(rich_help_panel="Make a model")
def train(
    more: Annotated[
        list[str] | None, typer.Argument(metavar="[SPEC]...", help="More corpora.", show_default=False)
    ] = None,
    corpus: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SPEC",
            help="An NLTK corpus (see `rnntag corpora`), a file, folder or glob of .conllu files, or a file of "
            "word/TAG lines. May be repeated.",
            show_default="treebank, sinica_treebank",
        ),
    ] = None,
    tagset: Annotated[
        Literal["universal", "native", "both"],
        typer.Option(help="Universal tags, the corpora's own, or a head for each."),
    ] = "universal",
    encoding: EncodingOption = "utf-8",
    out: Annotated[Path | None, typer.Option(help="Where the model goes.", show_default="models/CELL")] = None,
    cell: Annotated[Literal["rnn", "lstm", "gru"], typer.Option(rich_help_panel=_NETWORK)] = "lstm",
    input: Annotated[
        Literal["embedding", "onehot"],
        typer.Option(help="Word and character embeddings, or the bare one-hot word.", rich_help_panel=_NETWORK),
    ] = "embedding",
    activation: Annotated[
        Literal["tanh", "relu"], typer.Option(help="Of the plain rnn.", rich_help_panel=_NETWORK)
    ] = "tanh",
    unidirectional: Annotated[
        bool, typer.Option("--unidirectional", help="Read from the left only.", rich_help_panel=_NETWORK)
    ] = False,
    layers: Annotated[int, typer.Option(rich_help_panel=_NETWORK, help="Recurrent layers.")] = _MODEL.layers,
    hidden: Annotated[int, typer.Option(rich_help_panel=_NETWORK, help="Hidden units a direction.")] = _MODEL.hidden,
    embedding_dim: Annotated[int, typer.Option(rich_help_panel=_NETWORK, help="Of a word.")] = _MODEL.embedding_dim,
    char_dim: Annotated[int, typer.Option(rich_help_panel=_NETWORK, help="Of a character.")] = _MODEL.char_dim,
    char_hidden: Annotated[
        int, typer.Option(rich_help_panel=_NETWORK, help="Hidden units of the character RNN a direction.")
    ] = _MODEL.char_hidden,
    epochs: Annotated[
        int, typer.Option(rich_help_panel=_RUN, help="Passes over the data, at most.")
    ] = _TRAINING.epochs,
    max_minutes: Annotated[
        float, typer.Option(rich_help_panel=_RUN, help="End within this time; 0: no limit.")
    ] = _TRAINING.max_minutes,
    patience: Annotated[
        int, typer.Option(rich_help_panel=_RUN, help="Stop after so many epochs without a better dev accuracy.")
    ] = _TRAINING.patience,
    batch_tokens: Annotated[int, typer.Option(rich_help_panel=_RUN, help="Tokens a batch.")] = _TRAINING.batch_tokens,
    lr: Annotated[
        float, typer.Option(rich_help_panel=_RUN, help="First learning rate (Adam); falls to 0.")
    ] = _TRAINING.lr,
    clip: Annotated[float, typer.Option(rich_help_panel=_RUN, help="Largest gradient norm; 0: any.")] = _TRAINING.clip,
    dropout: Annotated[float, typer.Option(rich_help_panel=_RUN, help="Share of units dropped.")] = _TRAINING.dropout,
    word_dropout: Annotated[
        float, typer.Option(rich_help_panel=_RUN, help="How readily a rare word is taken for unknown.")
    ] = _TRAINING.word_dropout,
    min_count: Annotated[
        int, typer.Option(rich_help_panel=_RUN, help="Rarer words have no embedding of their own.")
    ] = _TRAINING.min_count,
    seed: Annotated[
        int, typer.Option(rich_help_panel=_RUN, help="The same seed gives the same model.")
    ] = _TRAINING.seed,
    device: Annotated[Literal["auto", "cpu", "cuda"], typer.Option(rich_help_panel=_RUN)] = "auto",
) -> None:
    """Train a model.

    The model with the best accuracy on the dev parts is kept. Ctrl-C stops early and keeps the
    best so far.

        rnntag train --cell lstm

        rnntag train --corpus 'en_ewt-ud-*.conllu' --out models/ewt

        rnntag train --corpus mine.txt --tagset native --cell gru --epochs 10
    """
    from rnntag import card, store

    out = out or Path("models") / cell
    store.check_target(out)
    config = ModelConfig(
        cell=cell, activation=activation, input=input, bidirectional=not unidirectional, layers=layers, hidden=hidden,
        embedding_dim=embedding_dim, char_dim=char_dim, char_hidden=char_hidden,
    )  # fmt: skip
    run = TrainConfig(
        epochs=epochs, batch_tokens=batch_tokens, lr=lr, clip=clip, dropout=dropout, word_dropout=word_dropout,
        min_count=min_count, patience=patience, seed=seed, device=device, max_minutes=max_minutes,
    )  # fmt: skip
    tagsets = corpora.TAGSETS if tagset == "both" else (tagset,)
    specs, loaded = _training_corpora([*(corpus or []), *(more or [])], tagsets, encoding)
    from rnntag.training import Training

    training = Training(loaded, config, run)
    interrupted = False
    with console.TrainingView() as view:
        try:
            for step in training.steps():
                view.show(step)
        except KeyboardInterrupt:
            interrupted = True
    model = training.model(out.name, specs, tagsets)
    store.write(out, model, card.write(model))
    if interrupted:
        console.note("interrupted: the best model so far is kept")
    test = "  ".join(f"{name} {console.percent(accuracy)}" for name, accuracy in model.provenance.test.items())
    console.note(f"test {test or '(no test part)'}")
    example = " ".join(loaded[0].dev[0].tokens[:6])
    console.note(f'saved {out}; next: rnntag tag --model {out} "{example}"')
    if interrupted:
        raise typer.Exit(INTERRUPTED)


def _training_corpora(
    specs: list[str], tagsets: tuple[str, ...], encoding: str
) -> tuple[tuple[str, ...], list[Corpus]]:
    with console.DownloadView() as download:
        try:
            chosen = tuple(specs or corpora.DEFAULT)
            return chosen, corpora.load(chosen, tagsets, encoding=encoding, progress=download)
        except NotFoundError as error:
            if specs:
                raise
            console.warning(f"{error}")
    console.warning("training on the small starter corpus instead: the model will be a toy")
    return (corpora.STARTER,), corpora.load([corpora.STARTER], ("universal",))


@app.command(rich_help_panel="Use a model")
def models(
    name: Annotated[str | None, typer.Argument(help="Show the card of this one.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List the models, or show one's card.

    rnntag models

    rnntag models zh-en
    """
    from rnntag import store

    if name is not None:
        path = store.find(name)
        console.print_card(path, store.read_card(path))
        return
    listed = {found: _summary(path) for found, path in store.available().items()}
    if as_json:
        typer.echo(json.dumps(listed, ensure_ascii=False, indent=1))
    else:
        console.print_models(listed)


def _summary(path: Path) -> dict[str, Any]:
    from rnntag import store

    try:
        stored = store.read(path)
    except RnntagError as error:
        return {"path": str(path), "damaged": str(error)}
    return {
        "path": str(path),
        "digest": stored.digest,
        "megabytes": round(store.megabytes(path), 1),
        "network": asdict(stored.config),
        "tagsets": list(stored.vocabulary.tags),
        "provenance": asdict(stored.provenance),
    }


@app.command("corpora", rich_help_panel="Make a model")
def list_corpora(as_json: JsonOption = False) -> None:
    """List the corpora that rnntag knows by name.

    Sizes, tags, licences, and whether they are on this machine. NLTK fetches one that is missing
    when it is named in `train` or `eval`.

        rnntag corpora

        rnntag corpora --json
    """
    rows = corpora.listing()
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=1))
    else:
        console.print_corpora(rows)
