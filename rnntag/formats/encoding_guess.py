"""What encoding bytes may be in that are no text in the one that they were read with."""

from __future__ import annotations

import codecs
import unicodedata
from contextlib import suppress
from typing import NamedTuple

SAMPLE_BYTES = 1024
"""Bytes before a wrong one, and from it on to the end of its line, that are looked at, at most."""


class Guess(NamedTuple):
    """An encoding: how people call it, and Python."""

    name: str
    codec: str


_WIDE_BYTES = 4
_MARKS = {  # UTF-32's before UTF-16's, which begin one of them
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
"""The 200 most frequent Han characters of simplified text and those of traditional text: half of either."""

_LEAST_COMMON = 0.3
_LEAST_CHARACTERS = 3

_CJK_MARKS = frozenset("，。、；：？！“”‘’（）《》「」『』【】—…·　")
_CHINESE = (Guess("GB18030", "gb18030"), Guess("Big5", "big5"), Guess("Big5 (Windows)", "cp950"))
_LONGEST_CHARACTER = 4


def wide_encoding(head: bytes, encoding: str) -> Guess | None:
    """UTF-16 or UTF-32, of bytes that are to be read in another encoding, but begin with their byte order mark or
    have zeros at every other place, as no text does that is not in these.

    Args:
        head: the first bytes; fewer than four tell nothing.
    """
    start = head[:_WIDE_BYTES]
    if len(start) < _WIDE_BYTES or codecs.lookup(encoding).name.startswith(("utf-16", "utf-32")):
        return None
    for mark, guess in _MARKS.items():
        if start.startswith(mark):
            return guess
    if b"\0\0" not in (start[::2], start[1::2]):
        return None
    family = "utf-32" if start.count(0) > 2 else "utf-16"
    return Guess(f"{family.upper()} without a byte order mark", f"{family}-le or {family}-be")


def likely_encoding(sample: bytes, encoding: str) -> Guess | None:
    """What bytes may be in that are no text in `encoding`: Chinese and UTF-8 are known by what they come to;
    anything else is not, nor what is in doubt.

    Args:
        sample: where it begins and ends a character may be cut.
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
    likeliest = max(shares, key=lambda guess: shares[guess])
    return likeliest if shares[likeliest] >= _LEAST_COMMON else None


def _decoded(sample: bytes, codec: str) -> list[str]:
    """The sample decoded from each place where its first whole character may begin, unless it cannot be or has
    control characters."""
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
    """The share of common Han characters among the characters beyond ASCII; 0 if there are few."""
    beyond = [c for c in _beyond_ascii(text) if c not in _CJK_MARKS]
    common = sum(c in _COMMON for c in beyond)
    return common / len(beyond) if common >= _LEAST_CHARACTERS else 0.0


def _is_japanese(text: str) -> bool:
    """Whether it has kana as Japanese text does; read as Big5, such bytes can look like Chinese."""
    beyond = _beyond_ascii(text)
    return sum("\u3041" <= c <= "\u30ff" for c in beyond) > 0.3 * len(beyond)
