"""What NLTK fetches goes to NLTK's own place, and only if it is what NLTK's index says; NLTK's own downloader
runs, the network is played."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from rnntag.corpora import nltk as nltk_corpora
from rnntag.errors import NotFoundError

GOOD = {"indian/hindi.pos": "<Sentence id=1>\nघर_NN ।_SYM\n</Sentence>\n".encode()}


def packed(members: dict[str, bytes], mode: int = 0o100644) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            member = zipfile.ZipInfo(name)
            member.external_attr = mode << 16
            archive.writestr(member, content)
    return file.getvalue()


def index(content: bytes, **fields: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        unpacked = sum(member.file_size for member in archive.infolist())
    fields = {
        "id": "indian", "name": "i", "subdir": "corpora", "unzip": "1", "size": f"{len(content)}",
        "unzipped_size": f"{unpacked}", "checksum": hashlib.md5(content).hexdigest(),
        "sha256_checksum": hashlib.sha256(content).hexdigest(), "url": "https://nltk.example/indian.zip", **fields,
    }  # fmt: skip
    package = " ".join(f'{name}="{value}"' for name, value in fields.items())
    return f'<?xml version="1.0"?><nltk_data><packages><package {package}/></packages></nltk_data>'.encode()


Serve = Callable[[bytes, bytes], None]


@pytest.fixture
def serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Serve:
    """Plays NLTK's server, given its index and the archive; NLTK's place is the folder `nltk_data`."""
    import nltk
    from nltk import downloader

    own = tmp_path / "nltk_data"
    own.mkdir(mode=0o700)
    monkeypatch.setattr(nltk.data, "path", [str(own)])
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)

    def start(listed: bytes, archive: bytes) -> None:
        def answer(url: str, **options: object) -> io.BytesIO:
            return io.BytesIO(archive if url.endswith(".zip") else listed)

        monkeypatch.setattr(downloader, "urlopen", answer)

    return start


def strange_files(folder: Path) -> list[str]:
    """What lies outside NLTK's place, and what in it is neither the archive nor unpacked from it."""
    files = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()]
    return [file for file in files if not file.startswith("nltk_data/corpora/indian")]


def test_a_corpus_goes_to_nltk_s_place_and_nowhere_else(serve: Serve, tmp_path: Path) -> None:
    archive = packed(GOOD)
    serve(index(archive), archive)
    seen: list[tuple[str, float]] = []
    assert not nltk_corpora.is_here("indian")
    nltk_corpora.provide("indian", lambda package, share: seen.append((package, share)))
    assert nltk_corpora.is_here("indian")
    assert {package for package, _ in seen} == {"indian"}
    assert all(0 <= share <= 1 for _, share in seen)
    assert (tmp_path / "nltk_data" / "corpora" / "indian" / "hindi.pos").read_bytes() == GOOD["indian/hindi.pos"]
    assert strange_files(tmp_path) == []


BILLION = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "' + b"&b;" * 10 + b'">' + b"".join(
    b'<!ENTITY %c "%s">' % (letter + 1, b"&%c;" % letter * 10) for letter in range(ord("c"), ord("k"))
) + b"]><nltk_data><packages>&k;</packages></nltk_data>"  # fmt: skip


@pytest.mark.parametrize(
    ("listed", "members"),
    [
        ({"sha256_checksum": "0" * 64}, GOOD),
        ({"sha256_checksum": "0" * 64, "size": "1"}, GOOD),
        ({"size": "9"}, GOOD),
        ({"size": "999999"}, GOOD),
        ({"subdir": "../outside"}, GOOD),
        ({"subdir": "/outside"}, GOOD),
        ({"url": "file:///etc/passwd"}, GOOD),
        ({}, {"../evil": b"x"}),
        ({}, {"indian/../../../evil": b"x"}),
        ({}, {"/tmp/evil": b"x"}),
        ({}, {"other/evil": b"x"}),
        (None, GOOD),
    ],
    ids=[
        "another checksum", "another checksum and size", "longer than listed", "shorter than listed", "subdir ..",
        "subdir /", "url of a file", "member ..", "member inside ..", "member /", "member of another package",
        "billion laughs",
    ],
)  # fmt: skip
def test_what_is_not_as_the_index_says_or_leads_out_is_refused(
    listed: dict[str, str] | None, members: dict[str, bytes], serve: Serve, tmp_path: Path
) -> None:
    archive = packed(members)
    serve(BILLION if listed is None else index(archive, **listed), archive)
    with pytest.raises(NotFoundError, match="cannot be downloaded"):
        nltk_corpora.provide("indian")
    assert [file for file in strange_files(tmp_path) if not file.endswith(".zip")] == []
    assert not (tmp_path.parent / "evil").exists()
    assert not Path("/tmp/evil").exists()


def test_a_link_in_an_archive_leads_nowhere(serve: Serve, tmp_path: Path) -> None:
    archive = packed({"indian/hindi.pos": b"../../../secret"}, mode=0o120777)
    serve(index(archive), archive)
    try:
        nltk_corpora.provide("indian")
    except NotFoundError as error:
        assert "cannot be downloaded" in str(error)  # noqa: PT017
    assert not any(path.is_symlink() for path in tmp_path.rglob("*"))
