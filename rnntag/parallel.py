"""A stream of sentences through one tagger, or through one in each of several processes."""

from __future__ import annotations

import itertools
import multiprocessing
import queue
import signal
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, Protocol, TypeVar

from rnntag.schema import RnntagError
from rnntag.store import StoredModel
from rnntag.tagger import BLOCK_TOKENS, Tagger

AHEAD = 2
"""How many portions a process may be given before it has done the first of them."""


class _HasTokens(Protocol):
    @property
    def tokens(self) -> Sequence[str]: ...


Item = TypeVar("Item", bound=_HasTokens)


@dataclass(frozen=True, slots=True)
class Task:
    """What `Tagger` and `Tagger.predict` are called with."""

    model: StoredModel
    tagset: str
    top: int | None = None
    threads: int = 1


def tag_blocks(task: Task, blocks: Iterable[list[Item]], jobs: int = 1) -> Iterator[tuple[list[Item], list[Any]]]:
    """Blocks of sentences as they come, with what `Tagger.predict` says of them, in order.

    With several jobs, `blocks` is consumed in a thread of its own, so that what is done does not
    wait for what comes next, and a block may come out in pieces.

    Args:
        jobs: number of processes.

    Raises:
        DataError: the model's graphs cannot be loaded.
        RnntagError: a process has died.
        And whatever `blocks` raises, once what stands before it is done.
    """
    if jobs > 1:
        yield from _in_processes(task, blocks, jobs)
        return
    tagger = Tagger(task.model, threads=task.threads)
    for block in blocks:
        yield block, tagger.predict([item.tokens for item in block], task.tagset, top=task.top)


def _in_processes(task: Task, blocks: Iterable[list[Item]], jobs: int) -> Iterator[tuple[list[Item], list[Any]]]:
    # Not forked: ONNX Runtime and the thread below have state that a copy would not get whole.
    context = multiprocessing.get_context("spawn")
    connections: list[Connection] = []
    for _ in range(jobs):
        ours, theirs = context.Pipe()
        context.Process(target=_work, args=(theirs, task), daemon=True).start()
        theirs.close()  # so that its end is seen when the process ends
        connections.append(ours)
    order: queue.Queue[tuple[Connection, list[Item]] | Exception | None] = queue.Queue(AHEAD * jobs)

    def distribute() -> None:
        try:
            for connection, portion in zip(itertools.cycle(connections), _portions(blocks), strict=False):
                order.put((connection, portion))
                try:
                    connection.send([item.tokens for item in portion])
                except OSError:
                    return  # as who waits for its answer will see
        except Exception as error:
            order.put(error)
        else:
            order.put(None)

    threading.Thread(target=distribute, daemon=True).start()
    while (due := order.get()) is not None:
        if isinstance(due, Exception):
            raise due
        connection, portion = due
        try:
            answer = connection.recv()
        except (EOFError, OSError):
            raise RnntagError("a tagging process has died, for want of memory perhaps: try fewer --jobs") from None
        if isinstance(answer, Exception):
            raise answer
        yield portion, answer


def _portions(blocks: Iterable[list[Item]]) -> Iterator[list[Item]]:
    for block in blocks:
        portion: list[Item] = []
        tokens = 0
        for item in block:
            portion.append(item)
            tokens += len(item.tokens)
            if tokens >= BLOCK_TOKENS:
                yield portion
                portion, tokens = [], 0
        if portion:
            yield portion


def _work(connection: Connection, task: Task) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends the connection
    try:
        tagger = Tagger(task.model, threads=task.threads)
        while True:
            connection.send(tagger.predict(connection.recv(), task.tagset, top=task.top))
    except (EOFError, OSError):
        return
    except Exception as error:
        connection.send(error)
