"""Guesses the encoding of bytes that could not be decoded."""

from __future__ import annotations

import codecs
import re
import unicodedata
from contextlib import suppress
from typing import NamedTuple

SAMPLE_BYTES = 1024
"""The most bytes examined before an invalid byte, and from it to the end of its line."""


class Guess(NamedTuple):
    """An encoding: its name for people, and Python's codec."""

    name: str
    codec: str


WIDE_BYTES = 4
"""How many bytes `wide_encoding` looks at."""

_MARKS = {  # UTF-32 first: UTF-16's mark is a prefix of it
    codecs.BOM_UTF32_LE: Guess("UTF-32 (little endian)", "utf-32"),
    codecs.BOM_UTF32_BE: Guess("UTF-32 (big endian)", "utf-32"),
    codecs.BOM_UTF16_LE: Guess("UTF-16 (little endian)", "utf-16"),
    codecs.BOM_UTF16_BE: Guess("UTF-16 (big endian)", "utf-16"),
}

_COMMON = frozenset(
    "一三上下不与世业东两並个中为主么之也了事二于五些产人从他代以们任会但位体作你使來保信個們元入內全兩公共关其内出分利到制前力加动動務化北区區十南原去及发变可"
    "各合同名后和品員四因国國在地型基增外多大天好如子学學定实家實对将將對小就展山工市常平年并应府度建开式当影很後得從德心性意應成我或戰所手据提政教数數文斯新方"
    "於无日时明是显時最會月有期本机来東果样條業機權次正此比民水没治法流海点為無然爲物特王现现理生產用由電當發的目相看着研种程種稱究立第等管类系統經线组经结统美"
    "者而能自至與著處行表被西要規計設說设说资質起路軍較过还这进這通進過道部都里重量金長长開间關間电面項题體高"
)
"""The 200 most frequent Han characters of simplified and of traditional text: half of all characters in either."""

_LEAST_COMMON = 0.3
_LEAST_CHARACTERS = 3

_CJK_MARKS = frozenset("，。、；：？！“”‘’（）《》「」『』【】—…·　")
_CHINESE = (Guess("GB18030", "gb18030"), Guess("Big5", "big5"), Guess("Big5 (Windows)", "cp950"))
_LONGEST_CHARACTER = 4

_WESTERN_LETTERS = "àáâãäåæçèéêëìíîïñòóôõöøùúûüœßÀÁÂÄÅÆÇÈÉÊËÍÎÏÑÓÔÖØÙÚÜŒ"
_WESTERN_SIGNS = frozenset("‘’“”–—…•«»£€©®™°§ªº¡¿½¼·\xa0")
_STRAY_LETTER = re.compile(f"(?<![A-Za-z{_WESTERN_LETTERS}])[{_WESTERN_LETTERS}]{{2,}}(?![A-Za-z])")


def wide_encoding(head: bytes, encoding: str) -> Guess | None:
    """UTF-16 or UTF-32, if the bytes begin with a byte order mark or every other byte is zero; None if `encoding` is
    one of them.

    Args:
        head: the first bytes, at least four for an answer.
    """
    start = head[:WIDE_BYTES]
    if len(start) < WIDE_BYTES or codecs.lookup(encoding).name.startswith(("utf-16", "utf-32")):
        return None
    for mark, guess in _MARKS.items():
        if start.startswith(mark):
            return guess
    if b"\0\0" not in (start[::2], start[1::2]):
        return None
    family = "utf-32" if start.count(0) > 2 else "utf-16"
    return Guess(f"{family.upper()} without a byte order mark", f"{family}-le or {family}-be")


def likely_encoding(sample: bytes, encoding: str) -> Guess | None:
    """UTF-8 or a Chinese encoding, judged by the decoded text; None in doubt.

    Args:
        sample: may begin and end inside a character.
        encoding: that the bytes are not in.
    """
    wrong = codecs.lookup(encoding).name
    if any(_is_japanese(text) for text in _decoded(sample, "euc-jp")):
        return None
    if wrong != "utf-8" and any(len(_beyond_ascii(text)) >= _LEAST_CHARACTERS for text in _decoded(sample, "utf-8")):
        return Guess("UTF-8", "utf-8")
    shares = {
        guess: max(map(_common_share, _decoded(sample, guess.codec)), default=0.0)
        for guess in _CHINESE
        if guess.codec != wrong
    }
    best = max(shares, key=lambda guess: shares[guess])
    return best if shares[best] >= _LEAST_COMMON else None


def western_encoding(sample: bytes) -> Guess | None:
    """Windows-1252, of which Latin-1 text is a part, if the bytes beyond ASCII are the accented letters of words or
    typographic signs, and few; None in doubt."""
    with suppress(UnicodeDecodeError):
        text = sample.decode("cp1252")
        beyond = _beyond_ascii(text)
        plausible = all(sign in _WESTERN_SIGNS or sign in _WESTERN_LETTERS for sign in beyond)
        if plausible and 4 * len(beyond) <= len(text) and not _STRAY_LETTER.search(text):
            return Guess("Windows-1252", "cp1252")
    return None


def _decoded(sample: bytes, codec: str) -> list[str]:
    """The sample decoded from each possible beginning of its first character, where that succeeds without control
    characters."""
    texts = []
    for begin in range(_LONGEST_CHARACTER):
        with suppress(UnicodeDecodeError):
            text = codecs.getincrementaldecoder(codec)().decode(sample[begin:])
            if not any(unicodedata.category(c) in ("Cc", "Co", "Cn") and c not in "\t\r\n\f" for c in text):
                texts.append(text)
    return texts


def _beyond_ascii(text: str) -> list[str]:
    return [c for c in text if c > "\x7f"]


def _common_share(text: str) -> float:
    """The share of common Han characters among non-ASCII characters; 0 if there are few."""
    beyond = [c for c in _beyond_ascii(text) if c not in _CJK_MARKS]
    common = sum(c in _COMMON for c in beyond)
    return common / len(beyond) if common >= _LEAST_CHARACTERS else 0.0


def _is_japanese(text: str) -> bool:
    """Whether the share of kana is that of Japanese text, which can look Chinese when decoded as Big5."""
    beyond = _beyond_ascii(text)
    return sum("\u3041" <= c <= "\u30ff" for c in beyond) > 0.3 * len(beyond)
