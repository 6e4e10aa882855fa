"""Many concurrent `rnntag tag` processes: checks their output and measures their cost.

    python -m benchmarks.many en_ewt-ud-dev.conllu --processes 64 --lines 3 1000 --in-turn
    python -m benchmarks.many en_ewt-ud-dev.conllu --processes 1 2 8 --threads 1 2 4 --lines 20000 --rounds 3

All processes of a case start together on the same first lines of the treebank. Their output must equal that of a single
process. The table has medians over --rounds, in each of which all cases run in turn: seconds until the last process
ends, total processor time, the most threads of one process and the peak memory of all. --in-turn adds the seconds for
running them one after another. Exit code 1: a process failed or its output differed.
"""

from __future__ import annotations

import argparse
import itertools
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.processes import family, machine, snapshot
from benchmarks.speed import write_text

PAUSE = 0.02
"""Seconds between samples of threads and memory."""


class Crowd(NamedTuple):
    """Processes that ran concurrently.

    Attributes:
        codes: their exit codes.
        outputs: their distinct outputs.
        seconds: until the last ended.
        processor: total seconds of processor time.
        threads: the most of one process and its children.
        megabytes: peak memory of all together, in 10⁶ bytes.
    """

    codes: list[int]
    outputs: set[bytes]
    seconds: float
    processor: float
    threads: int
    megabytes: float


def together(command: Sequence[str], source: Path, number: int, folder: Path) -> Crowd:
    """Run `number` processes concurrently, each with `source` as standard input."""
    targets = [folder / str(index) for index in range(number)]
    started, before = time.perf_counter(), os.times()
    processes = []
    for target in targets:
        with source.open("rb") as text, target.open("wb") as out:
            processes.append(subprocess.Popen(command, stdin=text, stdout=out))
    threads, megabytes = 0, 0.0
    while running := [process for process in processes if process.poll() is None]:
        held = [_held(process.pid) for process in running]
        threads = max(threads, *(count for count, _ in held))
        megabytes = max(megabytes, sum(size for _, size in held))
        time.sleep(PAUSE)
    seconds, after = time.perf_counter() - started, os.times()
    processor = after.children_user - before.children_user + after.children_system - before.children_system
    outputs = {target.read_bytes() for target in targets}
    return Crowd([process.returncode for process in processes], outputs, seconds, processor, threads, megabytes)


def _held(process: int) -> tuple[int, float]:
    threads, megabytes = 0, 0.0
    for member in family(process):
        try:
            sample = snapshot(member)
        except OSError:
            continue
        threads += sample.threads
        megabytes += sample.megabytes
    return threads, megabytes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", help="CoNLL-U file to tag")
    parser.add_argument("--model", nargs="+", default=["models/zh-en"])
    parser.add_argument("--input-format", nargs="+", choices=("tokens", "raw"), default=["tokens"])
    parser.add_argument("--processes", nargs="+", type=int, default=[64], metavar="N")
    parser.add_argument("--threads", nargs="+", type=int, default=[1], metavar="N")
    parser.add_argument("--lines", nargs="+", type=int, default=[3, 1000], metavar="N")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--in-turn", action="store_true")
    given = parser.parse_args()
    cases = list(itertools.product(given.model, given.input_format, given.lines, given.processes, given.threads))
    runs: dict[tuple[str, str, int, int, int], list[tuple[Crowd, float]]] = {case: [] for case in cases}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        text = folder / "text"
        write_text(given.text, 20 * max(given.lines), text)
        for _ in range(given.rounds):
            for case in cases:
                model, way, lines, number, threads = case
                full = text if way == "tokens" else text.with_suffix(".raw")
                source = folder / "source"
                source.write_text("".join(full.open(encoding="utf-8").readlines()[:lines]), encoding="utf-8")
                command = [sys.executable, "-m", "rnntag", "tag", "--model", model, "--input-format", way]
                command += ["--threads", str(threads)]
                alone = together(command, source, 1, folder)
                crowd = together(command, source, number, folder)
                if any((*alone.codes, *crowd.codes)) or crowd.outputs != alone.outputs or alone.outputs == {b""}:
                    sys.exit(f"{case}: exit codes {set(crowd.codes)}, {len(crowd.outputs)} different outputs")
                seconds = 0.0
                if given.in_turn:
                    seconds = sum(together(command, source, 1, folder).seconds for _ in range(number))
                runs[case].append((crowd, seconds))
                print(case, crowd._replace(codes=[], outputs=set()), file=sys.stderr, flush=True)
    columns = ("model", "input", "lines", "processes", "--threads", "seconds", "processor seconds", "threads", "MB")
    print("|", " | ".join((*columns, *(["seconds in turn"] if given.in_turn else []))), "|")
    print("| --- | --- |" + " ---: |" * (7 + given.in_turn))
    for case, found in runs.items():
        middle = [statistics.median(values) for values in zip(*(crowd[2:] for crowd, _ in found), strict=True)]
        cells = [Path(case[0]).name, *map(str, case[1:]), f"{middle[0]:.2f}", f"{middle[1]:.2f}"]
        cells += [f"{max(crowd.threads for crowd, _ in found)}", f"{middle[3]:.0f}"]
        if given.in_turn:
            cells.append(f"{statistics.median(seconds for _, seconds in found):.2f}")
        print("|", " | ".join(cells), "|")
    print("\n" + ", ".join(f"{name} {version}" for name, version in machine(("rnntag", "onnxruntime")).items()))


if __name__ == "__main__":
    main()
