"""What is typed in a terminal can be edited and recalled; pipes and files see nothing of it."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import shlex
import struct
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import Run

pytest.importorskip("readline")

UP, LEFT, HOME, BACKSPACE, CTRL_C, CTRL_D = "\x1b[A", "\x1b[D", "\x01", "\x7f", "\x03", "\x04"
PATIENCE = 120.0
"""Seconds after which a terminal that says nothing is given up."""


class Terminal:
    """A real terminal in which a command runs as its only process group."""

    def __init__(self, screen: int, child: int) -> None:
        self.child = child
        self._screen = screen
        self._prompts = 0
        self.shown = ""

    def type(self, keys: str | bytes, prompt: str = r"(^|\n)> ") -> None:
        """Type once there is a new prompt: what comes before it is not read by readline."""
        self._prompts += 1
        self.wait_for(prompt, self._prompts)
        os.write(self._screen, keys.encode() if isinstance(keys, str) else keys)

    def wait_for(self, text: str, times: int = 1) -> None:
        while sum(1 for _ in re.finditer(text, self.shown)) < times:
            assert self._read(), f"{text!r} has not come: {self.shown!r}"

    def modes(self) -> list[object]:
        return termios.tcgetattr(self._screen)

    def end(self) -> int:
        """The exit code, once the command has ended."""
        while self._read():
            pass
        return os.waitstatus_to_exitcode(os.waitpid(self.child, 0)[1])

    def _read(self) -> bool:
        ready, _, _ = select.select([self._screen], [], [], PATIENCE)
        assert ready, f"nothing more has come: {self.shown!r}"
        try:
            part = os.read(self._screen, 10_000)
        except OSError:  # Linux says so that no one writes any more
            return False
        self.shown += re.sub("\x1b\\[[0-9;?]*[a-zA-Z]", "", part.decode(errors="replace"))
        return bool(part)


@contextmanager
def terminal(folder: Path, *arguments: str | Path, end: str = "", start: str = "-m rnntag") -> Iterator[Terminal]:
    """`rnntag` in a terminal.

    Args:
        end: what the shell is told after it.
        start: what Python is to run.
    """
    command = f"exec {shlex.quote(sys.executable)} {start} {shlex.join(map(str, arguments))} {end}"
    environment = {
        "PATH": os.environ["PATH"], "TERM": "xterm", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "HOME": str(folder),
        "INPUTRC": "/dev/null", "PYTHONPATH": str(Path(__file__).parent.parent),
    }  # fmt: skip
    child, screen = pty.fork()
    if not child:
        os.chdir(folder)
        os.execve("/bin/sh", ["/bin/sh", "-c", command], environment)
    fcntl.ioctl(screen, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    try:
        yield Terminal(screen, child)
    finally:
        os.close(screen)


def tagging(tiny_folder: Path) -> list[str | Path]:
    return ["tag", "-m", tiny_folder, "--input-format", "tokens"]


def test_a_line_is_edited_and_recalled(tiny_folder: Path, tmp_path: Path) -> None:
    with terminal(tmp_path, *tagging(tiny_folder)) as typed:
        typed.type(f"eat apple .{LEFT}{LEFT}s{HOME}I \r")
        typed.wait_for("I/PRON eat/VERB apples/NOUN ./PUNCT")
        typed.type("the\r")
        typed.wait_for("the/DET")
        typed.type(f"{UP}{UP}\r")
        typed.wait_for("I/PRON eat/VERB apples/NOUN ./PUNCT", times=2)
        typed.type(CTRL_D)
        assert typed.end() == 0
        assert "[D" not in typed.shown
        assert typed.shown.endswith("> \r\n")
    assert list(tmp_path.iterdir()) == []  # a home to which no history is written


def test_chinese_is_edited_by_characters(tiny_folder: Path, tmp_path: Path) -> None:
    with terminal(tmp_path, *tagging(tiny_folder), end="> out") as typed:
        typed.type(f"我 吃 梨果{LEFT}{BACKSPACE}苹{HOME}\r")
        typed.type(CTRL_D)
        assert typed.end() == 0
    words = [item.rpartition("/")[0] for item in (tmp_path / "out").read_text(encoding="utf-8").split()]
    assert words == ["我", "吃", "苹果"]


@pytest.mark.parametrize("more", [[], ["--jobs", "2"], ["-i", "-"]], ids=" ".join)
def test_where_stdout_is_a_file_it_gets_tags_alone(
    run: Run, tiny_folder: Path, tmp_path: Path, more: list[str]
) -> None:
    expected = run(*tagging(tiny_folder), stdin="I eat apples .\n\nI eat\n").stdout
    with terminal(tmp_path, *tagging(tiny_folder), *more, end="> out") as typed:
        typed.type(f"I eat appless{BACKSPACE} .\r")
        typed.type("\r")
        typed.type("I eat\r")
        typed.type(CTRL_D)
        assert typed.end() == 0
    assert (tmp_path / "out").read_bytes() == expected.encode()


def test_where_stderr_is_a_file_the_prompt_is_on_the_terminal(tiny_folder: Path, tmp_path: Path) -> None:
    with terminal(tmp_path, *tagging(tiny_folder), end="2> log") as typed:
        typed.type(f"I eaat{LEFT}{BACKSPACE}\r")
        typed.wait_for("I/PRON eat/VERB")
        typed.type(CTRL_D)
        assert typed.end() == 0
    assert (tmp_path / "log").read_bytes() == b""


def test_ctrl_c_ends_it_and_leaves_the_terminal_as_it_was(tiny_folder: Path, tmp_path: Path) -> None:
    with terminal(tmp_path, *tagging(tiny_folder), end="> out") as typed:
        before = typed.modes()
        typed.type("I eat\r")
        typed.type("I can")
        typed.wait_for("I can")
        assert typed.modes() != before  # readline reads each key
        time.sleep(1)  # Python sees a signal that comes while readline handles a key with the next key only
        typed.type(CTRL_C, "")
        typed.wait_for("\r\n$")
        assert typed.modes() == before
        assert typed.end() == 130
        assert "Traceback" not in typed.shown
    assert (tmp_path / "out").read_text(encoding="utf-8") == "I/PRON eat/VERB\n"


def test_ctrl_d_at_once_is_no_error(tiny_folder: Path, tmp_path: Path) -> None:
    with terminal(tmp_path, *tagging(tiny_folder)) as typed:
        typed.type(CTRL_D)
        assert typed.end() == 0


def test_bytes_that_are_no_utf_8_are_told_as_ever(tiny_folder: Path, tmp_path: Path) -> None:
    with terminal(tmp_path, *tagging(tiny_folder)) as typed:
        typed.type("I eat\r")
        typed.wait_for("eat/VERB")
        typed.type(b"a\xff\r")
        assert typed.end() == 65
        assert re.search(r"<stdin>:2: byte\s+8\s+of the input is not utf-8", typed.shown)


@pytest.mark.parametrize(
    ("options", "keys", "expected"),
    [
        (["--errors", "replace"], b"a\xffb c", ["a\ufffdb", "c"]),
        ([], "\ufeffa 👨‍👩‍👧 e\u0301".encode(), ["a", "👨‍👩‍👧", "e\u0301"]),
    ],
    ids=["replace", "emoji"],
)
def test_other_bytes_are_read_as_from_a_pipe(
    run: Run, tiny_folder: Path, tmp_path: Path, options: list[str], keys: bytes, expected: list[str]
) -> None:
    with terminal(tmp_path, *tagging(tiny_folder), *options, end="> out") as typed:
        typed.type(keys + b"\r")
        typed.type(CTRL_D)
        assert typed.end() == 0
    tagged = (tmp_path / "out").read_text(encoding="utf-8")
    assert [item.rpartition("/")[0] for item in tagged.split()] == expected
    assert tagged == run(*tagging(tiny_folder), *options, stdin=keys + b"\n").stdout


@pytest.mark.parametrize(
    ("encoding", "keys", "expected"),
    [("gb18030", "我 吃".encode("gb18030"), ["我", "吃"]), ("latin-1", b"caf\xe9", ["café"])],
)
def test_another_encoding_than_the_terminal_s_is_read_without_readline(
    tiny_folder: Path, tmp_path: Path, encoding: str, keys: bytes, expected: list[str]
) -> None:
    with terminal(tmp_path, *tagging(tiny_folder), "--encoding", encoding, end="> out") as typed:
        typed.type(keys + b"\n" + CTRL_D.encode(), "Ctrl-D")
        assert typed.end() == 0
        assert "\n> " not in typed.shown
    tagged = (tmp_path / "out").read_text(encoding="utf-8")
    assert [item.rpartition("/")[0] for item in tagged.split()] == expected


def test_a_reader_that_has_enough_ends_it_quietly(tiny_folder: Path, tmp_path: Path) -> None:
    with terminal(tmp_path, *tagging(tiny_folder), end="| head -n 1") as typed:
        typed.type("I eat\r")
        typed.wait_for("I/PRON eat/VERB")
        time.sleep(0.5)  # nothing tells when head, which has written its line, closes the pipe
        typed.type("I eat\r")
        typed.end()
        assert "rror" not in typed.shown


def test_files_and_typed_lines_come_in_order(tiny_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("I eat\n", encoding="utf-8")
    with terminal(tmp_path, *tagging(tiny_folder), "-i", "a.txt", "-i", "-", "-i", "a.txt", end="> out") as typed:
        typed.type("the\r")
        typed.type(CTRL_D)
        assert typed.end() == 0
    assert [line.split("/")[0] for line in (tmp_path / "out").read_text(encoding="utf-8").splitlines()] == [
        "I", "the", "I",
    ]  # fmt: skip


def test_without_readline_lines_are_read_as_they_come(tiny_folder: Path, tmp_path: Path) -> None:
    start = "-c " + shlex.quote("import sys; sys.modules['readline'] = None; from rnntag.cli.app import app; app()")
    with terminal(tmp_path, *tagging(tiny_folder), start=start) as typed:
        typed.type("I eat\n", "Ctrl-D")
        typed.type(CTRL_D, "Ctrl-D|I/PRON eat/VERB")
        assert typed.end() == 0


@pytest.mark.parametrize("segmenter", [True, False])
def test_each_typed_line_is_read_as_it_looks(
    segmenter: bool, tiny_raw_folder: Path, tiny_folder: Path, tmp_path: Path
) -> None:
    lines = ["I eat apples .", "the can", "I eat apples.", "我 吃 苹果 。", "I eat apples"]
    with terminal(tmp_path, "tag", "-m", tiny_raw_folder if segmenter else tiny_folder, end="> out") as typed:
        for line in lines:
            typed.type(f"{line}\r")
        typed.type(CTRL_D)
        assert typed.end() == 0
    tagged = (tmp_path / "out").read_text(encoding="utf-8").splitlines()
    assert [line.count("/") for line in tagged if line] == ([4, 2, 4, 4, 3] if segmenter else [4, 2, 4, 3])
    assert typed.shown.count("train-segmenter") == (not segmenter)
