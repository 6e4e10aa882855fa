"""A soak test of `rnntag tag`: memory and speed stay constant, and no line is lost.

    python -m benchmarks.soak en_ewt-ud-train.conllu --model models/zh-en-fast
    python -m benchmarks.soak zh_gsdsimp-ud-train.conllu --input-format raw --minutes 20

One process reads random sentences of the treebank from a pipe, with made-up words, empty lines and lines of up to a
hundred thousand words, until --tokens or --minutes are reached. The output is compared with the input: word by word or,
for raw text, character by character. Every --every seconds a table row shows the resources of the process (with --jobs,
of all processes) and its speed in tokens per second of processor time. Exit code 1: a line was lost or changed, memory
grew, or speed fell.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import re
import statistics
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

from benchmarks.processes import family, machine, snapshot
from rnntag.corpora import loading
from rnntag.corpora.raw_text import GoldParagraph, gold_paragraphs

Way = Literal["tokens", "raw"]

BLOCK = 1 << 16
"""Bytes per read and write."""

EMPTY, JOINED, NEW, LONG = 0.05, 0.02, 0.3, 0.00002
"""Fractions of lines that are empty, join several sentences, have a made-up word, are very long."""

LONG_WORDS = 100_000
"""Approximate number of words in a very long line."""

GROWTH = 1.05
"""The largest allowed ratio of peak memory in the last fifth of the time to that in the second. (Caches make memory
fluctuate, by some 10 MB with raw text.)"""

SPEED = 0.9
"""The smallest allowed ratio of speed in the last tenth of the time to that in the second."""

LEAST_SAMPLES = 20
"""With fewer, memory and speed are not judged."""

_TAG = re.compile(rb"/[^/ \n]+(?=[ \n])")
_END = re.compile(r"\s*\Z")


class DifferentError(Exception):
    """The output differs from the input."""


class Ledger:
    """Compares output with input, keeping only the input that has not come back yet.

    Attributes:
        most: the most bytes in transit at once.
    """

    def __init__(self) -> None:
        self._due: deque[bytes] = deque()
        self._next = b""
        self._given, self._returned = hashlib.blake2b(digest_size=16), hashlib.blake2b(digest_size=16)
        self._bytes_given = self._bytes_returned = 0
        self.most = self.lines_given = self.lines_returned = 0

    def give(self, text: bytes) -> None:
        self._due.append(text)
        self._given.update(text)
        self._bytes_given += len(text)
        self.lines_given += text.count(b"\n")
        self.most = max(self.most, self._bytes_given - self._bytes_returned)

    def take(self, text: bytes) -> None:
        """Check output against the next input.

        Raises:
            DifferentError: they differ.
        """
        self._returned.update(text)
        self._bytes_returned += len(text)
        while text:
            if not self._next:
                if not self._due:
                    raise DifferentError(
                        f"line {self.lines_returned + 1}: more came back than was given: {text[:80]!r}"
                    )
                self._next = self._due.popleft()
            size = min(len(text), len(self._next))
            if text[:size] != self._next[:size]:
                same = next(place for place in range(size) if text[place] != self._next[place])
                line = self.lines_returned + text.count(b"\n", 0, same) + 1
                begin = max(same - 40, 0)
                raise DifferentError(
                    f"line {line}: {text[begin : same + 40]!r} came back, not {self._next[begin : same + 40]!r}"
                )
            self.lines_returned += text.count(b"\n", 0, size)
            text, self._next = text[size:], self._next[size:]

    def close(self) -> None:
        """Check that all input has come back.

        Raises:
            DifferentError: it has not.
        """
        missing = self._bytes_given - self._bytes_returned
        if missing:
            raise DifferentError(f"line {self.lines_returned + 1}: the last {missing:,} bytes never came back")

    def __str__(self) -> str:
        given, returned = self._given.hexdigest(), self._returned.hexdigest()
        return (
            f"{self.lines_given:,} lines given (blake2b {given}), {self.lines_returned:,} came back "
            f"({'the same' if given == returned else returned}), at most {self.most / 1e6:.2f} MB in transit"
        )


class Text:
    """An endless stream of lines, reproducible by seed.

    Args:
        long: the fraction of very long lines.
    """

    def __init__(self, treebanks: Sequence[str], way: Way, seed: int = 0, long: float = LONG) -> None:
        self._random = random.Random(seed)
        self._way = way
        self._long = long
        self._paragraphs: list[GoldParagraph] = []
        for corpus in loading.load([*treebanks], whole=True):
            self._paragraphs += gold_paragraphs([*corpus.train, *corpus.dev, *corpus.test], corpus.name)
        self._sentences = [
            words
            for paragraph in self._paragraphs
            for begin, end in pairwise((0, *paragraph.ends))
            if (words := " ".join(paragraph.text[a:b] for a, b in paragraph.words[begin:end]).split())
        ]
        self._words = sorted({word for words in self._sentences for word in words})
        self._new = 0

    def blocks(self) -> Iterator[tuple[bytes, int]]:
        """Blocks of text with their token counts."""
        line = self._line if self._way == "tokens" else self._paragraph
        while True:
            lines, size, tokens = [], 0, 0
            while size < BLOCK:
                text, words = line()
                lines.append(text)
                size += len(text)
                tokens += words
            yield "".join(lines).encode(), tokens

    def _line(self) -> tuple[str, int]:
        words = [word for _ in range(self._number(LONG_WORDS // 20)) for word in self._random.choice(self._sentences)]
        if words and self._random.random() < NEW:
            words[self._random.randrange(len(words))] = self._made_up()
        return " ".join(words) + "\n", len(words)

    def _paragraph(self) -> tuple[str, int]:
        parts, tokens = [], 0
        for _ in range(self._number(LONG_WORDS // 100)):
            paragraph = self._random.choice(self._paragraphs)
            text, words = paragraph.text, paragraph.words
            if words and self._random.random() < NEW:
                begin, end = self._random.choice(words)
                text = f"{text[:begin]}{self._made_up()}{text[end:]}"
            parts.append(_END.sub("", text))
            tokens += len(words)
        return " ".join(parts) + "\n\n", tokens

    def _number(self, longest: int) -> int:
        """The number of sentences or paragraphs in the next line."""
        drawn = self._random.random()
        for share, number in ((self._long, longest), (EMPTY, 0), (JOINED, self._random.randint(2, 40))):
            if drawn < share:
                return number
            drawn -= share
        return 1

    def _made_up(self) -> str:
        self._new += 1
        first, last = self._random.choice(self._words), self._random.choice(self._words)
        return f"{first[:4]}{self._new:x}" if self._random.random() < 0.5 else f"{first[:3]}{last[-3:]}"


def bare(way: Way, text: bytes) -> bytes:
    """Whole lines; of raw text, without the white space, which tagging may change."""
    if way == "tokens":
        return text
    return "".join("".join(line.split()) or "\n" for line in text.decode().split("\n")[:-1]).encode()


@dataclass(frozen=True, slots=True)
class Sample:
    """The state of all processes together after some seconds."""

    seconds: float
    tokens: int
    processes: int
    megabytes: float
    threads: int
    descriptors: int
    processor: float


@dataclass
class Soak:
    """A run: its samples and problems."""

    samples: list[Sample] = field(default_factory=list)
    ledger: Ledger = field(default_factory=Ledger)
    tokens: int = 0
    problems: list[str] = field(default_factory=list)

    def speeds(self) -> list[float]:
        """Tokens per second of processor time between consecutive samples."""
        return [
            (b.tokens - a.tokens) / max(b.processor - a.processor, 0.01)
            for a, b in pairwise([Sample(0, 0, 0, 0, 0, 0, 0), *self.samples])
        ]


def soak(
    command: Sequence[str],
    text: Text,
    way: Way,
    tokens: int,
    seconds: float,
    every: float,
    watch: Callable[[Soak], object] = lambda _: None,
) -> Soak:
    """Feed text to a process until it has read `tokens` tokens or `seconds` have passed, and check its output.

    Args:
        every: seconds between samples, which end with the text.
        watch: called after each sample.
    """
    run = Soak()
    started = time.monotonic()
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
    given, returned = process.stdin, process.stdout
    assert given
    assert returned

    def feed() -> None:
        fed = 0
        try:
            with given:
                for block, words in text.blocks():
                    run.ledger.give(bare(way, block))
                    rest = memoryview(block)
                    while rest:
                        rest = rest[given.write(rest) :]
                    fed += words
                    if fed >= tokens or time.monotonic() - started > seconds:
                        return
        except BrokenPipeError:
            return  # the exit code tells

    feeder = threading.Thread(target=feed, daemon=True)
    feeder.start()
    due = every
    rest = b""
    try:
        while block := returned.read(BLOCK):
            lines, end, rest = (rest + block).rpartition(b"\n")
            words, found = _TAG.subn(b"", lines + end)
            run.tokens += found
            run.ledger.take(bare(way, words))
            passed = time.monotonic() - started
            if passed >= due and feeder.is_alive():
                due += every
                with suppress(OSError):  # a process has just ended; the exit code tells
                    run.samples.append(sample(process.pid, passed, run.tokens))
                    watch(run)
        feeder.join()
        if rest:
            raise DifferentError(f"the output ends within a line: {rest[-80:]!r}")
        run.ledger.close()
    except DifferentError as error:
        run.problems.append(str(error))
        process.kill()
    if code := process.wait():
        run.problems.append(f"exit code {code}")
    return run


def sample(process: int, seconds: float, tokens: int) -> Sample:
    snapshots = [snapshot(member) for member in family(process)]
    return Sample(
        seconds,
        tokens,
        len(snapshots),
        sum(each.megabytes for each in snapshots),
        sum(each.threads for each in snapshots),
        sum(each.descriptors for each in snapshots),
        sum(each.processor for each in snapshots),
    )


def verdict(run: Soak) -> list[str]:
    """A summary of the samples, as lines; adds to `run.problems`."""
    said = [str(run.ledger)]
    if len(run.samples) < LEAST_SAMPLES:
        return [*said, "too short to judge memory and speed"]
    tenth = len(run.samples) // 10
    early, late = slice(tenth, 2 * tenth), slice(-tenth, None)
    sizes, speeds = [one.megabytes for one in run.samples], run.speeds()
    before, after = max(sizes[2 * tenth : 4 * tenth]), max(sizes[-2 * tenth :])
    hours = [one.seconds / 3600 for one in run.samples[tenth:]]
    slope = statistics.linear_regression(hours, sizes[tenth:]).slope
    said.append(
        f"memory: at most {before:.1f} MB in the second fifth, {after:.1f} MB in the last, {slope:+.2f} MB per hour"
    )
    if after > GROWTH * before:
        run.problems.append("memory grows")
    slow, fast = min(speeds[tenth:]), max(speeds[tenth:])
    before, after = statistics.median(speeds[early]), statistics.median(speeds[late])
    said.append(
        f"speed: {before:,.0f} tokens per second of processor time in the second tenth, {after:,.0f} in the last, "
        f"{slow:,.0f} to {fast:,.0f} overall"
    )
    if after < SPEED * before:
        run.problems.append("speed falls")
    for what, counts in (
        ("processes", {one.processes for one in run.samples}),
        ("threads", {one.threads for one in run.samples}),
        ("descriptors", {one.descriptors for one in run.samples}),
    ):
        said.append(f"{what}: {min(counts)} to {max(counts)}")
        if len(counts) > 1:
            run.problems.append(f"the number of {what} changes")
    return said


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("treebank", nargs="+", help="CoNLL-U files to tag")
    parser.add_argument("--model", default="models/zh-en")
    parser.add_argument("--input-format", choices=("tokens", "raw"), default="tokens")
    parser.add_argument("--tokens", type=int, default=200_000_000)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--every", type=float, default=30, metavar="SECONDS")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    command = [sys.executable, "-m", "rnntag", "tag", "--model", given.model, "--input-format", given.input_format]
    command += ["--jobs", str(given.jobs)]
    print("| seconds | tokens | MB | tokens per second of processor time | processes | threads | descriptors |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: | ---: |", flush=True)

    def row(run: Soak) -> None:
        one = run.samples[-1]
        cells = (f"{one.seconds:.0f}", f"{one.tokens:,}", f"{one.megabytes:.1f}", f"{run.speeds()[-1]:,.0f}")
        print("|", " | ".join((*cells, *map(str, (one.processes, one.threads, one.descriptors)))), "|", flush=True)

    text = Text(given.treebank, given.input_format, given.seed)
    run = soak(command, text, given.input_format, given.tokens, 60 * given.minutes, given.every, row)
    print(f"\n{run.tokens:,} tokens")
    print("\n".join(verdict(run)))
    print(", ".join(f"{name} {version}" for name, version in machine(("rnntag", "onnxruntime", "numpy")).items()))
    if run.problems:
        sys.exit("\n".join(run.problems))
    print("flat and complete")


if __name__ == "__main__":
    main()
