"""Corpora in files: CoNLL-U treebanks and lines of word/TAG."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from rnntag import conllu
from rnntag.schema import UPOS, DataError, Sentence
from rnntag.text import file_lines

CONLLU_SUFFIXES = (".conllu", ".conll")
UNIVERSAL_12 = (".", "ADJ", "ADP", "ADV", "CONJ", "DET", "NOUN", "NUM", "PRON", "PRT", "VERB", "X")
"""The universal tagset of Petrov, Das and McDonald (2012)."""

_PART = re.compile(r"(?P<treebank>.+?)(?:-ud)?[-_.](?P<part>train|dev|test)")
_LANGUAGE = re.compile(r"(?P<language>[a-z]{2,3})_")


def treebank_and_part(path: Path) -> tuple[str, str]:
    """What a file's name says: the treebank, and which part of it, or "" for all of it."""
    named = _PART.fullmatch(path.stem)
    return (named["treebank"], named["part"]) if named else (path.stem, "")


def read_sentences(path: Path, tagsets: tuple[str, ...], encoding: str = "utf-8") -> tuple[Sentence, ...]:
    """The tagged sentences of a file, in order.

    Raises:
        DataError: a line that cannot be understood, or a file without a sentence.
        NotFoundError, AccessError: the file is not there or cannot be read.
    """
    if path.suffix.lower() in CONLLU_SUFFIXES:
        sentences = tuple(_conllu_sentences(path, tagsets, encoding))
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
        yield Sentence(sentence.column(conllu.FORM), tags)


def _slash_sentences(path: Path, encoding: str) -> Iterator[Sentence]:
    pairs: list[list[tuple[str, str]]] = []
    for number, line in enumerate(file_lines(path, encoding), 1):
        sentence = []
        for item in line.split():
            word, slash, tag = item.rpartition("/")
            if not (word and slash and tag):
                raise DataError(f"{path}:{number}: {item!r} is not word/TAG")
            sentence.append((word, tag))
        if sentence:
            pairs.append(sentence)
    tagset = _tagset_of({tag for sentence in pairs for _, tag in sentence}, path)
    for sentence in pairs:
        yield Sentence(tuple(word for word, _ in sentence), {tagset: tuple(tag for _, tag in sentence)})


def _tagset_of(tags: set[str], path: Path) -> str:
    if tags <= set(UPOS):
        return "upos"
    if tags <= set(UNIVERSAL_12):
        return "universal"
    return re.sub(r"[^a-z0-9]+", "-", treebank_and_part(path)[0].lower()).strip("-") or "tags"
