"""Start-up, speed, latency and memory of rnntag, NLTK's perceptron, spaCy and UDPipe 1.

    python -m benchmarks.speed en_ewt-ud-train.conllu en_ewt-ud-dev.conllu --json speed.json

The installed peers (`pip install ".[bench]"`) are trained on the first treebank, unless --work has their models. Each
tags the text of the second, repeated to --tokens, from file to file, in turn, --rounds times; medians are printed. A
model with a segmenter also tags the same text raw. Start-up is a whole process that tags one sentence; `import …` rows
show Python with only these imports. Memory is the peak resident size of one process, at 50 thousand tokens and at
--tokens.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path

from benchmarks.peers.registry import PEERS
from benchmarks.processes import Measured, machine, measure
from rnntag.corpora import loading
from rnntag.corpora.raw_text import gold_paragraphs
from rnntag.model import directory

SHORT_TOKENS = 50_000
STARTS = 7
QUICK = ("nltk", "spacy", "udpipe")  # peers that tag a million tokens within minutes
WORKER = [sys.executable, "-m", "benchmarks.peers.worker"]
BASELINES = ("torch", "typer, rich.table, onnxruntime")


@dataclass
class Contestant:
    """A way to tag a file, and its measurements."""

    name: str
    command: list[str]
    cores: int = 1
    latency: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    starts: list[float] = field(default_factory=list)
    latency_ms: float | None = None
    short_megabytes: float = 0
    megabytes: float = 0

    def run(self, source: Path, target: Path) -> Measured:
        files = {"{input}": str(source), "{raw}": str(source.with_suffix(".raw")), "{output}": str(target)}
        return measure([files.get(word, word) for word in self.command], self.cores, target)


def write_text(treebank: str, tokens: int, path: Path) -> int:
    """Write the paragraphs of a treebank, repeated to `tokens`, as lines of tokens to `path` and as raw text to a file
    beside it with the suffix .raw.

    Returns:
        The number of tokens written.
    """
    (corpus,) = loading.load([treebank], whole=True)
    paragraphs = gold_paragraphs([*corpus.train, *corpus.dev, *corpus.test], corpus.name)
    written = 0
    with path.open("w", encoding="utf-8") as out, path.with_suffix(".raw").open("w", encoding="utf-8") as raw:
        while True:
            for paragraph in paragraphs:
                if written >= tokens:
                    return written
                words = [paragraph.text[begin:end] for begin, end in paragraph.words]
                out.writelines(" ".join(words[a:b]) + "\n" for a, b in pairwise((0, *paragraph.ends)))
                raw.write(f"{paragraph.text.rstrip()}\n\n")
                written += len(words)


def contestants(models: list[str], treebank: str, dev: str, work: Path) -> list[Contestant]:
    found = []
    for model in models:
        run = [sys.executable, "-m", "rnntag", "tag", "--model", model]
        tag = [*run, "--input-format", "tokens", "--input-file", "{input}"]
        name = f"rnntag {Path(model).name}"
        latency = [*WORKER, "latency", "rnntag", model]
        found.append(Contestant(f"{name}, 1 core", tag, latency=latency))
        if directory.read(directory.find(model)).segmenter:
            found.append(
                Contestant(f"{name}, raw text, 1 core", [*run, "--input-format", "raw", "--input-file", "{raw}"])
            )
        if (os.cpu_count() or 1) > 1:
            found.append(Contestant(f"{name}, --threads 2", [*tag, "--threads", "2"], cores=2))
            found.append(Contestant(f"{name}, --jobs 2", [*tag, "--jobs", "2"], cores=2))
    for name in QUICK:
        if PEERS[name].missing():
            continue
        model_path = str(work / name)
        if not (work / name).exists():
            print(f"training {name} …", file=sys.stderr, flush=True)
            subprocess.run([*WORKER, "train", name, treebank, dev, model_path], check=True, stdout=sys.stderr)
        tag = [*WORKER, "tag", name, model_path, "{input}", "{output}"]
        found.append(Contestant(f"{name}, 1 core", tag, latency=[*WORKER, "latency", name, model_path]))
    return found


def table(found: list[Contestant], tokens: int, baselines: dict[str, float]) -> str:
    unit = statistics.median(next(c for c in found if c.name.startswith("nltk")).seconds)
    rows = [
        "| | start-up, s | latency, ms | tokens/s | relative to NLTK | MB at 50,000 tokens | MB at the end |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for one in found:
        seconds = statistics.median(one.seconds)
        latency = "" if one.latency_ms is None else f"{one.latency_ms:.2f}"
        rows.append(
            f"| {one.name} | {statistics.median(one.starts):.2f} | {latency} | {tokens / seconds:,.0f} "
            f"| {unit / seconds:.2f} | {one.short_megabytes:.0f} | {one.megabytes:.0f} |"
        )
    rows += [f"| `import {modules}` | {seconds:.2f} | | | | | |" for modules, seconds in baselines.items()]
    return "\n".join(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("train", help="CoNLL-U file to train the peers on")
    parser.add_argument("text", help="CoNLL-U file to tag")
    parser.add_argument("--model", action="append", help="an rnntag model's directory; may be repeated")
    parser.add_argument("--tokens", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--work", type=Path, help="keep the peers' models there")
    parser.add_argument("--json", type=Path, help="write all figures there")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = given.work or Path(folder)
        work.mkdir(parents=True, exist_ok=True)
        found = contestants(given.model or ["models/zh-en"], given.train, given.text, work)
        target = Path(folder) / "output"
        sentence, short, full = (Path(folder) / name for name in ("sentence", "short", "full"))
        sentence.write_text("我 吃 苹果\n", encoding="utf-8")
        sentence.with_suffix(".raw").write_text("我吃苹果\n", encoding="utf-8")
        write_text(given.text, SHORT_TOKENS, short)
        tokens = write_text(given.text, given.tokens, full)
        imports: dict[str, list[float]] = {modules: [] for modules in BASELINES}
        for _ in range(STARTS):
            for one in found:
                one.starts.append(one.run(sentence, target).seconds)
            for modules, starts in imports.items():
                starts.append(measure([sys.executable, "-c", f"import {modules}"], 1).seconds)
        for number in range(given.rounds):
            for one in found:
                print(f"round {number + 1}: {one.name}", file=sys.stderr, flush=True)
                seconds, megabytes, _ = one.run(full, target)
                one.seconds.append(seconds)
                one.megabytes = max(one.megabytes, megabytes)
                one.short_megabytes = max(one.short_megabytes, one.run(short, target).megabytes)
                target.unlink()
        for one in found:
            if one.latency:
                done = subprocess.run(one.latency, check=True, capture_output=True, text=True)
                one.latency_ms = float(done.stdout)
    baselines = {modules: statistics.median(starts) for modules, starts in imports.items()}
    print(table(found, tokens, baselines))
    here = machine(("rnntag", "onnxruntime", "torch", "nltk", "spacy", "ufal.udpipe"))
    print("\n" + ", ".join(f"{name} {version}" for name, version in here.items()))
    if given.json:
        figures = {
            "machine": here,
            "tokens": tokens,
            "imports": imports,
            "contestants": [asdict(one) for one in found],
        }
        given.json.write_text(json.dumps(figures, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
