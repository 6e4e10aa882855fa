"""Reads and writes JSON lines (https://jsonlines.org): one sentence per line, an object of arrays of equal length:
`tokens`, `tags` and optionally `start`, `end`, `confidence`, `top`. With several tagsets, `tags`, `confidence` and
`top` are objects with an array for each tagset."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from rnntag.errors import DataError
from rnntag.formats.records import CorpusFile, InputSentence, Offsets, Writer, WriterOptions, checked_tag, checked_word
from rnntag.sentences import UNIVERSAL, UNNAMED, Sentence, TagProbs, Tags


class JsonlWriter(Writer):
    """Probabilities (0 to 1) have four decimal places; offsets are characters of the input. `source` is the name of the
    document, if it is to be written."""

    suffix = ".jsonl"

    def __init__(self, tagsets: tuple[str, ...], options: WriterOptions) -> None:
        super().__init__(tagsets, options)
        self._columns: dict[str, Any] = {}  # of the unfinished sentence, all but `tokens`

    def _space(self, offsets: Offsets) -> str:
        return ""

    def _core(self, sentence: InputSentence, tokens: Sequence[str], columns: Sequence[Tags]) -> str:
        by_tagset = dict(zip(self._tagsets, columns, strict=True))
        for tagset, (tags, _) in by_tagset.items():
            self._add("tags", tagset, tags)
        if offsets := sentence.offsets:
            self._columns.setdefault("start", []).extend([offsets.start + begin for begin, _ in offsets.words])
            self._columns.setdefault("end", []).extend([offsets.start + end for _, end in offsets.words])
        for tagset, (_, tag_probs) in by_tagset.items():
            if tag_probs:
                self._add("confidence", tagset, [_rounded(choice[0][1]) for choice in tag_probs])
        for tagset, (_, tag_probs) in by_tagset.items():
            if tag_probs and len(tag_probs[0]) > 1:
                self._add("top", tagset, [{tag: _rounded(p) for tag, p in choice} for choice in tag_probs])
        items = _dumped(list(tokens))[1:-1]
        if not self._written:
            source = f'"source": {_dumped(self._options.document)}, ' if self._options.document else ""
            text = f'{{{source}"tokens": [{items}'
        else:
            text = f", {items}" if tokens else ""
        if sentence.ends:
            text += "], " + json.dumps(self._columns, ensure_ascii=False)[1:] + "\n"
            self._columns = {}
        return text

    def _add(self, name: str, tagset: str, column: Iterable[object]) -> None:
        if len(self._tagsets) == 1:
            self._columns.setdefault(name, []).extend(column)
        else:
            self._columns.setdefault(name, {}).setdefault(tagset, []).extend(column)


def _dumped(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    # Arguments and names of files that are not UTF-8 must still give valid JSON.
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def _rounded(probability: float) -> float:
    return round(probability, 4)


def sentences(file: CorpusFile) -> Iterator[Sentence]:
    """The JSON lines that `rnntag tag` writes: a model's tags, perhaps with probabilities. Sentences
    without tokens are left out; any other line is a fault.

    Of tags by tagset, `upos` and `universal` are `universal` ones, all others `native`."""
    return file.by_line(lambda line: _sentence(line, file.tagsets))


def names_tagsets(line: str) -> bool:
    """Whether a line has tags by tagset."""
    try:
        return isinstance(json.loads(line)["tags"], dict)
    except (ValueError, KeyError, TypeError, RecursionError):
        return False


def _sentence(line: str, tagsets: tuple[str, ...]) -> list[Sentence]:
    try:
        record = json.loads(line)
        tokens, (tags, top) = _strings(record["tokens"]), _by_tagset(record)
        for position, token in enumerate(tokens, 1):
            checked_word(token, f"token {position}")
        wanted = _wanted(tags, tagsets)
        sentence = Sentence(
            tokens,
            {tagset: _tags(tags[tagset]) for tagset in wanted},
            {tagset: tuple(map(_tag_probs, top[tagset])) for tagset in wanted if tagset in top},
        )
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise DataError(f"is not a JSON line as `rnntag tag` writes it: {error!r}") from error
    return [sentence] if tokens else []


def _by_tagset(record: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The columns `tags` and `top` by tagset."""
    tags, top = record["tags"], record.get("top", {})
    if not isinstance(tags, dict):
        return {UNNAMED: tags}, {UNNAMED: top} if "top" in record else {}
    for name in tags:
        checked_word(name, "the name of a tagset")
    if unknown := top.keys() - tags.keys():
        raise ValueError(f"top has {unknown}, which tags lacks")
    return tags, top


def _wanted(names: Iterable[str], tagsets: tuple[str, ...]) -> list[str]:
    """The names of the tagsets to read: `UNNAMED`, and those of the kinds `tagsets`."""
    kinds = {name: "universal" if name in UNIVERSAL else "native" for name in names}
    wanted = [name for name, kind in kinds.items() if name == UNNAMED or kind in tagsets]
    if not wanted:
        other = next(iter(kinds.values()), None)
        raise DataError(f"has no {tagsets[0]} tags", remedy={"tagset": other} if other else None)
    return wanted


def _tags(values: list[object]) -> tuple[str, ...]:
    tags = _strings(values)
    for position, tag in enumerate(tags, 1):
        checked_tag(tag, f"the tag of token {position}")
    return tags


def _tag_probs(top: dict[str, float]) -> TagProbs:
    return [(checked_tag(tag, "a tag"), _probability(tag, p)) for tag, p in top.items()]


def _probability(tag: str, value: float) -> float:
    if not 0 <= (probability := float(value)) <= 1:  # false for NaN too
        raise DataError(f"{tag} has the probability {probability}")
    return probability


def _strings(values: list[object]) -> tuple[str, ...]:
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise TypeError("not a list of strings")
    return tuple(str(value) for value in values)
