"""Tagged text in other programs' formats is read as these programs mean it."""

from __future__ import annotations

import json
import math
import re
import tempfile
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import assume, given

from rnntag.cli.app import app
from rnntag.config import CorpusFormat
from rnntag.corpora import loading
from rnntag.corpora.raw_text import gold_paragraphs
from rnntag.errors import DataError
from rnntag.formats.registry import format_of, read_sentences
from rnntag.model import directory
from rnntag.sentences import UPOS, Sentence
from tests.conftest import Run

Pairs = list[tuple[str, str]]


def read(text: str, corpus_format: CorpusFormat = "auto", name: str = "mine.txt", **options: Any) -> list[Pairs]:
    """The tokens and tags of a file, by sentence."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(text.encode())
        (corpus,) = loading.load([str(path)], whole=True, corpus_format=corpus_format, **options)
    return [pairs(sentence) for sentence in corpus.test]


def pairs(sentence: Sentence) -> Pairs:
    (tags,) = sentence.tags.values()
    return [*zip(sentence.tokens, tags, strict=True)]


def refused(text: str, corpus_format: CorpusFormat, name: str = "mine.txt", **options: Any) -> str:
    with pytest.raises(DataError) as error:
        read(text, corpus_format, name, **options)
    return str(error.value)


# What is written is read back

letters = st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"], exclude_characters="\ufeff")
words = st.text(letters, min_size=1, max_size=8)


def tagged(forms: st.SearchStrategy[str], tags: st.SearchStrategy[str]) -> st.SearchStrategy[list[Pairs]]:
    sentence = st.lists(st.tuples(forms, tags), min_size=1, max_size=5)
    return st.lists(sentence, min_size=1, max_size=4)


@pytest.mark.parametrize(("corpus_format", "mark"), [("slash", "/"), ("underscore", "_")])
def test_joined_words_and_tags_are_split_again(corpus_format: CorpusFormat, mark: str) -> None:
    awkward = words | st.sampled_from(["1/2", "/", "//", "_", "a_b", "and/or_"])

    @given(
        tagged(awkward, words.filter(lambda tag: mark not in tag)), st.sampled_from(["\n", "\n\n\n", " \n\t", "\r\n"])
    )
    def check(sentences: list[Pairs], between: str) -> None:
        text = between.join(" ".join(f"{word}{mark}{tag}" for word, tag in sentence) for sentence in sentences)
        assert read(text, corpus_format) == sentences

    check()


def vertical(sentences: list[Pairs], begin: str, end: str, lemma: bool) -> str:
    column = "\tlemma" if lemma else ""
    return "".join(begin + "".join(f"{word}\t{tag}{column}\n" for word, tag in one) + end for one in sentences)


@given(
    tagged(words | st.sampled_from(["<", ">", "<s>", "</s>", "New York", "#"]), words | st.just("SENT")),
    st.sampled_from(
        [("", "\n"), ("<s>\n", "</s>\n"), ("", "</s>\n\n"), ('<S id="1">\n', ""), ("\n<p>\n<s>\n", "</p>\n")]
    ),
    st.booleans(),
)
def test_vertical_text_is_read_back(sentences: list[Pairs], around: tuple[str, str], lemma: bool) -> None:
    assume(len(sentences) > 1 or around != ("", "\n"))  # else SENT parts them
    assert read(vertical(sentences, *around, lemma), "tsv") == sentences


gaps = st.sampled_from(["", " ", "  ", "\n", "\n\n", "\u3000 "])


@st.composite
def documents(draw: st.DrawFn) -> tuple[str, list[Sentence]]:
    """A document as spaCy tokenises it, white space beyond one space in tokens of its own; and its sentences."""
    text = before = draw(gaps)
    tokens: list[dict[str, Any]] = [{"start": 0, "end": len(before), "tag": "_SP", "pos": "SPACE"}] if before else []
    sents, expected = [], []
    for sentence in draw(tagged(words, st.sampled_from(UPOS))):
        begin = len(text)
        spaces = []
        for word, tag in sentence:
            tokens.append({"start": len(text), "end": len(text) + len(word), "tag": tag.lower(), "pos": tag})
            text += word
            gap = draw(gaps)
            spaces.append(gap)
            rest = gap.removeprefix(" ")
            text += gap[: len(gap) - len(rest)]
            if rest:
                tokens.append({"start": len(text), "end": len(text) + len(rest), "tag": "_SP", "pos": "SPACE"})
            text += rest
        sents.append({"start": begin, "end": tokens[-1]["end"]})
        forms, tags = zip(*sentence, strict=True)
        columns = {"upos": tags, "xpos": tuple(map(str.lower, tags))}
        opens = not expected or expected[-1].spaces[-1].count("\n") > 1
        expected.append(Sentence(forms, columns, spaces=tuple(spaces), opens=opens))
    record = {"text": text, "ents": [], "sents": sents, "tokens": [{"id": i, **t} for i, t in enumerate(tokens)]}
    return json.dumps(record, ensure_ascii=draw(st.booleans())), expected


@given(st.lists(documents(), min_size=1, max_size=3))
def test_spacy_s_documents_are_read_back(told: list[tuple[str, list[Sentence]]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "docs.jsonl"
        path.write_text("\n".join(line for line, _ in told), encoding="utf-8")
        assert read_sentences(path, loading.TAGSETS) == tuple(s for _, sentences in told for s in sentences)


# What is wrong is named

DEEP = "[" * 100_000


def document(text: str, *tokens: tuple[int, int], sents: list[tuple[int, int]] | None = None, **fields: Any) -> str:
    record = {"text": text, "tokens": [{"start": a, "end": b, "pos": "X", "tag": "x"} for a, b in tokens], **fields}
    if sents is not None:
        record["sents"] = [{"start": a, "end": b} for a, b in sents]
    return json.dumps(record)


def tagged_line(**fields: Any) -> str:
    return json.dumps({"tokens": ["a"], "tags": ["X"], **fields})


GOOD = {"slash": "a/X", "underscore": "a_X", "tsv": "a\tX", "jsonl": tagged_line(), "spacy": document("a", (0, 1))}
REFUSED: dict[CorpusFormat, dict[str, str]] = {
    "slash": {item: f"'{item}' is not word/TAG" for item in ("word", "/NOUN", "/")},
    "underscore": {f"a_X {item}": f"'{item}' is not word_TAG" for item in ("c", "_Y", "_")},
    "tsv": {
        "word": "no tag after 'word': expected token, tab, tag",
        "<": "no tag after '<'",
        "word\t": "no tag after 'word'",
        "word\t\tlemma": "no tag after 'word'",
        "\tNN": "no token before the tag 'NN'",
        "a\tb\tc\td": "4 tab-separated columns, expected token, tag and optionally lemma",
        "a\tN N": "the tag, 'N N', contains white space",
    },
    "jsonl": {
        "花/NOUN": "is not a JSON line as `rnntag tag` writes it",
        DEEP: "is not a JSON line",
        "9" * 5000: "is not a JSON line",
        '{"tokens": ["a"]}': "is not a JSON line as `rnntag tag` writes it: no field 'tags'",
        tagged_line(tokens="a"): "is not a JSON line",
        tagged_line(tokens=[1]): "is not a JSON line",
        tagged_line(top=5): "is not a JSON line",
        tagged_line(top=[["X", 1]]): "is not a JSON line",
        tagged_line(top=[{"X": 10**400}]): "is not a JSON line",
        tagged_line(top=[{"X": math.nan}]): "the probability of X is nan, not between 0 and 1",
        tagged_line(top=[{"X": -1}]): "the probability of X is -1.0, not between 0 and 1",
        tagged_line(tokens=["a", "b"]): "2 tokens but 1",
        tagged_line(tokens=[""]): "token 1 is empty",
        tagged_line(tokens=["a\ud800"]): "token 1 contains U+D800, an unpaired surrogate",
        tagged_line(tags=["a\tb"]): "the tag of token 1, 'a\\tb', contains white space",
        tagged_line(tags=[""]): "the tag of token 1 is empty",
    },
    "spacy": {
        "{": "is not JSON: ",
        DEEP: "is not JSON",
        "[]": "is not a spaCy document: it has no text or no tokens",
        '{"text": "a"}': "is not a spaCy document",
        tagged_line(): "is not a spaCy document",
        document("a", tokens="a"): "token 0 has no integers start and end",
        document("a", tokens={"start": 0, "end": 1}): "token 0 has no integers",
        document("a", tokens=[{"start": 0.0, "end": 1}]): "token 0 has no integers",
        document("a", tokens=[{"start": 0, "end": True, "pos": "X"}]): "token 0 has no integers",
        document("ab", (0, 1), (1, 3)): "token 1 spans 1 to 3 in a text of 2 characters",
        document("ab", (-1, 1)): "token 0 spans -1 to 1",
        document("ab", (0, 0)): "token 0 spans 0 to 0",
        document("ab", (10**30, 10**31)): "token 0 spans",
        document("ab", (0, 2), (1, 2)): "token 1 begins at 1, inside the previous one",
        document("ab cd", (0, 2)): "'cd' after character 2 of the text is not in any token",
        document("abc"): "'abc' after character 0 of the text is not in any token",
        document("\ud800", (0, 1)): "token 0 contains U+D800",
        document("ab", (0, 1), (1, 2), sents=[(0, 3)]): "sentence 0 spans 0 to 3",
        document("ab", (0, 1), (1, 2), sents=[(0, 1)]): "token 1 ('b') is not in any sentence",
        document("a", tokens=[{"start": 0, "end": 1, "tag": "x"}]): "token 0 has no pos",
        document("a", tokens=[{"start": 0, "end": 1, "pos": ""}]): "token 0 has no pos",
        document("a", tokens=[{"start": 0, "end": 1, "pos": "NN"}]): "token 0: pos 'NN' is not a UPOS tag",
    },
}


@pytest.mark.parametrize("corpus_format", REFUSED)
def test_a_bad_line_is_named(corpus_format: CorpusFormat) -> None:
    for line, message in REFUSED[corpus_format].items():
        assert f"mine.txt:2: {message}" in refused(f"{GOOD[corpus_format]}\n{line}\n", corpus_format)


def test_another_format_is_named() -> None:
    for text, word, corpus_format in (("a_X b_Y", "a_X", "underscore"), ("a\tX", "a", "tsv")):
        with pytest.raises(DataError, match=f"'{word}' is not word/TAG$") as error:
            read(text, "auto")
        assert error.value.remedies == [{"corpus_format": corpus_format}]


# Brown's and word_TAG


def test_brown_s_lines_are_read() -> None:
    text = "\n\n\tThe/at Fulton/np-tl 1/2/cd ``/`` ./.\n\n\n\n\tHe/pps and/or/cc\n"
    expected = [
        [("The", "at"), ("Fulton", "np-tl"), ("1/2", "cd"), ("``", "``"), (".", ".")],
        [("He", "pps"), ("and/or", "cc")],
    ]
    assert read(text) == expected
    assert read(text, "slash", "brown.tsv") == expected


def test_words_are_split_at_the_last_underscore() -> None:
    assert read("snake_case_NN ___X\n", "underscore") == [[("snake_case", "NN"), ("__", "X")]]


# Vertical text


@pytest.mark.parametrize("name", ["a.tsv", "a.vert", "a.VRT"])
def test_treetagger_s_output_is_read(name: str) -> None:
    text = (
        '<?xml version="1.0"?>\n<text id="a b">\n<p>\nThe\tDT\tthe\n<\tSYM\t<unknown>\n<b>\n</s>\tNN\n</b>\n'
        ".\tSENT\t.\n"
        "He\tPP\the\n.\tSENT\t.\n</p>\n<p>\nOn\tIN\n</p></text>\n</text>\n"
    )
    assert read(text, name=name) == [
        [("The", "DT"), ("<", "SYM"), ("</s>", "NN"), (".", "SENT")],
        [("He", "PP"), (".", "SENT")],
        [("On", "IN")],
    ]


@pytest.mark.parametrize(
    ("text", "sizes"),
    [
        ("a\tSENT\nb\tX\n", [1, 1]),
        ("a\tSENT\nb\tX\n\n", [1, 1]),  # an empty line at the end parts nothing
        ("\n\na\tSENT\nb\tX\n", [1, 1]),
        ("a\tSENT\nb\tX\n\nc\tX\n", [2, 1]),
        ("<s>\na\tSENT\nb\tX\n</s>\n", [2]),
        ("a\tX\nb\tX\n</s>\nc\tX\n", [2, 1]),
        ("<text>\na\tSENT\nb\tX\n\n</text>\n<text>\nc\tX\n</text>\n", [1, 1, 1]),
        ("a\tX\n<name>\nb\tX\n</name>\nc\tX\n", [3]),
    ],
)
def test_a_final_tag_ends_a_sentence_where_nothing_else_does(text: str, sizes: list[int]) -> None:
    assert [len(sentence) for sentence in read(text, "tsv")] == sizes


# spaCy's documents


def test_a_document_teaches_a_segmenter() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "en_docs.jsonl"
        one = document("It's 5. OK", (0, 2), (2, 4), (5, 6), (6, 7), (8, 10), sents=[(0, 7), (8, 10)])
        path.write_text(f"{one}\n{document('No', (0, 2))}\n", encoding="utf-8")
        found = read_sentences(path, loading.TAGSETS)
    assert [sentence.tokens for sentence in found] == [("It", "'s", "5", "."), ("OK",), ("No",)]
    assert found[0].tags == {"upos": ("X",) * 4, "xpos-en": ("x",) * 4}
    assert [paragraph.text for paragraph in gold_paragraphs(found, "docs")] == ["It's 5. OK", "No"]


def test_documents_without_a_tag_say_so() -> None:
    line = document("a", tokens=[{"start": 0, "end": 1, "pos": "X"}])
    assert "token 0 has no tag" in refused(line, "spacy", "docs.jsonl", tagsets=("native",))


# Which format


@pytest.mark.parametrize(
    ("name", "content", "chosen", "expected"),
    [
        ("a.conllu", "", "tsv", "conllu"), ("a.CONLL", "", "slash", "conllu"), ("a.txt", "", "conllu", "conllu"),
        ("a.txt", "", "auto", "slash"), ("a.pos", "", "auto", "slash"), ("a.tsv", "", "slash", "slash"),
        ("a.jsonl", '\n{"tokens": [], "tags": []}', "auto", "jsonl"), ("a.jsonl", "nonsense", "auto", "jsonl"),
        ("a.jsonl", '{"tokens": ["a"], "tags": ["X"], "text": "a"}', "auto", "jsonl"), ("a.jsonl", "", "auto", "jsonl"),
        ("a.jsonl", '{"text": "", "tokens": []}', "auto", "spacy"),
        ("a.jsonl", '{"tokens": [{"id": 0}]}', "auto", "spacy"), ("a.jsonl", "{}", "spacy", "spacy"),
    ],
)  # fmt: skip
def test_name_and_choice_tell_the_format(
    name: str, content: str, chosen: CorpusFormat, expected: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    assert format_of(tmp_path / name, chosen) == expected


@pytest.mark.parametrize(("name", "has_dev"), [("docs.jsonl", True), ("own.jsonl", False)])
def test_documents_come_in_parts_and_what_a_model_has_tagged_does_not(name: str, has_dev: bool, tmp_path: Path) -> None:
    line = document("a", (0, 1)) if has_dev else '{"tokens": ["a"], "tags": ["X"]}'
    (tmp_path / name).write_text(f"{line}\n" * 10, encoding="utf-8")
    (corpus,) = loading.load([str(tmp_path / name)])
    assert len(corpus.dev) == len(corpus.test) == has_dev


def test_a_choice_leaves_treebanks_as_they_are_and_stays_with_the_model(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    row = "1\tw\t_\tNOUN" + "\t_" * 6 + "\n"
    Path("tree.conllu").write_text(f"{row}\n" * 10, encoding="utf-8")
    Path("joined.txt").write_text("a_NOUN b_VERB\n" * 10, encoding="utf-8")
    small = ["--hidden", "4", "--embedding-dim", "4", "--char-dim", "4", "--char-hidden", "4", "--epochs", "1"]
    arguments = ["train", "tree.conllu", "joined.txt", "--corpus-format", "underscore", "--out", "m", *small]
    with pytest.raises(SystemExit) as end:
        app(arguments)
    assert not end.value.code
    assert directory.read(Path("m")).provenance.corpus_format == "underscore"
    assert re.search(r"rnntag train .*--corpus-format underscore", directory.read_card(Path("m")))
    capsys.readouterr()

    def reports(*more: str) -> list[str]:
        return [report["corpus"] for report in json.loads(run("eval", "-m", "m", "--json", *more).stdout)]

    assert reports() == ["tree", "joined"]
    assert reports("joined.txt", "--corpus-format", "underscore") == ["joined"]
    assert "--corpus-format underscore" in run("eval", "-m", "m", "joined.txt").stderr


# Header rows


@pytest.mark.parametrize(
    "header",
    ["word\ttag", "token\tpos", "Form\tUPOS", "TOKEN\tTAG\tLEMMA", "#word\ttag", "# Token\tPOS", "词\t词性",
     "word\tlemma\tpos", "id\tform\tupos", '"word"\t"tag"', "words\tlabels", "Text\tPart of Speech", " word \t tag ",
     "token_text\tpos_tag", "word\ttag\t"],
)  # fmt: skip
def test_a_header_row_is_no_sentence(header: str) -> None:
    for before in ("", "\n", "\ufeff", "<text>\n"):
        message = refused(f"{before}{header}\nI\tPRON\neat\tVERB\n", "tsv", "mine.tsv")
        assert f"mine.tsv:{1 + before.count(chr(10))}: " in message
        assert "looks like a header: remove this line" in message


def test_the_headers_of_joined_files_are_all_named() -> None:
    message = refused("word\ttag\nI\tPRON\n\nword\ttag\nyou\tPRON\n", "tsv")
    assert [line.split(": ")[0][-10:] for line in message.splitlines()[:-1]] == ["mine.txt:1", "mine.txt:4"]


@pytest.mark.parametrize(
    "text",
    ["word\tNOUN\ntag\tNOUN\n", "Form\tNN\n", "I\tPOS\n", "a\tX\nword\ttag\n", "Tag\tNN\n", "the\tDT\nword\tNN\n"],
)
def test_words_such_as_stand_in_headers_are_words(text: str) -> None:
    assert sum(map(len, read(text, "tsv"))) == text.count("\n")


@pytest.mark.parametrize(("corpus_format", "mark"), [("slash", "/"), ("underscore", "_")])
def test_a_first_line_that_shows_the_format_is_no_sentence(corpus_format: CorpusFormat, mark: str) -> None:
    for header in (f"word{mark}TAG", f"Word{mark}Tag word{mark}tag"):
        message = refused(f"{header}\nI{mark}PRON\n", corpus_format)
        assert "mine.txt:1: " in message
        assert "looks like a header: remove this line" in message
    assert read(f"word{mark}tag I{mark}PRON\n", corpus_format)
    assert read(f"I{mark}PRON\nword{mark}tag\n", corpus_format)
