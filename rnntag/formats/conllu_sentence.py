"""One CoNLL-U sentence (https://universaldependencies.org/format.html): its lines and columns.

Lines may have more than ten columns. In CoNLL-U Plus (https://universaldependencies.org/ext-format.html) a comment
`# global.columns = ID FORM UPOS …` names the columns of the lines below it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rnntag.errors import DataError
from rnntag.sentences import Multiword, Tags

COLUMNS = ("ID", "FORM", "LEMMA", "UPOS", "XPOS", "FEATS", "HEAD", "DEPREL", "DEPS", "MISC")

ID, FORM, UPOS_COLUMN, XPOS_COLUMN, MISC_COLUMN = 0, 1, 3, 4, 9
"""Indices into `COLUMNS`."""

WORD_ID = re.compile(
    r"(?P<word>[1-9][0-9]{0,8})|(?P<first>[1-9][0-9]{0,8})-(?P<last>[1-9][0-9]{0,8})"
    r"|(?P<before>0|[1-9][0-9]{0,8})\.[1-9][0-9]{0,8}"
)
"""The ID of a word, a multiword token or an empty node."""

_OPENING = re.compile(r"#\s*new(doc|par)\b")
_ESCAPES = {" ": r"\s", "\t": r"\t", "\r": r"\r", "\n": r"\n", "|": r"\p", "\\": r"\\"}
_ESCAPED = {escape: character for character, escape in _ESCAPES.items()}
_UNESCAPE = re.compile(r"\\[strnp\\]")
_OLD_CHOICE = re.compile(r"_$|(?:XPOS)?(Confidence|Tag)[0-9]*=")


class Columns:
    """The columns of a file.

    Attributes:
        names: the columns that each line must have; it may have more.
        places: the index of each of `COLUMNS` in `names`, or None.

    Args:
        names: None for CoNLL-U.
        where: the file and line that name the columns.

    Raises:
        DataError: FORM or UPOS is missing, or a column is named twice.
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
        """The index of one of `COLUMNS` in a line.

        Args:
            what: describes the column in the error.

        Raises:
            DataError: the file does not have the column.
        """
        place = self.places[column]
        if place is None:
            raise DataError(f"{self._where}: # global.columns lacks {COLUMNS[column]}, {what}")
        return place

    def is_comment(self, line: str) -> bool:
        """Whether a line is a comment. If FORM is the first column, a word may begin with #."""
        return line.startswith("#") and (self.places[ID] == 0 or line.count("\t") < len(self.names) - 1)

    def first_empty(self, fields: Sequence[str]) -> int:
        """The first empty column of `COLUMNS`, counted from 1, or 0."""
        return min([place + 1 for place in self.places if place is not None and not fields[place]], default=0)

    def fault(self, line: str, fields: Sequence[str]) -> str:
        """What is wrong with the number of columns, or ""."""
        if len(fields) == len(self.names) or (len(fields) > len(self.names) and "\r" not in line):
            return ""
        due = f"CoNLL-U has {len(self.names)}" if self._of_conllu else f"# global.columns names {len(self.names)}"
        hint = ""
        if "\r" in line:
            hint = ": its lines end in carriage returns, not in line feeds"
        elif "\t" not in line and len(line.split()) >= len(self.names):
            hint = ": its columns are separated by spaces"
        return f"{len(fields)} tab-separated columns where {due}{hint}"


CONLLU = Columns()


@dataclass(frozen=True, slots=True)
class ConlluSentence:
    """A sentence as it is in the file.

    Attributes:
        number: of the first line, counted from 1.
        lines: all lines since the previous sentence, without the blank line at the end: comments, multiword tokens
            and empty nodes included.
        rows: indices of the word lines; empty for comments without a sentence.
        columns: of all lines but comments.
    """

    number: int
    lines: tuple[str, ...]
    rows: tuple[int, ...]
    columns: Columns = CONLLU

    def column(self, column: int) -> tuple[str, ...]:
        """One of `COLUMNS` for all words, stripped of spaces; `_` if the file does not have it."""
        place = self.columns.places[column]
        if place is None:
            return ("_",) * len(self.rows)
        return tuple(self.lines[row].split("\t")[place].strip(" ") for row in self.rows)

    @property
    def opens_paragraph(self) -> bool:
        """Whether a comment marks the beginning of a document or a paragraph."""
        return any(_OPENING.match(line) for line in self.lines)

    def layout(self) -> tuple[tuple[str, ...], tuple[Multiword, ...]]:
        """The white space after each word, from MISC, and the multiword tokens. Both are empty without a MISC column,
        if ranges overlap, or if one has no form or fewer than two words."""
        spaces: list[str] = []
        multiwords: list[Multiword] = []
        surface, first, last, after = "", 0, 0, ""
        words: list[str] = []  # of the range
        id_place, misc_place = self.columns.places[ID], self.columns.places[MISC_COLUMN]
        form_place = self.columns.place(FORM, "")
        if misc_place is None:
            return (), ()
        for line in self.lines:
            if self.columns.is_comment(line) or not line.strip():
                continue
            fields = line.split("\t")
            form, misc = fields[form_place].strip(" "), fields[misc_place]
            identifier = None if id_place is None else WORD_ID.fullmatch(fields[id_place].strip(" "))
            if not identifier:
                spaces.append(_space(misc))
            elif identifier["first"]:
                if len(spaces) < last or not form.strip():
                    return (), ()
                surface, first, last, after = form, len(spaces), int(identifier["last"]), _space(misc)
                words = []
            elif identifier["word"] and len(spaces) >= last:
                spaces.append(_space(misc))
            elif identifier["word"]:
                words.append(form)
                spaces.append("" if len(spaces) + 1 < last else after)
                if len(spaces) == last and (len(words) > 1 or form != surface):
                    multiwords.append(Multiword(first, surface, tuple(words)))
        is_whole = len(spaces) >= last and all(len(each.words) > 1 for each in multiwords)
        return (tuple(spaces), tuple(multiwords)) if is_whole else ((), ())

    def with_tags(self, tags: Mapping[int, Tags]) -> tuple[str, ...]:
        """The lines with other tags.

        Args:
            tags: by column; probabilities go into MISC, see `probabilities`.

        Raises:
            DataError: the file lacks a column, or MISC for the probabilities.
        """
        lines = list(self.lines)
        places = {column: self.columns.place(column, "where the tags go") for column in tags if self.rows}
        has_probs = any(column.tag_probs for column in tags.values())
        misc_place = self.columns.place(MISC_COLUMN, "where probabilities go") if has_probs else 0
        for position, row in enumerate(self.rows):
            fields = lines[row].split("\t")
            for column, place in places.items():
                fields[place] = tags[column].tags[position]
            if has_probs:
                items = [item.strip(" ") for item in fields[misc_place].split("|")]
                kept = [item for item in items if item and not _OLD_CHOICE.match(item)]
                fields[misc_place] = "|".join([*kept, *probabilities(tags, position)])
            lines[row] = "\t".join(fields)
        return tuple(lines)


def _space(misc: str) -> str:
    for attribute in misc.split("|"):
        name, _, value = attribute.partition("=")
        if name.strip() == "SpacesAfter":
            return _UNESCAPE.sub(lambda escape: _ESCAPED[escape[0]], value.strip(" "))
        if name.strip() == "SpaceAfter" and value.strip() == "No":
            return ""
    return " "


def spacing(before: str, after: str) -> str:
    """The white space around a word as MISC attributes: UD's `SpaceAfter` where it suffices, else UDPipe's
    `SpacesBefore` and `SpacesAfter` (https://ufal.mff.cuni.cz/udpipe/1/users-manual). "" means one space after."""
    notes = [f"SpacesBefore={escaped(before)}"] * bool(before)
    if after != " ":
        notes.append(f"SpacesAfter={escaped(after)}" if after else "SpaceAfter=No")
    return "|".join(notes)


def escaped(space: str) -> str:
    """White space escaped as in UDPipe's attributes."""
    return "".join([_ESCAPES.get(character, character) for character in space])


def probabilities(tags: Mapping[int, Tags], position: int) -> Iterator[str]:
    """The tags of a word with their probabilities as MISC attributes: `Confidence` for the first, then `Tag2`,
    `Confidence2`, …; for XPOS beside UPOS, `XPOSConfidence`, `XPOSTag2`, …

    Args:
        tags: of all words, by column.
        position: of the word.
    """
    for column, (_, tag_probs) in tags.items():
        prefix = "XPOS" if column == XPOS_COLUMN and len(tags) > 1 else ""
        for rank, (tag, probability) in enumerate(tag_probs[position] if tag_probs else (), 1):
            if rank == 1:
                yield f"{prefix}Confidence={probability:.4f}"
            else:
                escaped = tag.replace("|", r"\p")  # as UDPipe escapes it
                yield f"{prefix}Tag{rank}={escaped}|{prefix}Confidence{rank}={probability:.4f}"
