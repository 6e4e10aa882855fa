"""Emoji in sentences. The treebanks have almost none; UD's tag for them is SYM."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

import numpy as np

_RANGES = ((0x2600, 0x27C0), (0x1F300, 0x1F650), (0x1F680, 0x1F700), (0x1F900, 0x1FA00), (0x1FA70, 0x1FAF9))
_SIGN = "[" + "".join(f"{chr(first)}-{chr(end - 1)}" for first, end in _RANGES) + "\U0001f1e6-\U0001f1ff]"
_EMOJI = re.compile(f"(?:{_SIGN}[\ufe0f\u200d\U0001f3fb-\U0001f3ff]*)+")
SHARE = 0.04  # of sentences that get one
_FACES = (0x1F600, 0x1F650)
EMOJI = tuple(  # faces eight times
    chr(code) + ("\ufe0f" if code < 0x1F000 else "")
    for first, end in (*_RANGES, *[_FACES] * 7)
    for code in range(first, end)
    if unicodedata.category(chr(code)) == "So" and not 0x1F3FB <= code <= 0x1F3FF
)


def is_emoji(token: str) -> bool:
    return bool(_EMOJI.fullmatch(token))


def with_emoji(tokens: Sequence[str], random: np.random.Generator) -> Sequence[str]:
    """One sentence in 25 with one to three emoji, of one kind, at its start, its end or before its last token."""
    if random.random() >= SHARE or not tokens:
        return tokens
    place = len(tokens) if random.random() < 0.6 else random.choice([0, len(tokens) - 1])
    number = 1 + int(random.geometric(0.7) > 1) + int(random.random() < 0.1)
    return [*tokens[:place], *[str(random.choice(EMOJI))] * number, *tokens[place:]]
