"""Several processes give what one gives, in the same order, and their end is noticed."""

from __future__ import annotations

import json
import multiprocessing
import os
import threading
from collections.abc import Iterator

import pytest

from rnntag.errors import DataError, RnntagError
from rnntag.formats.inputs import Input
from rnntag.model.stored import ModelBundle
from rnntag.tagging import chunks, parallel
from rnntag.tagging.chunks import Chunk, End
from rnntag.tagging.parallel import Part
from rnntag.tagging.pipeline import TagJob

SENTENCES = ["", "I eat", "I eat apples .", "花 开 了"]
TEXT = "".join(f"{SENTENCES[number % 4]}\n" for number in range(200))


@pytest.fixture(autouse=True)
def without_fork(monkeypatch: pytest.MonkeyPatch) -> None:
    """This process has threads, which the command line, when it forks, has not."""
    monkeypatch.setattr(parallel, "START_METHOD", "forkserver")
    monkeypatch.setattr(chunks, "CHUNK_CHARS", 100)


def task(model: ModelBundle, top: int | None = None, output: str = "slash") -> TagJob:
    return TagJob(model, ("upos",), output, top)


def cut(*blocks: str) -> Iterator[Chunk | End]:
    return chunks.chunks([Input("x", "tokens", blocks)])


@pytest.mark.parametrize(("output", "top"), [("slash", None), ("conllu", None), ("jsonl", 2)])
def test_processes_and_their_number_do_not_show(
    monkeypatch: pytest.MonkeyPatch, tiny: ModelBundle, output: str, top: int | None
) -> None:
    monkeypatch.setattr(chunks, "LONG_LINE", 200)  # so that a chunk ends within a line
    text = f"{TEXT}{TEXT.replace(chr(10), ' ')}\n{TEXT}"
    blocks = [text[start : start + 150] for start in range(0, len(text), 150)]
    assert any(isinstance(chunk, Chunk) and not chunk.begins for chunk in cut(*blocks))
    one, three = (
        b"".join(part.text for part in parallel.tag(task(tiny, top, output), cut(*blocks), jobs)) for jobs in (1, 3)
    )
    assert one.decode().count("apples") == text.count("apples") * (2 if output == "conllu" else 1)
    assert three == one


def test_what_is_done_does_not_wait_for_what_comes_next(tiny: ModelBundle) -> None:
    more = threading.Event()

    def blocks() -> Iterator[str]:
        yield "I eat\n"
        assert more.wait(60)
        yield "花 开\n"

    tagged = parallel.tag(task(tiny), chunks.chunks([Input("x", "tokens", blocks())]), 2)
    assert next(tagged).text == b"I/PRON eat/VERB\n"
    more.set()
    assert next(tagged).text.decode() == "花/NOUN 开/VERB\n"
    assert next(tagged) == Part(b"", 0, "x", 2, ends=True)
    assert next(tagged, None) is None


def test_bad_input_comes_after_what_stands_before_it(tiny: ModelBundle) -> None:
    def blocks() -> Iterator[str]:
        yield TEXT
        raise DataError("x:201: bad")

    tagged = parallel.tag(task(tiny), chunks.chunks([Input("x", "tokens", blocks())]), 2)
    *expected, end = parallel.tag(task(tiny), cut(TEXT))
    assert end.ends
    for part in expected:
        assert next(tagged) == part
    last = next(tagged)
    assert (str(last.error), last.ends, next(tagged, None)) == ("x:201: bad", True, None)


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_input_with_an_error_does_not_end_the_others(tiny: ModelBundle, jobs: int) -> None:
    def blocks() -> Iterator[str]:
        yield "I eat\n"
        raise DataError("b:2: bad")

    rows = "1\tI" + "\t_" * 8 + "\n\n"
    inputs = [
        Input("a", "conllu", [f"{rows}bad\n\n", f"{rows * 50}"]), Input("b", "tokens", blocks()),
        Input("c", "tokens", []), Input("d", "tokens", ["I eat\n"]),
    ]  # fmt: skip
    parts = list(parallel.tag(task(tiny), chunks.chunks(inputs), jobs))
    assert [(part.source, str(part.error or "")) for part in parts if part.ends] == [
        ("a", "a:3: 1 tab-separated columns where CoNLL-U has 10"), ("b", "b:2: bad"), ("c", ""), ("d", ""),
    ]  # fmt: skip
    assert [(p.source, p.text.decode(), p.tokens) for p in parts if p.text] == [
        ("a", "I/PRON\n", 1), ("b", "I/PRON eat/VERB\n", 2), ("d", "I/PRON eat/VERB\n", 2),
    ]  # fmt: skip


def test_a_process_that_dies_is_an_error(tiny: ModelBundle) -> None:
    before = set(multiprocessing.active_children())

    def blocks() -> Iterator[str]:
        yield TEXT
        for process in set(multiprocessing.active_children()) - before:
            process.kill()
            process.join()
        yield TEXT * 100

    with pytest.raises(RnntagError, match="a worker died"):
        list(parallel.tag(task(tiny), chunks.chunks([Input("x", "tokens", blocks())]), 2))


def test_processes_end_with_the_connection(tiny: ModelBundle) -> None:
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=parallel._work, args=(theirs, task(tiny), []))
    process.start()
    theirs.close()
    ours.send_bytes(json.dumps(next(cut("I eat\n"))).encode())
    assert (ours.recv_bytes(), ours.recv_bytes()) == (b"[2]", b"I/PRON eat/VERB\n")
    ours.close()
    process.join(60)
    assert process.exitcode == 0
    assert process.pid != os.getpid()
