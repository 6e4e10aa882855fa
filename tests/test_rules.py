"""What rules make of raw text, whatever the network finds in it."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rnntag.model.pretokens import PretokenVocabulary
from rnntag.model.rules import INSIDE, SENTENCE, WORD
from rnntag.segmenter import segmentations
from rnntag.sentences import Segmentation

UNITS = PretokenVocabulary((), {}, ("", ""), 0)


def found(text: str, network: int | str) -> list[str]:
    """The sentences of a text if the network finds this class after each unit, or after each of certain characters
    the end of a sentence and else a word."""
    scan = UNITS.scan([text])
    if isinstance(network, int):
        classes = np.full(len(scan.ends), network)
    else:
        classes = np.array([SENTENCE if text[end - 1] in network else WORD for end in scan.ends])
    (one,) = segmentations([text], scan, classes)
    words = [text[begin:end] for begin, end in one.words]
    return [" ".join(words[first:last]) for first, last in pairwise((0, *one.ends))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("得分95，474，5。", "得分95 ， 474 ， 5 。"),
        ("答：（A）《b》", "答 ： （ A ） 《 b 》"),
        ("比分3：2", "比分3：2"),
        ("选A．b，3．5", "选A ． b ， 3．5"),
        ("邮箱：ann@example.org。", "邮箱 ： ann@example.org 。"),
        ("付$10.", "付$ 10 ."),
    ],
)
def test_signs_are_words_even_where_the_network_finds_none(text: str, expected: str) -> None:
    assert found(text, INSIDE) == [expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(www.x.org) https://t.co/AbC_1?a=b&c#d. Now", ["( www.x.org ) https://t.co/AbC_1?a=b&c#d .", "Now"]),
        ("https://x.org/a_(b), http://x.org/) ftp://a.b/", ["https://x.org/a_(b) , http://x.org/ ) ftp://a.b/"]),
        ("看https://x.org/a，再看www.y.cn！", ["看 https://x.org/a ， 再 看 www.y.cn ！"]),
        ("<a.b+c@d-e.org>, mailto:x@y.cn?", ["< a.b+c@d-e.org > , mailto:x@y.cn ?"]),
        ("请写信给li_lei@x.com.cn。", ["请 写 信 给 li_lei@x.com.cn 。"]),
        ("#love #NLP2024! @tom_1: hi", ["#love #NLP2024 !", "@tom_1 : hi"]),
        ("C# #1 a@b &#12; x#y @ 7", ["C # # 1 a @ b & # 12 ; x # y @ 7"]),
        ("谢谢@张伟 和@li_lei，#周末愉快#真好#开心 ！", ["谢 谢 @张伟 和 @li_lei ， #周末愉快# 真 好 #开心 ！"]),
        ("See a-b.com/x, or t.org. Is", ["See a-b.com/x , or t.org .", "Is"]),
        ("Amazon.com's .com in a.com.b", ["Amazon.com ' s . com in a . com . b"]),
        ("访问test.edu.cn，再见", ["访 问 test.edu.cn ， 再 见"]),
        ("#a#b @a.b. ://www. http://", ["#a #b @a.b .", ": / / www . http : / /"]),
    ],
)  # fmt: skip
def test_addresses_hashtags_and_mentions_are_one_word(text: str, expected: list[str]) -> None:
    assert found(text, WORD) == expected


def test_a_word_ends_after_dots() -> None:
    assert found("走...我", INSIDE) == ["走 ... 我"]


def test_dots_are_one_word_and_end_one_sentence() -> None:
    assert found("走。。。我……好...a....b [...] c", "。") == ["走 。。。", "我 …… 好 ... a .... b [ . . . ] c"]
    assert found("走．．．我···", "．") == ["走 ．．．", "我 ···"]
    assert found("走……我。。", "…。") == ["走 ……", "我 。。"]


def test_numbers_with_thousands_are_not_cut() -> None:
    assert found("2,500,000.75% 1,000, 共12,345人", WORD) == ["2,500,000.75 % 1,000 , 共 12,345 人"]
    assert found("1,00 1,0000 1,000,5 0.1,000", WORD) == ["1 , 00 1 , 0000 1 , 000 , 5 0 . 1 , 000"]


def test_numerals_are_not_cut() -> None:
    assert found("一九四一年，三百二十一人，一点五万，二十一点七倍", WORD) == [
        "一九四一 年 ， 三百二十一 人 ， 一点五万 ， 二十一点七 倍"
    ]
    assert found("一九四一年十月三十日", INSIDE) == ["一九四一 年 十月 三十日"]
    assert found("百分之三十五点二，两点一。", WORD) == ["百分之三十五点二 ， 两点一 。"]
    assert found("之一一直八点一起三点五分", WORD) == ["之 一 一 直 八 点 一 起 三 点 五 分"]


def test_what_closes_belongs_to_the_sentence_before() -> None:
    assert found("（他走了。）我也走了。", "。") == ["（ 他 走 了 。 ）", "我 也 走 了 。"]
    assert found("“走！』」”她说", "！") == ["“ 走 ！ 』 」 ”", "她 说"]
    assert found('He left.") "No." \'s', ".") == ['He left . " )', '" No . "', "' s"]
    assert found("S.'s a.”b", ".") == ["S .", "' s a . ”", "b"]


def test_a_sentence_in_brackets_ends_with_them() -> None:
    assert found("门开了。（你好？）他也走了。", "。") == ["门 开 了 。", "（ 你 好 ？ ）", "他 也 走 了 。"]
    assert found("(Why?) No. (Why (me)?) He (why?) ran", ".") == [
        "( Why ? )",
        "No .",
        "( Why ( me ) ? ) He ( why ? ) ran",
    ]
    assert found("他（终于！）来了", "") == ["他 （ 终 于 ！ ） 来 了"]


def test_a_sentence_in_english_quotation_marks_ends_with_them_before_another() -> None:
    assert found('(It was late.) No. “We ran!” "You?" Then', ".") == [
        "( It was late . )",
        "No .",
        "“ We ran ! ”",
        '" You ? "',
        "Then",
    ]
    assert found("“Go!” Old John Lee said. “You?” he", "") == ["“ Go ! ” Old John Lee said . “ You ? ” he"]
    assert found("He (approx.) said “no.” Then", "") == ["He ( approx. ) said “ no . ” Then"]


def test_abbreviations_keep_their_stop() -> None:
    assert found("Dr. Lee, Acme Corp. fell, Figs. 2 and min. (No. 3)", ".") == [
        "Dr. Lee , Acme Corp. fell , Figs. 2 and min .",
        "( No. 3 )",
    ]
    assert found("At Acme Inc. He said no. Dr.", ".") == ["At Acme Inc .", "He said no .", "Dr ."]
    assert found("at ft.zz", ".") == ["at ft .", "zz"]
    assert found("in etc., at St.\nlouis. No. we", ".") == ["in etc. , at St. louis .", "No .", "we"]


def test_no_sentence_ends_at_a_colon_before_an_address() -> None:
    assert found("See: www.x.org\nOr:\nwww.y.org", ":") == ["See : www.x.org Or :", "www.y.org"]


@pytest.mark.parametrize("text", ["It is $10. Yes", "Up 3.5%. Yes", "Up 5% at $1,000.50. Yes"])
def test_a_stop_after_an_amount_ends_a_sentence(text: str) -> None:
    assert [one[-2:] for one in found(text, WORD)] == [" .", "es"]
    assert found("$10.5 rose 3.5% to $10.x", INSIDE) == ["$ 10.5 rose 3.5% to $ 10.x"]


def test_invisible_characters_and_ligatures_do_not_cut_words() -> None:
    shy, space, joiner, mark = "\u00ad\u200b\u2060\ufeff"
    text = f"{mark}soft{shy}ware o\ufb03ce{space} 我{joiner}吃 {space} {space}a"
    assert found(text, WORD) == [f"{mark}soft{shy}ware o\ufb03ce{space} 我{joiner} 吃 {space} {space}a"]
    scan, plain = UNITS.scan([text, f"{shy}x"]), UNITS.scan([f"software office 我吃 {space} a", "x"])
    assert scan.rows.tolist() == plain.rows.tolist()
    assert scan.gaps.tolist() == plain.gaps.tolist()
    assert scan.firsts.tolist() == plain.firsts.tolist()


@pytest.mark.parametrize(
    "piece", ["@", "#a", "a@", "www.", "http://", "http://a)", ".", "…a", "$1,", "一点一", "一", "\u200b"]
)
def test_long_text_takes_linear_time(piece: str) -> None:
    text = piece * (200_000 // len(piece))
    assert "".join(found(text, WORD)).replace(" ", "") == text


PIECES = [
    "Sun.", "and", "No.", "3", "：", "．", "一", "年",
    "多", "点", "（", "他走了！", "）", ")", "。", "a.b", "$5.", " ", "\n",
]  # fmt: skip


@given(st.lists(st.lists(st.sampled_from(PIECES)).map("".join)), st.sampled_from([INSIDE, WORD, SENTENCE]))
@example(["on Sun.", "and 3"], WORD)
@example(["3：", "4"], INSIDE)
@example(["3", "．4"], INSIDE)
@example(["No", "（他走了！）", "3"], WORD)
@example(["（", "", "他走了！）他"], WORD)
def test_no_text_depends_on_its_neighbours(texts: list[str], network: int) -> None:
    def segmented(together: list[str]) -> list[Segmentation]:
        scan = UNITS.scan(together)
        return segmentations(together, scan, np.full(len(scan.ends), network))

    assert segmented(texts) == [one for text in texts for one in segmented([text])]
