"""`rnntag bulk`."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from rnntag.cli import signals
from rnntag.cli.options import LexiconModeOption, LexiconOption, ModelOption
from rnntag.config import DEFAULT_MODEL
from rnntag.errors import NotFoundError, RnntagError, UsageError
from rnntag.terminal import console

if TYPE_CHECKING:
    from rnntag.bulk.job import Figures, ShardTagger
    from rnntag.bulk.manifest import Manifest
    from rnntag.bulk.shards import Shard

_NEEDED = ("pyarrow", "ray")
_TokensColumnOption = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Column or field with a list of tokens, used instead of raw text."),
]


def bulk(
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT...",
            help="Files, or directories of files, in Parquet, JSON lines, text (one document per line) or CoNLL-U: "
            "paths or URIs, such as s3://….",
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
    tokens_column: _TokensColumnOption = None,
    confidence: Annotated[bool, typer.Option("--confidence", help="Add the probability of each tag.")] = False,
    output_format: Annotated[Literal["parquet", "jsonl"], typer.Option("--format", help="Format of the output.")] = (
        "parquet"
    ),
    address: Annotated[
        str | None,
        typer.Option(help="Address of a Ray cluster: auto, or ray://….", show_default="Ray on this machine"),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Number of concurrent tasks.", show_default="one per processor"),
    ] = None,
    lexicon: LexiconOption = None,
    lexicon_mode: LexiconModeOption = "prefer",
) -> None:
    """Tag tables and large collections on Ray, on this machine or a cluster.

    Each input file, or each part of about 16 MB of a larger one, becomes a file in --output, with the same rows and
    columns and with columns added for tokens and tags. Run the same command again to tag the rest.

        rnntag bulk crawl/ --output tagged/ --text-column body
    """
    if not address:
        # Read when ray is imported. Despite its name it also makes Ray on Linux listen on the loopback interface alone.
        os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    try:
        import ray  # noqa: F401

        from rnntag.bulk.job import ShardTagger
        from rnntag.bulk.manifest import Manifest
        from rnntag.bulk.shards import absolute, find
        from rnntag.integrations.arrow import TagBatches
    except ModuleNotFoundError as error:
        if error.name not in _NEEDED:
            raise
        raise NotFoundError(f"this needs {error.name}: pip install 'rnntag[ray]'") from error

    inputs, output = [*map(absolute, inputs)], absolute(output)
    shards = find(inputs)
    _check_output(output, inputs)
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
    manifest = Manifest.open(output, output_format, tag.settings)
    missing = manifest.missing(shards)
    if len(missing) < len(shards):
        console.note(f"{len(shards) - len(missing):,} of {len(shards):,} shards are already finished")
    if missing:
        tagger = ShardTagger(tag, output, output_format)
        tagger.check(missing[0])
        _run(tagger, manifest, missing, address, workers)


def _check_output(output: str, inputs: Sequence[str]) -> None:
    """Make sure that no output is taken for input, and no input overwritten."""
    from rnntag.bulk.shards import is_within

    for root in inputs:
        if is_within(output, root) or is_within(root, output):
            raise UsageError(f"{output} contains the input {root}, or is inside it: use another directory")


def _run(
    tagger: ShardTagger, manifest: Manifest, shards: Sequence[Shard], address: str | None, workers: int | None
) -> None:
    from rnntag.bulk import writing
    from rnntag.integrations import ray

    writing.discard_unfinished(tagger.output)
    manifest.save()
    ray.start(address, workers)  # Ray sets signal handlers, which `ending` replaces
    try:
        with signals.ending():
            watch = _Watch(len(shards), workers or ray.processors())
            try:
                for shard, result in ray.results(tagger, shards, workers):
                    if isinstance(result, Exception):
                        watch.fail(shard, result)
                    else:
                        manifest.add(shard, result)
                        watch.add(result)
            except (KeyboardInterrupt, SystemExit):
                watch.stopped()
                raise
            finally:
                watch.close()
                manifest.save()
            writing.discard_unfinished(tagger.output)
    finally:
        ray.stop()
    watch.report()
    if watch.failures:
        raise typer.Exit(max(watch.failures))


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
    """Follows the shards as they are finished, with a bar on a terminal.

    Attributes:
        failures: an exit code for each shard that could not be tagged.
    """

    def __init__(self, shards: int, workers: int) -> None:
        from rnntag.bulk.job import Figures

        self.failures: list[int] = []
        self._total = Figures()
        self._shards = shards
        self._workers = workers
        self._finished = 0
        self._began = time.monotonic()
        self._bar: Any = None
        if console.is_interactive():
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

            columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"), TimeRemainingColumn())
            self._bar = Progress(*columns, console=console.stderr(), transient=True)
            self._bar.add_task("", total=shards)
            self._bar.start()

    def add(self, figures: Figures) -> None:
        """Count a shard that was tagged."""
        self._total += figures
        self._finished += 1
        self._show()

    def fail(self, shard: Shard, error: Exception) -> None:
        """Print why a shard could not be tagged."""
        known = isinstance(error, RnntagError)
        self.failures.append(error.exit_code if isinstance(error, RnntagError) else RnntagError.exit_code)
        message = str(error) if known else f"{shard.path}: {type(error).__name__}: {error}"
        console.error(message, self._bar.console if self._bar else None)
        self._show()

    def stopped(self) -> None:
        """Say how far a job came that a signal ended."""
        self.close()
        console.note(
            f"stopped after {self._finished:,} of {self._shards:,} shards; run the same command again to tag the rest"
        )

    def close(self) -> None:
        if self._bar:
            self._bar.stop()
            self._bar = None

    def report(self) -> None:
        """Print the figures of the whole job."""
        total = self._total
        rows = f"{total.rows:,} rows"
        if total.failed:
            rows = f"{total.rows - total.failed:,} of {rows} ({total.failed:,} failed)"
        console.note(f"tagged {rows}: {total.tokens:,} tokens, {self._speed():,.0f} tokens/s, workers: {self._workers}")

    def _show(self) -> None:
        if self._bar:
            done = self._finished + len(self.failures)
            self._bar.update(self._bar.task_ids[0], completed=done, description=f"{self._speed():,.0f} tokens/s")

    def _speed(self) -> float:
        return self._total.tokens / max(time.monotonic() - self._began, 1e-9)
