"""The finished shards of a bulk job."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

import pyarrow as pa
from pyarrow import fs

from rnntag.bulk import writing
from rnntag.bulk.job import Figures
from rnntag.bulk.shards import Shard, filesystem
from rnntag.bulk.writing import OutputFormat
from rnntag.errors import AccessError, DataError, UsageError
from rnntag.storage import validation

NAME = "_manifest.json"
_SAVED_EVERY = 5.0
"""Seconds, at least. A shard that the manifest of a killed job lacks is tagged again."""


class Finished(NamedTuple):
    """A finished shard: its file, its version (see `Shard`), and its figures."""

    source: str
    version: str
    figures: Figures


@dataclass
class Manifest:
    """The finished shards of a job, kept in the directory of its output. One job at a time may write there.

    Attributes:
        output: the directory, an absolute path or a URI.
        settings: on which the output depends.
        finished: by name.
    """

    output: str
    kind: OutputFormat
    settings: Mapping[str, Any]
    finished: dict[str, Finished] = field(default_factory=dict)
    _saved: float = 0.0
    _interval: float = _SAVED_EVERY

    @classmethod
    def open(cls, output: str, kind: OutputFormat, settings: Mapping[str, Any]) -> Manifest:
        """The manifest in a directory; a new one if it is empty or does not exist.

        Raises:
            UsageError: the directory has other files, or the output of a job with other settings.
            DataError: the manifest is damaged.
            AccessError: it cannot be read.
        """
        system, root = filesystem(output)
        manifest = cls(output, kind, {**settings, "format": kind})
        try:
            if system.get_file_info(root).type == fs.FileType.File:
                raise UsageError(f"{output} is a file: name a directory")
            if system.get_file_info(f"{root}/{NAME}").type == fs.FileType.NotFound:
                if system.get_file_info(fs.FileSelector(root, allow_not_found=True)):
                    raise UsageError(f"{output} is not empty and was not written by rnntag bulk: use another directory")
                return manifest
            with system.open_input_stream(f"{root}/{NAME}", compression=None) as stream:
                stored = validation.parse(stream.read())
            manifest.finished = {
                name: Finished(source, version, Figures(**figures))
                for name, (source, version, figures) in stored["finished"].items()
            }
            known = dict(stored["settings"])
        except OSError as error:
            raise AccessError(f"{output}: cannot be read: {error}") from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DataError(
                f"{root}/{NAME}: is damaged ({validation.reason(error)}): use another output directory"
            ) from error
        if known != manifest.settings:
            names = {*known, *manifest.settings}
            changed = ", ".join(sorted(name for name in names if known.get(name) != manifest.settings.get(name)))
            raise UsageError(f"{output} was written with other settings ({changed}): use another directory")
        return manifest

    def missing(self, shards: Sequence[Shard]) -> list[Shard]:
        """The shards that are not finished, whose files have changed, or whose output is gone. Output of parts that a
        file no longer has is deleted.

        Raises:
            UsageError: an output of that name was made from another file.
            AccessError: the directory cannot be read.
        """
        for shard in shards:
            known = self.finished.get(shard.name)
            if known and known.source != shard.path:
                raise UsageError(
                    f"{self.output} has the output of {known.source} as {shard.name}: use another directory for "
                    f"{shard.path}"
                )
        system, root = filesystem(self.output)
        try:
            there = {
                info.path for info in system.get_file_info(fs.FileSelector(root, recursive=True, allow_not_found=True))
            }
            names, sources = {shard.name for shard in shards}, {shard.path for shard in shards}
            for name in [name for name, own in self.finished.items() if own.source in sources and name not in names]:
                del self.finished[name]
                if (path := writing.path_of(root, name, self.kind)) in there:
                    system.delete_file(path)
        except OSError as error:
            raise AccessError(f"{self.output}: {error}") from error
        return [
            shard
            for shard in shards
            if shard.name not in self.finished
            or self.finished[shard.name].version != shard.version
            or writing.path_of(root, shard.name, self.kind) not in there
        ]

    def add(self, shard: Shard, figures: Figures) -> None:
        """Record that a shard is finished. It is saved now and then; see `save`."""
        self.finished[shard.name] = Finished(shard.path, shard.version, figures)
        if time.monotonic() - self._saved > self._interval:
            self.save()

    def save(self) -> None:
        """Write the manifest.

        Raises:
            AccessError: it cannot be written.
        """
        began = time.monotonic()
        system, root = filesystem(self.output)
        finished = {name: (own.source, own.version, asdict(own.figures)) for name, own in self.finished.items()}
        content = json.dumps({"settings": self.settings, "finished": finished}, ensure_ascii=False, indent=1)
        path = f"{root}/{NAME}"
        try:
            system.create_dir(root, recursive=True)
            with system.open_output_stream(f"{path}.new", compression=None) as stream:
                stream.write(content.encode("utf-8", "surrogatepass"))
            writing.replace(system, f"{path}.new", path)
        except (OSError, pa.ArrowException) as error:
            raise AccessError(f"{path}: cannot be written: {error}") from error
        self._saved = time.monotonic()
        self._interval = max(_SAVED_EVERY, 20 * (self._saved - began))
