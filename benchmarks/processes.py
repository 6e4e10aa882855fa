"""Whole processes, measured, and the machine that they ran on."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import resource
import subprocess
import time
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple


class Failed(SystemExit):
    """A process ended with another exit code than 0."""


class Snapshot(NamedTuple):
    """What a process holds now: resident size in 10⁶ bytes, threads that have computed (while ONNX Runtime is loaded
    it has one that only waits), open descriptors; and the seconds of processor time that it has had."""

    megabytes: float
    threads: int
    descriptors: int
    processor: float


def snapshot(process: int) -> Snapshot:
    """What /proc tells of a process.

    Raises:
        OSError: it has ended.
    """
    folder = Path("/proc", str(process))
    user, system, pages = _fields(folder, 11, 12, 21)
    threads = sum(sum(_fields(thread, 11, 12)) > 0 for thread in (folder / "task").iterdir())
    return Snapshot(
        pages * os.sysconf("SC_PAGE_SIZE") / 1e6,
        max(threads, 1),
        len(os.listdir(folder / "fd")),
        (user + system) / os.sysconf("SC_CLK_TCK"),
    )


def _fields(folder: Path, *places: int) -> list[int]:
    """Fields of a process's or a thread's `stat`, counted from its state; see proc(5)."""
    fields = (folder / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    return [int(fields[place]) for place in places]


def family(process: int) -> list[int]:
    """A process and all that it has started, and these, as far as they still run."""
    found = [process]
    for one in found:
        for task in Path("/proc", str(one), "task").glob("*/children"):
            try:
                found += map(int, task.read_text(encoding="ascii").split())
            except OSError:
                continue
    return found


class Measured(NamedTuple):
    """A whole process: seconds that passed, its largest resident size in 10⁶ bytes, and seconds of processor time,
    that of its children with it, which other jobs on the machine hardly change."""

    seconds: float
    megabytes: float
    processor: float


def measure(
    command: Sequence[str], cores: int, target: Path = Path(os.devnull), *, errors: Path | None = None, limit: int = 0
) -> Measured:
    """Run a process on so many cores, its output and errors appended to files.

    Args:
        limit: seconds of processor time after which it, or a child of it, is killed; 0: none.

    Raises:
        Failed: it ended with another exit code than 0, or was killed.
    """
    chosen = sorted(os.sched_getaffinity(0))[:cores]

    def prepare() -> None:
        os.sched_setaffinity(0, chosen)
        if limit:
            resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))

    with target.open("ab") as out, ExitStack() as files:
        err = files.enter_context(errors.open("ab")) if errors else None
        started = time.perf_counter()
        process = subprocess.Popen(command, stdout=out, stderr=err, preexec_fn=prepare)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
    if status:
        raise Failed(f"{' '.join(command)}: failed")
    return Measured(seconds, usage.ru_maxrss * 1024 / 1e6, usage.ru_utime + usage.ru_stime)


def machine(packages: Iterable[str]) -> dict[str, str]:
    """The machine in words, and the versions of Python and of those packages that are installed."""
    processor = platform.processor()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        processor = next((line.partition(": ")[2] for line in lines if line.startswith("model name")), processor)
    versions = {"python": platform.python_version()}
    for package in packages:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return {"machine": f"{processor}, {os.cpu_count()} cores, {platform.system()}", **versions}
