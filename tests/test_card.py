"""The command on a model's card trains the model again."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import Any

import pytest
from typer.main import get_command

from rnntag import card
from rnntag.cli import app
from rnntag.schema import ModelConfig, TrainConfig
from rnntag.store import StoredModel


def options(model: StoredModel) -> dict[str, Any]:
    """What the command line makes of the card's command."""
    (line,) = (line.strip() for line in card.write(model).split("\n") if line.startswith("    rnntag train"))
    command: Any = get_command(app)
    return command.commands["train"].make_context("train", shlex.split(line)[2:]).params


@pytest.mark.parametrize(
    ("config", "training"),
    [
        (ModelConfig(), TrainConfig()),
        (
            ModelConfig(cell="gru", input="onehot", bidirectional=False, layers=3, hidden=7),
            TrainConfig(
                epochs=3,
                lr=0.1,
                balance=0.3,
                vary=0.5,
                fold=True,
                vectors=("a b.txt", "c.txt"),
                min_count=4,
                max_minutes=1.5,
            ),
        ),
    ],
)
def test_every_setting_is_on_the_card(tiny: StoredModel, config: ModelConfig, training: TrainConfig) -> None:
    provenance = replace(tiny.provenance, specs=("x.conllu", "it's.txt"), tagsets=("universal", "native"))
    given = options(replace(tiny, name="it", config=config, training=training, provenance=provenance))
    for settings in (config, training):
        for name in settings.__slots__:
            if name == "bidirectional":
                assert given["unidirectional"] is not config.bidirectional
            elif name == "vectors":
                assert [str(path) for path in given[name] or []] == list(training.vectors)
            elif name != "device":
                assert given[name] == getattr(settings, name)
    assert [*given["corpus"]] == ["x.conllu", "it's.txt"]
    assert given["tagset"] == "both"
    assert str(given["out"]) == "models/it"
