"""What goes out can be read back, whatever the words are."""

from __future__ import annotations

import json

import conllu as peer
from hypothesis import given
from hypothesis import strategies as st
from nltk.tag import str2tuple

from rnntag.formats import OUTPUT_FORMATS, Untagged, Writer, read

words = st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(lambda w: w.split() == [w]))


def read_all(name: str, *blocks: str) -> list[Untagged]:
    return [sentence for found in read(name, blocks, "x") for sentence in found]


def written(name: str, tokens: list[str], tagset: str = "upos") -> str:
    return Writer(name, tagset).text(Untagged(tokens), ["NOUN"] * len(tokens))


@given(words)
def test_slash_is_parted_at_the_last_slash(tokens: list[str]) -> None:
    line = written("slash", tokens)
    assert line.count("\n") == 1
    assert [str2tuple(item) for item in line.split()] == [(token, "NOUN") for token in tokens]


@given(words)
def test_tsv(tokens: list[str]) -> None:
    assert written("tsv", tokens) == "".join(f"{token}\tNOUN\n" for token in tokens) + "\n"


@given(words)
def test_jsonl(tokens: list[str]) -> None:
    line = written("jsonl", tokens)
    assert line.count("\n") == 1
    assert json.loads(line) == {"tokens": tokens, "tags": ["NOUN"] * len(tokens)}


@given(words)
def test_conllu(tokens: list[str]) -> None:
    text = written("conllu", tokens)
    (mine,) = read_all("conllu", text) or [Untagged(())]
    assert list(mine.tokens) == tokens
    assert [token["form"] for sentence in peer.parse(text) for token in sentence] == tokens


def test_tags_that_are_not_ud_s_own_go_into_xpos() -> None:
    assert "1\t花\t_\t_\tNOUN\t_" in written("conllu", ["花"], "sinica")
    assert "1\t花\t_\tNOUN\t_\t_" in written("conllu", ["花"], "upos")


def test_an_empty_line_stays_empty() -> None:
    (empty,) = read_all("tokens", "  \n")
    assert empty.tokens == []
    assert {name: Writer(name, "upos").text(empty, []) for name in OUTPUT_FORMATS} == {
        "slash": "\n",
        "tsv": "\n",
        "jsonl": '{"tokens": [], "tags": []}\n',
        "conllu": "",
    }


def test_a_treebank_keeps_what_is_not_a_tag() -> None:
    lines = ["# text = 花", "1\t花\t花\tVERB\tVV\t_\t0\troot\t_\tSpaceAfter=No", ""]
    (sentence,) = read_all("conllu", "\n".join(lines) + "\n")
    text = Writer("conllu", "upos").text(sentence, ["NOUN"])
    assert text.split("\n") == [lines[0], lines[1].replace("VERB", "NOUN"), "", ""]
