"""Tagging in this process, or in several worker processes."""

from __future__ import annotations

import gc
import json
import queue
import signal
import sys
import threading
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any

from rnntag.errors import LOWER, RnntagError
from rnntag.tagging.chunks import Chunk
from rnntag.tagging.pipeline import Pipeline, TagJob

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

START_METHOD = "fork" if sys.platform == "linux" else "spawn"
"""Forked processes start half a second sooner. It is safe here: no ONNX Runtime session and no thread exists yet."""

_ERRORS = {kind.__name__: kind for kind in RnntagError.__subclasses__()}

AHEAD = 2
"""Chunks in the queue of each worker, at most."""


def tag(job: TagJob, chunks: Iterable[Chunk], processes: int = 1) -> Iterator[bytes]:
    """Tag the chunks, in order, after a header if the output has one.

    With several processes, a thread consumes `chunks`, so that finished output does not wait for more input.

    Raises:
        DataError: ONNX Runtime cannot load the model; or see `Pipeline.tag`.
        RnntagError: a worker died.
        And whatever `chunks` raises, after the chunks before it are tagged.
    """
    remaining = iter(chunks)
    if len(job.tagsets) > 1 and (first := next(remaining, None)):
        yield job.header(first.format).encode("utf-8", "surrogateescape")
        remaining = chain([first], remaining)
    if processes > 1:
        yield from _in_processes(job, remaining, processes)
        return
    pipeline = Pipeline(job)
    for chunk in remaining:
        yield from pipeline.tag(chunk)


def _in_processes(job: TagJob, chunks: Iterable[Chunk], processes: int) -> Iterator[bytes]:
    connections = _start(job, processes)
    waiting = dict.fromkeys(connections, 0)  # characters that each worker has still to tag
    order: queue.Queue[tuple[Connection, int] | Exception | None] = queue.Queue(AHEAD * processes)

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
                    return  # the worker died, as the wait for its answer will show
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


def _start(job: TagJob, processes: int) -> list[Connection]:
    import multiprocessing  # slow to import: as long as all of rnntag that one process needs

    context: Any = multiprocessing.get_context(START_METHOD)  # typeshed's type lacks Process
    gc.freeze()  # or each worker's garbage collector would scan, and so copy, the parent's objects
    connections: list[Connection] = []
    for _ in range(processes):
        ours, theirs = context.Pipe()
        connections.append(ours)
        inherited = connections if START_METHOD == "fork" else []
        context.Process(target=_work, args=(theirs, job, inherited), daemon=True).start()
        theirs.close()  # or the end of the worker would go unnoticed
    return connections


def _work(connection: Connection, job: TagJob, inherited: list[Connection]) -> None:
    """Receive chunks; for each, send the error, if there is one, and the tagged text."""
    for other in inherited:
        other.close()  # or the end of the parent would go unnoticed
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # on Ctrl-C the parent closes the connection
    pipeline = None
    try:
        while True:
            chunk = Chunk(*json.loads(connection.recv_bytes()))
            failure = b""
            tagged = []
            try:
                pipeline = pipeline or Pipeline(job)
                for text in pipeline.tag(chunk):
                    tagged.append(text)
            except Exception as error:
                failure = _packed([type(error).__name__, str(error)])
            connection.send_bytes(failure)
            connection.send_bytes(b"".join(tagged))
    except (EOFError, OSError):
        return


def _packed(value: object) -> bytes:
    """A message between processes: JSON, which can hold any text."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
