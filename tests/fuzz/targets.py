"""What is fuzzed: each target takes any bytes, and an exception tells of a promise that they broke."""

from __future__ import annotations

import atexit
import codecs
import json
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

from rnntag import windows
from rnntag.corpora.raw_text import gold_paragraphs, is_spaced
from rnntag.errors import RnntagError
from rnntag.formats import conllu, decoding, raw, records, registry
from rnntag.formats.inputs import Input
from rnntag.formats.records import InputSentence
from rnntag.formats.registry import OUTPUT_FORMATS, read_sentences
from rnntag.model import learning_curve
from rnntag.model.stored import ModelBundle
from rnntag.sentences import Sentence
from rnntag.tagging import chunks
from rnntag.tagging.pipeline import Pipeline, TagJob
from rnntag.training import word_vectors
from tests.conftest import tiny_model, with_segmenter

SOURCES = ("tokens", "raw", "conllu")
ENCODINGS = ("utf-8", "utf-8", "utf-8", "utf-16", "gb18030", "latin-1", "utf-7", "raw_unicode_escape")
CORPUS_FORMATS = ("slash", "underscore", "tsv", "spacy", "conllu", "jsonl")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

_MODEL: list[ModelBundle] = []
_FOLDER = tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None)
atexit.register(_FOLDER.cleanup)


def use(model: ModelBundle) -> None:
    """The model to tag with, one that has a segmenter."""
    _MODEL[:] = [model]


def prepare() -> None:
    """Make a model to tag with."""
    use(with_segmenter(tiny_model()))


@contextmanager
def _set(*values: tuple[object, str, int]) -> Iterator[None]:
    before = [getattr(module, name) for module, name, _ in values]
    for module, name, value in values:
        setattr(module, name, value)
    try:
        yield
    finally:
        for (module, name, _), value in zip(values, before, strict=True):
            setattr(module, name, value)


def _file(content: bytes) -> Path:
    path = Path(_FOLDER.name) / "x"
    path.write_bytes(content)
    return path


def _outcome(call: Callable[[], Any], named: str) -> tuple[Any, str]:
    """What a call gives, or the message of the error that it may end with, which names the input."""
    try:
        return call(), ""
    except RnntagError as error:
        message = str(error)
    assert message.startswith(named), f"does not name its input: {message}"
    return None, message


# readers


def readers(data: bytes) -> None:
    """A byte for the reader, one for its options, one for the size of the blocks; the rest is the file."""
    kind, options, size, content = _head(data)
    path = _file(content)
    others = (lambda: _vectors(path), lambda: learning_curve.read(content, str(path)))
    place = kind % (len(CORPUS_FORMATS) + len(others))
    if place >= len(CORPUS_FORMATS):
        _outcome(others[place - len(CORPUS_FORMATS)], str(path))
        return
    tagsets = (("universal",), ("native",), ("universal", "native"))[options % 3]
    encoding = ENCODINGS[options // 3 % len(ENCODINGS)]

    def read() -> tuple[Sentence, ...]:
        return read_sentences(path, tagsets, encoding, CORPUS_FORMATS[place])

    sentences, message = _outcome(read, str(path))
    with _set((decoding, "BLOCK_BYTES", 4 + size % 60)):
        again, other_message = _outcome(read, str(path))
    if "looks like" not in message + other_message:  # which is told by what has come
        assert repr((again, other_message)) == repr((sentences, message)), "the size of a block shows"
    assert bool(message) == bool(other_message), "the size of a block shows"
    if sentences:
        _check_sentences(sentences)


def _head(data: bytes) -> tuple[int, int, int, bytes]:
    padded = data[:3].ljust(3, b"\0")
    return padded[0], padded[1], padded[2], data[3:]


def _vectors(path: Path) -> None:
    found = word_vectors.read(path, str.lower, ["the", "我"], 2)
    assert len(found.words) == len(found.matrix)
    assert bool((abs(found.matrix) < float("inf")).all())


def _check_sentences(sentences: Sequence[Sentence]) -> None:
    for sentence in sentences:
        assert all(sentence.tokens), "an empty word"
        assert not sentence.spaces or len(sentence.spaces) == len(sentence.tokens)
        assert not any(tag.split() != [tag] for column in sentence.tags.values() for tag in column), "space in a tag"
    if is_spaced(sentences):
        for paragraph in gold_paragraphs(sentences, "x"):
            assert all(paragraph.text[a:b] for a, b in paragraph.words)
    writer = registry.writer("jsonl", "upos")
    told = [(sentence.tokens, tags) for sentence in sentences for tags in [*sentence.tags.values()][:1]]
    written = "".join(writer.text(InputSentence(tokens), tags) for tokens, tags in told)
    again = read_sentences(_file(written.encode()), ("universal",), "utf-8", "jsonl")
    assert [(one.tokens, *one.tags.values()) for one in again] == told, "JSON lines do not read back"


# tag


_FIRST = "tsv", None, False
"""What is to be tagged with the tagger and the segmenter that all others use too."""


@cache
def _pipeline(output: str, top: int | None, coloured: bool) -> Pipeline:
    made = Pipeline(TagJob(_MODEL[0], ("upos",), output, top, coloured=coloured))
    if (output, top, coloured) != _FIRST:
        first = _pipeline(*_FIRST)
        made._tagger, made._segmenter = first._tagger, first._segmenter
    return made


def tag(data: bytes) -> None:
    """A byte for the formats, one for the encoding and one for the sizes of blocks; the rest is the input."""
    kind, options, size, content = _head(data)
    source, output = SOURCES[kind % 3], OUTPUT_FORMATS[kind // 3 % 4]
    top = (None, 2)[kind // 12 % 2] if output != "slash" else None
    encoding = ENCODINGS[options % len(ENCODINGS)]
    errors = decoding.DECODING_ERRORS[options // len(ENCODINGS) % 3]
    if encoding == "utf-16" and content[:2] not in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        content = codecs.BOM_UTF16_LE + content  # Python would guess
    expected, wrong = _decoded(content, encoding, errors)
    ours, message = _blocks(content, encoding, errors, 4 + size % 60)
    assert bool(message) == wrong, "decoded otherwise than Python does"
    assert "".join(ours) == expected, "decoded otherwise than Python does"
    pipeline = _pipeline(output, top, False)
    whole, message = _tagged(pipeline, source, [expected])
    if size % 3:
        with _set((chunks, "CHUNK_CHARS", 1 + size % 16), (chunks, "LONG_LINE", 2 + size % 40)):
            cut, other_message = _tagged(pipeline, source, ours)
        assert other_message == message, "where the input is cut shows in the error"
        assert cut == whole, "where the input is cut shows"
    _check(source, output, expected, whole.decode(), bool(message), top)
    if size % 3 == 0 and source != "conllu":
        small = [(records, "LONG_LINE", 2 + size % 40), (raw, "MARGIN", 1), (chunks, "LONG_LINE", 2 + size % 40)]
        if source == "tokens":
            small += [(windows, "WINDOW", 6), (windows, "OVERLAP", 2)]
        with _set(*small):
            in_pieces, _ = _tagged(pipeline, source, ours)
        _check(source, output, expected, in_pieces.decode(), False, top, pieces=True)
    if size % 3 == 0 and output == "slash":
        shown, _ = _tagged(_pipeline(output, None, True), source, [expected])
        left = CONTROL.search(COLOUR.sub("", shown.decode()))
        assert not left, f"a terminal gets {left[0]!r}"


def _decoded(content: bytes, encoding: str, errors: str) -> tuple[str, bool]:
    """As far as Python decodes it, and whether it then stops."""
    if errors == "strict" and decoding.wide_encoding(content, encoding):
        return "", True
    wrong = False
    try:
        found = content.decode(encoding, errors)
    except UnicodeDecodeError as error:
        wrong = True
        valid = content[: error.start].decode("utf-8", "replace")
        found = valid if encoding == "utf-8" else "".join(_blocks(content, encoding, errors, 1 << 17)[0])
    found = found.removeprefix("\ufeff")
    half = re.search("[\ud800-\udfff]", found)
    if half and errors == "strict":
        return found[: half.start()], True
    return re.sub("[\ud800-\udfff]", {"replace": "\ufffd"}.get(errors, ""), found), wrong


def _blocks(content: bytes, encoding: str, errors: str, size: int) -> tuple[list[str], str]:
    descriptor = os.open(_file(content), os.O_RDONLY)
    found: list[str] = []
    try:
        with _set((decoding, "BLOCK_BYTES", size)):
            _, message = _outcome(lambda: found.extend(decoding.text_blocks(descriptor, "x", encoding, errors)), "x:")
    finally:
        os.close(descriptor)
    return found, message


def _tagged(pipeline: Pipeline, source: str, blocks: Iterable[str]) -> tuple[bytes, str]:
    found: list[bytes] = []
    pieces = chunks.chunks([Input("x", source, blocks)])
    _, message = _outcome(lambda: found.extend(chain.from_iterable(map(pipeline.tag, pieces))), "x:")
    return b"".join(found), message


def _check(
    source: str, output: str, given: str, out: str, wrong: bool, top: int | None, *, pieces: bool = False
) -> None:
    """The words of the input, and no others, are in the output, in lines and sentences as they should be."""
    expected, lines = _sentences(source, given)
    if source == "conllu" and output == "conllu":
        _check_treebank(given, out, wrong)
    found = _read(output, out)
    if source == "conllu" and output == "slash":
        expected = [["_".join(word.split()) for word in sentence] for sentence in expected]
    if source == "raw":
        words = list(chain.from_iterable(found))
        assert "".join(words) == "".join(given.split()), "raw text is not what it was"
        assert not any(word.split() != [word] for word in words if not pieces), "white space in a word"
    else:
        full = list(filter(None, found))
        assert full == expected[: len(full)], "words are not what they were"
        assert wrong or len(full) == len(expected), "sentences are lost"
    if source == "tokens" and output in ("slash", "jsonl"):
        assert out.count("\n") == lines, "lines are lost"
    if source == "tokens" and output == "tsv":
        assert out.count("\n") == len(expected) + sum(map(len, expected)), "lines are lost"


def _sentences(source: str, given: str) -> tuple[list[list[str]], int]:
    lines = given.split("\n")
    if not lines[-1]:
        lines.pop()
    if source != "conllu":
        return list(filter(None, map(str.split, lines))), len(lines)
    found: list[list[str]] = [[]]
    for line in lines:
        if not line.strip():
            found.append([])
        elif not line.startswith("#") and re.fullmatch(" *[0-9]+ *", line.split("\t")[0]) and "\t" in line:
            found[-1].append(line.split("\t")[1].strip(" "))
    return list(filter(None, found)), len(lines)


def _check_treebank(given: str, out: str, wrong: bool) -> None:
    before = [line.removesuffix("\r") for line in given.split("\n")]
    after = out.split("\n")
    assert wrong or len(after) - len(before) in (0, 1, 2), "lines are lost"
    for old, new in zip(before, after[:-1], strict=False):
        if old != new and (old.strip() or new):
            a, b = old.split("\t"), new.split("\t")
            assert len(a) == len(b) >= 10
            assert {i for i in range(len(a)) if a[i] != b[i]} <= {3, 9}, "more than a tag is new"


def _read(output: str, out: str) -> list[list[str]]:
    found: list[list[str]]
    if output == "slash":
        items = [line.split(" ") if line else [] for line in out.split("\n")]
        assert all(item.rpartition("/")[2] for line in items for item in line), "an item without a tag"
        return [[item.rpartition("/")[0] for item in line] for line in items]
    if output == "vertical":  # a line without a tab is markup
        found = [[]]
        for line in out.split("\n"):
            if line == "</s>":
                found.append([])
            elif "\t" in line:
                found[-1].append(line.split("\t")[0])
        return found
    if output == "tsv":
        found = [[]]
        for line in out.split("\n"):
            if line:
                assert line.count("\t") >= 1, "a line without a tag"
                found[-1].append(line.split("\t")[0])
            else:
                found.append([])
        return found
    if output == "jsonl":
        records = [json.loads(line) for line in out.split("\n")[:-1]]
        columns = [[column for name, column in record.items() if name != "multiwords"] for record in records]
        assert all(len({*map(len, own)}) == 1 for own in columns), "columns of several lengths"
        return [record["tokens"] for record in records]
    return [[*found.column(1)] for found in conllu.read(out.split("\n"), "out")]


TARGETS: dict[str, Callable[[bytes], None]] = {"readers": readers, "tag": tag}
