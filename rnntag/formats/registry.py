"""The formats by name: their file suffixes, readers and writers.

`rnntag tag` reads an `InputFormat` and writes an `OutputFormat`; `train` and `eval` read a `config.CorpusFormat`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Literal, get_args

from rnntag.config import CorpusFormat
from rnntag.errors import DataError
from rnntag.formats import conllu, jsonl, spacy_json, tsv, vertical, word_tag
from rnntag.formats.compression import plain_name
from rnntag.formats.decoding import file_lines
from rnntag.formats.faults import Faults
from rnntag.formats.raw import Finder, RawReader
from rnntag.formats.records import CorpusFile, Reader, Writer, WriterOptions
from rnntag.sentences import Sentence

InputFormat = Literal["tokens", "raw", "lines", "conllu", "vertical", "slash", "jsonl"]
OutputFormat = Literal["slash", "tsv", "conllu", "jsonl", "vertical"]
OUTPUT_FORMATS: tuple[str, ...] = get_args(OutputFormat)

CONLLU_SUFFIXES = (".conllu", ".conllup", ".conll")
TSV_SUFFIXES = (".tsv", ".vert", ".vrt")
JSONL_SUFFIX = ".jsonl"

_WITH_TWO_TAGSETS: tuple[CorpusFormat, ...] = ("conllu", "spacy")
"""Formats whose words have a universal and a native tag."""

_WRITERS: dict[OutputFormat, type[Writer]] = {
    "slash": word_tag.WordTagWriter,
    "tsv": tsv.TsvWriter,
    "conllu": conllu.ConlluWriter,
    "jsonl": jsonl.JsonlWriter,
    "vertical": vertical.VerticalWriter,
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
    field: str = "",
    finder: Finder | None = None,
) -> Reader:
    """A reader of sentences to tag.

    Args:
        source: the input's name in error messages.
        line, start, number: how many lines, characters and paragraphs precede the text.
        columns: of CoNLL-U, the last preceding line that names columns, or "".
        field: of JSON lines, the one with the text, or "".
        finder: for raw text.
    """
    if name == "conllu":
        return conllu.ConlluTextReader(source, line, columns)
    if name == "vertical":
        return vertical.VerticalReader(source, line)
    if name == "slash":
        return word_tag.WordTagReader(source, line)
    if name == "tokens":
        return word_tag.TokenReader()
    assert finder
    if name == "jsonl":
        return jsonl.JsonlReader(source, line, finder, number, field)
    return RawReader(finder, start, number, by_line=name == "lines")


def writer(name: OutputFormat, *tagsets: str, **options: Any) -> Writer:
    """A writer of tagged sentences; see `records.Writer` and `records.WriterOptions`."""
    return _WRITERS[name](tagsets, WriterOptions(**options))


def writer_type(name: OutputFormat) -> type[Writer]:
    """The class of a format's writers, which says what the format can do."""
    return _WRITERS[name]


def own_output(name: InputFormat | None) -> OutputFormat | None:
    """The output format that keeps everything that is in an input format, or None."""
    return name if name in ("conllu", "vertical", "jsonl") else None


def input_format(path: Path) -> InputFormat | None:
    """The format of a file to tag that its name tells, or None. A compression suffix is ignored."""
    suffix = plain_name(path).suffix.lower()
    if suffix == JSONL_SUFFIX:
        return "jsonl"
    return "conllu" if suffix in CONLLU_SUFFIXES else "vertical" if suffix in TSV_SUFFIXES else None


def is_conllu(path: Path) -> bool:
    """Whether a file is CoNLL-U by its suffix; a compression suffix is ignored."""
    return plain_name(path).suffix.lower() in CONLLU_SUFFIXES


def format_of(path: Path, chosen: CorpusFormat = "auto", encoding: str = "utf-8") -> CorpusFormat:
    """The format of a corpus file.

    Files with a CoNLL-U suffix are CoNLL-U. For others, `auto` goes by the suffix and, for `.jsonl`, by the first
    line. A compression suffix is ignored.

    Raises:
        NotFoundError, AccessError, DataError: see `decoding.file_lines`.
    """
    if is_conllu(path):
        return "conllu"
    if chosen != "auto":
        return chosen
    suffix = plain_name(path).suffix.lower()
    if suffix == JSONL_SUFFIX:
        return "spacy" if spacy_json.is_document(_first_line(path, encoding)) else "jsonl"
    return "tsv" if suffix in TSV_SUFFIXES else "slash"


def has_two_tagsets(path: Path, chosen: CorpusFormat = "auto", encoding: str = "utf-8") -> bool:
    """Whether the words of a corpus file may have universal and native tags.

    Raises:
        NotFoundError, AccessError, DataError: see `decoding.file_lines`.
    """
    form = format_of(path, chosen, encoding)
    return form in _WITH_TWO_TAGSETS or (form == "jsonl" and jsonl.names_tagsets(_first_line(path, encoding)))


def _first_line(path: Path, encoding: str) -> str:
    return next((line for line in file_lines(path, encoding) if line.strip()), "")


def read_sentences(
    path: Path,
    tagsets: tuple[str, ...],
    encoding: str = "utf-8",
    corpus_format: CorpusFormat = "auto",
    faults: Faults | None = None,
) -> tuple[Sentence, ...]:
    """The tagged sentences of a corpus file, in order.

    In formats with one kind of tag, the tagset is `UNNAMED` until all splits are read; see `corpora.loading`.

    Args:
        tagsets: `universal`, `native` or both.
        faults: collects bad lines and files without sentences, instead of an error.

    Raises:
        DataError: there are bad lines or no sentences.
        NotFoundError, AccessError: the file does not exist or cannot be read.
    """
    noted = faults or Faults()
    before = noted.count
    sentences: tuple[Sentence, ...] = ()
    language = _LANGUAGE.match(path.name)
    native = f"xpos-{language['language']}" if language else "xpos"
    try:
        read = _CORPUS_READERS[format_of(path, corpus_format, encoding)]
        sentences = tuple(read(CorpusFile(file_lines(path, encoding), str(path), noted.add, tagsets, native)))
    except DataError as error:  # undecodable bytes: nothing can be read after them
        noted.add(error)
    if not sentences and noted.count == before:
        noted.add(f"{path}: contains no sentences")
    if faults is None:
        noted.check()
    return sentences
