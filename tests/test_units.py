"""Raw text in units, and the rows that a network reads of them."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnntag.model import pretokens
from rnntag.model.pretokens import LINE, NO_GAP, SHARED_ROWS, SPACE, PretokenVocabulary

TEXT = st.text(
    st.sampled_from("aZé\u0301βж我。1１9 \n\t\u2028.'-👍") | st.characters(exclude_categories=("Cs",)), max_size=30
)


def learned(*texts: str, bigrams: int = 64) -> PretokenVocabulary:
    """From texts whose words are parted by |."""
    found = []
    for text in texts:
        place, words = 0, []
        for word in text.split("|"):
            begin = place + len(word) - len(word.lstrip())
            words.append((begin, place := place + len(word)))
        found.append((text.replace("|", ""), words))
    return PretokenVocabulary.build(found, 2, bigrams, ("漢Ａ", "汉A"))


def as_json(table: PretokenVocabulary) -> dict[str, Any]:
    tables: dict[str, Any] = json.loads(json.dumps(table.tables()))
    return tables


def forms(table: PretokenVocabulary, *texts: str) -> list[str]:
    scan, text = table.scan(texts), "\n".join(texts)
    return [text[a:b] for a, b in zip(scan.starts, scan.ends, strict=True)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("can't 3.5亿", ["can", "'", "t", "3", ".", "5", "亿"]),
        ("C++ AT&T！２０24年", ["C", "+", "+", "AT", "&", "T", "！", "２０24", "年"]),
        ("Ünïcode Жук λόγος e\u0301t", ["Ünïcode", "Жук", "λόγος", "e\u0301t"]),
        ("", []), (" \n\u3000", []),
    ],
)  # fmt: skip
def test_runs_of_letters_and_of_digits_are_units(text: str, expected: list[str]) -> None:
    assert forms(learned(), text) == expected


def test_where_runs_split_is_learned() -> None:
    table = learned("I| can|not| go", "You| Can|not", "The| can| is| full", "We| got|ta", "Cannot")
    assert table.splits == {"cannot": (3,)}  # "gotta" came once
    assert forms(table, "CANNOT cannot canno", "gotta") == ["CAN", "NOT", "can", "not", "canno", "gotta"]
    scan = table.scan(["cannot"])
    whole = table.scan(["can not"])
    assert scan.rows.tolist() == whole.rows.tolist()
    assert (scan.gaps.tolist(), whole.gaps.tolist()) == ([LINE, NO_GAP], [LINE, SPACE])


def test_many_digits_are_not_split_where_others_are() -> None:
    table = learned("1234567|89", "7654321|89", "20|24", "20|24")
    assert forms(table, "2024", "12345", "123456789") == ["20", "24", "12345", "123456789"]


def test_what_writes_alike_has_one_row() -> None:
    table = learned("汉|A|ab|12345|a", "漢|Ａ|AB|99999|B")

    def row(form: str) -> int:
        return int(table.scan([form]).rows[0])

    assert row("汉") == row("漢") >= SHARED_ROWS
    assert row("A") == row("Ａ") == row("a") >= SHARED_ROWS
    assert row("ab") == row("AB") == row("Ab") >= SHARED_ROWS
    assert row("12345") == row("67890123") >= SHARED_ROWS
    assert row("字") == row("词") < SHARED_ROWS
    assert row("walking") == row("eating") < SHARED_ROWS
    assert row("！") != row("字")
    shapes = [int(table.scan([form]).shapes[0]) for form in ("ab", "Ab", "AB", "aB", "abcd", "abcdefghi", "我", "123")]
    assert len({*shapes[:6]}) == 6


def test_gaps_tell_spaces_from_lines() -> None:
    assert learned().scan(["a b\nc \u2028 d\te", "f"]).gaps.tolist() == [LINE, SPACE, LINE, LINE, SPACE, LINE]


@given(st.lists(TEXT, max_size=4))
def test_units_cover_the_text_and_do_not_hang_on_their_neighbours(texts: list[str]) -> None:
    table = learned("can|not| 我|吃", "can|not| 我|吃")
    assert "".join(forms(table, *texts)) == "".join("".join(texts).split())
    scan, columns = table.encode(texts)
    assert len(columns) == len(texts)
    assert sum(map(len, columns)) == len(scan.starts)
    for text, own in zip(texts, columns, strict=True):
        np.testing.assert_array_equal(table.encode([text])[1][0], own)
    if scan.starts.size:
        every = np.concatenate(columns)
        assert (every >= 0).all()
        assert (every.max(axis=0) < [table.rows, table.shapes, table.bigrams, table.bigrams]).all()


def test_pairs_tell_what_stands_between() -> None:
    table = learned("a| b|c", "a| b|c", bigrams=1 << 16)
    apart = table.encode(["a b"])[1][0]
    assert apart[0, 3] == apart[1, 2]
    stuck, parted = table.encode(["a.b", "a .b"])[1]
    assert stuck[0, 0] == parted[0, 0]
    assert stuck[0, 3] != parted[0, 3]


def test_forgetting_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "can cannot " * 3 + "x" * 50 + " 我吃苹果。"
    table = learned("can|not", "can|not")
    before = table.encode([text])[1][0]
    monkeypatch.setattr(pretokens, "_CACHED_FORMS", 1)
    for _ in range(3):
        np.testing.assert_array_equal(table.encode([text])[1][0], before)


def test_a_table_survives_json() -> None:
    table = learned("can|not| 我", "can|not| 我")
    assert PretokenVocabulary.from_tables(as_json(table)) == table


def test_shapes_tell_which_characters_repeat() -> None:
    table = learned()

    def repeats(text: str) -> list[int]:
        shapes = table.scan([text]).shapes
        plain = [int(table.scan([form]).shapes[0]) for form in forms(table, text)]
        return ((shapes - plain) // (table.shapes // 12)).tolist()

    assert repeats("干干净净") == [0, 1, 0, 1]
    assert repeats("好不好，") == [0, 0, 2, 0]
    assert repeats("哈哈哈") == [0, 1, 3]
    assert repeats("好 好\n好a a11 1") == [0] * 7
    assert table.scan(["好", "好"]).shapes.tolist() == table.scan(["好", "不"]).shapes.tolist()


def test_runs_of_letters_are_one_member_of_pairs() -> None:
    table = learned("Monday|.| 我", "Monday|.| 我", bigrams=1 << 16)
    known, unknown, mark = table.encode(["Monday.", "Tuesday.", "我."])[1]
    assert known[0, 0] != unknown[0, 0]
    assert known[1, 2] == unknown[1, 2] != mark[1, 2]


def test_more_training_changes_no_pair() -> None:
    old = learned("Monday|.| 我|吃", "Monday|.| 我|吃", bigrams=1 << 16)
    texts = [("苹果。", [(0, 2), (2, 3)])] * 2
    new = PretokenVocabulary.build(texts, 2, old.bigrams, old.char_map, old)
    newer = PretokenVocabulary.build(texts, 2, old.bigrams, old.char_map, new)
    assert old.rows < new.rows
    assert new.hashed_rows == newer.hashed_rows == old.rows
    for table in (new, newer, PretokenVocabulary.from_tables(as_json(new))):
        np.testing.assert_array_equal(table.encode(["Monday. 我吃"])[1][0], old.encode(["Monday. 我吃"])[1][0])


def test_an_older_vocabulary_reads_as_before() -> None:
    tables = as_json(learned("Monday|.| 我", "Monday|.| 我", bigrams=1 << 16))
    del tables["revision"], tables["wholes"]
    old = PretokenVocabulary.from_tables(tables)
    assert old.shapes * 4 == learned().shapes
    assert max(old.scan(["我我我"]).shapes) < old.shapes // 3
    known, unknown = old.encode(["Monday.", "Tuesday."])[1]
    assert known[1, 2] != unknown[1, 2]


def wholes(table: PretokenVocabulary, *texts: str) -> list[str]:
    joined = "\n".join(texts)
    scan = table.scan(texts)
    return [joined[scan.starts[first] : scan.ends[last]] for first, last in table.whole(texts, scan)]


def test_words_of_four_characters_that_no_text_cuts_are_whole() -> None:
    table = learned("他|一心一意|地|学", "一|心|想|走", "实事求是", "不|实事|求是", "红红火火a|b", "三角形|的")
    assert table.wholes == ("一心一意",)
    assert wholes(table, "他一心一意。一心一意", "一心", "一意", "一心 一意") == ["一心一意"] * 2


def test_wholes_are_found_from_left_to_right_in_either_script() -> None:
    table = learned("汉字书写", "书写汉字")
    assert wholes(table, "漢字书写漢字", "汉\u200b字书写") == ["漢字书写", "汉\u200b字书写"]


def test_more_training_keeps_wholes_that_it_does_not_cut() -> None:
    old = learned("画蛇添足", "一心一意")
    texts = [("画蛇添足了", [(0, 2), (2, 4), (4, 5)]), ("三心二意", [(0, 4)])]
    assert PretokenVocabulary.build(texts, 2, 0, old.char_map, old).wholes == ("一心一意", "三心二意")


@given(st.text("一心意 a\n\u200b\U00020000", max_size=12))
def test_wholes_are_units_of_their_own_that_touch(text: str) -> None:
    table = learned("一心一意", "意心心一")
    for found in wholes(table, text):
        assert len(found.replace("\u200b", "")) == 4
        assert found.replace("\u200b", "") in table.wholes


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("revision", 0),
        ("revision", 3),
        ("hashed_rows", -1),
        ("hashed_rows", 1 << 20),
        ("wholes", ["三角形"]),
        ("wholes", ["abcd"]),
        ("wholes", ["\U00020000" * 4]),
    ],
)
def test_damaged_tables_are_refused(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=r"revision|hashed_rows|Chinese characters"):
        PretokenVocabulary.from_tables({**as_json(learned()), name: value})
