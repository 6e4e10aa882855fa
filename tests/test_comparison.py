"""`rnntag compare`: what it measures is what it says, and what it writes can be read."""

from __future__ import annotations

import importlib.util
import json
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import asdict
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rnntag.analysis import compare, probes
from rnntag.analysis.compare import CompareCallbacks
from rnntag.cli import progress
from rnntag.config import ModelConfig, TrainConfig
from rnntag.model import directory
from rnntag.model.learning_curve import TrainingStep
from rnntag.model.vocabulary import Vocabulary
from rnntag.network.tagger import Network
from rnntag.sentences import Corpus, Sentence
from rnntag.terminal import charts
from tests.conftest import KINDS, Run, few, refusal

SENTENCES = (
    Sentence(tuple("abcdab"), {"upos": ("N", "V", "N", "X", "N", "V")}),
    Sentence(tuple("dca"), {"upos": ("X", "N", "N")}),
)
LITTLE = probes.Scale(furthest=5, updates=3, tests=10)
SIZES = {"hidden": 6, "embedding_dim": 3, "char_dim": 3, "char_hidden": 3}


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Little to recall, and nearly no time to learn it."""
    monkeypatch.setattr(probes, "FULL", LITTLE)


@pytest.mark.parametrize(("cell", "activation"), KINDS)
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("feedback", few([False, True], True))
def test_gradient_reach_is_the_derivative_of_each_loss(
    cell: str, activation: str, bidirectional: bool, feedback: bool
) -> None:
    torch.manual_seed(1)
    vocabulary = Vocabulary.build(SENTENCES, min_count=1)
    config = ModelConfig(
        cell=cell, activation=activation, bidirectional=bidirectional, feedback=feedback, layers=2, **SIZES
    )
    network = Network(config, vocabulary).eval()
    norms: dict[int, list[float]] = {}
    for sentence in SENTENCES:
        length = len(sentence.tokens)
        for token in range(length):
            x = network.vectors(vocabulary.encode_words(sentence.tokens))[None].detach().requires_grad_()
            scores = network.scores(x, torch.tensor([length]))["upos"][0, token]
            tag = [*vocabulary.tags["upos"]].index(sentence.tags["upos"][token])
            (slope,) = torch.autograd.grad(-scores.log_softmax(-1)[tag], x)
            for distance in range(token + 1):
                norms.setdefault(distance, []).append(slope[0, token - distance].norm().item())
    expected = [float(np.mean(norms[distance])) for distance in range(6)]
    found = probes.gradient_reach(network, vocabulary, SENTENCES)
    np.testing.assert_allclose(found[:6], expected, rtol=1e-4)
    assert found[6:] == [None] * (probes.FULL.reach - 5)


def test_the_word_to_recall_is_where_it_should_be() -> None:
    distances = torch.arange(1, 100 + 1)
    words, kept = probes._kept_words(distances, 100)
    assert words.shape == (100, 100 + 2)
    for row, distance in enumerate(distances.tolist()):
        sentence = words[row].tolist()
        mark = sentence.index(probes.KEYS + 1)
        assert sentence.count(probes.KEYS + 1) == sentence.count(probes.KEYS) == 1
        assert sentence[-1] == probes.KEYS
        assert sentence[mark + 1] == kept[row] < probes.KEYS
        assert len(sentence) - 1 - (mark + 1) == distance


@pytest.mark.parametrize(("updates", "least", "most"), few([(0, 0.0, 0.2), (800, 0.9, 1.0)], (0, 0.0, 0.2)))
def test_recall_is_chance_before_learning_and_learned_after(updates: int, least: float, most: float) -> None:
    found = probes.recall_by_distance("gru", "tanh", 1, probes.Scale(furthest=4, updates=updates))
    assert least <= min(found) <= np.mean(found) <= most


def test_a_seed_recalls_the_same_and_leaves_other_chance_alone() -> None:
    torch.manual_seed(7)
    first = probes.recall_by_distance("lstm", "tanh", 1, LITTLE)
    after = torch.rand(3)
    torch.manual_seed(7)
    assert torch.equal(torch.rand(3), after)
    assert probes.recall_by_distance("lstm", "tanh", 1, LITTLE) == first


@pytest.mark.parametrize(
    "shape",
    few([{}, {"input": "onehot", "feedback": True, "bidirectional": False}, {"layers": 2, "feedback": True}], {}),
    ids=["usual", "one-hot", "feedback"],
)
def test_cells_stand_as_one_to_three_to_four(starter: list[Corpus], quick: None, shape: dict[str, object]) -> None:
    configs = [ModelConfig(cell=cell, **SIZES, **shape) for cell in ("rnn", "gru", "lstm")]
    run = TrainConfig(epochs=1, device="cpu")
    reports = compare.compare([corpus_of(starter)], configs, run, CompareCallbacks())
    rnn, gru, lstm = (report.recurrent_parameters for report in reports)
    assert (4 * rnn, 4 * gru) == (lstm, 3 * lstm)
    for report in reports:
        assert report.recurrent_parameters < report.parameters
        assert 0 < report.accuracy == report.dev["few"][0] <= 1
        assert len(report.epochs) == report.best_epoch == 1
        assert report.tagging_speed > 0
        assert len(report.reach) == len(report.untrained_reach) == LITTLE.reach + 1
        assert report.reach != report.untrained_reach
        assert len(report.recall) == 5


def corpus_of(starter: list[Corpus]) -> Corpus:
    return Corpus("few", train=starter[0].train[:40], dev=starter[0].dev[:20], test=())


def corpus_file(path: Path) -> Path:
    path.write_text("".join(f"the/DET word/NOUN {word}/VERB\n" for word in "abcdefghijklmnopqrst"), encoding="utf-8")
    return path


def test_where_a_curve_ends() -> None:
    assert compare.faded([1.0, 0.5, 0.009, 0.5, None]) == 2
    assert compare.faded([1.0, 0.5, None]) is None
    assert compare.forgotten([1.0, 0.6, 0.5]) == 3
    assert compare.forgotten([1.0, 0.6]) is None


class Tags(HTMLParser):
    """Sees that every tag that opens also closes."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.sources: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "img":
            self.sources.append(dict(attrs)["src"] or "")
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_command(quick: None, tmp_path: Path, here: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    corpus = corpus_file(tmp_path / "few\udcff.txt")  # what is no UTF-8 in a file name
    monkeypatch.setattr("sys.argv", ["rnntag", "compare", "<few\udcff>"])
    arguments = ["compare", str(corpus), "--epochs", "1", "--hidden", "5", "--activation", "relu"]
    out = tmp_path / "out"
    ended = here(*arguments, "--out", out)
    assert ended.returncode == 0
    for name in ("rnn-relu", "lstm", "gru"):
        assert name in ended.stdout
        assert directory.read(out / name).config.hidden == 5
    figures = json.loads((out / "figures.json").read_text(encoding="utf-8"))
    assert [cell["name"] for cell in figures["cells"]] == ["rnn-relu", "lstm", "gru"]
    assert figures["corpora"] == [str(corpus)]
    page = (out / "index.html").read_text(encoding="utf-8")
    tags = Tags()
    tags.feed(page)
    assert not tags.open
    assert len(tags.sources) == 3
    assert all(source.startswith("data:image/svg+xml;base64,") for source in tags.sources)
    assert "rnntag compare &#x27;&lt;few?&gt;&#x27;" in page
    for name in ("learning", "reach", "recall"):
        assert ElementTree.parse(out / f"{name}.svg").getroot().tag.endswith("svg")
        assert (out / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    told = json.loads(here(*arguments[:-2], "--cell", "gru", "--json").stdout)
    assert [cell["name"] for cell in told["cells"]] == ["gru"]


def test_the_command_refuses(tmp_path: Path, here: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "rnn, lstm, gru" in refusal(here("compare", "starter", "--cell", "transformer"), 2)
    (tmp_path / "out" / "gru").mkdir(parents=True)
    (tmp_path / "out" / "gru" / "mine.txt").write_text("precious", encoding="utf-8")
    assert "gru" in refusal(here("compare", "starter", "--out", "out"), 74)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert "rnntag[plot]" in refusal(here("compare", "starter", "--out", "there"), 66)
    assert not (tmp_path / "there").exists()


@given(st.lists(st.none() | st.floats(0, 1), max_size=30))
def test_bars_rise_with_what_they_show(values: list[float | None]) -> None:
    drawn = charts.bars(values, 0, 1)
    assert len(drawn) == len(values)
    shown = [(value, bar) for value, bar in zip(values, drawn, strict=True) if value is not None]
    assert all(bar == " " for value, bar in zip(values, drawn, strict=True) if value is None)
    assert [bar for _, bar in sorted(shown)] == sorted(bar for _, bar in shown)
    assert charts.bars([0, 0.5, 1, -1, None], 0, 1) == "▁▅█  "
    assert charts.bars([2.0, 2.0], 2, 2) == "▁▁"


def test_all_that_takes_long_tells_how_far_it_is(starter: list[Corpus]) -> None:
    told: dict[str, list[tuple[int, int]]] = {}
    watcher = CompareCallbacks()
    watcher.progress = lambda what, done, total: told.setdefault(what, []).append((done, total))
    compare.compare([corpus_of(starter)], [ModelConfig(cell="gru", **SIZES)], TrainConfig(epochs=1), watcher, LITTLE)
    steps = LITTLE.updates + LITTLE.furthest
    assert told["gru: recall task"] == [(done, steps) for done in range(1, steps + 1)]
    assert told["gru: gradient"] == 2 * [(done, 10) for done in range(1, 11)]  # before and after training
    assert [done for done, _ in told["speed"]] == [*range(compare.SPEED_ROUNDS)]


def test_a_quick_comparison_says_so(tmp_path: Path, here: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "QUICK", LITTLE)
    out = tmp_path / "out"
    arguments = ["compare", "--quick", corpus_file(tmp_path / "few.txt"), "--cell", "gru", "--hidden", "5"]
    assert "quick comparison" in here(*arguments, "--out", out).stdout
    assert "This is a quick comparison" in (out / "index.html").read_text(encoding="utf-8")
    figures = json.loads((out / "figures.json").read_text(encoding="utf-8"))
    assert figures["quick"]
    assert figures["memory"] == asdict(LITTLE)
    assert figures["training"]["epochs"] == len(figures["cells"][0]["epochs"]) == 3
    assert json.loads(here(*arguments, "--epochs", "4", "--json").stdout)["training"]["epochs"] == 4


def test_a_quick_comparison_measures_less() -> None:
    full, quick = asdict(probes.FULL), asdict(probes.QUICK)
    assert all(quick[name] < full[name] for name in full)


def test_a_log_tells_now_and_then_how_far_it_is(capfd: pytest.CaptureFixture[str]) -> None:
    clock = 0.0
    with progress.TrainingView(lambda: clock) as view:
        for done in range(1, 131):
            clock += 1
            view.progress("gru: recall task", done, 130)
    lines = capfd.readouterr().err.splitlines()
    assert lines == [f"gru: recall task, {done} of 130" for done in (60, 120)]


def test_a_terminal_has_a_bar_that_moves(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    with progress.TrainingView() as view:
        view.show(TrainingStep(1, 1, 5, 5, 1.0, 1.0, 0.0, 1, 1.0, {"a": 0.5}, 0.5))
        for done in range(1, 4):
            view.progress("gru: recall task", done, 4)
            view._progress.refresh()
    shown = re.sub("\x1b\\[[0-9;?]*[a-zA-Z]", "", capfd.readouterr().err)
    for done in range(1, 4):
        assert re.search(rf"gru: recall task .* {done}/4", shown)
