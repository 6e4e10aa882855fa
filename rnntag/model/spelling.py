"""Characters that do not change a word: invisible ones, and ligatures for several letters."""

from __future__ import annotations

import re
import unicodedata

import numpy as np

from rnntag.model.arrays import Ids

INVISIBLE = "\u00ad\u200b\u200c\u200d\u2060\ufeff"
"""The soft hyphen, the zero-width space, non-joiner and joiner, the word joiner and the byte order mark."""

NOT_SHOWN: dict[int, str | None] = dict.fromkeys(map(ord, INVISIBLE))
"""For `str.translate`: a word without invisible characters."""

READ_AS: dict[int, str | None] = {
    **NOT_SHOWN,
    **{code: unicodedata.normalize("NFKC", chr(code)) for code in range(0xFB00, 0xFB07)},
}
"""For `str.translate`: a word without invisible characters, and with letters in place of Latin ligatures (ﬁ)."""

_RUN = re.compile(f"[{INVISIBLE}]+")


def without_invisible(text: str) -> tuple[str, Ids]:
    """A text without invisible characters, except those with white space on both sides.

    Returns:
        The rest, and the place in `text` of each of its characters and of its end, shape [characters + 1].
    """
    shown = np.ones(len(text) + 1, dtype=bool)
    parts = []
    begin = 0
    for run in _RUN.finditer(text):
        around = text[max(run.start() - 1, 0) : run.start()] + text[run.end() : run.end() + 1]
        if around.strip():
            parts.append(text[begin : run.start()])
            shown[run.start() : run.end()] = False
            begin = run.end()
    return "".join([*parts, text[begin:]]), np.flatnonzero(shown)
