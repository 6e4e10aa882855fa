"""A text through one pipeline, or through one in each of several processes."""

from __future__ import annotations

import gc
import json
import queue
import signal
import sys
import threading
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from rnntag.errors import LOWER, RnntagError
from rnntag.tagging.chunks import Chunk
from rnntag.tagging.pipeline import Pipeline, TagJob

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

START_METHOD = "fork" if sys.platform == "linux" else "spawn"
"""Forked processes are ready half a second sooner. What they do here is safe: no session and no
thread has been started before them."""

_ERRORS = {kind.__name__: kind for kind in RnntagError.__subclasses__()}

AHEAD = 2
"""How many chunks a process may be given before it has done the first of them."""


def tag(task: TagJob, chunks: Iterable[Chunk], jobs: int = 1) -> Iterator[bytes]:
    """The chunks tagged, in order.

    With several jobs, `chunks` is consumed in a thread of its own, so that what is done does not
    wait for what comes next.

    Args:
        jobs: number of processes.

    Raises:
        DataError: ONNX Runtime cannot load the model; or see `Pipeline.tag`.
        RnntagError: a process has died.
        And whatever `chunks` raises, once what stands before it is done.
    """
    if jobs > 1:
        yield from _in_processes(task, chunks, jobs)
        return
    pipeline = Pipeline(task)
    for chunk in chunks:
        yield from pipeline.tag(chunk)


def _in_processes(task: TagJob, chunks: Iterable[Chunk], jobs: int) -> Iterator[bytes]:
    connections = _start(task, jobs)
    waiting = dict.fromkeys(connections, 0)  # characters that each has still to tag
    order: queue.Queue[tuple[Connection, int] | Exception | None] = queue.Queue(AHEAD * jobs)

    def distribute() -> None:
        connection = connections[0]
        try:
            for chunk in chunks:
                if chunk.begins:
                    connection = min(waiting, key=waiting.__getitem__)
                size = len(chunk.text)
                waiting[connection] += size
                order.put((connection, size))
                try:
                    connection.send_bytes(_packed(chunk))
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
        connection, size = due
        try:
            error, tagged = connection.recv_bytes(), connection.recv_bytes()
        except (EOFError, OSError):
            raise RnntagError("a worker died (out of memory?)", remedy={"jobs": LOWER}) from None
        waiting[connection] -= size
        yield tagged
        if error:
            kind, message = json.loads(error)
            raise _ERRORS.get(kind, RnntagError)(message)


def _start(task: TagJob, jobs: int) -> list[Connection]:
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


def _work(connection: Connection, task: TagJob, inherited: list[Connection]) -> None:
    """Chunks in; for each, the error that ended it, if one did, and what is tagged, out."""
    for other in inherited:
        other.close()  # else the parent's end would not be seen here
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends the connection
    pipeline = None
    try:
        while True:
            chunk = Chunk(*json.loads(connection.recv_bytes()))
            error = b""
            tagged = []
            try:
                pipeline = pipeline or Pipeline(task)
                for text in pipeline.tag(chunk):
                    tagged.append(text)
            except Exception as found:
                error = _packed([type(found).__name__, str(found)])
            connection.send_bytes(error)
            connection.send_bytes(b"".join(tagged))
    except (EOFError, OSError):
        return


def _packed(value: object) -> bytes:
    """What processes tell each other: JSON, which json.loads takes back whatever the words are."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
