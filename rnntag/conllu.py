"""CoNLL-U (https://universaldependencies.org/format.html): lines to sentences, sentences to lines."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rnntag.schema import UPOS, Choices, DataError

SUFFIXES = (".conllu", ".conll")
COLUMNS = 10
MOST_LINES = 10_000
"""Lines without a word that are held, at most, until a word comes."""

FORM, UPOS_COLUMN, XPOS_COLUMN, MISC_COLUMN = 1, 3, 4, 9

_ID = re.compile(
    r"(?P<word>[1-9][0-9]{0,8})|(?P<first>[1-9][0-9]{0,8})-(?P<last>[1-9][0-9]{0,8})"
    r"|(?P<before>0|[1-9][0-9]{0,8})\.[1-9][0-9]{0,8}"
)
_OPENING = re.compile(r"#\s*new(doc|par)\b")
_ESCAPES = {" ": r"\s", "\t": r"\t", "\r": r"\r", "\n": r"\n", "|": r"\p", "\\": r"\\"}
_ESCAPED = {escape: character for character, escape in _ESCAPES.items()}
_UNESCAPE = re.compile(r"\\[strnp\\]")
_OLD_CHOICE = re.compile(r"_$|(Confidence|Tag)[0-9]*=")


@dataclass(frozen=True, slots=True)
class ConlluSentence:
    """One sentence as it stands in a file.

    Attributes:
        number: line number of the first line, counted from 1.
        lines: all lines but the empty one at its end: comments, multiword ranges and empty nodes
            too, and what stood between it and the sentence before.
        rows: which of `lines` are words; none where a file ends in comments, or has very many.
    """

    number: int
    lines: tuple[str, ...]
    rows: tuple[int, ...]

    def column(self, column: int) -> tuple[str, ...]:
        """One column of the words."""
        return tuple(self.lines[row].split("\t")[column] for row in self.rows)

    @property
    def opens_paragraph(self) -> bool:
        """Whether a comment says that a document or a paragraph begins with it."""
        return any(_OPENING.match(line) for line in self.lines)

    def spaces(self) -> tuple[str, ...]:
        """The white space that follows each word in the text; empty if it has words that do not stand
        in the text as they are, such as French `de le` for `du`."""
        found: list[str] = []
        surface, last, after = "", 0, ""
        for line in self.lines:
            if line.startswith("#") or not line.strip():
                continue
            fields = line.split("\t")
            identifier = _ID.fullmatch(fields[0])
            assert identifier
            if identifier["first"]:
                surface, last, after = fields[FORM], int(identifier["last"]), _space(fields[MISC_COLUMN])
            elif identifier["word"]:
                number = int(fields[0])
                if number > last:
                    found.append(_space(fields[MISC_COLUMN]))
                    continue
                if not surface.startswith(fields[FORM]) or (number == last) != (surface == fields[FORM]):
                    return ()
                surface = surface.removeprefix(fields[FORM])
                found.append("" if number < last else after)
        return tuple(found)

    def with_tags(self, column: int, tags: Sequence[str], choices: Sequence[Choices] = ()) -> tuple[str, ...]:
        """The lines with other tags in one column of the words.

        Args:
            choices: for each word what to say in MISC of its likeliest tags; see `rows`.
        """
        lines = list(self.lines)
        for position, (row, tag) in enumerate(zip(self.rows, tags, strict=True)):
            fields = lines[row].split("\t")
            fields[column] = tag
            if choices:
                kept = [item for item in fields[MISC_COLUMN].split("|") if not _OLD_CHOICE.match(item)]
                fields[MISC_COLUMN] = "|".join([*kept, _misc(choices[position])])
            lines[row] = "\t".join(fields)
        return tuple(lines)


def _space(misc: str) -> str:
    for attribute in misc.split("|"):
        name, _, value = attribute.partition("=")
        if name == "SpacesAfter":
            return _UNESCAPE.sub(lambda found: _ESCAPED[found[0]], value)
        if name == "SpaceAfter" and value == "No":
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


def _misc(choice: Choices) -> str:
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
    """

    def __init__(self, source: str, line: int = 0) -> None:
        self._source = source
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
            if not line.strip():
                if self._rows:
                    yield from self.finish()
                    continue
            elif not line.startswith("#") and self._is_word(line):
                self._rows.append(len(self._lines))
            if not self._lines:
                self._first = self._number
            self._lines.append(line)
            if not self._rows and len(self._lines) >= MOST_LINES:
                yield from self.finish()

    def finish(self) -> Iterator[ConlluSentence]:
        """What the end of the input completes, if anything."""
        if self._lines:
            yield ConlluSentence(self._first, tuple(self._lines), tuple(self._rows))
        self._lines, self._rows = [], []

    def _is_word(self, line: str) -> bool:
        fields = line.split("\t")
        if len(fields) != COLUMNS:
            hint = ": its lines end in carriage returns alone, not in line feeds" if "\r" in line else ""
            raise self._error(f"{len(fields)} columns parted by tabs where CoNLL-U has {COLUMNS}{hint}")
        identifier = _ID.fullmatch(fields[0])
        if identifier is None:
            raise self._error(f"{fields[0]!r} is no CoNLL-U word number")
        if "" in fields:
            raise self._error(f"column {fields.index('') + 1} is empty: CoNLL-U has _ there")
        due = len(self._rows) + 1
        if identifier["word"]:
            if int(fields[0]) != due:
                raise self._error(f"word {fields[0]} where word {due} of the sentence is due")
            if not fields[FORM].strip():
                raise self._error(f"word {fields[0]} has no form")
            return True
        if identifier["first"] and not due == int(identifier["first"]) <= int(identifier["last"]):
            raise self._error(f"the range {fields[0]} does not begin at word {due}, which is due, or ends before it")
        if identifier["before"] and int(identifier["before"]) != due - 1:
            raise self._error(f"the empty node {fields[0]} does not follow word {due - 1}")
        return False

    def _error(self, what: str) -> DataError:
        return DataError(f"{self._source}:{self._number}: {what}")


def read(lines: Iterable[str], source: str) -> Iterator[ConlluSentence]:
    """All sentences of `lines` that have words; see `ConlluReader.feed` for what it raises."""
    reader = ConlluReader(source)
    for sentence in itertools.chain(reader.feed(lines), reader.finish()):
        if sentence.rows:
            yield sentence


def rows(
    first: int,
    tokens: Sequence[str],
    tags: Sequence[str],
    tagset: str,
    choices: Sequence[Choices] = (),
    spaces: Sequence[str] = (),
) -> list[str]:
    """Words as lines, numbered from `first`.

    Tags of UD's own tagset go into the column UPOS, others into XPOS.

    Args:
        choices: for each word its likeliest tags, the chosen one first; or none. MISC tells the
            probability of the first as `Confidence`, and the others as `Tag2`, `Confidence2`, …
        spaces: for each word what MISC says of the white space around it, see `spacing`; or none.
    """
    lines = []
    for position, (token, tag) in enumerate(zip(tokens, tags, strict=True)):
        upos, xpos = (tag, "_") if tagset == "upos" else ("_", tag)
        notes = (spaces[position] if spaces else "", _misc(choices[position]) if choices else "")
        misc = "|".join(filter(None, notes)) or "_"
        lines.append(f"{first + position}\t{token}\t_\t{upos}\t{xpos}\t_\t_\t_\t_\t{misc}")
    return lines


def check_upos(sentence: ConlluSentence, tags: Sequence[str], source: str) -> None:
    """Hold tags against UD's list.

    Raises:
        DataError: a tag is not on it, with its line.
    """
    for row, tag in zip(sentence.rows, tags, strict=True):
        if tag not in UPOS:
            where = f"{source}:{sentence.number + row}"
            if tag == "_":
                raise DataError(f"{where}: the word has no UPOS tag")
            hint = f": did you mean {tag.upper()}?" if tag.upper() in UPOS else f": UPOS has {' '.join(UPOS)}"
            raise DataError(f"{where}: {tag!r} is no UPOS tag{hint}")
