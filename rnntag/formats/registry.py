"""The formats by name: their suffixes, and what reads and writes each.

`rnntag tag` reads an `InputFormat` and writes an `OutputFormat`; `train` and `eval` read a `config.CorpusFormat`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Literal, get_args

from rnntag.config import CorpusFormat
from rnntag.errors import DataError
from rnntag.formats import conllu, jsonl, spacy_json, tsv, word_tag
from rnntag.formats.compression import plain_name
from rnntag.formats.decoding import file_lines
from rnntag.formats.faults import Faults
from rnntag.formats.raw import Finder, RawReader
from rnntag.formats.records import CorpusFile, Reader, Writer
from rnntag.sentences import Sentence

InputFormat = Literal["tokens", "raw", "conllu"]
OutputFormat = Literal["slash", "tsv", "conllu", "jsonl"]
OUTPUT_FORMATS: tuple[str, ...] = get_args(OutputFormat)

CONLLU_SUFFIXES = (".conllu", ".conllup", ".conll")
TSV_SUFFIXES = (".tsv", ".vert", ".vrt")
JSONL_SUFFIX = ".jsonl"

WITH_TWO_TAGSETS: tuple[CorpusFormat, ...] = ("conllu", "spacy")
"""Formats whose words have a universal and a native tag."""

_WRITERS: dict[OutputFormat, type[Writer]] = {
    "slash": word_tag.WordTagWriter,
    "tsv": tsv.TsvWriter,
    "conllu": conllu.ConlluWriter,
    "jsonl": jsonl.JsonlWriter,
}
_CORPUS_READERS: dict[CorpusFormat, Callable[[CorpusFile], Iterator[Sentence]]] = {
    "slash": word_tag.sentences,
    "underscore": partial(word_tag.sentences, mark="_"),
    "tsv": tsv.sentences,
    "spacy": spacy_json.sentences,
    "conllu": conllu.sentences,
    "jsonl": jsonl.sentences,
}
_LANGUAGE = re.compile(r"(?P<language>[a-z]{2,3})_")


def reader(
    name: InputFormat,
    source: str,
    line: int = 0,
    *,
    start: int = 0,
    number: int = 0,
    columns: str = "",
    finder: Finder | None = None,
) -> Reader:
    """A reader of sentences to tag.

    Args:
        source: what errors call the input.
        line, start, number: how many lines, characters and paragraphs stand before what it reads.
        columns: of CoNLL-U, the last line before it that names columns, or "".
        finder: for raw text.
    """
    if name == "raw":
        assert finder
        return RawReader(finder, start, number)
    return conllu.ConlluTextReader(source, line, columns) if name == "conllu" else word_tag.TokenReader()


def writer(name: OutputFormat, tagset: str, number: int = 0) -> Writer:
    """A writer of tagged sentences; see `records.Writer`."""
    return _WRITERS[name](tagset, number)


def is_conllu(path: Path) -> bool:
    """Whether a file's name, but for what says that it is compressed, says that it is CoNLL-U."""
    return plain_name(path).suffix.lower() in CONLLU_SUFFIXES


def format_of(path: Path, chosen: CorpusFormat = "auto", encoding: str = "utf-8") -> CorpusFormat:
    """The format to read a corpus's file in.

    What is called `.conllu` is CoNLL-U; of other files `auto` goes by the suffix, and for `.jsonl` by
    the keys of the first line. In the name of a compressed file the suffix before the last one counts.

    Raises:
        NotFoundError, AccessError, DataError: see `decoding.file_lines`.
    """
    if is_conllu(path):
        return "conllu"
    if chosen != "auto":
        return chosen
    suffix = plain_name(path).suffix.lower()
    if suffix == JSONL_SUFFIX:
        first = next((line for line in file_lines(path, encoding) if line.strip()), "")
        return "spacy" if spacy_json.is_document(first) else "jsonl"
    return "tsv" if suffix in TSV_SUFFIXES else "slash"


def read_sentences(
    path: Path,
    tagsets: tuple[str, ...],
    encoding: str = "utf-8",
    corpus_format: CorpusFormat = "auto",
    faults: Faults | None = None,
) -> tuple[Sentence, ...]:
    """The tagged sentences of a corpus's file, in order.

    The tags of all but CoNLL-U and spaCy's documents belong to the tagset `UNNAMED` until all splits are
    read; see `corpora.loading`.

    Args:
        tagsets: `universal`, `native` or both.
        faults: takes note of lines that cannot be understood, and of a file without a sentence, instead of an error.

    Raises:
        DataError: there are such lines, or there is no sentence.
        NotFoundError, AccessError: the file is not there or cannot be read.
    """
    noted = faults or Faults()
    before = noted.count
    sentences: tuple[Sentence, ...] = ()
    language = _LANGUAGE.match(path.name)
    native = f"xpos-{language['language']}" if language else "xpos"
    try:
        read = _CORPUS_READERS[format_of(path, corpus_format, encoding)]
        sentences = tuple(read(CorpusFile(file_lines(path, encoding), str(path), noted.add, tagsets, native)))
    except DataError as error:  # bytes that are no text, after which nothing can be read
        noted.add(error)
    if not sentences and noted.count == before:
        noted.add(f"{path}: no sentence in it")
    if faults is None:
        noted.check()
    return sentences
