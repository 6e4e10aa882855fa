"""A run, once its corpora are loaded: train, checkpoint, calibrate, measure and write the model."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from rnntag.errors import AccessError, DataError
from rnntag.evaluation.evaluate import measure, micro_average
from rnntag.model import directory
from rnntag.model.stored import StoredSegmenter
from rnntag.sentences import Corpus
from rnntag.storage import validation
from rnntag.tagger import Tagger
from rnntag.training import calibration, checkpoint, model_card, simplification
from rnntag.training import segmenter as segmenter_training
from rnntag.training import tagger as tagger_training
from rnntag.training.callbacks import Callbacks, InterruptedTrainingError
from rnntag.training.checkpoint import Checkpoint, Settings
from rnntag.training.inheritance import Start
from rnntag.training.optimizer import ExplosionError
from rnntag.training.processes import ALONE, ProcessGroup
from rnntag.training.segmenter import SegmenterTask
from rnntag.training.tagger import TaggerTask
from rnntag.training.tensorboard import TensorboardLog
from rnntag.training.trainer import Trainer
from rnntag.version import __version__


@dataclass
class Job:
    """Makes one model directory, which the caller has claimed.

    Attributes:
        out: the directory.
        tagsets: to learn.
        corpora: to learn from.
        kept: the checkpoint of an interrupted run.
        start: what to start from.
        minutes: between two checkpoints within an epoch; 0: none.
        log: directory for TensorBoard.
        watch: the callbacks.
        processes: that train together. The first one writes the files.
    """

    out: Path
    settings: Settings
    tagsets: tuple[str, ...]
    corpora: Sequence[Corpus]
    kept: Checkpoint | None
    start: Start | None
    minutes: float
    log: Path | None
    watch: Callbacks
    processes: ProcessGroup = ALONE
    _is_kept: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self._states = dict(self.kept.states) if self.kept else {}
        self._replaces = self.kept.replaces if self.kept else directory.day_made(self.out) is not None

    def make(self) -> None:
        """Train and write the model.

        Raises:
            RnntagError: training or writing failed; the last checkpoint remains.
            InterruptedTrainingError: `watch` stopped it.
        """
        self._check_conditions()
        try:
            if self.settings.receiver:
                self._add_segmenter()
            else:
                self._train_both()
        except (ExplosionError, InterruptedTrainingError) as error:
            if isinstance(error, ExplosionError):
                self._discard()  # continuing would fail again
            self._wait()
            raise
        self._discard()
        self._wait()

    def _discard(self) -> None:
        if self.processes.rank == 0:
            checkpoint.discard(self.out)

    def _wait(self) -> None:
        """Until the first process has written its files: `torchrun` ends it if another one fails."""
        self.processes.all_reduce(0)

    def _train_both(self) -> None:
        training = self.settings.training
        with self.watch.stage("preparing the tagger's training"):
            tagger = Trainer(
                TaggerTask(self.corpora, self.settings.model, training, self.start if training.init else None),
                self.processes,
            )
        # Errors in the segmenter's corpora show before hours of work. Its random numbers do not change the tagger's.
        with torch.random.fork_rng(devices=[]):
            segmenter = self._segmenter_trainer() if self.settings.segmenter else None
            random_state = torch.get_rng_state()
        try:
            with TensorboardLog(self.log) if self.log else nullcontext() as log:
                tagger_ended = self._train("tagger", tagger, log)
            ended = tagger_ended
            if segmenter and tagger_ended:
                torch.set_rng_state(random_state)
                ended = self._train("segmenter", segmenter)
        except ExplosionError:
            if tagger.kept and not self._replaces:
                self._finish(tagger, None)
            raise
        if ended:
            self._finish(tagger, segmenter)
        elif not tagger.kept:
            raise InterruptedTrainingError("interrupted: no epoch has ended, so there is no model yet", self.out)
        elif self._replaces:
            raise InterruptedTrainingError(f"interrupted: {self.out} is unchanged until the run is finished", self.out)
        else:
            self._finish(tagger, segmenter)
            saved = "the tagger is saved, the segmenter is not" if tagger_ended else "the best model so far is saved"
            raise InterruptedTrainingError(f"interrupted: {saved}", self.out)

    def _segmenter_trainer(self) -> Trainer[SegmenterTask]:
        assert self.settings.segmenter
        start = self.start if self.settings.segmenter.init else None
        if self.start:
            old = self.start.model
            char_map = old.segmenter.units.char_map if start and old.segmenter else old.vocabulary.char_map
        else:
            char_map = simplification.table() if self.settings.training.simplify_chinese else ("", "")
        with self.watch.stage("preparing the segmenter's training"):
            return Trainer(SegmenterTask(self.corpora, self.settings.segmenter, char_map, start), self.processes)

    def _add_segmenter(self) -> None:
        """Train a segmenter and add it to an existing model, or to a copy of it."""
        trainer = self._segmenter_trainer()
        if not self._train("segmenter", trainer):
            raise InterruptedTrainingError("interrupted", self.out)
        if self.processes.rank:
            return
        source = directory.find(self.settings.receiver)
        name = self.out.resolve().name
        model = replace(directory.read(source), name=name, segmenter=self._stored(trainer))
        directory.write(self.out, model, model_card.with_segmenter(directory.read_card(source), model))

    def _stored(self, trainer: Trainer[SegmenterTask]) -> StoredSegmenter | None:
        made = segmenter_training.stored(trainer)
        return made and replace(made, specs=self.settings.corpora)

    def _train(self, name: str, trainer: Trainer[Any], log: TensorboardLog | None = None) -> bool:
        """Train to the end or until `watch` stops it. Returns whether it is finished."""
        own = trainer.task.fingerprint if self.processes.world_size > 1 else ""
        if self.processes.broadcast(lambda: own) != own:
            raise DataError("the training processes loaded different data: all need the same files")
        resumes = name in self._states
        if resumes:
            self._restore(name, trainer)
        self._keep(name, trainer)
        kept_at, begins, stops = time.monotonic(), True, False
        with self.watch.training():
            for step in trainer.steps():
                if begins:
                    self.watch.begin(name, trainer.task.scale, step.epoch if resumes else 0)
                begins = False
                self.watch.step(step)
                if log:
                    log.add(step)
                stops = self.processes.all_reduce(self.watch.should_stop())[0] > 0
                due = 0 < 60 * self.minutes <= time.monotonic() - kept_at
                if step.batch == step.batches or due or stops:
                    self._keep(name, trainer)
                    kept_at = time.monotonic()
                if stops:
                    break
        return not stops

    def _check_conditions(self) -> None:
        """Warn if the results may differ from those of an uninterrupted run."""
        now = self._conditions()
        for name, value in self.kept.conditions.items() if self.kept else ():
            if now.get(name, value) != value:
                self.watch.warn(
                    f"the run began with {name} {value} and continues with {now[name]}: results may differ slightly"
                )

    def _conditions(self) -> dict[str, str]:
        """What the last digits of a model depend on, apart from its settings and corpora."""
        processes = str(self.processes.world_size)
        threads = str(torch.get_num_threads())
        return {"rnntag": __version__, "torch": torch.__version__, "threads": threads, "processes": processes}

    def _restore(self, name: str, trainer: Trainer[Any]) -> None:
        try:
            trainer.restore(self._states[name])
        except (ValueError, KeyError, TypeError, IndexError, AttributeError, RuntimeError) as error:
            where = checkpoint.place(self.out)
            raise DataError(
                f"{where}: {checkpoint.UNREADABLE} ({validation.reason(error)})", remedy=checkpoint.RESTART
            ) from error

    def _keep(self, name: str, trainer: Trainer[Any]) -> None:
        if self.processes.rank:
            return
        self._states[name] = trainer.state()
        try:
            checkpoint.write(
                self.out, Checkpoint(self.settings, self._states, self._conditions(), replaces=self._replaces)
            )
        except AccessError as error:
            if not self._is_kept:
                raise  # now, and not after hours of work
            self.watch.warn(f"{error}; training continues")
        self._is_kept = True

    def _finish(self, trainer: Trainer[TaggerTask], segmenter: Trainer[SegmenterTask] | None) -> None:
        if self.processes.rank:
            return
        settings = self.settings
        model = tagger_training.bundle(trainer, self.out.resolve().name)
        with self.watch.stage("measuring the tagger"):
            tagger = Tagger(model)
            corpora = trainer.task.corpora
            provenance = replace(
                model.provenance,
                specs=settings.corpora,
                tagsets=self.tagsets,
                encoding=settings.encoding,
                corpus_format=settings.corpus_format,
                test=_test_accuracy(tagger, corpora),
                by_tagset=_by_tagset(tagger, corpora) if len(tagger.tagsets) > 1 else {},
            )
            temperatures = calibration.temperatures(tagger, [corpus.dev for corpus in corpora])
        made = self._stored(segmenter) if segmenter else None
        if self.start and not made:
            made = self.start.model.segmenter
        model = replace(model, provenance=provenance, temperatures=temperatures, segmenter=made)
        directory.write(self.out, model, model_card.write(model))


def _test_accuracy(tagger: Tagger, corpora: Iterable[Corpus]) -> dict[str, float]:
    """By corpus, over all its tagsets."""
    return {
        corpus.name: micro_average(report for _, _, report in measure(tagger, corpus.name, corpus.test))[0]
        for corpus in corpora
        if any(sentence.tags for sentence in corpus.test)
    }


def _by_tagset(tagger: Tagger, corpora: Iterable[Corpus]) -> dict[str, dict[str, dict[str, float]]]:
    """By corpus, tagset and split."""
    figures: dict[str, dict[str, dict[str, float]]] = {}
    for corpus in corpora:
        for split, sentences in (("dev", corpus.dev), ("test", corpus.test)):
            if not any(sentence.tags for sentence in sentences):
                continue
            for tagset, _, report in measure(tagger, corpus.name, sentences):
                figures.setdefault(corpus.name, {}).setdefault(tagset, {})[split] = report.accuracy
    return figures
