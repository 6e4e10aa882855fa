"""Tagging in this process, or in several worker processes."""

from __future__ import annotations

import gc
import json
import queue
import signal
import sys
import threading
from collections.abc import Container, Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from rnntag.errors import LOWER, RnntagError
from rnntag.tagging.chunks import Chunk, End
from rnntag.tagging.pipeline import Pipeline, TagJob

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

START_METHOD = "fork" if sys.platform == "linux" else "spawn"
"""Forked processes start half a second sooner. It is safe here: no ONNX Runtime session and no thread exists yet."""

_ERRORS = {kind.__name__: kind for kind in RnntagError.__subclasses__()}

AHEAD = 2
"""Chunks in the queue of each worker, at most."""


class Part(NamedTuple):
    """The output for a piece of the input.

    Attributes:
        text: tagged.
        position: of the input among all inputs, counted from 0.
        source: the input's name.
        line: the number of line feeds of the input that have been read so far.
        tokens: how many tokens the piece has.
        ends: whether the input ends here.
        error: what ended it too soon, or None.
    """

    text: bytes
    position: int
    source: str
    line: int
    tokens: int = 0
    ends: bool = False
    error: RnntagError | None = None


_Done = tuple[Chunk | End, bytes, int, RnntagError | None]
"""A piece of the input, its tagged text, the number of its tokens, and the error that ends the input."""


def tag(job: TagJob, pieces: Iterable[Chunk | End], processes: int = 1) -> Iterator[Part]:
    """Tag the pieces, in order. After an error of an input, the next input follows.

    With several processes, a thread consumes `pieces`, so that finished output does not wait for more input.

    Raises:
        DataError: ONNX Runtime cannot load the model.
        RnntagError: a worker died.
    """
    failed: set[int] = set()
    done = _in_processes(job, pieces, processes, failed) if processes > 1 else _here(job, pieces, failed)
    for piece, text, tokens, error in done:
        if piece.position in failed:
            continue
        if error:
            failed.add(piece.position)
        ends = isinstance(piece, End) or error is not None
        line = piece.line + (piece.text.count("\n") if isinstance(piece, Chunk) else 0)
        yield Part(text, piece.position, piece.source, line, tokens, ends, error)


def _here(job: TagJob, pieces: Iterable[Chunk | End], failed: Container[int]) -> Iterator[_Done]:
    pipeline = Pipeline(job)
    for piece in pieces:
        if piece.position not in failed:
            yield (piece, *_outcome(pipeline, piece))


def _outcome(pipeline: Pipeline, piece: Chunk | End) -> tuple[bytes, int, RnntagError | None]:
    """The tagged text of a piece, the number of its tokens, and the error that ends it."""
    before = pipeline.tokens
    texts = []
    failure = None
    try:
        for text in pipeline.tag(piece):
            texts.append(text)
    except RnntagError as error:
        failure = error
    return b"".join(texts), pipeline.tokens - before, failure


def _in_processes(
    job: TagJob, pieces: Iterable[Chunk | End], processes: int, failed: Container[int]
) -> Iterator[_Done]:
    connections = _start(job, processes)
    waiting = dict.fromkeys(connections, 0)  # characters that each worker has still to tag
    order: queue.Queue[tuple[Connection, Chunk] | End | Exception | None] = queue.Queue(AHEAD * processes)

    def distribute() -> None:
        connection = connections[0]
        try:
            for piece in pieces:
                if piece.position in failed:
                    continue
                if isinstance(piece, End):
                    order.put(piece)
                    continue
                if piece.begins:
                    connection = min(waiting, key=waiting.__getitem__)
                waiting[connection] += len(piece.text)
                order.put((connection, piece))
                try:
                    connection.send_bytes(_packed(piece))
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
        if isinstance(due, End):
            yield due, b"" if due.error else job.closing(due), 0, due.error
            continue
        connection, piece = due
        try:
            (tokens, *error), tagged = json.loads(connection.recv_bytes()), connection.recv_bytes()
        except (EOFError, OSError):
            raise RnntagError("a worker died (out of memory?)", remedy={"jobs": LOWER}) from None
        waiting[connection] -= len(piece.text)
        yield piece, tagged, tokens, _ERRORS.get(error[0], RnntagError)(error[1]) if error else None


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
    """Receive chunks; for each, send the number of tokens, the error, if there is one, and the tagged text."""
    for other in inherited:
        other.close()  # or the end of the parent would go unnoticed
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # on Ctrl-C the parent closes the connection
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    pipeline = None
    try:
        while True:
            chunk = Chunk(*json.loads(connection.recv_bytes()))
            failure: Exception | None
            try:
                pipeline = pipeline or Pipeline(job)
                tagged, tokens, failure = _outcome(pipeline, chunk)
            except Exception as error:
                tagged, tokens, failure = b"", 0, error
            connection.send_bytes(_packed([tokens, *([type(failure).__name__, str(failure)] if failure else [])]))
            connection.send_bytes(tagged)
    except (EOFError, OSError):
        return


def _packed(value: object) -> bytes:
    """A message between processes: JSON, which can hold any text."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
