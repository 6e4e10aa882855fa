"""Reads and writes CoNLL-U (https://universaldependencies.org/format.html)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

from rnntag.errors import DataError, OnFault, UsageError, stop
from rnntag.formats.conllu_sentence import (
    COLUMNS,
    CONLLU,
    FORM,
    ID,
    UPOS_COLUMN,
    WORD_ID,
    XPOS_COLUMN,
    Columns,
    ConlluSentence,
    escaped,
    probabilities,
    spacing,
)
from rnntag.formats.decoding import LineSplitter
from rnntag.formats.records import (
    CorpusFile,
    InputSentence,
    Offsets,
    Record,
    Writer,
    WriterOptions,
    checked_tag,
    one_line,
)
from rnntag.sentences import UNTAGGED, UPOS, Multiword, Sentence, Tags, with_tags

GLOBAL_COLUMNS = re.compile(r"^\ufeff?#[^\S\n]*global\.columns[^\S\n]*=(.*)", re.MULTILINE)
"""The CoNLL-U Plus comment that names the columns of the lines below it."""

NEW_DOCUMENT = re.compile(r"#\s*newdoc\b")

_BLANKS = "\t_" * 7
"""The columns of a range between FORM and MISC."""

MOST_LINES = 10_000
"""The most comment and blank lines that are buffered before a sentence."""


class ConlluReader:
    """Builds sentences from lines, fed in any number at a time.

    Args:
        source: the input's name in error messages.
        line: how many lines precede the first one fed.
        columns: the last preceding line that names columns (see `GLOBAL_COLUMNS`), or "".
        on_fault: called for each bad line; if it returns, the sentence is skipped.
    """

    def __init__(self, source: str, line: int = 0, columns: str = "", on_fault: OnFault = stop) -> None:
        self._source = source
        self._on_fault = on_fault
        self._columns = CONLLU
        named = GLOBAL_COLUMNS.match(columns)
        if named:
            self._columns = Columns(named[1].split(), source)
        self._faulty = False  # whether the current sentence has a bad line
        self._number = line
        self._first = 0
        self._lines: list[str] = []
        self._rows: list[int] = []

    def feed(self, lines: Iterable[str]) -> Iterator[ConlluSentence]:
        """The sentences that `lines` complete.

        Args:
            lines: without line ends.

        Raises:
            DataError: a line is not CoNLL-U; the message has its number.
        """
        for line in lines:
            self._number += 1
            line = line.removeprefix("\ufeff")  # concatenated files
            if not line.strip():
                if self._rows:
                    yield from self.finish()
                    continue
            elif self._columns.is_comment(line):
                if named := GLOBAL_COLUMNS.match(line):
                    self._rename(named[1].split())
            elif self._is_word(line):
                self._rows.append(len(self._lines))
            if not self._lines:
                self._first = self._number
            self._lines.append(line)
            if not self._rows and len(self._lines) >= MOST_LINES:
                yield from self.finish()

    def finish(self) -> Iterator[ConlluSentence]:
        """The sentence that the end of the input completes, if any."""
        if self._lines and not self._faulty:
            yield ConlluSentence(self._first, tuple(self._lines), tuple(self._rows), self._columns)
        self._lines, self._rows, self._faulty = [], [], False

    def _rename(self, names: list[str]) -> None:
        if self._rows:
            self._fault("# global.columns is inside a sentence")
            return
        try:
            self._columns = Columns(names, f"{self._source}:{self._number}")
        except DataError as error:
            self._on_fault(error)

    def _is_word(self, line: str) -> bool:
        fields = line.split("\t")
        place = self._columns.places[ID]
        number = str(len(self._rows) + 1) if place is None else fields[min(place, len(fields) - 1)].strip(" ")
        identifier = WORD_ID.fullmatch(number)
        wrong = self._columns.fault(line, fields)
        if wrong or identifier is None:
            self._fault(_header(fields) or wrong or f"{number!r} is not a CoNLL-U word number")
            return True
        is_word = identifier["word"] is not None
        empty = "" in fields and self._columns.first_empty(fields)
        if empty:
            wrong = f"column {empty} is empty: use _ for an empty value"
        elif is_word and not fields[self._columns.place(FORM, "")].strip():
            wrong = f"word {number} has no form"
        elif not self._faulty:  # after a bad line, every number would be wrong
            wrong = self._misplaced(number, identifier)
        if wrong:
            self._fault(wrong)
        return is_word

    def _misplaced(self, number: str, identifier: re.Match[str]) -> str:
        due = len(self._rows) + 1
        if identifier["word"] and int(number) != due:
            hint = ": is an empty line missing before it?" if number == "1" else ""
            return f"found word {number}, expected word {due} of the sentence{hint}"
        if identifier["first"] and not due == int(identifier["first"]) <= int(identifier["last"]):
            return f"the range {number} must begin at word {due} and end at or after it"
        if identifier["before"] and int(identifier["before"]) != due - 1:
            return f"the empty node {number} must follow word {due - 1}"
        return ""

    def _fault(self, what: str) -> None:
        self._faulty = True
        self._on_fault(f"{self._source}:{self._number}: {what}")


def _header(fields: Sequence[str]) -> str:
    """What is wrong with a line that names the columns, or ""."""
    names = [field.strip().upper() for field in fields]
    if not {"ID", "FORM"} <= set(names):
        return ""
    other = "" if tuple(names) == COLUMNS else f", or begin the file with # global.columns = {' '.join(names)}"
    return f"looks like a header: remove this line{other}"


class ConlluTextReader:
    """A `records.Reader` of CoNLL-U."""

    def __init__(self, source: str, line: int = 0, columns: str = "") -> None:
        self._lines = LineSplitter()
        self._reader = ConlluReader(source, line, columns)

    def feed(self, text: str) -> Iterator[InputSentence]:
        yield from map(_to_tag, self._reader.feed(self._lines.feed(text)))

    def finish(self) -> Iterator[InputSentence]:
        yield from map(_to_tag, chain(self._reader.feed(self._lines.finish()), self._reader.finish()))


def _to_tag(sentence: ConlluSentence) -> InputSentence:
    return InputSentence(sentence.column(FORM), sentence)


def read(lines: Iterable[str], source: str, on_fault: OnFault = stop) -> Iterator[ConlluSentence]:
    """The sentences of `lines` that have words; see `ConlluReader`."""
    reader = ConlluReader(source, on_fault=on_fault)
    for sentence in chain(reader.feed(lines), reader.finish()):
        if sentence.rows:
            yield sentence


def sentences(file: CorpusFile) -> Iterator[Sentence]:
    """The tagged sentences of a file, with the white space after each word if it is known.

    `universal` tags are read from UPOS, `native` ones from XPOS. `_` is a word without a tag. An unknown UPOS tag is a
    fault, and so is a file without any tag in a column; but if both are wanted, a file without any XPOS tag only has
    universal tags."""
    found = read(file.lines, file.source, file.on_fault)
    has_native = "native" in file.tagsets
    if has_native and "universal" in file.tagsets:
        has_native, found = _has_xpos(found)
    wanted = {"upos": UPOS_COLUMN} if "universal" in file.tagsets else {}
    if has_native:
        wanted[file.native] = XPOS_COLUMN
    unseen = dict(wanted)
    first = 0
    for sentence in found:
        first = first or sentence.number + sentence.rows[0]
        tags = with_tags({tagset: _tags(sentence, column, file) for tagset, column in wanted.items()})
        for tagset in tags:
            unseen.pop(tagset, None)
        spaces, multiwords = sentence.layout()
        opens = sentence.opens_paragraph
        yield Sentence(sentence.column(FORM), tags, spaces=spaces, opens=opens, multiwords=multiwords)
    for column in unseen.values() if first else ():
        remedy = {"tagset": "universal" if column == XPOS_COLUMN else "native"}
        file.fault(first, f"no word has a tag in {COLUMNS[column]}", remedy)


def _has_xpos(sentences: Iterator[ConlluSentence]) -> tuple[bool, Iterator[ConlluSentence]]:
    """Whether any word has an XPOS tag, and the sentences."""
    untagged = []
    for sentence in sentences:
        untagged.append(sentence)
        if {*sentence.column(XPOS_COLUMN)} != {"_"}:
            return True, chain(untagged, sentences)
    return False, iter(untagged)


def _tags(sentence: ConlluSentence, column: int, file: CorpusFile) -> tuple[str, ...]:
    tags = tuple(UNTAGGED if tag == "_" else tag for tag in sentence.column(column))
    for row, tag in zip(sentence.rows, tags, strict=True):
        try:
            if tag and column == UPOS_COLUMN:
                _check_upos(tag)
            elif tag:
                checked_tag(tag, "the XPOS tag")
        except DataError as error:
            file.fault(sentence.number + row, error)
    return tags


def _check_upos(tag: str) -> None:
    if tag not in UPOS:
        hint = f"did you mean {tag.upper()}?" if tag.upper() in UPOS else f"use one of {' '.join(UPOS)}"
        raise DataError(f"{tag!r} is not a UPOS tag: {hint}")


class ConlluWriter(Writer):
    """Tags of the tagset `upos` go into UPOS, others into XPOS. In CoNLL-U input only these columns change. Other
    sentences get `# sent_id`, `# text` and, for raw text, ranges and the white space in MISC. `# newdoc` names the
    document."""

    suffix = ".conllu"
    whole = True

    def __init__(self, tagsets: tuple[str, ...], options: WriterOptions) -> None:
        super().__init__(tagsets, options)
        self._number = options.number
        self._places = [UPOS_COLUMN if tagset == "upos" else XPOS_COLUMN for tagset in tagsets]
        if len({*self._places}) < len(tagsets):
            raise UsageError(
                f"CoNLL-U has a column for upos and one for another tagset, not for {', '.join(tagsets)}",
                remedy={"output": "tsv"},
            )

    def _space(self, offsets: Offsets) -> str:
        return f"# SpacesAfter={escaped(offsets.before)}\n\n"

    def _core(self, sentence: InputSentence, tokens: Sequence[str], columns: Sequence[Tags]) -> str:
        by_place = dict(sorted(zip(self._places, columns, strict=True)))
        if isinstance(sentence.source, Record):
            tokens = [*map(one_line, tokens)]
        if isinstance(sentence.source, ConlluSentence):
            if self._options.lenient and len(by_place) > 1 and sentence.source.columns.places[XPOS_COLUMN] is None:
                del by_place[XPOS_COLUMN]
            again = self._with_document(sentence.source, sentence.source.with_tags(by_place))
            return "\n".join([*again, "", ""] if tokens else [*again, ""])
        if not sentence.tokens:
            return ""  # CoNLL-U has no empty sentences
        if offsets := sentence.offsets:
            words = rows(1, tokens, by_place, *_spaces(offsets), offsets.multiwords)
            opening = [*self._newdoc(), *["# newpar"] * (offsets.number == 1)]
            name = f"# sent_id = {offsets.paragraph}-{offsets.number}"
            return "\n".join([*opening, name, f"# text = {offsets.in_one_line}", *words, "", ""])
        lines = []
        if not self._written:
            self._number += 1
            lines += self._newdoc()
            lines.append(f"# sent_id = {self._number}")
            if sentence.ends:  # a sentence in windows has no # text
                lines.append(f"# text = {' '.join(tokens)}")
        lines += rows(self._written + 1, tokens, by_place)
        return "\n".join([*lines, sentence.line_end])

    def _newdoc(self) -> list[str]:
        """The comment that begins a document, before its first sentence."""
        opens, self._opens = self._opens, False
        return [f"# newdoc id = {' '.join(self._options.document.split())}"] * bool(opens and self._options.document)

    def _with_document(self, sentence: ConlluSentence, lines: Sequence[str]) -> Sequence[str]:
        """The lines of a sentence of CoNLL-U input, which may name its document itself."""
        if not self._opens or not sentence.rows:
            return lines
        named = any(NEW_DOCUMENT.match(line) for line in lines)
        first = next(place for place, line in enumerate(lines) if not GLOBAL_COLUMNS.match(line))
        newdoc = self._newdoc()
        return lines if named else [*lines[:first], *newdoc, *lines[first:]]


def _spaces(offsets: Offsets) -> tuple[list[str], list[str]]:
    """The white space around each word and around each multiword token, as MISC attributes. Around the words of a
    multiword token there is none."""
    nexts = [begin for begin, _ in offsets.words[1:]] + [offsets.stop]
    after = [offsets.text[end:begin] for (_, end), begin in zip(offsets.words, nexts, strict=True)]
    before = [offsets.before, *[""] * (len(after) - 1)]
    notes = list(map(spacing, before, after))
    ranges = []
    for each in offsets.multiwords:
        ranges.append(spacing(before[each.first], after[each.end - 1]))
        notes[each.first : each.end] = [""] * len(each.words)
    return notes, ranges


def rows(
    first: int,
    tokens: Sequence[str],
    tags: Mapping[int, Tags],
    spaces: Sequence[str] = (),
    range_spaces: Sequence[str] = (),
    multiwords: Sequence[Multiword] = (),
) -> list[str]:
    """Words as lines, numbered from `first`, and multiword tokens as ranges.

    Args:
        tags: by column, UPOS or XPOS.
        spaces: the MISC attributes for the white space around each word (see `spacing`), or empty.
        range_spaces: those of each multiword token.
    """
    blank = ["_"] * len(tokens)
    upos, xpos = (tags[column].tags if column in tags else blank for column in (UPOS_COLUMN, XPOS_COLUMN))
    ranges = {
        each.first: f"{first + each.first}-{first + each.end - 1}\t{each.token}{_BLANKS}\t{misc or '_'}"
        for each, misc in zip(multiwords, range_spaces, strict=True)
    }
    lines = []
    for position, row in enumerate(zip(tokens, upos, xpos, strict=True)):
        if position in ranges:
            lines.append(ranges[position])
        notes = [*spaces[position : position + 1], *probabilities(tags, position)]
        misc = "|".join(filter(None, notes)) or "_"
        lines.append("{}\t{}\t_\t{}\t{}\t_\t_\t_\t_\t{}".format(first + position, *row, misc))
    return lines
