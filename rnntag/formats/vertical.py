"""Writes vertical text for corpus managers, such as CWB, CQPweb (https://cwb.sourceforge.io) and Sketch Engine
(https://www.sketchengine.eu/my_keywords/vertical/): one token per line, and lines of markup for structure."""

from __future__ import annotations

import html
from collections.abc import Sequence

from rnntag.formats.records import InputSentence, WriterOptions
from rnntag.formats.tsv import TsvWriter
from rnntag.sentences import Tags


class VerticalWriter(TsvWriter):
    """TSV in `<doc id="…">`, `<p>` and `<s>`. Paragraphs are those of raw text."""

    suffix = ".vert"
    has_header = False

    def __init__(self, tagsets: tuple[str, ...], options: WriterOptions) -> None:
        super().__init__(tagsets, options)
        self._paragraph = 0  # the number of the one that is open

    def opening(self) -> str:
        name = html.escape(" ".join(self._options.document.split()))
        return f'<doc id="{name}">\n' if name else "<doc>\n"

    def closing(self) -> str:
        return "</doc>\n"

    def finish(self) -> str:
        open_paragraph, self._paragraph = self._paragraph, 0
        return "</p>\n" if open_paragraph else ""

    def _core(self, sentence: InputSentence, tokens: Sequence[str], tags: Sequence[Tags]) -> str:
        if not tokens and not self._written:
            return ""
        lines = []
        if not self._written:
            if sentence.offsets and sentence.offsets.paragraph != self._paragraph:
                lines.append(f"{self.finish()}<p>")
                self._paragraph = sentence.offsets.paragraph
            lines.append("<s>")
        lines += self._rows(sentence, tokens, tags)
        lines += ["</s>"] * sentence.ends
        return "".join([f"{line}\n" for line in lines])
