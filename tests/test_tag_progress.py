"""What `rnntag tag` tells on stderr: a bar on a terminal, where it stopped, and nothing if it is to be quiet."""

from __future__ import annotations

import os
import re
import signal
import time
from pathlib import Path

import pytest

from rnntag.cli.signals import ending
from rnntag.cli.tag_progress import Watch
from rnntag.formats.inputs import Input
from rnntag.model.stored import ModelBundle
from rnntag.tagging import chunks, outputs, parallel
from rnntag.tagging.folders import FoundFile
from rnntag.tagging.parallel import Part
from rnntag.tagging.pipeline import TagJob
from rnntag.terminal import console
from tests import children
from tests.conftest import Run, on_terminal, one_line

FILES = [FoundFile(Path(name), Path(name)) for name in ("a.txt", "b.txt", "c.txt")]


def test_a_bar_on_a_terminal(tmp_path: Path, tiny_raw_folder: Path) -> None:
    (tmp_path / "a.txt").write_text("I eat apples.\n\n" * 2000, encoding="utf-8")
    command = ("tag", "-m", tiny_raw_folder, "-i", "a.txt", "-o")
    shown, quiet = on_terminal((0, (*command, "x")), (0, (*command, "y", "--quiet")), folder=tmp_path)
    assert re.search(r"a\.txt .*30\.0/30\.0 kB.* [\d,]+ tokens/s", re.sub(r"\x1b\[[\d;?]*\w", "", shown))
    assert quiet == ""
    assert (tmp_path / "x").read_bytes() == (tmp_path / "y").read_bytes()


@pytest.mark.parametrize(
    ("one_each", "count", "said"),
    [
        (False, 0, "stopped before anything was tagged"),
        (False, 2, "stopped in b.txt after line 1,234"),
        (True, 2, "stopped after 1 of 3 files; run the same command again to tag the rest"),
    ],
)
def test_where_it_stopped(one_each: bool, count: int, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    parts = [Part(b"x", 0, "a.txt", 1, ends=True), Part(b"x", 1, "b.txt", 1234)]

    def interrupted():  # type: ignore[no-untyped-def]
        yield from parts[:count]
        raise KeyboardInterrupt

    for is_typed in (False, True):
        watch = Watch(FILES, is_typed=is_typed, to_stdout=True, one_each=one_each)
        with pytest.raises(KeyboardInterrupt):
            list(watch.watched(interrupted()))
        assert capsys.readouterr().err == ("" if is_typed else f"{said}\n")


def test_a_signal_that_ends_a_process_ends_the_work_in_order(
    tmp_path: Path, tiny: ModelBundle, request: pytest.FixtureRequest
) -> None:
    def blocks():  # type: ignore[no-untyped-def]
        yield "I eat\n"
        os.kill(os.getpid(), signal.SIGTERM)
        yield "I eat\n"

    parts = parallel.tag(TagJob(tiny, ("upos",), "slash"), chunks.chunks([Input("x", "tokens", blocks())]))
    last: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: last.append(number))
    request.addfinalizer(lambda: signal.signal(signal.SIGTERM, before))
    with pytest.raises(SystemExit), ending():
        list(outputs.to_files(parts, [tmp_path / "out"], b""))
    assert not list(tmp_path.iterdir())
    assert last == [signal.SIGTERM]  # and would have ended the process now


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, -signal.SIGTERM)])
def test_an_interrupted_command(number: int, code: int, tmp_path: Path, tiny_folder: Path) -> None:
    os.mkfifo(tmp_path / "in")
    child = children.start(tmp_path, "tag", "-m", tiny_folder, "--input-format", "tokens", "-i", "in", "-o", "out")
    with open(tmp_path / "in", "w") as stream:
        stream.write("I eat\n" * 20_000)
        stream.flush()
        part = next(tmp_path.glob(".out.*"), None)
        while not (part and part.stat().st_size):
            time.sleep(0.05)
            part = next(tmp_path.glob(".out.*"), None)
        assert child.pid
        os.kill(child.pid, number)
        child.join()
    assert child.exitcode == code
    told = (tmp_path / "log").read_text().split("\n")
    assert re.fullmatch(r"stopped in in after line [\d,]+", next(line for line in told if line.startswith("stopped")))
    assert "partial output is in out.part" in told
    assert set((tmp_path / "out.part").read_text().splitlines()[:-1]) == {"I/PRON eat/VERB"}


def test_quiet_leaves_errors(run: Run, tiny_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "mac.txt").write_bytes(b"I eat\rI eat")
    command = ("tag", "-m", tiny_folder, "-i", "mac.txt")
    assert "carriage returns" in run(*command).stderr
    assert run(*command, "--quiet").stderr == ""
    (tmp_path / "mac.txt").write_bytes(b"\xff\xff")
    assert "mac.txt:1: byte 1" in one_line(run(*command, "--quiet").stderr)


def test_colours(run: Run, tiny_folder: Path, tmp_path: Path) -> None:
    def tagged(colour: str) -> str:
        return run("tag", "-m", tiny_folder, "I eat", "--color", colour, NO_COLOR="1").stdout

    assert tagged("auto") == tagged("never") == "I/PRON eat/VERB\n"
    assert tagged("always") == "I\x1b[36m/PRON\x1b[0m eat\x1b[31m/VERB\x1b[0m\n"
    commands = [("tag", "-m", tiny_folder, "I eat", "--color", colour) for colour in ("auto", "never")]
    auto, never = on_terminal(*((0, command) for command in commands), folder=tmp_path)
    assert "\x1b[36m" in auto
    assert never == "I/PRON eat/VERB\r\n"
    assert run("tag", "-m", tiny_folder, "I eat", "-f", "tsv", "--color", "always").stdout == "I\tPRON\neat\tVERB\n\n"


def test_errors_are_not_coloured_either(capsys: pytest.CaptureFixture[str]) -> None:
    console.set_up("never", quiet=True)
    try:
        console.note("x")
        console.warning("x")
        console.error("x")
        assert capsys.readouterr().err == "error: x\n"
        assert console.stderr().color_system is None
    finally:
        console.set_up()
