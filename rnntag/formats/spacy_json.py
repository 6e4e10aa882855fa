"""Reads spaCy documents as JSON lines, each the output of `Doc.to_json()` (https://spacy.io/api/doc#to_json)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from rnntag.errors import DataError
from rnntag.formats.records import CorpusFile, checked_tag, checked_word
from rnntag.sentences import UPOS, Sentence, Span


def is_document(line: str) -> bool:
    """Whether a line looks like a spaCy document, not like rnntag's own JSONL."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return False
    if not isinstance(record, dict) or "tags" in record:
        return False
    tokens = record.get("tokens")
    return "text" in record or (isinstance(tokens, list) and any(isinstance(token, dict) for token in tokens))


def sentences(file: CorpusFile) -> Iterator[Sentence]:
    """The sentences of the documents, with the white space after each token.

    `universal` tags are read from `pos`, `native` ones from `tag`. A document without `sents` is one sentence.
    White-space tokens are skipped.
    """
    return file.by_line(lambda line: _document(line, file.tagsets, file.native))


def _document(line: str, tagsets: tuple[str, ...], native: str) -> Iterator[Sentence]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise DataError(f"is not JSON: {error}") from error
    if not isinstance(record, dict) or not isinstance(record.get("text"), str) or "tokens" not in record:
        raise DataError("is not a spaCy document: it has no text or no tokens")
    text: str = record["text"]
    places = _places(record["tokens"], "token", text)
    words = [number for number, (begin, end) in enumerate(places) if not text[begin:end].isspace()]
    spans = [places[number] for number in words]
    gaps = [text[end:begin] for (_, end), (begin, _) in pairwise([(0, 0), *spans, (len(text), 0)])]
    for gap, end in zip(gaps, [0, *(end for _, end in spans)], strict=True):
        if gap.strip():
            raise DataError(f"{gap.strip()!r} after character {end} of the text is not in any token")
    if not words:
        return
    bounds = _places(record["sents"], "sentence", text) if "sents" in record else [(0, len(text))]
    first = 0
    for bound in bounds:
        last = first
        while last < len(words) and bound[0] <= spans[last][0] and spans[last][1] <= bound[1]:
            last += 1
        if last > first:
            tokens = [(number, record["tokens"][number]) for number in words[first:last]]
            yield Sentence(
                tuple(checked_word(text[slice(*spans[n])], f"token {words[n]}") for n in range(first, last)),
                _tags(tokens, tagsets, native),
                spaces=tuple(gaps[first + 1 : last + 1]),
                opens=first == 0 or gaps[first].count("\n") > 1,
            )
        first = last
    if first < len(words):
        raise DataError(f"token {words[first]} ({text[slice(*spans[first])]!r}) is not in any sentence")


def _places(items: Any, what: str, text: str) -> list[Span]:
    """The spans of tokens or sentences, in order and without overlap."""
    places: list[Span] = []
    for number, item in enumerate(items if isinstance(items, list) else [None]):
        begin, end = (item.get("start"), item.get("end")) if isinstance(item, dict) else (None, None)
        if type(begin) is not int or type(end) is not int:
            raise DataError(f"{what} {number} has no integers start and end")
        if not 0 <= begin < end <= len(text):
            raise DataError(f"{what} {number} spans {begin} to {end} in a text of {len(text)} characters")
        if places and begin < places[-1][1]:
            raise DataError(f"{what} {number} begins at {begin}, inside the previous one")
        places.append((begin, end))
    return places


def _tags(tokens: list[tuple[int, Any]], tagsets: tuple[str, ...], native: str) -> dict[str, tuple[str, ...]]:
    tags = {}
    for tagset, name, field, other in (("universal", "upos", "pos", "native"), ("native", native, "tag", "universal")):
        if tagset in tagsets:
            tags[name] = tuple(_tag(number, token, field, other) for number, token in tokens)
    for (number, _), tag in zip(tokens, tags.get("upos", ()), strict=False):
        if tag not in UPOS:
            raise DataError(f"token {number}: pos {tag!r} is not a UPOS tag: use one of {' '.join(UPOS)}")
    return tags


def _tag(number: int, token: Any, field: str, other: str) -> str:
    tag = token.get(field)
    if not (isinstance(tag, str) and tag):
        raise DataError(f"token {number} has no {field}", remedy={"tagset": other})
    return checked_tag(tag, f"the {field} of token {number}")
