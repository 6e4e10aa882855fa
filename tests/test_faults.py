"""Bad lines of corpora are told together: the first ten, each in a line of its own, and how many there are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rnntag.config import CorpusFormat
from rnntag.corpora import loading
from rnntag.errors import DataError
from tests.conftest import Run


def row(number: int, form: str, upos: str = "X", xpos: str = "x") -> str:
    return f"{number}\t{form}\t_\t{upos}\t{xpos}\t_\t_\t_\t_\t_\n"


DOCUMENT = json.dumps({"text": "a", "tokens": [{"start": 0, "end": 1, "pos": "X", "tag": "x"}]})
CASES: list[tuple[str, CorpusFormat, str, list[str]]] = [
    ("a.txt", "auto", "a/X\nb\n\n/X c/Y\nd/X e\nf/Y\n", ["2: 'b' is not word/TAG", "4: '/X' is not", "5: 'e' is not"]),
    ("a.txt", "underscore", "a_X\nb\nc\n", ["2: 'b' is not word_TAG", "3: 'c' is not word_TAG"]),
    ("a.tsv", "auto", "a\tX\nb\n\tX\nc\t\nd\ta\tb\tc\n\ne\tX\n",
     ["2: no tag after 'b'", "3: no token before", "4: no tag after 'c'", "5: 4 tab-separated columns"]),
    ("a.tsv", "auto", "a\tX Y\nb\tX Z\n", ["1: the tag, 'X Y', contains white", "2: the tag, 'X Z', contains white"]),
    ("a.jsonl", "auto", '{"tokens": ["a"], "tags": ["X"]}\n{\n{"tokens": ["a"], "tags": ["X", "Y"]}\n[]\n',
     ["2: is not a JSON line", "3: 1 tokens but 2", "4: is not a JSON line"]),
    ("a.jsonl", "spacy", f'{DOCUMENT}\n{{\n{{"text": "a", "tokens": 5}}\n{DOCUMENT}\n',
     ["2: is not JSON", "3: token 0 has no integers"]),
    ("a.conllu", "auto", f"{row(1, 'a')}{row(2, 'b', 'NN')}\n{row(1, 'a')}2\tb\n{row(3, 'c')}4\n",
     ["2: 'NN' is not a UPOS tag", "5: 2 tab-", "7: 1 tab-"]),
    ("a.conllu", "auto", f"{row(1, 'a')}{row(3, 'b')}{row(5, 'c')}x{row(1, 'd')}\n{row(2, 'e')}\n",
     ["2: found word 3, expected word 2", "4: 'x1' is not a CoNLL-U word", "6: found word 2, expected word 1"]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "corpus_format", "text", "faults"), CASES)
def test_each_bad_line_is_named(
    name: str, corpus_format: CorpusFormat, text: str, faults: list[str], tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    for whole in (True, False):
        with pytest.raises(DataError) as error:
            loading.load([str(path)], whole=whole, corpus_format=corpus_format)
        *lines, last = error.value.args
        assert [line.startswith(f"{path}:{due}") for line, due in zip(lines, faults, strict=True)] == [True] * len(
            lines
        )
        assert last == f"{len(faults)} errors in all"
        assert str(error.value) == "\n".join([*lines, last])


def test_bad_native_tags_are_told_too(tmp_path: Path) -> None:
    path = tmp_path / "a.conllu"
    path.write_text(row(1, "a", xpos="_") + row(2, "b", "NN", "a b") + row(3, "c"), encoding="utf-8")
    with pytest.raises(DataError) as error:
        loading.load([str(path)], loading.TAGSETS)
    assert [line.removeprefix(f"{path}:")[:26] for line in error.value.args] == [
        "2: 'NN' is not a UPOS tag:", "2: the XPOS tag, 'a b', co", "2 errors in all",
    ]  # fmt: skip


@pytest.mark.parametrize("command", ["train", "eval"])
def test_all_files_are_read_and_ten_lines_are_shown(command: str, tiny_folder: Path, tmp_path: Path, run: Run) -> None:
    (tmp_path / "a.tsv").write_text("a\tX\n" + "bad\n" * 7, encoding="utf-8")
    (tmp_path / "b.conllu").write_text("1\tx\n" * 7, encoding="utf-8")
    (tmp_path / "good.txt").write_text("a/X\n" * 20, encoding="utf-8")
    (tmp_path / "c.txt").write_bytes(b"a/X\nb\n\xff/X\nc\n")
    files = ["a.tsv", "b.conllu", "good.txt", "c.txt"]
    options = ["--out", "m"] if command == "train" else ["-m", str(tiny_folder)]
    done = run(command, *options, *files)
    assert done.returncode == 65
    lines = done.stderr.splitlines()
    assert [line.split(": ")[:2] for line in lines[:10]] == [
        *[["error", f"a.tsv:{number}"] for number in range(2, 9)],
        *[["error", f"b.conllu:{number}"] for number in range(1, 4)],
    ]
    assert lines[10:] == ["error: 16 errors in all; only the first 10 are shown"]
    assert done.stdout == ""
    assert not (tmp_path / "m").exists()


def test_ten_are_shown_without_a_remark(tiny_folder: Path, tmp_path: Path, run: Run) -> None:
    (tmp_path / "a.tsv").write_text("bad\n" * 10, encoding="utf-8")
    lines = run("eval", "-m", tiny_folder, "a.tsv").stderr.splitlines()
    assert len(lines) == 11
    assert lines[10] == "error: 10 errors in all"


def test_a_fault_with_line_breaks_in_it_is_one_line(tiny_folder: Path, tmp_path: Path, run: Run) -> None:
    (tmp_path / "a\nb.tsv").write_text("bad\nbad\n", encoding="utf-8")
    lines = run("eval", "-m", tiny_folder, tmp_path / "a\nb.tsv").stderr.splitlines()
    assert len(lines) == 3
    assert all(line.startswith("error: ") for line in lines)


def test_a_file_of_bad_lines_alone_is_not_called_empty(tmp_path: Path) -> None:
    for name in ("a.tsv", "a.conllu", "a.txt", "a.jsonl"):
        (tmp_path / name).write_text("bad\nbad\n", encoding="utf-8")
        with pytest.raises(DataError, match="2 errors in all"):
            loading.load([str(tmp_path / name)])


def test_tagging_stops_at_the_first_and_keeps_what_came_before(tiny_folder: Path, run: Run) -> None:
    done = run("tag", "-m", tiny_folder, "--input-format", "conllu", stdin=f"{row(1, 'I')}\n1\tbad\n2\tbad\n")
    assert done.stdout.startswith("1\tI\t_\tPRON")
    assert done.stderr == "error: <stdin>:3: 2 tab-separated columns where CoNLL-U has 10\n"
