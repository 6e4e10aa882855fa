"""How a model learned stays with it, and can be seen."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import given

from rnntag.errors import DataError, NotFoundError
from rnntag.model import directory, learning_curve
from rnntag.model.files import SEGMENTER
from rnntag.model.learning_curve import TrainingStep
from rnntag.model.stored import ModelBundle
from rnntag.storage.checksums import CHECKSUMS
from rnntag.terminal.charts import columns
from tests.conftest import QUICK_TO_TRAIN, Run, done, refusal

KEYS = ["epoch", "loss", "gradient_norm", "clipped", "tokens", "seconds", "dev", "dev_accuracy"]


def step(epoch: int, dev: dict[str, float], accuracy: float = 0.5, loss: float = 1.0) -> TrainingStep:
    return TrainingStep(epoch, 9, 4, 4, loss, 0.7, 0.25, 100 * epoch, 1.5 * epoch, dev, accuracy)


WORDS = [(1, "I", "PRON", "_"), (2, "can", "AUX", "SpaceAfter=No"), (3, "not", "PART", "_"), (4, "swim", "VERB", "_")]
STEPS = [
    replace(step(1, {}), batch=1),
    step(1, {"a": 0.25, "b": 0.75}, 0.5, 2.0),
    step(2, {"a": 0.5, "b": 1.0}, 0.75, 1.5),
    step(3, {"a": 0.5, "b": 1.0}, 0.75, 1.25),
]


@pytest.fixture
def learned(tiny: ModelBundle, tmp_path: Path) -> Path:
    """A model that knows how it learned."""
    path = tmp_path / "learned"
    directory.write(path, replace(tiny, history=learning_curve.write(STEPS)), "")
    return path


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """A treebank that is soon known by heart."""
    path = tmp_path / "mine.conllu"
    rows = "".join(f"{i}\t{w}\t_\t{t}\t_\t_\t_\t_\t_\t{m}\n" for i, w, t, m in WORDS)
    path.write_text(f"{rows}\n" * 40, encoding="utf-8")
    return path


shares = st.floats(0, 1)


@given(
    st.lists(
        st.tuples(st.dictionaries(st.text(), shares, min_size=1, max_size=3), shares, st.floats(0, 1e9)),
        min_size=1,
        max_size=4,
    )
)
def test_what_is_written_is_read_back(told: list[tuple[dict[str, float], float, float]]) -> None:
    steps = [step(epoch, *figures) for epoch, figures in enumerate(told, 1)]
    try:
        content = learning_curve.write(steps)
    except UnicodeEncodeError:
        return  # an unpaired surrogate, which no file name has
    read = learning_curve.read(content, "x")
    assert [(e.epoch, e.dev, e.dev_accuracy, e.loss) for e in read] == [
        (epoch, *figures) for epoch, figures in enumerate(told, 1)
    ]


def test_an_epoch_is_a_line_with_its_keys_in_order() -> None:
    lines = learning_curve.write(STEPS).decode().splitlines()
    assert len(lines) == 3
    for line, told in zip(lines, STEPS[1:], strict=True):
        record = json.loads(line)
        assert list(record) == KEYS
        assert record == {key: getattr(told, key) for key in KEYS}
    assert learning_curve.best(learning_curve.read("\n".join(lines).encode(), "x")).epoch == 2


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", "x: contains no epoch"),
        ("nonsense", "x:2: is not an epoch written by"),
        ('{"epoch": 2}', "x:2: is not an epoch written by 'rnntag train': no field 'loss'"),
        ("[]", "x:2: is not an epoch"),
        (learning_curve.write(STEPS[1:2]).decode().replace("2.0", "NaN"), "x:2: is not an epoch .*NaN is not a number"),
    ],
)
def test_what_is_no_history_is_named(line: str, message: str) -> None:
    good = learning_curve.write(STEPS[1:2]).decode() if line else ""
    with pytest.raises(DataError, match=message):
        learning_curve.read(f"{good}{line}\n".encode(), "x")


def test_a_model_keeps_it_whatever_becomes_of_the_model(learned: Path, corpus: Path, here: Run) -> None:
    content = learning_curve.write(STEPS)
    assert directory.read(learned).history == content == directory.read_history(learned)
    assert directory.HISTORY in (learned / CHECKSUMS).read_text()
    small = ("--hidden", "4", "--bigrams", "0", "--epochs", "1")
    done(here("train-segmenter", learned, corpus, *small, "--out", "copy"))
    assert (learned.parent / "copy" / SEGMENTER).exists()
    for path in (learned, learned.parent / "copy"):
        assert (path / directory.HISTORY).read_bytes() == content


def test_a_model_that_takes_another_s_place_does_not_take_its_history(learned: Path, tiny: ModelBundle) -> None:
    directory.check_target(learned)
    directory.write(learned, tiny, "")
    assert directory.read(learned).history == b""
    with pytest.raises(NotFoundError, match=r"this model has no history\.jsonl"):
        directory.read_history(learned)


def test_a_damaged_history_without_a_checksum_does_not_keep_a_model_from_tagging(run: Run, learned: Path) -> None:
    """As one that an older rnntag has written."""
    lines = (learned / CHECKSUMS).read_text().splitlines(keepends=True)
    (learned / CHECKSUMS).write_text("".join(line for line in lines if directory.HISTORY not in line))
    (learned / directory.HISTORY).write_text("nonsense\n")
    assert run("tag", "-m", learned, "I eat apples .").stdout == "I/PRON eat/VERB apples/NOUN ./PUNCT\n"
    assert "history.jsonl:1: is not an epoch" in refusal(run("history", learned), 65)


def test_a_run_writes_all_its_epochs_though_an_earlier_one_is_kept(corpus: Path, tmp_path: Path, here: Run) -> None:
    told = done(here("train", corpus, "--out", "m", *QUICK_TO_TRAIN, "--epochs", "9", "--patience", "2"))
    epochs = learning_curve.read((tmp_path / "m" / "history.jsonl").read_bytes(), "x")
    shown = [line for line in told.splitlines() if line.startswith("epoch ")]
    assert [epoch.epoch for epoch in epochs] == [*range(1, len(shown) + 1)]
    provenance = directory.read(tmp_path / "m").provenance
    best = learning_curve.best(epochs)
    assert (best.epoch, best.dev) == (provenance.epoch, provenance.dev)
    assert len(epochs) == provenance.epoch + 2 < 9
    assert all(f"loss {epoch.loss:.4f}" in line for epoch, line in zip(epochs, shown, strict=True))


# rnntag history


def test_it_is_shown_in_80_columns(run: Run, learned: Path) -> None:
    lines = run("history", learned).stdout.splitlines()
    assert lines[0] == "learned: epoch 2 of 3 was kept"
    chart = lines[3:13]
    assert all(len(line) <= 80 for line in chart)
    assert chart[0].split() == ["2.000", "┤█████████", "75.00", "%", "┤", "██████████████████"]
    assert chart[7].split() == ["0.000", "┤███████████████████████████", "50.00", "%", "┤▁▁▁▁▁▁▁▁▁██████████████████"]
    assert chart[9].split() == ["1", "3", "1", "3"]
    rows = [line.split() for line in lines if line.strip()[:1].isdigit() or line.strip().startswith("*")]
    assert rows[-2:] == [
        ["*", "2", "1.5000", "0.70", "25%", "75.00", "%", "50.00", "%", "100.00", "%", "0:00:03"],
        ["3", "1.2500", "0.70", "25%", "75.00", "%", "50.00", "%", "100.00", "%", "0:00:04"],
    ]


def test_it_can_be_had_as_json(run: Run, learned: Path) -> None:
    told = json.loads(run("history", learned, "--json").stdout)
    assert told == [json.loads(line) for line in learning_curve.write(STEPS).splitlines()]


def test_a_model_without_one_says_so(run: Run, tiny_folder: Path) -> None:
    for model in (tiny_folder, "zh-en"):
        assert "this model has no history.jsonl" in refusal(run("history", model), 66)


def test_it_is_drawn(learned: Path, tmp_path: Path, here: Run) -> None:
    pytest.importorskip("matplotlib")
    for name, beginning in (("a.svg", b"<?xml"), ("a.PNG", b"\x89PNG")):
        assert done(here("history", learned, "--out", name)) == f"saved {name}\n"
        assert (tmp_path / name).read_bytes().startswith(beginning)
    assert "learned: epoch 2 of 3 was kept" in (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert "a plot is an .svg or a .png" in refusal(here("history", learned, "--out", "a.gif"), 2)
    assert "No such file" in refusal(here("history", learned, "--out", "none/a.svg"), 74)


def hidden(tmp_path: Path, package: str) -> dict[str, str]:
    """An environment in which a package is not installed."""
    (tmp_path / "hiding").mkdir()
    (tmp_path / "hiding" / "sitecustomize.py").write_text(
        "import importlib.util as u\nfind = u.find_spec\n"
        f"u.find_spec = lambda name, package=None: None if name == {package!r} else find(name, package)\n"
    )
    return {"PYTHONPATH": str(tmp_path / "hiding")}


def test_without_matplotlib_nothing_is_drawn(run: Run, learned: Path, tmp_path: Path) -> None:
    ended = run("history", learned, "--out", "a.svg", **hidden(tmp_path, "matplotlib"))
    assert 'pip install "rnntag[plot]"' in refusal(ended, 66)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1), st.integers(1, 12))
def test_a_chart_s_columns_are_as_high_as_their_values(values: list[float], height: int) -> None:
    low, high = min(values), max(values)
    rows = columns(values, low, high, height)
    assert [len(row) for row in rows] == [len(values)] * height
    filled = [sum(" ▁▂▃▄▅▆▇█".index(row[place]) for row in rows) for place in range(len(values))]
    assert sorted(filled) == [filled[place] for place in sorted(range(len(values)), key=values.__getitem__)]
    assert max(filled) == 8 * height
    assert min(filled) == (1 if low < high else 8 * height)


# TensorBoard


def test_without_tensorboard_a_run_does_not_begin(run: Run, tmp_path: Path) -> None:
    ended = run("train", "starter", "--tensorboard", "tb", "--out", "m", **hidden(tmp_path, "tensorboard"))
    assert "TensorBoard is not installed: pip install tensorboard" in refusal(ended, 66)
    assert not (tmp_path / "tb").exists()


def test_tensorboard_is_told_of_batches_and_epochs(corpus: Path, tmp_path: Path, here: Run) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    assert "cannot be created: File exists" in refusal(here("train", corpus, "--tensorboard", corpus, "--out", "m"), 74)
    done(here("train", corpus, "--tensorboard", "tb", "--out", "m", *QUICK_TO_TRAIN, "--epochs", "2"))
    epochs = learning_curve.read((tmp_path / "m" / "history.jsonl").read_bytes(), "x")
    events = EventAccumulator(str(tmp_path / "tb"))
    events.Reload()

    def told(name: str) -> dict[int, float]:
        return {event.step: event.value for event in events.Scalars(name)}

    assert set(events.Tags()["scalars"]) == {
        "loss/batch", "loss/epoch", "gradient/norm", "gradient/clipped", "dev_accuracy", "dev/mine",
    }  # fmt: skip
    assert told("loss/epoch") == pytest.approx({e.epoch: e.loss for e in epochs})
    assert told("gradient/norm") == pytest.approx({e.epoch: e.gradient_norm for e in epochs})
    assert told("dev_accuracy") == pytest.approx({e.epoch: e.dev_accuracy for e in epochs})
    assert told("dev/mine") == pytest.approx({e.epoch: e.dev["mine"] for e in epochs})
    batches = told("loss/batch")
    assert [*batches] == [*range(1, len(batches) + 1)]
    assert len(batches) > len(epochs)
    assert batches[len(batches)] == pytest.approx(epochs[-1].loss)
