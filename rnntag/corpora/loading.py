"""Loads corpora, by name or path, in train, dev and test splits.

A SPEC is an NLTK corpus (`treebank`, `conll2002:esp`), `starter`, a file, a folder or a glob. Files are CoNLL-U
(`.conllu`, `.conll`), TSV (`.tsv`, `.vert`, `.vrt`), rnntag's JSONL output or spaCy documents (`.jsonl`), or word/TAG
(all others); a chosen format overrides all suffixes but CoNLL-U's. Files may be compressed (see `compression`).

Files named after splits (`en_ewt-ud-train.conllu`) form one treebank. rnntag's JSONL output is a train split. Other
files and corpora are split by sentence: of every ten, eight are train, the ninth is dev, the tenth test.
"""

from __future__ import annotations

import difflib
import glob
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from rnntag.config import CorpusFormat
from rnntag.corpora import nltk
from rnntag.corpora.nltk import CATALOGUE, OnDownload
from rnntag.errors import DataError, NotFoundError
from rnntag.formats.compression import plain_name
from rnntag.formats.faults import Faults
from rnntag.formats.registry import format_of, has_two_tagsets, is_conllu, read_sentences
from rnntag.sentences import UNIVERSAL, UNNAMED, UNTAGGED, UPOS, Corpus, Sentence

DEFAULT = ("treebank", "sinica_treebank")
STARTER = "starter"
STARTER_SENTENCES, STARTER_TOKENS = 1657, 15111
TAGSETS = ("universal", "native")
UNIVERSAL_12 = (".", "ADJ", "ADP", "ADV", "CONJ", "DET", "NOUN", "NUM", "PRON", "PRT", "VERB", "X")
"""The universal tagset of Petrov, Das and McDonald (2012)."""

READING = {
    "tagset": "on files with one kind of tag",
    "encoding": "on corpora that are not files of your own",
    "corpus_format": "on corpora whose names imply their format",
}
"""Settings for reading corpora, and where each has no effect."""

_LANGUAGE = re.compile(r"(?:.*/)?(?:starter_)?(?P<language>[a-z]{2,3})(?![^_-])")
_SPLIT = re.compile(r"(?P<treebank>.+?)(?:-ud)?[-_.](?P<split>train|dev|test)")
_Column = TypeVar("_Column")


def starter_files() -> tuple[Path, ...]:
    """The files of the starter corpus: beside the package in a checkout, inside it if installed.

    Raises:
        NotFoundError: they are missing.
    """
    package = Path(__file__).parent.parent
    for folder in (package / "data", package.parent / "data"):
        files = tuple(sorted(folder.glob("starter_*.conllu")))
        if files:
            return files
    raise NotFoundError("the starter corpus is missing from this installation: reinstall rnntag")


def load(
    specs: Sequence[str],
    tagsets: tuple[str, ...] = ("universal",),
    *,
    whole: bool = False,
    encoding: str = "utf-8",
    corpus_format: CorpusFormat = "auto",
    progress: OnDownload | None = None,
) -> list[Corpus]:
    """The corpora that `specs` name.

    Args:
        specs: see the module's docstring.
        tagsets: `universal` (12 tags in NLTK's corpora, UPOS in CoNLL-U), `native`, or both.
        whole: for evaluation, make a file without a split in its name a test split, not a train, dev and test one. The
            starter corpus is split all the same, as models are trained on it.
        encoding: of all files but the starter corpus's.
        corpus_format: of files without a CoNLL-U suffix.
        progress: called with the progress of downloads.

    Raises:
        NotFoundError: there is no such corpus or file.
        DataError: a corpus is malformed. The first bad lines of all files are listed. Or both tagsets are wanted, and
            no corpus has native tags.
        AccessError: a file cannot be read.
        UsageError: a corpus has no such section.
    """
    corpora: list[Corpus] = []
    treebanks: dict[tuple[Path, str], dict[str, Path]] = {}
    for spec in dict.fromkeys(specs):
        if spec.partition(":")[0] in CATALOGUE:
            corpora.append(split(spec, nltk.read_sentences(spec, tagsets, progress)))
            continue
        for path in _files(spec):
            treebank, name = treebank_and_split(path)
            splits = treebanks.setdefault((path.resolve().parent, treebank), {})
            if name in splits and splits[name].resolve() != path.resolve():
                what = f"the {name} split of" if name else "named as the whole corpus"
                raise DataError(f"{splits[name]} and {path} are both {what} {treebank}: give only one")
            splits[name] = path
    faults = Faults()
    starter = {path.resolve() for path in starter_files()} if treebanks and (whole or STARTER in specs) else set()
    names = Counter(treebank for _, treebank in treebanks)
    for (folder, treebank), splits in treebanks.items():
        name = treebank if names[treebank] == 1 else f"{folder.name}/{treebank}"
        is_starter = bool(starter & {path.resolve() for path in splits.values()})
        file_encoding = "utf-8" if is_starter else encoding
        corpora.append(_treebank(name, splits, tagsets, whole and not is_starter, file_encoding, corpus_format, faults))
    faults.check()
    twice = [name for name, count in Counter(corpus.name for corpus in corpora).items() if count > 1]
    if twice:
        raise DataError(f"two corpora are called {twice[0]}: rename a file or its folder")
    if len(tagsets) > 1 and not any(map(_has_native_tags, corpora)):
        names_of_all = ", ".join(corpus.name for corpus in corpora)
        raise DataError(f"{names_of_all}: no corpus has native tags", remedy={"tagset": "universal"})
    return corpora


def _has_native_tags(corpus: Corpus) -> bool:
    return any(sentence.tags.keys() - {*UNIVERSAL} for sentence in corpus.train + corpus.dev + corpus.test)


def treebank_and_split(path: Path) -> tuple[str, str]:
    """The treebank and the split that a file's name implies; without a split, ""."""
    stem = plain_name(path).stem
    match = _SPLIT.fullmatch(stem)
    return (match["treebank"], match["split"]) if match else (stem, "")


def language(corpus: str) -> str:
    """The language that the name of a corpus begins with, as `fr_gsd` and `fr` with `fr`; else the name itself."""
    match = _LANGUAGE.match(corpus)
    return match["language"] if match else corpus


def reading(specs: Sequence[str], encoding: str = "utf-8", corpus_format: CorpusFormat = "auto") -> set[str]:
    """The settings of `READING` that affect any of the corpora that `specs` name.

    Raises:
        NotFoundError, AccessError, DataError: see `load`.
    """
    used: set[str] = set()
    for spec in specs:
        if spec == STARTER or spec.partition(":")[0] in CATALOGUE:
            used.add("tagset")
            continue
        for path in _files(spec):
            used.add("encoding")
            if not is_conllu(path):
                used.add("corpus_format")
            if has_two_tagsets(path, corpus_format, encoding):
                used.add("tagset")
    return used


def listing() -> list[dict[str, Any]]:
    """The named corpora, the starter corpus first; none is read.

    Raises:
        NotFoundError: the starter corpus is missing.
    """
    starter_files()
    rows: list[dict[str, Any]] = [
        {
            "name": STARTER,
            "languages": ["zh", "en"],
            "sentences": STARTER_SENTENCES,
            "tokens": STARTER_TOKENS,
            "tagsets": ["upos"],
            "universal": True,
            "licence": "CC0",
            "here": True,
            "about": "sentences written for rnntag, simplified Chinese and English",
        }
    ]
    for corpus in CATALOGUE.values():
        rows.append(
            {
                "name": corpus.name,
                "languages": list(dict.fromkeys(section.language for section in corpus.sections)),
                "sentences": corpus.sentences,
                "tokens": corpus.tokens,
                "tagsets": list(dict.fromkeys(section.tagset for section in corpus.sections)),
                "universal": all(section.universal for section in corpus.sections),
                "licence": corpus.licence,
                "here": nltk.is_on_disk(corpus.name),
                "about": corpus.about,
            }
        )
    return rows


def split(name: str, sentences: Sequence[Sentence]) -> Corpus:
    """Sentences split 8:1:1."""
    return Corpus(
        name,
        train=tuple(s for i, s in enumerate(sentences) if i % 10 < 8),
        dev=tuple(s for i, s in enumerate(sentences) if i % 10 == 8),
        test=tuple(s for i, s in enumerate(sentences) if i % 10 == 9),
    )


def _treebank(
    name: str,
    files: dict[str, Path],
    tagsets: tuple[str, ...],
    whole: bool,
    encoding: str,
    corpus_format: CorpusFormat,
    faults: Faults,
) -> Corpus:
    splits = _with_tagset(
        {key: read_sentences(path, tagsets, encoding, corpus_format, faults) for key, path in files.items()}, name
    )
    if "" in splits:
        if len(splits) > 1:
            raise DataError(f"{files['']} and splits of {name} are both given: give one or the other")
        if whole:
            return Corpus(name, test=splits[""])
        if format_of(files[""], corpus_format, encoding) == "jsonl":  # rnntag's own output
            return Corpus(name, train=splits[""])
        return split(name, splits[""])
    if "train" in splits and "dev" not in splits and not whole:
        cut = split(name, splits["train"])
        return Corpus(name, train=cut.train + cut.test, dev=cut.dev, test=splits.get("test", ()))
    return Corpus(name, splits.get("train", ()), splits.get("dev", ()), splits.get("test", ()))


def _with_tagset(splits: Mapping[str, tuple[Sentence, ...]], treebank: str) -> dict[str, tuple[Sentence, ...]]:
    """The splits with a name for an unnamed tagset: `upos` or `universal` if all tags belong to it, else the
    treebank's."""
    tags = {tag for sentences in splits.values() for sentence in sentences for tag in sentence.tags.get(UNNAMED, ())}
    tags.discard(UNTAGGED)
    if not tags:
        return dict(splits)
    if tags <= set(UPOS):
        tagset = "upos"
    elif tags <= set(UNIVERSAL_12):
        tagset = "universal"
    else:
        tagset = f"{treebank}-tags" if treebank in UNIVERSAL else treebank
    return {
        name: tuple(
            replace(s, tags=_renamed(s.tags, tagset), tag_probs=_renamed(s.tag_probs, tagset)) for s in sentences
        )
        for name, sentences in splits.items()
    }


def _renamed(columns: Mapping[str, _Column], tagset: str) -> Mapping[str, _Column]:
    return {tagset: columns[UNNAMED]} if UNNAMED in columns else columns


def _files(spec: str) -> tuple[Path, ...]:
    if spec == STARTER:
        return starter_files()
    path = Path(spec)
    if spec and path.is_dir():
        files = tuple(sorted(file for file in path.iterdir() if is_conllu(file)))
        if not files:
            raise NotFoundError(f"{spec}: no .conllu file in this folder")
        return files
    if spec and path.exists():
        return (path,)
    files = tuple(Path(file) for file in sorted(glob.glob(spec, recursive=True)))
    if files:
        return files
    known = (STARTER, *CATALOGUE)
    near = difflib.get_close_matches(spec, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"rnntag knows {', '.join(known)}"
    raise NotFoundError(f"{spec or 'an empty name'}: no such corpus and no such file; {hint}")
