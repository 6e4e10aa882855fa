"""`rnntag bulk`."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from rnntag.cli import signals
from rnntag.cli.options import LexiconModeOption, LexiconOption, ModelOption
from rnntag.config import DEFAULT_MODEL
from rnntag.errors import NotFoundError, RnntagError, UsageError
from rnntag.terminal import console

if TYPE_CHECKING:
    from rnntag.bulk.job import Figures, Job, Manifest
    from rnntag.bulk.shards import Shard

_NEEDED = ("pyarrow", "ray")


def bulk(
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT...",
            help="Files, or directories of files, in Parquet, JSON lines, text (a document per line) or CoNLL-U: paths "
            "or URIs, such as s3://….",
        ),
    ],
    output: Annotated[str, typer.Option(metavar="DIR", help="Directory of the output, a path or URI.")],
    model: ModelOption = DEFAULT_MODEL,
    tagset: Annotated[
        list[str] | None,
        typer.Option(help="One of the model's tagsets. May be repeated.", show_default="the first"),
    ] = None,
    text_column: Annotated[
        str | None, typer.Option(metavar="NAME", help="Column or field of raw text.", show_default="text")
    ] = None,
    tokens_column: Annotated[
        str | None, typer.Option(metavar="NAME", help="Column or field with a list of tokens, instead.")
    ] = None,
    confidence: Annotated[bool, typer.Option("--confidence", help="Add the probability of each tag.")] = False,
    output_format: Annotated[Literal["parquet", "jsonl"], typer.Option("--format", help="Format of the output.")] = (
        "parquet"
    ),
    address: Annotated[
        str | None,
        typer.Option(help="Address of a Ray cluster: auto, or ray://….", show_default="Ray on this machine"),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Tasks at a time.", show_default="one per processor")
    ] = None,
    lexicon: LexiconOption = None,
    lexicon_mode: LexiconModeOption = "prefer",
) -> None:
    """Tag tables and large collections on Ray, on this machine or a cluster.

    Each input file, or each part of about 16 MB of a larger one, becomes a file in --output, with the same rows and
    columns and with columns added for tokens and tags. The same command again tags what is missing.

        rnntag bulk crawl/ --output tagged/ --text-column body
    """
    try:
        import ray  # noqa: F401

        from rnntag.bulk.job import Job, Manifest
        from rnntag.bulk.shards import find, is_within
        from rnntag.integrations.arrow import TagBatches
    except ModuleNotFoundError as error:
        if error.name not in _NEEDED:
            raise
        raise NotFoundError(f"this needs {error.name}: pip install 'rnntag[ray]'") from error

    shards = find(inputs)
    for uri in inputs:
        if is_within(output, uri):
            raise UsageError(f"{output} is in {uri}: use a directory outside the input")
    if text_column is None and tokens_column is None:
        tokens_column = _tokens_column(shards)
    tag = TagBatches(
        model,
        text_column=text_column,
        tokens_column=tokens_column,
        tagset=tagset or None,
        confidence=confidence,
        lexicon=lexicon or (),
        lexicon_mode=lexicon_mode,
    )
    manifest = Manifest.open(output, {**tag.settings, "format": output_format})
    missing = manifest.missing(shards)
    if len(missing) < len(shards):
        console.note(f"{len(shards) - len(missing):,} of {len(shards):,} files are finished already")
    if missing:
        _run(Job(tag, output, output_format), manifest, missing, address, workers)


def _run(job: Job, manifest: Manifest, shards: Sequence[Shard], address: str | None, workers: int | None) -> None:
    from rnntag.bulk import writing
    from rnntag.integrations import ray

    writing.discard_unfinished(job.output)
    manifest.save()
    with signals.ending():
        ray.start(address, workers)
        watch = _Watch(len(shards), workers or ray.processors())
        try:
            for shard, figures in watch.watched(ray.results(job, shards, workers)):
                manifest.add(shard, figures)
            writing.discard_unfinished(job.output)
        finally:
            manifest.save()
            ray.stop()
    if watch.failures:
        raise typer.Exit(watch.failures[0])


def _tokens_column(shards: Iterable[Shard]) -> str | None:
    """The column of tokens if all files are CoNLL-U, else None."""
    from rnntag.bulk.reading import TOKENS

    formats = {shard.format for shard in shards}
    if "conllu" not in formats:
        return None
    if len(formats) > 1:
        raise UsageError("CoNLL-U has tokens and the other files have text: tag them separately")
    return TOKENS


class _Watch:
    """Follows the shards as they are finished.

    Attributes:
        failures: an exit code for each shard that could not be tagged.
    """

    def __init__(self, shards: int, workers: int) -> None:
        self.failures: list[int] = []
        self._shards = shards
        self._workers = workers
        self._finished = 0
        self._bar: Any = None

    def watched(self, results: Iterable[tuple[Shard, Figures | Exception]]) -> Iterator[tuple[Shard, Figures]]:
        """The shards that were tagged. The errors of the others are printed."""
        from rnntag.bulk.job import Figures

        total = Figures()
        began = time.monotonic()
        self._start()
        try:
            for shard, result in results:
                if isinstance(result, Exception):
                    self._fail(shard, result)
                    continue
                total += result
                self._finished += 1
                yield shard, result
                if self._bar:
                    speed = total.tokens / max(time.monotonic() - began, 1e-9)
                    self._bar.update(
                        self._bar.task_ids[0], completed=self._finished, description=f"{speed:,.0f} tokens/s"
                    )
        except (KeyboardInterrupt, SystemExit):
            self._stop()
            console.note(f"stopped after {self._finished:,} of {self._shards:,} files; the same command tags the rest")
            raise
        finally:
            self._stop()
        seconds = max(time.monotonic() - began, 1e-9)
        failed = f", of which {total.failed:,} could not be tagged" if total.failed else ""
        console.note(
            f"tagged {total.rows:,} rows{failed}: {total.tokens:,} tokens, {total.tokens / seconds:,.0f} tokens/s, "
            f"workers: {self._workers}"
        )

    def _fail(self, shard: Shard, error: Exception) -> None:
        known = isinstance(error, RnntagError)
        self.failures.append(error.exit_code if isinstance(error, RnntagError) else RnntagError.exit_code)
        console.error(
            str(error) if known else f"{shard.uri}: {type(error).__name__}: {error}", self._bar and self._bar.console
        )

    def _start(self) -> None:
        if not console.is_interactive():
            return
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"), TimeRemainingColumn())
        self._bar = Progress(*columns, console=console.stderr(), transient=True)
        self._bar.add_task("", total=self._shards)
        self._bar.start()

    def _stop(self) -> None:
        if self._bar:
            self._bar.stop()
            self._bar = None
