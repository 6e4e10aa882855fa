"""Accuracy, training, start-up, speed, memory and size of other taggers beside rnntag, on any treebank.

    pip install ".[bench]"
    python -m benchmarks.peers --train en_ewt-ud-train.conllu --dev en_ewt-ud-dev.conllu --test en_ewt-ud-test.conllu
    python -m benchmarks.peers --peers rnntag,nltk,spacy --model models/zh-en --minutes 8 --train … --dev … --test …

Every peer learns UPOS from the words of the train part, on one core, and is measured in processes of its
own. All times are processor time, so that other jobs on the machine hardly change them. Training is limited
to --minutes where a peer can end with what it has (rnntag, spaCy, Stanza, flair), and given up after three
times as long. Speed is told after start-up, over about five seconds of the test and the train part, which
come again for a quick peer, all peers in turn, --rounds times; medians are printed. A peer that is not
installed, or fails, is left out with a line on stderr. --work keeps the models, and takes up those that are
there.
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
class Parts:
    """A treebank's words and tags, and its files as the command line named them."""

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
    """Those of the peers that are installed and know the language."""
    found = []
    for name in names:
        peer = PEERS[name]
        if missing := peer.missing():
            say(f"{name}: left out, for {' and '.join(missing)} is not installed")
        elif peer.language not in ("", language):
            say(f"{name}: left out, for it knows {peer.language} alone")
        else:
            found.append(name)
    return found


def train(name: str, parts: Parts, minutes: float, work: Path) -> tuple[float, float]:
    """The minutes that a peer took to learn and those that it was allowed, now or when its model was made."""
    done = work / f"{name}.json"
    if not done.exists():
        say(f"{name}: training …")
        remove(work / name)
        command = [*WORKER, "train", name, parts.train_file, parts.dev_file, str(work / name)]
        log = work / f"{name}.log"
        took = measure([*command, "--minutes", str(minutes)], 1, log, errors=log, limit=round(60 * minutes * GRACE))
        done.write_text(json.dumps({"seconds": took.processor, "minutes": minutes}), encoding="utf-8")
    told = json.loads(done.read_text(encoding="utf-8"))
    return told["seconds"] / 60, told["minutes"]


def remove(path: Path) -> None:
    """A file or folder that a training cut off may have left."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def size(path: Path) -> float:
    """Of a file, or of all in a folder, in 10⁶ bytes."""
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return sum(file.stat().st_size for file in files) / 1e6


def write(sentences: Tagged, path: Path) -> None:
    path.write_text("".join(" ".join(word for word, _ in s) + "\n" for s in sentences), encoding="utf-8")


def score(gold: Tagged, tags: Sequence[Sequence[str]], known: set[str]) -> tuple[float, float | None]:
    """The share of words that got their tag: of all of them, and of those that are not known.

    Raises:
        ValueError: there are not as many tags as words.
    """
    right: dict[bool, list[bool]] = {True: [], False: []}
    for sentence, found in zip(gold, tags, strict=True):
        for (word, tag), mine in zip(sentence, found, strict=True):
            right[word in known].append(mine == tag)
    everything = right[True] + right[False]
    return sum(everything) / len(everything), sum(right[False]) / len(right[False]) if right[False] else None


@dataclass
class Contest:
    """One peer and its model, to be measured."""

    peer: str
    model: Path
    row: Row
    tokens: int = 0

    def run(self, source: Path, target: Path) -> Measured:
        target.unlink(missing_ok=True)
        return measure([*WORKER, "tag", self.peer, str(self.model), str(source), str(target)], 1)


def tag_test(contest: Contest, parts: Parts, folder: Path) -> None:
    """Accuracy and memory; start-up; and how much text takes about five seconds."""
    sentence, test, output = (folder / name for name in ("sentence", "test", "output"))
    write(parts.test[:1], sentence)
    write(parts.test, test)
    row = contest.row
    contest.run(sentence, output)  # so that all files have been read once
    row.starts = [contest.run(sentence, output).processor for _ in range(STARTS)]
    _, row.megabytes, seconds = contest.run(test, output)
    tagged = [line.split() for line in output.read_text(encoding="utf-8").splitlines()]
    if PEERS[contest.peer].train:
        row.accuracy, row.unknown = score(parts.test, tagged, {word for s in parts.train for word, _ in s})
    words = sum(map(len, parts.test))
    contest.tokens = min(1 + int(words * SPEED_SECONDS / max(seconds - row.start, 0.01)), MOST_TOKENS)


def time_text(contest: Contest, parts: Parts, folder: Path) -> None:
    """One more measurement of the speed."""
    text: Tagged = []
    tokens = 0
    for sentence in itertools.cycle((*parts.test, *parts.train)):
        if tokens >= contest.tokens:
            break
        text.append(sentence)
        tokens += len(sentence)
    write(text, folder / "text")
    took = contest.run(folder / "text", folder / "output").processor
    contest.row.speeds.append(tokens / max(took - contest.row.start, 0.001))


def contests(names: Sequence[str], models: Sequence[str], parts: Parts, minutes: float, work: Path) -> list[Contest]:
    found = [
        Contest("rnntag", Path(model), Row(f"rnntag {Path(model).name}", disk=size(Path(model)), elsewhere=True))
        for model in models
    ]
    for name in chosen(names, parts.language):
        peer = PEERS[name]
        row = Row(peer.name)
        if peer.train:
            try:
                row.minutes, limit = train(name, parts, minutes, work)
            except Failed:
                say(f"{name}: left out, for its training failed or took {GRACE} times {minutes:g} minutes")
                continue
            row.cut = peer.keeps_best and row.minutes >= limit
            row.disk = size(work / name)
        found.append(Contest(name, work / name, row))
    return found


def measured(found: Sequence[Contest], parts: Parts, rounds: int) -> list[Contest]:
    """Those contests that did not fail."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        standing = []
        for one in found:
            say(f"{one.row.name}: tagging the test part …")
            try:
                tag_test(one, parts, folder)
                standing.append(one)
            except (Failed, ValueError) as error:
                say(f"{one.row.name}: left out: {error}")
        for number in range(rounds):
            for one in standing:
                say(f"round {number + 1}: {one.row.name}")
                time_text(one, parts, folder)
    return standing


def notes(found: Sequence[Contest], dev_is_test: bool) -> list[str]:
    """What a reader has to know of the table."""
    told = ["Bold: better than rnntag trained on the same train part. All times are processor time."]
    if any(one.row.elsewhere for one in found):
        told.append("† Trained elsewhere, maybe on more than the train part; its card tells on what.")
    if any(one.row.cut for one in found):
        told.append("‡ The limit ended its training; more time would have made it better.")
    keepers = dict.fromkeys(PEERS[one.peer].name for one in found if PEERS[one.peer].keeps_best)
    if dev_is_test and keepers:
        told.append(
            f"The dev part is the test part here, which flatters who keeps what is best on it: {', '.join(keepers)}."
        )
    settings = {PEERS[one.peer].name: PEERS[one.peer].settings for one in found if not one.row.elsewhere}
    told.append("Settings: " + "; ".join(f"{name}: {about}" for name, about in settings.items()) + ".")
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", default=",".join(PEERS), help=f"some of {','.join(PEERS)}")
    parser.add_argument("--train", required=True, metavar="FILE")
    parser.add_argument("--dev", required=True, metavar="FILE")
    parser.add_argument("--test", required=True, metavar="FILE")
    parser.add_argument("--model", action="append", default=[], metavar="FOLDER", help="another rnntag model")
    parser.add_argument("--minutes", type=float, default=20.0, help="that a peer may train")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--work", type=Path, metavar="FOLDER", help="keeps the models")
    parser.add_argument("--json", type=Path, metavar="FILE", help="gets all figures")
    given = parser.parse_args()
    names = given.peers.split(",")
    if unknown := [name for name in names if name not in PEERS]:
        parser.error(f"no peer is called {unknown[0]}: choose from {', '.join(PEERS)}")
    try:
        parts = Parts(read(given.train), read(given.test), given.train, given.dev)
    except RnntagError as error:
        parser.error(str(error))
    with tempfile.TemporaryDirectory() as folder:
        work = given.work or Path(folder)
        work.mkdir(parents=True, exist_ok=True)
        found = measured(contests(names, given.model, parts, given.minutes, work), parts, given.rounds)
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
