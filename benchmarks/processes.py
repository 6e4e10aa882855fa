"""Measures processes and describes the machine."""

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
    """A process failed."""


class Snapshot(NamedTuple):
    """A process now: resident memory in 10⁶ bytes, threads that have used processor time (ONNX Runtime starts one
    that only waits), open descriptors, and seconds of processor time so far."""

    megabytes: float
    threads: int
    descriptors: int
    processor: float


def snapshot(process: int) -> Snapshot:
    """A process, as seen in /proc.

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
    """Fields of the `stat` of a process or thread, counted from its state; see proc(5)."""
    fields = (folder / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    return [int(fields[place]) for place in places]


def family(process: int) -> list[int]:
    """A process and its running descendants."""
    members = [process]
    for member in members:
        for task in Path("/proc", str(member), "task").glob("*/children"):
            try:
                members += map(int, task.read_text(encoding="ascii").split())
            except OSError:
                continue
    return members


class Measured(NamedTuple):
    """A finished process: wall-clock seconds, peak resident memory in 10⁶ bytes, and seconds of processor time,
    including children. Processor time hardly depends on other jobs on the machine."""

    seconds: float
    megabytes: float
    processor: float


def measure(
    command: Sequence[str], cores: int, target: Path = Path(os.devnull), *, errors: Path | None = None, limit: int = 0
) -> Measured:
    """Run a process on `cores` cores, its output and errors appended to files.

    Args:
        limit: seconds of processor time after which the process or a child of it is killed; 0: no limit.

    Raises:
        Failed: its exit code is not 0, or it was killed.
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
    """A description of the machine, and the versions of Python and the installed packages."""
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
