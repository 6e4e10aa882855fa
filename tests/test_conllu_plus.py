"""CoNLL-U with more columns, CoNLL-U Plus, and CoNLL-U as other tools write it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rnntag.corpora import loading
from rnntag.errors import DataError
from rnntag.formats import conllu
from rnntag.formats.registry import read_sentences
from rnntag.sentences import Sentence, Tags
from tests.conftest import Run, one_line

WORDS = [("I", "PRON"), ("eat", "VERB"), ("apples", "NOUN"), (".", "PUNCT")]


def rows(*more: str, misc: str = "_", upos: str = "X") -> str:
    """A sentence of ten columns, and more."""
    return "".join(
        "\t".join([str(number), word, "_", upos, "_", "_", "_", "_", "_", misc, *more]) + "\n"
        for number, (word, _) in enumerate(WORDS, 1)
    )


def tagged(text: str) -> str:
    """The text with the tags of the words in place of X."""
    tags = iter([tag for _, tag in WORDS] * text.count("\tX\t"))
    return re.sub("(?<=\t)X(?=\t|\n)", lambda _: next(tags), text)


# White space around the parts of MISC


@pytest.mark.parametrize(
    "misc", ["SpaceAfter=No ", " SpaceAfter=No", "Gloss=a b | SpaceAfter=No | X=1", "SpaceAfter = No"]
)
def test_spaces_around_the_parts_of_misc_mean_nothing(misc: str) -> None:
    (sentence,) = conllu.read(rows(misc=misc).splitlines(), "x")
    assert sentence.layout()[0] == ("",) * 4


def test_white_space_of_the_text_keeps_its_meaning() -> None:
    (sentence,) = conllu.read(rows(misc="SpacesAfter=\u3000\\s ").splitlines(), "x")
    assert sentence.layout()[0] == ("\u3000 ",) * 4


@pytest.mark.parametrize(
    ("misc", "expected"),
    [
        ("_ ", "Confidence={p}"), (" _", "Confidence={p}"), ("_", "Confidence={p}"),
        ("SpaceAfter=No ", "SpaceAfter=No|Confidence={p}"), ("A=b | _ | C=d", "A=b|C=d|Confidence={p}"),
        ("Confidence=0.1 |A=b c", "A=b c|Confidence={p}"), ("A=1| Tag2=X |Confidence2=0.1", "A=1|Confidence={p}"),
    ],
)  # fmt: skip
def test_confidence_goes_behind_what_misc_says(misc: str, expected: str, tiny_folder: Path, run: Run) -> None:
    done = run("tag", "-m", tiny_folder, "--input-format", "conllu", "--confidence", stdin=rows(misc=misc))
    assert (done.returncode, done.stderr) == (0, "")
    found = [line.split("\t")[9] for line in done.stdout.splitlines() if line]
    assert [re.sub(r"(?<=Confidence=)[01]\.\d{4}$", "{p}", one) for one in found] == [expected] * 4
    plain = run("tag", "-m", tiny_folder, "--input-format", "conllu", stdin=rows(misc=misc)).stdout
    assert plain == tagged(rows(misc=misc)) + "\n"  # what is not asked for stays as it is


# More columns


@pytest.mark.parametrize("more", [("extra",), ("", "b c"), ("_", "_", "_")])
def test_further_columns_stay_as_they_are(more: tuple[str, ...], tiny_folder: Path, run: Run, tmp_path: Path) -> None:
    text = f"# text = I eat apples.\n{rows(*more)}\n{rows(*more)}"
    done = run("tag", "-m", tiny_folder, "--input-format", "conllu", stdin=text)
    assert (done.stderr, done.stdout) == ("", tagged(text) + "\n")
    (tmp_path / "gold.conllu").write_text(tagged(text), encoding="utf-8")
    assert '"accuracy": 1.0' in run("eval", "-m", tiny_folder, "gold.conllu", "--json").stdout


PLUS = """\
# global.columns = UPOS FORM ID PARSEME:MWE
# text = I eat apples.
X\tI\t1\t*
X\teat\t2\t1:LVC
X\tapples\t3\t1
X\t.\t4\t*

"""


def test_columns_come_in_the_order_that_the_file_names(tiny_folder: Path, run: Run, tmp_path: Path) -> None:
    text = PLUS + PLUS.partition("\n")[2]
    done = run("tag", "-m", tiny_folder, "--input-format", "conllu", stdin=text)
    assert (done.stderr, done.stdout) == ("", re.sub("(?m)^X", "{}", text).format(*[tag for _, tag in WORDS] * 2))
    (tmp_path / "gold.conllup").write_text(done.stdout, encoding="utf-8")
    assert [(s.tokens, s.tags) for s in read_sentences(tmp_path / "gold.conllup", ("universal",))] == [
        (("I", "eat", "apples", "."), {"upos": ("PRON", "VERB", "NOUN", "PUNCT")})
    ] * 2
    assert run("tag", "-m", tiny_folder, "-i", "gold.conllup").stdout == done.stdout
    assert '"accuracy": 1.0' in run("eval", "-m", tiny_folder, "gold.conllup", "--json").stdout
    assert [corpus.name for corpus in loading.load([str(tmp_path)])] == ["gold"]


@pytest.mark.parametrize(
    ("names", "row"), [("UPOS FORM ID A:B", "X\t{word}\t{number}\t*"), ("ID UPOS FORM", "{number}\tX\t{word}")]
)
def test_the_order_holds_for_the_whole_of_a_large_file_and_for_no_other(
    names: str, row: str, tiny_folder: Path, run: Run, tmp_path: Path
) -> None:
    body = "".join(row.format(number=number, word=word) + "\n" for number, (word, _) in enumerate(WORDS, 1)) + "\n"
    text = f"# global.columns = {names}\n" + body * 6000
    assert len(text) > 1 << 17
    (tmp_path / "large.conllu").write_text(text, encoding="utf-8")
    (tmp_path / "plain.conllu").write_text(rows(), encoding="utf-8")
    expected = re.sub(r"(?m)(^|\t)X(?=\t)", r"\1{}", text).format(*[tag for _, tag in WORDS] * 6000)
    header, _, rest = expected.partition("\n")
    expected = f"{header}\n# newdoc id = large.conllu\n{rest}# newdoc id = plain.conllu\n{tagged(rows())}\n"
    for jobs in ("1", "2"):
        done = run("tag", "-m", tiny_folder, "--jobs", jobs, "-i", "large.conllu", "-i", "plain.conllu")
        assert done.stderr == ""
        assert done.stdout == expected


def test_a_file_without_numbers_or_misc(tiny_folder: Path, run: Run, tmp_path: Path) -> None:
    text = "# global.columns = FORM UPOS\nI\tX\neat\tX\n#\tX\n\n# a comment\napples\tX\n"
    done = run("tag", "-m", tiny_folder, "--input-format", "conllu", stdin=text)
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert [line.split("\t")[0] for line in lines] == [
        "# global.columns = FORM UPOS", "I", "eat", "#", "", "# a comment", "apples", "",
    ]  # fmt: skip
    found = [line.split("\t")[1] for line in lines if "\t" in line]
    assert found[:2] == ["PRON", "VERB"]
    assert len(found) == 4
    (sentence, _) = conllu.read(text.splitlines(), "x")
    assert sentence.column(conllu.FORM) == ("I", "eat", "#")
    assert sentence.layout()[0] == ()
    done = run("tag", "-m", tiny_folder, "--input-format", "conllu", "--confidence", stdin=text)
    assert "<stdin>:1: # global.columns lacks MISC, where probabilities go" in one_line(done.stderr)
    assert done.returncode == 65


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ("ID FORM LEMMA", "x:2: # global.columns lacks UPOS"),
        ("ID UPOS", "x:2: # global.columns lacks FORM"),
        ("", "x:2: # global.columns lacks FORM"),
        ("ID FORM UPOS FORM", "x:2: # global.columns names FORM twice"),
    ],
)
def test_columns_that_are_missing_are_named(columns: str, message: str) -> None:
    with pytest.raises(DataError) as error:
        list(conllu.read(["# a comment", f"# global.columns = {columns}"], "x"))
    assert str(error.value).startswith(message)


@pytest.mark.parametrize(
    "head", ["#global.columns=ID FORM UPOS", "# global.columns =\tid\tform\tupos", "#  global.columns = ID  FORM UPOS "]
)
def test_the_line_may_be_written_in_other_ways(head: str) -> None:
    (sentence,) = conllu.read([head, "1\tI\tPRON"], "x")
    assert (sentence.column(conllu.FORM), sentence.column(conllu.UPOS_COLUMN)) == (("I",), ("PRON",))


def test_fewer_columns_than_are_named_are_an_error() -> None:
    with pytest.raises(DataError, match=r"^x:3: 2 tab-separated columns .* # global.columns names 3"):
        list(conllu.read(["# global.columns = ID FORM UPOS", "1\tI\tPRON", "2\teat"], "x"))
    (sentence,) = conllu.read(["# global.columns = ID FORM UPOS", "1\tI\tPRON\tmore"], "x")
    assert sentence.with_tags({conllu.UPOS_COLUMN: Tags(["X"])})[1] == "1\tI\tX\tmore"


def test_files_may_be_joined_whose_columns_differ() -> None:
    lines = ["# global.columns = FORM UPOS", "I\tPRON", "", "# global.columns = UPOS FORM", "VERB\teat"]
    assert [s.column(conllu.FORM) + s.column(conllu.UPOS_COLUMN) for s in conllu.read(lines, "x")] == [
        ("I", "PRON"), ("eat", "VERB"),
    ]  # fmt: skip


def test_ranges_and_empty_nodes_of_conllu_plus() -> None:
    lines = [
        "# global.columns = FORM ID UPOS MISC", "cannot\t1-2\t_\tSpaceAfter=No", "can\t1\tAUX\t_",
        "not\t2\tPART\t_", "x\t2.1\t_\t_",
    ]  # fmt: skip
    (sentence,) = conllu.read(lines, "x")
    assert sentence.column(conllu.FORM) == ("can", "not")
    assert sentence.layout()[0] == ("", "")


# What is not worth an error


def variants() -> list[str]:
    text = f"# one\n{rows(upos='NOUN')}\n# two\n{rows(upos='NOUN')}"
    return [
        text + "\n", text, text.rstrip("\n"), text.replace("\n", "\r\n"), "\ufeff" + text,
        text.replace("\n\n", "\n \t\n"), text.replace("\n\n", "\n\n\ufeff"), text.replace("\n\n", "\n\n\n\n"),
        text.replace("\n2\t", "\n# between\n2\t"), text + "\n# end\n", text.replace("\tNOUN\t", "\tNOUN \t"),
        text.replace("\n1\t", "\n1 \t"), text.replace("\tI\t", "\t I \t"), text.replace("\t_\n", "\t_ \n"),
    ]  # fmt: skip


@pytest.mark.parametrize("text", variants())
def test_what_tools_write_otherwise_is_read_all_the_same(text: str, tmp_path: Path) -> None:
    (tmp_path / "x.conllu").write_bytes(text.encode())
    words = tuple(word for word, _ in WORDS)
    expected = Sentence(words, {"upos": ("NOUN",) * 4}, spaces=(" ",) * 4)
    assert read_sentences(tmp_path / "x.conllu", ("universal",)) == (expected, expected)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("1 I i PRON PRP _ 3 nsubj _ _", "x:1: 1 tab-separated columns where CoNLL-U has 10: its columns are sepa"),
        ("ID\tFORM\tLEMMA\tUPOS\tXPOS\tFEATS\tHEAD\tDEPREL\tDEPS\tMISC", "x:1: looks like a header: remove this line"),
        ("id\tform\tupos", "x:1: looks like a header: remove this line, or begin the file with # glob"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(line: str, message: str) -> None:
    with pytest.raises(DataError) as error:
        list(conllu.read([line], "x"))
    assert str(error.value).startswith(message)


def test_a_sentence_that_begins_without_an_empty_line_is_named() -> None:
    with pytest.raises(DataError, match="x:5: found word 1, expected word 5 of the sentence: is an empty line missing"):
        list(conllu.read((rows() + rows()).splitlines(), "x"))
