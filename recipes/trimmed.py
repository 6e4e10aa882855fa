"""Writes a model without the words that occur too rarely in its training data to have an embedding.

    python -m recipes.trimmed models/large models/small [--rows 90000]

They change no tag: `rnntag eval` alone tells them from unknown words. Nor does the copy have a learning curve. With
--rows, the rarest of the other words give up their embeddings too, and each shares the nearest shared row.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from rnntag.model import directory
from rnntag.model.stored import ModelBundle
from rnntag.model.vocabulary import RESERVED
from rnntag.model.weights import WORD_TABLE, scales, table_rows
from rnntag.training import word_vectors


def trimmed(model: ModelBundle) -> ModelBundle:
    vocabulary = replace(model.vocabulary, words=model.vocabulary.words[: model.vocabulary.n_embedded])
    return replace(model, vocabulary=vocabulary, history=b"")


def with_rows(model: ModelBundle, rows: int) -> ModelBundle:
    """A trimmed model with at most so many rows for single words of its training data.

    Raises:
        SystemExit: the model has no shared rows.
    """
    vocabulary = model.vocabulary
    if not vocabulary.shared:
        raise SystemExit(f"{model.name} has no shared rows: leave out --rows")
    rare = vocabulary.words[rows:]
    if not rare:
        return model
    first, end = RESERVED + rows, RESERVED + len(vocabulary.words)
    table = table_rows(model.weights, WORD_TABLE)
    vectors, shared_vectors = (torch.from_numpy(part) for part in (table[first:end], table[-vocabulary.shared.count :]))
    nearest = word_vectors.nearest(vectors, shared_vectors.double())
    kept = {
        name: np.delete(model.weights[name], slice(first, end), axis=0) for name in (WORD_TABLE, scales(WORD_TABLE))
    }
    shared = vocabulary.shared.extended(dict(zip(rare, nearest.tolist(), strict=True)))
    smaller = replace(vocabulary, words=vocabulary.words[:rows], n_embedded=rows, shared=shared)
    return replace(model, vocabulary=smaller, weights={**model.weights, **kept})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--rows", type=int, help="words of the training data that keep an embedding, at most")
    given = parser.parse_args()
    model = trimmed(directory.read(given.model))
    if given.rows:
        model = with_rows(model, given.rows)
    directory.write(given.out, replace(model, name=given.out.name), directory.read_card(given.model))


if __name__ == "__main__":
    main()
