"""A run that makes a tagger, once its corpora are loaded: train, calibrate, measure and write the model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from rnntag.evaluation.evaluate import measure, micro_average
from rnntag.model import directory
from rnntag.model.stored import StoredSegmenter
from rnntag.sentences import Corpus
from rnntag.tagger import Tagger
from rnntag.training import calibration, model_card, simplification
from rnntag.training import segmenter as segmenter_training
from rnntag.training import tagger as tagger_training
from rnntag.training.callbacks import InterruptedTrainingError
from rnntag.training.inheritance import Start
from rnntag.training.optimizer import ExplosionError
from rnntag.training.runner import Runner
from rnntag.training.segmenter import SegmenterTask
from rnntag.training.tagger import TaggerTask
from rnntag.training.tensorboard import TensorboardLog
from rnntag.training.trainer import Trainer


@dataclass
class Job:
    """Makes one model directory, which the caller has claimed.

    Attributes:
        tagsets: to learn.
        corpora: to learn from.
        start: what to start from.
        log: directory for TensorBoard.
    """

    runner: Runner
    tagsets: tuple[str, ...]
    corpora: Sequence[Corpus]
    start: Start | None
    log: Path | None

    def __post_init__(self) -> None:
        runner = self.runner
        self.out, self.settings = runner.out, runner.settings
        self.watch, self.processes = runner.watch, runner.processes

    def make(self) -> None:
        """Train and write the model; see `Runner.run`."""
        self.runner.run(self._add_segmenter if self.settings.receiver else self._train_both)

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
                tagger_ended = self.runner.train("tagger", tagger, log)
            ended = tagger_ended
            if segmenter and tagger_ended:
                torch.set_rng_state(random_state)
                ended = self.runner.train("segmenter", segmenter)
        except ExplosionError:
            if tagger.kept and not self.runner.replaces:
                self._finish(tagger, None)
            raise
        if ended:
            self._finish(tagger, segmenter)
        elif not tagger.kept:
            raise InterruptedTrainingError("interrupted: no epoch has ended, so there is no model yet", self.out)
        elif self.runner.replaces:
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
        if not self.runner.train("segmenter", trainer):
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
