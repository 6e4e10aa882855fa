"""The Makefile of the bundled model `world`, and what its scripts promise."""

from __future__ import annotations

import itertools
import lzma
import shlex
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import typer

pytest.importorskip("transformers", reason="needs rnntag[recipe]")
pytest.importorskip("wordfreq", reason="needs rnntag[recipe]")

from recipes import substitution, trimmed, word_lists
from rnntag.cli.app import app
from rnntag.config import ModelConfig, TrainConfig
from rnntag.model import directory
from rnntag.model.shared_rows import SharedRows
from rnntag.model.stored import ModelBundle, Provenance
from rnntag.model.vocabulary import RESERVED, UNKNOWN, Vocabulary
from rnntag.model.weights import WORD_TABLE, quantize, table_rows
from rnntag.tagger import Tagger
from tests.conftest import ROOT
from tests.test_recipes import DEV, conllu


def test_words_are_replaced_by_others_of_the_same_ending() -> None:
    candidates = substitution.by_ending(iter(["walked", "talked", "cats", "is"]), {"walked"})
    assert candidates["ked"] == ["talked"]
    random = np.random.default_rng(1)
    expected = {"baked": "talked", "Baked": "Talked", "BAKED": "talked", "mats": "cats", "cats": "cats", "sing": "sing"}
    assert {token: substitution.replaced(token, candidates, random) for token in expected} == expected


def test_sentences_get_words_that_the_treebank_lacks(tmp_path: Path) -> None:
    pytest.importorskip("wordfreq", reason="needs rnntag[recipe]")
    rows = [("Le", "DET"), ("chat", "NOUN"), ("mange", "VERB"), ("des", "DET"), ("souris", "NOUN")]
    empty = "\t_" * 6
    text = "".join(f"{n}\t{word}\t_\t{tag}{empty}\n" for n, (word, tag) in enumerate(rows, 1))
    path = tmp_path / "fr-ud-train.conllu"
    path.write_text(f"{text}\n", encoding="utf-8")
    known = {word.lower() for word, _ in rows}
    made = list(itertools.islice(substitution.sentences(path), 50))
    assert len({sentence.tokens for sentence in made}) > 20
    for sentence in made:
        assert [sentence.tokens[0], sentence.tokens[3]] == ["Le", "des"]
        others = [(new, old) for new, (old, _) in zip(sentence.tokens, rows, strict=True) if new != old]
        assert others
        assert all(new[-2:] == old[-2:] and new not in known for new, old in others)


def test_lists_of_words_take_turns() -> None:
    assert [*word_lists.frequent("xx")] == []
    (german,), (dutch,) = ([*word_lists.frequent(code, 1)] for code in ("de", "nl"))
    assert [*word_lists.together(["de", "xx", "nl"], 1)] == [german, dutch]


def test_rare_words_change_no_tag(tiny_folder: Path) -> None:
    model = directory.read(tiny_folder)
    rare = replace(model.vocabulary, words=(*model.vocabulary.words, "zyzzyva"))
    large = Tagger(replace(model, vocabulary=rare))
    small = Tagger(trimmed.trimmed(large.model))
    assert small.model.vocabulary.shared == large.model.vocabulary.shared
    assert large.is_known("zyzzyva") > small.is_known("zyzzyva")
    sentence = ["I", "eat", "zyzzyva", "apples", "."]
    assert large.tag(sentence) == small.tag(sentence)


def test_the_rarest_words_share_the_row_that_is_nearest_to_their_own() -> None:
    vectors = np.array([[0, 0], [0, 0], [9, 1], [1, 9], [2, 8], [5, 5], [7, 2], [0, 9]], np.float32)
    shared = SharedRows.of({"oak": 0, "run": 1})
    vocabulary = Vocabulary(("elm", "go", "sit"), 3, (), {"upos": ("X",)}, extra=("it",), shared=shared)
    weights = quantize({WORD_TABLE: vectors, "other": np.ones((8, 2), np.float32)})
    model = ModelBundle("m", ModelConfig(), TrainConfig(), vocabulary, weights, Provenance())
    small = trimmed.with_rows(model, 1)
    rows = {word: row for row, word in enumerate(("elm", "it", "oak", "run"), RESERVED)}
    found = small.vocabulary.encode_words([*rows, "go", "sit", "new"]).ids.tolist()
    assert found == [*rows.values(), rows["run"], rows["run"], UNKNOWN]
    table = table_rows(small.weights, WORD_TABLE)
    assert np.abs(table - vectors[[0, 1, 2, 5, 6, 7]]).max() < 0.05
    assert small.weights["other"].shape == (8, 2)
    assert trimmed.with_rows(model, 3) is model
    with pytest.raises(SystemExit, match="no shared rows"):
        trimmed.with_rows(replace(model, vocabulary=replace(vocabulary, shared=None)), 1)


def commands(work: Path) -> list[list[str]]:
    """What make would run, but for unpacking and moving files."""
    for folder in ("ud", "ud-world"):
        (work / folder).mkdir()
    for name in ("tagged.jsonl", "segmented.conllu"):
        (work / name).touch()
    for split in ("dev", "train"):
        for name in ("en_ewt", "en_gum", "zh_gsdsimp"):
            conllu(work / "ud", f"{name}-ud-{split}.conllu", DEV)
    for name in ("fr-ud-dev", "fr-ud-train", "ga-ud-dev", "ga-ud-train", "ga-ud-older"):
        path = conllu(work, f"{name}.conllu", DEV)
        (work / "ud-world" / f"{path.name}.xz").write_bytes(lzma.compress(path.read_bytes()))
    given = {
        "UD": "ud",
        "UD_WORLD": "ud-world",
        "TAGGED": "tagged.jsonl",
        "SEGMENTED": "segmented.conllu",
        "WORK": "made",
    }
    variables = [f"{name}={work / place}" for name, place in given.items()]
    make = ["make", "-n", "-f", "recipes/world/Makefile", f"PYTHON={sys.executable}", "SEED=7", *variables]
    done = subprocess.run(make, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lines = map(shlex.split, done.stdout.replace("\\\n", " ").splitlines())
    return [line for line in lines if line[0] == sys.executable]


@pytest.mark.skipif(not shutil.which("make"), reason="needs make")
def test_stages_come_in_order(tmp_path: Path) -> None:
    planned = commands(tmp_path)
    found = [next(word for word in line if word.startswith("recipes.") or word == "rnntag") for line in planned]
    assert found == [
        "recipes.overlap", "recipes.teacher", "recipes.teacher", "recipes.overlap", "recipes.teacher",
        "recipes.substitution", "recipes.teacher", "rnntag", "recipes.trimmed", "rnntag",
    ]  # fmt: skip
    group = typer.main.get_command(app)
    for verb, *arguments in (line[line.index("rnntag") + 1 :] for line in planned if "rnntag" in line):
        assert arguments[arguments.index("--seed") + 1] == "7"
        group.commands[verb].make_context(verb, arguments, parent=typer.Context(group))
