"""A bulk job: what is to be done with each shard, and which of them are finished."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import fs

from rnntag.bulk import reading, writing
from rnntag.bulk.shards import Shard, filesystem
from rnntag.bulk.writing import OutputFormat
from rnntag.errors import AccessError, DataError, UsageError
from rnntag.integrations.arrow import TagBatches
from rnntag.storage import validation

MANIFEST = "_manifest.json"
_SAVED_EVERY = 5.0
"""Seconds. A shard that the manifest of a killed job lacks is tagged again."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Of some shards.

    Attributes:
        rows: all rows.
        failed: those that could not be tagged.
        tokens: of the others.
    """

    rows: int = 0
    failed: int = 0
    tokens: int = 0

    def __add__(self, other: Figures) -> Figures:
        return Figures(self.rows + other.rows, self.failed + other.failed, self.tokens + other.tokens)


@dataclass(frozen=True, slots=True)
class Job:
    """Tags shards, in any process. Cheap to pickle.

    Attributes:
        output: the directory of the output, a path or URI.
    """

    tag: TagBatches
    output: str
    kind: OutputFormat

    def __call__(self, shard: Shard) -> Figures:
        """Tag a shard and write its output.

        Raises:
            DataError: the shard cannot be read in its format.
            UsageError: it lacks the column of the text; see `TagBatches.schema`.
            AccessError: a file cannot be read or written.
        """
        figures = Figures()

        def tagged() -> Iterator[pa.RecordBatch]:
            nonlocal figures
            for batch in reading.batches(shard):
                done = self.tag(batch)
                figures += self._figures(done)
                yield done

        try:
            writing.write(tagged(), self.output, shard.name, self.kind)
        except UsageError as error:
            raise UsageError(f"{shard.uri}: {error}") from error
        except OSError as error:
            raise AccessError(f"{self.output}: {shard.name}: cannot be written: {error}") from error
        return figures

    def _figures(self, batch: pa.RecordBatch) -> Figures:
        failed = len(batch) - batch.column("error").null_count
        tokens = pc.sum(pc.list_value_length(batch.column(self.tag.tagsets[0]))).as_py() or 0
        return Figures(len(batch), failed, tokens)


@dataclass
class Manifest:
    """The finished shards of a job, kept in the directory of its output.

    Attributes:
        settings: on which the output depends.
        finished: by name, the version of each finished shard and its figures.
    """

    output: str
    settings: Mapping[str, Any]
    finished: dict[str, tuple[str, Figures]] = field(default_factory=dict)
    _saved: float = 0.0

    @classmethod
    def open(cls, output: str, settings: Mapping[str, Any]) -> Manifest:
        """The manifest in a directory; a new one if it has none.

        Raises:
            UsageError: the directory has the output of a job with other settings.
            DataError: the manifest is damaged.
            AccessError: it cannot be read.
        """
        system, root = filesystem(output)
        path = f"{root}/{MANIFEST}"
        manifest = cls(output, settings)
        try:
            if system.get_file_info(path).type == fs.FileType.NotFound:
                return manifest
            with system.open_input_stream(path, compression=None) as stream:
                stored = validation.parse(stream.read())
            manifest.finished = {name: (version, Figures(**own)) for name, (version, own) in stored["finished"].items()}
            known = stored["settings"]
        except OSError as error:
            raise AccessError(f"{path}: cannot be read: {error}") from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DataError(f"{path}: is damaged ({error}): use another output directory") from error
        if known != settings:
            changed = ", ".join(sorted(name for name in {*known, *settings} if known.get(name) != settings.get(name)))
            raise UsageError(f"{output} has the output of another job ({changed} changed): use another directory")
        return manifest

    def missing(self, shards: Sequence[Shard]) -> list[Shard]:
        """The shards that are not finished, or whose files have changed."""
        return [shard for shard in shards if self.finished.get(shard.name, ("",))[0] != shard.version]

    def add(self, shard: Shard, figures: Figures) -> None:
        """Record that a shard is finished; see `save`. It is saved now and then."""
        self.finished[shard.name] = shard.version, figures
        if time.monotonic() - self._saved > _SAVED_EVERY:
            self.save()

    def save(self) -> None:
        """Write the manifest.

        Raises:
            AccessError: it cannot be written.
        """
        system, root = filesystem(self.output)
        finished = {name: (version, asdict(figures)) for name, (version, figures) in self.finished.items()}
        content = json.dumps({"settings": self.settings, "finished": finished}, ensure_ascii=False, indent=1)
        path = f"{root}/{MANIFEST}"
        try:
            system.create_dir(root, recursive=True)
            with system.open_output_stream(f"{path}.new", compression=None) as stream:
                stream.write(content.encode())
            system.move(f"{path}.new", path)
        except OSError as error:
            raise AccessError(f"{path}: cannot be written: {error}") from error
        self._saved = time.monotonic()
