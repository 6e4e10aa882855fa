"""Training from corpora to a finished model directory."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from rnntag import effects
from rnntag.config import SEGMENTER_PREFIX, CorpusFormat, ModelConfig, SegmenterConfig, TrainConfig
from rnntag.corpora import loading
from rnntag.corpora.raw_text import is_spaced
from rnntag.errors import NotFoundError, UsageError
from rnntag.model import directory
from rnntag.sentences import Corpus
from rnntag.training import inheritance, tensorboard
from rnntag.training.callbacks import Callbacks
from rnntag.training.checkpoint import Checkpoint, Settings
from rnntag.training.processes import started
from rnntag.training.request import CHECKPOINT_MINUTES, Paths, Request, claim, flat, given_names, names, naming_folder


def train(
    corpora: Paths = (),
    *,
    out: str | os.PathLike[str] | None = None,
    tagset: str | None = None,
    encoding: str | None = None,
    corpus_format: CorpusFormat | None = None,
    segmenter: bool | None = None,
    force: bool = False,
    resume: bool | None = None,
    checkpoint_every: float = CHECKPOINT_MINUTES,
    tensorboard: str | os.PathLike[str] | None = None,
    watch: Callbacks | None = None,
    **options: Any,
) -> Path:
    """Train a tagger, and a segmenter if the corpora allow it.

    Continue an interrupted run with `resume=True` and the same `out`; the result is the same as without interruption.

    Args:
        corpora: names of NLTK corpora, paths or globs of .conllu files, or files in another format; by default NLTK's
            `treebank` and `sinica_treebank`.
        out: the model directory; `models/CELL` if None.
        tagset: `universal`, the default; `native`; or `both`.
        encoding: of the files; UTF-8 if None.
        corpus_format: see `config.CorpusFormat`; guessed from the files' names if None.
        segmenter: whether to train one; None: if the corpora have the text between the words.
        force: replace a finished model at `out`.
        resume: True: continue an interrupted run; False: start over; None: an interrupted run is an error.
        checkpoint_every: minutes between two checkpoints within an epoch; 0: only after epochs.
        tensorboard: a directory to log to.
        watch: callbacks that watch the run.
        options: fields of `ModelConfig` and `TrainConfig`, and those of `SegmenterConfig` with the prefix `segmenter_`.

    Returns:
        The model directory.

    Raises:
        RnntagError: a corpus, a setting or the directory is wrong; see its subclasses.
        InterruptedTrainingError: `watch` stopped the run.
        TypeError: an option does not exist.
    """
    asked = _settings(corpora, tagset, encoding, corpus_format, options)
    given = given_names(corpora=asked.corpora, tagset=tagset, encoding=encoding, corpus_format=corpus_format) | {
        *options
    }
    asked = inheritance.inherited(asked, given)
    effects.check({**flat(asked), "segmenter": segmenter}, given)
    if segmenter is not None:
        given.add("segmenter")
    if segmenter is False:
        asked = replace(asked, segmenter=None)
    place = Path("models") / asked.model.cell if out is None else Path(out)
    request = _Request(place, asked, given, force, resume, watch or Callbacks())
    log = None if tensorboard is None else Path(tensorboard)
    return request.fulfil(segmenter, checkpoint_every, log)


def train_segmenter(
    model: str | os.PathLike[str],
    corpora: Paths = (),
    *,
    out: str | os.PathLike[str] | None = None,
    encoding: str | None = None,
    corpus_format: CorpusFormat | None = None,
    force: bool = False,
    resume: bool | None = None,
    checkpoint_every: float = CHECKPOINT_MINUTES,
    watch: Callbacks | None = None,
    **options: Any,
) -> Path:
    """Train a segmenter for a model. The tagger does not change.

    Args:
        model: its name or directory.
        out: a directory for a copy with the segmenter; None: the model itself.
        options: fields of `SegmenterConfig`, `init` and `keep` among them, and `simplify_chinese`.

    Other arguments, the result and the errors are the same as for `train`.
    """
    named = {name if name == "simplify_chinese" else SEGMENTER_PREFIX + name: value for name, value in options.items()}
    asked = replace(_settings(corpora, None, encoding, corpus_format, named, prefix=""), receiver=os.fspath(model))
    given = given_names(corpora=asked.corpora, encoding=encoding, corpus_format=corpus_format) | {"receiver", *named}
    starting: dict[str, Any] = {name: options[name] for name in ("init", "keep") if name in options}
    effects.check({"init": "", **starting}, starting)
    asked = inheritance.inherited(asked, given)
    place = directory.find(asked.receiver) if out is None else Path(out)
    return _Request(place, asked, given, force, resume, watch or Callbacks()).fulfil(True, checkpoint_every, None)


def load_corpora(
    named: Sequence[str], tagset: str, encoding: str, corpus_format: CorpusFormat, watch: Callbacks
) -> tuple[tuple[str, ...], tuple[str, ...], list[Corpus]]:
    """The corpora to train on, with their names and tagsets: the starter corpus if none are named and NLTK's are not
    available."""
    tagsets = loading.TAGSETS if tagset == "both" else (tagset,)
    with watch.stage("loading the corpora"):
        try:
            chosen = tuple(named or loading.DEFAULT)
            loaded = loading.load(chosen, tagsets, encoding=encoding, corpus_format=corpus_format, progress=watch.fetch)
            return chosen, tagsets, loaded
        except NotFoundError as error:
            if named or tagset != "universal":
                raise
            watch.warn(f"{error}")
    watch.warn("training on the small starter corpus instead: accuracy will be low")
    return (loading.STARTER,), tagsets, loading.load([loading.STARTER], tagsets)


def check_reading(given: Iterable[str], named: Sequence[str], tagset: str, encoding: str, form: CorpusFormat) -> None:
    """Make sure that each given setting for reading corpora has an effect on one of them.

    Raises:
        UsageError: a setting has no effect.
    """
    asked = loading.READING.keys() & given
    if tagset == "native":
        asked.discard("tagset")  # true of files with one tagset
    if asked:
        used = loading.reading(named or loading.DEFAULT, encoding, form)
        effects.refuse({name: loading.READING[name] for name in sorted(asked - used)})


def _settings(
    corpora: Paths,
    tagset: str | None,
    encoding: str | None,
    corpus_format: CorpusFormat | None,
    options: Mapping[str, Any],
    prefix: str = SEGMENTER_PREFIX,
) -> Settings:
    """The settings, with those of a segmenter whether it is wanted or not.

    Args:
        prefix: of the segmenter's settings in messages.
    """
    rest = dict(options)
    model = {field.name: rest.pop(field.name) for field in fields(ModelConfig) if field.name in rest}
    training = {field.name: rest.pop(field.name) for field in fields(TrainConfig) if field.name in rest}
    if "vectors" in training:
        training["vectors"] = names(training["vectors"])
    own = [field.name for field in fields(SegmenterConfig)]
    of_segmenter = {name: rest.pop(SEGMENTER_PREFIX + name) for name in own if SEGMENTER_PREFIX + name in rest}
    if "vectors" in of_segmenter:
        of_segmenter["vectors"] = names(of_segmenter["vectors"])
    if rest:
        raise TypeError(f"train() has no option {next(iter(rest))!r}")
    run = TrainConfig(**training)
    try:
        segmenter = SegmenterConfig(**{"seed": run.seed, "init": run.init, "keep": run.keep, **of_segmenter})
    except UsageError as error:
        raise UsageError(f"{prefix}{error}") from error
    return Settings(
        names(corpora),
        tagset or "universal",
        encoding or "utf-8",
        corpus_format or "auto",
        ModelConfig(**model),
        run,
        segmenter,
    )


@dataclass(frozen=True)
class _Request(Request):
    """A call of `train` or `train_segmenter`."""

    def fulfil(self, segmenter: bool | None, minutes: float, log: Path | None) -> Path:
        out = self.out
        directory.check_not_bundled(out)
        processes = started()
        with claim(out) if processes.rank == 0 else nullcontext():
            settings, kept = processes.broadcast(self.prepared)
            if settings.receiver:
                directory.read(directory.find(settings.receiver))
            log = None if processes.rank else log
            if log:
                tensorboard.prepare(log)
            # The first process loads them first: it may have to download them.
            loaded: list[tuple[tuple[str, ...], tuple[str, ...], list[Corpus]]] = []
            processes.broadcast(lambda: loaded.append(self._load(settings, kept)))
            specs, tagsets, corpora = loaded[0] if loaded else self._load(settings, kept)
            settings = replace(settings, corpora=specs)
            if segmenter is None and not kept and not any(is_spaced(corpus.train) for corpus in corpora):
                settings = replace(settings, segmenter=None)
            self._warn_of_idle(settings, corpora)
            start = inheritance.start(settings, corpora)
            with self.watch.stage("loading PyTorch"):
                from rnntag.training.job import Job
                from rnntag.training.runner import Runner
            runner = Runner(out, settings, kept, minutes, self.watch, processes)
            Job(runner, tagsets, corpora, start, log).make()
        return out

    def _load(
        self, settings: Settings, kept: Checkpoint | None
    ) -> tuple[tuple[str, ...], tuple[str, ...], list[Corpus]]:
        reading = settings.tagset, settings.encoding, settings.corpus_format
        with naming_folder(kept):
            if not kept:
                check_reading(self.given, settings.corpora, *reading)
            loaded = load_corpora(settings.corpora, *reading, self.watch)
        self.watch.loaded(loaded[2])
        return loaded

    def _warn_of_idle(self, settings: Settings, corpora: Sequence[Corpus]) -> None:
        """Warn about settings that have no effect on these corpora."""
        idle = {}
        if not settings.segmenter:
            idle = {
                name: "without a segmenter, which these corpora cannot train"
                for name in self.given
                if name.startswith(SEGMENTER_PREFIX)
            }
        if "upsample" in self.given and sum(bool(corpus.train) for corpus in corpora) == 1:
            idle["upsample"] = "on a single corpus"
        for name, when in idle.items():
            self.watch.warn(f"{name} has no effect {when}")
