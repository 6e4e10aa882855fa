"""Whether a text is tokenised already: its words parted by white space, a sentence a line."""

from __future__ import annotations

import re

_MARK = '[,.!?;:()\\[\\]"“”‘’«»，。！？；：、（）「」『』《》…]'
_APART = re.compile(rf"(?<!\S)(?:{_MARK}+|``|''|'s|n't)(?!\S)")
_HAN = "[\u3400-\u9fff\U00020000-\U0003ffff]"
_SHORT_HAN = re.compile(rf"(?<=\S ){_HAN}{{1,4}}(?!\S)|(?<!\S){_HAN}{{1,4}}(?= \S)")
_ATTACHED = re.compile(rf"[^\W_]{_MARK}+(?!\S)|{_HAN}[，。！？；：、（）「」『』《》…“”]")
_LONG_HAN = re.compile(rf"{_HAN}{{5,}}")
_ABBREVIATED = re.compile(r"(?<!\S)(?:\w\.)+(?!\S)|(?<!\S)[A-Z][a-z]{0,3}\.(?= [A-Z])")


def is_tokenised(text: str) -> bool:
    """Whether more in a text speaks for tokens than for running text.

    For tokens speak marks of punctuation, and English clitics, that stand apart, and runs of up to
    four Han characters with a space beside them; for running text, punctuation that is attached to
    a word, but for that of abbreviations, and longer runs of Han characters. Where nothing speaks
    for either it is running text.
    """
    apart = len(_APART.findall(text)) + len(_SHORT_HAN.findall(text))
    attached = len(_ATTACHED.findall(text)) - len(_ABBREVIATED.findall(text)) + len(_LONG_HAN.findall(text))
    return apart > attached
