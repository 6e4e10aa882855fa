"""Peak resident memory of `rnntag tag` by size of input.

    python -m benchmarks.memory en_ewt-ud-dev.conllu

The inputs are the treebank repeated to 50 thousand and to 5 million tokens, a line of 2 million tokens, and 2 million
distinct words; also as raw text, if the model has a segmenter.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.processes import measure
from benchmarks.speed import SHORT_TOKENS, write_text
from rnntag.model import directory

RAW = ".raw"  # suffix of the raw text that `write_text` writes
LONG, LINE, WORDS = 5_000_000, 2_000_000, 2_000_000


def write_line(treebank: str, path: Path) -> None:
    write_text(treebank, LINE, path)
    for file in (path, path.with_suffix(RAW)):
        file.write_text(file.read_text(encoding="utf-8").replace("\n", " ") + "\n", encoding="utf-8")


def write_words(path: Path) -> None:
    with path.open("w", encoding="utf-8") as out:
        for start in range(0, WORDS, 20):
            out.write(" ".join(f"w{number:x}" for number in range(start, start + 20)) + "\n")
    shutil.copy(path, path.with_suffix(RAW))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", help="CoNLL-U file to tag")
    parser.add_argument("--model", default="models/zh-en")
    given = parser.parse_args()
    cases: dict[str, Callable[[Path], object]] = {
        f"{SHORT_TOKENS:,} tokens": lambda path: write_text(given.text, SHORT_TOKENS, path),
        f"{LONG:,} tokens": lambda path: write_text(given.text, LONG, path),
        f"one line of {LINE:,} tokens": lambda path: write_line(given.text, path),
        f"{WORDS:,} different words": write_words,
    }
    ways = {"tokens": ""}
    if directory.read(directory.find(given.model)).segmenter:
        ways["raw"] = RAW
    print("| | MB | relative to the first | seconds |")
    print("| --- | ---: | ---: | ---: |")
    first: dict[str, float] = {}
    for name, write in cases.items():
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder) / "input"
            write(source)
            for way, suffix in ways.items():
                command = [sys.executable, "-m", "rnntag", "tag", "--model", given.model, "--input-format", way]
                seconds, megabytes, _ = measure([*command, "--input-file", str(source.with_suffix(suffix))], 1)
                share = megabytes / first.setdefault(way, megabytes)
                print(f"| {name}, {way} | {megabytes:.0f} | {share:.3f} | {seconds:.0f} |", flush=True)


if __name__ == "__main__":
    main()
