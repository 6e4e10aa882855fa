"""A stream of sentences through one tagger, or through one in each of several processes."""

from __future__ import annotations

import gc
import json
import queue
import signal
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from rnntag.schema import Choices, RnntagError
from rnntag.store import StoredModel
from rnntag.tagger import BLOCK_TOKENS, Tagger

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

START_METHOD = "fork" if sys.platform == "linux" else "spawn"
"""Forked processes are ready half a second sooner. What they do here is safe: no session and no
thread has been started before them."""

_ERRORS = {kind.__name__: kind for kind in RnntagError.__subclasses__()}

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
    connections = _start(task, jobs)
    waiting = dict.fromkeys(connections, 0)  # tokens that each has still to tag
    order: queue.Queue[tuple[Connection, list[Item]] | Exception | None] = queue.Queue(AHEAD * jobs)

    def distribute() -> None:
        try:
            for portion in _portions(blocks):
                connection = min(waiting, key=waiting.__getitem__)
                waiting[connection] += _size(portion)
                order.put((connection, portion))
                try:
                    connection.send_bytes(_packed([item.tokens for item in portion]))
                except OSError:
                    return  # as whoever waits for its answer will see
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
            answer = json.loads(connection.recv_bytes())
        except (EOFError, OSError):
            raise RnntagError("a tagging process has died, for want of memory perhaps: try fewer --jobs") from None
        if isinstance(answer, dict):
            raise _ERRORS.get(answer["error"], RnntagError)(answer["message"])
        waiting[connection] -= _size(portion)
        yield portion, answer if task.top is None else [_choices(sentence) for sentence in answer]


def _size(portion: list[Item]) -> int:
    return sum(len(item.tokens) for item in portion)


def _start(task: Task, jobs: int) -> list[Connection]:
    import multiprocessing  # which takes as long to import as all that one job needs of rnntag

    context: Any = multiprocessing.get_context(START_METHOD)  # its type knows no Process
    gc.freeze()  # what is here stays: no process need look through it, and so copy it, again and again
    connections: list[Connection] = []
    for _ in range(jobs):
        ours, theirs = context.Pipe()
        connections.append(ours)
        inherited = connections if START_METHOD == "fork" else []
        context.Process(target=_work, args=(theirs, task, inherited), daemon=True).start()
        theirs.close()  # else its end would not be seen when the process ends
    return connections


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


def _work(connection: Connection, task: Task, inherited: list[Connection]) -> None:
    for other in inherited:
        other.close()  # else the parent's end would not be seen here
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends the connection
    try:
        tagger = Tagger(task.model, threads=task.threads)
        while True:
            sentences = json.loads(connection.recv_bytes())
            connection.send_bytes(_packed(tagger.predict(sentences, task.tagset, top=task.top)))
    except (EOFError, OSError):
        return
    except Exception as error:
        connection.send_bytes(_packed({"error": type(error).__name__, "message": str(error)}))


def _packed(value: object) -> bytes:
    """What processes tell each other: JSON, which json.loads takes back whatever the words are."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _choices(sentence: list[list[list[Any]]]) -> list[Choices]:
    return [[(tag, probability) for tag, probability in token] for token in sentence]
