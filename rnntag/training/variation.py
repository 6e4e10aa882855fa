"""Variants of gold paragraphs for the training of a segmenter: what people write and treebanks seldom have.

Boundaries stay gold: a variant replaces numbers, names and signs by others of their kind, and adds tokens that are
words anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from random import Random

from rnntag.sentences import Multiword, Sentence

_HAN = re.compile("[\u3400-\u9fff]")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_NUMERALS = re.compile("[零〇一二三四五六七八九十百千万亿]{2,}")
_HALF_WIDTH = str.maketrans("，。！？：；（）", ",.!?:;()")
_FULL_WIDTH = {half: full for full, half in zip("，！？：；（）", ",!?:;()", strict=True)}
_STOPS = frozenset([*".!?。！？", "...", "……"])

_ABBREVIATIONS = """
    Mr. Mrs. Ms. Dr. Prof. Gen. Sen. Rep. Capt. Lt. Col. Fig. Figs. pp. Sec. Eq. Vol. Ch. cf. vs. etc. e.g. i.e. approx.
    Inc. Corp. Co. Ltd. Bros. Jr. Sr. Dept. Univ. St. Ave. Rd. No. min. sec. hrs. ft. lbs. oz. Jan. Feb. Aug. Sept. Oct.
"""
_ABBREVIATED = frozenset(_ABBREVIATIONS.split())
_WITH_NUMBER = ("Fig.", "Figs.", "pp.", "Sec.", "Eq.", "Vol.", "No.", "cf.", "Jan.", "Sept.", "approx.")
_FAMILIES = "王李张刘陈杨赵黄周吴徐孙马朱胡林郭何高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘蒋蔡余杜叶程苏魏吕丁任沈姚卢"
_GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华建国志文玉海红春雪梅晓东小宁云飞立新宏博子涵宇轩思远家豪"
_GIVEN_NAME = re.compile("[\u3400-\u9fff]{1,2}")
_EMOJI = ("😂", "😍", "🔥", "👍", "🙏", "😭", "😊", "🎉", "💪", "🤔", "👏", "✨", "🤣", "🌹", "🚀", "❤️")
_ADDRESSES = ("https://t.co/{}", "www.{}.org", "http://{}.com/a?b=1", "{}@example.org", "#{}", "@{}")
_PAIRS = {True: ("“”", "「」", "（）", "『』", "《》", "()"), False: ("()", "“”", '""', "[]", "‘’")}
_ELLIPSES = {True: ("……", "。。。", "…", "..."), False: ("...", "…", "....")}
_LAST = {True: "！？。", False: "!?."}


def variants(paragraphs: Iterable[Sequence[Sentence]], share: float, random: Random) -> Iterator[list[Sentence]]:
    """Variants of this share of paragraphs (0 to 1).

    Args:
        paragraphs: with the white space after each token.
    """
    for paragraph in paragraphs:
        if random.random() < share:
            chosen = random.sample(_CHANGES, 2)
            yield [_changed(sentence, chosen, random) for sentence in paragraph]


_BETWEEN_WORDS = re.compile(r"(?<=[^\W\d_]) (?=\w)")
_JOINED = 0.25


def joined(text: str, random: Random) -> str:
    """A text of the same length with signs in place of some spaces between words, as in well-known and and/or."""
    return _BETWEEN_WORDS.sub(lambda _: random.choice("---'/.") if random.random() < _JOINED else " ", text)


_MULTIWORD = "multiword"
"""Stands for the tag of a multiword token. No change drops, adds or moves one."""

Tokens = list[tuple[str, str, str]]
"""Tokens of the text, each with the white space after it and its universal tag; "" for an unknown tag."""


Change = Callable[[Tokens, bool, Random], Tokens]
"""Changes a sentence, given whether it is Chinese."""


def _changed(sentence: Sentence, changes: Iterable[Change], random: Random) -> Sentence:
    tags = sentence.tags.get("upos") or ("",) * len(sentence.tokens)
    tokens = [*zip(sentence.tokens, sentence.spaces, tags, strict=True)]
    for each in reversed(sentence.multiwords):
        tokens[each.first : each.end] = [(each.token, sentence.spaces[each.end - 1], _MULTIWORD)]
    is_chinese = any(map(_HAN.match, sentence.tokens))
    for change in changes:
        tokens = change(tokens, is_chinese, random)
    words: list[str] = []
    spaces: list[str] = []
    multiwords: list[Multiword] = []
    others = iter(sentence.multiwords)
    for token, space, tag in tokens:
        own: tuple[str, ...] = (token,)
        if tag == _MULTIWORD:
            multiwords.append(_with_token(next(others), len(words), token))
            own = multiwords[-1].words
        words += own
        spaces += [*[""] * (len(own) - 1), space]
    return Sentence(tuple(words), spaces=tuple(spaces), opens=sentence.opens, multiwords=tuple(multiwords))


def _with_token(multiword: Multiword, first: int, token: str) -> Multiword:
    """A multiword token at another place; changes may have put it in lower case."""
    if token == multiword.token:
        return multiword._replace(first=first)
    return Multiword(first, token, tuple(map(str.lower, multiword.words)))


def _digits(random: Random, most: int = 5) -> str:
    return str(random.randrange(1, 10 ** random.randint(1, most)))


def _number(random: Random) -> str:
    whole = _digits(random)
    return random.choice([whole, whole, f"{int(whole):,}", f"{whole}.{_digits(random, 2)}"])


def _numerals(random: Random) -> str:
    digits = "一二三四五六七八九"
    pick = random.choice
    return pick(
        [
            "".join(pick(digits + "〇") for _ in range(4)),
            f"{pick('一二')}{pick('九〇')}{pick(digits)}{pick(digits)}",
            f"{pick(digits)}十{pick(digits)}",
            f"{pick(digits)}百{pick(digits)}十{pick(digits)}",
            f"{pick(digits)}万{pick(digits)}千",
            f"{pick(digits)}点{pick(digits)}{pick('万亿')}",
        ]
    )


def numbers(tokens: Tokens, _: bool, random: Random) -> Tokens:
    """Other numbers in place of numbers, in digits or in Chinese characters."""

    def other(token: str) -> str:
        if _NUMBER.fullmatch(token):
            return _number(random)
        return _numerals(random) if _NUMERALS.fullmatch(token) else token

    return [(other(token), space, tag) for token, space, tag in tokens]


def names(tokens: Tokens, is_chinese: bool, random: Random) -> Tokens:
    """Other names in place of Chinese names of persons, family and given name; lower case in place of English."""
    if not is_chinese:
        return [(token.lower(), space, tag) for token, space, tag in tokens]
    made = list(tokens)
    for place, ((family, space, tag), (given, after, given_tag)) in enumerate(pairwise(tokens)):
        if tag == given_tag == "PROPN" and family in _FAMILIES and _GIVEN_NAME.fullmatch(given):
            made[place] = (random.choice(_FAMILIES), space, tag)
            made[place + 1] = ("".join(random.choices(_GIVEN, k=random.randint(1, 2))), after, tag)
    return made


def widths(tokens: Tokens, is_chinese: bool, random: Random) -> Tokens:
    """Half-width signs in place of full-width ones, or full-width ones in place of half-width ones in Chinese."""
    if not is_chinese:
        return tokens
    if random.random() < 0.5:
        return [
            (token.translate(_HALF_WIDTH) if len(token) == 1 else token, space, tag) for token, space, tag in tokens
        ]
    return [(_FULL_WIDTH.get(token, token), "" if token in _FULL_WIDTH else space, tag) for token, space, tag in tokens]


def wrapped(tokens: Tokens, is_chinese: bool, random: Random) -> Tokens:
    """Quotation marks or brackets around the sentence."""
    pair = random.choice(_PAIRS[is_chinese])
    *rest, (token, space, tag) = tokens
    return [(pair[0], "", ""), *rest, (token, "", tag), (pair[1], space, "")]


def other_end(tokens: Tokens, is_chinese: bool, random: Random) -> Tokens:
    """Dots, another mark or none at the end."""
    *rest, (token, space, tag) = tokens
    if token not in _STOPS or not rest:
        return tokens
    if random.random() < 0.2:
        *before, (last, _, last_tag) = rest
        return [*before, (last, "\n", last_tag)]
    ends = [*_LAST[is_chinese], random.choice(_ELLIPSES[is_chinese])]
    return [*rest, (random.choice(ends), space, tag)]


def amounts(tokens: Tokens, is_chinese: bool, random: Random) -> Tokens:
    """An amount, a reference or numbers in a list before the stop."""
    *rest, (stop, space, tag) = tokens
    if stop not in _STOPS or not rest:
        return tokens
    number = _number(random)
    if is_chinese:
        added = random.choice(
            [
                [("，", ""), (number, ""), ("，", ""), (_number(random), "")],
                [("：", ""), (number, ""), ("、", ""), (_number(random), "")],
                [("（", ""), (random.choice("ABCD"), ""), ("）", "")],
                [("，", ""), (_numerals(random), "")],
            ]
        )
    else:
        abbreviation = random.choice(_WITH_NUMBER)
        added = random.choice(
            [
                [(random.choice("$£€"), ""), (number, "")],
                [(number, ""), ("%", "")],
                [("(", ""), (abbreviation, " "), (_digits(random, 2), ""), (")", "")],
            ]
        )
        *before, (last, _, last_tag) = rest
        rest = [*before, (last, " ", last_tag)]
    return [*rest, *((token, after, "") for token, after in added), (stop, space, tag)]


def social(tokens: Tokens, is_chinese: bool, random: Random) -> Tokens:
    """An emoji after the sentence, or a URL, an e-mail address, a hashtag or a mention in it."""
    *rest, (token, space, tag) = tokens
    if random.random() < 0.5:
        return [*rest, (token, random.choice(["", " "]), tag), (random.choice(_EMOJI), space or " ", "")]
    name = "".join(random.choices("abcdefghijklmnoprstuvwxyz", k=random.randint(3, 9))) + random.choice(["", "", "7"])
    address = random.choice(_ADDRESSES).format(name)
    if token not in _STOPS or not rest:
        return [(address, " ", ""), *tokens]
    *before, (last, _, last_tag) = rest
    return [*before, (last, "" if is_chinese else " ", last_tag), (address, "", ""), (token, space, tag)]


def abbreviations(tokens: Tokens, is_chinese: bool, random: Random) -> Tokens:
    """Other abbreviations in place of abbreviations."""
    others = sorted(_ABBREVIATED)
    return [
        (random.choice(others) if token in _ABBREVIATED and not is_chinese else token, space, tag)
        for token, space, tag in tokens
    ]


_CHANGES: tuple[Change, ...] = (numbers, names, widths, wrapped, other_end, amounts, social, abbreviations)
