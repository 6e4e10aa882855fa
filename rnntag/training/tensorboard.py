"""Logs a run for TensorBoard with torch's SummaryWriter."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from rnntag.errors import ANOTHER, AccessError, NotFoundError
from rnntag.model.learning_curve import TrainingStep


def prepare(folder: Path) -> None:
    """Make sure, before hours of training, that TensorBoard is installed, and make the folder.

    Raises:
        NotFoundError: TensorBoard is not installed.
        AccessError: the folder cannot be made.
    """
    if importlib.util.find_spec("tensorboard") is None:
        raise NotFoundError("TensorBoard is not installed: pip install tensorboard", remedy={"tensorboard": None})
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise AccessError(f"{folder}: cannot be created: {error.strerror}", remedy={"tensorboard": ANOTHER}) from error


class TensorboardLog:
    """Logs the steps of a run: the loss after each batch; and loss, gradient norm, share of clipped gradients and dev
    accuracies after each epoch.

    Args:
        folder: made if it is missing. TensorBoard shows each subfolder of a folder as a run.

    Raises:
        OSError: the folder cannot be written to.
    """

    def __init__(self, folder: Path) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._writer = SummaryWriter(str(folder))

    def __enter__(self) -> TensorboardLog:
        return self

    def __exit__(self, *raised: object) -> None:
        self._writer.close()

    def add(self, step: TrainingStep) -> None:
        self._writer.add_scalar("loss/batch", step.loss, (step.epoch - 1) * step.batches + step.batch)
        if not step.dev:
            return
        figures = {
            "loss/epoch": step.loss,
            "gradient/norm": step.gradient_norm,
            "gradient/clipped": step.clipped,
            "dev_accuracy": step.dev_accuracy,
            **{f"dev/{name}": accuracy for name, accuracy in step.dev.items()},
        }
        for name, figure in figures.items():
            self._writer.add_scalar(name, figure, step.epoch)
        self._writer.flush()
