"""Fuzzes the readers, or `tag`, for some time (needs atheris: `pip install 'rnntag[fuzz]'`).

    python -m tests.fuzz readers --minutes 30
    python -m tests.fuzz tag --minutes 30

What breaks a promise is made as short as possible, told, and written to `tests/fuzz/corpus/`, whose files
`pytest tests/test_hostile_text.py` runs again. The end tells how many inputs were tried and what they covered.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["rnntag"], enable_loader_override=False):
    from tests.fuzz import targets

CORPUS = Path(__file__).parent / "corpus"
ATTEMPTS = 2000
"""How many shorter inputs are tried, at most, to show what one showed."""


def signature(target: Callable[[bytes], None], data: bytes) -> str:
    """Where and how an input breaks a promise; "" if it does not."""
    try:
        target(data)
    except Exception as error:
        places = [f"{Path(f.filename).name}:{f.lineno}" for f in traceback.extract_tb(error.__traceback__)[-3:]]
        return f"{type(error).__name__} {str(error)[:60]!r} {' '.join(places)}"
    return ""


def where(told: str) -> str:
    """The part of a signature that does not hang on the input's words."""
    return told.split(" ")[0] + told.rpartition("'")[2]


def shortest(target: Callable[[bytes], None], data: bytes, kind: str) -> bytes:
    """What is left of an input when all is taken away that the failure does not need."""
    attempts = 0
    size = max(len(data) // 2, 1)
    while True:
        start = 3
        while start < len(data) and attempts < ATTEMPTS:
            fewer = data[:start] + data[start + size :]
            attempts += 1
            if where(signature(target, fewer)) == kind:
                data = fewer
            else:
                start += size
        if size == 1 or attempts >= ATTEMPTS:
            return data
        size //= 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", choices=targets.TARGETS)
    parser.add_argument("--minutes", type=float, default=30)
    given = parser.parse_args()
    target = targets.TARGETS[given.target]
    if given.target == "tag":
        targets.prepare()
    seeds = CORPUS / given.target
    found: dict[str, str] = {}

    def one(data: bytes) -> None:
        told = signature(target, data)
        kind = where(told)
        if told and kind not in found:
            small = shortest(target, data, kind)
            found[kind] = told
            path = seeds / hashlib.sha256(small).hexdigest()[:12]
            path.write_bytes(small)
            sys.stderr.write(f"FOUND {len(found)}: {told}: {small[:200]!r} -> {path.name}\n")

    with tempfile.TemporaryDirectory() as grown:
        arguments = [
            f"-max_total_time={round(60 * given.minutes)}", "-max_len=400", "-timeout=30", "-rss_limit_mb=8000",
            "-print_final_stats=1", f"-artifact_prefix={grown}/", grown, str(seeds),
        ]  # fmt: skip
        atheris.Setup([sys.argv[0], *arguments], one)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
