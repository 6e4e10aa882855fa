"""`rnntag train`."""

from __future__ import annotations

import shlex
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rnntag import console
from rnntag.cli.options import (
    NETWORK,
    RUN,
    ActivationOption,
    BpttOption,
    ClipOption,
    CorpusFormatOption,
    DropoutOption,
    EncodingOption,
    EpochsOption,
    FeedbackOption,
    HiddenOption,
    InputOption,
    LayersOption,
    LearningRateOption,
    SeedOption,
    TagsetOption,
    TrainingCorpusArgument,
    TrainingCorpusOption,
    UnidirectionalOption,
)
from rnntag.evaluation import percent
from rnntag.schema import (
    Cell,
    Corpus,
    CorpusFormat,
    Device,
    ModelConfig,
    NotFoundError,
    SegmenterConfig,
    Step,
    TrainConfig,
    UsageError,
)

if TYPE_CHECKING:
    from rnntag.store import StoredSegmenter
    from rnntag.tagger import Tagger

INTERRUPTED = 130
_MODEL = ModelConfig()
_TRAINING = TrainConfig()
_RECIPE = "Recipe"
_SEGMENTER = "Segmenter"
_SEGMENTER_DEFAULTS = SegmenterConfig()


def train(
    context: typer.Context,
    spec: TrainingCorpusArgument = None,
    corpus: TrainingCorpusOption = None,
    tagset: TagsetOption = "universal",
    encoding: EncodingOption = "utf-8",
    corpus_format: CorpusFormatOption = "auto",
    out: Annotated[Path | None, typer.Option(help="Where the model goes.", show_default="models/CELL")] = None,
    cell: Annotated[Cell, typer.Option(help="The recurrent cell.", rich_help_panel=NETWORK)] = "lstm",
    input: InputOption = "embedding",
    activation: ActivationOption = "tanh",
    unidirectional: UnidirectionalOption = False,
    feedback: FeedbackOption = False,
    layers: LayersOption = _MODEL.layers,
    hidden: HiddenOption = _MODEL.hidden,
    embedding_dim: Annotated[int, typer.Option(rich_help_panel=NETWORK, help="Of a word.")] = _MODEL.embedding_dim,
    char_dim: Annotated[int, typer.Option(rich_help_panel=NETWORK, help="Of a character.")] = _MODEL.char_dim,
    char_hidden: Annotated[
        int, typer.Option(rich_help_panel=NETWORK, help="Hidden units of the character RNN a direction.")
    ] = _MODEL.char_hidden,
    epochs: EpochsOption = _TRAINING.epochs,
    max_minutes: Annotated[
        float, typer.Option(rich_help_panel=RUN, help="End within this time; 0: no limit.")
    ] = _TRAINING.max_minutes,
    patience: Annotated[
        int, typer.Option(rich_help_panel=RUN, help="Stop after so many epochs without a better dev accuracy.")
    ] = _TRAINING.patience,
    batch_tokens: Annotated[
        int, typer.Option(rich_help_panel=RUN, help="Tokens a batch, at most.")
    ] = _TRAINING.batch_tokens,
    lr: LearningRateOption = _TRAINING.lr,
    clip: ClipOption = _TRAINING.clip,
    bptt: BpttOption = _TRAINING.bptt,
    gold_feedback: Annotated[
        float,
        typer.Option(rich_help_panel=RUN, help="Share of the words whose gold tag is fed back at first; falls to 0."),
    ] = _TRAINING.gold_feedback,
    dropout: DropoutOption = _TRAINING.dropout,
    word_dropout: Annotated[
        float, typer.Option(rich_help_panel=RUN, help="How readily a rare word is taken for unknown.")
    ] = _TRAINING.word_dropout,
    min_count: Annotated[
        int, typer.Option(rich_help_panel=RUN, help="Rarer words have no embedding of their own.")
    ] = _TRAINING.min_count,
    vectors: Annotated[
        list[Path] | None,
        typer.Option(rich_help_panel=RUN, help="Pretrained word vectors as text (word2vec, GloVe). May be repeated."),
    ] = None,
    vector_words: Annotated[
        int, typer.Option(rich_help_panel=RUN, help="How many of their words get a row though the corpora lack them.")
    ] = _TRAINING.vector_words,
    balance: Annotated[
        float,
        typer.Option(
            rich_help_panel=RUN, help="Meet small corpora oftener: (tokens of the largest / tokens)^balance an epoch."
        ),
    ] = _TRAINING.balance,
    vary: Annotated[
        float,
        typer.Option(
            rich_help_panel=RUN,
            help="Share of the sentences met in other writing: lower case, capitals, headlines, without final "
            "punctuation, two in a line, one word.",
        ),
    ] = _TRAINING.vary,
    fold: Annotated[
        bool, typer.Option("--fold", rich_help_panel=RUN, help="Read traditional Chinese as simplified (OpenCC).")
    ] = _TRAINING.fold,
    tensorboard: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            rich_help_panel=RUN,
            help="Log loss, gradient norm and dev accuracies for TensorBoard, if that is installed.",
            show_default=False,
        ),
    ] = None,
    segmenter: Annotated[
        bool,
        typer.Option(
            "--segmenter",
            rich_help_panel=_SEGMENTER,
            help="Learn to find words and sentences in running text too, from CoNLL-U with SpaceAfter=No or from "
            "spaCy's documents.",
        ),
    ] = False,
    add_segmenter: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            rich_help_panel=_SEGMENTER,
            help="Learn only that, for a model that is there, and put it into it or, with --out, into a copy.",
            show_default=False,
        ),
    ] = None,
    segmenter_hidden: Annotated[
        int, typer.Option(rich_help_panel=_SEGMENTER, help="Its hidden units a direction.")
    ] = _SEGMENTER_DEFAULTS.hidden,
    segmenter_bigrams: Annotated[
        int,
        typer.Option(
            rich_help_panel=_SEGMENTER,
            help="Rows that pairs of characters share; 0: none.",
        ),
    ] = _SEGMENTER_DEFAULTS.bigrams,
    segmenter_epochs: Annotated[
        int, typer.Option(rich_help_panel=_SEGMENTER, help="Passes over its training data.")
    ] = _SEGMENTER_DEFAULTS.epochs,
    seed: SeedOption = _TRAINING.seed,
    device: Annotated[Device, typer.Option(rich_help_panel=RUN, help="Where to compute.")] = "auto",
    recipe: Annotated[
        Path | None, typer.Option(rich_help_panel=_RECIPE, help="Run the stages of a recipe instead.")
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", rich_help_panel=_RECIPE, help="A variable of the recipe."),
    ] = None,
) -> None:
    """Train a model.

    The model with the best accuracy on the dev parts is kept, and the learning curve with it (see
    `rnntag history`). Ctrl-C stops early and keeps the best so far.

        rnntag train --cell lstm

        rnntag train --corpus 'en_ewt-ud-*.conllu' --out models/ewt

        rnntag train --corpus mine.txt --tagset native --cell gru --epochs 10

        rnntag train --corpus mine.txt --corpus-format underscore
    """
    if recipe or set_:
        _follow(context, recipe, set_ or [])
        return
    segmenting = SegmenterConfig(hidden=segmenter_hidden, bigrams=segmenter_bigrams, epochs=segmenter_epochs, seed=seed)
    from rnntag import card, history, onnx_graph, store, tensorboard_log

    if add_segmenter:
        source = _segmenter_target(context, add_segmenter)
        out = out or source
        store.check_target(out)
        specs, _, loaded = training_corpora(corpus, spec, tagset, encoding, corpus_format)
        model = replace(store.read(source), name=out.resolve().name)
        model = replace(model, segmenter=_trained_segmenter(loaded, specs, segmenting, fold))
        store.write(out, model, card.with_segmenter(store.read_card(source), model))
        console.note(
            f"saved {out}; next: {shlex.join(['rnntag', 'tag', '--model', str(out), 'I can swim. 我吃苹果。'])}"
        )
        return
    out = out or Path("models") / cell
    store.check_target(out)
    if tensorboard:
        tensorboard_log.prepare(tensorboard)
    config = ModelConfig(
        cell=cell, activation=activation, input=input, bidirectional=not unidirectional, feedback=feedback,
        layers=layers, hidden=hidden, embedding_dim=embedding_dim, char_dim=char_dim, char_hidden=char_hidden,
    )  # fmt: skip
    run = TrainConfig(
        epochs=epochs, batch_tokens=batch_tokens, lr=lr, clip=clip, bptt=bptt, gold_feedback=gold_feedback,
        dropout=dropout, word_dropout=word_dropout, min_count=min_count, vectors=tuple(map(str, vectors or [])),
        vector_words=vector_words, balance=balance, vary=vary, fold=fold, patience=patience, seed=seed, device=device,
        max_minutes=max_minutes,
    )  # fmt: skip
    specs, tagsets, loaded = training_corpora(corpus, spec, tagset, encoding, corpus_format)
    found = _trained_segmenter(loaded, specs, segmenting, fold) if segmenter else None
    from rnntag import calibration
    from rnntag.progress import TrainingView
    from rnntag.tagger import Tagger
    from rnntag.tensorboard_log import TensorboardLog
    from rnntag.training import Training

    training = Training(loaded, config, run)
    ends: list[Step] = []
    interrupted = False
    with TrainingView() as view, TensorboardLog(tensorboard) if tensorboard else nullcontext() as log:
        try:
            for step in training.steps():
                if step.dev:
                    ends.append(step)
                view.show(step)
                if log:
                    log.add(step)
        except KeyboardInterrupt:
            interrupted = True
        finally:
            if training.has_model:
                model = training.model(out.resolve().name, specs, tagsets, encoding, corpus_format)
                model = replace(model, graphs=onnx_graph.graphs(model), segmenter=found, history=history.write(ends))
                store.write(out, model, card.write(model))
    if not training.has_model:
        console.error("interrupted before the first epoch ended: there is nothing to keep")
        raise typer.Exit(INTERRUPTED)
    if interrupted:
        console.note("interrupted: the best model so far is kept")
    tagger = Tagger(model)
    dev = [sentence for corpus in loaded for sentence in corpus.dev]
    provenance = replace(model.provenance, test=_test_accuracy(tagger, loaded))
    model = replace(model, provenance=provenance, temperatures=calibration.temperatures(tagger, dev))
    store.write(out, model, card.write(model))
    test = "  ".join(f"{name} {percent(accuracy)}" for name, accuracy in model.provenance.test.items())
    console.note(f"test {test or '(no test part)'}")
    example = next(" ".join(corpus.dev[0].tokens[:6]) for corpus in loaded if corpus.dev)
    console.note(f"saved {out}; next: {shlex.join(['rnntag', 'tag', '--model', str(out), example])}")
    if interrupted:
        raise typer.Exit(INTERRUPTED)


def _trained_segmenter(
    loaded: list[Corpus], specs: tuple[str, ...], config: SegmenterConfig, fold: bool
) -> StoredSegmenter:
    from rnntag import folding
    from rnntag.progress import TrainingView
    from rnntag.segmenter_training import SegmenterTraining

    training = SegmenterTraining(loaded, config, folding.table() if fold else ("", ""))
    with TrainingView() as view:
        view.note("training the segmenter")
        for step in training.steps():
            view.show(step)
    assert training.segmenter
    return replace(training.segmenter, specs=specs)


def _segmenter_target(context: typer.Context, name: str) -> Path:
    """The model to add one to, once nothing speaks against it."""
    from rnntag import store

    allowed = {"add_segmenter", "spec", "corpus", "encoding", "corpus_format", "fold", "seed", "out"}
    others = [name for name in _given(context) if name not in allowed and not name.startswith("segmenter_")]
    if others:
        raise UsageError(f"--add-segmenter leaves the tagger as it is: leave out {_options(others)}")
    path = store.find(name)
    store.read(path)
    return path


def _given(context: typer.Context) -> list[str]:
    """The parameters that stand on the command line."""
    sources = {name: context.get_parameter_source(name) for name in context.params}
    return [name for name, source in sources.items() if source and source.name == "COMMANDLINE"]


def _options(names: list[str]) -> str:
    return ", ".join(name.replace("_", "-") for name in names)


def _follow(context: typer.Context, path: Path | None, assignments: list[str]) -> None:
    """Run the stages of a recipe that are not done."""
    from rnntag import recipe

    if path is None:
        raise UsageError("--set gives a value to a variable of a recipe: name that with --recipe")
    if others := [name for name in _given(context) if name not in ("recipe", "set_")]:
        raise UsageError(f"a recipe brings its own settings: leave out {_options(others)}, or --set its variables")
    variables = {}
    for assignment in assignments:
        name, equals, variables[name] = assignment.partition("=")
        if not (name and equals):
            raise UsageError(f"--set {assignment}: it must be NAME=VALUE")
    stages = recipe.read(path, variables)
    for number, stage in enumerate(stages, 1):
        where = f"stage {number} of {len(stages)}"
        if stage.makes.exists():
            console.note(f"{where}: {stage.makes} is there")
        else:
            console.note(f"{where}: {shlex.join(stage.command)}")
            stage.run()


def _test_accuracy(tagger: Tagger, loaded: list[Corpus]) -> dict[str, float]:
    """By corpus, over all of its tagsets."""
    from rnntag.measurement import measure, pooled

    return {
        corpus.name: pooled(report for _, _, report in measure(tagger, corpus.name, corpus.test))[0]
        for corpus in loaded
        if corpus.test
    }


def training_corpora(
    corpus: list[str] | None, spec: list[str] | None, tagset: str, encoding: str, corpus_format: CorpusFormat
) -> tuple[tuple[str, ...], tuple[str, ...], list[Corpus]]:
    """What the options ask for: names of corpora, tagsets, and the corpora; the starter corpus where
    none are named and NLTK's are not there."""
    from rnntag import corpora
    from rnntag.progress import DownloadView

    named = [*(corpus or []), *(spec or [])]
    tagsets = corpora.TAGSETS if tagset == "both" else (tagset,)
    with DownloadView() as download:
        try:
            chosen = tuple(named or corpora.DEFAULT)
            loaded = corpora.load(chosen, tagsets, encoding=encoding, corpus_format=corpus_format, progress=download)
            return chosen, tagsets, loaded
        except NotFoundError as error:
            if named or tagset != "universal":
                raise
            console.warning(f"{error}")
    console.warning("training on the small starter corpus instead: the model will be a toy")
    return (corpora.STARTER,), tagsets, corpora.load([corpora.STARTER], tagsets)
