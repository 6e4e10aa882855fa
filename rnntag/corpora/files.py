"""Corpora in files: CoNLL-U treebanks and lines of word/TAG."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from rnntag import conllu
from rnntag.schema import UPOS, DataError, Sentence
from rnntag.text import file_lines

CONLLU_SUFFIXES = (".conllu", ".conll")
JSONL_SUFFIX = ".jsonl"
UNIVERSAL_12 = (".", "ADJ", "ADP", "ADV", "CONJ", "DET", "NOUN", "NUM", "PRON", "PRT", "VERB", "X")
"""The universal tagset of Petrov, Das and McDonald (2012)."""

UNNAMED = ""
_Column = TypeVar("_Column")

_PART = re.compile(r"(?P<treebank>.+?)(?:-ud)?[-_.](?P<part>train|dev|test)")
_LANGUAGE = re.compile(r"(?P<language>[a-z]{2,3})_")


def treebank_and_part(path: Path) -> tuple[str, str]:
    """What a file's name says: the treebank, and which part of it, or "" for all of it."""
    named = _PART.fullmatch(path.stem)
    return (named["treebank"], named["part"]) if named else (path.stem, "")


def read_sentences(path: Path, tagsets: tuple[str, ...], encoding: str = "utf-8") -> tuple[Sentence, ...]:
    """The tagged sentences of a file, in order.

    The tags of word/TAG and JSON lines belong to the tagset `UNNAMED` until all parts are read; see
    `named`.

    Raises:
        DataError: a line that cannot be understood, or a file without a sentence.
        NotFoundError, AccessError: the file is not there or cannot be read.
    """
    if path.suffix.lower() in CONLLU_SUFFIXES:
        sentences = tuple(_conllu_sentences(path, tagsets, encoding))
    elif path.suffix.lower() == JSONL_SUFFIX:
        sentences = tuple(_jsonl_sentences(path, encoding))
    else:
        sentences = tuple(_slash_sentences(path, encoding))
    if not sentences:
        raise DataError(f"{path}: no sentence in it")
    return sentences


def _conllu_sentences(path: Path, tagsets: tuple[str, ...], encoding: str) -> Iterator[Sentence]:
    language = _LANGUAGE.match(path.name)
    native = f"xpos-{language['language']}" if language else "xpos"
    for sentence in conllu.read(file_lines(path, encoding), str(path)):
        tags = {}
        if "universal" in tagsets:
            tags["upos"] = sentence.column(conllu.UPOS_COLUMN)
            conllu.check_upos(sentence, tags["upos"], str(path))
        if "native" in tagsets:
            tags[native] = sentence.column(conllu.XPOS_COLUMN)
            for row, tag in zip(sentence.rows, tags[native], strict=True):
                if tag == "_":
                    raise DataError(f"{path}:{sentence.number + row}: the word has no XPOS: use --tagset universal")
        spaces, opens = sentence.spaces(), sentence.opens_paragraph
        yield Sentence(sentence.column(conllu.FORM), tags, spaces=spaces, opens=opens)


def _slash_sentences(path: Path, encoding: str) -> Iterator[Sentence]:
    for number, line in enumerate(file_lines(path, encoding), 1):
        words, tags = [], []
        for item in line.split():
            word, slash, tag = item.rpartition("/")
            if not (word and slash and tag):
                raise DataError(f"{path}:{number}: {item!r} is not word/TAG")
            words.append(word)
            tags.append(tag)
        if words:
            yield Sentence(tuple(words), {UNNAMED: tuple(tags)})


def _jsonl_sentences(path: Path, encoding: str) -> Iterator[Sentence]:
    """What `rnntag tag --format jsonl` writes: a model's tags, and with --top their probabilities."""
    for number, line in enumerate(file_lines(path, encoding), 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            tokens, tags = _strings(record["tokens"]), _strings(record["tags"])
            choices = {}
            if "top" in record:
                choices[UNNAMED] = tuple(
                    [(tag, _probability(tag, p)) for tag, p in top.items()] for top in record["top"]
                )
            if tokens:
                yield Sentence(tokens, {UNNAMED: tags}, choices)
        except DataError as error:
            raise DataError(f"{path}:{number}: {error}") from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DataError(
                f"{path}:{number}: is no line that `rnntag tag --format jsonl` writes: {error!r}"
            ) from error


def _probability(tag: str, value: float) -> float:
    if not 0 <= (probability := float(value)) <= 1:  # nor is nan
        raise DataError(f"{tag} has the probability {probability}")
    return probability


def _strings(values: list[object]) -> tuple[str, ...]:
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise TypeError("not a list of strings")
    return tuple(str(value) for value in values)


def named(parts: Mapping[str, tuple[Sentence, ...]], treebank: str) -> dict[str, tuple[Sentence, ...]]:
    """The parts of a treebank with a name for the tagset of their word/TAG or JSON lines.

    It is `upos` or `universal` where all their tags belong to it, else the treebank's name.
    """
    tags = {tag for part in parts.values() for sentence in part for tag in sentence.tags.get(UNNAMED, ())}
    if not tags:
        return dict(parts)
    if tags <= set(UPOS):
        tagset = "upos"
    elif tags <= set(UNIVERSAL_12):
        tagset = "universal"
    else:
        tagset = f"{treebank}-tags" if treebank in ("upos", "universal") else treebank
    return {
        name: tuple(replace(s, tags=_renamed(s.tags, tagset), choices=_renamed(s.choices, tagset)) for s in part)
        for name, part in parts.items()
    }


def _renamed(columns: Mapping[str, _Column], tagset: str) -> Mapping[str, _Column]:
    return {tagset: columns[UNNAMED]} if UNNAMED in columns else columns
