"""rnntag, trained on the same data as its peers."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.peers.adapter import Lesson, Peer, Sentences, Tag, write_conllu

COMMAND = "import time; time.monotonic = time.process_time; import rnntag.cli.app; rnntag.cli.app.app()"


def train(lesson: Lesson, path: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        write_conllu(lesson.train, Path(folder) / "peer-train.conllu")
        write_conllu(lesson.dev, Path(folder) / "peer-dev.conllu")
        command = [sys.executable, "-c", COMMAND, "train", "--corpus", folder, "--no-segmenter", "--out", str(path)]
        subprocess.run([*command, "--max-minutes", str(lesson.minutes)], check=True)  # of processor time


def load(path: Path) -> Tag:
    import rnntag

    tagger = rnntag.load(path)

    def tag(sentences: Sentences) -> Iterator[list[str]]:
        for pairs in tagger.stream(sentences):
            yield [tag for _, tag in pairs]

    return tag


PEER = Peer(
    "rnntag", ("rnntag",), train, load, keeps_best=True, settings="rnntag train --no-segmenter, else as it comes"
)
