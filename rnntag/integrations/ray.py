"""Tagging on Ray (https://docs.ray.io): a dataset of Ray Data, or work of any kind, on one machine or a cluster."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import ray
from ray.exceptions import RayError

from rnntag.integrations.arrow import TagBatches

if TYPE_CHECKING:
    from ray.data import Dataset

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

LOCAL = "local"
RETRIES = 10
"""Not without end: an item may be what kills the process."""


def tag(dataset: Dataset, *, batch_size: int = 256, concurrency: int | None = None, **options: Any) -> Dataset:
    """A dataset with columns of tokens and tags added.

    Args:
        batch_size: rows that a task tags together.
        concurrency: the most tasks at a time; as many as there are processors if None.
        options: of `TagBatches`.

    Raises:
        RnntagError: see `TagBatches`.
    """
    return dataset.map_batches(
        TagBatches(**options),
        batch_size=batch_size,
        batch_format="pyarrow",
        zero_copy_batch=True,
        num_cpus=1,
        concurrency=concurrency,
    )


def start(address: str | None, workers: int | None) -> None:
    """Connect to a cluster; without an address, start Ray on this machine alone.

    Without an address no dashboard is started. Ray then listens on the loopback interface alone if the environment
    variable RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER was 0 when it was imported; see `cli.bulk`.

    Args:
        address: as for `ray.init`: `auto`, `ray://…`.
        workers: processors of this machine to use; all if None.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_task_oom_retries", str(RETRIES))  # which Ray counts apart, without end by default
    options: dict[str, Any] = {"address": address or LOCAL, "log_to_driver": False, "logging_level": "error"}
    if not address:
        options |= {"include_dashboard": False, "num_cpus": workers}
    ray.init(**options)


def stop() -> None:
    """Disconnect; end what `start` started."""
    ray.shutdown()


def processors() -> int:
    """Of all nodes of the cluster."""
    cluster: Any = ray  # partly typed
    return int(cluster.cluster_resources().get("CPU", 1))


def results(
    work: Callable[[_Item], _Result], items: Sequence[_Item], workers: int | None = None
) -> Iterator[tuple[_Item, _Result | Exception]]:
    """Do work on items, a task each, and yield each item with its result, or its error, as it is finished.

    A task whose node or process dies is done again, up to `RETRIES` times, so `work` must be idempotent.

    Args:
        workers: the most tasks at a time; None: as many as there are processors, and as many again that wait.
    """
    task: Any = ray.remote(max_retries=RETRIES, num_cpus=1)(_done)
    shared = ray.put(work)
    waiting = iter(items)
    running: dict[Any, _Item] = {}
    while True:
        most = workers or 2 * processors()  # nodes may come and go
        while len(running) < most and (item := next(waiting, None)) is not None:
            running[task.remote(shared, item)] = item
        if not running:
            return
        (finished,), _ = ray.wait([*running], num_returns=1)
        item = running.pop(finished)
        try:
            result = ray.get(finished)
        except RayError as error:
            result = error
        yield item, result


def _done(work: Callable[[_Item], _Result], item: _Item) -> _Result | Exception:
    try:
        return work(item)
    except Exception as error:  # for the caller: Ray would wrap it, and print a traceback
        return error
