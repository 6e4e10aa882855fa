"""`rnntag explain`: what hangs on which word, and how far the gates are open."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from rnntag.analysis import explain
from rnntag.config import CELLS
from rnntag.errors import UsageError
from rnntag.model.stored import ModelBundle
from rnntag.network.cells import RecurrentLayer, reversal
from rnntag.tagger import Tagger, load
from tests.conftest import BUNDLED, Run, one_line
from tests.torch_runtime import torch_tagger

SENTENCE = ("I", "eat", "two", "apples", ".")
UNSEEN_FOOD = ["榴莲", "螺蛳粉", "麻辣烫", "肉夹馍", "泡面", "凉皮", "糍粑", "驴打滚", "锅盔"]


def test_hiding_the_verb_makes_unseen_nouns_less_nouns() -> None:
    for name in (BUNDLED, BUNDLED.with_name("zh-en-fast")):
        tagger = load(name)
        for food in UNSEEN_FOOD:
            assert not tagger.is_known(food)
            found = explain.explain(tagger, ["我", "吃", food])
            noun = found.tags.index("NOUN")
            assert found.without[1, 2, noun] < found.probabilities[2, noun], (name, food)


def test_a_hidden_word_says_nothing(tiny: ModelBundle) -> None:
    tagger = Tagger(tiny)
    other = explain.explain(tagger, ("You", *SENTENCE[1:]))
    found = explain.explain(tagger, SENTENCE)
    np.testing.assert_array_equal(found.without[0], other.without[0])
    assert not np.array_equal(found.without[1], other.without[1])
    np.testing.assert_allclose(found.without.sum(-1), 1)
    np.testing.assert_allclose(found.probabilities.sum(-1), 1)


def test_the_probabilities_are_those_of_tagging(tiny: ModelBundle) -> None:
    tagger = Tagger(tiny)
    found = explain.explain(tagger, SENTENCE)
    (predicted,) = tagger.predict([SENTENCE], top=1)
    assert [tag_probs[0][0] for tag_probs in predicted] == [found.tags[best] for best in found.probabilities.argmax(-1)]
    np.testing.assert_allclose([tag_probs[0][1] for tag_probs in predicted], found.probabilities.max(-1), atol=1e-6)


def test_torch_hides_as_onnx_does(tiny: ModelBundle) -> None:
    by_onnx, by_torch = (explain.explain(tagger, SENTENCE) for tagger in (Tagger(tiny), torch_tagger(tiny)))
    np.testing.assert_allclose(by_onnx.without, by_torch.without, atol=0.02)  # eight bits beside half precision


def test_changes_come_with_the_greatest_first() -> None:
    probabilities = np.array([[0.5, 0.5, 0.0], [0.2, 0.7, 0.1], [0.0, 0.1, 0.9]])
    without = np.stack([probabilities, probabilities, probabilities])
    without[0, 1] = [0.3, 0.4, 0.3]
    without[2, 1] = [0.9, 0.0, 0.1]
    found = explain.Explanation(("a", "b", "c"), ("X", "Y", "Z"), probabilities, without)
    changes = found.changes(1)
    assert [(other, tag) for other, tag, _ in changes] == [(2, "X"), (0, "Y")]
    assert [gain for *_, gain in changes] == pytest.approx([0.7, -0.3])


@pytest.mark.parametrize("words", [[], ["a"] * 257])
def test_sentences_that_cannot_be_explained(tiny: ModelBundle, words: list[str]) -> None:
    with pytest.raises(UsageError, match=str(len(words))):
        explain.explain(Tagger(tiny), words)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("tags", [0, 3])
@pytest.mark.parametrize("onehot", [False, True])
def test_gates_are_what_the_formulas_say(cell: str, tags: int, onehot: bool) -> None:
    torch.manual_seed(1)
    blocks = {"rnn": [], "lstm": ["input", "forget", None, "output"], "gru": ["reset", "update", None]}[cell]
    size = 2 * max(len(blocks), 1) * 4 if onehot else 3
    layer = RecurrentLayer(cell, "tanh", size, 4, bidirectional=True, onehot=onehot, tags=tags).double()
    for parameter in layer.parameters():
        torch.nn.init.uniform_(parameter, -1, 1)
    x = torch.randn(1, 5, size, dtype=torch.float64)
    told = torch.rand(6, tags, dtype=torch.float64)  # what is fed back into step t
    told[0] = 0

    def read(step: int, states: torch.Tensor) -> torch.Tensor:
        return told[step + 1][None]

    order = reversal(torch.tensor([5]), 5)
    states, _ = layer(x, order, feedback=read if tags else None)
    found = layer.gates(x, order, read if tags else None)
    for direction, (kernel, gates) in enumerate(zip((layer.forwards, layer.backwards), found, strict=True)):
        weights = dict(kernel.named_parameters())
        assert [*gates] == [name for name in blocks if name]
        for step in range(5):
            before = step + (1 if direction else -1)
            h = states[0, before, 4 * direction :][:4] if 0 <= before < 5 else torch.zeros(4, dtype=torch.float64)
            products = x[0, step].chunk(2)[direction] if onehot else weights["weight_ih_l0"] @ x[0, step]
            products = products + weights["bias_ih_l0"] + weights["weight_hh_l0"] @ h + weights["bias_hh_l0"]
            if tags and not direction:
                products = products + weights["weight_fb_l0"] @ told[step]
            for name, block in zip(blocks, products.split(4), strict=False):
                if name:
                    torch.testing.assert_close(gates[name][0, step], block.sigmoid())


def test_gates_of_a_model(tiny: ModelBundle) -> None:
    gates = explain.gates(tiny, SENTENCE)
    assert [(gate.layer, gate.direction, gate.name) for gate in gates] == [
        (1, direction, name) for direction in ("forward", "backward") for name in ("input", "forget", "output")
    ]
    for gate in gates:
        assert gate.openness.shape == (5, 32)
        assert 0 <= gate.openness.min() < gate.openness.max() <= 1


def test_the_command(run: Run, tiny_folder: Path) -> None:
    told = run("explain", "-m", tiny_folder, "I eat 苹果", "It rains")
    assert (told.returncode, told.stderr) == (0, "")
    assert "苹果" in told.stdout
    assert "rains" in told.stdout
    first, second = json.loads(run("explain", "-m", tiny_folder, "--json", "--gates", "I eat 苹果", "It rains").stdout)
    assert [word["form"] for word in first["words"]] == ["I", "eat", "苹果"]
    assert [other["form"] for other in first["words"][2]["without"]] == ["I", "eat"]
    assert sum(first["words"][0]["probabilities"].values()) == pytest.approx(1, abs=0.001)
    assert len(second["gates"]) == 6
    assert len(second["gates"][0]["mean"]) == 2
    opened = run("explain", "-m", tiny_folder, "--gates", "It rains")
    assert "forward forget" in opened.stdout


def test_the_command_refuses(run: Run, tiny_folder: Path) -> None:
    for arguments in ([" "], ["a " * 300], ["--tagset", "ptb", "a"]):
        told = run("explain", "-m", tiny_folder, *arguments)
        assert (told.returncode, told.stdout) == (2, "")
        one_line(told.stderr)
