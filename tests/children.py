"""Commands of rnntag as children of a process that has loaded torch already, so that there can be many."""

from __future__ import annotations

import multiprocessing
import os
import resource
import sys
import tempfile
from collections.abc import Mapping
from multiprocessing.context import ForkServerProcess
from pathlib import Path

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(
    ["rnntag.training.job", "rnntag.cli.app", "rnntag.tagger", "onnxruntime", "torch._dynamo"]
)


def start(
    folder: Path,
    *arguments: str | Path,
    stdin: str | Path = os.devnull,
    stdout: str | Path = os.devnull,
    log: str | Path = "log",
    largest_file: int = resource.RLIM_INFINITY,
    environment: Mapping[str, str] | None = None,
    daemon: bool = True,
) -> ForkServerProcess:
    """`rnntag` with arguments, in a folder.

    Args:
        stdin: a file to read.
        stdout: a file to write.
        log: a file for what is written to stderr.
        largest_file: bytes after which a file takes no more, as on a full disk.
        environment: all of its environment variables, by default those of this process.
        daemon: it ends with this process, and can start none of its own.
    """
    streams = (str(stdin), str(stdout), str(log))
    variables = dict(os.environ if environment is None else environment)
    options = (folder, [*map(str, arguments)], streams, largest_file, variables)
    child = _CONTEXT.Process(target=_main, args=options, daemon=daemon)
    child.start()
    return child


def _main(
    folder: Path, arguments: list[str], streams: tuple[str, str, str], largest_file: int, environment: dict[str, str]
) -> None:
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, resource.RLIM_INFINITY))
    sys.stdin.close()  # multiprocessing has put another one in its place
    for number, name in enumerate(streams):
        os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC if number else os.O_RDONLY, 0o666), number)
    sys.stdin = os.fdopen(0, encoding="utf-8", errors="surrogateescape", closefd=False)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", closefd=False)
    sys.argv = ["rnntag", *arguments]
    from rnntag.cli.app import app

    app(prog_name="rnntag")


def run(folder: Path, *arguments: str | Path, largest_file: int = resource.RLIM_INFINITY) -> tuple[int, str]:
    """The exit code of a command, and what it wrote to stderr; see `start`."""
    child = start(folder, *arguments, largest_file=largest_file)
    child.join()
    assert child.exitcode is not None
    return child.exitcode, (folder / "log").read_text(encoding="utf-8")


def output(
    folder: Path, *arguments: str | Path, stdin: bytes, environment: Mapping[str, str]
) -> tuple[int, bytes, bytes]:
    """The exit code of a command, and what it wrote to stdout and stderr; it may start processes of its own."""
    with tempfile.TemporaryDirectory() as streams:
        given, out, err = (Path(streams, name) for name in ("stdin", "stdout", "stderr"))
        given.write_bytes(stdin)
        child = start(folder, *arguments, stdin=given, stdout=out, log=err, environment=environment, daemon=False)
        child.join()
        assert child.exitcode is not None
        return child.exitcode, out.read_bytes(), err.read_bytes()
