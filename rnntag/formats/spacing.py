"""Whether a text looks tokenized, with words separated by white space, or raw."""

from __future__ import annotations

import re

STRONG = 2
"""Enough evidence: one final mark of a sentence, separate from its word or attached to it."""

_LONGEST_WORD = 4
"""Han characters; longer words are rare (18 of 10,450 in GSDSimp's dev split)."""

_END = "[,.!?，。！？]"
_MARK = '[,.!?;:()\\[\\]"“”‘’«»，。！？；：、（）「」『』《》…]'
_HAN = "[\u3007\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
_SHORT = rf"{_HAN}{{1,{_LONGEST_WORD}}}"

_APART = re.compile(rf"(?<!\S)(?:{_END}|n't|'(?:s|re|ve|ll|m|d))(?!\S)", re.IGNORECASE)
_OTHER_APART = re.compile(rf"(?<!\S)(?!{_END}(?!\S))(?:{_MARK}+|``|'')(?!\S)")  # such as :) and ... in raw text too
_HAN_APART = re.compile(rf"(?<!{_HAN}){_SHORT}(?= {_SHORT}(?!{_HAN}))")
_ATTACHED = re.compile(rf"[^\W_]{_MARK}+(?!\S)|{_HAN}[，。！？；：、（）「」『』《》…“”]")
_ABBREVIATED = re.compile(
    r"(?<!\S)(?:(?:\w\.)+(?!\S)|[A-Z][a-z]{0,3}\.(?= [A-Z0-9])|(?:Messrs|Mrs?|Ms|Dr|Prof|St|Jr|Sr|Inc|Corp|Co|Ltd|Bros|"
    r"Gen|Sen|Rep|Gov|Lt|Col|Capt|Rev|Figs?|Nos?|vs|etc|Jan|Feb|Aug|Sept?|Oct|Nov|Dec)\.(?!\S))"
)
_LONG_HAN = re.compile(rf"{_HAN}{{{_LONGEST_WORD + 1},}}")


def evidence(line: str) -> int:
    """The evidence for tokens in a line, minus the evidence for raw text.

    For tokens: separate commas, final marks and English clitics count `STRONG` each; other separate punctuation, and
    short Han words side by side, count 1. For raw text: punctuation attached to a word counts `STRONG`, except in
    abbreviations; a run of Han characters that is too long for a word counts 1 for each character too many.
    """
    apart = STRONG * len(_APART.findall(line)) + len(_OTHER_APART.findall(line)) + len(_HAN_APART.findall(line))
    attached = STRONG * (len(_ATTACHED.findall(line)) - len(_ABBREVIATED.findall(line)))
    return apart - attached - sum(len(run) - _LONGEST_WORD for run in _LONG_HAN.findall(line))
