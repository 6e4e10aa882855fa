"""A run of `rnntag train`, kept as it goes so that another process can go on with it."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

import torch
import typer

from rnntag.cli.progress import TrainingView, working
from rnntag.cli.signals import Interruption
from rnntag.errors import AccessError, DataError
from rnntag.evaluation.evaluate import measure, micro_average
from rnntag.evaluation.metrics import percent
from rnntag.model import directory
from rnntag.model.learning_curve import Scale, TrainingStep
from rnntag.model.stored import StoredSegmenter
from rnntag.sentences import Corpus
from rnntag.tagger import Tagger
from rnntag.terminal import console
from rnntag.training import calibration, checkpoint, model_card, simplification
from rnntag.training.checkpoint import Checkpoint, Settings, State
from rnntag.training.optimizer import ExplosionError
from rnntag.training.segmenter import SegmenterTraining
from rnntag.training.tagger import Training
from rnntag.training.tensorboard import TensorboardLog
from rnntag.version import __version__

RAW_EXAMPLE = "I can swim. 我吃苹果。"


class Resumable(Protocol):
    """What is trained step by step; see `training.Training`."""

    @property
    def scale(self) -> Scale: ...

    def steps(self) -> Iterator[TrainingStep]: ...

    def state(self) -> State: ...

    def restore(self, state: State) -> None: ...


@dataclass
class Run:
    """What makes one model directory, which the caller has claimed.

    Attributes:
        out: the directory.
        settings: what was asked for.
        specs, tagsets: what that has come to.
        corpora: to learn from.
        kept: the run, if it was broken off.
        minutes: between two times that it is kept within an epoch; 0: never.
        tensorboard: where to log.
    """

    out: Path
    settings: Settings
    specs: tuple[str, ...]
    tagsets: tuple[str, ...]
    corpora: Sequence[Corpus]
    kept: Checkpoint | None
    minutes: float
    tensorboard: Path | None = None
    _is_kept: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self._states = dict(self.kept.states) if self.kept else {}
        self._replaces = self.kept.replaces if self.kept else directory.day_made(self.out) is not None

    def make(self) -> None:
        """Train what is asked for and write the model.

        Raises:
            RnntagError: what training or writing raise; what was learned before is kept.
            typer.Exit: a signal has come.
        """
        self._check_conditions()
        settings = self.settings
        if settings.receiver:
            self._give()
            return
        with working("preparing the tagger's training"):
            training = Training(self.corpora, settings.model, settings.training)
        # What is wrong with the segmenter is found before hours of work. The tagger's noise does not hang on it.
        with torch.random.fork_rng(devices=[]):
            second = self._segmenter_training() if settings.segmenter else None
            noise = torch.get_rng_state()
        segmenter = None
        try:
            with TensorboardLog(self.tensorboard) if self.tensorboard else nullcontext() as log:
                code = self._train("tagger", training, log)
            tagger_ended = not code
            if second and tagger_ended:
                torch.set_rng_state(noise)
                segmenter, code = self._segmenter(second)
        except ExplosionError:
            if training.has_model and not self._replaces:
                self._finish(training, None)
            checkpoint.discard(self.out)  # to go on would lead there again
            raise
        if not code:
            self._finish(training, segmenter)
            checkpoint.discard(self.out)
            if not segmenter:
                add = shlex.join(["rnntag", "train", "--add-segmenter", str(self.out)])
                console.note(
                    f"{self.out} tags tokens only, not raw text; to add a segmenter: {add} CORPUS "
                    "(CoNLL-U with SpaceAfter=No, or spaCy's documents)"
                )
            return
        if not training.has_model:
            kept = "no epoch has ended: there is no model yet"
        elif self._replaces:
            kept = f"{self.out} stays as it was until the run has ended"
        else:
            self._finish(training, segmenter)
            kept = "the tagger is kept, the segmenter is not done" if tagger_ended else "the best model so far is kept"
        console.note(f"interrupted: {kept}; {self._way_on}")
        raise typer.Exit(code)

    def _segmenter_training(self) -> SegmenterTraining:
        assert self.settings.segmenter
        char_map = simplification.table() if self.settings.training.simplify_chinese else ("", "")
        with working("preparing the segmenter's training"):
            return SegmenterTraining(self.corpora, self.settings.segmenter, char_map)

    def _segmenter(self, training: SegmenterTraining) -> tuple[StoredSegmenter | None, int]:
        """That of the last epoch, if one has ended, and the exit code that is due; see `_train`."""
        code = self._train("segmenter", training)
        return training.segmenter and replace(training.segmenter, specs=self.specs), code

    def _give(self) -> None:
        """Train a segmenter and put it into a model that is there, or into its copy."""
        try:
            segmenter, code = self._segmenter(self._segmenter_training())
        except ExplosionError:
            checkpoint.discard(self.out)
            raise
        if code:
            console.note(f"interrupted; {self._way_on}")
            raise typer.Exit(code)
        source = directory.find(self.settings.receiver)
        model = replace(directory.read(source), name=self.out.resolve().name, segmenter=segmenter)
        directory.write(self.out, model, model_card.with_segmenter(directory.read_card(source), model))
        checkpoint.discard(self.out)
        self._saved(RAW_EXAMPLE)

    def _train(self, name: str, training: Resumable, log: TensorboardLog | None = None) -> int:
        """Train to the end, or until a signal asks for an end with some exit code; that, or 0."""
        begins, goes_on = True, name in self._states
        if goes_on:
            self._restore(name, training)
        self._keep(name, training)
        kept = time.monotonic()
        with Interruption() as interruption, TrainingView() as view:
            for step in training.steps():
                if begins:
                    view.begin(name, training.scale, step.epoch if goes_on else 0)
                begins = False
                due = 0 < 60 * self.minutes <= time.monotonic() - kept
                if step.batch == step.batches or due or interruption.code:
                    self._keep(name, training)
                    kept = time.monotonic()
                view.show(step)
                if log:
                    log.add(step)
                if interruption.code:
                    break
        return interruption.code

    def _check_conditions(self) -> None:
        """Warn where what follows cannot be, bit for bit, what would have followed."""
        now = _conditions()
        for name, value in self.kept.conditions.items() if self.kept else ():
            if now.get(name) != value:
                console.warning(f"the run had {name} {value}, and now has {now.get(name)}: last digits may differ")

    def _restore(self, name: str, training: Resumable) -> None:
        try:
            training.restore(self._states[name])
        except (ValueError, KeyError, TypeError, IndexError, AttributeError, RuntimeError) as error:
            where = checkpoint.place(self.out)
            raise DataError(f"{where}: {checkpoint.NO_RUN}: {error!r}") from error

    def _keep(self, name: str, training: Resumable) -> None:
        self._states[name] = training.state()
        try:
            checkpoint.write(self.out, Checkpoint(self.settings, self._states, _conditions(), replaces=self._replaces))
        except AccessError as error:
            if not self._is_kept:
                raise  # now rather than after hours of work
            console.warning(f"{error}; training goes on")
        self._is_kept = True

    def _finish(self, training: Training, segmenter: StoredSegmenter | None) -> None:
        settings = self.settings
        name = self.out.resolve().name
        model = training.model(name, self.specs, self.tagsets, settings.encoding, settings.corpus_format)
        model = replace(model, segmenter=segmenter)
        with working("measuring the tagger"):
            tagger = Tagger(model)
            dev = [sentence for corpus in self.corpora for sentence in corpus.dev]
            provenance = replace(model.provenance, test=self._test_accuracy(tagger))
            model = replace(model, provenance=provenance, temperatures=calibration.temperatures(tagger, dev))
        directory.write(self.out, model, model_card.write(model))
        test = "  ".join(f"{corpus} {percent(accuracy)}" for corpus, accuracy in provenance.test.items())
        console.note(f"test {test or '(no test part)'}")
        if segmenter:
            self._saved(RAW_EXAMPLE)
        else:
            tokens = next(" ".join(corpus.dev[0].tokens[:6]) for corpus in self.corpora if corpus.dev)
            self._saved("--input-format", "tokens", tokens)

    def _test_accuracy(self, tagger: Tagger) -> dict[str, float]:
        """By corpus, over all of its tagsets."""
        return {
            corpus.name: micro_average(report for _, _, report in measure(tagger, corpus.name, corpus.test))[0]
            for corpus in self.corpora
            if corpus.test
        }

    def _saved(self, *example: str) -> None:
        console.note(f"saved {self.out}; next: {shlex.join(['rnntag', 'tag', '--model', str(self.out), *example])}")

    @property
    def _way_on(self) -> str:
        log = ["--tensorboard", str(self.tensorboard)] if self.tensorboard else []
        return f"go on with: {shlex.join(['rnntag', 'train', '--resume', '--out', str(self.out), *log])}"


def _conditions() -> dict[str, str]:
    """What the last digits of a model hang on, besides its settings and corpora."""
    return {"rnntag": __version__, "torch": torch.__version__, "threads": str(torch.get_num_threads())}
