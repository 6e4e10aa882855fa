"""A text cut into chunks, each for whichever process is free, is tagged as the whole text is."""

from __future__ import annotations

import pytest

from rnntag.errors import DataError
from rnntag.formats.inputs import Input
from rnntag.model.stored import ModelBundle
from rnntag.tagging import chunks
from rnntag.tagging.chunks import Chunk
from rnntag.tagging.pipeline import Pipeline, TagJob

EMPTY = "\t_" * 8


def tagged(task: TagJob, given_chunks: list[Chunk]) -> tuple[bytes, str]:
    """What comes out, and the error that ends it."""
    found = []
    pipeline = Pipeline(task)
    try:
        for chunk in given_chunks:
            if chunk.begins:
                pipeline = Pipeline(task)
            for part in pipeline.tag(chunk):
                found.append(part)
    except DataError as error:
        return b"".join(found), str(error)
    return b"".join(found), ""


def cut_up(*inputs: Input) -> list[Chunk]:
    """The chunks of inputs, without their ends."""
    return [piece for piece in chunks.chunks(inputs) if isinstance(piece, Chunk)]


def test_numbers_go_on_from_input_to_input() -> None:
    cut = cut_up(Input("x", "tokens", ["I\n\neat", " apples"]), Input("y", "tokens", [" \nI\n", "eat\n"]))
    assert [(p.text, p.source, p.line, p.number) for p in cut] == [
        ("I\n\n", "x", 0, 0), ("eat apples", "x", 2, 1), (" \nI\n", "y", 0, 2), ("eat\n", "y", 2, 3),
    ]  # fmt: skip


def test_long_texts_come_in_short_chunks() -> None:
    sizes = [len(chunk.text) for chunk in cut_up(Input("x", "tokens", ["I eat apples\n" * 100_000]))]
    assert max(sizes) <= chunks.CHUNK_CHARS + len("I eat apples\n")


@pytest.mark.parametrize("source", ["tokens", "conllu"])
def test_a_sentence_without_end_is_not_held(source: str) -> None:
    block = "apples " * 1000
    cut = cut_up(Input("x", source, [block] * 100))
    assert max(len(chunk.text) for chunk in cut) <= chunks.LONG_LINE + len(block)
    assert [(chunk.begins, chunk.ends) for chunk in (cut[0], *cut[-1:])] == [(True, False), (False, True)]


def test_what_looks_like_a_row_in_a_long_comment_ends_no_sentence(tiny: ModelBundle) -> None:
    comment = "# ".ljust(chunks.LONG_LINE + 1, "x")
    blocks = [comment, "1\tx\n\n", f"1\tapples{EMPTY}\n\n"]
    cut = cut_up(Input("x", "conllu", blocks))
    assert [chunk.begins for chunk in cut] == [True, False]
    whole = Chunk("".join(blocks), "x", "conllu", 0, 0, 0, begins=True, ends=True)
    assert tagged(TagJob(tiny, ("upos",), "jsonl"), cut) == tagged(TagJob(tiny, ("upos",), "jsonl"), [whole])
