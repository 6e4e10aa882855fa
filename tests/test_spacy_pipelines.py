"""A spaCy pipeline with a model in it goes to other processes, to disk and to bytes, and works elsewhere."""

from __future__ import annotations

import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

spacy = pytest.importorskip("spacy")

import srsly

import rnntag
from rnntag.config import DEFAULT_MODEL
from rnntag.errors import DataError, NotFoundError, UsageError
from rnntag.model import directory
from rnntag.storage.checksums import CHECKSUMS
from tests.conftest import BUNDLED

TEXTS = ["I eat apples .", "The can is full ."] * 3


def pipeline(model: Path | str, **config: Any) -> Any:
    nlp = spacy.blank("en")
    nlp.add_pipe("rnntag", config={"model": str(model), **config})
    return nlp


def tags(nlp: Any, text: str = TEXTS[0]) -> list[str]:
    return [token.pos_ for token in nlp(text)]


@pytest.fixture
def gone(tiny_folder: Path, tmp_path: Path) -> Path:
    """A model to be removed."""
    shutil.copytree(tiny_folder, tmp_path / "here" / "gone")
    return tmp_path / "here" / "gone"


def test_a_pickled_pipeline_has_its_model(gone: Path) -> None:
    nlp = pipeline(gone)
    expected = tags(nlp)
    content = pickle.dumps(nlp)
    shutil.rmtree(gone)
    again = pickle.loads(content)
    assert tags(again) == expected
    assert again.config == nlp.config
    assert expected == ["PRON", "VERB", "NOUN", "PUNCT"]


PROGRAM = """
import multiprocessing, sys
import spacy

if __name__ == "__main__":
    _, method, model, *texts = sys.argv
    multiprocessing.set_start_method(method)
    nlp = spacy.blank("en")
    nlp.add_pipe("rnntag", config={"model": model})
    for doc in nlp.pipe(texts, n_process=2, batch_size=2):
        print([(token.tag_, token.pos_) for token in doc])
"""


@pytest.mark.slow
@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_processes_that_begin_anew_share_the_work(tiny_folder: Path, tmp_path: Path, method: str) -> None:
    (tmp_path / "program.py").write_text(PROGRAM, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "program.py", method, str(tiny_folder), *TEXTS],
        cwd=tmp_path, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(Path(rnntag.__file__).parent.parent)},
    )  # fmt: skip
    nlp = pipeline(tiny_folder)
    expected = [[(token.tag_, token.pos_) for token in nlp(text)] for text in TEXTS]
    assert done.stdout.splitlines() == list(map(str, expected)), done.stderr


@pytest.mark.slow
def test_a_folder_works_where_the_model_is_not(gone: Path, tmp_path: Path) -> None:
    nlp = pipeline(gone)
    expected = tags(nlp)
    nlp.to_disk(tmp_path / "pipeline")
    shutil.rmtree(gone)
    (tmp_path / "pipeline").rename(tmp_path / "moved")
    code = f"import spacy; print([t.pos_ for t in spacy.load({str(tmp_path / 'moved')!r})({TEXTS[0]!r})])"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == str(expected), done.stderr
    again = spacy.load(tmp_path / "moved")
    again.to_disk(tmp_path / "again")
    assert tags(spacy.load(tmp_path / "again")) == expected
    component = again.get_pipe("rnntag")
    assert component._tagger().model.name == "gone"
    assert again.config["components"] == nlp.config["components"]


def test_what_a_name_finds_elsewhere_does_not_matter(
    gone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(gone.parent)
    nlp = pipeline("gone", tagset="upos")
    expected = tags(nlp)
    nlp.to_disk(tmp_path / "pipeline")
    (gone / directory.WEIGHTS).write_bytes(b"")
    assert tags(spacy.load(tmp_path / "pipeline")) == expected


def test_bytes_work_where_the_model_is_not(gone: Path) -> None:
    nlp = pipeline(gone)
    expected = tags(nlp)
    content, config = nlp.to_bytes(), nlp.config
    shutil.rmtree(gone)
    again = spacy.util.get_lang_class("en").from_config(config).from_bytes(content)
    assert tags(again) == expected
    assert again.to_bytes() == content
    assert config.from_str(config.to_str()) == config


def test_bytes_take_the_place_of_another_model(tiny_folder: Path, tiny_raw_folder: Path) -> None:
    content = pipeline(tiny_raw_folder).get_pipe("rnntag").to_bytes()
    component = pipeline(tiny_folder).get_pipe("rnntag")
    assert not component._tagger().model.segmenter
    assert component.from_bytes(content) is component
    assert component._tagger().model.segmenter


@pytest.mark.skipif(not BUNDLED.is_dir(), reason="no bundled model")
def test_a_bundled_model_is_written_as_it_is(tmp_path: Path) -> None:
    nlp = pipeline(DEFAULT_MODEL)
    assert len(pickle.dumps(nlp.get_pipe("rnntag"))) < 100_000  # its name, and the card
    nlp.to_disk(tmp_path / "pipeline")
    written = tmp_path / "pipeline" / "rnntag"
    card = directory.read_card(BUNDLED)
    assert directory.as_files(directory.read(written), card) == directory.as_files(directory.read(BUNDLED), card)
    assert directory.read_card(written) == card
    assert len(pickle.dumps(spacy.load(tmp_path / "pipeline").get_pipe("rnntag"))) > 1_000_000


@pytest.mark.parametrize("name", [directory.WEIGHTS, directory.VOCABULARY, directory.CONFIG, CHECKSUMS])
def test_a_damaged_folder_is_refused(tiny_folder: Path, tmp_path: Path, name: str) -> None:
    pipeline(tiny_folder).to_disk(tmp_path / "pipeline")
    file = tmp_path / "pipeline" / "rnntag" / name
    file.write_bytes(file.read_bytes()[:-1] + b"!")
    with pytest.raises(DataError, match=name):
        spacy.load(tmp_path / "pipeline")
    shutil.rmtree(file.parent)
    with pytest.raises(DataError, match="is missing"):  # and no other model is taken in its place
        spacy.load(tmp_path / "pipeline")


def test_damaged_bytes_are_refused(tiny_folder: Path) -> None:
    component = pipeline(tiny_folder).get_pipe("rnntag")
    content = component.to_bytes()
    files = srsly.msgpack_loads(content)
    for wrong in (
        b"", b"nonsense", content[:-10], pickle.dumps(files), srsly.msgpack_dumps([]), srsly.msgpack_dumps({}),
        srsly.msgpack_dumps({**files, directory.WEIGHTS: b""}), srsly.msgpack_dumps({**files, "../escaped": b""}),
        srsly.msgpack_dumps({**files, directory.WEIGHTS: 5}), srsly.msgpack_dumps({1: b""}),
    ):  # fmt: skip
        with pytest.raises(DataError):
            component.from_bytes(wrong)
    assert component.from_bytes(content)


def test_a_configuration_alone_loads_the_model_that_it_names(gone: Path) -> None:
    config = pipeline(gone).config
    again = spacy.util.get_lang_class("en").from_config(config)
    assert tags(again) == ["PRON", "VERB", "NOUN", "PUNCT"]
    shutil.rmtree(gone)
    again = spacy.util.get_lang_class("en").from_config(config)
    with pytest.raises(NotFoundError, match="gone: no such model"):
        again(TEXTS[0])


def test_a_model_that_is_not_there_is_an_error_at_once(tmp_path: Path, tiny_folder: Path) -> None:
    with pytest.raises(NotFoundError):
        pipeline(tmp_path / "none")
    nlp = pipeline(tiny_folder)
    nlp.to_disk(tmp_path / "pipeline")
    with pytest.raises(UsageError, match="tiny has no tagset 'ptb'"):
        spacy.load(tmp_path / "pipeline", config={"components": {"rnntag": {"tagset": "ptb"}}})
