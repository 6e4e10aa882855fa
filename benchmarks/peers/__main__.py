"""Accuracy, training time, start-up, speed, memory and size of rnntag and other taggers, on any treebank.

    pip install ".[bench]"
    python -m benchmarks.peers --train en_ewt-ud-train.conllu --dev en_ewt-ud-dev.conllu --test en_ewt-ud-test.conllu
    python -m benchmarks.peers --peers rnntag,nltk,spacy --model models/zh-en --minutes 8 --train … --dev … --test …

Each peer learns UPOS from the train split on one core, and is measured in separate processes. All times are processor
time, which hardly depends on other jobs on the machine. Training stops after --minutes in peers that keep their best
model (rnntag, spaCy, Stanza, flair), and fails after three times as long. Speed excludes start-up and is measured on
about five seconds of text from the test and train splits, all peers in turn, --rounds times; medians are printed. Peers
that are not installed or fail are skipped, with a line on stderr. --work keeps the models and reuses those it has.
"""

from __future__ import annotations

import argparse
import itertools
import json
import shutil
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.peers.adapter import Tagged
from benchmarks.peers.registry import PEERS
from benchmarks.peers.table import Row, markdown
from benchmarks.peers.worker import read
from benchmarks.processes import Failed, Measured, machine, measure
from rnntag.errors import RnntagError

WORKER = [sys.executable, "-m", "benchmarks.peers.worker"]
STARTS = 3
SPEED_SECONDS = 5
MOST_TOKENS = 2_000_000
GRACE = 3


@dataclass(frozen=True)
class Treebank:
    """The words and tags of a treebank, and the files given on the command line."""

    train: Tagged
    test: Tagged
    train_file: str
    dev_file: str

    @property
    def language(self) -> str:
        return Path(self.train_file).name.partition("_")[0]


def say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


def chosen(names: Iterable[str], language: str) -> list[str]:
    """The peers that are installed and know the language."""
    found = []
    for name in names:
        peer = PEERS[name]
        if missing := peer.missing():
            say(f"{name}: skipped: {' and '.join(missing)} is not installed")
        elif peer.language not in ("", language):
            say(f"{name}: skipped: it only knows {peer.language}")
        else:
            found.append(name)
    return found


def train(name: str, treebank: Treebank, minutes: float, work: Path) -> tuple[float, float]:
    """The minutes that training took and its limit, now or when the model was made."""
    done = work / f"{name}.json"
    if not done.exists():
        say(f"{name}: training …")
        remove(work / name)
        command = [*WORKER, "train", name, treebank.train_file, treebank.dev_file, str(work / name)]
        log = work / f"{name}.log"
        took = measure([*command, "--minutes", str(minutes)], 1, log, errors=log, limit=round(60 * minutes * GRACE))
        done.write_text(json.dumps({"seconds": took.processor, "minutes": minutes}), encoding="utf-8")
    told = json.loads(done.read_text(encoding="utf-8"))
    return told["seconds"] / 60, told["minutes"]


def remove(path: Path) -> None:
    """Remove a file or folder, if it exists."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def size(path: Path) -> float:
    """The size of a file or folder in 10⁶ bytes."""
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return sum(file.stat().st_size for file in files) / 1e6


def write(sentences: Tagged, path: Path) -> None:
    path.write_text("".join(" ".join(word for word, _ in s) + "\n" for s in sentences), encoding="utf-8")


def score(gold: Tagged, tags: Sequence[Sequence[str]], known: set[str]) -> tuple[float, float | None]:
    """Accuracy on all words and on unknown words.

    Raises:
        ValueError: the numbers of tags and words differ.
    """
    correct: dict[bool, list[bool]] = {True: [], False: []}
    for sentence, found in zip(gold, tags, strict=True):
        for (word, tag), mine in zip(sentence, found, strict=True):
            correct[word in known].append(mine == tag)
    everything, unknown = correct[True] + correct[False], correct[False]
    return sum(everything) / len(everything), sum(unknown) / len(unknown) if unknown else None


@dataclass
class Contest:
    """A peer with its model and measurements."""

    peer: str
    model: Path
    row: Row
    tokens: int = 0

    def run(self, source: Path, target: Path) -> Measured:
        target.unlink(missing_ok=True)
        return measure([*WORKER, "tag", self.peer, str(self.model), str(source), str(target)], 1)


def tag_test(contest: Contest, treebank: Treebank, folder: Path) -> None:
    """Measure accuracy, memory and start-up, and how much text takes about five seconds."""
    sentence, test, output = (folder / name for name in ("sentence", "test", "output"))
    write(treebank.test[:1], sentence)
    write(treebank.test, test)
    row = contest.row
    contest.run(sentence, output)  # fills the file cache
    row.starts = [contest.run(sentence, output).processor for _ in range(STARTS)]
    _, row.megabytes, seconds = contest.run(test, output)
    tagged = [line.split() for line in output.read_text(encoding="utf-8").splitlines()]
    if PEERS[contest.peer].train:
        row.accuracy, row.unknown = score(treebank.test, tagged, {word for s in treebank.train for word, _ in s})
    words = sum(map(len, treebank.test))
    contest.tokens = min(1 + int(words * SPEED_SECONDS / max(seconds - row.start, 0.01)), MOST_TOKENS)


def time_text(contest: Contest, treebank: Treebank, folder: Path) -> None:
    """Measure the speed once more."""
    text: Tagged = []
    tokens = 0
    for sentence in itertools.cycle((*treebank.test, *treebank.train)):
        if tokens >= contest.tokens:
            break
        text.append(sentence)
        tokens += len(sentence)
    write(text, folder / "text")
    took = contest.run(folder / "text", folder / "output").processor
    contest.row.speeds.append(tokens / max(took - contest.row.start, 0.001))


def contests(
    names: Sequence[str], models: Sequence[str], treebank: Treebank, minutes: float, work: Path
) -> list[Contest]:
    found = [
        Contest("rnntag", Path(model), Row(f"rnntag {Path(model).name}", disk=size(Path(model)), elsewhere=True))
        for model in models
    ]
    for name in chosen(names, treebank.language):
        peer = PEERS[name]
        row = Row(peer.name)
        if peer.train:
            try:
                row.minutes, limit = train(name, treebank, minutes, work)
            except Failed:
                say(f"{name}: skipped: training failed or took {GRACE} times {minutes:g} minutes")
                continue
            row.cut = peer.keeps_best and row.minutes >= limit
            row.disk = size(work / name)
        found.append(Contest(name, work / name, row))
    return found


def measured(found: Sequence[Contest], treebank: Treebank, rounds: int) -> list[Contest]:
    """The contests that did not fail, measured."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        standing = []
        for one in found:
            say(f"{one.row.name}: tagging the test split …")
            try:
                tag_test(one, treebank, folder)
                standing.append(one)
            except (Failed, ValueError) as error:
                say(f"{one.row.name}: skipped: {error}")
        for number in range(rounds):
            for one in standing:
                say(f"round {number + 1}: {one.row.name}")
                time_text(one, treebank, folder)
    return standing


def notes(found: Sequence[Contest], dev_is_test: bool) -> list[str]:
    """Notes for the table."""
    told = ["Bold: better than rnntag trained on the same train split. All times are processor time."]
    if any(one.row.elsewhere for one in found):
        told.append("† Trained elsewhere, perhaps on other data; see its model card.")
    if any(one.row.cut for one in found):
        told.append("‡ Training was ended by the limit; more time might improve it.")
    keepers = dict.fromkeys(PEERS[one.peer].name for one in found if PEERS[one.peer].keeps_best)
    if dev_is_test and keepers:
        told.append(f"The dev split is the test split, which favours those that keep their best: {', '.join(keepers)}.")
    settings = {PEERS[one.peer].name: PEERS[one.peer].settings for one in found if not one.row.elsewhere}
    told.append("Settings: " + "; ".join(f"{name}: {about}" for name, about in settings.items()) + ".")
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", default=",".join(PEERS), help=f"some of {','.join(PEERS)}")
    parser.add_argument("--train", required=True, metavar="FILE")
    parser.add_argument("--dev", required=True, metavar="FILE")
    parser.add_argument("--test", required=True, metavar="FILE")
    parser.add_argument("--model", action="append", default=[], metavar="FOLDER", help="an rnntag model, repeatable")
    parser.add_argument("--minutes", type=float, default=20.0, help="limit of training time")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--work", type=Path, metavar="FOLDER", help="keep the models there")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there")
    given = parser.parse_args()
    names = given.peers.split(",")
    if unknown := [name for name in names if name not in PEERS]:
        parser.error(f"unknown peer {unknown[0]}: choose from {', '.join(PEERS)}")
    try:
        treebank = Treebank(read(given.train), read(given.test), given.train, given.dev)
    except RnntagError as error:
        parser.error(str(error))
    with tempfile.TemporaryDirectory() as folder:
        work = given.work or Path(folder)
        work.mkdir(parents=True, exist_ok=True)
        found = measured(contests(names, given.model, treebank, given.minutes, work), treebank, given.rounds)
    here = machine(dict.fromkeys(package for one in found for package in PEERS[one.peer].packages))
    rows = [one.row for one in found]
    same = Path(given.dev).resolve() == Path(given.test).resolve()
    words = ", ".join([here.pop("machine"), *(f"{package} {version}" for package, version in here.items())])
    print(markdown(rows, PEERS["rnntag"].name, PEERS["nltk"].name), *notes(found, same), sep="\n\n")
    print(f"\nOn one core of {words}.")
    if given.json:
        given.json.write_text(
            json.dumps({"machine": words, "peers": [asdict(row) for row in rows]}, indent=2), encoding="utf-8"
        )


if __name__ == "__main__":
    main()
