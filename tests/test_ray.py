"""Ray tags each row once, whatever dies."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import rnntag
from benchmarks.processes import family
from tests.conftest import ROOT

pytest.importorskip("ray")
pytest.importorskip("pyarrow")

import ray.data
from pyarrow import fs, parquet
from ray.cluster_utils import Cluster

from rnntag.integrations import ray as on_ray

pytestmark = pytest.mark.slow

FAST = str(ROOT / "models" / "zh-en-fast")
FILES, ROWS = 40, 50


@pytest.fixture(scope="module")
def crawl(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of documents, each of them different."""
    folder = tmp_path_factory.mktemp("crawl")
    for file in range(FILES):
        rows = ({"id": file * ROWS + row, "text": f"I can swim {file} {row}. 我吃苹果。" * 5} for row in range(ROWS))
        content = "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)
        (folder / f"{file:02d}.jsonl").write_text(content, encoding="utf-8")
    return folder


def digest(rows: list[dict[str, Any]]) -> str:
    tagged = sorted((row["id"], row["tokens"], row["upos"]) for row in rows)
    return hashlib.sha256(json.dumps(tagged).encode()).hexdigest()


@pytest.fixture(scope="module")
def expected(crawl: Path) -> str:
    """The digest of what one process finds."""
    tagger = rnntag.load(FAST)
    rows = [json.loads(line) for path in crawl.iterdir() for line in path.open(encoding="utf-8")]
    for row in rows:
        pairs = [pair for sentence in tagger.tag_text(row["text"]) for pair in sentence]
        row |= {"tokens": [token for token, _ in pairs], "upos": [tag for _, tag in pairs]}
    return digest(rows)


def output(folder: Path) -> str:
    return digest([row for path in folder.glob("*.parquet") for row in parquet.read_table(path).to_pylist()])


def bulk(crawl: Path | str, out: Path | str, *options: str) -> list[str]:
    return [sys.executable, "-m", "rnntag", "bulk", str(crawl), "--output", str(out), "--model", FAST, *options]


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """A head without processors."""
    started = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    yield started
    started.shutdown()


def wait_for(finished: int, out: Path) -> None:
    deadline = time.monotonic() + 120
    while len([*out.glob("*.parquet")]) < finished:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_dataset(crawl: Path, expected: str) -> None:
    on_ray.start(None, 2)
    try:
        tagged = on_ray.tag(ray.data.read_json([str(path) for path in crawl.iterdir()]), model=FAST)
        assert digest(tagged.take_all()) == expected
    finally:
        on_ray.stop()


def listening(processes: Collection[int]) -> set[str]:
    """The addresses, in hexadecimal as in proc(5), that processes listen on."""
    sockets = set()
    for process in processes:
        for descriptor in Path("/proc", str(process), "fd").glob("*"):
            with suppress(OSError):
                sockets.add(os.readlink(descriptor))
    rows = [row.split() for family in ("tcp", "tcp6") for row in Path("/proc/net", family).read_text().splitlines()[1:]]
    return {row[1].partition(":")[0] for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in sockets}


def test_ray_on_this_machine_listens_to_it_alone(crawl: Path, tmp_path: Path) -> None:
    started = subprocess.Popen(bulk(crawl, tmp_path / "out", "--workers", "1"))
    wait_for(1, tmp_path / "out")
    addresses = listening(family(started.pid))
    assert started.wait(300) == 0
    assert addresses
    assert addresses <= {"0100007F", "0000000000000000FFFF00000100007F", "00000000000000000000000001000000"}


def test_a_node_is_killed(crawl: Path, expected: str, cluster: Cluster, tmp_path: Path) -> None:
    nodes = [cluster.add_node(num_cpus=1) for _ in range(2)]
    started = subprocess.Popen(bulk(crawl, tmp_path / "out", "--address", cluster.address))
    wait_for(3, tmp_path / "out")
    cluster.remove_node(nodes[0], allow_graceful=False)
    assert started.wait(300) == 0
    assert output(tmp_path / "out") == expected


def test_the_driver_is_killed(crawl: Path, expected: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    started = subprocess.Popen(bulk(crawl, out, "--workers", "2"), start_new_session=True)
    wait_for(3, out)
    os.killpg(started.pid, signal.SIGKILL)
    started.wait()
    done = subprocess.run(bulk(crawl, out, "--workers", "2"), capture_output=True, text=True, check=True)
    assert f"tagged {FILES * ROWS:,} rows" not in done.stderr or "already finished" not in done.stderr
    assert output(out) == expected
    again = subprocess.run(bulk(crawl, out), capture_output=True, text=True, check=True)
    assert again.stderr == f"{FILES} of {FILES} shards are already finished\n"
    assert sorted(path.name for path in out.iterdir()) == [
        *(f"{n:02d}.parquet" for n in range(FILES)),
        "_manifest.json",
    ]


def test_an_object_store(crawl: Path, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = pytest.importorskip("moto.server").ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    try:
        host, port = server.get_host_and_port()
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        options = f"endpoint_override={host}:{port}&scheme=http&region=us-east-1"
        store, _ = fs.FileSystem.from_uri(f"s3://store?{options}&allow_bucket_creation=true")
        store.create_dir("store")
        fs.copy_files(str(crawl), "store/in", destination_filesystem=store)
        command = bulk(f"s3://store/in?{options}", f"s3://store/out?{options}")
        subprocess.run(command, check=True)
        again = subprocess.run(command, capture_output=True, text=True, check=True)
        assert again.stderr == f"{FILES} of {FILES} shards are already finished\n"
        fs.copy_files("store/out", str(tmp_path), source_filesystem=store)
        assert output(tmp_path) == expected
    finally:
        server.stop()


def test_a_bad_file_does_not_cost_the_others(crawl: Path, tmp_path: Path) -> None:
    for name in ("00.jsonl", "01.jsonl"):
        (tmp_path / name).write_bytes((crawl / name).read_bytes())
    (tmp_path / "bad.jsonl").write_text('{"text": "a"}\n{"te')
    done = subprocess.run(bulk(tmp_path, tmp_path.parent / "out"), capture_output=True, text=True)
    assert done.returncode == 65
    assert f"error: {tmp_path / 'bad.jsonl'}: the line at byte 14 is not JSON" in done.stderr
    assert "tagged 100 rows" in done.stderr
    assert sorted(path.name for path in (tmp_path.parent / "out").glob("*.parquet")) == ["00.parquet", "01.parquet"]
