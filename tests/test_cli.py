"""What a user types, and what comes of it."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from rnntag.corpora import loading
from rnntag.formats import registry
from rnntag.formats.records import InputSentence
from rnntag.formats.registry import OUTPUT_FORMATS
from rnntag.model import directory
from rnntag.model.stored import ModelBundle
from rnntag.tagger import Tagger
from tests.conftest import QUICK_TO_TRAIN, RNNTAG, Run, one_line, refusal
from tests.torch_runtime import torch_tagger

LEARNED = "I eat apples .\n\nthe can is full\n"
QUICK = ("--epochs", "2", *QUICK_TO_TRAIN)


# tag


def test_one_line_in_is_one_line_out(run: Run, tiny_folder: Path) -> None:
    done = run("tag", "--model", tiny_folder, stdin=LEARNED)
    assert done.returncode == 0
    assert done.stderr == ""
    lines = done.stdout.split("\n")
    assert lines[0] == "I/PRON eat/VERB apples/NOUN ./PUNCT"
    assert lines[1] == ""
    assert lines[2].startswith("the/DET can/NOUN is/AUX full/ADJ")
    assert lines[3:] == [""]


def test_text_files_and_pipes_give_the_same(run: Run, tiny_folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "text.txt"
    file.write_text(LEARNED, encoding="utf-8")
    piped = run("tag", stdin=LEARNED, RNNTAG_MODEL=str(tiny_folder)).stdout
    assert piped == run("tag", "-m", tiny_folder, "--input-file", file).stdout
    assert piped == run("tag", "-m", tiny_folder, *LEARNED.removesuffix("\n").split("\n")).stdout
    assert piped == run("tag", "-m", tiny_folder, "-i", file, "--threads", "2").stdout
    assert piped * 2 == run("tag", "-m", tiny_folder, "-i", file, "-i", file).stdout
    latin = tmp_path / "utf16.txt"
    latin.write_text(LEARNED, encoding="utf-16")
    assert piped == run("tag", "-m", tiny_folder, "-i", latin, "--encoding", "utf-16").stdout


def test_a_treebank_gets_new_tags_and_keeps_the_rest(run: Run, tiny_folder: Path) -> None:
    (path,) = (p for p in loading.starter_files() if p.stem == "starter_en")
    done = run("tag", "-m", tiny_folder, "-i", path)
    before = path.read_text(encoding="utf-8").splitlines()
    after = done.stdout.splitlines()
    assert len(before) == len(after)
    for old, new in zip(before, after, strict=True):
        if old != new:
            a, b = old.split("\t"), new.split("\t")
            assert [i for i in range(10) if a[i] != b[i]] == [3]


JOBS = pytest.mark.parametrize("jobs", ["1", "2"])


@pytest.mark.parametrize(
    ("segmenter", "jobs", "lines"),
    [
        (False, "1", ["I eat apples .", "I eat apples ."]),
        (False, "2", ["I eat apples .", "I eat apples ."]),
        (False, "1", ["I eat apples", "I eat apples"]),  # before there is evidence of a format
        (True, "1", ["I eat apples .", "the can", "I eat apples."]),
    ],
)
def test_a_slow_writer_is_answered_line_by_line(
    segmenter: bool, jobs: str, lines: list[str], tiny_folder: Path, tiny_raw_folder: Path
) -> None:
    command = [*RNNTAG, "tag", "-m", tiny_raw_folder if segmenter else tiny_folder, "--jobs", jobs]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        for line in lines:
            process.stdin.write(f"{line}\n".encode())
            process.stdin.flush()
            assert process.stdout.readline().count(b"/") == len(line.split())
        process.stdin.close()
        assert process.wait() == 0


@JOBS
def test_a_reader_that_has_enough_ends_it_quietly(tiny_folder: Path, tmp_path: Path, jobs: str) -> None:
    text = tmp_path / "long.txt"
    text.write_text("I eat apples .\n" * 100_000, encoding="utf-8")
    command = [*RNNTAG, "tag", "-m", tiny_folder, "--jobs", jobs, "-i", text]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"I/PRON eat/VERB apples/NOUN ./PUNCT\n"
        process.stdout.close()
        assert process.wait() == 0
        assert process.stderr.read() == b""


def test_any_bytes_in_a_text_argument_come_out_again(tiny_folder: Path) -> None:
    command = [*RNNTAG, "tag", "-m", tiny_folder, b"a\xffb \xe6\x88\x91"]
    slash, jsonl = (subprocess.check_output([*command, "-f", output]) for output in ("slash", "jsonl"))
    assert slash.startswith(b"a\xffb/")
    assert json.loads(jsonl.decode("utf-8"))["tokens"] == ["a\udcffb", "我"]


# errors


def damaged(tiny_folder: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "damaged"
    shutil.copytree(tiny_folder, copy)
    weights = copy / directory.WEIGHTS
    weights.write_bytes(weights.read_bytes()[:-1])
    return copy


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["tag", "-m", "nonesuch", "x"], 66, "nonesuch: no such model; "),
        (["tag", "-m", "{damaged}", "x"], 65, "model.safetensors: does not match its checksum"),
        (["tag", "-m", "{tiny}", "-i", "none.txt"], 66, "none.txt: no such file"),
        (["tag", "-m", "{tiny}", "-i", "."], 74, "is a directory"),
        (["tag", "-m", "{tiny}", "-i", "bad.txt"], 65, "bad.txt:2: byte 5 of the input is not utf-8: set the enco"),
        (["tag", "-m", "{tiny}", "-i", "bad.txt", "--encoding", "nix"], 2, "unknown encoding 'nix'"),
        (["tag", "-m", "{tiny}", "-i", "seven.conllu", "--input-format", "conllu"], 65, "seven.conllu:1: 7 tab-separ"),
        (["tag", "-m", "{tiny}", "-i", "bad.txt", "text"], 2, "TEXT or --input-file"),
        (["eval", "-m", "{tiny}", "nix"], 66, "nix: no such corpus and no such file"),
        (["eval", "-m", "{tiny}", "seven.conllu"], 65, "seven.conllu:1: 7 tab-separated columns where CoNLL-U "),
        (["eval", "-m", "{tiny}", "lower.conllu"], 65, "lower.conllu:1: 'noun' is not a UPOS tag: did you mean NOUN?"),
        (["eval", "-m", "{tiny}", "range.conllu"], 65, "range.conllu:1: the range 5-3 must begin at word 1"),
        (["eval", "-m", "{tiny}", "empty.conllu"], 65, "empty.conllu: contains no sentences"),
        (["eval", "-m", "{tiny}", "own.txt"], 65, "own is tagged with own; the model tiny only knows upos"),
        (["eval", "-m", "{tiny}", "own.txt", "--split", "dev"], 65, "own has no dev split: it has test"),
        (["eval", "-m", "{tiny}", "x", "--json", "--markdown"], 2, "give --json or --markdown, not both"),
        (["eval", "-m", "{tiny}", "x", "--raw", "--html", "x.html"], 2, "leave out --raw"),
        (["eval", "-m", "{tiny}", "x", "--html", "."], 74, ".: is a directory: name a file for --html"),
        (["eval", "-m", "{tiny}", "x", "--html", "nix/x.html"], 74, "nix is not a writable directory"),
        (["eval", "-m", "{tiny}"], 66, "the corpora that tiny was trained on were not found ("),
        (["eval", "-m", "{tiny}", ""], 66, "an empty name: no such corpus"),
        (["tag", "-m", "{tiny}", "--tagset", "ptb", "x"], 2, "tiny has no tagset 'ptb': use upos"),
        (["tag", "-m", "", "x"], 66, "an empty name: no such model"),
        (["tag", "-m", "{tiny}", "-i", "bad.txt", "--encoding", "hex"], 2, "unknown encoding 'hex'"),
        (["train", "--lr", "nan"], 2, "lr is nan"),
        (["train", "--dropout", "nan"], 2, "dropout is nan"),
        (["train", "--seed", "99999999999999999999"], 2, "seed is"),
        (["train", "--hidden", "10000000"], 2, "hidden is 10000000: it must be between 1 and 10000"),
        (["train", "--segmenter-hidden", "0"], 2, "error: segmenter_hidden is 0: it must be between 1 and 10000"),
        (["train-segmenter", "{tiny}", "--hidden", "0"], 2, "error: hidden is 0: it must be between 1 and 10000"),
        (["train", "--out", "."], 74, "contains bad.txt, which does not belong to a model"),
        (["train", "nix"], 66, "nix: no such corpus and no such file"),
        (["train", "own.txt"], 65, "own: no tagged sentence in the dev split: add a corpus"),
        (["train", "--cell", "banana"], 2, "'banana' is not one of 'rnn', 'lstm', 'gru'"),
        (["train", "--cell", "gru", "--activation", "relu"], 2, "activation relu needs cell rnn, not gru"),
        (["train", "--epochs", "0"], 2, "epochs is 0"),
        (["train", "--out", "bad.txt"], 74, "bad.txt: is a file, not a directory"),
        (["train", "--out", "bad.txt/m"], 74, "bad.txt cannot be written to"),
        (["models", "nonesuch"], 66, "nonesuch: no such model; "),
        (["tug"], 2, "No such command 'tug'"),
        (["--nix"], 2, "No such option"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_failure_is_one_line_and_its_exit_code(
    arguments: list[str], code: int, message: str, run: Run, tiny_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "bad.txt").write_bytes(b"a b\n\xff\n")
    (tmp_path / "seven.conllu").write_text("1\ta\ta\tNOUN\t_\t_\t_\n", encoding="utf-8")
    (tmp_path / "lower.conllu").write_text("1\ta\ta\tnoun\t_\t_\t_\t_\t_\t_\n", encoding="utf-8")
    (tmp_path / "range.conllu").write_text("5-3\ta\ta\tNOUN\t_\t_\t_\t_\t_\t_\n", encoding="utf-8")
    (tmp_path / "empty.conllu").write_text("\n", encoding="utf-8")
    (tmp_path / "own.txt").write_text("a/Q b/R\n", encoding="utf-8")
    places = {"{tiny}": str(tiny_folder)}
    if "{damaged}" in arguments:
        places["{damaged}"] = str(damaged(tiny_folder, tmp_path))
    done = run(*(places.get(argument, argument) for argument in arguments))
    assert done.returncode == code
    assert done.stdout == "" or (arguments[0], code) == ("tag", 65)
    assert message in one_line(done.stderr)
    assert one_line(done.stderr).startswith("error: ")


@JOBS
def test_what_stands_before_bad_input_is_tagged(run: Run, tiny_folder: Path, jobs: str) -> None:
    done = run("tag", "-m", tiny_folder, "--jobs", jobs, stdin=b"I eat apples .\n\xff\n")
    assert (done.returncode, done.stdout) == (65, "I/PRON eat/VERB apples/NOUN ./PUNCT\n")
    rows = "".join(f"{i}\t{w}" + "\t_" * 8 + "\n" for i, w in enumerate(["I", "eat", "apples", "."], 1))
    treebank = ("--input-format", "conllu", "-f", "slash", "--jobs", jobs)
    done = run("tag", "-m", tiny_folder, *treebank, stdin=f"{rows}\n1\tbad\n")
    assert (done.returncode, done.stdout) == (65, "I/PRON eat/VERB apples/NOUN ./PUNCT\n")
    assert "<stdin>:6: 2 tab-separated columns" in one_line(done.stderr)


@pytest.mark.parametrize(("jobs", "output"), [*(("1", output) for output in OUTPUT_FORMATS), ("2", "conllu")])
def test_a_line_longer_than_any_block_stays_a_line(
    run: Run, tiny: ModelBundle, tiny_folder: Path, jobs: str, output: str
) -> None:
    sentence = ["I", "eat", "apples", ".", "The", "can", "is", "full"] * 5000
    before, after = ["花", "开", "了"], ["I", "eat"]
    text = "\n".join(" ".join(tokens) for tokens in (before, sentence, after))
    writer = registry.writer(output, "upos")
    expected = "".join(
        writer.text(InputSentence(tokens), tags)
        for tokens, tags in zip((before, sentence, after), Tagger(tiny).predict([before, sentence, after]), strict=True)
    )
    tagged = run("tag", "-m", tiny_folder, "--format", output, "--jobs", jobs, stdin=text).stdout
    if output == "vertical":
        expected = f'<doc id="stdin">\n{expected}</doc>\n'
    if output == "conllu":  # the text of a long line is not held until its end
        expected = expected.replace(f"# text = {' '.join(sentence)}\n", "")
    assert tagged == expected


def test_probabilities_are_written_where_there_is_room(run: Run, tiny_folder: Path) -> None:
    text = "I eat apples ."
    tsv = run("tag", "-m", tiny_folder, "--confidence", text).stdout
    assert [line.split("\t")[:2] for line in tsv.splitlines()[:-1]] == [
        ["I", "PRON"], ["eat", "VERB"], ["apples", "NOUN"], [".", "PUNCT"],
    ]  # fmt: skip
    record = json.loads(run("tag", "-m", tiny_folder, "--top", "3", "-f", "jsonl", text).stdout)
    assert record["tags"] == ["PRON", "VERB", "NOUN", "PUNCT"]
    assert [f"{p:.4f}" for p in record["confidence"]] == [line.split("\t")[2] for line in tsv.splitlines()[:-1]]
    assert [(len(best), next(iter(best))) for best in record["top"]] == [(3, tag) for tag in record["tags"]]
    assert "use --format tsv" in refusal(run("tag", "-m", tiny_folder, "--confidence", "-f", "slash", text), 2)


@pytest.mark.parametrize(("name", "pack"), [("pipe", bytes), ("pipe.gz", gzip.compress)])
def test_a_named_pipe_is_a_file(
    name: str, pack: Callable[[bytes], bytes], tiny_folder: Path, tmp_path: Path, run: Run
) -> None:
    os.mkfifo(tmp_path / name)
    writer = threading.Thread(target=(tmp_path / name).write_bytes, args=(pack(b"I eat apples .\n"),))
    writer.start()
    assert run("tag", "-m", tiny_folder, "-i", name).stdout == "I/PRON eat/VERB apples/NOUN ./PUNCT\n"
    writer.join()


# models, corpora, help


def test_models_and_corpora_are_listed(run: Run, tiny_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny_folder, tmp_path / "models" / "mine")
    (tmp_path / "models" / "hurt").mkdir()
    (tmp_path / "models" / "hurt" / "config.json").write_text("{}")
    listed = json.loads(run("models", "--json").stdout)
    assert listed["mine"]["network"]["cell"] == "lstm"
    assert "is missing" in listed["hurt"]["damaged"]
    shown = run("models").stdout
    assert "mine" in shown
    assert "damaged" in shown
    assert run("models", "mine").stdout == directory.read_card(tiny_folder)
    assert json.loads(run("models", "mine", "--json").stdout) == listed["mine"]
    known = {row["name"]: row for row in json.loads(run("corpora", "--json", NLTK_DATA=str(tmp_path)).stdout)}
    assert known["starter"]["here"]
    assert not known["treebank"]["here"]
    assert known["sinica_treebank"]["licence"] == "CC BY-NC-SA 2.5"
    assert "CC BY-NC-SA 2.5" in run("corpora").stdout


def test_tag_in_32_bits(run: Run, tiny: ModelBundle, tiny_folder: Path) -> None:
    """Scores are those of torch, and nearer to them than in 8 bits; with several processes too."""
    words = ["I", "eat", "xylophones", "."]
    expected = torch_tagger(tiny).probabilities([words], "upos")
    tags = tiny.vocabulary.tags["upos"]

    def off(*arguments: str) -> float:
        done = run("tag", "-m", tiny_folder, "--format", "jsonl", "--top", str(len(tags)), *arguments, " ".join(words))
        rows = json.loads(done.stdout)["top"]
        return float(np.abs(expected - [[row[tag] for tag in tags] for row in rows]).max())

    assert off() > 2e-4
    for arguments in (["--fp32"], ["--fp32", "--jobs", "2"]):
        assert off(*arguments) < 1e-4


@pytest.mark.parametrize("command", ["tag", "eval", "train", "export", "models", "history", "corpora"])
def test_help_shows_an_example(command: str, run: Run) -> None:
    assert f"rnntag {command}" in run(command, "--help").stdout.replace("Usage: rnntag", "")


def test_rnntag_alone_shows_its_help(run: Run) -> None:
    done = run()
    assert (done.returncode, done.stdout) == (0, run("--help").stdout)
    assert "rnntag train --cell lstm" in done.stdout
    assert run("--version").stdout.startswith("rnntag 0.")


# train


@pytest.mark.parametrize(("cell", "input"), [("lstm", "embedding"), ("gru", "onehot")])
def test_train_then_eval_then_tag(cell: str, input: str, run: Run, tmp_path: Path) -> None:
    quick = QUICK if input == "embedding" else ("--epochs", "2", "--hidden", "8", "--no-segmenter")
    done = run("train", "--corpus", "starter", "--cell", cell, "--input", input, *quick)
    assert done.returncode == 0
    assert done.stdout == ""
    assert "epoch 2/2" in done.stderr
    assert f"next: rnntag tag --model models/{cell}" in done.stderr
    stored = directory.read(tmp_path / "models" / cell)
    assert (stored.config.cell, stored.config.input) == (cell, input)
    assert stored.provenance.specs == ("starter",)
    assert stored.temperatures.keys() == {"upos"}
    report = json.loads(run("eval", "-m", cell, "--json").stdout)
    figures = {one["corpus"]: one["accuracy"] for one in report}
    assert figures == pytest.approx(dict(stored.provenance.test))
    assert run("tag", "-m", cell, "a b").stdout.count("/") == 2


def test_without_nltk_s_corpora_the_starter_corpus_steps_in_with_a_warning(run: Run, tmp_path: Path) -> None:
    """Without a network either, as in a sealed room."""
    done = run("train", *QUICK, NLTK_DATA=str(tmp_path), HOME=str(tmp_path))
    if "starter corpus" not in done.stderr:
        pytest.skip("NLTK could fetch its corpora here")
    assert done.returncode == 0
    assert "warning: NLTK's treebank is not on this machine" in done.stderr
    assert "starter_en" in done.stderr


def test_a_named_corpus_has_no_substitute(run: Run, tmp_path: Path) -> None:
    done = run("train", "--corpus", "alpino", "--tagset", "native", NLTK_DATA=str(tmp_path), HOME=str(tmp_path))
    if done.returncode == 0:
        pytest.skip("NLTK could fetch its corpora here")
    assert "python -m nltk.downloader alpino" in refusal(done, 66)


def test_damaged_nltk_data_is_named(run: Run, tmp_path: Path) -> None:
    (tmp_path / "corpora" / "alpino").mkdir(parents=True)
    done = run("train", "--corpus", "alpino", "--tagset", "native", NLTK_DATA=str(tmp_path))
    assert "NLTK's alpino is damaged" in refusal(done, 65)


def test_several_tagsets_in_one_model(run: Run, tmp_path: Path) -> None:
    rows = [f"{i}\tw{i}\t_\t{tag}\t{tag[:2]}\t_\t_\t_\t_\t_\n" for i, tag in ((1, "NOUN"), (2, "VERB"))]
    (tmp_path / "en_x.conllu").write_text(("".join(rows) + "\n") * 10, encoding="utf-8")
    (tmp_path / "mine.txt").write_text("a/Q b/R\n" * 10, encoding="utf-8")
    learn = ("--epochs", "30", "--lr", "0.05", "--dropout", "0", "--patience", "30")
    done = run("train", "en_x.conllu", "mine.txt", "--tagset", "both", "--out", "m", *QUICK, *learn)
    assert done.returncode == 0, done.stderr
    assert set(directory.read(tmp_path / "m").vocabulary.tags) == {"upos", "xpos-en", "mine"}
    reports = json.loads(run("eval", "-m", "m", "--json").stdout)
    assert [(r["corpus"], r["tagset"], r["accuracy"]) for r in reports] == [
        ("en_x", "upos", 1), ("en_x", "xpos-en", 1), ("mine", "mine", 1),
    ]  # fmt: skip
    (report,) = json.loads(run("eval", "-m", "m", "en_x.conllu", "--tagset", "native", "--json").stdout)
    assert (report["tagset"], report["accuracy"]) == ("xpos-en", 1)
    (tmp_path / "gold.txt").write_text("a/R b/R\n", encoding="utf-8")
    (report,) = json.loads(run("eval", "-m", "m", "gold.txt", "--json").stdout)
    assert (report["tagset"], report["accuracy"]) == ("mine", 0.5)
    assert run("tag", "-m", "m", "--tagset", "mine", "a b").stdout == "a/Q b/R\n"
    assert run("tag", "-m", "m", "--tagset", "xpos-en", "-f", "conllu", "w1 w2").stdout.splitlines()[2] == "1\tw1" + (
        "\t_\t_\tNO" + "\t_" * 5
    )
