"""Text on a terminal, which may hold what a terminal obeys: control characters, bidirectional ones and halves of
characters are shown as escapes instead."""

from __future__ import annotations

import re
from typing import Any

from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderableType, RenderHook, RenderResult
from rich.segment import Segment

_CONTROLS = "\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff"
_CONTROL = re.compile(f"[{_CONTROLS}]")
_CONTROL_OR_BREAK = re.compile(f"[\t\n{_CONTROLS}]")


class _Shown:
    """Something to print, its control characters shown, not obeyed."""

    def __init__(self, what: RenderableType) -> None:
        self._what = what

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for segment in console.render(self._what, options):
            if not segment.control and _CONTROL.search(segment.text):
                yield Segment(_CONTROL.sub(_escaped, segment.text), segment.style)
            else:
                yield segment


class _Guard(RenderHook):
    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        return [_Shown(one) for one in renderables]


class SafeConsole(Console):
    """Rich's, of which no text can command the terminal."""

    def __init__(self, **options: Any) -> None:
        super().__init__(highlight=False, emoji=False, **options)
        self.push_render_hook(_Guard())

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError  # not Rich's own exit with code 1


def visible(word: str) -> str:
    """A word, or a cell of a table, with tabs and line feeds shown too."""
    return _CONTROL_OR_BREAK.sub(_escaped, word)


def as_lines(text: str) -> str:
    """Lines of text; tabs and line feeds stay."""
    return _CONTROL.sub(_escaped, text)


def as_json(text: str) -> str:
    """JSON, with escapes that it has too."""
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _escaped(found: re.Match[str]) -> str:
    return found[0].encode("unicode-escape").decode()
