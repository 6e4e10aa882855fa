"""Text that no one writes by hand comes through whole, or is refused in one line; none of it commands a terminal."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import regex
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from rnntag import segmenter
from rnntag.corpora import loading
from rnntag.errors import DataError
from rnntag.formats import conllu, decoding, raw
from rnntag.formats.inputs import Input
from rnntag.formats.registry import OUTPUT_FORMATS, read_sentences
from rnntag.model import directory, learning_curve
from rnntag.model.learning_curve import TrainingStep
from rnntag.model.stored import ModelBundle
from rnntag.segmenter import Segmenter
from rnntag.tagger import Tagger
from rnntag.tagging import chunks
from rnntag.tagging.chunks import Chunk
from rnntag.tagging.pipeline import Pipeline, TagJob
from rnntag.terminal import console
from tests.conftest import Run, few, on_terminal, one_line
from tests.fuzz import targets

HOSTILE = [
    *map(chr, range(0x20)), *" ./_#<>|\\\x7f\x80\x85\x9b\xa0\xad", "\u200b", "\u200d", "\u2028", "\u2029", "\u202e",
    "\u2066", "\u3000", "\ufeff", "\ufffd", "\uffff", "\ue000", "\U0001f1e6", "\U0001f468", "\U000e0041", "\u0301", "a",
    "1", "I", "我", "吃", "。", "\x1b[2J", "\x1b]0;x\x07", "</s>", "&#27;", "{", "%s", "%(x)s", ":x:", "[red]", "İ",
    "ß", "-1\t", "1-2\t", "1.1\t", "\t_" * 8, "\n\n", "\r\n",
]  # fmt: skip
EMPTY = "\t_" * 8
hostile = st.lists(st.sampled_from(HOSTILE), max_size=30).map("".join)
rows = st.lists(hostile.map(lambda word: re.sub("[\n\t]", "", word)), max_size=4).map(
    lambda words: "".join(f"{number}\t{word}{EMPTY}\n" for number, word in enumerate(words, 1)) + "\n"
)
quick = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(autouse=True)
def _model(request: pytest.FixtureRequest) -> None:
    if "tiny_raw" in request.fixturenames:
        targets._pipeline.cache_clear()
        targets.use(request.getfixturevalue("tiny_raw"))


# all of what `tests.fuzz` checks


@pytest.mark.parametrize("target", targets.TARGETS)
def test_what_fuzzing_has_found_stays_mended(target: str, tiny_raw: ModelBundle) -> None:
    files = sorted((Path(__file__).parent / "fuzz" / "corpus" / target).iterdir())
    assert len(files) > 10
    for file in files:
        targets.TARGETS[target](file.read_bytes())


@pytest.mark.parametrize("source", range(3), ids=targets.SOURCES)
@given(st.data(), st.integers(0, 7), st.integers(0, 255))
@quick
def test_text_comes_through_whole(
    tiny_raw: ModelBundle, source: int, data: st.DataObject, kind: int, size: int
) -> None:
    given_text = data.draw(st.lists(rows | hostile, max_size=4).map("".join) if source == 2 else hostile)
    targets.tag(bytes([source + 3 * kind, 0, size]) + given_text.encode())


@given(hostile.map(str.encode), st.integers(0, 100), st.binary(min_size=1, max_size=4), st.integers(0, 2))
@quick
def test_bytes_that_are_no_text_are_refused_wherever_they_stand(
    tiny_raw: ModelBundle, content: bytes, place: int, noise: bytes, errors: int
) -> None:
    place = min(place, len(content))
    targets.tag(bytes([0, len(targets.ENCODINGS) * errors, 7]) + content[:place] + noise + content[place:])


tagged = {
    "slash": hostile,
    "underscore": hostile,
    "tsv": st.lists(hostile | hostile.map(lambda word: f"\n{word}\tNN\n"), max_size=6).map("".join),
    "spacy": hostile.map(
        lambda word: json.dumps({"text": word, "tokens": [{"start": 0, "end": len(word), "pos": "X", "tag": word}]})
    ),
    "conllu": rows.map(lambda text: text.replace(EMPTY, "\t_\tX" + "\t_" * 6)),
    "jsonl": st.lists(hostile, max_size=3).map(lambda words: json.dumps({"tokens": words, "tags": words[::-1]})),
}


@pytest.mark.parametrize("corpus_format", targets.CORPUS_FORMATS)
@given(st.data(), st.integers(0, 2), st.integers(0, 255))
@quick
def test_corpora_are_read_or_refused(corpus_format: str, data: st.DataObject, tagsets: int, size: int) -> None:
    content = data.draw(tagged[corpus_format]).encode()
    targets.readers(bytes([targets.CORPUS_FORMATS.index(corpus_format), tagsets, size]) + content)


# whole commands

TEXT = (
    "nul\0 \x1b[31mred\x1b[0m bi\u202edi a/b # <s> #\t/ \u200b \u200b\ufeff\n\r\n\n"
    "a\u2028b\u2029c\x85d\x1ce cr\rcr x" + "\u0301" * 300 + "\r\n" + "w" * 5000 + "\n\ufeffI\n"
)


@pytest.mark.parametrize("output", OUTPUT_FORMATS)
def test_words_are_tagged_whatever_they_are(output: str, run: Run, tiny_folder: Path, tmp_path: Path) -> None:
    done = run("tag", "-m", tiny_folder, "-f", output, "--input-format", "tokens", stdin="\ufeff" + TEXT)
    assert (done.returncode, done.stderr) == (0, "")
    targets._check("tokens", output, TEXT, done.stdout, False, None)
    if output == "jsonl":
        (tmp_path / "again.jsonl").write_text(done.stdout, encoding="utf-8", newline="\n")
        sentences = read_sentences(tmp_path / "again.jsonl", ("universal",))
        assert [[*one.tokens] for one in sentences] == [line.split() for line in TEXT.split("\n") if line.split()]


@pytest.mark.parametrize(
    ("encoding", "look", "advice"),
    [
        ("utf-16", "UTF-16 (little endian)", "utf-16"),
        ("utf-32", "UTF-32 (little endian)", "utf-32"),
        ("utf-16-le", "UTF-16 without a byte order mark", "utf-16-le or utf-16-be"),
        ("utf-16-be", "UTF-16 without a byte order mark", "utf-16-le or utf-16-be"),
        ("utf-32-be", "UTF-32 without a byte order mark", "utf-32-le or utf-32-be"),
    ],
)
@pytest.mark.parametrize("content", ["I eat\n", "I\n我吃苹果\n"])
def test_other_unicode_files_are_named_as_such(
    encoding: str, look: str, advice: str, content: str, tmp_path: Path
) -> None:
    file = tmp_path / "x.txt"
    file.write_bytes(content.encode(encoding))
    with pytest.raises(DataError) as error:
        read_sentences(file, ("universal",))
    assert str(error.value) == f"{file}: looks like {look}"
    assert error.value.remedies == [{"encoding": advice}]
    assert list(decoding.file_lines(file, encoding)) == content.split("\n")[:-1]


def test_utf_16_without_a_mark_asks_for_its_order(tmp_path: Path) -> None:
    file = tmp_path / "x.txt"
    file.write_bytes("我吃苹果，他走了。\n".encode("utf-16-le"))
    with pytest.raises(DataError, match="does not start with BOM") as error:
        list(decoding.file_lines(file, "utf-16"))
    assert error.value.remedies == [{"encoding": "utf-16-le or utf-16-be"}]


@pytest.mark.parametrize(("encoding", "content"), [("utf-7", b"a +2AA-"), ("raw_unicode_escape", rb"a \ud800")])
def test_half_a_character_is_refused(encoding: str, content: bytes, run: Run, tiny_folder: Path) -> None:
    arguments = ("tag", "-m", tiny_folder, "--encoding", encoding)
    done = run(*arguments, stdin=b"I\n" + content)
    assert (done.returncode, done.stdout[:2]) == (65, "I/")
    assert "<stdin>:2: U+D800 is an unpaired surrogate" in one_line(done.stderr)
    assert "\ufffd/" in run(*arguments, "--errors", "replace", stdin=content).stdout


def test_lines_of_the_first_macs_are_told_of(run: Run, tiny_folder: Path, tmp_path: Path) -> None:
    done = run("tag", "-m", tiny_folder, "--input-format", "tokens", stdin="I eat\rthe can\r")
    assert (done.returncode, done.stdout.count("\n"), done.stdout.count("/")) == (0, 1, 4)
    assert "lines end in carriage returns only" in one_line(done.stderr)
    (tmp_path / "x.conllu").write_text(f"1\ta{EMPTY}\r2\tb{EMPTY}\r", encoding="utf-8", newline="")
    done = run("tag", "-m", tiny_folder, "-i", "x.conllu")
    assert (done.returncode, "end in carriage returns" in one_line(done.stderr)) == (65, True)


# corpora and other files

DEEP = "[" * 100_000


def test_a_range_of_a_thousand_million_words_costs_nothing(tmp_path: Path) -> None:
    file = tmp_path / "x.conllu"
    file.write_text(f"1-999999999\ta{EMPTY}\n1\ta\t_\tX{EMPTY[:-4]}\n", encoding="utf-8")
    (sentence,) = read_sentences(file, ("universal",))
    assert (sentence.tokens, sentence.spaces) == (("a",), ())


def test_a_corpus_s_error_is_one_short_line(run: Run, tiny_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "x\x1b[2J.txt").write_text("w" * 1_000_000, encoding="utf-8")
    done = run("eval", "-m", tiny_folder, "x\x1b[2J.txt")
    assert done.returncode == 65
    assert len(one_line(done.stderr)) < 3000
    assert "x\\x1b[2J.txt:1: 'www" in done.stderr
    assert "is not word/TAG" in done.stderr
    (tmp_path / "y.jsonl").write_text('{"tokens": ["a"], "tags": ["X"]}\n' + DEEP, encoding="utf-8")
    done = run("eval", "-m", tiny_folder, "y.jsonl")
    assert (done.returncode, "y.jsonl:2: is not a JSON line" in one_line(done.stderr)) == (65, True)


# terminals

ATTACK = "\x1b]0;owned\x07\x9b2J\x08\u202e\x1b[8m:x:[red]"


def spared(shown: str) -> bool:
    shown = re.sub("\x1b\\[(\\?25[lh]|2K|1A)", "", shown)  # of Rich's own, where it shows progress
    return not re.search("\x1b(?!\\[[0-9;]*m)|\x1b\\[8m|[\x00-\x08\x0b\x0c\x0e-\x1a\x7f-\x9f\u202e]", shown)


@pytest.mark.parametrize("columns", [50, 80, 100, 120, 250])
def test_corpora_stand_on_one_line_each_with_their_numbers_whole(tmp_path: Path, columns: int) -> None:
    (shown,) = on_terminal((0, ["corpora"]), folder=tmp_path, columns=columns)
    lines = re.sub("\x1b\\[[0-9;]*m|\r", "", shown).splitlines()
    assert all(cell_len(line) <= columns for line in lines if "wider terminal" not in line)
    for row in loading.listing():
        (line,) = (line for line in lines if line.startswith(f"{row['name']} "))
        assert f" {row['sentences']:,} " in line
        assert f" {row['tokens']:,}" in line
        if columns >= 80:
            assert f" {' '.join(row['languages'])} " in line
        if columns >= 120:
            assert f" {row['licence']} " in line
            assert row["about"][:20] in line
        if columns >= 250:
            assert row["about"] in line
    assert ("a wider terminal also shows" in shown) == (columns < 250)


def test_tagged_text_does_not_command_a_terminal(tiny_folder: Path, tmp_path: Path) -> None:
    commands = [
        (0, ["tag", "-m", tiny_folder, "--input-format", "tokens", "-f", name, ATTACK]) for name in OUTPUT_FORMATS
    ]
    for shown in on_terminal(*commands, folder=tmp_path):
        assert spared(shown)
        assert "owned" in shown
        assert ":x:[red]" in shown
    assert re.search("\x1b\\[[0-9;]*m/[A-Z]", on_terminal((0, ["tag", "-m", tiny_folder, "I eat"]), folder=tmp_path)[0])


def test_names_and_words_do_not_command_a_terminal(tiny: ModelBundle, tmp_path: Path) -> None:
    name = ATTACK.replace("/", "")
    step = TrainingStep(1, 1, 1, 1, 1.0, 1.0, 0.0, 1, 1.0, {ATTACK: 0.5, "b": 0.5}, 0.5)
    model = replace(
        tiny, name=name, history=learning_curve.write([step]), provenance=replace(tiny.provenance, dev={ATTACK: 0.5})
    )
    directory.write(tmp_path / "models" / name, model, f"# {ATTACK}\n\n[a](http://x/{ATTACK}) &#27;[2J\n")
    (tmp_path / f"{name}.jsonl").write_text(
        json.dumps({"tokens": [ATTACK, "a"], "tags": ["NOUN", "X"]}) + "\n", encoding="utf-8"
    )
    path, damaged = Path("models") / name, Path("models") / f"{name}2"
    shutil.copytree(tmp_path / path, tmp_path / damaged)
    (tmp_path / damaged / directory.CONFIG).write_text("")
    commands: list[tuple[int, list[str | Path]]] = [
        (0, ["eval", "-m", path, f"{name}.jsonl"]),
        (0, ["eval", "-m", path, f"{name}.jsonl", "--json"]),
        (0, ["eval", "-m", path, f"{name}.jsonl", "--markdown"]),
        (0, ["eval", "-m", path, f"{name}.jsonl", "--html", f"{name}.html"]),
        (0, ["explain", "-m", path, f"{ATTACK} a"]),
        (0, ["explain", "-m", path, f"{ATTACK} a", "--json"]),
        (0, ["models"]),
        (0, ["models", "--json"]),
        (0, ["models", name]),
        (0, ["history", path]),
        (66, ["tag", "-m", path, "-i", f"{name}.txt"]),
        (66, ["tag", "-m", f"{name}?", "a"]),
        (65, ["tag", "-m", damaged, "a"]),
        (66, ["eval", "-m", path, f"{name}?"]),
        (2, [name]),
        (2, ["tag", "-m", path, "--encoding", name, "-i", f"{name}.jsonl"]),
    ]
    told = on_terminal(*commands, folder=tmp_path)
    for (_, arguments), shown in zip(commands, told, strict=True):
        assert spared(shown), (arguments, shown)
        assert "owned" in shown


def test_in_a_pipe_words_stay_as_they_are(run: Run, tiny_folder: Path) -> None:
    done = run("tag", "-m", tiny_folder, "--input-format", "tokens", "-f", "tsv", ATTACK)
    assert done.stdout.startswith(f"{ATTACK}\t")


def test_a_table_shows_words_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    console.note("a:x:[red]\x1b[2J\nline")
    assert capsys.readouterr().err == "a:x:[red]\\x1b[2J\nline\n"


# size


def through(model: ModelBundle, source: str, output: str, blocks: Iterator[str]) -> tuple[str, int]:
    """What comes out, and the longest chunk."""
    pipeline = Pipeline(TagJob(model, ("upos",), output))
    out, longest = [], 0
    for chunk in chunks.chunks([Input("x", source, blocks)]):
        longest = max(longest, len(chunk.text) if isinstance(chunk, Chunk) else 0)
        out.extend(pipeline.tag(chunk))
    return b"".join(out).decode(), longest


MB = 1 << 20
BLOCK = 1 << 16


def repeated(first: str, piece: str, size: int = MB) -> Callable[[], Iterator[str]]:
    count = BLOCK // len(piece)
    return lambda: iter([first, *[piece * count] * (size // BLOCK), "\n"])


LONG = {
    "one word": repeated("", "x"),
    "one line": repeated("", "apples eat ", 1 << 18),
    "no spaces": repeated("", "我吃苹果", 3 << 16),
    "empty lines": repeated("", "\n", 1 << 16),
    "spaces": repeated("", " "),
    "spaces after a word": repeated("a", " "),
    "spaces after a line": repeated("a\n", " "),
    "lines of spaces after a word": repeated("a", " " * 1500 + "\n"),
    "marks": repeated("a", "\u0301"),
    "flags": repeated("", "\U0001f1e6", 3 << 16),
    "zeros": repeated("", "\0", 3 << 16),
}


@pytest.mark.parametrize("source", ["tokens", "raw"])
@pytest.mark.parametrize("kind", few(LONG, "one word", "one line", "lines of spaces after a word", "marks"))
def test_no_line_is_too_long(source: str, kind: str, tiny_raw: ModelBundle) -> None:
    out, longest = through(tiny_raw, source, "slash", LONG[kind]())
    given_text = "".join(LONG[kind]())
    assert longest <= chunks.LONG_LINE + BLOCK + raw.BLANK
    words = [item.rpartition("/")[0] for line in out.split("\n") for item in line.split(" ") if item]
    if source == "raw":
        assert "".join(words) == "".join(given_text.split())
    else:
        assert words == given_text.split()
        assert out.count("\n") == given_text.count("\n")


@pytest.mark.parametrize("piece", ["\n", "# x\n", " \n"])
def test_a_treebank_without_a_word_is_not_held(piece: str, tiny: ModelBundle) -> None:
    reader = conllu.ConlluReader("x")
    held = 0
    for _ in range(5):
        list(reader.feed([piece.rstrip("\n")] * 20_000))
        held = max(held, len(reader._lines))
    assert held < conllu.MOST_LINES
    out, _ = through(tiny, "conllu", "conllu", iter([piece * 30_000, f"1\ta{EMPTY}\n"]))
    assert out.count("\n") == 30_002
    assert out.startswith(piece * 30_000)


def test_long_words_leave_no_trace_in_memory(tiny: ModelBundle) -> None:
    tagger = Tagger(tiny)
    words = [letter * length for letter in "ab" for length in (33, 256, 257, 10_000, 1_000_000)]
    tags = tagger.predict([words], top=3)
    assert max(map(len, tagger._words._rows)) <= 300
    assert tags == Tagger(replace(tiny)).predict([words], top=3)
    other = replace(tiny, vocabulary=replace(tiny.vocabulary, extra=("b" * 300,)))
    assert other.vocabulary.shorten("b" * 300) == "b" * 300
    assert len(other.vocabulary.shorten("b" * 301)) > 300


def test_paragraphs_are_counted_across_any_white_space(tiny_raw: ModelBundle, monkeypatch: pytest.MonkeyPatch) -> None:
    given_text = f"I eat.\n{' ' * 1500}\n\nI eat.{' ' * 3000}\n \n{' ' * 1200}\n\nI eat.\n\nI eat.\n"
    whole = Chunk(given_text, "x", "raw", 0, 0, 0, begins=True, ends=True)
    expected = b"".join(Pipeline(TagJob(tiny_raw, ("upos",), "conllu")).tag(whole)).decode()
    monkeypatch.setattr(chunks, "CHUNK_CHARS", 1)
    monkeypatch.setattr(chunks, "LONG_LINE", 1100)
    out, _ = through(tiny_raw, "raw", "conllu", iter([given_text[i : i + 50] for i in range(0, len(given_text), 50)]))
    assert out == expected
    assert out.count("# newpar") == 4


def test_flags_are_parted_as_unicode_says(tiny_raw: ModelBundle, monkeypatch: pytest.MonkeyPatch) -> None:
    assert tiny_raw.segmenter
    finder = Segmenter(tiny_raw.segmenter)
    letters = "\U0001f1e6\U0001f1e7"
    texts = [
        f"a{mark}{letters * 40}{letters[0] * odd}{mark}{letters * 64} 我"
        for mark in ("", "\u0301", "\u200d")
        for odd in (0, 1)
    ]
    found = finder.find(texts)
    monkeypatch.setattr(segmenter, "_FLAGS", re.compile("(?!)"))
    assert finder.find(texts) == found
    for given_text, one in zip(texts, found, strict=True):
        clusters = {cluster.end() for cluster in regex.finditer(r"\X", given_text)}
        assert {end for _, end in one.words} <= clusters
