"""What goes out can be read back, whatever the words are."""

from __future__ import annotations

import json

import conllu as peer
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nltk.tag import str2tuple

from rnntag import windows
from rnntag.formats import records
from rnntag.formats.records import InputSentence
from rnntag.formats.registry import OUTPUT_FORMATS, reader, writer

words = st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(lambda w: w.split() == [w]))


def read_all(name: str, *blocks: str) -> list[InputSentence]:
    reading = reader(name, "x")
    return [sentence for block in blocks for sentence in reading.feed(block)] + list(reading.finish())


def written(name: str, tokens: list[str], tagset: str = "upos") -> str:
    return writer(name, tagset).text(InputSentence(tokens), ["NOUN"] * len(tokens))


@given(words)
def test_what_is_written_can_be_read_back(tokens: list[str]) -> None:
    line, record = written("slash", tokens), written("jsonl", tokens)
    assert line.count("\n") == record.count("\n") == 1
    assert [str2tuple(item) for item in line.split()] == [(token, "NOUN") for token in tokens]
    assert json.loads(record) == {"tokens": tokens, "tags": ["NOUN"] * len(tokens)}
    assert written("tsv", tokens) == "".join(f"{token}\tNOUN\n" for token in tokens) + "\n" * bool(tokens)


@given(words)
def test_conllu(tokens: list[str]) -> None:
    text = written("conllu", tokens)
    (mine,) = read_all("conllu", text) or [InputSentence(())]
    assert list(mine.tokens) == tokens
    assert [token["form"] for sentence in peer.parse(text) for token in sentence] == tokens


def test_tags_that_are_not_ud_s_own_go_into_xpos() -> None:
    assert "1\t花\t_\t_\tNOUN\t_" in written("conllu", ["花"], "sinica")
    assert "1\t花\t_\tNOUN\t_\t_" in written("conllu", ["花"], "upos")


CHOICES = [("NOUN", 0.87654321), ("VERB", 0.1), ("a|b", 0.02)]


@given(words.filter(bool))
def test_probabilities_can_be_read_back(tokens: list[str]) -> None:
    tags, tag_probs = ["NOUN"] * len(tokens), [CHOICES] * len(tokens)
    texts = {name: writer(name, "upos").text(InputSentence(tokens), tags, tag_probs) for name in OUTPUT_FORMATS}
    assert texts["slash"] == written("slash", tokens)
    assert texts["tsv"].split("\n") == [
        *(f"{token}\tNOUN\t0.8765\tVERB\t0.1000\ta|b\t0.0200" for token in tokens), "", "",
    ]  # fmt: skip
    record = json.loads(texts["jsonl"])
    assert record["confidence"] == [0.8765] * len(tokens)
    assert record["top"] == [{"NOUN": 0.8765, "VERB": 0.1, "a|b": 0.02}] * len(tokens)
    (sentence,) = peer.parse(texts["conllu"])
    assert [token["misc"] for token in sentence] == [
        {"Confidence": "0.8765", "Tag2": "VERB", "Confidence2": "0.1000", "Tag3": r"a\pb", "Confidence3": "0.0200"}
    ] * len(tokens)


def test_new_probabilities_take_the_place_of_old_ones() -> None:
    (sentence,) = read_all("conllu", "1\t花" + "\t_" * 7 + "\tConfidence=0.1|SpaceAfter=No|Tag2=X|Tag7=Y\n\n")
    text = writer("conllu", "upos").text(sentence, ["NOUN"], [CHOICES[:1]])
    assert text.split("\n")[0].endswith("\t_\tSpaceAfter=No|Confidence=0.8765")


@pytest.mark.parametrize("name", OUTPUT_FORMATS)
@given(st.lists(st.sampled_from(["I", "eat", "苹果", "\n", "\n\n", "   "])), st.integers(1, 50))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_line_that_comes_in_windows_is_written_as_one(
    monkeypatch: pytest.MonkeyPatch, name: str, items: list[str], size: int
) -> None:
    text = " ".join(items)
    blocks = [text[start : start + size] for start in range(0, len(text), size)]
    monkeypatch.setattr(records, "LONG_LINE", 1 << 17)
    whole = list(read_all("tokens", *blocks))
    monkeypatch.setattr(records, "LONG_LINE", 7)
    monkeypatch.setattr(windows, "WINDOW", 6)
    monkeypatch.setattr(windows, "OVERLAP", 2)
    cut = list(read_all("tokens", *blocks))
    assert all(sentence.ends for sentence in whole)

    def output(sentences: list[InputSentence]) -> str:
        writing = writer(name, "upos")
        return "".join(writing.text(s, s.tokens, [[(token, 0.5)] for token in s.tokens]) for s in sentences)

    lines = [line for line in output(whole).split("\n") if not line.startswith("# text")]
    assert [line for line in output(cut).split("\n") if not line.startswith("# text")] == lines


def test_an_empty_line_stays_empty() -> None:
    (empty,) = read_all("tokens", "  \n")
    assert empty.tokens == []
    assert {name: writer(name, "upos").text(empty, []) for name in OUTPUT_FORMATS} == {
        "slash": "\n",
        "tsv": "",
        "vertical": "",
        "jsonl": '{"tokens": [], "tags": []}\n',
        "conllu": "",
    }


def test_a_treebank_keeps_what_is_not_a_tag() -> None:
    lines = ["# text = 花", "1\t花\t花\tVERB\tVV\t_\t0\troot\t_\tSpaceAfter=No", ""]
    (sentence,) = read_all("conllu", "\n".join(lines) + "\n")
    text = writer("conllu", "upos").text(sentence, ["NOUN"])
    assert text.split("\n") == [lines[0], lines[1].replace("VERB", "NOUN"), "", ""]
