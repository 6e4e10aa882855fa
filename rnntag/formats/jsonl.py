"""Reads and writes JSON lines (https://jsonlines.org): one sentence per line, an object of arrays of equal length:
`tokens`, `tags` and optionally `start`, `end`, `confidence`, `top`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence

from rnntag.errors import DataError
from rnntag.formats.records import CorpusFile, InputSentence, Offsets, Writer, checked_tag, checked_word
from rnntag.sentences import UNNAMED, Sentence, TagProbs


class JsonlWriter(Writer):
    """Probabilities (0 to 1) have four decimal places; offsets are characters of the input."""

    def __init__(self, tagset: str, number: int = 0) -> None:
        super().__init__(tagset, number)
        self._columns: dict[str, list[object]] = {}  # of the unfinished sentence, all but `tokens`

    def _space(self, offsets: Offsets) -> str:
        return ""

    def _core(
        self, sentence: InputSentence, tokens: Sequence[str], tags: Sequence[str], tag_probs: Sequence[TagProbs]
    ) -> str:
        columns: dict[str, Iterable[object]] = {"tags": tags}
        if offsets := sentence.offsets:
            begins, ends = zip(*offsets.words, strict=True)
            columns["start"] = [offsets.start + begin for begin in begins]
            columns["end"] = [offsets.start + end for end in ends]
        if tag_probs:
            columns["confidence"] = [_rounded(choice[0][1]) for choice in tag_probs]
            if len(tag_probs[0]) > 1:
                columns["top"] = [{tag: _rounded(p) for tag, p in choice} for choice in tag_probs]
        for name, column in columns.items():
            self._columns.setdefault(name, []).extend(column)
        items = json.dumps(tokens, ensure_ascii=False)[1:-1]
        if not items.isascii():  # arguments that are not UTF-8 must still give valid JSON
            items = items.encode("utf-8", "backslashreplace").decode()
        text = (", " if self._written else '{"tokens": [') + items
        if sentence.ends:
            text += "], " + json.dumps(self._columns, ensure_ascii=False)[1:] + "\n"
            self._columns = {}
        return text


def _rounded(probability: float) -> float:
    return round(probability, 4)


def sentences(file: CorpusFile) -> Iterator[Sentence]:
    """The JSON lines that `rnntag tag` writes: a model's tags, perhaps with probabilities. Sentences
    without tokens are left out; any other line is a fault."""
    return file.by_line(_sentence)


def _sentence(line: str) -> list[Sentence]:
    try:
        record = json.loads(line)
        tokens, tags = _strings(record["tokens"]), _strings(record["tags"])
        for position, (token, tag) in enumerate(zip(tokens, tags, strict=False), 1):
            checked_word(token, f"token {position}")
            checked_tag(tag, f"the tag of token {position}")
        tag_probs = {}
        if "top" in record:
            tag_probs[UNNAMED] = tuple(
                [(checked_tag(tag, "a tag"), _probability(tag, p)) for tag, p in top.items()] for top in record["top"]
            )
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise DataError(f"is not a JSON line as `rnntag tag` writes it: {error!r}") from error
    sentence = Sentence(tokens, {UNNAMED: tags}, tag_probs)
    return [sentence] if tokens else []


def _probability(tag: str, value: float) -> float:
    if not 0 <= (probability := float(value)) <= 1:  # false for NaN too
        raise DataError(f"{tag} has the probability {probability}")
    return probability


def _strings(values: list[object]) -> tuple[str, ...]:
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise TypeError("not a list of strings")
    return tuple(str(value) for value in values)
