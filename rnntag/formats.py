"""Lines to tokens, and tagged sentences to word/TAG, TSV, CoNLL-U and JSON lines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from rnntag import conllu

OutputFormat = Literal["slash", "tsv", "conllu", "jsonl"]
InputFormat = Literal["tokens", "conllu"]
OUTPUT_FORMATS: tuple[str, ...] = get_args(OutputFormat)


@dataclass(frozen=True, slots=True)
class Untagged:
    """Tokens to tag, and the CoNLL-U sentence that they came in, if they did."""

    tokens: tuple[str, ...]
    source: conllu.ConlluSentence | None = None


class TokenReader:
    """Lines of words parted by white space; each line is a sentence, an empty line an empty one."""

    def feed(self, lines: Iterable[str]) -> Iterator[Untagged]:
        """The sentences of whole lines."""
        for line in lines:
            yield Untagged(tuple(line.split()))

    def finish(self) -> Iterator[Untagged]:
        """What the end of the input completes: nothing."""
        return iter(())


class TreebankReader:
    """CoNLL-U lines, whatever tags they carry. See `conllu.ConlluReader.feed` for what it raises."""

    def __init__(self, source: str) -> None:
        self._reader = conllu.ConlluReader(source)

    def feed(self, lines: Iterable[str]) -> Iterator[Untagged]:
        """The sentences that `lines` complete."""
        return map(self._untagged, self._reader.feed(lines))

    def finish(self) -> Iterator[Untagged]:
        """What the end of the input completes."""
        return map(self._untagged, self._reader.finish())

    @staticmethod
    def _untagged(sentence: conllu.ConlluSentence) -> Untagged:
        return Untagged(sentence.column(conllu.FORM), sentence)


def reader(name: InputFormat, source: str) -> TokenReader | TreebankReader:
    """The reader of an input format; `source` is what errors call the input."""
    return TreebankReader(source) if name == "conllu" else TokenReader()


class Writer:
    """Tagged sentences in an output format."""

    def __init__(self, name: OutputFormat, tagset: str) -> None:
        self._write = {"slash": self._slash, "tsv": self._tsv, "conllu": self._conllu, "jsonl": self._jsonl}[name]
        self._tagset = tagset
        self._number = 0

    def text(self, sentence: Untagged, tags: Sequence[str]) -> str:
        """The sentence as whole lines, each with its line feed."""
        return self._write(sentence, tags)

    def _slash(self, sentence: Untagged, tags: Sequence[str]) -> str:
        tokens: Sequence[str] = sentence.tokens
        if sentence.source is not None:  # CoNLL-U's words may have spaces inside, word/TAG's may not
            tokens = ["_".join(token.split()) for token in tokens]
        return " ".join([f"{token}/{tag}" for token, tag in zip(tokens, tags, strict=True)]) + "\n"

    def _tsv(self, sentence: Untagged, tags: Sequence[str]) -> str:
        return "".join([f"{token}\t{tag}\n" for token, tag in zip(sentence.tokens, tags, strict=True)]) + "\n"

    def _jsonl(self, sentence: Untagged, tags: Sequence[str]) -> str:
        return json.dumps({"tokens": sentence.tokens, "tags": list(tags)}, ensure_ascii=False) + "\n"

    def _conllu(self, sentence: Untagged, tags: Sequence[str]) -> str:
        if sentence.source is not None:
            column = conllu.UPOS_COLUMN if self._tagset == "upos" else conllu.XPOS_COLUMN
            lines = sentence.source.with_column(column, tags)
            return "\n".join([*lines, "", ""] if tags else [*lines, ""])
        if not sentence.tokens:
            return ""  # CoNLL-U has no empty sentence
        self._number += 1
        return "\n".join([*conllu.write(self._number, sentence.tokens, tags, self._tagset), ""])
