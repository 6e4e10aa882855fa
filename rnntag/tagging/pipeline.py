"""Text in, tagged text out: what each process of `rnntag tag` does."""

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
    """What is to be done with a text.

    Attributes:
        tagset: one of the model's.
        top: how many tags to write for each token, with their probabilities; if None, its tag
            alone, without.
        threads: of each process.
        int8: see `tagger.load`.
        coloured: whether to write word/TAG as `console.coloured` shows it.
    """

    model: ModelBundle
    tagset: str
    output: OutputFormat
    top: int | None = None
    threads: int = 1
    int8: bool = True
    coloured: bool = False


class Pipeline:
    """Does a task, chunk by chunk.

    Raises:
        DataError: ONNX Runtime cannot load the model.
    """

    def __init__(self, task: TagJob) -> None:
        self._task = task
        self._tagger = Tagger(task.model, threads=task.threads, int8=task.int8)
        self._terminal = console.stdout() if task.coloured else None

    def tag(self, chunk: Chunk) -> Iterator[bytes]:
        """The chunk tagged. A chunk that does not begin a sentence must follow the one before it.

        Raises:
            DataError: a line is not in the format; what stands before it has been handed on.
        """
        task = self._task
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
            self._write = self._coloured if self._terminal else writer(task.output, task.tagset, chunk.number).text
        sentences = []
        wrong = None
        try:
            for sentence in self._reader.feed(chunk.text):
                sentences.append(sentence)
            if chunk.ends:
                sentences += self._reader.finish()
        except RnntagError as error:
            wrong = error
        yield self._tagged(sentences)
        if wrong:
            raise wrong

    @cached_property
    def _segmenter(self) -> Segmenter:
        """Loaded when the first raw text comes."""
        assert self._task.model.segmenter
        return Segmenter(self._task.model.segmenter, threads=self._task.threads, int8=self._task.int8)

    def _tagged(self, sentences: list[InputSentence]) -> bytes:
        tokens = [sentence.tokens for sentence in sentences]
        texts = []
        if self._task.top is None:
            for sentence, tags in zip(sentences, self._tagger.predict(tokens, self._task.tagset), strict=True):
                texts.append(self._write(sentence, tags, ()))
        else:
            choices = self._tagger.predict(tokens, self._task.tagset, top=self._task.top)
            for sentence, tag_probs in zip(sentences, choices, strict=True):
                texts.append(self._write(sentence, [choice[0][0] for choice in tag_probs], tag_probs))
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
