"""Writes a model without the words that occur too rarely in its training data to have an embedding.

    python -m recipes.trimmed models/large models/small

They change no tag: `rnntag eval` alone tells them from unknown words. Nor does the copy have a learning curve.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from rnntag.model import directory
from rnntag.model.stored import ModelBundle


def trimmed(model: ModelBundle) -> ModelBundle:
    vocabulary = replace(model.vocabulary, words=model.vocabulary.words[: model.vocabulary.n_embedded])
    return replace(model, vocabulary=vocabulary, history=b"")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("out", type=Path)
    given = parser.parse_args()
    model = replace(trimmed(directory.read(given.model)), name=given.out.name)
    directory.write(given.out, model, directory.read_card(given.model))


if __name__ == "__main__":
    main()
