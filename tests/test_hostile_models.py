"""Whatever somebody puts into a model directory, its checksums in order or not: it is refused, or it is a model."""

from __future__ import annotations

import copy
import json
import math
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from rnntag.errors import DataError
from rnntag.model import directory
from rnntag.model import learning_curve as curve
from rnntag.model.files import CONFIG, HISTORY, SEGMENTER, VERIFIED, VOCABULARY, WEIGHTS
from rnntag.model.learning_curve import Epoch
from rnntag.model.stored import ModelBundle
from rnntag.storage.checksums import CHECKSUMS
from tests.conftest import Run, refusal
from tests.smallest_model import attempt, changed, refuses_or_works, repeatedly, sign, use

CHECKED = (CHECKSUMS, HISTORY, *VERIFIED)
"""All files of a model that rnntag understands, and not only shows."""
JSON_FILES = (CONFIG, VOCABULARY, SEGMENTER)


@pytest.fixture
def folder(smallest_folder: Path) -> Path:
    return smallest_folder


def test_the_smallest_model_works(folder: Path) -> None:
    assert refuses_or_works(folder)
    assert {file.name for file in folder.iterdir()} == {*CHECKED, directory.CARD}


# --- damage: the checksums are those of the model as it was -------------------------------------------------


@pytest.mark.parametrize("step", [32, pytest.param(1, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", CHECKED)
def test_truncations_and_changes_of_a_byte_are_caught(name: str, step: int, folder: Path) -> None:
    """At every place, and a byte to every other value, in the slow form."""
    path = folder / name
    content = path.read_bytes()
    places = [*range(0, len(content), step), len(content) - 1]
    for length in places:
        path.write_bytes(content[:length])
        with pytest.raises(DataError):
            directory.read(folder)
    damaged = bytearray(content)
    path.write_bytes(content)
    files = directory.open_folder(folder)
    for place in places:
        first, *others = range(1, 256) if step == 1 else [1 << place // step % 8]
        for mask in (first, *others):
            damaged[place] = content[place] ^ mask
            path.write_bytes(damaged)
            with pytest.raises(DataError):
                # Reading the whole model, as a user would; of the many others only the file, as that does.
                directory.read(folder) if mask == first or name == CHECKSUMS else files.read(name, len(content))
        damaged[place] = content[place]
    path.write_bytes(content)
    directory.read(folder)


@pytest.mark.parametrize("name", CHECKED)
def test_damage_is_one_line_and_exit_code_65(name: str, run: Run, folder: Path) -> None:
    (folder / name).write_bytes((folder / name).read_bytes()[:-1] + b"\xff")
    told = refusal(run("tag", "-m", "m", "a b"), 65)
    assert re.search(f"m/{name}: (does not match its checksum|is damaged)", told)


def test_a_card_may_be_edited(run: Run, folder: Path) -> None:
    """It is for people: what is not UTF-8 in it is shown as it is."""
    (folder / directory.CARD).write_bytes(b"a card\xff")
    done = run("models", "m")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    "arguments",
    [
        ("tag", "-m", "m", "a b"), ("eval", "gold.conllu", "-m", "m"), ("explain", "-m", "m", "a b"),
        ("export", "m", "--out", "copy"), ("history", "m"), ("train-segmenter", "m", "gold.conllu"),
    ],
    ids=lambda arguments: arguments[0],
)  # fmt: skip
def test_every_command_refuses_a_damaged_model(arguments: tuple[str, ...], run: Run, folder: Path) -> None:
    (folder.parent / "gold.conllu").write_text("1\ta\t_\tX" + "\t_" * 6 + "\n\n")
    damaged = folder / (HISTORY if arguments[0] == "history" else CONFIG)
    damaged.write_bytes(damaged.read_bytes() + b" ")
    assert "does not match its checksum" in refusal(run(*arguments), 65)


# --- files that are none, or lie elsewhere --------------------------------------------------------------------


def hole(path: Path) -> None:
    """A file of a terabyte that takes no place on the disk."""
    path.touch()
    os.truncate(path, 1 << 40)


def link_out(path: Path) -> None:
    outside = path.parent.parent / "outside"
    outside.write_bytes(b"{}")
    path.symlink_to(outside)


STRANGE: dict[str, Callable[[Path], None]] = {
    "pipe": os.mkfifo,
    "zeros": lambda path: path.symlink_to("/dev/zero"),
    "folder": Path.mkdir,
    "link": link_out,
    "hole": hole,
    "loop": lambda path: path.symlink_to(path.name),
}
"""What may stand in the place of a file."""


@pytest.mark.skipif(os.name != "posix", reason="has no such files")
@pytest.mark.parametrize("strange", STRANGE)
@pytest.mark.parametrize("name", [*CHECKED, directory.CARD])
def test_what_is_no_file_of_the_directory_is_refused(name: str, strange: str, folder: Path) -> None:
    (folder / name).unlink()
    STRANGE[strange](folder / name)
    if name == HISTORY:
        (folder / CHECKSUMS).write_text(
            "".join(line for line in (folder / CHECKSUMS).read_text().splitlines(True) if HISTORY not in line)
        )
    link = "is a symbolic link to a file outside the model's directory"
    refused = f"m/{name}: (is not a regular file|{link}|has 1,099,511,627,776 bytes|cannot be read)"
    with pytest.raises((DataError, directory.AccessError), match=refused):
        directory.read_card(folder) if name == directory.CARD else directory.read(folder)


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


# --- hostile contents: the checksums are the attacker's -------------------------------------------------------


@repeatedly
@given(data=st.data())
def test_bytes_that_somebody_has_changed_and_signed(data: st.DataObject, folder: Path) -> None:
    name = data.draw(st.sampled_from((*VERIFIED, HISTORY)))
    content = bytearray((folder / name).read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        begin = data.draw(st.integers(0, len(content)))
        end = data.draw(st.sampled_from([begin, begin + 1, begin + 1, begin + 8]))
        content[begin:end] = data.draw(st.binary(max_size=9))
    attempt(folder, name, content)


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
    value = json.loads((folder / name).read_bytes())
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
    attempt(folder, name, json.dumps(value).encode())


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
        *[
            (VOCABULARY, lambda v, tag=tag: v.update(tags={"upos": ["X", tag]}))
            for tag in ("X", "", "a b", "a\nb", "a\tb", "\x1b[31m", "\u202e", "\ud800")
        ],
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
        epoch(epoch=math.inf), epoch() + epoch(epoch=10**18), epoch(loss=-1), epoch(seconds=math.nan),
    ],
    ids=lambda content: repr(content[:30]),
)  # fmt: skip
def test_a_history_that_is_none_is_refused(content: bytes, folder: Path) -> None:
    (folder / HISTORY).write_bytes(content)
    sign(folder)
    with pytest.raises(DataError):
        curve.read(directory.read_history(folder), HISTORY)


def test_a_folder_of_hostile_models_is_listed(run: Run, smallest: ModelBundle, tmp_path: Path) -> None:
    """Without waiting for what never comes, or reading what is too large."""

    def fresh(name: str) -> Path:
        directory.write(tmp_path / "models" / name, smallest, "")
        return tmp_path / "models" / name

    fresh("good")
    for name, put in STRANGE.items():
        path = fresh(name)
        (path / VOCABULARY).unlink()
        put(path / VOCABULARY)
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
    assert {name for name, model in listed.items() if "damaged" not in model} - {*directory.BUNDLED_MODELS} == {"good"}
    assert len(listed) >= 12
    assert run("models").returncode == 0
