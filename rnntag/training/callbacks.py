"""How a caller of `rnntag.train` watches a run and stops it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from rnntag.errors import RnntagError
from rnntag.model.learning_curve import Scale, TrainingStep
from rnntag.sentences import Corpus


class InterruptedTrainingError(RnntagError):
    """`Callbacks.should_stop` stopped the run. The message says what is saved.

    Attributes:
        out: the directory to continue with `resume=True`.
    """

    def __init__(self, message: str, out: Path) -> None:
        super().__init__(message)
        self.out = out


class Callbacks:
    """Methods that a run calls. Override those that you need: by default they do nothing."""

    def stage(self, what: str) -> AbstractContextManager[object]:
        """A stage without steps: entered when it begins, left when it ends."""
        return nullcontext()

    def fetch(self, package: str, share: float) -> None:
        """The share (0 to 1) of a missing NLTK corpus that has been downloaded."""

    def loaded(self, corpora: Sequence[Corpus]) -> None:
        """The corpora are loaded."""

    def training(self) -> AbstractContextManager[object]:
        """Entered before the first step of a tagger or a segmenter, and left after the last."""
        return nullcontext()

    def begin(self, what: str, scale: Scale, epoch: int) -> None:
        """The training of the tagger or the segmenter begins, or continues if `epoch` is above 0."""

    def step(self, step: TrainingStep) -> None:
        """A batch is done; if the step has dev figures, also an epoch."""

    def warn(self, message: str) -> None:
        """Something is unexpected, but the run continues."""

    def should_stop(self) -> bool:
        """Called after each step. True saves the run and ends it with `InterruptedTrainingError`."""
        return False
