"""Memory and time of `rnntag tag` on pathological text: endless lines and words, only white space, only marks.

    python -m benchmarks.hostile --megabytes 100

Each text is tagged at full and at a quarter of its size; a single word is a tenth as long. The table has peak resident
memory, also relative to a small text, and processor seconds, also relative to the quarter (4 if time is linear). The
words of the output must be those of the input.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from benchmarks.processes import measure
from rnntag.model import directory

WORD = "\t_" * 8
TEXTS = {  # repeated text, fraction of --megabytes, input formats
    "one line of words": ("apples eat ", 1.0, ("tokens", "raw")),
    "one word": ("x", 0.1, ("tokens", "raw")),
    "one line of Chinese": ("我吃苹果", 1.0, ("tokens", "raw")),
    "empty lines": ("\n", 0.25, ("tokens", "raw", "conllu")),
    "spaces": (" ", 1.0, ("tokens", "raw", "conllu")),
    "spaces in lines": (" " * 1500 + "\n", 1.0, ("tokens", "raw", "conllu")),
    "combining marks": ("\u0301", 0.1, ("tokens", "raw")),
    "regional indicators": ("\U0001f1e6", 0.1, ("tokens", "raw")),
    "NUL": ("\0", 0.1, ("tokens", "raw")),
    "comments": ("# x\n", 1.0, ("conllu",)),
    "sentences": (f"1\tapples{WORD}\n2\teat{WORD}\n\n", 1.0, ("conllu",)),
}


def write(path: Path, first: str, piece: str, megabytes: float) -> None:
    count = round(megabytes * 1e6 / len(piece.encode()))
    with path.open("w", encoding="utf-8", newline="\n") as out:
        out.write(first)
        for start in range(0, count, 10_000):
            out.write(piece * min(10_000, count - start))
        out.write("\n")


def words_of_input(path: Path, way: str) -> Iterator[str]:
    with path.open(encoding="utf-8", newline="\n") as lines:
        for line in lines:
            if way != "conllu":
                yield from line.split()
            elif "\t" in line:
                yield line.split("\t")[1]


def words_of_output(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8", newline="\n") as lines:
        for line in lines:
            yield from (item.rpartition("/")[0] for item in line.split())


def digest(words: Iterator[str]) -> str:
    """A hash of the characters, however raw text is split into words."""
    hashed = sha256()
    for word in words:
        hashed.update(word.encode())
    return hashed.hexdigest()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=float, default=100)
    parser.add_argument("--model", default="models/zh-en-fast")
    parser.add_argument("--only", action="append", choices=TEXTS, help="one of the texts; may be repeated")
    given = parser.parse_args()
    has_segmenter = directory.read(directory.find(given.model)).segmenter is not None
    print("| | input, MB | memory, MB | relative to small text | seconds | relative to a quarter |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "in", Path(folder) / "out"
        small: dict[str, float] = {}
        for name in given.only or TEXTS:
            piece, share, ways = TEXTS[name]
            for way in ways:
                if way == "raw" and not has_segmenter:
                    continue
                command = [sys.executable, "-m", "rnntag", "tag", "--model", given.model, "--input-format", way]
                command += ["--format", "slash", "--input-file", str(source)]
                if way not in small:
                    source.write_text("\n" if way == "conllu" else "I eat apples .\n" * 10_000, encoding="utf-8")
                    small[way] = measure(command, 1).megabytes
                before = 0.0
                for fraction in (0.25, 1.0):
                    write(source, "# x\n" if way == "conllu" else "ab", piece, given.megabytes * share * fraction)
                    target.write_bytes(b"")
                    measured = measure(command, 1, target)
                    if digest(words_of_input(source, way)) != digest(words_of_output(target)):
                        raise SystemExit(f"{name}, {way}: the words have changed")
                    times = f"{measured.processor / before:.1f}" if before else ""
                    before = measured.processor
                    print(
                        f"| {name}, {way} | {source.stat().st_size / 1e6:.1f} | {measured.megabytes:.0f} "
                        f"| {measured.megabytes / small[way]:.2f} | {measured.processor:.1f} | {times} |",
                        flush=True,
                    )


if __name__ == "__main__":
    main()
