"""Reads and writes vertical text for corpus managers: CWB and CQPweb (https://cwb.sourceforge.io), Sketch Engine
(https://www.sketchengine.eu/my_keywords/vertical/): one token per line, and lines of markup for structure."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Sequence

from rnntag.errors import DataError
from rnntag.formats.conllu import MOST_LINES
from rnntag.formats.decoding import LineSplitter
from rnntag.formats.records import InputSentence, VerticalSentence, WriterOptions
from rnntag.formats.tsv import FINAL_TAG, SENTENCES, TEXTS, TsvWriter
from rnntag.sentences import Tags

_MARKUP = re.compile(r"<(?:(?P<end>/?)(?P<name>[\w:.-]+)(?:\s[^\t]*)?/?|[!?][^\t]*)>\s*")


class VerticalReader:
    """A `records.Reader` of vertical text: the first column is the token. A sentence ends at an empty line, at `</s>`,
    at markup of larger units and, outside `<s>`, after the tag SENT."""

    def __init__(self, source: str, line: int = 0) -> None:
        self._splitter = LineSplitter()
        self._source = source
        self._number = line
        self._lines: list[str] = []
        self._rows: list[int] = []
        self._in_sentence = False  # whether `<s>` has begun it

    def feed(self, text: str) -> Iterator[InputSentence]:
        yield from self._read(self._splitter.feed(text))

    def finish(self) -> Iterator[InputSentence]:
        yield from self._read(self._splitter.finish())
        yield from self._end()

    def _read(self, lines: Iterable[str]) -> Iterator[InputSentence]:
        for line in lines:
            self._number += 1
            if not line.strip():
                self._lines.append(line)
                ends = bool(self._rows)
            elif markup := _MARKUP.fullmatch(line):
                name = (markup["name"] or "").lower()
                closes_sentence = name in SENTENCES and bool(markup["end"])
                if name in (*SENTENCES, *TEXTS) and not closes_sentence:
                    yield from self._end()
                self._in_sentence |= name in SENTENCES and not closes_sentence
                self._lines.append(line)
                ends = closes_sentence
            else:
                token, _, rest = line.partition("\t")
                if not token.strip():
                    raise DataError(f"{self._source}:{self._number}: no token before the first tab")
                self._rows.append(len(self._lines))
                self._lines.append(line)
                ends = rest.partition("\t")[0] == FINAL_TAG and not self._in_sentence
            if ends or len(self._lines) >= MOST_LINES:
                yield from self._end()

    def _end(self) -> Iterator[InputSentence]:
        self._in_sentence = False
        if self._lines:
            tokens = [self._lines[row].partition("\t")[0] for row in self._rows]
            yield InputSentence(tokens, VerticalSentence(tuple(self._lines), tuple(self._rows)))
        self._lines, self._rows = [], []


class VerticalWriter(TsvWriter):
    """TSV in `<doc id="…">`, `<p>` and `<s>`. Paragraphs are those of raw text. Vertical text keeps its lines and gets
    further columns."""

    suffix = ".vert"
    has_header = False

    def __init__(self, tagsets: tuple[str, ...], options: WriterOptions) -> None:
        super().__init__(tagsets, options)
        self._paragraph = 0  # the number of the one that is open
        self._in_sentence = False

    def opening(self) -> str:
        name = html.escape(" ".join(self._options.document.split()))
        return f'<doc id="{name}">\n' if name else "<doc>\n"

    def closing(self) -> str:
        return "</doc>\n"

    def finish(self) -> str:
        open_paragraph, self._paragraph = self._paragraph, 0
        return "</p>\n" if open_paragraph else ""

    def _markup(self, source: VerticalSentence) -> str:
        return "".join([f"{line}\n" for line in source.lines])

    def _core(self, sentence: InputSentence, tokens: Sequence[str], tags: Sequence[Tags]) -> str:
        if isinstance(sentence.source, VerticalSentence):
            lines = [*sentence.source.lines]
            for place, row in zip(sentence.source.rows, self._rows(sentence, tokens, tags, others=True), strict=True):
                lines[place] += f"\t{row}"
            return "".join([f"{line}\n" for line in lines])
        lines = []
        if tokens and not self._in_sentence:
            if sentence.offsets and sentence.offsets.paragraph != self._paragraph:
                lines.append(f"{self.finish()}<p>")
                self._paragraph = sentence.offsets.paragraph
            lines.append("<s>")
            self._in_sentence = True
        lines += self._rows(sentence, tokens, tags)
        if self._in_sentence and (sentence.ends or sentence.offsets):
            lines.append("</s>")
            self._in_sentence = False
        return "".join([f"{line}\n" for line in lines])
