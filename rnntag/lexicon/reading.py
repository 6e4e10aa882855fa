"""Reads lexicons: jieba's dictionaries, and TSV."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import get_args

from rnntag.config import LexiconMode
from rnntag.errors import ANOTHER, DataError, UsageError
from rnntag.formats.decoding import file_blocks, text_blocks
from rnntag.formats.faults import Faults
from rnntag.formats.raw import MARGIN
from rnntag.lexicon.lexicon import Lexicon
from rnntag.model import spelling
from rnntag.model.stored import ModelBundle

LONGEST = MARGIN // 2
"""Characters of a word, at most: where a long paragraph is cut, so many are read again."""

_SHOWN_TAGS = 3

Entries = dict[str, tuple[str, ...]]
"""By word, its tags."""


def load(files: Sequence[str | Path], mode: LexiconMode, model: ModelBundle) -> Lexicon | None:
    """The words of files, for a model; None if there are none.

    A line is a word, optionally its frequency, which is ignored, and optionally its tags, separated by commas; all
    separated by white space. A word in several lines may have the tags of all of them.

    Raises:
        UsageError: there is no such mode, or no file to force the words of.
        DataError: a line is malformed, or names a tag that the model does not know; or a file is not UTF-8.
        NotFoundError, AccessError: see `decoding.file_blocks`.
    """
    if mode not in get_args(LexiconMode):
        raise UsageError(f"lexicon_mode is {mode!r}: it must be one of {', '.join(get_args(LexiconMode))}")
    if mode == "force" and not files:
        raise UsageError("lexicon_mode is 'force', but there is no lexicon", remedy={"lexicon": ANOTHER})
    tags = _Tags(model)
    entries: Entries = {}
    faults = Faults()
    for path in map(Path, files):
        _read(path, tags, entries, faults)
    faults.check()
    return Lexicon(entries, mode) if entries else None


class _Tags(dict[str, tuple[str, ...]]):
    """The tags in a field of a line, such as `NOUN,VERB`, each field checked once.

    Raises:
        DataError: the model does not know one.
    """

    def __init__(self, model: ModelBundle) -> None:
        self._model = model
        self._known = {tag for tags in model.vocabulary.tags.values() for tag in tags}

    def __missing__(self, field: str) -> tuple[str, ...]:
        tags = tuple(dict.fromkeys(field.split(",")))
        for tag in tags:
            if tag not in self._known:
                known = " or ".join(map(self._examples, self._model.tagsets))
                raise DataError(
                    f"the model {self._model.name} has no tag {tag!r}: use tags of {known}, or leave it out"
                )
        self[field] = tags
        return tags

    def _examples(self, tagset: str) -> str:
        tags: Sequence[str] = sorted(self._model.vocabulary.tags[tagset])
        return f"{tagset} ({', '.join(tags[:_SHOWN_TAGS])}{', …' * (len(tags) > _SHOWN_TAGS)})"


def _read(path: Path, tags: Mapping[str, tuple[str, ...]], entries: Entries, faults: Faults) -> None:
    try:
        text = "".join(text_blocks(file_blocks(path), str(path)))
    except DataError as error:
        raise DataError(f"{error}: a lexicon must be UTF-8 text") from error
    if any(char in text for char in spelling.INVISIBLE):
        text = text.translate(spelling.NOT_SHOWN)
    lines = text.split("\n")
    are_simple = "\t" not in text and max(map(len, lines)) <= LONGEST
    for number, line in enumerate(lines, 1):  # of half a million lines, in half a second
        fields = line.split()
        try:
            if not are_simple and fields:
                _check_word(line, fields[0])
            if len(fields) == 3 and fields[1].isdecimal():
                own = tags[fields[2]]
            elif len(fields) == 2:
                own = () if fields[1].isdecimal() else tags[fields[1]]
            elif len(fields) < 2:
                own = ()
            else:
                raise DataError(f"expected a word, optionally with a frequency and tags, not {line.strip()!r:.80}")
        except DataError as error:
            faults.add(f"{path}:{number}: {error}")
            continue
        if fields:
            before = entries.setdefault(fields[0], own)
            if before is not own:
                entries[fields[0]] = tuple(dict.fromkeys([*before, *own]))


def _check_word(line: str, word: str) -> None:
    """Make sure that a line begins with a word, which ends at its first tab, if it has one.

    Raises:
        DataError: the word is too long, or missing, or has white space in it.
    """
    before = line.partition("\t")[0].strip()
    if "\t" in line and before != word:
        raise DataError(f"{before!r} contains white space" if before else "no word before the tab")
    if len(word) > LONGEST:
        raise DataError(f"a word of {len(word):,} characters: at most {LONGEST} are allowed")
