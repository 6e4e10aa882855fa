"""Language models: their probabilities, their training, their command line."""

from __future__ import annotations

import itertools
import json
import math
import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

import rnntag
from rnntag.analysis import probes
from rnntag.cli.app import app
from rnntag.config import LANGUAGE_NETWORK, ModelConfig, PretrainConfig
from rnntag.errors import DataError, UsageError
from rnntag.language_model import LanguageModel, load_lm
from rnntag.model import directory
from rnntag.model import language_model as stored
from rnntag.model.language_model import SENTENCE_END, StoredLanguageModel
from rnntag.model.vocabulary import RESERVED, UNKNOWN, Vocabulary
from rnntag.model.weights import UNIGRAMS, dequantize
from rnntag.network.language_model import LanguageNetwork
from rnntag.storage import checksums
from rnntag.training.callbacks import Callbacks
from rnntag.training.language_model import LanguageTask, Numbered, Text, bundle
from rnntag.training.pretrain import pretrain
from rnntag.training.text import held_out
from rnntag.training.trainer import Trainer

SENTENCES = [
    sentence.split()
    for sentence in ("the cat sat", "the dog sat down", "a cat ran", "we eat an apple", "我 吃 苹果", "a dog ran away")
]
SMALL = replace(ModelConfig(**LANGUAGE_NETWORK), hidden=8, embedding_dim=6, char_dim=4, char_hidden=5)


def text_of(sentences: list[list[str]], times: int = 6) -> Text:
    numbered = Numbered()
    train, dev = numbered.text(sentences * times), numbered.text([*sentences, ["zebra", "dog"]])
    return Text(numbered.words, train, dev)


def task_of(model: ModelConfig = SMALL, **options: object) -> LanguageTask:
    config = PretrainConfig(
        **{"min_count": 1, "shortlist": 4, "cluster": 3, "epochs": 2, "batch_tokens": 20, "bptt": 5, **options}
    )
    return LanguageTask(text_of(SENTENCES), model, config)


def trained(model: ModelConfig = SMALL, **options: object) -> StoredLanguageModel:
    trainer = Trainer(task_of(model, **options))
    for _ in trainer.steps():
        pass
    return bundle(trainer, "small")


@pytest.fixture(scope="module", params=["rnn", "lstm", "gru"])
def model(request: pytest.FixtureRequest) -> StoredLanguageModel:
    return trained(replace(SMALL, cell=request.param), min_count=2)


def test_the_probabilities_of_all_words_add_up_to_one(model: StoredLanguageModel) -> None:
    lm = LanguageModel(model, int8=False)
    rows = np.arange(UNKNOWN, model.vocabulary.word_rows)
    assert len(stored.clusters(len(rows) + 1, model.training)) > 3
    query = np.random.default_rng(1).normal(size=(1, model.config.embedding_dim)).astype(np.float32)
    logs = lm._runtime.log_probs(np.repeat(query, len(rows), axis=0), rows)
    assert math.isclose(np.exp(logs).sum(), 1, abs_tol=1e-5)
    counts = np.exp(model.weights[UNIGRAMS][UNKNOWN:].astype(float))
    assert counts.sum() == pytest.approx(1, abs=0.02)


def by_hand(model: StoredLanguageModel, tokens: list[str]) -> tuple[list[float], list[float]]:
    """The log probabilities of tokens and of the end, step by step, from the stored weights; and those of each by
    itself."""
    tokens = [token.lower() for token in tokens]
    weights = {name: weight.astype(np.float64) for name, weight in dequantize(model.weights).items()}
    vocabulary, cell = model.vocabulary, model.config.cell

    def run(prefix: str, x: np.ndarray, h: np.ndarray, c: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        own = weights[f"{prefix}.weight_ih_l0"] @ x + weights[f"{prefix}.bias_ih_l0"]
        back = weights[f"{prefix}.weight_hh_l0"] @ h + weights[f"{prefix}.bias_hh_l0"]
        sigmoid = lambda value: 1 / (1 + np.exp(-value))  # noqa: E731
        if cell == "rnn":
            return np.tanh(own + back), c
        if cell == "lstm":
            i, f, g, o = np.split(own + back, 4)
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            return sigmoid(o) * np.tanh(c), c
        (r, z, n), (r_, z_, n_) = np.split(own, 3), np.split(back, 3)
        new = np.tanh(n + sigmoid(r + r_) * n_)
        return (1 - sigmoid(z + z_)) * new + sigmoid(z + z_) * h, c

    def states(prefix: str, inputs: list[np.ndarray]) -> list[np.ndarray]:
        size = weights[f"{prefix}.weight_hh_l0"].shape[1]
        h, c = np.zeros(size), np.zeros(size)
        found = []
        for x in inputs:
            h, c = run(prefix, x, h, c)
            found.append(h)
        return found

    def vector(token: str) -> np.ndarray:
        letters = [weights["encoder.chars.weight"][row] for row in vocabulary.encode_words([token]).chars[0]]
        row = RESERVED if token == SENTENCE_END else int(vocabulary.rows([token])[0])
        ends = [
            states(f"encoder.spelling.{way}", part)[-1]
            for way, part in (("forwards", letters), ("backwards", letters[::-1]))
        ]
        return np.concatenate([weights["encoder.words.weight"][row], *ends])

    def log_softmax(scores: np.ndarray) -> np.ndarray:
        return scores - np.log(np.exp(scores).sum())

    found, unigrams = [], []
    inputs = [vector(token) for token in [SENTENCE_END, *tokens]]
    table, bias = weights["encoder.words.weight"], weights["output.bias"]
    bounds = stored.clusters(vocabulary.word_rows, model.training)
    for state, token in zip(states("layers.0.forwards", inputs), [*tokens, SENTENCE_END], strict=True):
        query = weights["heads.0.weight"] @ state + weights["heads.0.bias"]
        row = RESERVED if token == SENTENCE_END else int(vocabulary.rows([token])[0])
        head = np.concatenate(
            [
                table[1 : bounds[0]] @ query + bias[1 : bounds[0]],
                weights["output.clusters.weight"] @ query + weights["output.clusters.bias"],
            ]
        )
        if row < bounds[0]:
            log = log_softmax(head)[row - 1]
        else:
            number = next(n for n in range(len(bounds) - 1) if row < bounds[n + 1])
            a, b = bounds[number], bounds[number + 1]
            log = log_softmax(head)[bounds[0] - 1 + number] + log_softmax(table[a:b] @ query + bias[a:b])[row - a]
        unigram = weights[UNIGRAMS][row]
        if row == UNKNOWN:
            before = log
            rows = [*vocabulary.encode_words([token]).chars[0], 0]
            log -= stored.unread_cost(token, vocabulary)
            letters = [np.zeros(model.config.char_dim), *(weights["encoder.chars.weight"][r] for r in rows[:-1])]
            for spelled, r in zip(states("speller.layers.0.forwards", letters), rows, strict=True):
                scores = weights["speller.heads.0.weight"] @ spelled + weights["speller.heads.0.bias"]
                log += log_softmax(scores)[r] - (np.log(0x110000) if r == UNKNOWN else 0)
            unigram += log - before
        found.append(log)
        unigrams.append(unigram)
    return found, unigrams


@pytest.mark.parametrize(
    "tokens",
    [["the", "cat", "sat"], ["a", "zebra", "ate", "吃", "龘"], ["THE", "Zebra", "Cat"], ["x" * 40, "dog"], []],
    ids=str,
)
def test_log_probabilities_are_those_computed_by_hand(model: StoredLanguageModel, tokens: list[str]) -> None:
    score = LanguageModel(model, int8=False).score(tokens)
    expected, unigrams = by_hand(model, tokens)
    assert score.tokens == tokens
    assert score.log_probs == pytest.approx(expected, abs=2e-4)
    assert score.unigrams == pytest.approx(unigrams, abs=2e-4)
    assert score.perplexity == pytest.approx(math.exp(-sum(expected) / len(expected)), rel=1e-3)
    assert score.slor == pytest.approx((sum(expected) - sum(unigrams)) / len(expected), abs=1e-3)


def test_the_probabilities_of_long_words_add_up_to_at_most_one() -> None:
    vocabulary = Vocabulary((SENTENCE_END,), 1, ("a", "b"), {})
    ends = "a" * 16, "b" * 16
    total = 0.0
    for size in range(12):
        middles = map("".join, itertools.product("ab", repeat=size))
        total += sum(math.exp(-stored.unread_cost(middle.join(ends), vocabulary)) for middle in middles)
        # One unknown character stands for all code points.
        total += sum(
            math.comb(size, unknown) * 2 ** (size - unknown) * 0x110000**unknown
            * math.exp(-stored.unread_cost(ends[0] + "?" * unknown + "a" * (size - unknown) + ends[1], vocabulary))
            for unknown in range(1, size + 1)
        )  # fmt: skip
    assert total == pytest.approx(1, abs=0.001)
    assert stored.unread_cost("a" * 31, vocabulary) == 0


def test_torch_and_onnx_agree(model: StoredLanguageModel) -> None:
    network = LanguageNetwork(model.config, model.training, model.vocabulary, np.ones(model.vocabulary.word_rows))
    network.load_weights(dequantize(model.weights))
    task = task_of(model.config, min_count=2, bptt=0)
    task.network = network.eval()
    with torch.inference_mode():
        expected = [next(task._losses(task.text.dev, task._dev_ends, [number])).numpy() for number in range(7)]
    scores = LanguageModel(model, int8=False).score_sents(task.text.dev_sentences())
    for own, score in zip(expected, scores, strict=True):
        assert np.abs(own + np.array(score.log_probs)).max() < 1e-4


SHARED = trained(min_count=2)


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from(["the", "cat", "zebra", "我", "\u200b", "x" * 300]), max_size=400), max_size=5)
)
def test_a_sentence_has_the_same_score_in_any_company(sentences: list[list[str]]) -> None:
    lm = LanguageModel(SHARED, int8=True)
    together = [score.log_prob for score in lm.score_sents(sentences)]
    assert together == pytest.approx([lm.score(sentence).log_prob for sentence in sentences], rel=1e-5, abs=1e-3)
    assert all(value < 0 for value in together)


@pytest.mark.parametrize("bidirectional", [False, True])
def test_windows_of_running_text_hand_the_state_on(bidirectional: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without dropout, the losses of windows are those of the whole stream, and each word is predicted once."""
    whole, cut = (task_of(replace(SMALL, bidirectional=bidirectional), bptt=steps, dropout=0.0) for steps in (40, 4))
    losses = []
    for task in (whole, cut):
        monkeypatch.setattr(task, "config", replace(task.config, batch_tokens=2 * task.config.bptt))
        task.network.eval()
        batches = task.batches(np.random.default_rng(1))
        with torch.inference_mode():
            parts = [[own.view(2, -1) for own in task._next(begin)] for (begin,) in batches]
        losses.append([torch.cat(way, dim=1) for way in zip(*parts, strict=True)])
    assert [one.numel() for one in losses[0]] == [len(whole.text.train) // 2 * 2] * (1 + bidirectional)
    for one, other in zip(*losses, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)


def test_the_error_goes_back_to_the_start_of_the_window_and_no_further() -> None:
    """The gradient of a window's loss is that of autograd with the state before it held constant."""
    task = task_of(bptt=3, dropout=0.0)
    task.network.eval()
    task.batches(np.random.default_rng(1))
    first, second = (task._cut(task._running[0], begin) for begin in (0, 3))
    with torch.no_grad():
        _, before = task.network.losses(first)
    losses, _ = task.network.losses(second, before)
    losses.sum().backward()
    expected = {name: p.grad.clone() for name, p in task.network.named_parameters() if p.grad is not None}
    task.network.zero_grad()
    list(task._next(0))
    (own,) = task._next(3)
    own.sum().backward()
    for name, parameter in task.network.named_parameters():
        if name in expected:
            torch.testing.assert_close(parameter.grad, expected[name])


def test_gradients_are_the_same_on_each_run_of_two_threads() -> None:
    words = np.random.default_rng(1).integers(300, size=(40, 49))
    text = text_of([[f"w{word}" for word in row] for row in words.tolist()], times=1)
    task = LanguageTask(
        text, ModelConfig(**LANGUAGE_NETWORK), PretrainConfig(min_count=1, batch_tokens=2000, dropout=0)
    )
    task.network.eval()
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        runs = []
        for _ in range(3):
            task.network.zero_grad()
            next(task._losses(task.text.train, task._ends, range(40))).sum().backward()
            runs.append([p.grad.clone() for p in task.network.parameters() if p.grad is not None])
    finally:
        torch.set_num_threads(threads)
    assert all(torch.equal(one, other) for run in runs[1:] for one, other in zip(runs[0], run, strict=True))


@pytest.mark.parametrize("bptt", [0, 4])
def test_training_lowers_the_perplexity_and_repeats_itself(bptt: int) -> None:
    ends = []
    for _ in range(2):
        trainer = Trainer(task_of(bptt=bptt, epochs=12, lr=0.02))
        ends.append([step.dev["perplexity"] for step in trainer.steps() if step.dev])
    assert ends[0] == ends[1]
    assert ends[0][-1] > 1.5 * ends[0][0]


@pytest.mark.parametrize("stop", [6, "the end of an epoch"])
@pytest.mark.parametrize(("bptt", "bidirectional"), [(0, False), (4, False), (4, True)])
def test_a_run_goes_on_from_any_step_as_if_it_had_not_stopped(bptt: int, bidirectional: bool, stop: int | str) -> None:
    shape = replace(SMALL, bidirectional=bidirectional)
    whole = Trainer(task_of(shape, bptt=bptt))
    for count, step in enumerate(whole.steps()):
        if count == stop or (stop != 6 and step.dev and step.epoch == 1):
            state = whole.state()
    other = Trainer(task_of(shape, bptt=bptt))
    other.restore(state)
    for _ in other.steps():
        pass
    assert whole.kept
    assert other.kept
    assert all((whole.kept[1][name] == weight).all() for name, weight in other.kept[1].items())


def test_blocks_of_a_text_are_held_out() -> None:
    long = np.tile([3, 4, 0], 3000)
    held = held_out(long)
    assert held.sum() == 3 * 60
    assert held.reshape(-1, 3).all(axis=1).sum() == 60
    assert held_out(np.tile([3, 0], 5)).tolist() == [False] * 8 + [True] * 2
    assert [held_out(np.tile([3, 0], size)).sum() for size in (981, 1000)] == [2 * 98, 2 * 20]


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("text") / "text.txt"
    path.write_text("".join(f"{' '.join(sentence)} .\n" for sentence in SENTENCES * 30), encoding="utf-8")
    return path


OPTIONS = ("--epochs", "2", "--hidden", "8", "--embedding-dim", "6", "--char-dim", "4", "--char-hidden", "4")


@pytest.fixture(scope="module")
def folder(text: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "lm"
    done = CliRunner().invoke(app, ["pretrain", str(text), *OPTIONS, "--out", str(path)])
    assert done.exit_code == 0, done.output
    return path


def score(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["score", *arguments])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_scores_are_columns(folder: Path) -> None:
    lines = score("-m", str(folder), "--header", "the cat sat", "sat the").splitlines()
    assert lines[0].split("\t") == ["log_prob", "perplexity", "slor", "sentence"]
    expected = load_lm(folder).score(["the", "cat", "sat"])
    assert lines[1].split("\t") == [
        f"{round(expected.log_prob, 3)}", f"{round(expected.perplexity, 3)}", f"{round(expected.slor, 3)}",
        "the cat sat",
    ]  # fmt: skip
    assert len(lines) == 3


def test_words_have_surprisals(folder: Path) -> None:
    lines = score("-m", str(folder), "--words", "the cat").splitlines()
    assert [line.split("\t")[0] for line in lines] == ["the", "cat", "</s>", ""]
    row = json.loads(score("-m", str(folder), "--words", "--format", "jsonl", "the cat"))
    assert row["tokens"] == ["the", "cat"]
    assert sum(row["surprisals"]) * math.log(2) == pytest.approx(-row["log_prob"], abs=0.01)


def test_a_threshold_gives_a_verdict(folder: Path) -> None:
    (row,) = (json.loads(score("-m", str(folder), "-f", "jsonl", "--threshold", "-99", "the cat")),)
    assert row["verdict"] == "good"
    assert "\tbad\t" in score("-m", str(folder), "--threshold", "99", "the cat")


def test_texts_are_compared_in_pairs(folder: Path, tmp_path: Path) -> None:
    given = ("-m", str(folder), "--compare")
    rows = [line.split("\t") for line in score(*given, "the cat sat", "sat the the").splitlines()]
    slors = [float(row[2]) for row in rows]
    assert [row[3] for row in rows] == (["better", "worse"] if slors[0] > slors[1] else ["worse", "better"])
    odd = CliRunner().invoke(app, ["score", *given, "a", "b", "the cat"])
    assert (odd.exit_code, len(odd.stdout.splitlines())) == (65, 2)
    assert "'the cat' has no other" in odd.stderr


def test_a_text_of_several_sentences_is_compared_as_a_whole(raw_folder: Path, tmp_path: Path) -> None:
    texts = ["The cat sat. The dog sat.", "We eat an apple."]
    given = ("-m", str(raw_folder), "--compare", "--input-format", "raw", "--format", "jsonl")
    file = tmp_path / "texts.txt"
    file.write_text("\n".join(texts), encoding="utf-8")
    for rows in (score(*given, *texts), score(*given, "-i", str(file))):
        one, other = map(json.loads, rows.splitlines())
        assert one["tokens"] == ["The", "cat", "sat", ".", "The", "dog", "sat", "."]
        assert other["tokens"] == ["We", "eat", "an", "apple", "."]
        assert {one["verdict"], other["verdict"]} == {"better", "worse"}


@pytest.mark.parametrize(
    "options",
    [["--compare", "--threshold", "1"], ["--words", "--compare"], ["--words", "--threshold", "1"],
     ["--header", "-f", "jsonl"], ["--threshold", "nan"]],
    ids=" ".join,
)  # fmt: skip
def test_options_without_effect_are_refused(options: list[str], folder: Path) -> None:
    done = CliRunner().invoke(app, ["score", "-m", str(folder), *options, "a", "b"])
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (2, "", 1)


def test_tokens_never_break_rows_or_sentences(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text(json.dumps({"tokens": ["the", "ca\tt", "a\nb", "\n"]}) + "\n", encoding="utf-8")
    assert score("-m", str(folder), "-i", str(file)).split("\t")[-1] == "the ca t a b _\n"
    assert [line.count("\t") for line in score("-m", str(folder), "--words", "-i", str(file)).splitlines()] == [
        1
    ] * 5 + [0]
    lm = load_lm(folder)
    assert lm.score(["\n"]).log_probs != lm.score(["</s>"]).log_probs
    assert len(lm.score(["the", "\n", "cat"]).log_probs) == 4


def test_a_figure_is_always_a_number(folder: Path) -> None:
    row = json.loads(score("-m", str(folder), "-f", "jsonl", "--input-format", "tokens", "\U0001f600" * 200))
    assert 1e300 < row["perplexity"] < math.inf
    assert math.isfinite(load_lm(folder).score(["the", "zx" * 500_000, "\u9f98" * 500_000]).log_prob)


def test_a_terminal_is_not_controlled_by_text(folder: Path) -> None:
    for options in ([], ["--words", "--color", "always"], ["-f", "jsonl"]):
        shown = on_a_terminal(
            ["score", "-m", str(folder), *options, "--input-format", "tokens", "the \x1b]0;x\x07 cat"]
        )
        assert "cat" in shown
        assert "\x1b]0" not in shown


def on_a_terminal(arguments: list[str]) -> str:
    """What a command prints on a terminal."""
    main, terminal = os.openpty()
    run = subprocess.Popen([sys.executable, "-m", "rnntag", *arguments], stdout=terminal, stdin=subprocess.DEVNULL)
    os.close(terminal)
    shown = b""
    with suppress(OSError):  # the end, on Linux
        while part := os.read(main, 1 << 16):
            shown += part
    os.close(main)
    assert run.wait() == 0
    return shown.decode()


def test_scores_come_while_sentences_are_read(folder: Path) -> None:
    read = 0

    def endless() -> Iterator[list[str]]:
        nonlocal read
        while True:
            read += 1
            yield ["the", "cat"]

    scores = load_lm(folder).stream(endless())
    assert next(scores).tokens == ["the", "cat"]
    assert read < 10_000


def test_a_pickled_model_scores_the_same(folder: Path) -> None:
    lm = load_lm(folder)
    assert pickle.loads(pickle.dumps(lm)).score(["the", "cat"]) == lm.score(["the", "cat"])


@pytest.mark.parametrize(
    "change",
    [
        lambda config: config["model"].update(feedback=True),
        lambda config: config["model"].update(input="onehot"),
        lambda config: config["model"].update(hidden=9),
        lambda config: config["provenance"].update(dev={"nats": 1.0}),
        lambda config: config["training"].update(shortlist=1),
        lambda config: config.update(kind="\x1b[31m"),
    ],
    ids=["feedback", "onehot", "hidden", "dev", "shortlist", "kind"],
)
def test_an_edited_model_is_refused(change: Callable[[Any], None], folder: Path, tmp_path: Path) -> None:
    contents = {path.name: path.read_bytes() for path in folder.iterdir()}
    config = json.loads(contents["config.json"])
    change(config)
    contents["config.json"] = json.dumps(config).encode()
    sums = [(name, contents[name]) for name in contents if name not in ("SHA256SUMS", "MODEL_CARD.md")]
    contents["SHA256SUMS"] = checksums.checksums(sums)
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    for read in (load_lm, rnntag.load_vectors):
        with pytest.raises(DataError) as raised:
            read(tmp_path)
        assert "\x1b" not in str(raised.value)


@pytest.mark.parametrize("name", ["config.json", "vocabulary.json", "model.safetensors", "SHA256SUMS", "history.jsonl"])
def test_a_damaged_model_is_refused(name: str, folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "m")
    content = (tmp_path / "m" / name).read_bytes()
    for damaged in (content[:-9], b"", content.replace(b"1", b"2", 1)):
        (tmp_path / "m" / name).write_bytes(damaged)
        with pytest.raises(DataError):
            load_lm(tmp_path / "m")


@pytest.fixture(scope="module")
def raw_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of raw text, with a copy of a segmenter."""
    folder = tmp_path_factory.mktemp("raw")
    train, dev = folder / "raw.txt", folder / "dev.txt"
    train.write_text("The cat sat. We eat an apple. A dog ran away. " * 40, encoding="utf-8")
    dev.write_text("The dog sat.\n", encoding="utf-8")
    pretrain(train, dev=dev, out=folder / "lm", epochs=1, hidden=8, embedding_dim=6, char_dim=4, char_hidden=4)
    return folder / "lm"


def test_raw_text_is_learned_from_and_scored(raw_folder: Path) -> None:
    (row,) = score("-m", str(raw_folder), "The cat sat.").splitlines()
    assert row.split("\t")[-1] == "The cat sat ."
    dev = stored.read(raw_folder).provenance.perplexity
    assert (dev.words, dev.characters) == (5, 11)
    assert dev.nats == pytest.approx(-load_lm(raw_folder).score(["the", "dog", "sat", "."]).log_prob, abs=1e-3)


def test_files_in_any_format_are_scored(folder: Path, text: Path, tmp_path: Path) -> None:
    conllu = tmp_path / "a.conllu"
    conllu.write_text("1\tthe\t_\tDET" + "\t_" * 6 + "\n2\tcat\t_\tNOUN" + "\t_" * 6 + "\n\n", encoding="utf-8")
    assert score("-m", str(folder), "-i", str(conllu)).endswith("\tthe cat\n")
    assert len(score("-m", str(folder), "-i", str(text)).splitlines()) == 6 * 30


def test_models_of_the_wrong_kind_are_refused(folder: Path, tiny_folder: Path) -> None:
    for arguments, message in (
        (["tag", "-m", str(folder), "a"], "is a language model, not a tagger"),
        (["score", "-m", str(tiny_folder), "a"], "is a tagger, not a language model"),
    ):
        done = CliRunner().invoke(app, arguments)
        assert done.exit_code == 65
        assert done.stderr.count("\n") == 1
        assert message in done.stderr
    with pytest.raises(DataError):
        rnntag.load(folder)
    with pytest.raises(DataError):
        load_lm(tiny_folder)


def test_raw_text_needs_a_segmenter(folder: Path) -> None:
    done = CliRunner().invoke(app, ["score", "-m", str(folder), "--input-format", "raw", "a"])
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)


def test_an_unfinished_run_is_continued_by_the_same_command_alone(text: Path, tmp_path: Path) -> None:
    class Stop(Callbacks):
        def should_stop(self) -> bool:
            return True

    options = {"epochs": 2, "hidden": 8, "embedding_dim": 6, "char_dim": 4, "char_hidden": 4}
    with pytest.raises(rnntag.RnntagError, match="interrupted"):
        pretrain(text, out=tmp_path / "lm", watch=Stop(), **options)
    with pytest.raises(UsageError, match="unfinished run found"):
        pretrain(text, out=tmp_path / "lm", **options)
    with pytest.raises(UsageError, match="rnntag pretrain"):
        rnntag.train(text, out=tmp_path / "lm", resume=True)
    with pytest.raises(UsageError, match="has hidden 8, not 9"):
        pretrain(out=tmp_path / "lm", resume=True, hidden=9)
    pretrain(out=tmp_path / "lm", resume=True)
    pretrain(text, out=tmp_path / "whole", **options)
    for name in ("model.safetensors", "vocabulary.json"):
        assert (tmp_path / "lm" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    with pytest.raises(UsageError, match="already contains a model"):
        pretrain(text, out=tmp_path / "lm", **options)


def test_a_run_continued_elsewhere_names_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Stop(Callbacks):
        def should_stop(self) -> bool:
            return True

    for name in ("here", "there"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "here")
    Path("text.txt").write_text("a b c .\n" * 30, encoding="utf-8")
    with pytest.raises(rnntag.RnntagError, match="interrupted"):
        pretrain("text.txt", out=tmp_path / "lm", watch=Stop(), epochs=1, hidden=8)
    monkeypatch.chdir(tmp_path / "there")
    with pytest.raises(rnntag.NotFoundError, match=f"the run was started in .*{tmp_path.name}/here"):
        pretrain(out=tmp_path / "lm", resume=True)


def test_history_and_card_have_the_perplexity(folder: Path) -> None:
    done = CliRunner().invoke(app, ["history", str(folder)])
    assert done.exit_code == 0
    assert "dev perplexity" in done.stdout
    dev = stored.read(folder).provenance.perplexity
    assert f"{dev.per_word:.1f}" in directory.read_card(folder)
    assert dev.per_character < dev.per_word


def test_the_models_are_listed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.parent.parent)
    if not Path("models").exists():
        Path("models").symlink_to(folder.parent)
    done = CliRunner().invoke(app, ["models", "--json"])
    assert json.loads(done.stdout)["lm"]["kind"] == "language model"
    assert "perplexity" in CliRunner().invoke(app, ["models"]).stdout


def vectors_of(path: Path) -> dict[str, np.ndarray]:
    head, *rows = path.read_text(encoding="utf-8").splitlines()
    count, size = map(int, head.split())
    table = {word: np.array(numbers, dtype=float) for word, *numbers in map(str.split, rows)}
    assert (len(table), {len(row) for row in table.values()}) == (count, {size})
    return table


@pytest.mark.parametrize("kind", ["tagger", "language model"])
def test_exported_vectors_have_the_neighbours_that_are_shown(
    kind: str, folder: Path, tiny_folder: Path, tmp_path: Path
) -> None:
    model = folder if kind == "language model" else tiny_folder
    out = tmp_path / "vectors.txt"
    assert CliRunner().invoke(app, ["similar", "-m", str(model), "--export", str(out)]).exit_code == 0
    table = vectors_of(out)
    word = next(iter(table))
    own = table[word] / np.linalg.norm(table[word])
    cosines = {other: own @ row / max(np.linalg.norm(row), 1e-9) for other, row in table.items() if other != word}
    done = CliRunner().invoke(app, ["similar", "-m", str(model), word.upper(), "--count", "3"])
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert [float(row[2]) for row in rows] == pytest.approx(sorted(cosines.values())[::-1][: len(rows)], abs=0.01)
    assert all(cosines[other] == pytest.approx(float(cosine), abs=0.01) for _, other, cosine in rows)
    done = CliRunner().invoke(app, ["similar", "-m", str(model), "--export", str(out)])
    assert (done.exit_code, "already exists" in done.stderr) == (2, True)


def test_an_analogy_is_the_word_nearest_to_the_sum(folder: Path) -> None:
    vectors = rnntag.load_vectors(folder)
    a, b, c = vectors.words[:3]
    unit = {word: vectors.vector(word) / np.linalg.norm(vectors.vector(word)) for word in vectors.words}
    sums = {word: float(row @ (unit[b] - unit[a] + unit[c])) for word, row in unit.items() if word not in (a, b, c)}
    done = CliRunner().invoke(app, ["similar", "-m", str(folder), "--analogy", a, b, c])
    assert done.stdout.split("\t")[0] == max(sums, key=lambda word: sums[word])


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["qqq"], 66, "'qqq': the model lm has no vector for it"),
        ([], 2, "name a word"),
        (["--analogy", "the", "cat"], 2, "--analogy takes three words, not 2"),
    ],
)
def test_bad_questions_get_one_line(arguments: list[str], code: int, message: str, folder: Path) -> None:
    done = CliRunner().invoke(app, ["similar", "-m", str(folder), *arguments])
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (code, "", 1)
    assert message in done.stderr


LITTLE = probes.Scale(furthest=6, updates=400, tests=50)


def test_a_cell_that_remembers_expects_the_word_again() -> None:
    surprisal = probes.surprisal_by_distance("gru", "tanh", 1, LITTLE)
    recall = probes.recall_by_distance("gru", "tanh", 1, LITTLE)
    untrained = probes.surprisal_by_distance("gru", "tanh", 1, replace(LITTLE, updates=0))
    assert len(surprisal) == 6
    assert surprisal[0] < 1
    assert recall[0] > 0.9
    assert untrained == pytest.approx([3] * 6, abs=0.3)


def test_cells_are_compared_as_language_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("matplotlib")
    monkeypatch.setattr(probes, "QUICK", LITTLE)
    corpus = tmp_path / "a.txt"
    corpus.write_text(
        "".join(" ".join(f"{token}/X" for token in each) + "\n" for each in SENTENCES * 8), encoding="utf-8"
    )
    arguments = ["compare", "--task", "lm", "--quick", str(corpus), "--hidden", "8", "--cell", "gru", "--cell", "rnn"]
    done = CliRunner().invoke(app, [*arguments, "--json", "--out", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    cells = json.loads(done.stdout)["cells"]
    assert [cell["name"] for cell in cells] == ["gru", "rnn"]
    for cell in cells:
        assert 1 < cell["per_character"] < cell["per_word"]
        assert len(cell["surprisal"]) == 6
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {
        "figures.json",
        *(f"{name}.{kind}" for name in ("perplexity", "surprisal") for kind in ("png", "svg")),
    }
    again = CliRunner().invoke(app, [*arguments, "--out", str(tmp_path / "out")])
    assert (again.exit_code, "already exists" in again.stderr) == (2, True)
    idle = CliRunner().invoke(app, [*arguments, "--feedback"])
    assert (idle.exit_code, "feedback has no effect with task lm" in idle.stderr) == (2, True)
