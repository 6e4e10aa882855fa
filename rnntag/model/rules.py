"""Words and sentences of raw text that rules decide, in place of the network or on top of what it finds.

- Chinese punctuation marks are words of their own, except a colon or a full stop (．) between digits.
- A URL, an e-mail address, a hashtag or a mention is one word, without the punctuation after it. A full stop, question
  or exclamation mark between it and white space ends a sentence.
- A run of 。, of ．, of … or of at least three full stops or · is one word, and ends at most one sentence.
- Numerals written with Chinese characters are not cut (一九四一, 一点五万), except 一一 after another character. After
  three characters or more, and after 年 and 月 between two, a word ends.
- An English abbreviation and its full stop (`Dr.`) are one word that ends no sentence; one that may end a sentence
  (`Inc.`), before a small letter, a digit or a comma.
- A number with a comma before each three digits (`1,000`) is not cut.
- A sign of money before a digit is the end of a word. The full stop after an amount of money or a percentage (`$10.`,
  `3.5%.`) is a word that ends a sentence.
- A closing bracket or quotation mark right after the end of a sentence belongs to it. A sentence in brackets or English
  quotation marks of its own （他走了！） ends with them, unless a verb of speech follows the latter (“Go!” she said).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

from rnntag.model.arrays import Flags, Ids
from rnntag.model.characters import code_points
from rnntag.model.pretokens import LINE, NO_GAP, Scan
from rnntag.model.weights import BOUNDARIES
from rnntag.sentences import Span

Kinds = npt.NDArray[np.uint8]

INSIDE, WORD, SENTENCE = range(len(BOUNDARIES))
"""The class of a unit: what ends after it."""

_SIGN, _CLOSING, _NUMERAL, _ONE, _MORE, _CURRENCY, _DIGIT = (1 << bit for bit in range(7))  # properties of characters
_MONEY_SIGNS = "$€£¥￥"
_NUMERALS = "零〇一二三四五六七八九十百千万亿两萬億兩"
_PROPERTIES = {
    "，。；：．！？、（）［］｛｝「」『』《》〈〉【】〔〕〖〗": _SIGN,
    ")]}）］｝”’」』》〉】〕〗\"'": _CLOSING,
    _NUMERALS: _NUMERAL,
    "一": _ONE,
    "余餘多几幾来來点點分": _MORE,
    _MONEY_SIGNS: _CURRENCY,
    "0123456789０１２３４５６７８９": _DIGIT,
}
_DATE = [ord(sign) for sign in "年月"]
_IN_NUMBERS = [ord(sign) for sign in "：．"]
_ALSO_OPENING = "\"'’"
"""Closing only before white space or another closing one."""

_TITLES = """
    Mr Mrs Ms Messrs Dr Prof Gen Sen Sens Rep Reps Capt Cpt Cmdr Adm Maj Lt Col Rev Sgt Gov Hon Pres Supt Msgr Mt Ft
    Fig Figs Eq Eqs Ref Refs Vol Vols Sec Secs Sect Ch Chap Tab App pp cf vs viz ca approx incl excl resp
"""
_OTHERS = """
    St Ave Rd Blvd Hwy Inc Corp Co Cos Ltd Bros Pty Mfg Intl Natl Jr Sr Esq Dept Univ Div Inst Assn Assoc Acad Soc Govt
    dept univ assn govt fig figs eq eqs ref refs vol vols chap sect ext tel misc min mins max avg sec secs hr hrs wk wks
    mo mos yr yrs in ft lb lbs oz yd yds mi mph gal qt pt tbsp tsp cm mm km kg etc esp al ed eds est temp
    Jan Feb Mar Apr Jun Jul Aug Sep Sept Oct Nov Dec Mon Tue Tues Wed Thu Thur Thurs Fri Sat Sun
    Ala Ariz Ark Calif Colo Conn Del Fla Ga Kan Ky Md Mich Minn Mont Neb Nev Okla Ore Pa Penn Tenn Tex Va Wash Wis Wyo
    Proc Conf Trans Sci Tech Med Biol Chem Phys Math Eng
"""
_NUMBERED = "No Nos Art Par no nos p art par"
_NEVER_ENDS, _MAY_END, _BEFORE_NUMBERS = (frozenset(words.split()) for words in (_TITLES, _OTHERS, _NUMBERED))
"""Abbreviations that end no sentence, that may end one, and that are abbreviations only before a number."""
_AFTER_STOP = [ord(char) for char in ",;:)"]

_URL = re.compile(r"""(?:[a-z]+://|www\.)[!#-;=?-~]{1,2000}""", re.IGNORECASE | re.ASCII)
_SCHEME = re.compile(r"(?<![A-Za-z0-9])(?:https?|ftps?|file)\Z", re.IGNORECASE)
_HOST = re.compile(r"(?<![A-Za-z0-9.@/_-])[A-Za-z0-9][A-Za-z0-9-]*(?:\.[A-Za-z0-9-]+)*\Z")
_TOP_DOMAINS = (".com", ".org", ".net", ".edu", ".gov", ".cn", ".io")
_AFTER_HOST = re.compile(r"\.[a-z]+(?:\.[a-z]{2})?(?!\.?[A-Za-z0-9_@-])(?:/[!#-;=?-~]{0,2000})?")
_NO_END_OF_URL = ".,;:!?'*_~"
_BRACKETS = {"(": ")", "[": "]", "{": "}"}
_LOCAL_PART = re.compile(r"(?:mailto:)?[A-Za-z0-9_][A-Za-z0-9_.%+-]*\Z")
_DOMAIN = re.compile(r"@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}")
_HAN = "[\u3400-\u9fff]"
_MENTION = re.compile(r"@(?:[A-Za-z_][A-Za-z0-9_]*(?:\.[a-z0-9_]+)*|[^\W\d_]\w*)")
_HASHTAG = re.compile(
    rf"#(?:{_HAN}\w{{0,30}}#|[A-Za-z0-9]{{2,20}}{_HAN}\w{{0,20}}#"
    r"|[A-Za-z0-9_]*[A-Za-z][A-Za-z0-9_]*|[^\W\d_]\w*)"
)
_GLUED = re.compile(r"[A-Za-z0-9_&/%#.@+-]")  # before a # or @ that begins neither a hashtag nor a mention
_LONGEST_BEFORE = 64

_STOP = re.compile(r"[.!?](?!\S)")  # after such a word

_DOTS = re.compile(r"。。+|……*|．．+|···+|\.(?<![\[.].)\.\.+(?![.\]])")
_THOUSANDS = re.compile(r"\d(?<![\d.,].)\d{0,2}(?:,\d{3})+(?:\.\d+)?(?!,?\d)")
_MONEY = re.compile(rf"[{_MONEY_SIGNS}][^\S\n]?\d[\d,]*(?:\.\d+)?%?\.(?!\S)")
_PERCENT = re.compile(r"[%％](?<=\d.)\.(?!\S)")
_SPEECH = "said|says?|ask(?:s|ed)?|cried|called|shouted|whispered|replie[sd]|answer(?:s|ed)|added|explained|continued"
_END_IN_BRACKETS = re.compile(
    rf"""[。！？]）|[!?]\)|\.(?<=[a-z].)\)"""
    rf"""|[.!?](?<=[a-z].)[”"](?=\s+["“(]?[A-Z])(?!\s+(?:[\w.]+\s+){{1,4}}?(?:{_SPEECH})\b)"""
)
_OPENING = {"）": "（", ")": "(", "”": "“", '"': '"'}
_LONGEST_BRACKETED = 300
_POINT = re.compile(
    rf"[点點](?<=[{_NUMERALS}].)[零〇一二三四五六七八九]+(?:[百千万亿萬億]+|(?=[倍元米公升度平斤吨岁%％，。；、）]|$))",
    re.MULTILINE,
)


@cache
def _properties() -> npt.NDArray[np.uint8]:
    """The properties of each character of the basic plane, by code point."""
    table = np.zeros(0x10000, dtype=np.uint8)
    for characters, bit in _PROPERTIES.items():
        table[[ord(char) for char in characters]] |= bit
    return table


def applied(text: str, scan: Scan, classes: Ids) -> Ids:
    """The classes of units after the rules.

    Args:
        text: the texts joined by line feeds.
        classes: of the network, shape [units].
    """
    if not len(classes):
        return classes
    classes = classes.copy()
    points = code_points(text)[scan.starts]
    kinds = np.where(points < 0x10000, _properties()[points & 0xFFFF], 0)  # [units]
    joined = np.append(scan.gaps[1:] == NO_GAP, False)  # [units]: the next unit follows without white space
    opens = np.zeros(len(classes), dtype=bool)  # [units]: the first of its text
    opens[scan.firsts[scan.firsts < len(classes)]] = True
    _signs(kinds, opens, points, classes)
    _numerals(kinds, joined, points, classes)
    _abbreviations(text, scan, opens, points, classes)
    if "," in text:
        for number in _THOUSANDS.finditer(text):
            first, last = np.searchsorted(scan.ends, (number.start() + 1, number.end()))
            classes[first:last] = INSIDE
    spans = [*_spans(text)]
    begins, ends = np.array([span for span, _ in spans], dtype=np.int64).reshape(-1, 2).T
    firsts, lasts = np.searchsorted(scan.ends, begins + 1).tolist(), np.searchsorted(scan.ends, ends).tolist()
    for ((begin, end), is_end), first, last in zip(spans, firsts, lasts, strict=True):
        if last == len(scan.ends) or scan.starts[first] != begin or scan.ends[last] != end:
            continue
        if first:
            classes[first - 1] = max(classes[first - 1], WORD)
        classes[last] = max(WORD, classes[first if is_end else last : last + 1].max())
        classes[first:last] = INSIDE
        if not is_end and first and points[first - 1] == ord(":") and scan.gaps[first] != LINE:
            classes[first - 1] = WORD
        if not is_end and _STOP.match(text, end):
            classes[last + 1] = SENTENCE
    for end in _ends_of_amounts(text):
        last = int(np.searchsorted(scan.ends, end))
        classes[last - 1] = max(classes[last - 1], WORD)
        classes[last] = SENTENCE
    for end in _bracketed(text, scan.starts[opens].tolist()):
        classes[np.searchsorted(scan.ends, end)] = SENTENCE
    _closing(kinds, joined, points, classes)
    return classes


def _signs(kinds: Kinds, opens: Flags, points: Ids, classes: Ids) -> None:
    signs, digits = kinds & _SIGN > 0, kinds & _DIGIT > 0
    numeric = np.flatnonzero(np.isin(points[1:-1], _IN_NUMBERS) & ~opens[1:-1] & ~opens[2:]) + 1
    signs[numeric] = ~(digits[numeric - 1] & digits[numeric + 1])
    apart = signs | np.append(signs[1:], False)  # a word ends after a sign and before one
    apart |= (kinds & _CURRENCY > 0) & np.append(digits[1:], False)
    classes[apart & (classes == INSIDE)] = WORD


def _numerals(kinds: Kinds, joined: Flags, points: Ids, classes: Ids) -> None:
    numeral = kinds & _NUMERAL > 0
    if not numeral.any():
        return
    one = kinds & _ONE > 0
    before, after = np.append(False, numeral[:-1] & joined[:-1]), np.append(numeral[1:], False) & joined
    two_ones = one & np.append(one[1:], False) & ~before  # as in 之一|一直
    classes[numeral & after & ~two_ones] = INSIDE
    third = numeral & before & np.append([False, False], numeral[:-2] & joined[:-2])[: len(numeral)]
    dates = np.isin(points[1:-1], _DATE) & before[1:-1] & np.append(numeral[1:], False)[1:-1]
    classes[1:-1][dates & (classes[1:-1] == INSIDE)] = WORD
    more = np.append(kinds[1:] & _MORE > 0, False)
    classes[third & ~after & ~more & (classes == INSIDE)] = WORD


def _abbreviations(text: str, scan: Scan, opens: Flags, points: Ids, classes: Ids) -> None:
    stops = np.flatnonzero((points[1:-1] == ord(".")) & (scan.gaps[1:-1] == NO_GAP) & ~opens[2:]) + 1
    stops = stops[(scan.gaps[stops + 1] != NO_GAP) | np.isin(points[stops + 1], _AFTER_STOP)]
    begins, ends, nexts = (scan.starts[stops + shift].tolist() for shift in (-1, 0, 1))
    for stop, begin, end, following in zip(stops.tolist(), begins, ends, nexts, strict=True):
        word, first = text[begin:end], text[following]
        is_number = first in "0123456789"
        if (
            word in _NEVER_ENDS
            or (word in _MAY_END and (is_number or first.islower() or first in ",;"))
            or (word in _BEFORE_NUMBERS and is_number)
        ):
            classes[stop - 1] = INSIDE
            classes[stop] = WORD


def _closing(kinds: Kinds, joined: Flags, points: Ids, classes: Ids) -> None:
    closing = kinds & _CLOSING > 0
    followed = np.append(closing[1:], False) & joined
    for unit in np.flatnonzero(followed & (classes == SENTENCE)).tolist():
        last = unit
        while followed[last] and (
            chr(points[last + 1]) not in _ALSO_OPENING or not joined[last + 1] or followed[last + 1]
        ):
            last += 1
        classes[unit:last] = WORD
        classes[last] = SENTENCE


def _ends_of_amounts(text: str) -> Iterator[int]:
    """The end of each full stop after an amount of money or a percentage."""
    for signs, amount in ((_MONEY_SIGNS, _MONEY), ("%％", _PERCENT)):
        if any(sign in text for sign in signs):
            yield from (stop.end() for stop in amount.finditer(text))


def _bracketed(text: str, starts: Sequence[int]) -> Iterator[int]:
    """The end of each pair of brackets or English quotation marks around a whole sentence: what is before them is the
    end of another, and no verb of speech follows (“Go!” she said).

    Args:
        text: the texts joined by line feeds.
        starts: where the words of each text begin.
    """
    if not any(mark in text for mark in _OPENING):
        return
    for close in _END_IN_BRACKETS.finditer(text):
        closing = close[0][-1]
        opening = _OPENING[closing]
        start = starts[bisect_right(starts, close.start()) - 1]
        begin = text.rfind(opening, max(close.start() - _LONGEST_BRACKETED, start), close.start())
        before = text[max(begin - 2, start) : begin]
        is_sentence = not before.strip() or before.rstrip()[-1] in "。！？…”」』.!?"
        inside = text[begin + 1 : close.start()]
        if begin >= 0 and is_sentence and closing not in inside and (close[0][0] != "." or inside[:1].isupper()):
            yield close.end()


def _spans(text: str) -> Iterator[tuple[Span, bool]]:
    """The words that are one pattern, and whether one ends a sentence where a part of it does."""
    if any(dots in text for dots in ("...", "…", "。。", "．．", "···")):
        yield from ((dots.span(), True) for dots in _DOTS.finditer(text))
    done = 0
    places = _places(text)
    for place in places:
        if place >= done and (span := _address(text, place, done)):
            done = span[1]
            yield span, False
    if "点" in text or "點" in text:
        for number in _POINT.finditer(text):
            before = text[max(number.start() - _LONGEST_BEFORE, 0) : number.start()]
            rest = before.rstrip(_NUMERALS)
            if rest.endswith("分之"):
                rest = rest[:-2].rstrip(_NUMERALS)
            yield (number.start() - len(before) + len(rest), number.end()), False


def _places(text: str) -> list[int]:
    """Where a URL, an e-mail address, a hashtag or a mention may be: at its ://, www., .com, @ or #."""
    places: list[int] = []
    for sign in ("://", "www.", "WWW.", "Www.", "@", "#", *_TOP_DOMAINS):
        place = text.find(sign)
        while place >= 0:
            places.append(place)
            place = text.find(sign, place + 1)
    return sorted(places)


def _address(text: str, place: int, done: int) -> Span | None:
    """The URL, e-mail address, hashtag or mention around a place of `_places`, if it is one and begins after `done`."""
    sign = text[place]
    before = text[max(place - _LONGEST_BEFORE, done) : place]
    if sign in "@#":
        domain = _DOMAIN.match(text, place)
        if domain and (local := _LOCAL_PART.search(before)):
            return place - len(local[0]), domain.end()
        match = (_MENTION if sign == "@" else _HASHTAG).match(text, place)
        return match.span() if match and not _GLUED.match(before[-1:]) else None
    if sign == ".":
        host, match = _HOST.search(before), _AFTER_HOST.match(text, place)
        if not host:
            return None
        begin, least = place - len(host[0]), place
    else:
        scheme = _SCHEME.search(before)
        if (sign == ":") != bool(scheme) or (sign != ":" and before[-1:].isascii() and before[-1:].isalnum()):
            return None
        begin = place - (len(scheme[0]) if scheme else 0)
        match = _URL.match(text, begin)
        least = place + len("://")
    end = match.end() if match else begin
    while end > begin and _is_after_url(text, begin, end):
        end -= 1
    return (begin, end) if begin < end and end > least else None


def _is_after_url(text: str, begin: int, end: int) -> bool:
    """Whether the last character of a URL is rather the punctuation after it."""
    last = text[end - 1]
    return last in _NO_END_OF_URL or any(
        last == close and text.count(opening, begin, end) < text.count(close, begin, end)
        for opening, close in _BRACKETS.items()
    )
