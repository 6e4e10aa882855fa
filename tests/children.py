"""Commands of rnntag as children of a process that has loaded torch already, so that there can be many."""

from __future__ import annotations

import multiprocessing
import os
import resource
import sys
from multiprocessing.context import ForkServerProcess
from pathlib import Path

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["rnntag.cli.run", "onnxruntime", "torch._dynamo"])


def start(
    folder: Path, *arguments: str | Path, log: str = "log", largest_file: int = resource.RLIM_INFINITY
) -> ForkServerProcess:
    """`rnntag` with arguments, in a folder.

    Args:
        log: the file there to which goes what it writes to stderr.
        largest_file: bytes after which a file takes no more, as on a full disk.
    """
    child = _CONTEXT.Process(target=_main, args=(folder, [*map(str, arguments)], log, largest_file), daemon=True)
    child.start()
    return child


def _main(folder: Path, arguments: list[str], log: str, largest_file: int) -> None:
    os.chdir(folder)
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, resource.RLIM_INFINITY))
    os.dup2(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", closefd=False)
    from rnntag.cli.app import app

    app(arguments)


def run(folder: Path, *arguments: str | Path, largest_file: int = resource.RLIM_INFINITY) -> tuple[int, str]:
    """The exit code of a command, and what it wrote to stderr; see `start`."""
    child = start(folder, *arguments, largest_file=largest_file)
    child.join()
    assert child.exitcode is not None
    return child.exitcode, (folder / "log").read_text(encoding="utf-8")
