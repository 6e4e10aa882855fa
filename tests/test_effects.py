"""An option that has no effect is told, and what is told has none."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnntag import effects
from rnntag.cli.compare import compare
from rnntag.cli.train import train
from rnntag.config import ModelConfig, TrainConfig
from rnntag.corpora import loading
from rnntag.sentences import Corpus, Sentence
from rnntag.training.tagger import TaggerTask
from rnntag.training.trainer import Trainer
from tests.conftest import few, typed

ALWAYS = {
    "quick", "task",
    "spec", "corpus", "out", "force", "cell", "input", "bidirectional", "feedback", "layers", "hidden", "epochs",
    "max_minutes", "patience", "batch_tokens", "lr", "max_grad_norm", "bptt", "dropout", "word_dropout", "min_count",
    "augment", "simplify_chinese", "segmenter", "resume", "checkpoint_every", "tensorboard", "seed",
    "device", "as_json", "context", "init", "class_weights",
}  # fmt: skip
"""What has an effect whatever the others are, or is refused by name beside those that leave it none."""
BY_CORPORA = {"upsample", *loading.READING}

CASES = {
    "activation": (("--activation", "relu"), None),  # refused by its value
    "embedding_dim": (("--embedding-dim", "50"), ("--input", "onehot")),
    "char_dim": (("--char-dim", "50"), ("--input", "onehot")),
    "char_hidden": (("--char-hidden", "50"), ("--input", "onehot")),
    "vectors": (("--vectors", "v.txt"), ("--input", "onehot")),
    "extra_vector_words": (("--extra-vector-words", "5"), ()),
    "shared_rows": (("--shared-rows", "5"), ()),
    "keep": (("--no-keep",), ()),
    "teacher_forcing": (("--teacher-forcing", "0.5"), ()),
    "segmenter_hidden": (("--segmenter-hidden", "5"), ("--no-segmenter",)),
    "segmenter_unit_dim": (("--segmenter-unit-dim", "5"), ("--no-segmenter",)),
    "segmenter_bigrams": (("--segmenter-bigrams", "5"), ("--no-segmenter",)),
    "segmenter_bigram_dim": (("--segmenter-bigram-dim", "5"), ("--no-segmenter",)),
    "segmenter_dropout": (("--segmenter-dropout", "0.5"), ("--no-segmenter",)),
    "segmenter_vectors": (("--segmenter-vectors", "v.txt"), ("--no-segmenter",)),
    "segmenter_epochs": (("--segmenter-epochs", "5"), ("--no-segmenter",)),
    "segmenter_augment": (("--segmenter-augment", "0.5"), ("--no-segmenter",)),
}
"""By option: it, and what leaves it no effect."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with corpora in several formats."""
    monkeypatch.chdir(tmp_path)
    Path("x.txt").write_text("a/Q b/R\n" * 9, encoding="utf-8")
    Path("x.conllu").write_text(("1\ta\t_\tNOUN\tN" + "\t_" * 5 + "\n\n") * 9, encoding="utf-8")
    Path("x.tsv").write_text("a\tQ\n\n" * 9, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("command", [train, compare])
def test_every_option_has_its_place(command: Any) -> None:
    """A new one must go into the table, or into those that always have an effect."""
    placed = effects.NEEDS.keys() | ALWAYS | BY_CORPORA
    assert not inspect.signature(command).parameters.keys() - placed
    assert not effects.NEEDS.keys() & (ALWAYS | BY_CORPORA)
    assert CASES.keys() == {name for name in effects.NEEDS if name in inspect.signature(train).parameters}


@pytest.mark.parametrize("name", sorted(CASES.keys() - {"activation"}))
def test_what_has_no_effect_is_refused_before_any_work(
    name: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(loading, "load", lambda *given, **named: pytest.fail("corpora were loaded"))
    option, beside = CASES[name]
    assert beside is not None
    assert typed("train", "x.txt", "--out", "m", *option, *beside) == 2
    told = capsys.readouterr().err
    left_out = "--keep/--no-keep" if name == "keep" else option[0]
    assert told == f"error: {name} has no effect {effects.NEEDS[name].otherwise}: leave out {left_out}\n"
    assert not (folder / "m").exists()


def test_several_are_told_at_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert typed("train", "x.txt", "--input", "onehot", "--char-dim", "5", "--extra-vector-words", "5") == 2
    assert capsys.readouterr().err == (
        "error: char_dim has no effect unless input is embedding: leave out --char-dim\n"
        "error: extra_vector_words has no effect without vectors: leave out --extra-vector-words\n"
    )


def test_a_value_that_says_what_holds_anyway_is_none_of_them() -> None:
    options = {"cell": "lstm", "activation": "tanh", "feedback": False, "teacher_forcing": 0.0}
    effects.check(options, options)
    with pytest.raises(effects.UsageError, match="teacher_forcing has no effect without feedback"):
        effects.check({**options, "teacher_forcing": 0.5}, options)


def test_only_what_is_typed_counts() -> None:
    effects.check({**asdict(ModelConfig(input="onehot")), **asdict(TrainConfig())}, ["input"])


@pytest.mark.parametrize(
    ("cells", "code"),
    [((), 0), (("--cell", "gru"), 2), (("--cell", "gru", "--cell", "rnn"), 0), (("--cell", "rnn"), 0)],
)
def test_a_comparison_needs_a_plain_rnn_for_an_activation(
    cells: tuple[str, ...], code: int, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class LoadedError(Exception):
        pass

    def load(*given: object, **named: object) -> None:
        raise LoadedError

    monkeypatch.setattr(loading, "load", load)
    assert typed("compare", "x.txt", "--activation", "relu", *cells) == (code or 1)
    told = capsys.readouterr().err
    assert ("activation has no effect unless cell is rnn: leave out --activation" in told) == (code == 2)
    assert ("LoadedError" in told) == (code == 0)


# Of corpora


@pytest.mark.parametrize(
    ("specs", "options", "idle"),
    [
        ("x.txt", "--tagset universal", "tagset"),
        ("x.txt", "--tagset native", None),
        ("x.tsv", "--tagset both", "tagset"),
        ("x.conllu", "--tagset native", None),
        ("x.txt x.conllu", "--tagset both", None),
        ("x.conllu", "--corpus-format slash", "corpus_format"),
        ("x.conllu x.txt", "--corpus-format slash", None),
        ("x.tsv", "--corpus-format tsv", None),
        ("x.conllu", "--encoding utf-8", None),
        ("x.txt", "--encoding gb18030", None),
        ("starter", "--encoding gb18030", "encoding"),
        ("starter", "--corpus-format slash", "corpus_format"),
        ("treebank", "--encoding latin-1", "encoding"),
        ("treebank conll2002:esp", "--corpus-format tsv", "corpus_format"),
        ("treebank x.txt", "--encoding latin-1 --tagset native --corpus-format slash", None),
        ("", "--encoding latin-1", "encoding"),
    ],
)
@pytest.mark.parametrize("command", ["train", "compare"])
def test_how_corpora_are_read(
    command: str, specs: str, options: str, idle: str | None, folder: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    loaded: list[object] = []

    def load(*given: object, **named: object) -> None:
        loaded.append(given)
        raise RuntimeError("loaded")

    monkeypatch.setattr(loading, "load", load)
    code = typed(command, *specs.split(), *options.split())
    told = capsys.readouterr().err
    if idle:
        assert (code, loaded) == (2, [])
        option = f"--{idle.replace('_', '-')}"
        assert told == f"error: {idle} has no effect {loading.READING[idle]}: leave out {option}\n"
    else:
        assert loaded


SMALL = ("--hidden", "4", "--embedding-dim", "4", "--char-dim", "4", "--char-hidden", "4", "--epochs", "1")


def test_what_only_the_corpora_tell_is_a_warning(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ("--upsample", "0.5", "--segmenter-epochs", "2")
    assert typed("train", "x.txt", *given, *SMALL, "--out", "m") == 0
    told = capsys.readouterr().err
    assert "warning: upsample has no effect on a single corpus\n" in told
    assert "warning: segmenter_epochs has no effect without a segmenter, which these corpora cannot train\n" in told
    Path("y.txt").write_text("a/Q b/R\n" * 9, encoding="utf-8")
    assert typed("train", "x.txt", "y.txt", "--upsample", "0.5", *SMALL, "--out", "n") == 0
    assert "warning" not in capsys.readouterr().err


# What the table says is true


LEAST = ModelConfig(hidden=4, embedding_dim=4, char_dim=4, char_hidden=4)
RUN = TrainConfig(epochs=1, batch_tokens=100, dropout=0.1, lr=0.01, device="cpu")
OTHER: Mapping[str, object] = {
    "cell": "gru", "activation": "relu", "input": "onehot", "bidirectional": False, "feedback": True, "layers": 2,
    "hidden": 5, "embedding_dim": 5, "char_dim": 5, "char_hidden": 5, "batch_tokens": 40, "lr": 0.02,
    "max_grad_norm": 0.01, "bptt": 1, "teacher_forcing": 1.0, "dropout": 0.5, "word_dropout": 50.0, "min_count": 3,
    "vectors": ("v.txt",), "extra_vector_words": 2, "shared_rows": 1, "upsample": 1.0, "augment": 1.0, "seed": 2,
}  # fmt: skip
"""By setting, a value that is not the one of `LEAST` and `RUN`."""
BASES = {
    "the usual network": {},
    "one-hot": {"input": "onehot"},
    "a plain RNN": {"cell": "rnn"},
    "a GRU": {"cell": "gru"},
    "feedback": {"feedback": True},
    "vectors": {"vectors": ("v.txt",), "extra_vector_words": 1},
}


def trained(settings: Mapping[str, Any], treebanks: list[Corpus]) -> dict[str, np.ndarray]:
    shape = ModelConfig(**{name: settings[name] for name in ModelConfig.__slots__})
    training = Trainer(
        TaggerTask(treebanks, shape, TrainConfig(**{name: settings[name] for name in TrainConfig.__slots__}))
    )
    for _ in training.steps():
        pass
    return training.task.network.weights()


def same(a: Mapping[str, np.ndarray], b: Mapping[str, np.ndarray]) -> bool:
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize("base", few(BASES, "one-hot", "feedback"))
def test_a_setting_changes_a_model_or_is_in_the_table(base: str, starter: list[Corpus], folder: Path) -> None:
    Path("v.txt").write_text("I 1 0\nyou 0 1\nzebra 1 1\nyak 0 0.5\n", encoding="utf-8")
    some = Corpus("few", starter[0].train[:30], starter[0].dev[:5])
    own = tuple(Sentence(s.tokens, {"own": s.tags["upos"]}) for s in starter[1].train[:8])
    treebanks = [some, Corpus("own", own, own[:3])]
    settings = {**asdict(LEAST), **asdict(RUN), **BASES[base]}
    usual = trained(settings, treebanks)
    idle = effects.without_effect(settings)
    for name in OTHER.keys() - BASES[base].keys():
        if name == "activation" and settings["cell"] != "rnn":
            continue  # which is refused
        if (name in idle and name in ("vectors", "teacher_forcing")) or (name == "input" and settings["vectors"]):
            continue  # as here
        assert same(usual, trained({**settings, name: OTHER[name]}, treebanks)) == (name in idle), name
