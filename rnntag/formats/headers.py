"""Recognises header rows, as spreadsheets and data frames write them."""

from __future__ import annotations

import re
from collections.abc import Sequence

ADVICE = "looks like a header: remove this line"

_WORDS = {
    "word", "words", "token", "tokens", "tokentext", "form", "forms", "wordform", "text", "surface", "id", "index",
    "sentence", "sentenceid", "sentid", "词", "词语", "单词", "字", "字词",
}  # fmt: skip
"""Names of the first column."""
_OTHERS = _WORDS | {
    "tag", "tags", "tagset", "pos", "postag", "postags", "upos", "xpos", "upostag", "xpostag", "universal", "native",
    "partofspeech", "label", "labels", "class", "category", "lemma", "lemmas", "feats", "ner",
    "词性", "标签", "标注", "词性标注",
}  # fmt: skip
_IGNORED = re.compile(r"[\s_.#\"'-]+")


def is_header(fields: Sequence[str]) -> bool:
    """Whether all fields of a row are well-known column names."""
    names = [name for field in fields if (name := _IGNORED.sub("", field).lower())]
    return len(names) > 1 and names[0] in _WORDS and _OTHERS.issuperset(names)
