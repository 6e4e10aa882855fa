"""Training from corpora to a finished model directory."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from rnntag import effects
from rnntag.config import SEGMENTER_PREFIX, CorpusFormat, ModelConfig, SegmenterConfig, TrainConfig
from rnntag.corpora import loading
from rnntag.corpora.raw_text import is_spaced
from rnntag.errors import ANOTHER, NotFoundError, UsageError
from rnntag.model import directory
from rnntag.sentences import Corpus
from rnntag.storage import atomic
from rnntag.storage.lock import locked
from rnntag.training import checkpoint, inheritance, tensorboard
from rnntag.training.callbacks import Callbacks
from rnntag.training.checkpoint import Checkpoint, Settings
from rnntag.training.processes import started

Paths = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]
CHECKPOINT_MINUTES = 10.0


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
    given = _given(corpora=asked.corpora, tagset=tagset, encoding=encoding, corpus_format=corpus_format) | {*options}
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
    given = _given(corpora=asked.corpora, encoding=encoding, corpus_format=corpus_format) | {"receiver", *named}
    effects.check({"init": "", **options}, options)
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


@contextmanager
def claim(path: Path) -> Iterator[None]:
    """Lock a model directory, and recover from a crash of an earlier process.

    Raises:
        AccessError: another process has locked it, or a model cannot be written there.
    """
    directory.check_target(path)
    with locked(path):
        for left in (path.resolve(), checkpoint.place(path)):
            atomic.recover(left)
        yield


def flat(settings: Settings) -> dict[str, Any]:
    """All settings, by the names of `train`'s arguments."""
    parts = asdict(settings)
    model, training, segmenter = (parts.pop(name) for name in ("model", "training", "segmenter"))
    of_segmenter = {SEGMENTER_PREFIX + name: value for name, value in (segmenter or {}).items()}
    return {**parts, **model, **training, **of_segmenter, "segmenter": segmenter is not None}


def _given(**arguments: Any) -> set[str]:
    return {name for name, value in arguments.items() if value}


def _names(paths: Paths) -> tuple[str, ...]:
    several = [paths] if isinstance(paths, (str, os.PathLike)) else paths
    return tuple(os.fspath(path) for path in several)


def _shown(value: object) -> str:
    return (", ".join(value) if isinstance(value, tuple) else f"{value}") or "none"


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
        training["vectors"] = _names(training["vectors"])
    names = [field.name for field in fields(SegmenterConfig)]
    of_segmenter = {name: rest.pop(SEGMENTER_PREFIX + name) for name in names if SEGMENTER_PREFIX + name in rest}
    if rest:
        raise TypeError(f"train() has no option {next(iter(rest))!r}")
    run = TrainConfig(**training)
    try:
        segmenter = SegmenterConfig(**{"seed": run.seed, "init": run.init, "keep": run.keep, **of_segmenter})
    except UsageError as error:
        raise UsageError(f"{prefix}{error}") from error
    return Settings(
        _names(corpora),
        tagset or "universal",
        encoding or "utf-8",
        corpus_format or "auto",
        ModelConfig(**model),
        run,
        segmenter,
    )


@dataclass(frozen=True)
class _Request:
    """A call of `train` or `train_segmenter`.

    Attributes:
        given: the names of the settings that the caller gave.
    """

    out: Path
    asked: Settings
    given: set[str]
    force: bool
    resume: bool | None
    watch: Callbacks

    def fulfil(self, segmenter: bool | None, minutes: float, log: Path | None) -> Path:
        out = self.out
        directory.check_not_bundled(out)
        processes = started()
        with claim(out) if processes.rank == 0 else nullcontext():
            settings, kept = processes.broadcast(self._prepared)
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

    def _prepared(self) -> tuple[Settings, Checkpoint | None]:
        """The settings, and the unfinished run to continue."""
        if not (self.force or checkpoint.place(self.out).exists()):
            self._check_free()
        kept = None if self.resume is False else checkpoint.read(self.out)
        return (self._continued(kept) if kept else self._begun()), kept

    def _check_free(self) -> None:
        """Make sure that nothing finished is overwritten."""
        receiver = directory.find(self.asked.receiver) if self.asked.receiver else None
        if not receiver or self.out.resolve() != receiver.resolve():
            directory.check_free(self.out)
        elif directory.read(self.out).segmenter:
            raise UsageError(
                f"{self.out}: the model made on {directory.day_made(self.out)} already has a segmenter",
                remedy={"out": ANOTHER, "force": True},
            )

    def _begun(self) -> Settings:
        if self.resume and not self.given - {"receiver"}:
            raise NotFoundError(f"{self.out}: no unfinished run; to start one, name corpora or settings")
        return self.asked

    def _continued(self, kept: Checkpoint) -> Settings:
        """The settings of the unfinished run, if it may be continued with those that are given."""
        if not self.resume:
            raise UsageError(f"{self.out}: unfinished run found", remedy={"resume": ANOTHER})
        if bool(kept.settings.receiver) != bool(self.asked.receiver):
            command = "train-segmenter" if kept.settings.receiver else "train"
            raise UsageError(f"{self.out}: the unfinished run is from 'rnntag {command}': continue it with that")
        before, now = flat(kept.settings), flat(self.asked)
        for name in sorted(self.given):
            if before.get(name) != now.get(name):
                own = name.removeprefix(SEGMENTER_PREFIX) if kept.settings.receiver else name
                what = "model" if name == "receiver" else own
                raise UsageError(
                    f"{self.out}: the unfinished run has {what} {_shown(before.get(name))}, not "
                    f"{_shown(now.get(name))}",
                    remedy={own: None, "resume": False},
                )
        return kept.settings

    def _load(
        self, settings: Settings, kept: Checkpoint | None
    ) -> tuple[tuple[str, ...], tuple[str, ...], list[Corpus]]:
        reading = settings.tagset, settings.encoding, settings.corpus_format
        try:
            if not kept:
                check_reading(self.given, settings.corpora, *reading)
            loaded = load_corpora(settings.corpora, *reading, self.watch)
        except NotFoundError as error:
            if kept and kept.folder != os.getcwd():
                raise NotFoundError(f"{error} (the run was started in {kept.folder})") from error
            raise
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
