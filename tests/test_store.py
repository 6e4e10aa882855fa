"""A model directory comes back as it was, or not at all."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import replace
from pathlib import Path

import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from rnntag.errors import AccessError, DataError, NotFoundError
from rnntag.model import directory
from rnntag.model.files import FORMAT
from rnntag.model.stored import ModelBundle
from rnntag.model.weights import SMALLEST_SCALE, WORD_TABLE, dequantize, quantize, table_rows
from rnntag.storage.checksums import CHECKSUMS
from tests.conftest import Run, done, refusal
from tests.smallest_model import sign


def test_a_model_comes_back_as_it_was(tiny: ModelBundle, tiny_folder: Path) -> None:
    back = directory.read(tiny_folder)
    assert (back.name, back.config, back.training) == (tiny.name, tiny.config, tiny.training)
    assert (back.vocabulary, back.provenance) == (tiny.vocabulary, tiny.provenance)
    assert back.weights.keys() == tiny.weights.keys()
    assert all(np.array_equal(back.weights[name], tiny.weights[name]) for name in tiny.weights)


@given(hnp.arrays(np.float32, (5, 3), elements=st.floats(-100, 100, width=32)))
def test_a_word_keeps_its_vector_within_a_step_of_its_scale(table: np.ndarray) -> None:
    weights = {WORD_TABLE: table, "heads.0.bias": np.array([0.1])}
    stored = quantize(weights)
    step = np.maximum(np.abs(table).max(axis=1, keepdims=True) / 127, SMALLEST_SCALE)
    assert stored[WORD_TABLE].dtype == np.int8
    assert (np.abs(table_rows(stored, WORD_TABLE) - table) <= 0.6 * step).all()
    assert (table_rows(stored, WORD_TABLE, np.array([3, 0])) == table_rows(stored, WORD_TABLE)[[3, 0]]).all()
    assert dequantize(stored).keys() == weights.keys()


def test_the_directory_holds_what_the_documentation_lists(tiny_folder: Path) -> None:
    names = ["MODEL_CARD.md", "SHA256SUMS", "config.json", "model.safetensors", "vocabulary.json"]
    assert sorted(path.name for path in tiny_folder.iterdir()) == names
    for line in (tiny_folder / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((tiny_folder / name).read_bytes()).hexdigest() == digest
    assert json.loads((tiny_folder / "config.json").read_text())["format"] == FORMAT
    assert "rnntag train tiny.conllu" in directory.read_card(tiny_folder)


@pytest.mark.parametrize("name", directory.VERIFIED)
def test_a_lost_file_is_noticed(name: str, smallest_folder: Path) -> None:
    (smallest_folder / name).unlink()
    with pytest.raises(DataError, match=f"{name}: is missing"):
        directory.read(smallest_folder)


def test_another_format_and_nonsense_are_refused(tiny: ModelBundle, tmp_path: Path) -> None:
    path = tmp_path / "m"
    directory.write(path, tiny, "")
    config = json.loads((path / "config.json").read_text())
    for change, message in (
        ({"format": 99}, "model format 99"),
        ({"model": {"cell": "banana"}}, "is not a valid rnntag model"),
        ({"model": {"colour": 1}}, "is not a valid rnntag model"),
        ({"provenance": None}, "is not a valid rnntag model"),
    ):
        (path / "config.json").write_text(json.dumps({**config, **change}))
        sign(path)
        with pytest.raises(DataError, match=message):
            directory.read(path)


def test_a_model_with_graphs_is_refused_and_can_be_replaced(run: Run, tiny: ModelBundle, tmp_path: Path) -> None:
    """As an rnntag of before wrote it."""
    path = tmp_path / "m"
    directory.write(path, tiny, "")
    config = json.loads((path / "config.json").read_text())
    (path / "tagger.onnx").write_bytes(b"graph")
    directory.read(path)  # files without a checksum are as good as not there
    (path / "config.json").write_text(json.dumps({**config, "format": 3}))
    sign(path)
    with (path / CHECKSUMS).open("a") as sums:
        sums.write(f"{hashlib.sha256(b'graph').hexdigest()}  tagger.onnx\n")
    assert "m: model format 3 is not supported by rnntag" in refusal(run("tag", "-m", "m", "a"), 65)
    train = ("train", "starter", "--out", "m", "--epochs", "1", "--hidden", "4", "--no-segmenter")
    assert run(*train).returncode == 2
    done(run(*train, "--force"))
    assert not list(path.glob("*.onnx"))
    done(run("tag", "-m", "m", "a"))


def test_a_model_takes_the_place_of_another_and_leaves_nothing_behind(tiny: ModelBundle, tmp_path: Path) -> None:
    path = tmp_path / "models" / "m"
    directory.write(path, tiny, "old")
    first = directory.read(path).digest
    directory.write(path, replace(tiny, training=replace(tiny.training, seed=7)), "new")
    assert directory.read(path).training.seed == 7
    assert directory.read(path).digest != first
    assert directory.read_card(path) == "new"
    assert [p.name for p in path.parent.iterdir()] == ["m"]


def test_the_old_model_stays_if_the_new_one_cannot_be_written(
    tiny: ModelBundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "m"
    directory.write(path, tiny, "old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(AccessError, match="No space left on device"):
        directory.write(path, tiny, "new")
    assert directory.read_card(path) == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["m"]


def test_places_where_no_model_can_go(tiny: ModelBundle, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("")
    with pytest.raises(AccessError, match="is a file, not a directory"):
        directory.check_target(tmp_path / "file")
    with pytest.raises(AccessError, match="file cannot be written to"):
        directory.check_target(tmp_path / "file" / "m")
    (tmp_path / "full" / "config.json").write_text("{}")
    with pytest.raises(AccessError, match=r"contains letter.txt, which does not belong to a model"):
        directory.check_target(tmp_path / "full")
    with pytest.raises(AccessError, match=r"contains letter.txt"):
        directory.write(tmp_path / "full", tiny, "")
    assert (tmp_path / "full" / "letter.txt").exists()
    directory.check_target(tmp_path / "new" / "m")
    assert not (tmp_path / "new").exists()


def test_a_link_to_a_directory_is_followed(tiny: ModelBundle, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    directory.write(tmp_path / "link", tiny, "")
    assert (tmp_path / "link").is_symlink()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["link", "real"]
    assert directory.read(tmp_path / "real").config == tiny.config


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(AccessError, match="cannot be written to"):
        directory.check_target(tmp_path / "m")


def test_names_are_looked_up_here_first(tiny: ModelBundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NotFoundError, match="nonesuch: no such model"):
        directory.find("nonesuch")
    directory.write(Path("models/m"), tiny, "")
    directory.write(Path("elsewhere/n"), tiny, "")
    assert directory.find("m") == Path("models/m")
    assert directory.find("elsewhere/n") == Path("elsewhere/n")
    assert next(iter(directory.available())) == "m"
    with pytest.raises(NotFoundError, match="known models: m"):
        directory.find("nonesuch")
    with pytest.raises(NotFoundError, match="no model in this directory"):
        directory.find("models")
