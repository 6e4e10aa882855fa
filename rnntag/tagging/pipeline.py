"""Text in, tagged text out: the work of each process of `rnntag tag`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from rnntag.errors import RnntagError
from rnntag.formats.records import InputSentence
from rnntag.formats.registry import OutputFormat, reader, writer
from rnntag.model.stored import ModelBundle
from rnntag.segmenter import Segmenter
from rnntag.sentences import TagProbs
from rnntag.tagger import Tagger
from rnntag.tagging.chunks import Chunk
from rnntag.terminal import console


@dataclass(frozen=True, slots=True)
class TagJob:
    """How to tag a text.

    Attributes:
        tagset: one of the model's.
        top: how many tags to write for each token, with probabilities; None: one tag without.
        threads: of each process.
        int8: see `tagger.load`.
        coloured: whether to write word/TAG in colour; see `console.coloured`.
    """

    model: ModelBundle
    tagset: str
    output: OutputFormat
    top: int | None = None
    threads: int = 1
    int8: bool = True
    coloured: bool = False


class Pipeline:
    """Does a job, chunk by chunk.

    Raises:
        DataError: ONNX Runtime cannot load the model.
    """

    def __init__(self, job: TagJob) -> None:
        self._job = job
        self._tagger = Tagger(job.model, threads=job.threads, int8=job.int8)
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
            self._write = self._coloured if self._terminal else writer(job.output, job.tagset, chunk.number).text
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
        assert self._job.model.segmenter
        return Segmenter(self._job.model.segmenter, threads=self._job.threads, int8=self._job.int8)

    def _tagged(self, sentences: list[InputSentence]) -> bytes:
        tokens = [sentence.tokens for sentence in sentences]
        texts = []
        if self._job.top is None:
            for sentence, tags in zip(sentences, self._tagger.predict(tokens, self._job.tagset), strict=True):
                texts.append(self._write(sentence, tags, ()))
        else:
            predicted = self._tagger.predict(tokens, self._job.tagset, top=self._job.top)
            for sentence, tag_probs in zip(sentences, predicted, strict=True):
                texts.append(self._write(sentence, [probs[0][0] for probs in tag_probs], tag_probs))
        return "".join(texts).encode("utf-8", "surrogateescape")

    def _coloured(self, sentence: InputSentence, tags: Sequence[str], _: Sequence[TagProbs]) -> str:
        assert self._terminal
        with self._terminal.capture() as text:
            if sentence.offsets:
                self._terminal.print(sentence.offsets.empty_lines, end="")
            line = console.coloured(sentence.tokens[sentence.core], tags[sentence.core])
            if sentence.tokens or not sentence.offsets:
                self._terminal.print(line, end="\n" if sentence.ends else " ")
        return text.get()
