"""Text in, tagged text out: the work of each process of `rnntag tag`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from rnntag.errors import RnntagError
from rnntag.formats.records import InputSentence, Writer
from rnntag.formats.registry import InputFormat, OutputFormat, reader, writer
from rnntag.model.stored import ModelBundle
from rnntag.segmenter import Segmenter
from rnntag.sentences import Tags
from rnntag.tagger import Tagger
from rnntag.tagging.chunks import Chunk
from rnntag.terminal import console

if TYPE_CHECKING:
    from rnntag.lexicon.lexicon import Lexicon


@dataclass(frozen=True, slots=True)
class TagJob:
    """How to tag a text.

    Attributes:
        tagsets: one or more of the model's.
        top: how many tags to write for each token, with probabilities; None: one tag without.
        threads: of each process.
        int8: see `tagger.load`.
        coloured: whether to write word/TAG in colour; see `console.coloured`.
        lenient: see `records.Writer`.
        lexicon: see `tagger.load`.
    """

    model: ModelBundle
    tagsets: tuple[str, ...]
    output: OutputFormat
    top: int | None = None
    threads: int = 1
    int8: bool = True
    coloured: bool = False
    lenient: bool = False
    lexicon: Lexicon | None = None

    def writer(self, number: int = 0) -> Writer:
        """See `records.Writer`."""
        return writer(self.output, *self.tagsets, number=number, lenient=self.lenient)

    def header(self, form: InputFormat) -> str:
        """The line before all output for input in this format, or ""."""
        tags = self.model.vocabulary.tags
        choices = [min(self.top or 0, len(tags[tagset])) for tagset in self.tagsets]
        return self.writer().header(choices, raw=form == "raw")


class Pipeline:
    """Does a job, chunk by chunk.

    Raises:
        DataError: ONNX Runtime cannot load the model.
    """

    def __init__(self, job: TagJob) -> None:
        self._job = job
        self._tagger = Tagger(job.model, threads=job.threads, int8=job.int8, lexicon=job.lexicon)
        self._terminal = console.stdout() if job.coloured else None

    def tag(self, chunk: Chunk) -> Iterator[bytes]:
        """Tag a chunk. One that does not begin a sentence must follow the chunk before it.

        Raises:
            DataError: a line is not in the format; the text before it is tagged first.
        """
        job = self._job
        if chunk.begins:
            self._reader = reader(
                chunk.format,
                chunk.source,
                chunk.line,
                start=chunk.start,
                number=chunk.number,
                columns=chunk.columns,
                finder=self._segmenter if chunk.format == "raw" else None,
            )
            self._write = self._coloured if self._terminal else job.writer(chunk.number).together
        sentences = []
        failure = None
        try:
            for sentence in self._reader.feed(chunk.text):
                sentences.append(sentence)
            if chunk.ends:
                sentences += self._reader.finish()
        except RnntagError as error:
            failure = error
        yield self._tagged(sentences)
        if failure:
            raise failure

    @cached_property
    def _segmenter(self) -> Segmenter:
        """Loaded with the first raw text."""
        job = self._job
        assert job.model.segmenter
        return Segmenter(job.model.segmenter, threads=job.threads, int8=job.int8, lexicon=job.lexicon)

    def _tagged(self, sentences: list[InputSentence]) -> bytes:
        tokens = [sentence.tokens for sentence in sentences]
        columns: list[list[Tags]]
        if self._job.top is None:
            columns = [[*map(Tags, own)] for own in self._tagger.predict(tokens, self._job.tagsets).values()]
        else:
            predicted = self._tagger.predict(tokens, self._job.tagsets, top=self._job.top)
            columns = [
                [Tags([probs[0][0] for probs in tag_probs], tag_probs) for tag_probs in own]
                for own in predicted.values()
            ]
        texts = [self._write(sentence, *tags) for sentence, *tags in zip(sentences, *columns, strict=True)]
        return "".join(texts).encode("utf-8", "surrogateescape")

    def _coloured(self, sentence: InputSentence, *columns: Tags) -> str:
        assert self._terminal
        ((tags, _),) = columns
        with self._terminal.capture() as text:
            if sentence.offsets:
                self._terminal.print(sentence.offsets.empty_lines, end="")
            line = console.coloured(sentence.tokens[sentence.core], tags[sentence.core])
            if sentence.tokens or not sentence.offsets:
                self._terminal.print(line, end="\n" if sentence.ends else " ")
        return text.get()
