"""What encoding bytes may be in that are no text in the one that they were read with."""

from __future__ import annotations

import codecs
import unicodedata

SAMPLE_BYTES = 1024
"""Bytes before a wrong one, and from it on to the end of its line, that are looked at, at most."""

WIDE_BYTES = 4
"""Bytes that tell UTF-16 and UTF-32 from other encodings."""

_MARKS = {  # UTF-32's before UTF-16's, which begin one of them
    codecs.BOM_UTF32_LE: ("UTF-32 (little endian)", "utf-32"),
    codecs.BOM_UTF32_BE: ("UTF-32 (big endian)", "utf-32"),
    codecs.BOM_UTF16_LE: ("UTF-16 (little endian)", "utf-16"),
    codecs.BOM_UTF16_BE: ("UTF-16 (big endian)", "utf-16"),
}
_ZEROS = {
    (False, True, True, True): ("UTF-32 (little endian)", "utf-32-le"),
    (True, True, True, False): ("UTF-32 (big endian)", "utf-32-be"),
    (False, True, False, True): ("UTF-16 (little endian)", "utf-16-le"),
    (True, False, True, False): ("UTF-16 (big endian)", "utf-16-be"),
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
_LEAST_WIDE = 16
"""Characters that have to be text in UTF-16 to be taken for it: fewer may be by chance."""

_CJK_MARKS = frozenset("，。、；：？！“”‘’（）《》「」『』【】—…·　")
_CHINESE = (("GB18030", "gb18030"), ("Big5", "big5"), ("Big5 (Windows)", "cp950"), *list(_ZEROS.values())[2:])


def wide_encoding(head: bytes, encoding: str) -> str:
    """What to say of bytes that are to be read in `encoding`, but begin with the byte order mark of UTF-16 or
    UTF-32, or as no text does that is not in these: every other byte, or three of four, zero; of others "".

    Args:
        head: the first `WIDE_BYTES`, or more.
    """
    if len(head) < WIDE_BYTES or codecs.lookup(encoding).name.startswith(("utf-16", "utf-32")):
        return ""
    for mark, guess in _MARKS.items():
        if head.startswith(mark):
            return _look(*guess)
    zeros = not head[0], not head[1], not head[2], not head[3]
    return _look(*_ZEROS[zeros]) if zeros in _ZEROS else ""


def wide_encoding_within(sample: bytes) -> str:
    """As `wide_encoding`, of bytes that are no text in their encoding: zeros among them are no text in others
    either.

    Args:
        sample: a multiple of four bytes of the input stand before it.
    """
    likely = []
    for guess in list(_ZEROS.values())[2:] if b"\0" in sample else ():
        text = codecs.getincrementaldecoder(guess[1])("replace").decode(sample)
        if len(text) >= _LEAST_WIDE and not any(
            c == "\ufffd" or (unicodedata.category(c)[0] == "C" and c not in "\t\r\n") for c in text
        ):
            likely.append(guess)
    return _look(*likely[0]) if len(likely) == 1 else ""


def likely_encoding(sample: bytes, encoding: str) -> str:
    """What to say of bytes that are no text in `encoding`: Chinese and UTF-8 are known by what they come to; of
    anything else, and in doubt, "".

    Args:
        sample: where it begins and ends a character may be cut.
    """
    if b"\0" in sample or any(_is_japanese(text) for text in _decoded(sample, "euc-jp")):
        return ""
    others = [guess for guess in _CHINESE if not _is_same(guess[1], encoding)]
    shares = [max(_common_share(text) for text in _decoded(sample, codec)) for _, codec in others]
    if not _is_same("utf-8", encoding) and any(_is_foreign(text) for text in _decoded(sample, "utf-8")):
        return _look("UTF-8", "utf-8")
    return _look(*others[shares.index(max(shares))]) if max(shares) >= _LEAST_COMMON else ""


def _is_same(codec: str, encoding: str) -> bool:
    return codecs.lookup(codec).name == codecs.lookup(encoding).name


def _decoded(sample: bytes, codec: str) -> list[str]:
    """The sample decoded from each place where its first whole character may begin; "" if it cannot be."""
    texts = [""]
    for begin in range(WIDE_BYTES):
        try:
            texts.append(codecs.getincrementaldecoder(codec)().decode(sample[begin:]))
        except UnicodeDecodeError:
            continue
    return texts


def _common_share(text: str) -> float:
    """The share of common Han characters among the characters beyond ASCII; 0 if there are few, or control
    characters."""
    beyond = [c for c in text if c > "\x7f" and c not in _CJK_MARKS]
    if len(beyond) < _LEAST_CHARACTERS or _has_controls(text):
        return 0.0
    common = sum(c in _COMMON for c in beyond)
    return common / len(beyond) if common >= _LEAST_CHARACTERS else 0.0


def _is_japanese(text: str) -> bool:
    """Whether it has kana as Japanese text does; read as Big5, such bytes can look like Chinese."""
    beyond = [c for c in text if c > "\x7f"]
    return sum("\u3041" <= c <= "\u30ff" for c in beyond) > 0.3 * len(beyond)


def _is_foreign(text: str) -> bool:
    return sum(c > "\x7f" for c in text) >= _LEAST_CHARACTERS and not _has_controls(text)


def _has_controls(text: str) -> bool:
    return any(unicodedata.category(c) in ("Cc", "Co", "Cn") and c not in "\t\r\n\f" for c in text)


def _look(name: str, encoding: str) -> str:
    return f"looks like {name}: use --encoding {encoding}"
