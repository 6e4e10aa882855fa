"""What `rnntag tag` reads: files that are named, text that is typed, and each input in its own format."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rnntag.cli.arguments import _with_an_option_each
from tests.conftest import Run, one_line, refusal

TOKENS = "I eat apples .\nthe can.\n"
PROSE = "I eat apples. Go!\n\nthe can\n"
ROWS = "".join(f"{i}\t{word}" + "\t_" * 8 + "\n" for i, word in enumerate(["I", "eat", "apples", "."], 1)) + "\n"
TAGGED = "I/PRON eat/VERB apples/NOUN ./PUNCT\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The one that commands run in."""
    for name, text in {"a.txt": TOKENS, "b.txt": PROSE, "old.conllu": ROWS, "rows": ROWS}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "c.txt").write_text("I eat\n", encoding="utf-8")
    return tmp_path


# files


@pytest.mark.parametrize(
    ("command", "code", "message"),
    [
        (["tag", "a.txt"], 2, "a.txt is a file, not text: to tag it, run 'rnntag tag -i a.txt'"),
        (
            ["tag", "a.txt", "b.txt"],
            2,
            "a.txt and 1 more are files, not text: to tag them, run 'rnntag tag -i a.txt b.txt'",
        ),
        (["tag", "I eat", "b.txt"], 2, "b.txt is a file, not text: to tag it, run 'rnntag tag -i b.txt'"),
        (["tag", "./texts/c.txt"], 2, "rnntag tag -i ./texts/c.txt"),
        (["tag", "pipe"], 2, "pipe is a file, not text: to tag it, run 'rnntag tag -i pipe'"),
        (["tag", "rows"], 2, "rnntag tag -i rows"),
        (["tag", "-"], 2, "rnntag tag -i -"),
        (["tag", "a.txt", "-i", "b.txt"], 2, "rnntag tag -i a.txt"),
        (["tag", "-i", "b.txt", "--", "a.txt"], 2, "rnntag tag -i a.txt"),
        (["tag", "-i", "a.txt", "some text"], 2, "give TEXT or --input-file, not both: 'some text' is not a file"),
        (["tag", "-i", "a.txt", "--jobs", "1", "news"], 2, "'news' is not a file"),
        (
            ["tag", "texts/"],
            2,
            "texts/ is a directory, not text: to tag its files, run 'rnntag tag -i texts/ --recursive'",
        ),
        (["tag", "-i", "a.txt", "texts"], 74, "texts: is a directory, not a file"),
        (["tag", "none.txt"], 66, "none.txt: no such file"),
        (["tag", "x*.txt"], 66, "x*.txt: no such file"),
        (["tag", "none.conllu.gz"], 66, "none.conllu.gz: no such file"),
        (["tag", "I eat", "none.txt"], 66, "none.txt: no such file"),
        (["explain", "a.txt"], 2, "a.txt is a file, not text: to tag it, run 'rnntag tag -i a.txt'"),
        (["explain", "none.txt"], 66, "none.txt: no such file"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_file_is_no_text(
    command: list[str], code: int, message: str, run: Run, folder: Path, tiny_raw_folder: Path
) -> None:
    assert message in refusal(run(command[0], "-m", tiny_raw_folder, *command[1:]), code)


@pytest.mark.parametrize(
    "word", ["news", "don't", "3.5", "https://a.org/b.txt", "texts", ".", "open a.txt", "A.B.", ""]
)
def test_words_are_text(word: str, run: Run, folder: Path, tiny_raw_folder: Path) -> None:
    done = run("tag", "-m", tiny_raw_folder, word)
    assert (done.returncode, done.stderr) == (0, "")
    assert "".join(item.rpartition("/")[0] for item in done.stdout.split()) == "".join(word.split())


def test_what_the_shell_makes_of_a_pattern(run: Run, folder: Path, tiny_raw_folder: Path) -> None:
    model = ("-m", tiny_raw_folder)
    expected = run("tag", *model, "-i", "a.txt", "-i", "b.txt", "-i", "texts/c.txt").stdout
    assert expected.startswith(TAGGED)
    assert run("tag", *model, "-i", "a.txt", "b.txt", "texts/c.txt").stdout == expected
    assert run("tag", "--input-file", "a.txt", "b.txt", *model, "-i", "texts/c.txt").stdout == expected
    assert run("tag", *model, "--input-file=a.txt", "b.txt", "-itexts/c.txt").stdout == expected
    assert run("tag", *model, "-i", "a.txt", "-", "texts/c.txt", stdin=PROSE).stdout == expected


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("-i a.txt b.txt c.txt", "-i a.txt -i b.txt c.txt"),
        ("a.txt -i b.txt", "a.txt -i b.txt"),
        ("-i b.txt -f tsv a.txt", "-i b.txt -f tsv a.txt"),
        ("-i -- a.txt", "-i -- -i a.txt"),
        ("-i a.txt -- b.txt", "-i a.txt -- b.txt"),
        ("--input-format tokens a.txt", "--input-format tokens a.txt"),
        ("-i", "-i"),
        ("", ""),
    ],
)
def test_files_behind_a_file(arguments: str, expected: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert _with_an_option_each(arguments.split()) == expected.split()


# formats


def test_each_input_has_its_own_format(run: Run, folder: Path, tiny_raw_folder: Path) -> None:
    def tagged(*arguments: str, stdin: str = "") -> str:
        done = run("tag", "-m", tiny_raw_folder, *arguments, stdin=stdin)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    tokens, prose = tagged("-i", "a.txt"), tagged("-i", "b.txt")
    assert tokens == tagged("-i", "a.txt", "--input-format", "tokens") != tagged("-i", "a.txt", "--input-format", "raw")
    assert prose == tagged("-i", "b.txt", "--input-format", "raw") != tagged("-i", "b.txt", "--input-format", "tokens")
    for jobs in ("1", "2"):
        assert tagged("-i", "a.txt", "b.txt", "a.txt", "--jobs", jobs) == tokens + prose + tokens
        assert tagged("-i", "b.txt", "a.txt", "--jobs", jobs) == prose + tokens
        assert tagged("-i", "old.conllu", "b.txt", "rows", "--jobs", jobs) == TAGGED + prose + TAGGED
    assert tagged(PROSE.splitlines()[0], TOKENS.rstrip()) == tagged(PROSE.splitlines()[0]) + tokens
    assert tagged("-i", "-", "b.txt", stdin=TOKENS) == tokens + prose


def test_a_treebank_comes_out_as_one(run: Run, folder: Path, tiny_raw_folder: Path, tiny_folder: Path) -> None:
    for model in (tiny_raw_folder, tiny_folder):
        expected = run("tag", "-m", model, "-i", "rows", "--input-format", "conllu").stdout
        assert "2\teat\t_\tVERB" in expected
        assert run("tag", "-m", model, "-i", "old.conllu").stdout == expected
        assert run("tag", "-m", model, stdin=ROWS).stdout == expected
        assert run("tag", "-m", model, ROWS.rstrip()).stdout == expected
        twice = run("tag", "-m", model, "-i", "old.conllu", "old.conllu").stdout
        assert twice == f"# newdoc id = old.conllu\n{expected}" * 2
        assert run("tag", "-m", model, "-f", "slash", stdin=ROWS).stdout == TAGGED
        assert run("tag", "-m", model, "-i", "old.conllu", "a.txt").stdout.startswith(TAGGED * 2)
    (folder / "old.conllu").write_text("I eat.\n", encoding="utf-8")
    assert "old.conllu:1: 1 tab-separated columns" in refusal(run("tag", "-m", tiny_folder, "-i", "old.conllu"), 65)


def test_sentences_have_names_of_their_own(run: Run, folder: Path, tiny_raw_folder: Path) -> None:
    out = run("tag", "-m", tiny_raw_folder, "-f", "conllu", "-i", "a.txt", "b.txt", "a.txt").stdout
    names = [line.removeprefix("# sent_id = ") for line in out.splitlines() if line.startswith("# sent_id")]
    assert names[:2] == ["1", "2"]
    assert names[-2:] == ["5", "6"]
    assert {name.partition("-")[0] for name in names[2:-2]} == {"3", "4"}


# a model that cannot read raw text


@pytest.mark.parametrize(
    "text", ["barked.", "我吃苹果。", "I eat apples.", "本文研究了自然语言处理", "He said: go", "He left, I think"]
)
def test_raw_text_is_refused_without_a_segmenter(text: str, run: Run, tiny_folder: Path) -> None:
    for done in (run("tag", "-m", tiny_folder, text), run("tag", "-m", tiny_folder, stdin=text)):
        assert f"rnntag train-segmenter {tiny_folder} CORPUS" in refusal(done, 65)
        assert "--input-format tokens" in done.stderr
    assert run("tag", "-m", tiny_folder, "--input-format", "tokens", text).stdout.count("/") == len(text.split())


@pytest.mark.parametrize(
    "text",
    [
        "I eat apples", "apples", "我吃苹果", "don't", "3.5", "北京师范大", "Mr. Smith",
        "Dresser Industries Inc. of Japan", "U.S.", "I ca n't .", "北京 天安门", "",
    ],
)  # fmt: skip
def test_what_may_be_tokens_is_tokens_without_a_segmenter(text: str, run: Run, tiny_folder: Path) -> None:
    done = run("tag", "-m", tiny_folder, text)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("/") == len(text.split())


def test_lines_before_raw_text_are_tagged(run: Run, folder: Path, tiny_folder: Path) -> None:
    done = run("tag", "-m", tiny_folder, stdin="the can\n\nI eat\nI eat apples.\n")
    assert done.returncode == 65
    assert done.stdout.count("\n") == 3
    assert "<stdin>:4: looks like raw text, but the model " in one_line(done.stderr)
    done = run("tag", "-m", tiny_folder, "-i", "a.txt", "b.txt")
    assert done.returncode == 65
    assert done.stdout == run("tag", "-m", tiny_folder, "-i", "a.txt").stdout
    assert "b.txt:1: looks like raw text, but the model " in one_line(done.stderr)
