"""Reads and writes JSON lines (https://jsonlines.org): one sentence per line, an object of arrays of equal length:
`tokens`, `tags` and optionally `start`, `end`, `confidence`, `top`. With several tagsets, `tags`, `confidence` and
`top` are objects with an array for each tagset. `multiwords` lists the multiword tokens of raw text, if there are any:
each with the position of its first word, that after its last word, and the token as in the text."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from rnntag.errors import ANOTHER, DataError
from rnntag.formats import raw
from rnntag.formats.decoding import LineSplitter
from rnntag.formats.raw import Finder
from rnntag.formats.records import (
    CorpusFile,
    InputSentence,
    Offsets,
    Record,
    Writer,
    WriterOptions,
    checked_tag,
    checked_word,
)
from rnntag.sentences import UNIVERSAL, UNNAMED, Segmentation, Sentence, TagProbs, Tags, multiwords_between
from rnntag.storage import validation


class JsonlReader:
    """A `records.Reader` of JSON lines with a text or with tokens, whose other fields are kept.

    Args:
        field: the one with the text, or with the tokens; "": `tokens`, or else `text`.
        number: how many lines that are not blank precede the text.
    """

    def __init__(self, source: str, line: int, finder: Finder, number: int = 0, field: str = "") -> None:
        self._splitter = LineSplitter()
        self._source = source
        self._line = line
        self._finder = finder
        self._number = number
        self._field = field

    def feed(self, text: str) -> Iterator[InputSentence]:
        yield from self._read(self._splitter.feed(text))

    def finish(self) -> Iterator[InputSentence]:
        yield from self._read(self._splitter.finish())

    def _read(self, lines: Iterable[str]) -> Iterator[InputSentence]:
        records: list[tuple[Record, str | list[str]]] = []
        failure = None
        for line in lines:
            self._line += 1
            if line.strip():
                try:
                    records.append(self._record(line))
                except DataError as error:
                    failure = DataError(f"{self._source}:{self._line}: {error}", remedy=error.remedies[0])
                    break
        texts = [given for _, given in records if isinstance(given, str)]
        found = iter(raw.segment(self._finder, texts) if texts else ())
        for record, given in records:
            self._number += 1
            if isinstance(given, str):
                yield from self._sentences(record, given, next(found))
            else:
                yield InputSentence(given, record)
        if failure:
            raise failure

    def _record(self, line: str) -> tuple[Record, str | list[str]]:
        try:
            fields = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise DataError(f"is not JSON: {error}") from error
        if not isinstance(fields, dict):
            raise DataError("is not a JSON object")
        has_tokens = isinstance(fields.get("tokens"), list) and all(isinstance(one, str) for one in fields["tokens"])
        field = self._field or ("tokens" if has_tokens else "text")
        if field not in fields:
            raise DataError(f"has no field {field!r}", remedy=None if self._field else {"text_field": ANOTHER})
        given = fields[field]
        replaced = _WRITTEN | {"multiwords"} if isinstance(given, str) else _WRITTEN
        kept = Record({name: value for name, value in fields.items() if name not in replaced})
        if isinstance(given, str):
            return kept, checked_word(given, f"the field {field!r}") if given else ""
        try:
            tokens = _strings(given)
        except TypeError as error:
            raise DataError(f"the field {field!r} is neither a string nor a list of strings") from error
        return kept, [checked_word(token, f"token {position}") for position, token in enumerate(tokens, 1)]

    def _sentences(self, record: Record, text: str, found: Segmentation) -> Iterator[InputSentence]:
        first = 0
        forms = found.forms(text)
        for number, end in enumerate(found.ends, 1):
            words, multiwords = found.words[first:end], multiwords_between(found.multiwords, first, end)
            stop = found.words[end][0] if end < len(found.words) else len(text)
            before = text[: words[0][0]] if number == 1 else ""
            place = self._number, number
            offsets = Offsets(before, text, 0, words, stop, *place, by_line=True, multiwords=multiwords)
            yield InputSentence(forms[first:end], record, ends=number == len(found.ends), offsets=offsets)
            first = end
        if not found.ends:
            yield InputSentence((), record)


class JsonlWriter(Writer):
    """Probabilities (0 to 1) have four decimal places; offsets are characters of the input. `source` is the name of the
    document, if it is to be written. A record of JSON lines keeps its fields."""

    suffix = ".jsonl"

    def __init__(self, tagsets: tuple[str, ...], options: WriterOptions) -> None:
        super().__init__(tagsets, options)
        self._columns: dict[str, Any] = {}  # of the unfinished sentence, all but `tokens`

    def _space(self, offsets: Offsets) -> str:
        return ""

    def _core(self, sentence: InputSentence, tokens: Sequence[str], columns: Sequence[Tags]) -> str:
        begun = bool(self._columns)
        by_tagset = dict(zip(self._tagsets, columns, strict=True))
        for tagset, (tags, _) in by_tagset.items():
            self._add("tags", tagset, tags)
        if offsets := sentence.offsets:
            self._columns.setdefault("start", []).extend([offsets.start + begin for begin, _ in offsets.words])
            self._columns.setdefault("end", []).extend([offsets.start + end for _, end in offsets.words])
            for first, token, words in offsets.multiwords:
                place = self._written + first
                self._columns.setdefault("multiwords", []).append([place, place + len(words), token])
        for tagset, (_, tag_probs) in by_tagset.items():
            if tag_probs:
                self._add("confidence", tagset, [_rounded(choice[0][1]) for choice in tag_probs])
        for tagset, (_, tag_probs) in by_tagset.items():
            if tag_probs and len(tag_probs[0]) > 1:
                self._add("top", tagset, [{tag: _rounded(p) for tag, p in choice} for choice in tag_probs])
        items = _dumped(list(tokens))[1:-1]
        if begun:
            text = f", {items}" if tokens and self._written else items
        else:
            kept = dict(sentence.source.fields) if isinstance(sentence.source, Record) else {}
            if self._options.document:
                kept = {"source": self._options.document, **kept}
            text = f'{{{_dumped(kept)[1:-1]}{", " * bool(kept)}"tokens": [{items}'
        if sentence.ends:
            text += "], " + json.dumps(self._columns, ensure_ascii=False)[1:] + "\n"
            self._columns = {}
        return text

    def _add(self, name: str, tagset: str, column: Iterable[object]) -> None:
        if len(self._tagsets) == 1:
            self._columns.setdefault(name, []).extend(column)
        else:
            self._columns.setdefault(name, {}).setdefault(tagset, []).extend(column)


_WRITTEN = frozenset({"tokens", "tags", "start", "end", "confidence", "top"})
"""The fields of a record that tagging replaces. If words are found in its text, it replaces `multiwords` too."""


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
        raise DataError(f"is not a JSON line as `rnntag tag` writes it: {validation.reason(error)}") from error
    return [sentence] if tokens else []


def _by_tagset(record: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The columns `tags` and `top` by tagset."""
    tags, top = record["tags"], record.get("top", {})
    if not isinstance(tags, dict):
        return {UNNAMED: tags}, {UNNAMED: top} if "top" in record else {}
    for name in tags:
        checked_word(name, "the name of a tagset")
    if unknown := top.keys() - tags.keys():
        raise ValueError(f"'top' has the tagset {min(unknown)}, which is missing from 'tags'")
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
        raise DataError(f"the probability of {tag} is {probability}, not between 0 and 1")
    return probability


def _strings(values: list[object]) -> tuple[str, ...]:
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise TypeError("not a list of strings")
    return tuple(str(value) for value in values)
