"""Text in, tagged text out: the work of each process of `rnntag tag`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from rnntag.errors import DataError, RnntagError
from rnntag.formats.records import InputSentence, Writer, WriterOptions
from rnntag.formats.registry import OutputFormat, reader, writer_type
from rnntag.formats.word_tag import WordTagWriter
from rnntag.model.stored import ModelBundle
from rnntag.segmenter import Segmenter
from rnntag.sentences import Segmentation, Tags
from rnntag.tagger import Tagger
from rnntag.tagging.chunks import Chunk, End
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
        lenient, columns, only, expand: see `records.WriterOptions`.
        names_sources: whether the output says which input its sentences are from. Vertical text always does.
        text_field: of JSON lines, see `jsonl.JsonlReader`.
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
    columns: tuple[str, ...] = ()
    only: frozenset[str] = frozenset()
    expand: bool = False
    names_sources: bool = False
    text_field: str = ""
    lexicon: Lexicon | None = None

    def writer(self, piece: Chunk | End | None = None) -> Writer:
        """The writer of what begins with this piece of the input; see `records.Writer`."""
        is_named = piece and (self.names_sources or self.output == "vertical")
        make = ColouredWriter if self.coloured else writer_type(self.output)
        options = WriterOptions(
            number=piece.number if isinstance(piece, Chunk) else 0,
            lenient=self.lenient,
            document=piece.source.strip("<>") if piece and is_named else "",
            opens=isinstance(piece, Chunk) and piece.opens,
            columns=self.columns,
            only=self.only,
            expand=self.expand,
            answers_all=piece is not None and piece.format in ("lines", "jsonl"),
        )
        return make(self.tagsets, options)

    def header(self) -> bytes:
        """The line that names the columns."""
        tags = self.model.vocabulary.tags
        choices = [min(self.top or 0, len(tags[tagset])) for tagset in self.tagsets]
        return _encoded(self.writer().header(choices))

    def closing(self, end: End) -> bytes:
        """The text after the sentences of an input."""
        if end.format == "vertical":  # which has its own structure
            return b""
        writer = self.writer(end)
        return _encoded(writer.opening() * end.is_empty + writer.closing())


class ColouredWriter(WordTagWriter):
    """Writes word/TAG for a terminal."""

    def __init__(self, tagsets: tuple[str, ...], options: WriterOptions) -> None:
        super().__init__(tagsets, options)
        self._terminal = console.stdout()

    def _items(self, tokens: Sequence[str], tags: Sequence[str]) -> str:
        with self._terminal.capture() as text:
            self._terminal.print(console.coloured(tokens, tags), end="")
        return text.get()


class Pipeline:
    """Does a job, chunk by chunk.

    Attributes:
        tokens: how many have been tagged.

    Raises:
        DataError: ONNX Runtime cannot load the model.
    """

    def __init__(self, job: TagJob) -> None:
        self.tokens = 0
        self._job = job
        self._tagger = Tagger(job.model, threads=job.threads, int8=job.int8, lexicon=job.lexicon)

    def tag(self, chunk: Chunk | End) -> Iterator[bytes]:
        """Tag a chunk. One that does not begin a sentence must follow the chunk before it.

        Raises:
            DataError: a line is not in the format; the text before it is tagged first.
            RnntagError: what ended the input too soon.
        """
        if isinstance(chunk, End):
            if chunk.error:
                raise chunk.error
            yield self._job.closing(chunk)
            return
        if chunk.begins:
            self._writer = self._job.writer(chunk)
            self._reader = reader(
                chunk.format,
                chunk.source,
                chunk.line,
                start=chunk.start,
                number=chunk.number,
                columns=chunk.columns,
                field=self._job.text_field,
                finder=self,
            )
        sentences = []
        failure = None
        try:
            for sentence in self._reader.feed(chunk.text):
                sentences.append(sentence)
            if chunk.ends:
                sentences += self._reader.finish()
        except RnntagError as error:
            failure = error
        opens = not chunk.start and chunk.format != "vertical"
        text = self._writer.opening() * opens + self._tagged(sentences)
        if failure:
            yield _encoded(text)
            raise failure
        yield _encoded(text + self._writer.finish() * chunk.ends)

    def find(self, texts: Sequence[str]) -> Sequence[Segmentation]:
        """The words and sentences of raw texts.

        Raises:
            DataError: the model has no segmenter.
        """
        return self._segmenter.find(texts)

    @cached_property
    def _segmenter(self) -> Segmenter:
        """Loaded with the first raw text."""
        job = self._job
        if not job.model.segmenter:
            raise DataError(f"the input is raw text, but the model {job.model.name} has no segmenter: give tokens")
        return Segmenter(job.model.segmenter, threads=job.threads, int8=job.int8, lexicon=job.lexicon)

    def _tagged(self, sentences: list[InputSentence]) -> str:
        tokens = [sentence.tokens for sentence in sentences]
        self.tokens += sum(map(len, tokens))
        columns: list[list[Tags]]
        if self._job.top is None:
            columns = [[*map(Tags, own)] for own in self._tagger.predict(tokens, self._job.tagsets).values()]
        else:
            predicted = self._tagger.predict(tokens, self._job.tagsets, top=self._job.top)
            columns = [
                [Tags([probs[0][0] for probs in tag_probs], tag_probs) for tag_probs in own]
                for own in predicted.values()
            ]
        write = self._writer.together
        return "".join([write(sentence, *tags) for sentence, *tags in zip(sentences, *columns, strict=True)])


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
