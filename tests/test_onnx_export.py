"""`rnntag export` writes graphs that other programs can run by its README alone."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import onnx
import onnxruntime
import pytest
import safetensors.numpy

from rnntag.model import directory
from rnntag.model.pretokens import PretokenVocabulary
from rnntag.model.stored import ModelBundle
from rnntag.sentences import Corpus
from rnntag.tagger import Tagger
from tests.conftest import BUNDLED, Run, refusal
from tests.test_onnx import untrained

WORDS = ["I", "eat", "苹果", "吃", "CANNOT", "unheard-of", "x" * 40]


def contents(folder: Path) -> dict[Path, bytes]:
    """Of all files in a folder and its folders, hidden ones too."""
    return {file.relative_to(folder): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def session(folder: Path, name: str) -> Any:
    return onnxruntime.InferenceSession(folder / name, providers=["CPUExecutionProvider"])


def range_of(folder: Path, name: str) -> list[float]:
    """The last columns, as the README and the metadata tell them."""
    (line,) = re.findall(
        rf"^## {name}.*?^(`vectors` has [^\n]*)", (folder / "README.md").read_text(), re.DOTALL | re.MULTILINE
    )
    told = re.search(r"then the two numbers (\S+) and (\S+)\. ", line)
    numbers = [float(told[1]), float(told[2])] if told else []
    metadata = session(folder, name).get_modelmeta().custom_metadata_map
    assert json.loads(metadata.get("range_units", "[]")) == numbers
    return numbers


def scores_by_readme(model: Path, exported: Path, words: Sequence[str]) -> np.ndarray:
    """What a program makes of the files that has only the README; shape [words, tags]."""
    vocabulary = json.loads((model / "vocabulary.json").read_text(encoding="utf-8"))
    weights = safetensors.numpy.load_file(model / "model.safetensors")
    char_map = dict(zip(*vocabulary["char_map"], strict=True))
    spellings = ["".join(char_map.get(char, char) for char in word) for word in words]
    known = [*vocabulary["words"][: vocabulary["n_embedded"]], *vocabulary["extra"]]
    rows = [known.index(s.lower()) + 2 if s.lower() in known else 1 for s in spellings]
    if (model / "shared_rows.safetensors").exists():
        shared = safetensors.numpy.load_file(model / "shared_rows.safetensors")
        readme = (exported / "README.md").read_text(encoding="utf-8")
        (first,) = map(int, re.findall(r"at its place in `rows`, plus (\d+),", readme))
        row_of = dict(zip(shared["hashes"].tolist(), shared["rows"].tolist(), strict=True))
        hashes = [crc32(spelling.lower().encode()) for spelling in spellings]
        rows = [first + row_of[h] if row == 1 and h in row_of else row for row, h in zip(rows, hashes, strict=True)]
    parts = [weights["encoder.words.weight"][rows].astype(np.float32) * weights["encoder.words.scale"][rows]]
    if (exported / "encoder.onnx").exists():
        short = [s if len(s) <= 32 else s[:16] + s[-16:] for s in spellings]
        chars = np.zeros((max(map(len, short)), len(words)), dtype=np.int64)
        for column, spelling in enumerate(short):
            for row, char in enumerate(spelling):
                known_char = char in vocabulary["characters"]
                chars[row, column] = vocabulary["characters"].index(char) + 2 if known_char else 1
        lengths = np.array([len(spelling) for spelling in short], dtype=np.int32)
        parts += session(exported, "encoder.onnx").run(["spelling"], {"chars": chars, "lengths": lengths})
    numbers = range_of(exported, "tagger.onnx")
    vectors = np.concatenate([*parts, np.tile(numbers, (len(words), 1))], axis=1).astype(np.float32)
    feed = {"vectors": vectors[:, None], "lengths": np.array([len(words)], dtype=np.int32)}
    return session(exported, "tagger.onnx").run(["tags/upos"], feed)[0][:, 0]


@pytest.mark.parametrize("fp32", [False, True])
@pytest.mark.parametrize(
    "shape", [{}, {"cell": "gru", "layers": 2}, {"input": "onehot"}, {"input": "onehot", "feedback": True}], ids=str
)
def test_another_program_finds_the_same_scores(
    shape: dict[str, Any], fp32: bool, starter: list[Corpus], run: Run, tmp_path: Path
) -> None:
    directory.write(tmp_path / "m", untrained(starter, **shape), "")
    assert run("export", "m", "--out", "graphs", *(["--fp32"] if fp32 else [])).returncode == 0
    exported = tmp_path / "graphs"
    spellings = [] if shape.get("input") == "onehot" else ["encoder.onnx"]
    assert sorted(file.name for file in exported.iterdir()) == ["README.md", *spellings, "tagger.onnx"]
    for file in exported.glob("*.onnx"):
        onnx.checker.check_model(file)
    expected = Tagger(directory.read(tmp_path / "m"), int8=not fp32).scores([WORDS], "upos")
    np.testing.assert_allclose(scores_by_readme(tmp_path / "m", exported, WORDS), expected, atol=1e-6)
    assert bool(range_of(exported, "tagger.onnx")) == (not fp32 and not shape)


@pytest.mark.parametrize("fp32", [False, True])
def test_another_program_finds_words_and_tags_by_the_bundled_model(fp32: bool, run: Run, tmp_path: Path) -> None:
    assert run("export", "zh-en", "--out", "graphs", *(["--fp32"] if fp32 else [])).returncode == 0
    exported = tmp_path / "graphs"
    tagger = Tagger(directory.read(BUNDLED), int8=not fp32)
    np.testing.assert_allclose(scores_by_readme(BUNDLED, exported, WORDS), tagger.scores([WORDS], "upos"), atol=1e-6)
    text = "我吃苹果。I can't eat."
    tables = json.loads((BUNDLED / "segmenter.json").read_text(encoding="utf-8"))["units"]
    weights = safetensors.numpy.load_file(BUNDLED / "segmenter.safetensors")
    scan, (rows,) = PretokenVocabulary.from_tables(tables).encode([text])
    vectors = [
        weights[f"{table}.weight"][column].astype(np.float32) * weights[f"{table}.scale"][column]
        for table, column in zip(("units", "shapes", "bigrams", "bigrams"), rows.T, strict=True)
    ]
    vectors.append(np.tile(range_of(exported, "segmenter.onnx"), (len(rows), 1)))
    feed = {
        "vectors": np.concatenate(vectors, axis=1).astype(np.float32)[:, None],
        "lengths": np.array([len(rows)], dtype=np.int32),
    }
    (scores,) = session(exported, "segmenter.onnx").run(["boundaries"], feed)
    ends = scan.ends[scores[:, 0].argmax(-1) > 0].tolist()
    (found,) = tagger.find([text])
    assert ends == [end for _, end in found.words]


def test_export_overwrites_nothing_unasked(run: Run, tiny_folder: Path, tmp_path: Path) -> None:
    models = directory.model_folders()[-1].resolve()
    before = contents(models)
    shutil.copytree(tiny_folder, tmp_path / "m")
    assert run("export", "zh-en").returncode == 2
    for out in (models / "zh-en", models / "zh-en" / "within"):
        told = refusal(run("export", "m", "--force", "--out", out), 2)
        assert "is part of rnntag and cannot be overwritten" in told
    for flags in ((), ("--force",)):
        told = refusal(run("export", "zh-en", "--out", "m", *flags), 74)
        assert re.search(r"m: contains .*, which does not belong to an export: choose another --out", told)
    assert contents(tmp_path / "m") == contents(tiny_folder)
    assert contents(models) == before
    (tmp_path / "graphs").mkdir()
    (tmp_path / "graphs" / "README.md").write_text("mine")
    told = refusal(run("export", "m", "--out", "graphs"), 2)
    assert "graphs/README.md: already exists: choose another --out, or replace it with --force" in told
    assert contents(tmp_path / "graphs") == {Path("README.md"): b"mine"}


def test_force_leaves_no_graph_of_another_model(run: Run, tiny_folder: Path, tmp_path: Path) -> None:
    assert run("export", "zh-en", "--out", "graphs").returncode == 0
    assert (tmp_path / "graphs" / "segmenter.onnx").exists()
    assert run("export", tiny_folder, "--out", "graphs").returncode == 2
    assert run("export", tiny_folder, "--out", "graphs", "--force").returncode == 0
    names = sorted(file.name for file in (tmp_path / "graphs").iterdir())
    assert names == ["README.md", "encoder.onnx", "tagger.onnx"]


def test_a_tagset_whose_name_is_no_text(run: Run, tiny: ModelBundle, tmp_path: Path) -> None:
    tags = {"a\udc80\n": tiny.vocabulary.tags["upos"]}
    directory.write(tmp_path / "m", replace(tiny, vocabulary=replace(tiny.vocabulary, tags=tags)), "")
    assert run("export", "m", "--out", "graphs").returncode == 0
    assert "`tags/a\\udc80" in (tmp_path / "graphs" / "README.md").read_text()
