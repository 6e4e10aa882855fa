"""What `rnntag tag` writes, and where: stdout, a file, or a file for each input."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnntag.cli import advice
from rnntag.cli.tag_inputs import STDIN
from rnntag.cli.tag_progress import Watch
from rnntag.errors import ANOTHER, AccessError, UsageError
from rnntag.formats import columns as column_names
from rnntag.formats.inputs import Input
from rnntag.formats.registry import InputFormat, OutputFormat, own_output, writer, writer_type
from rnntag.storage.atomic import NewFile
from rnntag.tagging import folders
from rnntag.tagging.folders import FoundFile
from rnntag.terminal import console
from rnntag.terminal.sanitize import as_lines

if TYPE_CHECKING:
    from rnntag.model.stored import ModelBundle
    from rnntag.tagging.pipeline import TagJob


@dataclass(frozen=True, slots=True)
class Request:
    """What to write.

    Attributes:
        format: as given, or None.
        tagsets: those to tag with, as given; empty for the default.
        columns, only, expand: see `records.WriterOptions`.
        header: whether to name the columns.
        top: how many tags to write for each token; None: one without its probability.
    """

    format: OutputFormat | None
    tagsets: tuple[str, ...]
    columns: tuple[str, ...]
    only: frozenset[str]
    header: bool
    top: int | None
    expand: bool

    def format_of(self, formats: Iterable[InputFormat | None]) -> OutputFormat:
        """The format to write for input in these formats."""
        if self.format:
            return self.format
        kinds = {*formats}
        own = own_output(kinds.pop()) if len(kinds) == 1 else None
        if self.header or (self.columns and own != "vertical"):
            return "tsv"
        return own or ("tsv" if self.top or len(self.tagsets) > 1 else "slash")

    def job(
        self,
        stored: ModelBundle,
        formats: Iterable[InputFormat | None],
        threads: int,
        int8: bool,
        names_sources: bool,
        to_stdout: bool,
    ) -> TagJob:
        """How to tag input in these formats.

        Raises:
            UsageError: the format or the model does not have what is asked for.
        """
        from rnntag.tagging.pipeline import TagJob

        output = self.format_of(formats)
        tagsets = self.tagsets or (stored.coarse_and_fine if output == "conllu" else stored.tagsets[:1])
        job = TagJob(
            stored,
            tagsets,
            output,
            self.top,
            threads,
            int8,
            coloured=to_stdout and output == "slash" and console.has_coloured_results(),
            lenient=not self.tagsets,
            columns=self.columns,
            only=self.only,
            expand=self.expand,
            names_sources=names_sources or "source" in self.columns,
        )
        job.writer()  # refuses tagsets that the format cannot hold
        _check_only(job)
        return job


def request(
    stored: ModelBundle,
    output: OutputFormat | None,
    tagsets: Sequence[str],
    columns: str | None,
    only: str | None,
    header: bool,
    top: int | None,
    expand: bool,
) -> Request:
    """What the options ask for.

    Raises:
        UsageError: the model or the format does not have it.
    """
    if top and output == "slash":
        raise UsageError("word/TAG cannot hold probabilities: use --format tsv, conllu or jsonl")
    names = _listed(columns, "--columns")
    asked = stored.several_tagsets(tagsets) if tagsets else ()
    chosen = column_names.parse(names, tuple(dict.fromkeys([*asked, *stored.tagsets])))
    asked = tuple(dict.fromkeys([*asked, *(column.tagset for column in chosen if column.tagset)]))
    top = max([top or 0, *(column.top for column in chosen)]) or None
    if output:
        writer(output, *asked)  # refuses tagsets that the format cannot hold
        kind = writer_type(output)
        if names and not kind.has_columns:
            raise UsageError(f"--columns is for --format tsv and vertical, not {output}")
        if header and not kind.has_header:
            raise UsageError(f"--header is for --format tsv, not {output}")
        if expand and not kind.joins:
            raise UsageError(f"--expand is for --format slash, tsv and vertical: {output} has all words anyway")
    return Request(output, asked, names, frozenset(_listed(only, "--only")), header, top, expand)


def _listed(text: str | None, option: str) -> tuple[str, ...]:
    if text is None:
        return ()
    items = tuple(item.strip() for item in text.split(","))
    if not all(items):
        raise UsageError(f"{option} is {text!r}: give names separated by commas")
    return items


def _check_only(job: TagJob) -> None:
    """Check that words can be left out, and that there are such tags.

    Raises:
        UsageError: they cannot, or there are none.
    """
    if not job.only:
        return
    if writer_type(job.output).whole:
        raise UsageError(
            f"--only does not work with {job.output}, which keeps whole sentences: leave it out, or use --format tsv"
        )
    known = [tag for tagset in job.tagsets for tag in job.model.vocabulary.tags[tagset]]
    if unknown := sorted(job.only.difference(known)):
        raise UsageError(f"unknown tag {unknown[0]!r} in {', '.join(job.tagsets)}: use {', '.join(known)}")


def to_do(
    files: Sequence[FoundFile], folder: Path, output_file: Path | None, output: OutputFormat, force: bool
) -> tuple[list[FoundFile], list[Path]]:
    """The files that have no output in the folder yet, or all of them if forced, and the paths of their outputs.

    Raises:
        UsageError: see `folders.outputs`; or there are no files, or two outputs.
    """
    if output_file:
        raise UsageError("give --output-file or --output-dir, not both")
    if not files or STDIN in files:
        raise UsageError("--output-dir needs files: name them with --input-file")
    paths = folders.outputs(files, folder, writer_type(output).suffix)
    left = [(file, path) for file, path in zip(files, paths, strict=True) if force or not path.exists()]
    if len(left) < len(files) and console.is_interactive():
        console.note(f"skipping {len(files) - len(left):,} of {len(files):,} files: already tagged")
    return [file for file, _ in left], [path for _, path in left]


def run(
    job: TagJob,
    inputs: Iterable[Input],
    jobs: int,
    has_header: bool,
    to: Callable[[bytes], object] | Sequence[Path],
    watch: Watch,
    command: Any,
) -> int:
    """Tag the inputs and write them. Returns the exit code.

    Args:
        has_header: whether each output begins with the names of the columns.
        to: writes to the only output; or the paths of the inputs' outputs. With paths, an error is printed, and the
            next input follows.
        command: see `advice.lines`.
    """
    from rnntag.tagging import outputs, parallel
    from rnntag.tagging.chunks import chunks

    head = job.header() if has_header else b""
    parts = parallel.tag(job, chunks(inputs), jobs)
    if callable(to):
        to(head)
        for _ in watch.watched(outputs.to_stream(parts, to)):
            pass
        return 0
    code = 0
    for part in watch.watched(outputs.to_files(parts, to, head)):
        if part.error:
            code = code or part.error.exit_code
            for line in advice.lines(part.error, command):
                watch.error(line)
    return code


@contextmanager
def destination(path: Path | None, job: TagJob, force: bool) -> Iterator[Callable[[bytes], object]]:
    """A function that writes to stdout or to a file. The file appears at its path when all is written; what is written
    before an error stays in another file.

    Raises:
        UsageError: the file exists already.
        AccessError: it cannot be written.
    """
    if path is None:
        yield _to_stdout(escape=sys.stdout.isatty() and not job.coloured)
        return
    if path.is_dir():
        raise AccessError(f"{path}: is a directory, not a file")
    if path.is_file() and not force:
        raise UsageError(f"{path}: already exists", remedy={"output_file": ANOTHER, "force": True})
    if path.exists() and not path.is_file():  # a device or a named pipe
        with open(path, "wb", buffering=0) as stream:
            yield stream.write
        return
    file = NewFile(path)
    try:
        yield file.write
        file.finish()
    except BaseException:
        if part := file.set_aside():
            console.note(f"partial output is in {part}")
        raise


def _to_stdout(*, escape: bool) -> Callable[[bytes], None]:
    out: Any = sys.stdout.buffer

    def write(tagged: bytes) -> None:
        if escape:
            tagged = as_lines(tagged.decode("utf-8", "surrogateescape")).encode()
        out.write(tagged)
        out.flush()

    return write
