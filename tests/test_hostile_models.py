"""Whatever somebody puts into a model directory, its checksums in order or not: it is refused, or it is a model.

`RNNTAG_EXHAUSTIVE=1 python -m pytest tests/test_hostile_models.py` changes every byte to every other value and
cuts every file at every place, which takes some ten minutes; otherwise every eighth byte is changed once.
"""

from __future__ import annotations

import copy
import io
import json
import math
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
import safetensors.numpy
from hypothesis import HealthCheck, given, settings

from rnntag.cli import history, models
from rnntag.config import INPUTS, ModelConfig, SegmenterConfig, TrainConfig
from rnntag.errors import DataError
from rnntag.model import directory
from rnntag.model import learning_curve as curve
from rnntag.model import weights as weight_shapes
from rnntag.model.directory import (
    CHECKSUMS,
    CONFIG,
    HISTORY,
    SEGMENTER,
    SEGMENTER_WEIGHTS,
    VERIFIED,
    VOCABULARY,
    WEIGHTS,
)
from rnntag.model.learning_curve import Epoch, TrainingStep
from rnntag.model.pretokens import SHAPES, PretokenVocabulary
from rnntag.model.stored import ModelBundle, Provenance, StoredSegmenter
from rnntag.model.vocabulary import Vocabulary
from rnntag.network.segmenter import SegmenterNetwork
from rnntag.network.tagger import Network
from rnntag.sentences import Corpus
from rnntag.storage import checksums
from rnntag.tagger import Tagger
from rnntag.training import model_card
from tests.conftest import KINDS, Run, one_line
from tests.test_onnx import untrained

EXHAUSTIVE = bool(os.environ.get("RNNTAG_EXHAUSTIVE"))
CHECKED = (CHECKSUMS, HISTORY, *VERIFIED)
"""All files of a model that rnntag understands, and not only shows."""
JSON_FILES, WEIGHT_FILES = (CONFIG, VOCABULARY, SEGMENTER), (WEIGHTS, SEGMENTER_WEIGHTS)
TEXT = "a b ab. ü"
repeatedly = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    max_examples=3000 if EXHAUSTIVE else 60,
    deadline=None,
)


def some_weights(shapes: weight_shapes.Shapes) -> dict[str, np.ndarray]:
    random = np.random.default_rng(1)
    found = weight_shapes.stored(shapes)
    return {
        name: random.integers(0 if name.endswith("scale") else -9, 9, shape).astype(dtype)
        for name, (dtype, shape) in found.items()
    }


@pytest.fixture(scope="session")
def smallest() -> ModelBundle:
    """A model with every file that one can have, each of at most some two thousand bytes."""
    config = ModelConfig("rnn", bidirectional=False, hidden=1, embedding_dim=1, char_dim=1, char_hidden=1)
    vocabulary = Vocabulary(("a", "b"), 1, ("a",), {"upos": ("X", "Y")})
    shapes = weight_shapes.tagger(config, vocabulary.word_rows, vocabulary.character_rows, [2])
    origin = Provenance(
        specs=("c",), tagsets=("universal",), corpora={"c": {"train": 1, "dev": 1, "test": 0}}, dev={"c": 1.0}
    )
    model = ModelBundle("m", config, TrainConfig(), vocabulary, some_weights(shapes), origin)
    small = SegmenterConfig(hidden=1, unit_dim=1, shape_dim=1, bigrams=0, bigram_dim=1)
    units = PretokenVocabulary(("ab",), {"ab": (1,)}, ("", ""), 0)
    weights = some_weights(weight_shapes.segmenter(small, units.rows, SHAPES, 0))
    segmenter = StoredSegmenter(small, units, weights, dev={"c": {"words": 1.0, "sentences": 1.0}})
    return replace(
        model,
        segmenter=segmenter,
        temperatures={"upos": 1.5},
        history=curve.write([TrainingStep(1, 1, 1, 1, 1.0, 1.0, 0.0, 1, 1.0, {"c": 1.0}, 1.0)]),
    )


@pytest.fixture
def folder(smallest: ModelBundle, tmp_path: Path) -> Path:
    path = tmp_path / "m"
    directory.write(path, smallest, model_card.write(smallest))
    return path


def sign(path: Path) -> None:
    """The attacker's checksums."""
    names = [name for name in (*VERIFIED, HISTORY) if (path / name).exists()]
    (path / CHECKSUMS).write_bytes(checksums.checksums((name, (path / name).read_bytes()) for name in names))


def use(path: Path) -> None:
    """All that may be done with a model that has been read."""
    tagger = Tagger(directory.read(path))
    tagger.tag_text(TEXT)
    tagger.predict([TEXT.split(), [""]], top=3)
    assert tagger.model.segmenter
    model_card.with_segmenter("", tagger.model)
    epochs = curve.read(directory.read_history(path), "x")
    with redirect_stdout(io.StringIO()):
        history.print_history("x", epochs)


def refuses_or_works(path: Path) -> bool:
    """Whether it works."""
    with np.errstate(all="ignore"):
        try:
            use(path)
        except DataError:
            return False
    return True


def test_the_smallest_model_works(folder: Path) -> None:
    assert refuses_or_works(folder)
    assert {file.name for file in folder.iterdir()} == {*CHECKED, directory.CARD}


# --- damage: the checksums are those of the model as it was -------------------------------------------------


@pytest.mark.parametrize("name", CHECKED)
def test_every_truncation_and_every_change_of_a_byte_is_caught(name: str, folder: Path) -> None:
    path = folder / name
    content = path.read_bytes()
    places = [*range(0, len(content), 1 if EXHAUSTIVE else 8), len(content) - 1]
    for length in places:
        path.write_bytes(content[:length])
        with pytest.raises(DataError):
            directory.read(folder)
    damaged = bytearray(content)
    path.write_bytes(content)
    files = directory._folder(folder)
    for place in places:
        first, *others = range(1, 256) if EXHAUSTIVE else [1 << place // 8 % 8]
        for mask in (first, *others):
            damaged[place] = content[place] ^ mask
            path.write_bytes(damaged)
            with pytest.raises(DataError):
                # Reading the whole model, as a user would; of the many others only the file, as that does.
                directory.read(folder) if mask == first or name == CHECKSUMS else files.read(name, len(content))
        damaged[place] = content[place]
    path.write_bytes(content)
    directory.read(folder)


@pytest.mark.parametrize("name", [*CHECKED, directory.CARD])
def test_damage_is_one_line_and_exit_code_65(name: str, run: Run, folder: Path) -> None:
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[:-1] + b"\xff")
    done = run("models", "m") if name == directory.CARD else run("tag", "-m", "m", "a b")
    if name == directory.CARD:  # for people, who may edit it: what is not UTF-8 is shown as it is
        assert (done.returncode, done.stderr) == (0, "")
        return
    assert (done.returncode, done.stdout) == (65, "")
    assert re.search(f"m/{name}: (does not match its checksum|is damaged)", one_line(done.stderr))


@pytest.mark.parametrize(
    "arguments",
    [
        ("tag", "-m", "m", "a b"), ("eval", "gold.conllu", "-m", "m"), ("explain", "-m", "m", "a b"),
        ("export", "m", "--out", "copy"), ("history", "m"), ("train", "--add-segmenter", "m", "gold.conllu"),
    ],
    ids=lambda arguments: arguments[0],
)  # fmt: skip
def test_every_command_refuses_a_damaged_model(arguments: tuple[str, ...], run: Run, folder: Path) -> None:
    (folder.parent / "gold.conllu").write_text("1\ta\t_\tX" + "\t_" * 6 + "\n\n")
    damaged = folder / (HISTORY if arguments[0] == "history" else CONFIG)
    damaged.write_bytes(damaged.read_bytes() + b" ")
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (65, "")
    assert "does not match its checksum" in one_line(done.stderr)


# --- files that are none, or lie elsewhere --------------------------------------------------------------------


def replaced_by_pipe(path: Path) -> None:
    os.mkfifo(path)


def replaced_by_zeros(path: Path) -> None:
    path.symlink_to("/dev/zero")


def replaced_by_folder(path: Path) -> None:
    path.mkdir()


def replaced_by_link(path: Path) -> None:
    outside = path.parent.parent / "outside"
    outside.write_bytes(b"{}")
    path.symlink_to(outside)


def replaced_by_hole(path: Path) -> None:
    """A file of a terabyte that takes no place on the disk."""
    path.touch()
    os.truncate(path, 1 << 40)


def replaced_by_loop(path: Path) -> None:
    path.symlink_to(path.name)


STRANGE = [
    replaced_by_pipe, replaced_by_zeros, replaced_by_folder, replaced_by_link, replaced_by_hole, replaced_by_loop
]  # fmt: skip


@pytest.mark.skipif(os.name != "posix", reason="has no such files")
@pytest.mark.parametrize("strange", STRANGE, ids=lambda one: one.__name__)
@pytest.mark.parametrize("name", [*CHECKED, directory.CARD])
def test_what_is_no_file_of_the_directory_is_refused(name: str, strange: Callable[[Path], None], folder: Path) -> None:
    content = (folder / name).read_bytes()
    (folder / name).unlink()
    strange(folder / name)
    if name == HISTORY:
        (folder / CHECKSUMS).write_text(
            "".join(line for line in (folder / CHECKSUMS).read_text().splitlines(True) if HISTORY not in line)
        )
    refusal = f"m/{name}: (is no file|is a link that leads out|has 1,099,511,627,776 bytes|cannot be read)"
    with pytest.raises((DataError, directory.AccessError), match=refusal):
        directory.read_card(folder) if name == directory.CARD else directory.read(folder)
    if strange is not replaced_by_folder:
        (folder / name).unlink()
    else:
        (folder / name).rmdir()
    (folder / name).write_bytes(content)


@pytest.mark.skipif(os.name != "posix", reason="has no links for everybody")
def test_links_inside_the_directory_and_to_the_directory_are_followed(folder: Path, tmp_path: Path) -> None:
    (folder / CONFIG).rename(folder / "real.json")
    (folder / CONFIG).symlink_to("real.json")
    (tmp_path / "link").symlink_to("m")
    use(tmp_path / "link")


@pytest.mark.parametrize(
    "change",
    [
        lambda lines: [*lines, f"{'0' * 64}  ../../etc/passwd"],
        lambda lines: [*lines, f"{'0' * 64}  /etc/passwd"],
        lambda lines: [*lines, f"{'0' * 64}  MODEL_CARD.md"],
        lambda lines: [*lines, lines[0]],
        lambda lines: [line.upper() for line in lines],
        lambda lines: [f"{line}\r" for line in lines],
        lambda lines: [line.replace("  ", " *") for line in lines],
        lambda lines: ["", *lines],
        lambda lines: [line for line in lines if WEIGHTS not in line],
        lambda lines: [line for line in lines if "segmenter" not in line],
        lambda lines: [line for line in lines if CONFIG not in line],
        lambda lines: [],
        lambda lines: ["\udc80" * 64 + "  config.json"],
    ],
)
def test_checksums_are_of_exactly_the_files_of_a_model(change: Callable[[list[str]], list[str]], folder: Path) -> None:
    lines = change((folder / CHECKSUMS).read_text().splitlines())
    (folder / CHECKSUMS).write_bytes("".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape"))
    with pytest.raises(DataError, match="SHA256SUMS"):
        directory.read(folder)


def test_a_model_of_an_older_version_has_a_history_without_a_checksum(folder: Path) -> None:
    lines = (folder / CHECKSUMS).read_text().splitlines(keepends=True)
    (folder / CHECKSUMS).write_text("".join(line for line in lines if HISTORY not in line))
    use(folder)


# --- hostile contents: the checksums are the attacker's -------------------------------------------------------


@repeatedly
@given(data=st.data())
def test_bytes_that_somebody_has_changed_and_signed(data: st.DataObject, folder: Path) -> None:
    name = data.draw(st.sampled_from((*VERIFIED, HISTORY)))
    original = (folder / name).read_bytes()
    content = bytearray(original)
    for _ in range(data.draw(st.integers(1, 3))):
        begin = data.draw(st.integers(0, len(content)))
        end = data.draw(st.sampled_from([begin, begin + 1, begin + 1, begin + 8]))
        content[begin:end] = data.draw(st.binary(max_size=9))
    (folder / name).write_bytes(content)
    sign(folder)
    try:
        refuses_or_works(folder)
    finally:
        (folder / name).write_bytes(original)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    for key, one in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(one, (*path, key))


ODD = st.sampled_from(
    [
        None, True, -1, 0, 1, 2, 10**4, 10**9, 10**12, 10**400, 0.5, -0.0, 1e308, "", "a", "ab", "\ud800", "\x1b[2J",
        "x y", [], {}, [[]], [None], ["a"], ["a", "b"], {"a": 1}, {"upos": []}, {"upos": ["X"]}, "upos", "onehot",
        "lstm", "gru", "relu",
    ]
)  # fmt: skip


@repeatedly
@given(data=st.data())
def test_values_that_somebody_has_put_into_json(data: st.DataObject, folder: Path) -> None:
    name = data.draw(st.sampled_from(JSON_FILES))
    original = (folder / name).read_bytes()
    value = json.loads(original)
    for _ in range(data.draw(st.integers(1, 2))):
        *way, last = data.draw(st.sampled_from(list(places(value))))
        inner = value
        for key in way:
            inner = inner[key]
        what = data.draw(st.sampled_from(["replace", "replace", "remove", "add"]))
        if what == "remove":
            del inner[last]
        elif what == "add" and isinstance(inner, dict):
            inner[data.draw(st.text(max_size=3))] = copy.deepcopy(data.draw(ODD))
        elif what == "add":
            inner.append(copy.deepcopy(data.draw(ODD)))
        else:
            inner[last] = copy.deepcopy(data.draw(ODD))
        if not list(places(value)):
            break
    (folder / name).write_bytes(json.dumps(value).encode())
    sign(folder)
    try:
        refuses_or_works(folder)
    finally:
        (folder / name).write_bytes(original)


@pytest.mark.parametrize("name", JSON_FILES)
@pytest.mark.parametrize(
    "content",
    [
        b"", b"\x00", b"{", b"[]", b"null", b"1e999", b"[" * 100_000, b'{"a":' * 100_000, b"1" * 5000,
        b'{"format": 2, "format": 2}', b'{"format": 2}', b'{"format": NaN}', b'{"format": 2.0}', b'{"format": true}',
        "{}".encode("utf-16"), b"\xef\xbb\xbf{}", b"\xff\xfe", b'"' + b"x" * (1 << 21) + b'"',
    ],
    ids=lambda content: repr(content[:12]),
)  # fmt: skip
def test_json_that_is_no_model_is_refused(name: str, content: bytes, folder: Path) -> None:
    (folder / name).write_bytes(content)
    sign(folder)
    with pytest.raises(DataError):
        directory.read(folder)


def changed(path: Path, name: str, change: Callable[[Any], object]) -> None:
    value = json.loads((path / name).read_bytes())
    change(value)
    (path / name).write_text(json.dumps(value))
    sign(path)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        (CONFIG, lambda v: v["model"].update(hidden=10**12)),
        (CONFIG, lambda v: v["model"].update(hidden=10**4, layers=100)),
        (CONFIG, lambda v: v["model"].update(layers=1.0)),
        (CONFIG, lambda v: v["model"].update(bidirectional=0)),
        (CONFIG, lambda v: v["model"].update(cell="lstm")),
        (CONFIG, lambda v: v["model"].update(input="onehot")),
        (CONFIG, lambda v: v["model"].update(feedback=True)),
        (CONFIG, lambda v: v["training"].update(epochs=10**40)),
        (CONFIG, lambda v: v["training"].update(vectors="text")),
        (CONFIG, lambda v: v.update(temperatures={"upos": 0})),
        (CONFIG, lambda v: v.update(temperatures={"upos": -1})),
        (CONFIG, lambda v: v.update(__class__="os.system")),
        (CONFIG, lambda v: v["provenance"]["corpora"].update(c={"train": 1})),
        (CONFIG, lambda v: v["provenance"].update(dev={"c": "1"})),
        (VOCABULARY, lambda v: v["words"].append(1)),
        (VOCABULARY, lambda v: v.update(n_embedded=3)),
        (VOCABULARY, lambda v: v.update(n_embedded=2)),
        (VOCABULARY, lambda v: v.update(n_embedded=-1)),
        (VOCABULARY, lambda v: v["extra"].append("c")),
        (VOCABULARY, lambda v: v["characters"].append("b")),
        (VOCABULARY, lambda v: v["characters"].append("bc")),
        (VOCABULARY, lambda v: v.update(tags={})),
        (VOCABULARY, lambda v: v.update(tags={"upos": []})),
        (VOCABULARY, lambda v: v.update(tags={"upos": ["X", "Y", "Z"]})),
        (VOCABULARY, lambda v: v.update(tags={"upos": ["X", "X"]})),
        (VOCABULARY, lambda v: v.update(tags={"upos": ["X", ""]})),
        (VOCABULARY, lambda v: v.update(tags={"upos": ["X", "a b"]})),
        (VOCABULARY, lambda v: v.update(tags={"upos": ["X", "a\nb"]})),
        (VOCABULARY, lambda v: v.update(tags={"upos": ["X", "a\tb"]})),
        (VOCABULARY, lambda v: v.update(tags={"upos": ["X", "\x1b[31m"]})),
        (VOCABULARY, lambda v: v.update(tags={"upos": ["X", "\u202e"]})),
        (VOCABULARY, lambda v: v.update(tags={"upos": ["X", "\ud800"]})),
        (VOCABULARY, lambda v: v.update(char_map=["ab", "a"])),
        (VOCABULARY, lambda v: v.update(char_map=[{"a": "b" * 1000}, ""])),
        (SEGMENTER, lambda v: v["units"]["known"].append("x")),
        (SEGMENTER, lambda v: v["units"].update(bigrams=1 << 40)),
        (SEGMENTER, lambda v: v["units"].update(bigrams=5)),
        (SEGMENTER, lambda v: v["units"].update(splits={"ab": [0]})),
        (SEGMENTER, lambda v: v["units"].update(splits={"ab": [2]})),
        (SEGMENTER, lambda v: v["units"].update(splits={"ab": [-1]})),
        (SEGMENTER, lambda v: v["units"].update(splits={"abc": [2, 1]})),
        (SEGMENTER, lambda v: v["units"].update(char_map=["a", ""])),
        (SEGMENTER, lambda v: v["config"].update(hidden=2)),
        (SEGMENTER, lambda v: v["dev"].update(c={"words": 1})),
    ],
)
def test_a_configuration_that_does_not_fit_is_refused(name: str, change: Callable[[Any], object], folder: Path) -> None:
    changed(folder, name, change)
    with pytest.raises(DataError):
        use(folder)


# --- weights ---------------------------------------------------------------------------------------------------


def header_and_rest(content: bytes) -> tuple[dict[str, Any], bytes]:
    length = int.from_bytes(content[:8], "little")
    return json.loads(content[8 : 8 + length]), content[8 + length :]


def safetensors_file(header: Any, rest: bytes, length: int | None = None) -> bytes:
    text = json.dumps(header).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + rest


@repeatedly
@given(data=st.data())
def test_a_header_of_weights_that_somebody_has_changed(data: st.DataObject, folder: Path) -> None:
    name = data.draw(st.sampled_from(WEIGHT_FILES))
    original = (folder / name).read_bytes()
    header, rest = header_and_rest(original)
    tensor = data.draw(st.sampled_from(sorted(header)))
    number = st.sampled_from([-1, 0, 1, 2, 3, 1 << 31, 1 << 62, 1 << 64, 10**30]) | st.integers(0, len(rest) + 9)
    header[tensor] |= data.draw(
        st.sampled_from(["dtype", "shape", "data_offsets", "x"]).flatmap(
            lambda field: st.fixed_dictionaries(
                {
                    field: {
                        "dtype": st.sampled_from(["F16", "I8", "F64", "BF16", "F8_E4M3", "BOOL", "", 1]),
                        "shape": st.lists(number, max_size=3),
                        "data_offsets": st.lists(number, min_size=2, max_size=2),
                        "x": st.none(),
                    }[field]
                }
            )
        )
    )
    (folder / name).write_bytes(safetensors_file(header, rest))
    sign(folder)
    try:
        refuses_or_works(folder)
    finally:
        (folder / name).write_bytes(original)


@pytest.mark.parametrize("name", WEIGHT_FILES)
@pytest.mark.parametrize(
    "hostile",
    [
        lambda header, rest: safetensors_file(header, rest, 1 << 62),
        lambda header, rest: safetensors_file(header, rest, len(rest) + 10_000),
        lambda header, rest: safetensors_file(header, rest + b"\0" * 9),
        lambda header, rest: safetensors_file(header, rest[:-1]),
        lambda header, rest: safetensors_file({**header, "more": header["heads.0.bias"]}, rest),
        lambda header, rest: safetensors_file({k: v for k, v in header.items() if k != "heads.0.bias"}, rest),
        lambda header, rest: safetensors_file({**header, "heads.0.bias": header["heads.0.weight"]}, rest),
        lambda header, rest: safetensors_file([], rest),
        lambda header, rest: safetensors_file({}, b""),
        lambda header, rest: b"",
        lambda header, rest: b"\x80\x04cos\nsystem\n",  # a pickle
    ],
)
def test_weights_that_do_not_fit_are_refused(name: str, hostile: Callable[..., bytes], folder: Path) -> None:
    (folder / name).write_bytes(hostile(*header_and_rest((folder / name).read_bytes())))
    sign(folder)
    with pytest.raises(DataError):
        directory.read(folder)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("name", ["heads.0.bias", "encoder.words.scale"])
def test_weights_that_are_no_numbers_are_refused(name: str, value: float, smallest: ModelBundle, folder: Path) -> None:
    weights = {**smallest.weights, name: np.full_like(smallest.weights[name], value)}
    (folder / WEIGHTS).write_bytes(safetensors.numpy.save(weights))
    sign(folder)
    with pytest.raises(DataError, match=f"{name} holds what is no number"):
        directory.read(folder)


@pytest.mark.parametrize(
    ("file", "table"),
    [(WEIGHTS, "encoder.words"), *((SEGMENTER_WEIGHTS, t[:-7]) for t in weight_shapes.SEGMENTER_TABLES)],
)
@pytest.mark.parametrize(("kind", "value"), [("weight", -128), ("scale", -1), ("scale", -(2.0**-24))])
def test_tables_beyond_the_range_of_8_bits_are_refused(
    file: str, table: str, kind: str, value: float, run: Run, folder: Path
) -> None:
    """Else tags would depend on which sentences are tagged together."""
    weights = safetensors.numpy.load((folder / file).read_bytes())
    weights[f"{table}.{kind}"] = weights[f"{table}.{kind}"].copy()
    weights[f"{table}.{kind}"][-1, -1] = value
    (folder / file).write_bytes(safetensors.numpy.save(weights))
    sign(folder)
    done = run("tag", "-m", "m", "a")
    assert done.returncode == 65
    assert f"{table}.weight has values below -127, or its scales are negative" in one_line(done.stderr)


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("value", [0, 127, -127, 65504, -65504])
def test_the_largest_weights_make_a_model(cell: str, value: int, smallest: ModelBundle) -> None:
    """ONNX Runtime loads what is built from them, and finds a tag for every word, in 8 bits and in 32."""
    config = replace(smallest.config, cell=cell, bidirectional=True)
    shapes = weight_shapes.stored(weight_shapes.tagger(config, 3, 3, [2]))
    weights = {}
    for name, (dtype, shape) in shapes.items():
        most = 127 if dtype == np.int8 else 65504
        weights[name] = np.full(shape, abs(value) if name.endswith("scale") else np.clip(value, -most, most), dtype)
    model = replace(smallest, config=config, weights=weights)
    for int8 in (True, False):
        with np.errstate(all="ignore"):
            (tags,) = Tagger(model, int8=int8).predict([["a", "b", "c"]])
        assert set(tags) <= {"X", "Y"}


def test_tagsets_may_have_any_name(smallest: ModelBundle) -> None:
    """They are names of the graph's outputs."""
    names = ("\udc80", "a b\n", "", "\0", "vectors", "heads.0/W", "é" * 999)
    for name in names:
        model = replace(smallest, vocabulary=replace(smallest.vocabulary, tags={name: ("X", "Y")}))
        assert len(Tagger(model).predict([["a"]], name)[0]) == 1


@pytest.mark.parametrize(("cell", "activation"), KINDS)
@pytest.mark.parametrize("input", INPUTS)
@pytest.mark.parametrize("shape", [{}, {"bidirectional": False, "layers": 2}, {"feedback": True, "layers": 2}])
def test_the_shapes_are_those_of_the_network(
    cell: str, activation: str, input: str, shape: dict[str, Any], starter: list[Corpus]
) -> None:
    model = untrained(starter, cell=cell, activation=activation, input=input, **shape)
    words, characters = model.vocabulary.word_rows, model.vocabulary.character_rows
    shapes = weight_shapes.tagger(model.config, words, characters, list(map(len, model.vocabulary.tags.values())))
    assert shapes == {name: weight.shape for name, weight in Network.of(model).weights().items()}
    assert weight_shapes.stored(shapes) == {name: (w.dtype, w.shape) for name, w in model.weights.items()}


@pytest.mark.parametrize("bigrams", [0, 7])
def test_the_shapes_are_those_of_the_segmenter(bigrams: int) -> None:
    config = SegmenterConfig(bigrams=bigrams, hidden=3)
    units = PretokenVocabulary(("ab", "c"), {}, ("", ""), bigrams)
    network = SegmenterNetwork(config, units)
    shapes = {name: tuple(weight.shape) for name, weight in network.named_parameters()}
    assert weight_shapes.segmenter(config, units.rows, SHAPES, bigrams) == shapes


@pytest.mark.parametrize("lost", [SEGMENTER_WEIGHTS, SEGMENTER])
def test_half_of_a_segmenter_is_refused(lost: str, folder: Path) -> None:
    (folder / lost).unlink()
    sign(folder)
    with pytest.raises(DataError):
        directory.read(folder)


# --- what people see -------------------------------------------------------------------------------------------


def epoch(**values: Any) -> bytes:
    good = Epoch(1, 1.0, 1.0, 0.0, 1, 1.0, {"c": 1.0}, 1.0)
    fields = {name: getattr(good, name) for name in Epoch.__dataclass_fields__}
    return json.dumps({**fields, **values}).encode() + b"\n"


@pytest.mark.parametrize(
    "content",
    [
        b"", b"[]", b"null", b"{}", b"[" * 100_000, b"\xff", b"1" * 5000, epoch(epoch=10**400), epoch(epoch=-1),
        epoch(epoch="1"), epoch(loss=math.nan), epoch(loss=1e300), epoch(seconds=1e300), epoch(seconds=-1),
        epoch(dev={"c": None}), epoch(dev=[]), epoch(dev_accuracy=2), epoch(clipped=10**400), epoch(tokens=math.inf),
        epoch(epoch=math.inf), epoch() + epoch(epoch=10**18),
    ],
    ids=lambda content: repr(content[:30]),
)  # fmt: skip
def test_a_history_that_is_none_is_refused(content: bytes, folder: Path) -> None:
    (folder / HISTORY).write_bytes(content)
    sign(folder)
    with pytest.raises(DataError):
        curve.read(directory.read_history(folder), HISTORY)


ESCAPES = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202e"


def test_a_terminal_is_not_told_what_to_do(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the card, by names in it and by the names of models."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    text = f"# Card {ESCAPES}\n\n[safe](https://evil.example/{ESCAPES}) `{ESCAPES}`\n\n    {ESCAPES}\n"
    changed(folder, CONFIG, lambda v: v["provenance"].update(dev={ESCAPES: 1.0, "[red]x[/] [link=y]": 0.5}))
    model = directory.read(folder)
    row = {
        "network": {"cell": "rnn", "layers": 1, "hidden": 1, "input": "onehot"},
        "tagsets": [ESCAPES, "[bold]"],
        "provenance": {"dev": model.provenance.dev},
        "megabytes": 1.0,
        "path": f"models/{ESCAPES}",
    }
    dev = {ESCAPES: 1.0, "[bold]": 0.5}
    epochs = [Epoch(1, 1.0, 1.0, 0.0, 1, 1.0, dev, 1.0)]
    for show in (
        lambda: models.print_card(Path(f"models/{ESCAPES}"), text),
        lambda: models.print_models({ESCAPES: row, f"{ESCAPES}2": {"path": ESCAPES, "damaged": ESCAPES}}),
        lambda: history.print_history(ESCAPES, epochs),
    ):
        out = io.StringIO()
        monkeypatch.setattr(sys, "stdout", out)
        show()
        monkeypatch.undo()
        monkeypatch.setenv("FORCE_COLOR", "1")
        shown = re.sub(r"\x1b\[[0-9;]*m", "", out.getvalue())  # colours are Rich's own
        assert "owned" in shown
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", shown)


def test_an_error_does_not_pass_on_what_a_folder_is_called(run: Run, folder: Path) -> None:
    folder.rename(folder.with_name("m\x1b[2J"))
    (folder.with_name("m\x1b[2J") / CONFIG).write_text("")
    done = run("tag", "-m", "m\x1b[2J", "a b")
    assert done.returncode == 65
    assert one_line(done.stderr).startswith(r"error: m\x1b[2J/config.json: does not match")


def test_a_folder_of_hostile_models_is_listed(run: Run, smallest: ModelBundle, tmp_path: Path) -> None:
    """Without waiting for what never comes, or reading what is too large."""

    def fresh(name: str) -> Path:
        directory.write(tmp_path / "models" / name, smallest, "")
        return tmp_path / "models" / name

    fresh("good")
    for strange in STRANGE:
        path = fresh(strange.__name__)
        (path / VOCABULARY).unlink()
        strange(path / VOCABULARY)
    changed(fresh("huge"), CONFIG, lambda v: v["model"].update(hidden=10**4, layers=100))
    changed(fresh("tags"), VOCABULARY, lambda v: v.update(tags={"upos": ["X", "\x1b[2J"]}))
    (fresh("deep") / CONFIG).write_bytes(b"[" * 100_000)
    sign(tmp_path / "models" / "deep")
    (fresh("unsigned") / CHECKSUMS).unlink()
    (tmp_path / "models" / "card").mkdir()
    (tmp_path / "models" / "card" / CONFIG).touch()
    done = run("models", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    listed = json.loads(done.stdout)
    assert {name for name, model in listed.items() if "damaged" not in model} - {"zh-en", "zh-en-fast"} == {"good"}
    assert len(listed) >= 12
    assert run("models").returncode == 0
