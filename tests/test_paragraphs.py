"""Python reads raw text as the command line does: an empty line ends a sentence."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from rnntag.formats import raw, records
from rnntag.model.stored import ModelBundle
from rnntag.tagger import Tagger
from rnntag.tagging.chunks import Chunk
from rnntag.tagging.pipeline import Pipeline, TagJob

TITLES = "Sales manager\n\nJohn Smith\n\nnew york\n"
PIECES = [
    "I", "can't", "eat", "apples.", "new", "york", "我吃苹果。", "苹果", "3.5",
    " ", " ", "\n", "\n", "\n\n", "\r\n", "\r\n\r\n", "\n \n", "\n\t\u3000\n", "\t", "\u3000", "\u2028", "\x85", "\r",
    "\x0b", "\x1c", " " * 1001, "\n" + " " * 1001 + "\n",
]  # fmt: skip
TEXTS = st.lists(st.sampled_from(PIECES), max_size=30).map("".join)
Row = tuple[list[str], list[str], list[int], list[int]]


@pytest.fixture(scope="module")
def tagger(tiny_raw: ModelBundle) -> Tagger:
    return Tagger(tiny_raw)


def rows(jsonl: str) -> list[Row]:
    """Tokens, tags, starts and ends of each sentence that the command line prints."""
    return [tuple(json.loads(line)[name] for name in ("tokens", "tags", "start", "end")) for line in jsonl.splitlines()]  # type: ignore[misc]


def from_python(tagger: Tagger, text: str) -> list[Row]:
    (found,) = tagger.find([text])
    sentences = tagger.tag_text(text)
    firsts = (0, *found.ends)
    assert [len(sentence) for sentence in sentences] == [b - a for a, b in pairwise(firsts)]
    result = []
    for first, sentence in zip(firsts, sentences, strict=False):
        words = found.words[first : first + len(sentence)]
        assert [text[a:b] for a, b in words] == [word for word, _ in sentence]
        result.append(
            ([word for word, _ in sentence], [tag for _, tag in sentence], [a for a, _ in words], [b for _, b in words])
        )
    return result


@given(TEXTS, st.booleans())
@example(TITLES, False)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_python_and_the_command_line_find_the_same(
    monkeypatch: pytest.MonkeyPatch, tagger: Tagger, text: str, long: bool
) -> None:
    monkeypatch.setattr(records, "LONG_LINE", 40 if long else 1 << 17)
    monkeypatch.setattr(raw, "MARGIN", 8)
    pipeline = Pipeline(TagJob(tagger.model, ("upos",), "jsonl"))
    chunk = Chunk(text, "x", "raw", 0, 0, 0, begins=True, ends=True)
    assert from_python(tagger, text) == rows(b"".join(pipeline.tag(chunk)).decode())


@given(st.lists(TEXTS, max_size=6))
def test_texts_have_no_say_in_each_other(tagger: Tagger, texts: list[str]) -> None:
    assert tagger.find(texts) == [tagger.find([text])[0] for text in texts]


def test_titles_are_sentences_of_their_own(tagger: Tagger) -> None:
    titles = ["Sales manager", "John Smith", "new york"]
    sentences = [" ".join(word for word, _ in sentence) for sentence in tagger.tag_text(TITLES)]
    assert " ".join(sentences) == " ".join(titles)
    assert all(any(sentence in title for title in titles) for sentence in sentences)
