"""Corpora in files, in the formats that `schema.CorpusFormat` lists."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from rnntag.config import CorpusFormat
from rnntag.errors import DataError, OnFault
from rnntag.formats import conllu, headers, spacy_json, tsv
from rnntag.formats.compression import plain_name
from rnntag.formats.decoding import file_lines
from rnntag.formats.faults import Faults
from rnntag.formats.records import checked_tag, checked_word
from rnntag.sentences import UNNAMED, UPOS, Sentence

VERTICAL_SUFFIXES = (".tsv", ".vert", ".vrt")
JSONL_SUFFIX = ".jsonl"
UNIVERSAL_12 = (".", "ADJ", "ADP", "ADV", "CONJ", "DET", "NOUN", "NUM", "PRON", "PRT", "VERB", "X")
"""The universal tagset of Petrov, Das and McDonald (2012)."""

_Column = TypeVar("_Column")

_PART = re.compile(r"(?P<treebank>.+?)(?:-ud)?[-_.](?P<part>train|dev|test)")
_LANGUAGE = re.compile(r"(?P<language>[a-z]{2,3})_")


def treebank_and_part(path: Path) -> tuple[str, str]:
    """What a file's name says: the treebank, and which part of it, or "" for all of it."""
    stem = plain_name(path).stem
    named = _PART.fullmatch(stem)
    return (named["treebank"], named["part"]) if named else (stem, "")


def format_of(path: Path, chosen: CorpusFormat = "auto", encoding: str = "utf-8") -> CorpusFormat:
    """The format to read a file in.

    What is called `.conllu` is CoNLL-U; of other files `auto` goes by the suffix, and for `.jsonl` by
    the keys of the first line. In the name of a compressed file the suffix before the last one counts.

    Raises:
        NotFoundError, AccessError, DataError: see `text.file_lines`.
    """
    suffix = plain_name(path).suffix.lower()
    if suffix in conllu.SUFFIXES:
        return "conllu"
    if chosen != "auto":
        return chosen
    if suffix in VERTICAL_SUFFIXES:
        return "tsv"
    if suffix == JSONL_SUFFIX:
        first = next((line for line in file_lines(path, encoding) if line.strip()), "")
        return "spacy" if spacy_json.is_document(first) else "jsonl"
    return "slash"


def read_sentences(
    path: Path,
    tagsets: tuple[str, ...],
    encoding: str = "utf-8",
    corpus_format: CorpusFormat = "auto",
    faults: Faults | None = None,
) -> tuple[Sentence, ...]:
    """The tagged sentences of a file, in order.

    The tags of all but CoNLL-U and spaCy's documents belong to the tagset `UNNAMED` until all parts are
    read; see `named`.

    Args:
        faults: takes note of lines that cannot be understood, and of a file without a sentence, instead of an error.

    Raises:
        DataError: there are such lines, or there is no sentence.
        NotFoundError, AccessError: the file is not there or cannot be read.
    """
    found = faults or Faults()
    before = found.count
    sentences: tuple[Sentence, ...] = ()
    try:
        sentences = tuple(_sentences(path, tagsets, encoding, format_of(path, corpus_format, encoding), found.add))
    except DataError as error:  # bytes that are no text, after which nothing can be read
        found.add(error)
    if not sentences and found.count == before:
        found.add(f"{path}: no sentence in it")
    if faults is None:
        found.check()
    return sentences


def _sentences(
    path: Path, tagsets: tuple[str, ...], encoding: str, corpus_format: CorpusFormat, on_fault: OnFault
) -> Iterator[Sentence]:
    if corpus_format == "conllu":
        return _conllu_sentences(path, tagsets, encoding, on_fault)
    if corpus_format == "jsonl":
        return _jsonl_sentences(path, encoding, on_fault)
    if corpus_format == "spacy":
        return spacy_json.sentences(file_lines(path, encoding), str(path), tagsets, _native(path), on_fault)
    if corpus_format == "tsv":
        found = tsv.sentences(file_lines(path, encoding), str(path), on_fault)
        return (Sentence(tokens, {UNNAMED: tags}) for tokens, tags in (zip(*pairs, strict=True) for pairs in found))
    return _joined_sentences(path, encoding, "_" if corpus_format == "underscore" else "/", on_fault)


def _native(path: Path) -> str:
    """What a file's own tagset is called."""
    language = _LANGUAGE.match(path.name)
    return f"xpos-{language['language']}" if language else "xpos"


def _conllu_sentences(path: Path, tagsets: tuple[str, ...], encoding: str, on_fault: OnFault) -> Iterator[Sentence]:
    native = _native(path)
    for sentence in conllu.read(file_lines(path, encoding), str(path), on_fault):
        tags = {}
        if "universal" in tagsets:
            tags["upos"] = sentence.column(conllu.UPOS_COLUMN)
            conllu.check_upos(sentence, tags["upos"], str(path), on_fault)
        if "native" in tagsets:
            tags[native] = sentence.column(conllu.XPOS_COLUMN)
            for row, tag in zip(sentence.rows, tags[native], strict=True):
                where = f"{path}:{sentence.number + row}"
                try:
                    if tag == "_":
                        raise DataError(f"{where}: the word has no XPOS", remedy={"tagset": "universal"})
                    checked_tag(tag, f"{where}: the XPOS")
                except DataError as error:
                    on_fault(error)
        spaces, opens = sentence.spaces(), sentence.opens_paragraph
        yield Sentence(sentence.column(conllu.FORM), tags, spaces=spaces, opens=opens)


def _joined_sentences(path: Path, encoding: str, mark: str, on_fault: OnFault) -> Iterator[Sentence]:
    """A sentence a line, words and tags joined by `mark`, the last of its kind in a word."""
    is_first = True
    for number, line in enumerate(file_lines(path, encoding), 1):
        pairs = [item.rpartition(mark)[::2] for item in line.split()]
        if not pairs:
            continue
        wrong = next((item for item, pair in zip(line.split(), pairs, strict=True) if not all(pair)), None)
        if wrong is not None:
            remedy = None
            if "\t" in line.strip():
                remedy = {"corpus_format": "tsv"}
            elif mark == "/" and "_" in wrong.strip("_"):
                remedy = {"corpus_format": "underscore"}
            on_fault(DataError(f"{path}:{number}: {wrong!r} is not word{mark}TAG", remedy=remedy))
        elif is_first and all(map(headers.is_header, pairs)):
            on_fault(f"{path}:{number}: {line.strip()!r} {headers.ADVICE}")
        else:
            words, tags = zip(*pairs, strict=True)
            yield Sentence(words, {UNNAMED: tags})
        is_first = False


def _jsonl_sentences(path: Path, encoding: str, on_fault: OnFault) -> Iterator[Sentence]:
    """The JSON lines that `rnntag tag` writes: a model's tags, perhaps with probabilities."""
    for number, line in enumerate(file_lines(path, encoding), 1):
        if not line.strip():
            continue
        try:
            sentence = _tagged_by_a_model(json.loads(line))
        except DataError as error:
            on_fault(f"{path}:{number}: {error}")
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
            on_fault(f"{path}:{number}: is not a JSON line as `rnntag tag` writes it: {error!r}")
        else:
            if sentence.tokens:
                yield sentence


def _tagged_by_a_model(record: Any) -> Sentence:
    tokens, tags = _strings(record["tokens"]), _strings(record["tags"])
    for position, (token, tag) in enumerate(zip(tokens, tags, strict=False), 1):
        checked_word(token, f"token {position}")
        checked_tag(tag, f"the tag of token {position}")
    tag_probs = {}
    if "top" in record:
        tag_probs[UNNAMED] = tuple(
            [(checked_tag(tag, "a tag"), _probability(tag, p)) for tag, p in top.items()] for top in record["top"]
        )
    return Sentence(tokens, {UNNAMED: tags}, tag_probs)


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
        name: tuple(replace(s, tags=_renamed(s.tags, tagset), tag_probs=_renamed(s.tag_probs, tagset)) for s in part)
        for name, part in parts.items()
    }


def _renamed(columns: Mapping[str, _Column], tagset: str) -> Mapping[str, _Column]:
    return {tagset: columns[UNNAMED]} if UNNAMED in columns else columns
