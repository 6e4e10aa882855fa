"""CoNLL-U is read as the standard says, and a bad line is named."""

from __future__ import annotations

import conllu as peer
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnntag.errors import DataError
from rnntag.formats import conllu
from rnntag.formats.records import CorpusFile
from rnntag.sentences import UPOS, Tags

SENTENCE = """\
# sent_id = 1
# text = I can't.
1\tI\ti\tPRON\tPRP\t_\t3\tnsubj\t_\t_
2-3\tcan't\t_\t_\t_\t_\t_\t_\t_\tSpaceAfter=No
2\tca\tcan\tAUX\tMD\t_\t0\troot\t_\t_
3\tn't\tnot\tPART\tRB\t_\t2\tadvmod\t_\t_
3.1\tgo\tgo\tVERB\tVB\t_\t_\t_\t_\t_
4\t.\t.\tPUNCT\t.\t_\t2\tpunct\t_\t_
"""


def test_multiword_ranges_and_empty_nodes_are_no_words() -> None:
    (sentence,) = conllu.read(SENTENCE.splitlines(), "x")
    assert sentence.column(conllu.FORM) == ("I", "ca", "n't", ".")
    assert sentence.column(conllu.UPOS_COLUMN) == ("PRON", "AUX", "PART", "PUNCT")


def test_comments_between_and_after_sentences_are_kept() -> None:
    lines = ["# newdoc", "", "", "1" + "\t_" * 9, "", "# end"]
    reader = conllu.ConlluReader("x")
    sentences = [*reader.feed(lines), *reader.finish()]
    assert [(sentence.number, sentence.lines, len(sentence.rows)) for sentence in sentences] == [
        (1, tuple(lines[:4]), 1),
        (6, ("# end",), 0),
    ]
    assert len(list(conllu.read(lines, "x"))) == 1


def test_everything_but_the_tags_passes_through() -> None:
    (sentence,) = conllu.read(SENTENCE.splitlines(), "x")
    lines = sentence.with_tags({conllu.UPOS_COLUMN: Tags(["X"] * 4)})
    (again,) = conllu.read(lines, "x")
    assert again.column(conllu.UPOS_COLUMN) == ("X",) * 4
    assert again.with_tags({conllu.UPOS_COLUMN: Tags(["PRON", "AUX", "PART", "PUNCT"])}) == tuple(SENTENCE.splitlines())


@pytest.mark.parametrize("ends", ["", "\n", "\n\n\n"])
def test_blank_lines_at_the_end_may_be_missing_or_many(ends: str) -> None:
    assert len(list(conllu.read((SENTENCE + ends + SENTENCE if ends else SENTENCE).split("\n"), "x"))) == (
        2 if ends else 1
    )


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("1\tI\ti\tPRON\tPRP\t_\t3", "x:2: 7 tab-separated columns where CoNLL-U has 10"),
        ("1 I i PRON PRP _ 3 nsubj _ _", "x:2: 1 tab-separated columns"),
        ("one\tI\ti\tPRON\tPRP\t_\t3\tnsubj\t_\t_", "x:2: 'one' is not a CoNLL-U word number"),
        ("2\tI\ti\tPRON\tPRP\t_\t3\tnsubj\t_\t_", "x:2: found word 2, expected word 1 of the sentence"),
        ("1\t \ti\tPRON\tPRP\t_\t3\tnsubj\t_\t_", "x:2: word 1 has no form"),
        ("1\tI\ti\tPRON\t\t_\t3\tnsubj\t_\t_", "x:2: column 5 is empty: use _ for an empty value"),
        ("2-3\tI\t_\t_\t_\t_\t_\t_\t_\t_", "x:2: the range 2-3 must begin at word 1"),
        ("1-0\tI\t_\t_\t_\t_\t_\t_\t_\t_", "x:2: '1-0' is not a CoNLL-U word number"),
        ("1.1\tI\t_\t_\t_\t_\t_\t_\t_\t_", "x:2: the empty node 1.1 must follow word 0"),
        ("9" * 5000 + "\tI" + "\t_" * 8, "x:2: '999"),
    ],
)
def test_a_malformed_line_is_named(line: str, message: str) -> None:
    with pytest.raises(DataError) as error:
        list(conllu.read(["# a comment", line], "x"))
    assert str(error.value).startswith(message)


@pytest.mark.parametrize(
    ("tag", "message"),
    [("noun", "x:1: 'noun' is not a UPOS tag: did you mean NOUN?"), ("NN", "x:1: 'NN' is not a UPOS tag: use one of"),
     ("_", "x:1: no word has a tag in UPOS")],
)  # fmt: skip
def test_an_unknown_upos_is_named(tag: str, message: str) -> None:
    with pytest.raises(DataError) as error:
        list(conllu.sentences(CorpusFile([f"1\tI\ti\t{tag}\t_\t_\t_\t_\t_\t_"], "x")))
    assert str(error.value).startswith(message)


word = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]), min_size=1)


@given(st.lists(st.tuples(word, st.sampled_from(UPOS)), min_size=1))
def test_what_is_written_is_read_back_here_and_by_the_conllu_package(pairs: list[tuple[str, str]]) -> None:
    tokens, tags = [w for w, _ in pairs], [t for _, t in pairs]
    lines = [*conllu.rows(1, tokens, {conllu.UPOS_COLUMN: Tags(tags)}), ""]
    (sentence,) = conllu.read(lines, "x")
    assert sentence.column(conllu.FORM) == tuple(tokens)
    assert sentence.column(conllu.UPOS_COLUMN) == tuple(tags)
    (theirs,) = peer.parse("\n".join(lines) + "\n")
    assert [(token["form"], token["upos"]) for token in theirs] == pairs
