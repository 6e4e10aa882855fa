"""What a run tells: bars on a terminal, and in a log a line at the start and one a minute."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from rnntag.cli.progress import TrainingView
from rnntag.config import ModelConfig, SegmenterConfig, TrainConfig
from rnntag.corpora import loading
from rnntag.model.learning_curve import Scale, TrainingStep
from rnntag.sentences import Corpus, Sentence
from rnntag.training.segmenter import SegmenterTask
from rnntag.training.tagger import TaggerTask
from rnntag.training.trainer import Trainer
from tests.conftest import Run, on_terminal

STARTED = 1_700_000_000.0


class Clock:
    """Goes only when it is told to."""

    def __init__(self) -> None:
        self.now = STARTED

    def __call__(self) -> float:
        return self.now


def step(epoch: int, batch: int, batches: int, seconds: float, dev: dict[str, float] | None = None) -> TrainingStep:
    return TrainingStep(epoch, 3, batch, batches, 0.5, 1.0, 0.25, int(1000 * seconds), seconds, dev or {})


def shown(steps: Iterator[tuple[float, TrainingStep]], capsys: pytest.CaptureFixture[str]) -> list[tuple[float, str]]:
    """The lines of a log, each with the second at which it came; the steps come with theirs."""
    clock = Clock()
    lines: list[tuple[float, str]] = []
    with TrainingView(clock) as view:
        for second, one in steps:
            clock.now = STARTED + second
            view.show(one)
            lines += [(second, line) for line in capsys.readouterr().err.splitlines()]
    assert not capsys.readouterr().err
    return lines


def at(seconds: float) -> str:
    return f"{datetime.fromtimestamp(STARTED + seconds):%Y-%m-%d %H:%M}"


def test_a_log_gets_a_line_a_minute(capsys: pytest.CaptureFixture[str]) -> None:
    """Three epochs of a thousand batches, one a second, and at each end ten seconds of measuring."""

    def steps() -> Iterator[tuple[float, TrainingStep]]:
        for epoch in (1, 2, 3):
            begins = (epoch - 1) * 1010
            for batch in range(1, 1000):
                yield begins + batch, step(epoch, batch, 1000, begins + batch)
            yield begins + 1010, step(epoch, 1000, 1000, begins + 1010, {"x": 0.9})

    lines = shown(steps(), capsys)
    seconds = [second for second, _ in lines]
    assert seconds == [n + e for e in (0, 1010, 2020) for n in (*range(60, 1000, 60), 1010)]
    assert lines[0][1] == (
        f"epoch 1/3  6 % (60 of 1,000 batches)  loss 0.5000  1,000 tokens/s  epoch ends about {at(1000)}"
    )
    assert lines[20][1] == (
        f"epoch 2/3  24 % (240 of 1,000 batches)  loss 0.5000  1,000 tokens/s  epoch ends about {at(2010)}"
    )
    ends = [line for _, line in lines if " of 1,000 batches" not in line]
    assert [line.split("  ")[0] for line in ends] == ["epoch 1/3", "epoch 2/3", "epoch 3/3"]
    assert all("dev x 90.00 %" in line for line in ends)


def test_batches_of_over_a_minute_get_a_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(((100 * n, step(1, n, 4, 100.0 * n, {"x": 0.5} if n == 4 else {})) for n in (1, 2, 3, 4)), capsys)
    assert [second for second, _ in lines] == [100, 200, 300, 400]
    assert [line.endswith(f"epoch ends about {at(400)}") for _, line in lines] == [True, True, True, False]


def test_an_epoch_that_is_gone_on_with_is_measured_from_there(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(((n - 500, step(2, n, 1000, 9000.0)) for n in range(501, 600)), capsys)
    assert lines == [
        (60, f"epoch 2/3  56 % (560 of 1,000 batches)  loss 0.5000  1,000 tokens/s  epoch ends about {at(500)}")
    ]


def test_another_network_begins_anew(capsys: pytest.CaptureFixture[str]) -> None:
    """As in `rnntag compare --epochs 1`."""

    def steps() -> Iterator[tuple[float, TrainingStep]]:
        yield from ((n, step(1, n, 50, float(n), {"x": 0.5} if n == 50 else {})) for n in range(1, 51))
        yield from ((50 + 61 * n, step(1, n, 50, 61.0 * n)) for n in (1, 2))

    assert [(second, line.partition("ends about ")[2]) for second, line in shown(steps(), capsys)] == [
        (50, ""), (111, at(50 + 61 * 50)), (172, at(50 + 61 * 50)),
    ]  # fmt: skip


def test_a_short_run_gets_a_line_an_epoch_alone(capsys: pytest.CaptureFixture[str]) -> None:
    steps = ((n, step(n, 5, 5, float(n), {} if n == 2 else {"x": 0.5})) for n in (1, 2, 3))
    lines = [line for _, line in shown(steps, capsys)]
    assert [line.split("  ")[0] for line in lines] == ["epoch 1/3", "epoch 2/3", "epoch 3/3"]
    assert ["dev" in line for line in lines] == [True, False, True]  # a segmenter's corpora may have no dev part


def test_the_first_line_tells_how_much_there_is_to_learn(capsys: pytest.CaptureFixture[str]) -> None:
    scale = Scale(1234, 56789, 123, 4567, {"upos": 17, "own": 1}, 8901, 2345678)
    with TrainingView() as view:
        view.begin("tagger", scale)
        view.begin("segmenter", replace(scale, tags={}), 3)
    assert capsys.readouterr().err.splitlines() == [
        "training the tagger: 1,234 sentences with 56,789 tokens (dev: 123 with 4,567); tags: 17 upos, 1 own; "
        "vocabulary: 8,901 words; parameters: 2,345,678",
        "continuing the segmenter in epoch 3: 1,234 sentences with 56,789 tokens (dev: 123 with 4,567); "
        "vocabulary: 8,901 words and characters; parameters: 2,345,678",
    ]


def test_how_much_there_is_to_learn(starter: list[Corpus]) -> None:
    english = replace(starter[0], train=starter[0].train[:60], dev=starter[0].dev[:10])
    own = Corpus("own", (Sentence(("a", "b", "a"), {"own": ("Q", "R", "Q")}), Sentence((), {"own": ()})))
    shape = ModelConfig(hidden=4, embedding_dim=3, char_dim=2, char_hidden=2)
    training = Trainer(TaggerTask([english, own], shape, TrainConfig(device="cpu")))
    scale = training.task.scale
    train = [sentence.tokens for sentence in english.train]
    assert (scale.sentences, scale.tokens) == (61, sum(map(len, train)) + 3)
    assert (scale.dev_sentences, scale.dev_tokens) == (10, sum(len(sentence.tokens) for sentence in english.dev))
    assert scale.tags == {"upos": len({tag for s in english.train for tag in s.tags["upos"]}), "own": 2}
    assert scale.vocabulary == len(
        {training.task.vocabulary.normal_form(token) for one in (*train, "ab") for token in one}
    )
    assert scale.parameters == sum(weight.size for weight in training.task.network.weights().values())


def test_how_much_there_is_for_a_segmenter_to_learn(starter: list[Corpus]) -> None:
    english = replace(starter[0], train=starter[0].train[:60], dev=starter[0].dev[:10])
    bare = Corpus("bare", (Sentence(("a", "b"), {"own": ("Q", "R")}),))
    training = Trainer(SegmenterTask([english, bare], SegmenterConfig(hidden=4, bigrams=0)))
    scale = training.task.scale
    assert (scale.sentences, scale.tokens) == (60, sum(len(sentence.tokens) for sentence in english.train))
    assert (scale.dev_sentences, scale.dev_tokens) == (10, sum(len(sentence.tokens) for sentence in english.dev))
    assert (scale.tags, scale.vocabulary) == ({}, len(training.task.units.known))
    assert scale.parameters == sum(parameter.numel() for parameter in training.task.network.parameters())


QUICK = (
    "--hidden", "4", "--embedding-dim", "4", "--char-dim", "4", "--char-hidden", "4", "--epochs", "1",
    "--segmenter-hidden", "4", "--segmenter-bigrams", "0", "--segmenter-epochs", "1",
)  # fmt: skip


def corpus(folder: Path) -> Path:
    (english,) = (path for path in loading.starter_files() if path.stem == "starter_en")
    path = folder / "mine.conllu"
    path.write_text("\n\n".join(english.read_text(encoding="utf-8").split("\n\n")[:30]) + "\n\n", encoding="utf-8")
    return path


def test_a_log_begins_with_what_is_learned_from(run: Run, tmp_path: Path) -> None:
    done = run("train", corpus(tmp_path), "--out", "m", *QUICK)
    assert (done.returncode, done.stdout) == (0, "")
    lines = done.stderr.splitlines()
    form = r"training the {}: 24 sentences with \d+ tokens \(dev: 3 with \d+\);{} vocabulary: \d+ [a-z ]+; "
    form += r"parameters: [\d,]+"
    assert re.fullmatch(form.format("tagger", r" tags: \d+ upos;"), lines[0])
    assert lines[1].startswith("epoch 1/1  loss ")
    assert re.fullmatch(form.format("segmenter", ""), lines[2])
    assert lines[3].startswith("epoch 1/1  loss ")
    assert len(lines) == 6


def test_a_terminal_says_that_it_loads(tmp_path: Path) -> None:
    (text,) = on_terminal((0, ["train", corpus(tmp_path), "--out", "m", *QUICK]), folder=tmp_path)
    assert text.index("loading the corpora") < text.index("preparing") < text.index("training the tagger: 24 sentences")
    assert "batches)" not in text  # the bar says it
