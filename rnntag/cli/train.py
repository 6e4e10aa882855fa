"""`rnntag train`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rnntag import effects
from rnntag.cli.options import (
    NETWORK,
    RUN,
    ActivationOption,
    BpttOption,
    CorpusFormatOption,
    DropoutOption,
    EncodingOption,
    EpochsOption,
    FeedbackOption,
    ForceOption,
    HiddenOption,
    InputOption,
    LayersOption,
    LearningRateOption,
    MaxGradNormOption,
    SeedOption,
    TagsetOption,
    TrainingCorpusArgument,
    TrainingCorpusOption,
    UnidirectionalOption,
    given,
)
from rnntag.config import Cell, CorpusFormat, Device, ModelConfig, SegmenterConfig, TrainConfig
from rnntag.errors import NotFoundError, UsageError
from rnntag.sentences import Corpus
from rnntag.terminal import console

if TYPE_CHECKING:
    from rnntag.training.checkpoint import Checkpoint, Settings

_MODEL = ModelConfig()
_TRAINING = TrainConfig()
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
    force: ForceOption = False,
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
        float, typer.Option(rich_help_panel=RUN, help="Stop training the tagger after this time; 0: no limit.")
    ] = _TRAINING.max_minutes,
    patience: Annotated[
        int, typer.Option(rich_help_panel=RUN, help="Stop after so many epochs without a better dev accuracy.")
    ] = _TRAINING.patience,
    batch_tokens: Annotated[
        int, typer.Option(rich_help_panel=RUN, help="Tokens a batch, at most.")
    ] = _TRAINING.batch_tokens,
    lr: LearningRateOption = _TRAINING.lr,
    max_grad_norm: MaxGradNormOption = _TRAINING.max_grad_norm,
    bptt: BpttOption = _TRAINING.bptt,
    teacher_forcing: Annotated[
        float,
        typer.Option(rich_help_panel=RUN, help="Share of the words whose gold tag is fed back at first; falls to 0."),
    ] = _TRAINING.teacher_forcing,
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
    extra_vector_words: Annotated[
        int, typer.Option(rich_help_panel=RUN, help="How many of their words get a row though the corpora lack them.")
    ] = _TRAINING.extra_vector_words,
    upsample: Annotated[
        float,
        typer.Option(
            rich_help_panel=RUN, help="Meet small corpora oftener: (tokens of the largest / tokens)^upsample an epoch."
        ),
    ] = _TRAINING.upsample,
    augment: Annotated[
        float,
        typer.Option(
            rich_help_panel=RUN,
            help="Share of the sentences met in other writing: lower case, capitals, headlines, without final "
            "punctuation, two in a line, one word.",
        ),
    ] = _TRAINING.augment,
    simplify_chinese: Annotated[
        bool,
        typer.Option(
            "--simplify-chinese", rich_help_panel=RUN, help="Read traditional Chinese as simplified (OpenCC)."
        ),
    ] = _TRAINING.simplify_chinese,
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
        bool | None,
        typer.Option(
            "--segmenter/--no-segmenter",
            rich_help_panel=_SEGMENTER,
            help="Also learn to find words and sentences in raw text, from CoNLL-U with SpaceAfter=No or from "
            "spaCy's documents.",
            show_default="if the corpora allow it",
        ),
    ] = None,
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
    resume: Annotated[
        bool | None,
        typer.Option(
            "--resume/--restart",
            rich_help_panel=RUN,
            help="Go on with the run that was broken off at --out, or begin it anew.",
            show_default=False,
        ),
    ] = None,
    checkpoint_every: Annotated[
        float,
        typer.Option(
            min=0, rich_help_panel=RUN, help="Keep the run as each epoch ends, and within one so often; 0: not within."
        ),
    ] = 10,
    seed: SeedOption = _TRAINING.seed,
    device: Annotated[Device, typer.Option(rich_help_panel=RUN, help="Where to compute.")] = "auto",
) -> None:
    """Train a model.

    The model with the best accuracy on the dev parts is kept, and the learning curve with it (see
    `rnntag history`). Ctrl-C stops early and keeps the best so far. A run that is broken off in any way
    goes on with --resume, and ends as if it had not been.

        rnntag train --cell lstm

        rnntag train --corpus 'en_ewt-ud-*.conllu' --out models/ewt

        rnntag train --corpus mine.txt --tagset native --cell gru --epochs 10

        rnntag train --corpus mine.txt --corpus-format underscore

        rnntag train --resume --out models/ewt
    """
    from rnntag.model import directory
    from rnntag.storage.lock import claim
    from rnntag.training import checkpoint
    from rnntag.training import tensorboard as tensorboard_log

    segmenting = SegmenterConfig(hidden=segmenter_hidden, bigrams=segmenter_bigrams, epochs=segmenter_epochs, seed=seed)
    asked = checkpoint.Settings(
        (*(corpus or []), *(spec or [])),
        tagset,
        encoding,
        corpus_format,
        ModelConfig(
            cell=cell, activation=activation, input=input, bidirectional=not unidirectional, feedback=feedback,
            layers=layers, hidden=hidden, embedding_dim=embedding_dim, char_dim=char_dim, char_hidden=char_hidden,
        ),
        TrainConfig(
            epochs=epochs, batch_tokens=batch_tokens, lr=lr, max_grad_norm=max_grad_norm, bptt=bptt,
            teacher_forcing=teacher_forcing,
            dropout=dropout, word_dropout=word_dropout, min_count=min_count, vectors=tuple(map(str, vectors or [])),
            extra_vector_words=extra_vector_words, upsample=upsample, augment=augment,
            simplify_chinese=simplify_chinese, patience=patience, seed=seed,
            device=device, max_minutes=max_minutes,
        ),
        segmenting if segmenter is not False else None,
        add_segmenter or "",
    )  # fmt: skip
    effects.check(context.params, given(context))
    receiver = _receiver(context, add_segmenter) if add_segmenter else None
    out = out or receiver or Path("models") / cell
    directory.check_not_bundled(out)
    with claim(out):
        if not (force or checkpoint.place(out).exists()):
            _check_free(out, receiver)
        kept = None if resume is False else checkpoint.read(out)
        settings = _settings(context, out, asked, kept, resume)
        if settings.receiver:
            directory.read(directory.find(settings.receiver))
        if tensorboard:
            tensorboard_log.prepare(tensorboard)
        try:
            if not kept:
                check_reading(context, settings.corpora, corpus_format, encoding)
            specs, tagsets, loaded = training_corpora(
                settings.corpora, settings.tagset, settings.encoding, settings.corpus_format
            )
        except NotFoundError as error:
            if kept and kept.folder != os.getcwd():
                raise NotFoundError(f"{error} (the run was begun in {kept.folder})") from error
            raise
        from rnntag.cli.progress import working
        from rnntag.corpora.raw_text import is_spaced

        with working("loading PyTorch"):
            from rnntag.cli.run import Run

        settings = replace(settings, corpora=specs)
        if segmenter is None and not kept and not settings.receiver and not any(is_spaced(c.train) for c in loaded):
            settings = replace(settings, segmenter=None)
        _warn_of_idle(given(context), settings, loaded)
        Run(out, settings, specs, tagsets, loaded, kept, checkpoint_every, tensorboard).make()


_OF_ANY_RUN = {"out", "force", "resume", "checkpoint_every", "tensorboard"}
_FIELDS = {"corpus": "corpora", "spec": "corpora", "add_segmenter": "receiver", "unidirectional": "bidirectional"}
"""What parameters of another name are called in the settings."""


def _settings(
    context: typer.Context, out: Path, asked: Settings, kept: Checkpoint | None, resume: bool | None
) -> Settings:
    """Those of the run that was kept, if it is to go on; else those asked for."""
    named = [name for name in given(context) if name not in _OF_ANY_RUN]
    if not kept:
        if resume and not named:
            raise NotFoundError(f"{out}: no run was broken off there: say what to train, and it begins")
        return asked
    if not resume:
        raise UsageError(f"{out}: a run was broken off there: --resume goes on with it, --restart begins anew")
    before, now = _flat(kept.settings), _flat(asked)
    for name in named:
        field = _FIELDS.get(name, name)
        if before.get(field) != now.get(field):
            raise UsageError(
                f"{out}: the run there was begun with {_options([field])} {before.get(field)}, not {now.get(field)}: "
                "leave out all options but --out, or begin anew with --restart"
            )
    return kept.settings


def _flat(settings: Settings) -> dict[str, Any]:
    """The settings by the names of their parameters; see `_FIELDS`."""
    fields = asdict(settings)
    model, training, segmenter = (fields.pop(name) for name in ("model", "training", "segmenter"))
    of_segmenter = {f"segmenter_{name}": value for name, value in (segmenter or {}).items()}
    return {**fields, **model, **training, **of_segmenter, "segmenter": segmenter is not None}


def _check_free(out: Path, receiver: Path | None) -> None:
    """Make sure that nothing finished is overwritten."""
    from rnntag.model import directory

    if not receiver or out.resolve() != receiver.resolve():
        directory.check_free(out)
    elif directory.read(out).segmenter:
        raise UsageError(
            f"{out}: the model made on {directory.day_made(out)} has a segmenter already: "
            "name a copy with --out, or replace the segmenter with --force"
        )


def _receiver(context: typer.Context, name: str) -> Path:
    """The model to add a segmenter to, once nothing speaks against it."""
    from rnntag.model import directory

    allowed = {"add_segmenter", "spec", "corpus", "encoding", "corpus_format", "simplify_chinese", "seed", *_OF_ANY_RUN}
    others = [name for name in given(context) if name not in allowed and not name.startswith("segmenter_")]
    if others:
        raise UsageError(f"--add-segmenter leaves the tagger as it is: leave out {_options(others)}")
    return directory.find(name)


def _options(names: list[str]) -> str:
    return ", ".join(name.replace("_", "-") for name in names)


def check_reading(context: typer.Context, named: Sequence[str], corpus_format: CorpusFormat, encoding: str) -> None:
    """Make sure that each option that says how corpora are read has an effect on one of them."""
    from rnntag.corpora import loading

    asked = loading.READING.keys() & given(context)
    if context.params["tagset"] == "native":
        asked.discard("tagset")  # of files with tags of one kind it says what holds anyway
    if asked:
        used = loading.reading(named or loading.DEFAULT, encoding, corpus_format)
        effects.refuse({name: loading.READING[name] for name in sorted(asked - used)})


def _warn_of_idle(asked: Sequence[str], settings: Settings, loaded: Sequence[Corpus]) -> None:
    """What the corpora alone can tell to have no effect."""
    idle = {}
    if not settings.segmenter:
        idle = {name: "on corpora that cannot teach a segmenter" for name in asked if name.startswith("segmenter_")}
    if "upsample" in asked and sum(bool(corpus.train) for corpus in loaded) == 1:
        idle["upsample"] = "on a single corpus"
    for name, when in idle.items():
        console.warning(f"--{name.replace('_', '-')} has no effect {when}")


def training_corpora(
    named: Sequence[str], tagset: str, encoding: str, corpus_format: CorpusFormat
) -> tuple[tuple[str, ...], tuple[str, ...], list[Corpus]]:
    """What was asked for: names of corpora, tagsets, and the corpora; the starter corpus where
    none are named and NLTK's are not there."""
    from rnntag.cli.progress import DownloadView
    from rnntag.corpora import loading

    tagsets = loading.TAGSETS if tagset == "both" else (tagset,)
    with DownloadView() as download:
        try:
            chosen = tuple(named or loading.DEFAULT)
            loaded = loading.load(chosen, tagsets, encoding=encoding, corpus_format=corpus_format, progress=download)
            return chosen, tagsets, loaded
        except NotFoundError as error:
            if named or tagset != "universal":
                raise
            console.warning(f"{error}")
    console.warning("training on the small starter corpus instead: the model will be a toy")
    return (loading.STARTER,), tagsets, loading.load([loading.STARTER], tagsets)
