"""What `rnntag tag` writes: columns, structure, chosen words, names of sources, and files in folders."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import conllu as peer
import pytest

from rnntag.errors import UsageError
from rnntag.formats import columns
from rnntag.formats.inputs import Input
from rnntag.formats.registry import OUTPUT_FORMATS
from rnntag.model.stored import ModelBundle
from rnntag.tagging import chunks, folders, parallel
from rnntag.tagging.folders import FoundFile
from rnntag.tagging.pipeline import TagJob
from tests import children
from tests.conftest import Run, done, on_terminal, one_line, refusal

PROSE = "I eat apples. Go!\n\n\nI eat.\n"
TOKENS = "I eat apples .\n\nI eat .\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The one that commands run in: two languages in several encodings, of which one cannot be decoded."""
    texts = tmp_path / "texts"
    (texts / "sub").mkdir(parents=True)
    (texts / "a.txt").write_text(PROSE, encoding="utf-8")
    (texts / "b.md").write_text("I eat apples.\n", encoding="utf-8")
    (texts / "sub" / "gb.txt").write_text("我们明天在学校里看书。\n", encoding="gb18030")
    (texts / "sub" / "wide.txt").write_text("I eat 苹果.\n", encoding="utf-16")
    (texts / "sub" / "bad.txt").write_bytes(b"I eat \xff\xfe\xff\n")
    (texts / "empty.txt").touch()
    (texts / ".hidden.txt").write_text("I\n")
    return tmp_path


def files(path: Path) -> list[str]:
    return sorted(str(file.relative_to(path)) for file in path.rglob("*") if file.is_file())


# columns


def test_tsv_has_the_same_columns_whatever_the_input(run: Run, tiny_raw_folder: Path) -> None:
    rows = "I\tPRON\neat\tVERB\napples\tNOUN\n.\tPUNCT\n\nI\tPRON\neat\tVERB\n.\tPUNCT\n\n"
    for text in (PROSE.replace(" Go!", ""), TOKENS):
        assert run("tag", "-m", tiny_raw_folder, "-f", "tsv", stdin=text).stdout == rows
        assert run("tag", "-m", tiny_raw_folder, "--header", stdin=text).stdout == f"form\tupos\n{rows}"


def test_columns_can_be_chosen(run: Run, tiny_raw_folder: Path) -> None:
    names = "source,form,start,end,upos,confidence,upos_2,upos_2_confidence"
    out = run("tag", "-m", tiny_raw_folder, "--columns", names, "--header", stdin=PROSE).stdout
    header, *lines = [line.split("\t") for line in out.splitlines() if line]
    assert header == names.split(",")
    assert [line[:5] for line in lines[:2]] == [["stdin", "I", "0", "1", "PRON"], ["stdin", "eat", "2", "5", "VERB"]]
    for _, form, start, end, tag, first, second, other in lines:
        assert PROSE[int(start) : int(end)] == form
        assert 0 <= float(other) <= float(first) <= 1
        assert tag != second
    out = run("tag", "-m", tiny_raw_folder, "--columns", "form,start", "--input-format", "tokens", "I").stdout
    assert out == "I\t\n\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--columns form,lemma", "unknown column 'lemma': use form, upos, confidence, start, end, source"),
        ("--columns form,,upos", "--columns is 'form,,upos': give names separated by commas"),
        ("--columns form -f jsonl", "--columns is for --format tsv and vertical, not jsonl"),
        ("--header -f vertical", "--header is for --format tsv, not vertical"),
        ("--only NOUN -f conllu", "--only does not work with conllu, which keeps whole sentences"),
        ("--only NOUN,NUON", "unknown tag 'NUON' in upos: use ADJ, "),
        ("--glob *.txt", "add --recursive"),
        ("--output-dir out", "--output-dir needs files"),
        ("--output-dir out -o x", "give --output-file or --output-dir, not both"),
    ],
)
def test_what_cannot_be_written(options: str, message: str, run: Run, tiny_raw_folder: Path) -> None:
    assert message in refusal(run("tag", "-m", tiny_raw_folder, *options.split(), stdin="I eat ."), 2)


def test_names_of_columns() -> None:
    names = ["form", "a_b", "a_b_2", "a_b_3_confidence", "confidence"]
    found = columns.parse(names, ["x", "a_b"])
    assert [(one.tagset, one.rank, one.is_probability, one.top) for one in found] == [
        ("", 1, False, 0), ("a_b", 1, False, 0), ("a_b", 2, False, 2), ("a_b", 3, True, 3), ("a_b", 1, True, 1),
    ]  # fmt: skip
    for name in ("y", "x_0", "x_", "_2", "start_2", "x_2_3"):
        with pytest.raises(UsageError, match="unknown column"):
            columns.parse([name], ["x"])


# structure


def test_vertical_text(run: Run, tiny_raw_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "a&b.txt").write_text(PROSE, encoding="utf-8")
    eat = "<s>\nI\tPRON\neat\tVERB\napples\tNOUN\n.\tPUNCT\n</s>\n"
    again = "<s>\nI\tPRON\neat\tVERB\n.\tPUNCT\n</s>\n"
    out = run("tag", "-m", tiny_raw_folder, "-f", "vertical", "-i", "a&b.txt").stdout
    assert out.startswith(f'<doc id="a&amp;b.txt">\n<p>\n{eat}<s>\nGo')
    assert out.endswith(f"</s>\n</p>\n<p>\n{again}</p>\n</doc>\n")
    assert run("tag", "-m", tiny_raw_folder, "-f", "vertical", stdin=TOKENS).stdout == (
        f'<doc id="stdin">\n{eat}{again}</doc>\n'
    )
    (tmp_path / "x.vert").write_text(out, encoding="utf-8")
    assert "accuracy" in run("eval", "-m", tiny_raw_folder, "x.vert").stdout


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_several_inputs_in_one_stream_name_their_source(
    jobs: str, run: Run, tiny_raw_folder: Path, tmp_path: Path
) -> None:
    for name, text in {"a.txt": "I eat apples.\n", "b.txt": "\n", "c.txt": "I eat .\n\nI eat .\n"}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    named = ("tag", "-m", tiny_raw_folder, "--jobs", jobs, "-i", "a.txt", "b.txt", "c.txt", "-f")
    records = map(json.loads, run(*named, "jsonl").stdout.splitlines())
    assert [record["source"] for record in records if record["tokens"]] == ["a.txt", "c.txt", "c.txt"]
    sentences = peer.parse(run(*named, "conllu").stdout)
    assert [sentence.metadata.get("newdoc id") for sentence in sentences if sentence] == ["a.txt", "c.txt", None]
    assert run(*named, "vertical").stdout.count("<doc id=") == 3
    for output in ("jsonl", "conllu"):
        alone = run("tag", "-m", tiny_raw_folder, "-f", output, "-i", "a.txt").stdout
        assert "newdoc" not in alone
        assert "source" not in alone


def test_a_treebank_keeps_the_names_of_its_documents(run: Run, tiny_folder: Path, tmp_path: Path) -> None:
    row = "1\tI" + "\t_" * 8 + "\n\n"
    (tmp_path / "a.conllu").write_text(f"# newdoc id = mine\n{row}", encoding="utf-8")
    (tmp_path / "b.conllup").write_text("# global.columns = ID FORM UPOS\n1\tI\t_\n\n", encoding="utf-8")
    lines = run("tag", "-m", tiny_folder, "-i", "a.conllu", "b.conllup").stdout.splitlines()
    assert [line for line in lines if line.startswith("#")] == [
        "# newdoc id = mine", "# global.columns = ID FORM UPOS", "# newdoc id = b.conllup",
    ]  # fmt: skip


# chosen words


def test_only_some_words(run: Run, tiny_raw_folder: Path) -> None:
    def out(*options: str) -> str:
        return run("tag", "-m", tiny_raw_folder, "--only", "NOUN,PRON", *options, stdin=PROSE).stdout

    assert out() == "I/PRON apples/NOUN\nI/PRON\n"
    assert out("-f", "tsv") == "I\tPRON\napples\tNOUN\n\nI\tPRON\n\n"
    assert [json.loads(line) for line in out("-f", "jsonl").splitlines()] == [
        {"tokens": ["I", "apples"], "tags": ["PRON", "NOUN"], "start": [0, 6], "end": [1, 12]},
        {"tokens": ["I"], "tags": ["PRON"], "start": [20], "end": [21]},
    ]
    assert out("--columns", "form,start") == "I\t0\napples\t6\n\nI\t20\n\n"


@pytest.mark.parametrize("output", [name for name in OUTPUT_FORMATS if name != "conllu"])
def test_chosen_words_of_a_long_sentence(tiny: ModelBundle, output: str) -> None:
    """Of which each window is written as it comes."""
    words = " ".join(["I eat apples"] * 1000)

    def out(only: frozenset[str], text: str) -> str:
        job = TagJob(tiny, ("upos",), output, only=only)  # type: ignore[arg-type]
        blocks = [text[start : start + 100] for start in range(0, len(text), 100)]
        return b"".join(part.text for part in parallel.tag(job, chunks.chunks([Input("x", "tokens", blocks)]))).decode()

    chosen, every = out(frozenset({"NOUN"}), words), out(frozenset(), words)
    assert chosen.count("apples") == every.count("apples")
    assert "eat" not in chosen
    assert chosen.count("\n\n") == every.count("\n\n")


# files


def test_a_file_for_each_input(folder: Path, run: Run, tiny_raw_folder: Path) -> None:
    command = ("tag", "-m", tiny_raw_folder, "-i", "texts", "--recursive", "--output-dir", "out", "--encoding", "auto")
    for jobs in ("1", "2"):
        ended = run(*command, "--jobs", jobs)
        assert (ended.returncode, ended.stdout) == (65, "")
        assert "texts/sub/bad.txt:1: byte 7" in one_line(ended.stderr)
        assert files(folder / "out") == ["a.tagged", "b.tagged", "empty.tagged", "sub/gb.tagged", "sub/wide.tagged"]
        assert (folder / "out/a.tagged").read_text("utf-8") == run("tag", "-m", tiny_raw_folder, stdin=PROSE).stdout
        assert (folder / "out/empty.tagged").read_bytes() == b""
        shutil.rmtree(folder / "out")


def test_a_second_call_does_what_is_missing(folder: Path, run: Run, tiny_raw_folder: Path) -> None:
    options = "-i texts -r --glob *.txt --output-dir texts/out --encoding auto --errors replace --header"
    command = ("tag", "-m", tiny_raw_folder, *options.split())
    assert done(run(*command)) == ""
    out = folder / "texts" / "out"
    every = ["a.tsv", "empty.tsv", "sub/bad.tsv", "sub/gb.tsv", "sub/wide.tsv"]
    assert files(out) == every
    assert all((out / name).read_text("utf-8").startswith("form\tupos\n") for name in every)
    (out / "sub/gb.tsv").unlink()
    (out / "a.tsv").write_text("mine", encoding="utf-8")
    assert done(run(*command)) == ""
    assert files(out) == every
    assert (out / "a.tsv").read_text("utf-8") == "mine"
    assert done(run(*command, "--force")) == ""
    assert (out / "a.tsv").read_text("utf-8").startswith("form\tupos\nI\tPRON\n")
    (shown,) = on_terminal((0, command), folder=folder)
    assert "skipping 5 of 5 files: already tagged" in shown


def test_a_thousand_files(tmp_path: Path, run: Run, tiny_raw_folder: Path) -> None:
    texts = [("I eat apples.\n", "utf-8"), ("我们明天在学校里看书。\n", "gb18030"), ("the can 苹果\n", "utf-16")]
    for number in range(1000):
        path = tmp_path / "texts" / str(number % 7) / f"{number}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        text, encoding = texts[number % 3]
        path.write_bytes(b"I \xff\xff eat\n" if number == 500 else text.encode(encoding))
    options = "-i texts --recursive --output-dir out --encoding auto --format jsonl"
    command = ("tag", "-m", tiny_raw_folder, *options.split())
    ended = run(*command)
    assert ended.returncode == 65
    assert "texts/3/500.txt:1: byte 3 of the input is not utf-8" in one_line(ended.stderr)
    written = files(tmp_path / "out")
    assert len(written) == 999
    for number in (0, 1, 2):
        lines = (tmp_path / "out" / str(number) / f"{number}.jsonl").read_text("utf-8").splitlines()
        assert "".join(word for line in lines for word in json.loads(line)["tokens"]) == "".join(
            texts[number][0].split()
        )
    old = {name: (tmp_path / "out" / name).stat().st_mtime_ns for name in written}
    for name in written[:3]:
        (tmp_path / "out" / name).unlink()
    ended = run(*command)
    assert (ended.returncode, ended.stderr.count("\n")) == (65, 1)
    assert files(tmp_path / "out") == written
    now = {name: (tmp_path / "out" / name).stat().st_mtime_ns for name in written}
    assert [name for name in written if old[name] != now[name]] == written[:3]


@pytest.mark.parametrize(
    ("names", "suffix", "outputs_or_error"),
    [
        (["a.txt", "b.txt.gz", "c", "2024.05.01"], ".tsv", ["a.tsv", "b.tsv", "c.tsv", "2024.05.01.tsv"]),
        (
            ["a.txt", "a.md"],
            ".tsv",
            "texts/a.txt and texts/a.md would both be written to out/a.tsv: "
            "rename one, or tag them in separate runs with different output directories",
        ),
    ],
)
def test_names_of_outputs(names: list[str], suffix: str, outputs_or_error: list[str] | str) -> None:
    found = [FoundFile(Path("texts") / name, Path(name)) for name in names]
    try:
        paths: list[str] | str = [path.name for path in folders.outputs(found, Path("out"), suffix)]
    except UsageError as error:
        paths = str(error)
    assert paths == outputs_or_error


def test_no_input_is_overwritten(folder: Path, run: Run, tiny_folder: Path) -> None:
    row = "1\tI" + "\t_" * 8 + "\n\n"
    (folder / "x.conllu").write_text(row, encoding="utf-8")
    told = refusal(run("tag", "-m", tiny_folder, "-i", "x.conllu", "--output-dir", ".", "--force"), 2)
    assert told == "error: x.conllu is both input and output: choose another --output-dir"
    assert (folder / "x.conllu").read_text("utf-8") == row
    assert done(run("tag", "-m", tiny_folder, "-i", "x.conllu", "-o", "x.conllu", "--force")) == ""
    assert (folder / "x.conllu").read_text("utf-8") == row.replace("I\t_\t_", "I\t_\tPRON")


def test_one_file(folder: Path, run: Run, tiny_raw_folder: Path) -> None:
    command = ("tag", "-m", tiny_raw_folder, "-i", "texts/a.txt", "-o", "new/out.txt")
    assert done(run(*command)) == ""
    out = folder / "new" / "out.txt"
    assert out.read_text("utf-8") == run("tag", "-m", tiny_raw_folder, stdin=PROSE).stdout
    assert "new/out.txt: already exists" in refusal(run(*command), 2)
    out.write_text("mine")
    bad = run("tag", "-m", tiny_raw_folder, "-i", "texts/sub/bad.txt", "-o", "new/out.txt", "--force")
    assert (bad.returncode, out.read_text()) == (65, "mine")
    assert done(run(*command, "--force")) == ""
    assert files(folder / "new") == ["out.txt"]
    assert run(*command[:-1], "-").stdout == out.read_text("utf-8")
    assert done(run(*command[:-1], "/dev/null")) == ""


def test_paths_that_cannot_be_written(folder: Path, run: Run, tiny_folder: Path) -> None:
    (folder / "file").touch()
    command = ("tag", "-m", tiny_folder, "-i", "texts/empty.txt")
    for where, message in (
        (("--output-dir", "file"), "file: is a file, not a directory"),
        (("--output-dir", "file/out"), "file/out/empty.tagged: cannot be written: Not a directory"),
        (("-o", "texts"), "texts: is a directory, not a file"),
        (("-o", "file/x"), "file/x: cannot be written: file is not a directory"),
        (("-o", "/proc/none/x"), "/proc/none/x: cannot be written: No such file or directory"),
    ):
        assert message in refusal(run(*command, *where), 74)


def test_a_full_disk(tmp_path: Path, tiny_folder: Path) -> None:
    """What has been tagged before is there, and no half of a file."""
    (tmp_path / "texts").mkdir()
    for name, count in {"a": 1, "b": 10_000, "c": 1}.items():
        (tmp_path / "texts" / name).write_text("I eat\n" * count, encoding="utf-8")
    command = ("tag", "-m", tiny_folder, "-i", "texts", "-r", "--output-dir", "out")
    code, log = children.run(tmp_path, *command, largest_file=10_000)
    assert (code, one_line(log)) == (74, "error: out/b.tagged: cannot be written: File too large")
    assert files(tmp_path / "out") == ["a.tagged"]
    assert children.run(tmp_path, *command) == (0, "")
    assert files(tmp_path / "out") == ["a.tagged", "b.tagged", "c.tagged"]


def test_what_was_tagged_before_an_error_stays(folder: Path, run: Run, tiny_folder: Path) -> None:
    (folder / "half.txt").write_bytes(b"I eat\n" * 50_000 + b"\xff\xff\n")
    ended = run("tag", "-m", tiny_folder, "-i", "half.txt", "-o", "out.txt")
    note, error = ended.stderr.splitlines()
    assert (ended.returncode, note) == (65, "partial output is in out.txt.part")
    assert "half.txt:50001: byte 300001" in error
    assert set((folder / "out.txt.part").read_text().splitlines()) == {"I/PRON eat/VERB"}
    assert not (folder / "out.txt").exists()
    assert not [name for name in os.listdir(folder) if name.startswith(".")]
