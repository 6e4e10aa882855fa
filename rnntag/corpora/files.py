"""Corpora in files, in the formats that `schema.CorpusFormat` lists."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from rnntag import conllu
from rnntag.corpora import spacy_docs, vertical
from rnntag.corpora.strings import checked_tag, checked_word
from rnntag.schema import UPOS, CorpusFormat, DataError, Sentence
from rnntag.text import file_lines

CONLLU_SUFFIXES = conllu.SUFFIXES
VERTICAL_SUFFIXES = (".tsv", ".vert", ".vrt")
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


def format_of(path: Path, chosen: CorpusFormat = "auto", encoding: str = "utf-8") -> CorpusFormat:
    """The format to read a file in.

    What is called `.conllu` is CoNLL-U; of other files `auto` goes by the suffix, and for `.jsonl` by
    the keys of the first line.

    Raises:
        NotFoundError, AccessError, DataError: see `text.file_lines`.
    """
    suffix = path.suffix.lower()
    if suffix in CONLLU_SUFFIXES:
        return "conllu"
    if chosen != "auto":
        return chosen
    if suffix in VERTICAL_SUFFIXES:
        return "tsv"
    if suffix == JSONL_SUFFIX:
        first = next((line for line in file_lines(path, encoding) if line.strip()), "")
        return "spacy" if spacy_docs.is_document(first) else "jsonl"
    return "slash"


def read_sentences(
    path: Path, tagsets: tuple[str, ...], encoding: str = "utf-8", corpus_format: CorpusFormat = "auto"
) -> tuple[Sentence, ...]:
    """The tagged sentences of a file, in order.

    The tags of all but CoNLL-U and spaCy's documents belong to the tagset `UNNAMED` until all parts are
    read; see `named`.

    Raises:
        DataError: a line that cannot be understood, or a file without a sentence.
        NotFoundError, AccessError: the file is not there or cannot be read.
    """
    sentences = tuple(_sentences(path, tagsets, encoding, format_of(path, corpus_format, encoding)))
    if not sentences:
        raise DataError(f"{path}: no sentence in it")
    return sentences


def _sentences(path: Path, tagsets: tuple[str, ...], encoding: str, corpus_format: CorpusFormat) -> Iterator[Sentence]:
    if corpus_format == "conllu":
        return _conllu_sentences(path, tagsets, encoding)
    if corpus_format == "jsonl":
        return _jsonl_sentences(path, encoding)
    if corpus_format == "spacy":
        return spacy_docs.sentences(file_lines(path, encoding), str(path), tagsets, _native(path))
    if corpus_format == "tsv":
        found = vertical.sentences(file_lines(path, encoding), str(path))
        return (Sentence(tokens, {UNNAMED: tags}) for tokens, tags in (zip(*pairs, strict=True) for pairs in found))
    return _joined_sentences(path, encoding, "_" if corpus_format == "underscore" else "/")


def _native(path: Path) -> str:
    """What a file's own tagset is called."""
    language = _LANGUAGE.match(path.name)
    return f"xpos-{language['language']}" if language else "xpos"


def _conllu_sentences(path: Path, tagsets: tuple[str, ...], encoding: str) -> Iterator[Sentence]:
    native = _native(path)
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
                checked_tag(tag, f"{path}:{sentence.number + row}: the XPOS")
        spaces, opens = sentence.spaces(), sentence.opens_paragraph
        yield Sentence(sentence.column(conllu.FORM), tags, spaces=spaces, opens=opens)


def _joined_sentences(path: Path, encoding: str, mark: str) -> Iterator[Sentence]:
    """A sentence a line, words and tags joined by `mark`, the last of its kind in a word."""
    for number, line in enumerate(file_lines(path, encoding), 1):
        words, tags = [], []
        for item in line.split():
            word, _, tag = item.rpartition(mark)
            if not (word and tag):
                hint = ""
                if "\t" in line.strip():
                    hint = ": a token a line takes --corpus-format tsv"
                elif mark == "/" and "_" in item.strip("_"):
                    hint = ": word_TAG takes --corpus-format underscore"
                raise DataError(f"{path}:{number}: {item!r} is not word{mark}TAG{hint}")
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
            for position, (token, tag) in enumerate(zip(tokens, tags, strict=False), 1):
                checked_word(token, f"token {position}")
                checked_tag(tag, f"the tag of token {position}")
            choices = {}
            if "top" in record:
                choices[UNNAMED] = tuple(
                    [(checked_tag(tag, "a tag"), _probability(tag, p)) for tag, p in top.items()]
                    for top in record["top"]
                )
            if tokens:
                yield Sentence(tokens, {UNNAMED: tags}, choices)
        except DataError as error:
            raise DataError(f"{path}:{number}: {error}") from error
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
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
