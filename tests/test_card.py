"""The command on a model's card trains the model again."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import Any

import pytest
from typer.main import get_command

from rnntag import effects
from rnntag.cli import options as cli_options
from rnntag.cli.app import app
from rnntag.config import ModelConfig, SegmenterConfig, TrainConfig
from rnntag.model.stored import ModelBundle, StoredSegmenter
from rnntag.training import model_card


def options(text: str) -> dict[str, Any]:
    """What the command line makes of the only command on a card."""
    (line,) = (line.strip() for line in text.split("\n") if line.startswith("    rnntag train"))
    command: Any = get_command(app)
    name, *arguments = shlex.split(line)[1:]
    context = command.commands[name].make_context(name, arguments)
    effects.check(
        {"segmenter": None, "input": "embedding", **context.params}, cli_options.given(context)
    )  # as `run.train` does
    return dict(context.params)


@pytest.mark.parametrize(
    ("config", "training"),
    [
        (ModelConfig(), TrainConfig()),
        (
            ModelConfig(cell="rnn", activation="relu", input="onehot"),
            TrainConfig(word_dropout=0.5, init="it", keep=False),
        ),
        (
            ModelConfig(cell="gru", bidirectional=False, feedback=True, layers=3, hidden=7, char_dim=9),
            TrainConfig(
                epochs=3,
                lr=0.1,
                upsample=0.3,
                augment=0.5,
                simplify_chinese=True,
                vectors=("a b.txt", "c.txt"),
                extra_vector_words=5,
                shared_rows=6,
                teacher_forcing=0.5,
                min_count=4,
                max_minutes=1.5,
                class_weights="balanced",
            ),
        ),
    ],
)
def test_every_setting_is_on_the_card(tiny: ModelBundle, config: ModelConfig, training: TrainConfig) -> None:
    provenance = replace(tiny.provenance, specs=("x.conllu", "it's.txt"), tagsets=("universal", "native"))
    given = options(model_card.write(replace(tiny, name="it", config=config, training=training, provenance=provenance)))
    for settings in (config, training):
        for name in settings.__slots__:
            if name == "vectors":
                assert [str(path) for path in given[name] or []] == list(training.vectors)
            elif name != "device":
                assert given[name] == getattr(settings, name)
    assert [*given["spec"]] == ["x.conllu", "it's.txt"]
    assert given["tagset"] == "both"
    assert str(given["out"]) == "models/it"


def test_a_segmenter_takes_its_place_on_the_card(tiny_raw: ModelBundle) -> None:
    assert tiny_raw.segmenter
    config = SegmenterConfig(hidden=7, bigrams=9, epochs=3, seed=5)
    units = replace(tiny_raw.segmenter.units, char_map=("著", "着"))
    segmenter: StoredSegmenter = replace(tiny_raw.segmenter, config=config, units=units, specs=("a b.conllu", "c"))
    model = replace(tiny_raw, segmenter=segmenter)
    text = model_card.with_segmenter("# mine\n\nEdited.\n", model)
    assert text.startswith("# mine\n\nEdited.\n\n## Raw text\n\n")
    given = options(text)
    told = [given[name] for name in ("hidden", "bigrams", "epochs")]
    assert (told, given["seed"], given["simplify_chinese"]) == ([7, 9, 3], 5, True)
    assert ([*given["corpus"]], given["model"]) == (["a b.conllu", "c"], "models/tiny_raw")
    assert model_card.with_segmenter(text, model) == text
    assert model_card.with_segmenter(f"{text}\n## Licences\n\nMine.\n", model) == f"{text}\n## Licences\n\nMine.\n"
    whole = model_card.write(model)
    assert model_card.with_segmenter(model_card.write(replace(model, segmenter=None)), model) == whole
