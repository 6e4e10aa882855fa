"""What `rnntag tag` reads besides raw text, tokens and CoNLL-U: lines, vertical text, word/TAG and JSON lines."""

from __future__ import annotations

import json
from itertools import chain

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rnntag.errors import DataError
from rnntag.formats import raw, records
from rnntag.formats.inputs import Input
from rnntag.formats.records import InputSentence
from rnntag.formats.registry import reader, writer
from rnntag.model.stored import ModelBundle
from rnntag.sentences import Segmentation
from rnntag.tagging import chunks, parallel
from rnntag.tagging.pipeline import TagJob
from tests.conftest import Run, refusal
from tests.test_segmenter import rebuilt


class Words:
    """Finds words between spaces, and a sentence after each full stop."""

    def find(self, texts: list[str]) -> list[Segmentation]:
        return [self._find(text) for text in texts]

    def _find(self, text: str) -> Segmentation:
        words: list[tuple[int, int]] = []
        for word in text.split():
            begin = text.index(word, words[-1][1] if words else 0)
            words.append((begin, begin + len(word)))
        ends = [number for number, (_, end) in enumerate(words, 1) if text[end - 1] == "."]
        return Segmentation(words, sorted({*ends, *[len(words)] * bool(words)}))


def written(form: str, text: str, output: str, size: int = 1 << 20, **options: object) -> str:
    """The text, read in blocks and written with the tag X."""
    reading = reader(form, "x", finder=Words())  # type: ignore[arg-type]
    writing = writer(output, "upos", **options)  # type: ignore[arg-type]
    blocks = [text[start : start + size] for start in range(0, len(text), size)]
    sentences = [*chain.from_iterable(map(reading.feed, blocks)), *reading.finish()]
    return "".join(writing.text(s, ["X"] * len(s.tokens)) for s in sentences) + writing.finish()


# lines

LINES = st.lists(st.sampled_from(["I", "eat.", " ", "  ", "\n", "\n", "\r\n", "\t", "x" * 50, "\u3000"])).map("".join)


@given(LINES, st.integers(1, 30), st.booleans())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_each_line_is_answered(monkeypatch: pytest.MonkeyPatch, text: str, size: int, long: bool) -> None:
    monkeypatch.setattr(records, "LONG_LINE", 40 if long else 1 << 17)
    monkeypatch.setattr(raw, "MARGIN", 8)
    lines = text.removesuffix("\n").split("\n") if text else []
    slash = written("lines", text, "slash", size)
    answers = [[item.removesuffix("/X") for item in line.split()] for line in slash.split("\n")[:-1]]
    assert ["".join(words) for words in answers] == ["".join(line.split()) for line in lines]
    rows = [json.loads(line) for line in written("lines", text, "jsonl", size).splitlines()]
    assert ["".join(row["tokens"]) for row in rows] == ["".join(line.split()) for line in lines]
    for row in rows:
        places = zip(row.get("start", []), row.get("end", []), strict=True)
        assert [text[begin:end] for begin, end in places] == row["tokens"]
    assert rebuilt(written("lines", text, "conllu", size)) == text


def test_a_line_never_joins_the_next(run: Run, tiny_raw_folder: object) -> None:
    command = ("tag", "-m", str(tiny_raw_folder), "--input-format", "lines")
    out = run(*command, stdin="I eat\n\napples. Go\n").stdout
    assert [line.count("/") for line in out.splitlines()] == [2, 0, 3]
    rows = run(*command, "-f", "jsonl", stdin="I\n\nGo").stdout.splitlines()
    assert [json.loads(row)["tokens"] for row in rows] == [["I"], [], ["Go"]]
    vertical = run(*command, "-f", "vertical", stdin="I\nGo\n").stdout
    assert (vertical.count("<p>"), vertical.count("</p>"), vertical.count("<s>")) == (2, 2, 2)


def test_lines_need_a_segmenter(run: Run, tiny_folder: object) -> None:
    command = ("tag", "-m", str(tiny_folder))
    assert "has no segmenter" in refusal(run(*command, "--input-format", "lines", stdin="I"), 2)
    told = refusal(run(*command, "--input-format", "jsonl", stdin='{"text": "I"}'), 65)
    assert "the input is raw text, but the model tiny has no segmenter: give tokens" in told
    assert run(*command, "--input-format", "jsonl", stdin='{"tokens": ["I"]}').returncode == 0


# vertical text

VERTICAL = st.lists(
    st.sampled_from(["<s>", "</s>", "<p>", "</p>", "<g/>", '<doc id="a">', "", " ", "I\tPP\tI", ".\tSENT", "<\tX", "x"])
)


@given(VERTICAL, st.integers(1, 30))
def test_vertical_text_keeps_its_lines(lines: list[str], size: int) -> None:
    text = "".join(f"{line}\n" for line in lines)
    words = [line for line in lines if line.strip() and (line[0] != "<" or "\t" in line)]
    expected = "".join(f"{line}\tX\n" if line in words else f"{line}\n" for line in lines)
    assert written("vertical", text, "vertical", size) == expected
    tsv = written("vertical", text, "tsv", size).splitlines()
    assert [line for line in tsv if line] == ["{}\tX".format(line.split("\t")[0]) for line in words]
    assert written("vertical", text, "slash").count("/X") == len(words)


@pytest.mark.parametrize(
    ("text", "sizes"),
    [
        ("I\neat\n\nGo\n", [2, 1]),
        ("<s>\nI\neat\n</s>\n<s>\nGo\n</s>\n", [2, 1]),
        ("<s>\nI\n<s>\nGo\n", [1, 1]),
        ("I\tPP\n.\tSENT\nGo\tVV\n", [2, 1]),
        ("<s>\n.\tSENT\n)\t)\n</s>\nGo\n", [2, 1]),
        ("I\n<p>\nGo\n</p>\nGo\n", [1, 1, 1]),
        ("I\n<g/>\n.\n", [2]),
        ("<text>\n</text>\n", []),
    ],
)
def test_where_sentences_of_vertical_text_end(text: str, sizes: list[int]) -> None:
    reading = reader("vertical", "x")
    found = [*reading.feed(text), *reading.finish()]
    assert [len(sentence.tokens) for sentence in found if sentence.tokens] == sizes


def test_words_chosen_from_vertical_text() -> None:
    text = "<s>\nI\tPP\neat\tVV\n</s>\n<s>\nYou\n</s>\n</text>\n"
    reading = reader("vertical", "x")
    writing = writer("vertical", "upos", only=frozenset({"VERB"}))
    tags = {"I": "PRON", "eat": "VERB", "You": "PRON"}
    sentences = [*reading.feed(text), *reading.finish()]
    out = "".join(writing.text(s, [tags[token] for token in s.tokens]) for s in sentences)
    assert out == "<s>\neat\tVV\tVERB\n</s>\n<s>\n</s>\n</text>\n"


@pytest.mark.parametrize(("form", "output"), [("vertical", "conllu"), ("vertical", "vertical"), ("jsonl", "jsonl")])
def test_processes_and_chunks_do_not_show(
    form: str, output: str, tiny_raw: ModelBundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    unit = {"vertical": "<s>\nI\neat\n</s>\n\n<p>\nGo\tX\n\n", "jsonl": '{"text": "I eat. Go!", "n": 1}\n\n'}[form]
    job = TagJob(tiny_raw, ("upos",), output)  # type: ignore[arg-type]

    def out(size: int) -> bytes:
        text = unit * 20
        blocks = [text[start : start + size] for start in range(0, len(text), size)]
        pieces = chunks.chunks([Input("x", form, blocks)] * 2)  # type: ignore[arg-type]
        return b"".join(part.text for part in parallel.tag(job, pieces))

    whole = out(1 << 20)
    monkeypatch.setattr(chunks, "CHUNK_CHARS", 30)
    assert whole.count(b"Go") == 40 * (1 + (output in ("conllu", "jsonl")))
    assert out(7) == whole


# word/TAG


def test_tags_of_words_are_found_anew(run: Run, tiny_folder: object) -> None:
    command = ("tag", "-m", str(tiny_folder), "--input-format", "slash")
    assert run(*command, stdin="I/X eat/ apples/NOUN\n\nI/X\n").stdout == "I/PRON eat/VERB apples/NOUN\n\nI/PRON\n"
    assert run(*command, "-f", "jsonl", stdin="1/2/NUM\n").stdout.startswith('{"tokens": ["1/2"]')
    ended = run(*command, stdin="I/X\nI/X eat\n")
    assert (ended.returncode, ended.stdout) == (65, "I/PRON\n")
    assert "<stdin>:2: 'eat' is not word/TAG" in ended.stderr


# JSON lines


def test_records_pass_through(run: Run, tiny_raw_folder: object) -> None:
    given = [
        {"id": 7, "text": "I eat. Go!", "nested": {"a": [1, None]}},
        {"tags": ["old"], "tokens": ["I", "eat"], "name": "苹果\ud800"},
        {"text": ""},
    ]
    lines = "\n\n".join(map(json.dumps, given))
    command = ("tag", "-m", str(tiny_raw_folder), "--input-format", "jsonl")
    first, second, third = map(json.loads, run(*command, stdin=lines).stdout.splitlines())
    assert (first["id"], first["text"], first["nested"]) == (7, "I eat. Go!", {"a": [1, None]})
    assert [first["text"][a:b] for a, b in zip(first["start"], first["end"], strict=True)] == first["tokens"]
    assert first["tags"][:2] == ["PRON", "VERB"]
    assert second == {"tokens": ["I", "eat"], "tags": ["PRON", "VERB"], "name": "苹果\ud800"}
    assert third == {"text": "", "tokens": [], "tags": []}
    assert [line.count("/") for line in run(*command, "-f", "slash", stdin=lines).stdout.splitlines()] == [
        len(first["tokens"]), 2, 0,
    ]  # fmt: skip
    body = run(*command, "--text-field", "body", stdin='{"body": ["I", "a\\tb"], "text": "x"}')
    assert json.loads(body.stdout)["tokens"] == ["I", "a\tb"]
    table = run(*command, "--text-field", "body", "-f", "tsv", stdin='{"body": ["I", "a\\tb"], "text": "x"}')
    assert [line.split("\t")[0] for line in table.stdout.splitlines()] == ["I", "a b", ""]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "is not JSON"),
        ("[1]", "is not a JSON object"),
        ('{"a": 1}', "has no field 'text'"),
        ('{"text": 1}', "the field 'text' is neither a string nor a list of strings"),
        ('{"tokens": ["I", ""]}', "token 2 is empty"),
        ('{"text": "\\ud800"}', "contains U+D800, an unpaired surrogate"),
    ],
)
def test_lines_that_are_no_records(line: str, message: str) -> None:
    reading = reader("jsonl", "x", 4, finder=Words())  # type: ignore[arg-type]
    found: list[InputSentence] = []
    sentences = reading.feed(f'{{"text": "I"}}\n\n{line}\n')
    found.append(next(sentences))
    with pytest.raises(DataError, match=f"x:7: .*{message.replace('+', '.')}"):
        next(sentences)
    assert [sentence.tokens for sentence in found] == [["I"]]


def test_the_field_is_for_json_lines(run: Run, tiny_folder: object) -> None:
    assert "--text-field is for" in refusal(run("tag", "-m", str(tiny_folder), "--text-field", "a", "I"), 2)


def test_names_tell_formats(run: Run, tiny_raw_folder: object, tmp_path: object) -> None:
    from pathlib import Path

    folder = Path(str(tmp_path))
    (folder / "a.jsonl").write_text('{"text": "Go"}\n')
    (folder / "a.vrt").write_text("Go\n")
    for name, start in (("a.jsonl", '{"text": "Go", "tokens": ["Go"]'), ("a.vrt", "Go\t")):
        assert run("tag", "-m", str(tiny_raw_folder), "-i", name).stdout.startswith(start)
