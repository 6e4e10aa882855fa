"""Under load, and when processes die: nothing is lost, nothing is left behind, nobody is called."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

if not Path("/proc/self/task").is_dir():
    pytest.skip("needs Linux's /proc", allow_module_level=True)

from benchmarks.many import together
from benchmarks.processes import family, snapshot
from benchmarks.soak import LEAST_SAMPLES, Sample, Soak, Text, Way, sample, soak, verdict
from rnntag.corpora import loading
from tests.conftest import Run, few, one_line

LINE, TAGGED = b"I eat apples .\n", b"I/PRON eat/VERB apples/NOUN ./PUNCT\n"
ERROR = "error: a worker died (out of memory?): use fewer --jobs\n"


def tag(model: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "rnntag", "tag", "-m", str(model), "--input-format", "tokens", *arguments]


@pytest.mark.parametrize(("way", "jobs"), few([("tokens", 1), ("tokens", 2), ("raw", 1)], ("tokens", 2)))
def test_a_soak_loses_nothing(tiny_raw_folder: Path, way: Way, jobs: int) -> None:
    text = Text([loading.STARTER], way, long=0.001)
    command = [*tag(tiny_raw_folder, "--jobs", str(jobs)), "--input-format", way]
    run = soak(command, text, way, tokens=20_000, seconds=60, every=0.2)
    assert verdict(run)
    assert not run.problems
    assert run.tokens >= (20_000 if way == "tokens" else 15_000)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ("b''.join(lines[:9] + lines[10:])", "line 10: "),
        ("b''.join(lines[:-1])", "never came back"),
        ("b''.join(lines)[:-9]", "ends within a line"),
        ("b''.join([*lines, lines[0]])", "more came back"),
        ("b''.join(lines)); sys.exit(3", "exit code 3"),
    ],
)
def test_a_soak_finds_what_is_lost(change: str, problem: str) -> None:
    tagged = "[b' '.join(word + b'/X' for word in line.split()) + b'\\n' for line in sys.stdin.buffer]"
    program = f"import sys; lines = {tagged}; sys.stdout.buffer.write({change})"
    run = soak([sys.executable, "-c", program], Text([loading.STARTER], "tokens"), "tokens", 20_000, 60, 60)
    assert problem in "\n".join(run.problems)


@pytest.mark.parametrize(
    ("growth", "slower", "threads", "problems"),
    [
        (0.0, 0.0, 0, []),
        (1.0, 0.0, 0, ["memory grows"]),
        (0.0, 0.005, 0, ["speed falls"]),
        (0.0, 0.0, 1, ["the number of threads changes"]),
    ],
)
def test_a_soak_finds_what_is_not_flat(growth: float, slower: float, threads: int, problems: list[str]) -> None:
    samples = [
        Sample(n, 1000 * n, 1, 100 + growth * n, 1 + threads * (n > 70), 3, n * (1 + slower * n)) for n in range(1, 100)
    ]
    run = Soak(samples)
    verdict(run)
    assert run.problems == problems
    assert "too short" in verdict(Soak(samples[: LEAST_SAMPLES - 1]))[1]


def test_processes_at_once_have_a_thread_each(tiny_folder: Path, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(LINE * 300)
    crowd = together(tag(tiny_folder), source, 4, tmp_path)
    assert set(crowd.codes) == {0}
    assert crowd.outputs == {TAGGED * 300}
    assert crowd.threads == 1


@contextmanager
def busy(model: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[bytes], list[int]]]:
    """rnntag with input that does not end, and the processes that it has started."""
    command = tag(model, *arguments)
    with (
        subprocess.Popen(["yes", LINE.decode().strip()], stdout=subprocess.PIPE) as source,
        subprocess.Popen(
            command, stdin=source.stdout, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0
        ) as process,
    ):
        source.stdout.close()
        assert process.stdout.readline() == TAGGED
        yield process, family(process.pid)[1:]
        source.kill()
        process.kill()


@pytest.mark.parametrize("which", [0, 1])
def test_a_killed_process_is_an_error_after_whole_lines(tiny_folder: Path, which: int) -> None:
    with busy(tiny_folder, "--jobs", "2") as (process, workers):
        os.kill(workers[which], signal.SIGKILL)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert err.decode() == ERROR
    assert set(out.splitlines(keepends=True)) <= {TAGGED}


@pytest.mark.parametrize(("end", "jobs"), [(signal.SIGTERM, 1), (signal.SIGTERM, 2), (signal.SIGKILL, 2)])
def test_a_signal_ends_all_processes(tiny_folder: Path, end: signal.Signals, jobs: int) -> None:
    with busy(tiny_folder, "--jobs", str(jobs)) as (process, workers):
        assert len(workers) == (2 if jobs == 2 else 0)
        process.send_signal(end)
        assert process.wait(timeout=60) == -end
        limit = time.monotonic() + 60
        while any(map(runs, workers)):
            assert time.monotonic() < limit
            time.sleep(0.01)


def runs(process: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] != "Z"
    return False


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("command", ["tag a", "tag --jobs 2 a", "eval gold.conllu", "explain --json a", "models"])
def test_a_full_disk_is_one_line_whatever_is_done(tiny_folder: Path, tmp_path: Path, command: str) -> None:
    (tmp_path / "gold.conllu").write_text("1\tI\t_\tPRON" + "\t_" * 6 + "\n", encoding="utf-8")
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "rnntag", *command.split()],
            env={**os.environ, "RNNTAG_MODEL": str(tiny_folder)}, cwd=tmp_path,
            stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 74
    assert one_line(done.stderr) == "error: output: No space left on device"


@pytest.mark.skipif(sys.platform == "win32", reason="closes a descriptor before the program begins")
@pytest.mark.parametrize("command", ["tag a", "models", "corpora --json", "explain --json a"])
def test_a_closed_output_is_one_line(tiny_folder: Path, tmp_path: Path, command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "rnntag", *command.split()],
        env={**os.environ, "RNNTAG_MODEL": str(tiny_folder)}, cwd=tmp_path,
        preexec_fn=lambda: os.close(1), stderr=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 74
    assert one_line(done.stderr) == "error: standard output is closed"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_errors_that_cannot_be_written_keep_their_exit_code(tiny_folder: Path) -> None:
    for command, code in ((["tag", "-m", "nix", "a"], 66), (["tag", "--nix"], 2), (tag(tiny_folder, "a")[3:], 0)):
        with open("/dev/full", "wb") as full:
            done = subprocess.run(
                [sys.executable, "-m", "rnntag", *command], stdout=subprocess.PIPE, stderr=full, check=False
            )
        assert (done.returncode, done.stdout) == (code, b"" if code else b"a/DET\n")


WATCH = """
import os, sys

def watch(event, arguments):
    writes = os.O_WRONLY | os.O_RDWR | os.O_CREAT
    if event.startswith(("socket.connect", "socket.bind", "socket.send", "socket.get", "urllib", "http", "subprocess")):
        found = event
    elif event == "open" and arguments[2] & writes and isinstance(arguments[0], (str, bytes)):
        found = f"writes {arguments[0]}"
    elif event in ("os.mkdir", "os.rename", "os.remove", "os.link", "os.symlink", "os.truncate", "os.system"):
        found = event
    else:
        return
    os.write(2, found.encode() + b"\\n")

sys.addaudithook(watch)
"""


@pytest.fixture
def watched(tmp_path: Path) -> dict[str, str]:
    """An environment in which Python tells on stderr of each file that is written and each call to the network."""
    (tmp_path / "watch").mkdir()
    (tmp_path / "watch" / "sitecustomize.py").write_text(WATCH, encoding="utf-8")
    return {"PYTHONPATH": str(tmp_path / "watch"), "PYTHONDONTWRITEBYTECODE": "1"}


@pytest.mark.parametrize("arguments", ["", "--jobs 2", "--input-format raw --threads 2"])
def test_tagging_writes_no_file_and_calls_nobody(
    run: Run, watched: dict[str, str], tiny_raw_folder: Path, arguments: str
) -> None:
    done = run("tag", "-m", tiny_raw_folder, *arguments.split(), stdin=LINE * 3, **watched)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("apples") == 3


def test_what_is_written_would_be_seen(run: Run, watched: dict[str, str], tiny_folder: Path, tmp_path: Path) -> None:
    gold = tmp_path / "gold.conllu"
    gold.write_text("1\tI\t_\tPRON" + "\t_" * 6 + "\n", encoding="utf-8")
    done = run("eval", gold, "-m", tiny_folder, "--html", "page.html", **watched)
    assert done.returncode == 0
    assert "writes" in done.stderr


def test_tagging_holds_nothing_but_its_streams(tiny_folder: Path) -> None:
    with busy(tiny_folder) as (process, _):
        assert snapshot(process.pid).descriptors == 3


def test_a_sample_is_of_all_processes(tiny_folder: Path) -> None:
    with busy(tiny_folder, "--jobs", "2") as (process, workers):
        for _ in range(5):  # the processes go on working: one may open or close a file between the two looks
            found = sample(process.pid, 1.0, 2)
            alone = [snapshot(one) for one in (process.pid, *workers)]
            if found.descriptors == sum(one.descriptors for one in alone):
                break
    assert (found.processes, found.threads) == (3, sum(one.threads for one in alone))
    assert found.descriptors == sum(one.descriptors for one in alone)
