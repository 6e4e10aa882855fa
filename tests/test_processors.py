"""Tags do not depend on the processor: ONNX Runtime chooses other kernels where there is no VNNI."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rnntag.corpora import loading
from rnntag.corpora.raw_text import gold_paragraphs
from rnntag.model import directory
from tests.conftest import Run

MULTIPLY = """
import numpy as np
import onnxruntime
from onnx import TensorProto, helper

sides = [helper.make_tensor_value_info("a", TensorProto.UINT8, [1, 2])]
result = [helper.make_tensor_value_info("y", TensorProto.INT32, [1, 1])]
weights = [helper.make_tensor("b", TensorProto.INT8, [2, 1], [127, 127])]
graph = helper.make_graph([helper.make_node("MatMulInteger", ["a", "b"], ["y"])], "product", sides, result, weights)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
print(session.run(None, {"a": np.array([[255, 255]], dtype=np.uint8)})[0].item())
"""
CUT_OFF = (1 << 15) - 1


@pytest.fixture(scope="module")
def old_processor(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which a process sees a processor without VNNI; see `old_processor.c`."""
    compiler = shutil.which("cc")
    if not (sys.platform == "linux" and os.uname().machine == "x86_64" and compiler):
        pytest.skip("a processor without VNNI is imitated on Linux, on x86-64, with a C compiler")
    library = tmp_path_factory.mktemp("old_processor") / "old_processor.so"
    source = Path(__file__).with_name("old_processor.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source], check=True)
    environment = {"LD_PRELOAD": str(library)}
    done = subprocess.run(
        [sys.executable, "-c", MULTIPLY], env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    if done.returncode == 77:
        pytest.skip(f"this processor cannot hide what it can do: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    if int(done.stdout) != CUT_OFF:
        pytest.skip("even without VNNI this processor cuts off no sums")
    return environment


@pytest.mark.slow
@pytest.mark.parametrize("model", directory.BUNDLED_TAGGERS)
def test_every_processor_finds_the_same_tags(
    model: str, old_processor: dict[str, str], treebanks: Path, tmp_path: Path, run: Run
) -> None:
    """Words, sentences and tags of all dev parts, given as tokens and as raw text."""
    tokens = []
    for path in sorted(treebanks.glob("*-dev.conllu")):
        tokens += ["-i", str(path)]
        ((corpus),) = loading.load([str(path)], whole=True)
        raw = "\n\n".join(paragraph.text for paragraph in gold_paragraphs(corpus.dev, corpus.name))
        (tmp_path / f"{corpus.name}.txt").write_text(raw, encoding="utf-8")
    for arguments in (tokens, ["--input-format", "raw", *(f"-i{path}" for path in sorted(tmp_path.glob("*.txt")))]):
        here, there = (run("tag", "-m", model, "-f", "conllu", *arguments, **env) for env in ({}, old_processor))
        assert here.returncode == there.returncode == 0, there.stderr
        assert here.stdout.count("\n") > 78_000
        assert here.stdout == there.stdout
