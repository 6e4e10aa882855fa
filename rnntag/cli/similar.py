"""`rnntag similar`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rnntag.cli.options import ModelOption
from rnntag.config import DEFAULT_MODEL
from rnntag.errors import UsageError
from rnntag.terminal import console
from rnntag.terminal.sanitize import visible


def similar(
    words: Annotated[
        list[str] | None, typer.Argument(metavar="WORD...", help="Words, in any case.", show_default=False)
    ] = None,
    model: ModelOption = DEFAULT_MODEL,
    count: Annotated[int, typer.Option(metavar="N", min=1, help="Neighbours of each word.")] = 10,
    analogy: Annotated[
        bool, typer.Option("--analogy", help="Of three words A B C, find what is to C as B is to A.")
    ] = False,
    export: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write all vectors in word2vec's text format.", show_default=False),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace what exists at --export.")] = False,
) -> None:
    """Find the words that a model treats alike.

    Writes, for each word, its nearest neighbours and the cosines of their vectors. The model is a
    tagger or a language model. gensim, spaCy and `rnntag train --vectors` read exported vectors.

        rnntag similar apple 苹果

        rnntag similar --model lm-zh-en --analogy he she himself

        rnntag similar --model lm-zh-en --export vectors.txt
    """
    words = words or []
    if not words and not export:
        raise UsageError("name a word, or a file for --export")
    if analogy and len(words) != 3:
        raise UsageError(f"--analogy takes three words, not {len(words)}")
    from rnntag.model import directory
    from rnntag.storage.atomic import NewFile
    from rnntag.word_vectors import load_vectors

    if export and not force:
        directory.check_absent([export])
    vectors = load_vectors(model)
    out = console.results()
    shown = visible if out.isatty() else str
    if analogy:
        a, b, c = words
        out.writelines(f"{shown(word)}\t{cosine:.3f}\n" for word, cosine in vectors.analogy(a, b, c, count))
    else:
        for word in words:
            neighbours = vectors.similar(word, count)
            out.writelines(f"{shown(word)}\t{shown(other)}\t{cosine:.3f}\n" for other, cosine in neighbours)
    if export:
        file = NewFile(export)
        try:
            for line in vectors.lines():
                file.write(line.encode("utf-8", "backslashreplace"))
            file.finish()
        except BaseException:
            file.discard()
            raise
