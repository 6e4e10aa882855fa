"""CoNLL-U (https://universaldependencies.org/format.html): lines to sentences, sentences to lines.

Lines may have further columns behind the ten. In CoNLL-U Plus (https://universaldependencies.org/ext-format.html) a
comment `# global.columns = ID FORM UPOS …` names the columns of the lines after it.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rnntag.errors import DataError, OnFault, stop
from rnntag.sentences import UPOS, TagProbs

SUFFIXES = (".conllu", ".conllup", ".conll")
COLUMNS = ("ID", "FORM", "LEMMA", "UPOS", "XPOS", "FEATS", "HEAD", "DEPREL", "DEPS", "MISC")
MOST_LINES = 10_000
"""Lines without a word that are held, at most, until a word comes."""

ID, FORM, UPOS_COLUMN, XPOS_COLUMN, MISC_COLUMN = 0, 1, 3, 4, 9
"""Of `COLUMNS`."""

GLOBAL_COLUMNS = re.compile(r"^\ufeff?#[^\S\n]*global\.columns[^\S\n]*=(.*)", re.MULTILINE)

_ID = re.compile(
    r"(?P<word>[1-9][0-9]{0,8})|(?P<first>[1-9][0-9]{0,8})-(?P<last>[1-9][0-9]{0,8})"
    r"|(?P<before>0|[1-9][0-9]{0,8})\.[1-9][0-9]{0,8}"
)
_OPENING = re.compile(r"#\s*new(doc|par)\b")
_ESCAPES = {" ": r"\s", "\t": r"\t", "\r": r"\r", "\n": r"\n", "|": r"\p", "\\": r"\\"}
_ESCAPED = {escape: character for character, escape in _ESCAPES.items()}
_UNESCAPE = re.compile(r"\\[strnp\\]")
_OLD_CHOICE = re.compile(r"_$|(Confidence|Tag)[0-9]*=")


class Columns:
    """Where the columns are in the lines of a file.

    Attributes:
        names: of the columns that a line must have; it may have more.
        places: for each of `COLUMNS` its place among them, or None.

    Args:
        names: None for those of CoNLL-U.
        where: the file and line that name them.

    Raises:
        DataError: FORM or UPOS is not among them, or a column is there twice.
    """

    def __init__(self, names: Sequence[str] | None = None, where: str = "") -> None:
        self._where = where
        self.names = COLUMNS if names is None else tuple(map(str.upper, names))
        for name in COLUMNS:
            if self.names.count(name) > 1:
                raise DataError(f"{where}: # global.columns names {name} twice")
        self.places = tuple(self.names.index(name) if name in self.names else None for name in COLUMNS)
        self.place(FORM, "the column of the words")
        self.place(UPOS_COLUMN, "the column of the tags")
        self._of_conllu = names is None

    def place(self, column: int, what: str) -> int:
        """The place of one of `COLUMNS`.

        Args:
            what: it is for.

        Raises:
            DataError: the file does not have it.
        """
        place = self.places[column]
        if place is None:
            raise DataError(f"{self._where}: # global.columns names no {COLUMNS[column]}, {what}")
        return place

    def is_comment(self, line: str) -> bool:
        """Whether a line is one. A word may begin with # if forms come first."""
        return line.startswith("#") and (self.places[ID] == 0 or line.count("\t") < len(self.names) - 1)

    def first_empty(self, fields: Sequence[str]) -> int:
        """The number, from 1, of the first of `COLUMNS` that is empty; 0 if there is none."""
        return min([place + 1 for place in self.places if place is not None and not fields[place]], default=0)

    def fault(self, line: str, fields: Sequence[str]) -> str:
        """What is wrong with the number of a line's columns, or ""."""
        if len(fields) == len(self.names) or (len(fields) > len(self.names) and "\r" not in line):
            return ""
        due = f"CoNLL-U has {len(self.names)}" if self._of_conllu else f"# global.columns names {len(self.names)}"
        hint = ""
        if "\r" in line:
            hint = ": its lines end in carriage returns alone, not in line feeds"
        elif "\t" not in line and len(line.split()) >= len(self.names):
            hint = ": its columns are separated by spaces"
        return f"{len(fields)} columns separated by tabs where {due}{hint}"


CONLLU = Columns()


@dataclass(frozen=True, slots=True)
class ConlluSentence:
    """One sentence as it stands in a file.

    Attributes:
        number: line number of the first line, counted from 1.
        lines: all lines but the empty one at its end: comments, multiword ranges and empty nodes
            too, and what stood between it and the sentence before.
        rows: which of `lines` are words; none where a file ends in comments, or has very many.
        columns: of the lines that are no comments.
    """

    number: int
    lines: tuple[str, ...]
    rows: tuple[int, ...]
    columns: Columns = CONLLU

    def column(self, column: int) -> tuple[str, ...]:
        """One of `COLUMNS`, of the words, without spaces around; `_` where the file does not have it."""
        place = self.columns.places[column]
        if place is None:
            return ("_",) * len(self.rows)
        return tuple(self.lines[row].split("\t")[place].strip(" ") for row in self.rows)

    @property
    def opens_paragraph(self) -> bool:
        """Whether a comment says that a document or a paragraph begins with it."""
        return any(_OPENING.match(line) for line in self.lines)

    def spaces(self) -> tuple[str, ...]:
        """The white space that follows each word in the text; empty if nothing tells, or if it has words that
        do not stand in the text as they are, such as French `de le` for `du`."""
        found: list[str] = []
        surface, last, after = "", 0, ""
        id_place, misc_place = self.columns.places[ID], self.columns.places[MISC_COLUMN]
        form_place = self.columns.place(FORM, "")
        if misc_place is None:
            return ()
        for line in self.lines:
            if self.columns.is_comment(line) or not line.strip():
                continue
            fields = line.split("\t")
            form, misc = fields[form_place].strip(" "), fields[misc_place]
            identifier = None if id_place is None else _ID.fullmatch(fields[id_place].strip(" "))
            if not identifier:
                found.append(_space(misc))
            elif identifier["first"]:
                surface, last, after = form, int(identifier["last"]), _space(misc)
            elif identifier["word"]:
                number = int(identifier["word"])
                if number > last:
                    found.append(_space(misc))
                    continue
                if not surface.startswith(form) or (number == last) != (surface == form):
                    return ()
                surface = surface.removeprefix(form)
                found.append("" if number < last else after)
        return tuple(found)

    def with_tags(self, column: int, tags: Sequence[str], tag_probs: Sequence[TagProbs] = ()) -> tuple[str, ...]:
        """The lines with other tags in one column of the words.

        Args:
            tag_probs: for each word what to say in MISC of its likeliest tags; see `rows`.

        Raises:
            DataError: the file does not have the column, or no MISC for the probabilities.
        """
        lines = list(self.lines)
        place = self.columns.place(column, "where the tags go") if self.rows else 0
        misc_place = self.columns.place(MISC_COLUMN, "where probabilities go") if tag_probs else 0
        for position, (row, tag) in enumerate(zip(self.rows, tags, strict=True)):
            fields = lines[row].split("\t")
            fields[place] = tag
            if tag_probs:
                items = [item.strip(" ") for item in fields[misc_place].split("|")]
                kept = [item for item in items if item and not _OLD_CHOICE.match(item)]
                fields[misc_place] = "|".join([*kept, _misc(tag_probs[position])])
            lines[row] = "\t".join(fields)
        return tuple(lines)


def _space(misc: str) -> str:
    for attribute in misc.split("|"):
        name, _, value = attribute.partition("=")
        if name.strip() == "SpacesAfter":
            return _UNESCAPE.sub(lambda found: _ESCAPED[found[0]], value.strip(" "))
        if name.strip() == "SpaceAfter" and value.strip() == "No":
            return ""
    return " "


def spacing(before: str, after: str) -> str:
    """What MISC says of the white space before a word, if no other stands before that, and after it:
    UD's `SpaceAfter`, and where this does not do, UDPipe's `SpacesBefore` and `SpacesAfter`
    (https://ufal.mff.cuni.cz/udpipe/1/users-manual). "" is one space after it."""
    notes = [f"SpacesBefore={escaped(before)}"] * bool(before)
    if after != " ":
        notes.append(f"SpacesAfter={escaped(after)}" if after else "SpaceAfter=No")
    return "|".join(notes)


def escaped(space: str) -> str:
    """White space as UDPipe's attributes hold it."""
    return "".join([_ESCAPES.get(character, character) for character in space])


def _misc(choice: TagProbs) -> str:
    attributes = [f"Confidence={choice[0][1]:.4f}"]
    for rank, (tag, probability) in enumerate(choice[1:], 2):
        escaped = tag.replace("|", r"\p")  # as UDPipe writes it
        attributes.append(f"Tag{rank}={escaped}|Confidence{rank}={probability:.4f}")
    return "|".join(attributes)


class ConlluReader:
    """Gathers lines into sentences, however they arrive.

    Args:
        source: what errors call the input.
        line: how many of its lines stand before those that come.
        columns: the last of them that names columns, see `GLOBAL_COLUMNS`, or "".
        on_fault: what is done about a line that is wrong; if it goes on, its sentence is left out.
    """

    def __init__(self, source: str, line: int = 0, columns: str = "", on_fault: OnFault = stop) -> None:
        self._source = source
        self._on_fault = on_fault
        self._columns = CONLLU
        named = GLOBAL_COLUMNS.match(columns)
        if named:
            self._columns = Columns(named[1].split(), source)
        self._faulty = False  # whether a line of the sentence is
        self._number = line
        self._first = 0
        self._lines: list[str] = []
        self._rows: list[int] = []

    def feed(self, lines: Iterable[str]) -> Iterator[ConlluSentence]:
        """The sentences that `lines` complete.

        Raises:
            DataError: a line is no CoNLL-U, with its number.
        """
        for line in lines:
            self._number += 1
            line = line.removeprefix("\ufeff")  # of a file that others have been joined with
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
        """What the end of the input completes, if anything."""
        if self._lines and not self._faulty:
            yield ConlluSentence(self._first, tuple(self._lines), tuple(self._rows), self._columns)
        self._lines, self._rows, self._faulty = [], [], False

    def _rename(self, names: list[str]) -> None:
        if self._rows:
            self._fault("# global.columns stands inside a sentence")
            return
        try:
            self._columns = Columns(names, f"{self._source}:{self._number}")
        except DataError as error:
            self._on_fault(str(error))

    def _is_word(self, line: str) -> bool:
        fields = line.split("\t")
        place = self._columns.places[ID]
        number = str(len(self._rows) + 1) if place is None else fields[min(place, len(fields) - 1)].strip(" ")
        identifier = _ID.fullmatch(number)
        wrong = self._columns.fault(line, fields)
        if wrong or identifier is None:
            self._fault(_header(fields) or wrong or f"{number!r} is no CoNLL-U word number")
            return True
        is_word = identifier["word"] is not None
        empty = "" in fields and self._columns.first_empty(fields)
        if empty:
            wrong = f"column {empty} is empty: CoNLL-U has _ there"
        elif is_word and not fields[self._columns.place(FORM, "")].strip():
            wrong = f"word {number} has no form"
        elif not self._faulty:  # else every number after a faulty line would be wrong
            wrong = self._misplaced(number, identifier)
        if wrong:
            self._fault(wrong)
        return is_word

    def _misplaced(self, number: str, identifier: re.Match[str]) -> str:
        due = len(self._rows) + 1
        if identifier["word"] and int(number) != due:
            hint = ": is an empty line missing before it?" if number == "1" else ""
            return f"word {number} where word {due} of the sentence is due{hint}"
        if identifier["first"] and not due == int(identifier["first"]) <= int(identifier["last"]):
            return f"the range {number} does not begin at word {due}, which is due, or ends before it"
        if identifier["before"] and int(identifier["before"]) != due - 1:
            return f"the empty node {number} does not follow word {due - 1}"
        return ""

    def _fault(self, what: str) -> None:
        self._faulty = True
        self._on_fault(f"{self._source}:{self._number}: {what}")


def _header(fields: Sequence[str]) -> str:
    """What to say of a line that names the columns, or ""."""
    names = [field.strip().upper() for field in fields]
    if not {"ID", "FORM"} <= set(names):
        return ""
    other = "" if tuple(names) == COLUMNS else f", or begin the file with # global.columns = {' '.join(names)}"
    return f"looks like a header: remove this line{other}"


def read(lines: Iterable[str], source: str, on_fault: OnFault = stop) -> Iterator[ConlluSentence]:
    """All sentences of `lines` that have words; see `ConlluReader`."""
    reader = ConlluReader(source, on_fault=on_fault)
    for sentence in itertools.chain(reader.feed(lines), reader.finish()):
        if sentence.rows:
            yield sentence


def rows(
    first: int,
    tokens: Sequence[str],
    tags: Sequence[str],
    tagset: str,
    tag_probs: Sequence[TagProbs] = (),
    spaces: Sequence[str] = (),
) -> list[str]:
    """Words as lines, numbered from `first`.

    Tags of UD's own tagset go into the column UPOS, others into XPOS.

    Args:
        tag_probs: for each word its likeliest tags, the chosen one first; or none. MISC tells the
            probability of the first as `Confidence`, and the others as `Tag2`, `Confidence2`, …
        spaces: for each word what MISC says of the white space around it, see `spacing`; or none.
    """
    lines = []
    for position, (token, tag) in enumerate(zip(tokens, tags, strict=True)):
        upos, xpos = (tag, "_") if tagset == "upos" else ("_", tag)
        notes = (spaces[position] if spaces else "", _misc(tag_probs[position]) if tag_probs else "")
        misc = "|".join(filter(None, notes)) or "_"
        lines.append(f"{first + position}\t{token}\t_\t{upos}\t{xpos}\t_\t_\t_\t_\t{misc}")
    return lines


def check_upos(sentence: ConlluSentence, tags: Sequence[str], source: str, on_fault: OnFault = stop) -> None:
    """OnFault tags that are not on UD's list, with their lines."""
    for row, tag in zip(sentence.rows, tags, strict=True):
        if tag not in UPOS:
            where = f"{source}:{sentence.number + row}"
            if tag == "_":
                on_fault(f"{where}: the word has no UPOS tag")
                continue
            hint = f": did you mean {tag.upper()}?" if tag.upper() in UPOS else f": UPOS has {' '.join(UPOS)}"
            on_fault(f"{where}: {tag!r} is no UPOS tag{hint}")
