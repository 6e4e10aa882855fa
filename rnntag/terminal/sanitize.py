"""Safe output on a terminal: control characters, bidirectional controls and lone surrogates are shown as escapes."""

from __future__ import annotations

import re
from typing import Any

from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderableType, RenderHook, RenderResult
from rich.segment import Segment

_CONTROLS = "\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff"
_CONTROL = re.compile(f"[{_CONTROLS}]")
_CONTROL_OR_BREAK = re.compile(f"[\t\n{_CONTROLS}]")


class _Escaped:
    """A renderable with its control characters escaped."""

    def __init__(self, content: RenderableType) -> None:
        self._content = content

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for segment in console.render(self._content, options):
            if not segment.control and _CONTROL.search(segment.text):
                yield Segment(_CONTROL.sub(_escaped, segment.text), segment.style)
            else:
                yield segment


class _Guard(RenderHook):
    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        return [_Escaped(renderable) for renderable in renderables]


class SafeConsole(Console):
    """Rich's console, but text cannot control the terminal."""

    def __init__(self, **options: Any) -> None:
        super().__init__(highlight=False, emoji=False, **options)
        self.push_render_hook(_Guard())

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError  # Rich would exit with code 1


def visible(word: str) -> str:
    """Escape a word or a cell of a table, tabs and line feeds too."""
    return _CONTROL_OR_BREAK.sub(_escaped, word)


def as_lines(text: str) -> str:
    """Escape lines of text, but keep tabs and line feeds."""
    return _CONTROL.sub(_escaped, text)


def as_json(text: str) -> str:
    """Escape JSON with escapes of JSON."""
    return _CONTROL.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _escaped(match: re.Match[str]) -> str:
    return match[0].encode("unicode-escape").decode()
