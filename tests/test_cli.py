"""What a user types, and what comes of it."""

from __future__ import annotations

import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import conllu as peer
import numpy as np
import pytest

from rnntag.corpora import loading
from rnntag.formats import registry
from rnntag.formats.records import InputSentence
from rnntag.formats.registry import OUTPUT_FORMATS
from rnntag.model import directory, learning_curve
from rnntag.model.learning_curve import TrainingStep
from rnntag.model.stored import ModelBundle
from rnntag.tagger import Tagger
from tests.conftest import QUICK_TO_TRAIN, Run, one_line
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


def test_formats_hold_the_same_tags(run: Run, tiny_folder: Path) -> None:
    out = {
        name: run("tag", "-m", tiny_folder, "-f", name, stdin=LEARNED).stdout
        for name in ("slash", "tsv", "jsonl", "conllu")
    }
    expected = [[tuple(item.rsplit("/", 1)) for item in line.split()] for line in out["slash"].splitlines()]
    assert [[tuple(row.split("\t")) for row in block.split("\n")] for block in out["tsv"].strip().split("\n\n\n")] == [
        expected[0],
        expected[2],
    ]
    rows = [json.loads(line) for line in out["jsonl"].splitlines()]
    assert [list(zip(row["tokens"], row["tags"], strict=True)) for row in rows] == expected
    read = [[(token["form"], token["upos"]) for token in sentence] for sentence in peer.parse(out["conllu"])]
    assert read == [expected[0], expected[2]]


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


@JOBS
def test_a_slow_writer_is_answered_line_by_line(tiny_folder: Path, jobs: str) -> None:
    command = [sys.executable, "-m", "rnntag", "tag", "-m", str(tiny_folder), "--jobs", jobs]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        for _ in range(2):
            process.stdin.write(b"I eat apples .\n")
            process.stdin.flush()
            assert process.stdout.readline() == b"I/PRON eat/VERB apples/NOUN ./PUNCT\n"
        process.stdin.close()
        assert process.wait() == 0


@JOBS
def test_a_reader_that_has_enough_ends_it_quietly(tiny_folder: Path, tmp_path: Path, jobs: str) -> None:
    text = tmp_path / "long.txt"
    text.write_text("I eat apples .\n" * 100_000, encoding="utf-8")
    with text.open("rb") as stdin, subprocess.Popen(
        [sys.executable, "-m", "rnntag", "tag", "-m", str(tiny_folder), "--jobs", jobs],
        stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdout
        assert process.stderr
        assert process.stdout.readline() == b"I/PRON eat/VERB apples/NOUN ./PUNCT\n"
        process.stdout.close()
        assert process.wait() == 0
        assert process.stderr.read() == b""


def test_any_bytes_in_a_text_argument_come_out_again(tiny_folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "rnntag", "tag", "-m", str(tiny_folder), b"a\xffb"], capture_output=True, check=False
    )
    assert done.returncode == 0
    assert done.stdout.startswith(b"a\xffb/")


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
        (
            ["tag", "-m", "{tiny}", "-i", "bad.txt"],
            65,
            "bad.txt:2: byte 5 of the input is not utf-8: name its encoding",
        ),
        (["tag", "-m", "{tiny}", "-i", "bad.txt", "--encoding", "nix"], 2, "there is no encoding named 'nix'"),
        (["tag", "-m", "{tiny}", "-i", "seven.conllu", "--input-format", "conllu"], 65, "seven.conllu:1: 7 columns"),
        (["tag", "-m", "{tiny}", "-i", "bad.txt", "text"], 2, "TEXT or --input-file"),
        (["eval", "-m", "{tiny}", "nix"], 66, "nix: no such corpus and no such file"),
        (
            ["eval", "-m", "{tiny}", "seven.conllu"],
            65,
            "seven.conllu:1: 7 columns separated by tabs where CoNLL-U has 10",
        ),
        (["eval", "-m", "{tiny}", "lower.conllu"], 65, "lower.conllu:1: 'noun' is no UPOS tag: did you mean NOUN?"),
        (["eval", "-m", "{tiny}", "range.conllu"], 65, "range.conllu:1: the range 5-3 does not begin at word 1"),
        (["eval", "-m", "{tiny}", "empty.conllu"], 65, "empty.conllu: no sentence in it"),
        (["eval", "-m", "{tiny}", "own.txt"], 65, "own is tagged with own, which the model tiny does not know"),
        (["eval", "-m", "{tiny}", "own.txt", "--split", "dev"], 65, "own has no dev part: it has test"),
        (["eval", "-m", "{tiny}", "x", "--json", "--markdown"], 2, "give --json or --markdown, not both"),
        (["eval", "-m", "{tiny}", "x", "--raw", "--html", "x.html"], 2, "leave out --raw"),
        (["eval", "-m", "{tiny}", "x", "--html", "."], 74, ".: is a directory: name a file for --html"),
        (["eval", "-m", "{tiny}", "x", "--html", "nix/x.html"], 74, "nix is no folder that can be written to"),
        (["eval", "-m", "{tiny}"], 66, "what tiny was trained on is not here: name a CORPUS"),
        (["eval", "-m", "{tiny}", ""], 66, "an empty name: no such corpus"),
        (["tag", "-m", "{tiny}", "--tagset", "ptb", "x"], 2, "tiny does not know ptb: it knows upos"),
        (["tag", "-m", "", "x"], 66, "an empty name: no such model"),
        (["tag", "-m", "{tiny}", "-i", "bad.txt", "--encoding", "hex"], 2, "there is no encoding named 'hex'"),
        (["train", "--lr", "nan"], 2, "lr is nan"),
        (["train", "--dropout", "nan"], 2, "dropout is nan"),
        (["train", "--seed", "99999999999999999999"], 2, "seed is"),
        (["train", "--hidden", "10000000"], 2, "hidden is 10000000: it must lie between 1 and 10000"),
        (["train", "--out", "."], 74, "holds bad.txt, which is no part of a model"),
        (["train", "nix"], 66, "nix: no such corpus and no such file"),
        (["train", "own.txt"], 65, "own: no sentence in the dev part: add a corpus"),
        (["train", "--cell", "banana"], 2, "'banana' is not one of 'rnn', 'lstm', 'gru'"),
        (["train", "--cell", "gru", "--activation", "relu"], 2, "activation relu belongs to the plain rnn"),
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
    assert "<stdin>:6: 2 columns" in one_line(done.stderr)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_one_line(tiny_folder: Path) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "rnntag", "tag", "-m", str(tiny_folder), "a"],
            stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 74
    assert "No space left" in one_line(done.stderr)


def test_a_terminal_gets_colours_and_is_spared_control_characters(tiny_folder: Path) -> None:
    command = [sys.executable, "-m", "rnntag", "tag", "-m", str(tiny_folder), "I eat\x1b[2J apples\u202e"]
    screen, end = pty.openpty()
    environment = {
        **{name: value for name, value in os.environ.items() if name != "NO_COLOR"},
        "TERM": "xterm-256color",
    }
    with subprocess.Popen(command, stdout=end, env=environment) as process:
        assert process.wait() == 0
    os.close(end)
    shown = os.read(screen, 10_000).decode()
    os.close(screen)
    assert "\x1b[36m/PRON" in shown
    assert "eat\\x1b[2J" in shown
    assert "apples\\u202e" in shown


@JOBS
@pytest.mark.parametrize("output", OUTPUT_FORMATS)
def test_a_line_longer_than_any_block_stays_a_line(
    run: Run, tiny: ModelBundle, tiny_folder: Path, jobs: str, output: str
) -> None:
    sentence = ["I", "eat", "apples", ".", "The", "can", "is", "full"] * 10_000
    before, after = ["花", "开", "了"], ["I", "eat"]
    text = "\n".join(" ".join(tokens) for tokens in (before, sentence, after))
    writer = registry.writer(output, "upos")
    expected = "".join(
        writer.text(InputSentence(tokens), tags)
        for tokens, tags in zip((before, sentence, after), Tagger(tiny).predict([before, sentence, after]), strict=True)
    )
    tagged = run("tag", "-m", tiny_folder, "--format", output, "--jobs", jobs, stdin=text).stdout
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
    refused = run("tag", "-m", tiny_folder, "--confidence", "-f", "slash", text)
    assert refused.returncode == 2
    assert "add --format tsv" in one_line(refused.stderr)


def test_a_named_pipe_is_a_file(tiny_folder: Path, tmp_path: Path, run: Run) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=("I eat apples .\n",))
    writer.start()
    assert run("tag", "-m", tiny_folder, "-i", pipe).stdout == "I/PRON eat/VERB apples/NOUN ./PUNCT\n"
    writer.join()
    assert run("tag", "-m", tiny_folder, "-i", "-", stdin="I eat apples .").stdout.startswith("I/PRON eat/VERB")


# eval, models, corpora


def test_eval_of_what_was_learned(run: Run, tiny: ModelBundle, tiny_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("I/PRON eat/VERB xylophones/X ./PUNCT\n", encoding="utf-8")
    done = run("eval", "-m", tiny_folder, "x.txt", "--json")
    assert done.stderr == ""
    (report,) = json.loads(done.stdout)
    assert (report["tokens"], report["sentences"], report["unseen_tokens"]) == (4, 1, 1)
    assert report["accuracy"] == 0.75
    assert report["unseen_accuracy"] == 0
    assert 0 < report["calibration_error"] < 1
    assert report["confusions"][0][0] == "X"
    assert report["tags"]["PRON"] == {"precision": 1, "recall": 1, "f1": 1, "support": 1}
    digest = directory.read(tiny_folder).digest
    assert f"model tiny:{digest} | corpus x/test:" in report["signature"]
    assert report["tagset"] == "upos"
    shown = run("eval", "-m", tiny_folder, "x.txt").stdout
    assert "75.00 %" in shown
    assert report["signature"] in shown


TEXT = "I/PRON eat/VERB xylophones/X ./PUNCT\nthe/DET can/NOUN is/AUX full/ADJ\n"


def test_eval_beside_another_model(run: Run, tiny: ModelBundle, tiny_folder: Path, tmp_path: Path) -> None:
    """Which has unlearned everything."""
    dumb = {name: np.zeros_like(weight) for name, weight in tiny.weights.items()}
    directory.write(tmp_path / "dumb", replace(tiny, weights=dumb), "")
    (tmp_path / "x.txt").write_text(TEXT, encoding="utf-8")
    both = ("-m", tiny_folder, "-m", "dumb")
    first, second = json.loads(run("eval", *both, "x.txt", "--json").stdout)
    assert (first["model"], first["against"], first["accuracy"]) == ("tiny", None, 7 / 8)
    against = second["against"]
    assert second["model"] == "dumb"
    assert against["difference"] == pytest.approx(second["accuracy"] - first["accuracy"])
    assert against["better"] - against["worse"] == round(8 * against["difference"]) < 0
    assert against["interval"][0] <= against["difference"] <= against["interval"][1]
    assert 0 < against["mcnemar"] < 0.1
    shown = run("eval", *both, "x.txt").stdout
    assert f"{100 * against['difference']:+.2f}" in shown
    assert f"{against['mcnemar']:.4f}" in shown
    assert shown.count("rnntag 0.") == 2
    (alone,) = json.loads(run("eval", "x.txt", "--json", RNNTAG_MODEL=str(tmp_path / "dumb")).stdout)
    assert alone["accuracy"] == second["accuracy"]


def test_eval_beside_the_commonest_tags(run: Run, tiny_folder: Path, tmp_path: Path) -> None:
    def rows(*pairs: tuple[str, str]) -> str:
        return "".join(f"{i}\t{word}\t_\t{tag}" + "\t_" * 6 + "\n" for i, (word, tag) in enumerate(pairs, 1)) + "\n"

    train, test = tmp_path / "x-ud-train.conllu", tmp_path / "x-ud-test.conllu"
    train.write_text(rows(("I", "PRON"), ("can", "AUX"), ("eat", "VERB")) + rows(("eat", "VERB")), encoding="utf-8")
    test.write_text(rows(("i", "PRON"), ("eat", "VERB")) + rows(("the", "DET"), ("can", "NOUN")), encoding="utf-8")
    (report,) = json.loads(run("eval", "-m", tiny_folder, "x-ud-*.conllu", "--json").stdout)
    assert report["part"] == "test"
    assert (report["baseline"]["accuracy"], report["baseline"]["sentence_accuracy"]) == (2 / 4, 1 / 2)
    assert "commonest tag" in run("eval", "-m", tiny_folder, "x-ud-*.conllu").stdout
    (report,) = json.loads(run("eval", "-m", tiny_folder, test, "--json").stdout)
    assert report["baseline"] is None


def test_eval_as_markdown_and_json_tell_the_same(run: Run, tiny_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text(TEXT + "a|b/X <i>/X\n", encoding="utf-8")
    (report,) = json.loads(run("eval", "-m", tiny_folder, "x.txt", "--json").stdout)
    shown = run("eval", "-m", tiny_folder, "x.txt", "--markdown").stdout
    assert shown.startswith("### x, test part, upos tags\n\n|")
    lines = [line for line in shown.splitlines() if line.startswith("|")]
    low, high = report["intervals"]["accuracy"]
    whole = f"{100 * report['accuracy']:.2f} % | {100 * low:.2f}–{100 * high:.2f} | {report['tokens']} tokens"
    assert f"| accuracy | {whole} |" in lines
    tags = report["matrix"]["tags"]
    for tag, counts in zip(tags, report["matrix"]["counts"], strict=True):
        assert f"| {tag} | {' | '.join(str(count or '·') for count in counts)} |" in lines
    for gold, tag, count in report["confusions"][:10]:
        assert any(line.startswith(f"| {gold} | {tag} | {count} |") for line in lines)
    wrong = [(s["tokens"][m["token"]], m["gold"], m["predicted"]) for s in report["errors"] for m in s["mistakes"]]
    assert len(wrong) == sum(count for _, _, count in report["confusions"])
    assert ("a|b", "X") in [pair[:2] for pair in wrong]
    assert r"a\|b" in shown
    assert r"\<i\>" in shown
    assert report["signature"] in shown


def test_eval_writes_a_page(run: Run, tiny_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text(TEXT, encoding="utf-8")
    shutil.copytree(tiny_folder, tmp_path / "m")
    step = TrainingStep(
        1, 1, 1, 1, loss=0.125, gradient_norm=1.0, clipped=0.0, tokens=9, seconds=1.0, dev={"x": 0.5}, dev_accuracy=0.5
    )
    (tmp_path / "m" / "history.jsonl").write_bytes(learning_curve.write([step]))
    done = run("eval", "-m", "m", "x.txt", "--html", "out.html")
    assert done.stdout == run("eval", "-m", "m", "x.txt").stdout
    assert one_line(done.stderr) == "saved out.html"
    page = (tmp_path / "out.html").read_text(encoding="utf-8")
    assert "xylophones" in page
    assert '"learned":[[1,0.125,0.5,{"x":0.5}]]' in page
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m", "out.html", "x.txt"]


def test_eval_of_running_text_as_markdown_and_json(run: Run, tiny_raw_folder: Path, tmp_path: Path) -> None:
    (english,) = (path for path in loading.starter_files() if path.stem == "starter_en")
    (report,) = json.loads(run("eval", "--raw", "-m", tiny_raw_folder, english, "--json").stdout)
    assert report["model"] == "tiny_raw"
    shown = run("eval", "--raw", "-m", tiny_raw_folder, english, "--markdown").stdout
    for kind in ("words", "sentences", "tags"):
        f1 = report[kind]["f1"]
        assert any(line.startswith(f"| {kind} |") and f"| {100 * f1:.2f} % |" in line for line in shown.splitlines())
    assert report["signature"] in shown


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


def test_eval_in_32_bits_says_so(run: Run, tiny_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text(TEXT, encoding="utf-8")
    digest = directory.read(tiny_folder).digest
    for flags, bits in (((), ""), (("--fp32",), " | fp32")):
        (report,) = json.loads(run("eval", "-m", tiny_folder, "x.txt", "--json", *flags).stdout)
        assert f"| model tiny:{digest}{bits} | corpus" in report["signature"]
        assert report["accuracy"] == 7 / 8


@pytest.mark.parametrize("command", ["tag", "eval", "train", "export", "models", "history", "corpora"])
def test_help_shows_an_example(command: str, run: Run) -> None:
    done = run(command, "--help")
    assert done.returncode == 0
    assert f"rnntag {command}" in done.stdout.replace("Usage: rnntag", "")


def test_rnntag_alone_shows_its_help(run: Run) -> None:
    done = run()
    assert done.returncode == 0
    assert done.stdout == run("--help").stdout
    assert "rnntag train --cell lstm" in done.stdout
    assert run("--version").stdout.startswith("rnntag 0.")


# train


@pytest.mark.parametrize(("cell", "input"), [("lstm", "embedding"), ("gru", "onehot"), ("rnn", "embedding")])
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
    done = run(
        "train",
        *QUICK,
        NLTK_DATA=str(tmp_path),
        HOME=str(tmp_path),
    )
    if "starter corpus" not in done.stderr:
        pytest.skip("NLTK could fetch its corpora here")
    assert done.returncode == 0
    assert "warning: NLTK's treebank is not on this machine" in done.stderr
    assert "starter_en" in done.stderr


def test_a_named_corpus_has_no_substitute(run: Run, tmp_path: Path) -> None:
    done = run("train", "--corpus", "alpino", "--tagset", "native", NLTK_DATA=str(tmp_path), HOME=str(tmp_path))
    if done.returncode == 0:
        pytest.skip("NLTK could fetch its corpora here")
    assert done.returncode == 66
    assert "python -m nltk.downloader alpino" in one_line(done.stderr)


def test_damaged_nltk_data_is_named(run: Run, tmp_path: Path) -> None:
    (tmp_path / "corpora" / "alpino").mkdir(parents=True)
    done = run("train", "--corpus", "alpino", "--tagset", "native", NLTK_DATA=str(tmp_path))
    assert done.returncode == 65
    assert "NLTK's alpino is damaged" in one_line(done.stderr)


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


def test_ctrl_c_keeps_the_best_so_far(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "rnntag", "train", "--corpus", "starter", "--out", "m", *QUICK, "--epochs", "9999"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True, env={**os.environ}) as process:
        assert process.stderr
        for line in process.stderr:
            if line.startswith("epoch 2/"):
                break
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
        assert process.wait() == 130
    assert "interrupted: the best model so far is kept" in rest
    assert "Traceback" not in rest
    assert directory.read(tmp_path / "m").provenance.epoch >= 1
