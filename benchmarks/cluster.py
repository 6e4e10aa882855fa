"""Kills a node of a Ray cluster while it tags, kills a driver, and compares all output with that of one process.

    pip install ".[ray]"
    python -m benchmarks.cluster en_ewt-ud-train.conllu zh_gsdsimp-ud-train.conllu

The cluster has a head without processors and two nodes with one each, all on this machine. The documents are two
sentences of the treebanks each, all different in their first word.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from pyarrow import parquet
from ray.cluster_utils import Cluster

from benchmarks.scale import Memory, documents, write

_Row = tuple[str, list[str], list[str]]


def digest(rows: Iterable[_Row]) -> str:
    """SHA-256 of the sorted rows: texts, their tokens and tags."""
    lines = sorted(json.dumps(row, ensure_ascii=False) for row in rows)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def of_parquet(folder: Path) -> Iterator[_Row]:
    for path in folder.glob("*.parquet"):
        for row in parquet.read_table(path, columns=["text", "tokens", "upos"]).to_pylist():
            yield row["text"], row["tokens"], row["upos"]


def of_json(folder: Path) -> Iterator[_Row]:
    for path in folder.glob("*.jsonl"):
        for line in path.open(encoding="utf-8"):
            row: dict[str, Any] = json.loads(line)
            yield row["text"], row["tokens"], row["tags"]


def wait_for(shards: int, output: Path, run: subprocess.Popen[bytes]) -> None:
    while len([*output.glob("*.parquet")]) < shards:
        if run.poll() is not None:
            raise SystemExit(f"the job ended before {shards} files were written")
        time.sleep(0.1)


def report(name: str, began: float, found: str, expected: str, memory: Memory | None = None) -> None:
    same = "same output" if found == expected else f"OTHER OUTPUT: {found}"
    sizes = f"; workers' memory, MB: {', '.join(f'{size:,.0f}' for size in memory.quarters())}" if memory else ""
    print(f"{name}: {time.monotonic() - began:,.0f} s, {same}{sizes}", flush=True)


def node_is_killed(command: Sequence[str], output: Path, files: int) -> Memory:
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    try:
        nodes = [cluster.add_node(num_cpus=1) for _ in range(2)]
        run = subprocess.Popen([*command, "--output", str(output), "--address", cluster.address])
        watch = Memory(os.getpid())
        watch.start()
        wait_for(files // 2, output, run)
        cluster.remove_node(nodes[0], allow_graceful=False)
        if run.wait():
            raise SystemExit("the job failed")
        watch.stop()
        return watch
    finally:
        cluster.shutdown()


def driver_is_killed(command: Sequence[str], output: Path, files: int) -> None:
    command = [*command, "--output", str(output), "--workers", "2"]
    run = subprocess.Popen(command, start_new_session=True)
    wait_for(files // 2, output, run)
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    subprocess.run(command, check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("treebanks", nargs="+")
    parser.add_argument("--model", default="zh-en-fast")
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--files", type=int, default=64)
    given = parser.parse_args()
    program = [sys.executable, "-m", "rnntag"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder, [*islice(documents(given.treebanks, sentences=2), given.rows)], given.files)
        began = time.monotonic()
        command = [*program, "tag", "--model", given.model, "--jobs", "2", "--quiet", "--format", "jsonl"]
        command += ["--input-format", "jsonl", "--output-dir", str(folder / "tagged")]
        files = sorted((folder / "in").iterdir())
        subprocess.run([*command, *(part for file in files for part in ("-i", str(file)))], check=True)
        rows = [*of_json(folder / "tagged")]
        expected = digest(rows)
        tokens = sum(len(row[1]) for row in rows)
        report(f"rnntag tag: {len(rows):,} documents, {tokens:,} tokens", began, expected, expected)
        del rows
        command = [*program, "bulk", str(folder / "in"), "--model", given.model]
        began = time.monotonic()
        memory = node_is_killed(command, folder / "node", given.files)
        report("a node was killed", began, digest(of_parquet(folder / "node")), expected, memory)
        began = time.monotonic()
        driver_is_killed(command, folder / "driver", given.files)
        report("the driver was killed", began, digest(of_parquet(folder / "driver")), expected)


if __name__ == "__main__":
    main()
