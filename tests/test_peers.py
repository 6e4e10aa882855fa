"""What the comparison with other taggers promises."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path

import pytest

from benchmarks.peers import __main__ as peers
from benchmarks.peers.adapter import Lesson, Peer
from benchmarks.peers.registry import PEERS
from benchmarks.peers.table import Row, markdown
from tests.conftest import few

TAGGED = [
    [("I", "PRON"), ("eat", "VERB"), ("red", "ADJ"), ("apples", "NOUN"), (".", "PUNCT")],
    [("the", "DET"), ("cat", "NOUN"), ("eats", "VERB"), ("quickly", "ADV")],
    [("go", "VERB"), ("!", "PUNCT")],
]


@pytest.fixture
def treebank(tmp_path: Path) -> dict[str, Path]:
    files = {split: tmp_path / f"en_tiny-ud-{split}.conllu" for split in ("train", "dev", "test")}
    empty = "\t_" * 6
    for split, file in files.items():
        sentences = TAGGED[:2] if split == "train" else TAGGED
        rows = ("".join(f"{i}\t{w}\t_\t{t}{empty}\n" for i, (w, t) in enumerate(s, 1)) for s in sentences)
        file.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return files


@pytest.mark.parametrize("name", few([name for name, peer in PEERS.items() if peer.train], "tnt"))
def test_a_peer_has_learned_when_it_is_loaded(name: str, tmp_path: Path) -> None:
    peer = PEERS[name]
    if missing := peer.missing():
        pytest.skip(f"needs {missing[0]}")
    assert peer.train
    peer.train(Lesson(TAGGED * 20, TAGGED, "en", minutes=0.15), tmp_path / "model")
    found = [*peer.load(tmp_path / "model")([word for word, _ in sentence] for sentence in TAGGED)]
    assert found == [[tag for _, tag in sentence] for sentence in TAGGED]


def test_unknown_words_are_those_whose_form_the_train_split_lacks() -> None:
    tags = [["PRON", "VERB", "NOUN", "NOUN", "PUNCT"], ["DET", "NOUN", "VERB", "ADV"], ["NOUN", "PUNCT"]]
    assert peers.score(TAGGED, tags, {"I", "eat", "red", "apples", ".", "the", "cat", "eats", "Go", "!"}) == (
        9 / 11,
        0.5,
    )
    assert peers.score(TAGGED[2:], [["VERB", "PUNCT"]], {"go", "!"}) == (1.0, None)
    with pytest.raises(ValueError, match="shorter"):
        peers.score(TAGGED, [*tags[:2], ["NOUN"]], set())


def test_the_table_is_bold_where_a_peer_beats_rnntag() -> None:
    ours = Row("rnntag", 0.9, 0.8, 5, starts=[0.2, 9, 0.1], speeds=[100, 300, 200], megabytes=100, disk=5)
    theirs = Row("other", 0.95, 0.8, 5, cut=True, starts=[1], speeds=[100], megabytes=90, disk=6)
    bundled = Row("rnntag zh-en", 0.97, starts=[0.1], speeds=[100], megabytes=90, disk=4, elsewhere=True)
    wordless = Row("wordless", starts=[1], speeds=[400], megabytes=100)
    lines = markdown([ours, theirs, bundled, wordless], "rnntag", "other").split("\n")
    assert [line.count("|") for line in lines] == [10] * 6
    assert lines[2] == "| rnntag | 90.00 | 80.00 | 5.0 | 0.20 | 200 | 2.00 | 100 | 5.0 |"
    assert lines[3] == "| other | **95.00** | 80.00 | 5.0 ‡ | 1.00 | 100 | 1.00 | **90** | 6.0 |"
    assert lines[4] == "| rnntag zh-en † | 97.00 |  |  | 0.10 | 100 | 1.00 | 90 | 4.0 |"
    assert lines[5] == "| wordless |  |  |  | 1.00 | **400** | **4.00** | 100 |  |"


@pytest.mark.slow
def test_the_command_prints_a_row_for_each_peer_that_is_there(
    treebank: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(peers, "STARTS", 1)
    monkeypatch.setattr(peers, "SPEED_SECONDS", 0.01)
    monkeypatch.chdir(Path(__file__).parent.parent)
    monkeypatch.setitem(PEERS, "absent", Peer("absent", ("no-such-package",), None, PEERS["tnt"].load))
    monkeypatch.setitem(PEERS, "tnt", dataclasses.replace(PEERS["tnt"], name="TnT"))
    files = [word for split, file in treebank.items() for word in (f"--{split}", str(file))]
    work = tmp_path / "work"
    options = [
        "--peers",
        "tnt,absent,jieba",
        "--rounds",
        "1",
        "--work",
        str(work),
        "--json",
        str(tmp_path / "all.json"),
    ]
    monkeypatch.setattr(sys, "argv", ["peers", *files, *options])
    peers.main()
    told = capsys.readouterr()
    assert "absent: skipped: no-such-package is not installed" in told.err
    assert "jieba: skipped" in told.err
    assert [line.split(" |")[0] for line in told.out.splitlines() if line.startswith("| ")] == ["|", "| ---", "| TnT"]
    assert "nltk 3." in told.out
    (row,) = json.loads((tmp_path / "all.json").read_text(encoding="utf-8"))["peers"]
    assert row["accuracy"] > row["unknown"] >= 0
    assert row["disk"] == (work / "tnt").stat().st_size / 1e6
    assert min(*row["starts"], *row["speeds"]) > 0
    assert row["megabytes"] > 10
