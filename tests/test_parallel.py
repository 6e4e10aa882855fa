"""Several processes give what one gives, in the same order, and their end is noticed."""

from __future__ import annotations

import json
import multiprocessing
import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import pytest

from rnntag import parallel
from rnntag.parallel import Task, tag_blocks
from rnntag.schema import DataError, RnntagError
from rnntag.store import StoredModel


class Words(NamedTuple):
    tokens: list[str]


@pytest.fixture(autouse=True)
def without_fork(monkeypatch: pytest.MonkeyPatch) -> None:
    """This process has threads, which the command line, when it forks, has not."""
    monkeypatch.setattr(parallel, "START_METHOD", "spawn")
    monkeypatch.setattr(parallel, "BLOCK_TOKENS", 12)


BLOCKS = [[Words(["I", "eat", "apples", "."][: number % 5]) for number in range(size)] for size in (1, 30, 0, 7, 50)]


@pytest.mark.parametrize("top", [None, 2])
def test_processes_and_their_number_do_not_show(tiny: StoredModel, top: int | None) -> None:
    def flat(jobs: int) -> list[object]:
        pairs = tag_blocks(Task(tiny, "upos", top), BLOCKS, jobs)
        return [pair for block, found in pairs for pair in zip(block, found, strict=True)]

    assert [words for words, _ in flat(1)] == [words for block in BLOCKS for words in block]
    assert flat(3) == flat(1)


def test_what_is_done_does_not_wait_for_what_comes_next(tiny: StoredModel) -> None:
    more = threading.Event()

    def blocks() -> Iterator[list[Words]]:
        yield BLOCKS[0]
        assert more.wait(60)
        yield BLOCKS[1][:1]

    tagged = tag_blocks(Task(tiny, "upos"), blocks(), 2)
    assert next(tagged)[0] == BLOCKS[0]
    more.set()
    assert next(tagged)[0] == BLOCKS[1][:1]
    assert next(tagged, None) is None


def test_bad_input_comes_after_what_stands_before_it(tiny: StoredModel) -> None:
    def blocks() -> Iterator[list[Words]]:
        yield BLOCKS[1]
        raise DataError("x:31: bad")

    tagged = tag_blocks(Task(tiny, "upos"), blocks(), 2)
    done: list[Words] = []
    while len(done) < len(BLOCKS[1]):
        done += next(tagged)[0]
    assert done == BLOCKS[1]
    with pytest.raises(DataError, match="x:31: bad"):
        next(tagged)


def test_a_process_that_dies_is_an_error(tiny: StoredModel) -> None:
    before = set(multiprocessing.active_children())

    def blocks() -> Iterator[list[Words]]:
        yield BLOCKS[1]
        for process in set(multiprocessing.active_children()) - before:
            process.kill()
            process.join()
        yield from [BLOCKS[4]] * 100

    with pytest.raises(RnntagError, match="a tagging process has died"):
        list(tag_blocks(Task(tiny, "upos"), blocks(), 2))


def test_graphs_that_cannot_be_loaded_are_an_error(tiny: StoredModel) -> None:
    broken = replace(tiny, graphs={"encoder.onnx": b"x", "tagger.onnx": b"y"})
    with pytest.raises(DataError, match="ONNX Runtime cannot load it"):
        list(tag_blocks(Task(broken, "upos"), BLOCKS, 2))


def test_processes_end_with_the_connection(tiny: StoredModel) -> None:
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=parallel._work, args=(theirs, Task(tiny, "upos"), []))
    process.start()
    theirs.close()
    ours.send_bytes(json.dumps([["I", "eat"]]).encode())
    assert json.loads(ours.recv_bytes()) == [["PRON", "VERB"]]
    ours.close()
    process.join(60)
    assert process.exitcode == 0
    assert process.pid != os.getpid()
