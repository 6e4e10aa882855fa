"""Peak memory of `rnntag tag`, however much it is given.

    python -m benchmarks.memory en_ewt-ud-dev.conllu

The treebank's words, again and again, as 50 thousand and as 5 million tokens, as one line of 2
million, and 2 million words of which none comes twice; the largest resident size of the process.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.processes import measure
from benchmarks.speed import SHORT_TOKENS, write_text

LONG, LINE, WORDS = 5_000_000, 2_000_000, 2_000_000


def write_line(treebank: str, path: Path) -> None:
    write_text(treebank, LINE, path)
    path.write_text(path.read_text(encoding="utf-8").replace("\n", " ") + "\n", encoding="utf-8")


def write_words(path: Path) -> None:
    with path.open("w", encoding="utf-8") as out:
        for start in range(0, WORDS, 20):
            out.write(" ".join(f"w{number:x}" for number in range(start, start + 20)) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", help="CoNLL-U whose words are tagged")
    parser.add_argument("--model", default="models/zh-en")
    given = parser.parse_args()
    cases: dict[str, Callable[[Path], object]] = {
        f"{SHORT_TOKENS:,} tokens": lambda path: write_text(given.text, SHORT_TOKENS, path),
        f"{LONG:,} tokens": lambda path: write_text(given.text, LONG, path),
        f"one line of {LINE:,} tokens": lambda path: write_line(given.text, path),
        f"{WORDS:,} different words": write_words,
    }
    print("| | MB | of the first | seconds |")
    print("| --- | ---: | ---: | ---: |")
    first = None
    for name, write in cases.items():
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder) / "input"
            write(source)
            command = [sys.executable, "-m", "rnntag", "tag", "--model", given.model, "--input-file", str(source)]
            seconds, megabytes, _ = measure(command, 1)
        first = first or megabytes
        print(f"| {name} | {megabytes:.0f} | {megabytes / first:.3f} | {seconds:.0f} |", flush=True)


if __name__ == "__main__":
    main()
