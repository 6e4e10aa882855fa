"""How a caller of `rnntag.train` follows a run, and stops it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from rnntag.errors import RnntagError
from rnntag.model.learning_curve import Scale, TrainingStep
from rnntag.sentences import Corpus


class InterruptedTrainingError(RnntagError):
    """`Callbacks.should_stop` has stopped the run; the message says what is kept.

    Attributes:
        out: where `resume=True` continues it.
    """

    def __init__(self, message: str, out: Path) -> None:
        super().__init__(message)
        self.out = out


class Callbacks:
    """What a run calls as it proceeds. Override what you want to see: by default each method does nothing."""

    def stage(self, what: str) -> AbstractContextManager[object]:
        """Work without steps: entered when it begins, left when it ends."""
        return nullcontext()

    def fetch(self, package: str, share: float) -> None:
        """How much (0 to 1) of a missing corpus of NLTK's has been downloaded."""

    def loaded(self, corpora: Sequence[Corpus]) -> None:
        """What will be learned from."""

    def training(self) -> AbstractContextManager[object]:
        """Entered before the first step of a tagger or a segmenter, and left after its last."""
        return nullcontext()

    def begin(self, what: str, scale: Scale, epoch: int) -> None:
        """The training of the tagger or the segmenter begins, or continues in an epoch above 0."""

    def step(self, step: TrainingStep) -> None:
        """A batch is done; with dev figures, an epoch."""

    def warn(self, message: str) -> None:
        """Something is not as one might expect; the run continues."""

    def should_stop(self) -> bool:
        """Asked after each step. True keeps the run and ends it with `InterruptedTrainingError`."""
        return False
