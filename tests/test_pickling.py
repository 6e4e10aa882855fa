"""Taggers go where processes go: they are pickled, copied, and sent to processes that begin anew."""

from __future__ import annotations

import copy
import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import rnntag
from rnntag.config import DEFAULT_MODEL
from rnntag.errors import DataError, NotFoundError
from rnntag.integrations.nltk import RNNTagger
from rnntag.model import directory
from rnntag.model.stored import ModelBundle
from rnntag.tagger import Tagger
from tests.conftest import BUNDLED, few

SENTENCES = [["I", "eat", "apples", "."], [], ["The", "can", "is", "full", "."]]
TEXT = "I eat apples. The can is full."


def pickled(value: Any) -> Any:
    return pickle.loads(pickle.dumps(value))


@pytest.mark.parametrize("copied", [pickled, copy.deepcopy, copy.copy])
@pytest.mark.parametrize("used", [False, True])
@pytest.mark.parametrize("int8", [True, False])
def test_a_copy_tags_as_its_original(
    tiny_raw_folder: Path, int8: bool, used: bool, copied: Callable[[Tagger], Tagger]
) -> None:
    tagger = rnntag.load(tiny_raw_folder, threads=2, int8=int8)
    if used:  # with what it keeps then: vectors, a segmenter, the known words
        assert tagger.tag_text(TEXT)
        assert tagger.is_known("eat")
    again = copied(tagger)
    assert again is not tagger
    assert again.tag_sents(SENTENCES) == tagger.tag_sents(SENTENCES)
    assert again.tag_text(TEXT) == tagger.tag_text(TEXT)
    assert (again.tagsets, again._threads, again.model.digest) == (tagger.tagsets, 2, tagger.model.digest)
    assert again.int8 is again._segmenter._int8 is int8
    assert again.predict([["I"]], top=3) == tagger.predict([["I"]], top=3)
    assert again.is_known("eat")


def test_a_pickle_has_the_model_in_it(tiny_raw_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny_raw_folder, tmp_path / "gone")
    tagger = rnntag.load(tmp_path / "gone")
    expected = tagger.tag_sents(SENTENCES), tagger.tag_text(TEXT)
    content = pickle.dumps(tagger)
    shutil.rmtree(tmp_path / "gone")
    again = pickle.loads(content)
    assert (again.tag_sents(SENTENCES), again.tag_text(TEXT)) == expected


def test_use_makes_a_pickle_no_larger(tiny_raw_folder: Path) -> None:
    tagger = rnntag.load(tiny_raw_folder)
    size = len(pickle.dumps(tagger))
    tagger.tag_text(" ".join(f"word{number}" for number in range(3000)))
    assert tagger.is_known("eat")
    assert abs(len(pickle.dumps(tagger)) - size) < 100


@pytest.mark.skipif(not BUNDLED.is_dir(), reason="no bundled model")
def test_of_a_bundled_model_a_pickle_has_the_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tagger = rnntag.load(DEFAULT_MODEL, threads=2, int8=False)
    content = pickle.dumps(tagger)
    assert len(content) < 300
    monkeypatch.chdir(tmp_path)
    shutil.copytree(BUNDLED, tmp_path / "models" / DEFAULT_MODEL)  # one's own of that name is not meant
    (tmp_path / "models" / DEFAULT_MODEL / directory.WEIGHTS).write_bytes(b"")
    again = pickle.loads(content)
    assert (again._threads, again.int8) == (2, False)
    assert again.tag(["I", "swim"]) == tagger.tag(["I", "swim"])
    assert len(pickle.dumps(again)) < 300
    assert len(pickle.dumps(Tagger(tagger.model))) > 1_000_000  # nobody says that this model is the bundled one


def test_another_bundled_model_at_the_other_end_is_an_error(
    tiny: ModelBundle, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(directory, "model_folders", lambda: (Path("models"), tiny_folder.parent))
    monkeypatch.setattr(directory, "is_bundled", lambda path: path == tiny_folder)
    tagger = rnntag.load("tiny")
    content = pickle.dumps(tagger)
    assert len(content) < 300
    assert pickle.loads(content).tag(["I"]) == tagger.tag(["I"])
    monkeypatch.setattr(directory, "model_folders", lambda: (tiny_folder.parent, tmp_path))
    with pytest.raises(NotFoundError, match=f"tiny:{tagger.model.digest}.* has no such model"):
        pickle.loads(content)
    directory.write(tmp_path / "tiny", replace(tiny, temperatures={"upos": 2.0}), "")
    other = directory.read(tmp_path / "tiny").digest
    with pytest.raises(DataError, match=f"tiny:{tagger.model.digest}.* has tiny:{other}.* same rnntag"):
        pickle.loads(content)


def test_a_model_of_one_s_own_is_not_taken_for_a_bundled_one(
    tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tiny_folder.parent.parent)
    monkeypatch.setattr(directory, "model_folders", lambda: (tiny_folder.parent, BUNDLED.parent))
    assert len(pickle.dumps(rnntag.load("tiny"))) > 10_000


def test_a_subclass_stays_one(tiny_folder: Path) -> None:
    again = pickled(Louder(directory.read(tiny_folder)))
    assert type(again) is Louder
    assert again.tag(["I"]) == [("I", "PRON!")]


class Louder(Tagger):
    def tag(self, tokens: Any, tagset: str | None = None) -> list[tuple[str, str]]:
        return [(word, f"{tag}!") for word, tag in super().tag(tokens, tagset)]


def test_nltk_s_tagger(tiny_folder: Path) -> None:
    tagger = RNNTagger(tiny_folder, "upos")
    for copied in (pickled, copy.deepcopy):
        assert copied(tagger).tag_sents(SENTENCES) == tagger.tag_sents(SENTENCES)


PROGRAM = """
import multiprocessing, sys
import rnntag

if __name__ == "__main__":
    _, method, model = sys.argv
    multiprocessing.set_start_method(method)
    tagger = rnntag.load(model)
    with multiprocessing.Pool(2) as pool:
        print(pool.map(tagger.tag, [["I", "eat"], ["apples"]]))
    import joblib  # which comes with NLTK
    print(joblib.Parallel(2)(joblib.delayed(tagger.tag_sents)(block) for block in ([["I"]], [["eat"], []])))
"""


@pytest.mark.parametrize("method", few(["spawn", "forkserver"], "forkserver"))
def test_a_program_hands_its_tagger_on(tiny_folder: Path, tmp_path: Path, method: str) -> None:
    (tmp_path / "program.py").write_text(PROGRAM, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "program.py", method, tiny_folder], cwd=tmp_path, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(Path(rnntag.__file__).parent.parent)},
    )  # fmt: skip
    assert done.stdout.splitlines() == [
        "[[('I', 'PRON'), ('eat', 'VERB')], [('apples', 'NOUN')]]",
        "[[[('I', 'PRON')]], [[('eat', 'VERB')], []]]",
    ], done.stderr
