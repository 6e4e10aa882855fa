"""Rows per second on Ray and in one process, and the memory of Ray's workers.

    pip install ".[ray]"
    python -m benchmarks.scale en_ewt-ud-dev.conllu zh_gsdsimp-ud-dev.conllu

The rows are documents of 20 sentences of the treebanks, all different in their first word. Each round runs the commands
in turn; times are medians. `start` is the time that Ray takes before it tags the first file.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from itertools import count, cycle, islice
from pathlib import Path

from benchmarks.processes import family, snapshot
from rnntag.corpora import loading
from rnntag.corpora.raw_text import gold_paragraph

SENTENCES, FILES = 20, 8
_SPEED = re.compile(r"tagged ([\d,]+) rows.*: ([\d,]+) tokens, ([\d,]+) tokens/s")


def documents(treebanks: Sequence[str], sentences: int = SENTENCES) -> Iterator[str]:
    """Documents without end: the sentences of the treebanks, again and again."""
    texts = [
        gold_paragraph([sentence]).text.strip()
        for corpus in loading.load(treebanks)
        for sentence in (*corpus.train, *corpus.dev, *corpus.test)
    ]
    stream = cycle(texts)
    for number in count(1):
        yield f"{number} " + " ".join(islice(stream, sentences))


def write(folder: Path, rows: Sequence[str], files: int = FILES) -> None:
    (folder / "in").mkdir()
    for file in range(files):
        lines = (json.dumps({"text": text}, ensure_ascii=False) for text in rows[file::files])
        (folder / "in" / f"{file}.jsonl").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


class Memory(threading.Thread):
    """The largest resident memory of a worker of Ray in each quarter of a run, in 10⁶ bytes."""

    def __init__(self, process: int) -> None:
        super().__init__(daemon=True)
        self._process = process
        self._ended = threading.Event()
        self.samples: list[float] = []

    def stop(self) -> None:
        self._ended.set()
        self.join()

    def run(self) -> None:
        while not self._ended.wait(0.5) and Path("/proc", str(self._process)).exists():
            sizes = []
            for member in family(self._process):
                try:
                    name = Path("/proc", str(member), "cmdline").read_bytes()
                    if name.startswith(b"ray::_done"):
                        sizes.append(snapshot(member).megabytes)
                except OSError:
                    continue
            if sizes:
                self.samples.append(max(sizes))

    def quarters(self) -> list[float]:
        size = max(len(self.samples) // 4, 1)
        return [max(self.samples[begin : begin + size]) for begin in range(0, len(self.samples), size)][:4]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("treebanks", nargs="+")
    parser.add_argument("--model", default="zh-en")
    parser.add_argument("--rows", type=int, default=4000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    rows = list(islice(documents(given.treebanks), given.rows))
    program = [sys.executable, "-m", "rnntag"]
    seconds: dict[str, list[float]] = {}
    speeds: dict[str, list[float]] = {}
    memory: list[float] = []
    for _ in range(given.rounds):
        for workers in ("1", "2"):
            with tempfile.TemporaryDirectory() as name:
                folder = Path(name)
                write(folder, rows)
                files = sorted((folder / "in").iterdir())
                command = [*program, "tag", "--model", given.model, "--jobs", workers, "--quiet"]
                command += ["--output-dir", str(folder / "tagged"), "--format", "jsonl"]
                began = time.monotonic()
                subprocess.run([*command, *(part for file in files for part in ("-i", str(file)))], check=True)
                seconds.setdefault(f"tag --jobs {workers}", []).append(time.monotonic() - began)
                command = [*program, "bulk", str(folder / "in"), "--output", str(folder / "out"), "--workers", workers]
                began = time.monotonic()
                run = subprocess.Popen([*command, "--model", given.model], stderr=subprocess.PIPE, text=True)
                watch = Memory(run.pid)
                watch.start()
                _, report = run.communicate()
                seconds.setdefault(f"bulk --workers {workers}", []).append(time.monotonic() - began)
                if run.returncode or not (found := _SPEED.search(report)):
                    raise SystemExit(report)
                tokens, speed = (int(number.replace(",", "")) for number in found.groups()[1:])
                speeds.setdefault(f"bulk --workers {workers}", []).append(tokens / speed)
                memory = watch.quarters()
    print("| | rows/s, start included | rows/s while tagging | start, s |")
    print("| --- | ---: | ---: | ---: |")
    for name, own in seconds.items():
        whole = statistics.median(own)
        tagging = statistics.median(speeds[name]) if name in speeds else whole
        print(f"| {name} | {given.rows / whole:,.0f} | {given.rows / tagging:,.0f} | {whole - tagging:.1f} |")
    print(f"\nA worker's memory in each quarter of the last run, MB: {', '.join(f'{size:,.0f}' for size in memory)}")


if __name__ == "__main__":
    main()
