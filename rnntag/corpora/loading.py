"""Corpora by name or path, in train, dev and test parts.

A SPEC is an NLTK corpus (`treebank`, `conll2002:esp`), the word `starter`, a file, a folder or a
glob. Files are CoNLL-U (`.conllu`, `.conll`), a token and its tag a line (`.tsv`, `.vert`, `.vrt`),
what a model has tagged or spaCy's documents (`.jsonl`), or lines of `word/TAG`; or what is said of
all but CoNLL-U. Each may be compressed (`.conllu.xz`; see `compression`). Files whose names say so
(`en_ewt-ud-train.conllu`) are parts of one treebank. What a model has tagged is there to learn
from; anything else is parted by sentence: of every ten, the ninth is dev, the tenth test, the
others train.
"""

from __future__ import annotations

import difflib
import glob
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rnntag.config import CorpusFormat
from rnntag.corpora import nltk
from rnntag.corpora.files import format_of, named, read_sentences, treebank_and_part
from rnntag.corpora.nltk import CATALOGUE, OnDownload
from rnntag.errors import DataError, NotFoundError
from rnntag.formats import conllu
from rnntag.formats.compression import plain_name
from rnntag.formats.faults import Faults
from rnntag.sentences import Corpus, Sentence

DEFAULT = ("treebank", "sinica_treebank")
STARTER = "starter"
STARTER_SENTENCES, STARTER_TOKENS = 1657, 15111
TAGSETS = ("universal", "native")
READING = {
    "tagset": "on files that have tags of one kind",
    "encoding": "on corpora that are no files of your own",
    "corpus_format": "on corpora whose names tell their format",
}
"""What says how corpora are read, and on which corpora it has no effect."""


def starter_files() -> tuple[Path, ...]:
    """The starter corpus: beside the package in a checkout, inside it once installed."""
    package = Path(__file__).parent.parent
    for folder in (package / "data", package.parent / "data"):
        files = tuple(sorted(folder.glob("starter_*.conllu")))
        if files:
            return files
    raise NotFoundError("this installation has lost its starter corpus: install rnntag again")


def load(
    specs: Sequence[str],
    tagsets: tuple[str, ...] = ("universal",),
    *,
    whole: bool = False,
    encoding: str = "utf-8",
    corpus_format: CorpusFormat = "auto",
    progress: OnDownload | None = None,
) -> list[Corpus]:
    """The corpora that `specs` name, each in its parts.

    Args:
        specs: see the module.
        tagsets: `universal` (12 tags in NLTK's corpora, UPOS in CoNLL-U), `native`, or both.
        whole: a file whose name tells no part is a test part as a whole, as evaluation wants it;
            but not the starter corpus, which models are trained on.
        encoding: of the files, but for those of the starter corpus.
        corpus_format: of those that are not called `.conllu`.
        progress: is told how far a download has got.

    Raises:
        NotFoundError: there is no such corpus or file.
        DataError: a corpus that cannot be understood; with a line for each of the first bad lines of all files.
        AccessError: a file that cannot be read.
        UsageError: a corpus has no section of that name.
    """
    corpora: list[Corpus] = []
    treebanks: dict[tuple[Path, str], dict[str, Path]] = {}
    for spec in dict.fromkeys(specs):
        if spec.partition(":")[0] in CATALOGUE:
            corpora.append(split(spec, nltk.read_sentences(spec, tagsets, progress)))
            continue
        for path in _files(spec):
            treebank, part = treebank_and_part(path)
            parts = treebanks.setdefault((path.resolve().parent, treebank), {})
            if part in parts and parts[part].resolve() != path.resolve():
                raise DataError(f"{parts[part]} and {path} both claim to be the {part or 'whole'} part of {treebank}")
            parts[part] = path
    faults = Faults()
    starter = {path.resolve() for path in starter_files()} if treebanks and (whole or STARTER in specs) else set()
    names = Counter(treebank for _, treebank in treebanks)
    for (folder, treebank), parts in treebanks.items():
        name = treebank if names[treebank] == 1 else f"{folder.name}/{treebank}"
        is_starter = bool(starter & {path.resolve() for path in parts.values()})
        own = "utf-8" if is_starter else encoding
        corpora.append(_treebank(name, parts, tagsets, whole and not is_starter, own, corpus_format, faults))
    faults.check()
    twice = [name for name, count in Counter(corpus.name for corpus in corpora).items() if count > 1]
    if twice:
        raise DataError(f"two corpora are called {twice[0]}: rename a file or its folder")
    return corpora


def reading(specs: Sequence[str], encoding: str = "utf-8", corpus_format: CorpusFormat = "auto") -> set[str]:
    """Those of `READING` that have an effect on one of the corpora that `specs` name.

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
            if format_of(path, "slash", encoding) != format_of(path, "tsv", encoding):  # else its name tells it
                used.add("corpus_format")
            if format_of(path, corpus_format, encoding) in ("conllu", "spacy"):
                used.add("tagset")
    return used


def listing() -> list[dict[str, Any]]:
    """What is known of each corpus that has a name, the starter corpus first. None is read.

    Raises:
        NotFoundError: the starter corpus is not there.
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
    """Sentences parted 8:1:1."""
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
    read = {part: read_sentences(path, tagsets, encoding, corpus_format, faults) for part, path in files.items()}
    parts = named(read, name)
    if "" in parts:
        if len(parts) > 1:
            raise DataError(f"{files['']} stands beside files that are parts of {name}: name one or the other")
        if whole:
            return Corpus(name, test=parts[""])
        if format_of(files[""], corpus_format, encoding) == "jsonl":
            return Corpus(name, train=parts[""])
        return split(name, parts[""])
    if "train" in parts and "dev" not in parts and not whole:
        cut = split(name, parts["train"])
        return Corpus(name, train=cut.train + cut.test, dev=cut.dev, test=parts.get("test", ()))
    return Corpus(name, parts.get("train", ()), parts.get("dev", ()), parts.get("test", ()))


def _files(spec: str) -> tuple[Path, ...]:
    if spec == STARTER:
        return starter_files()
    path = Path(spec)
    if spec and path.is_dir():
        files = tuple(sorted(file for file in path.iterdir() if plain_name(file).suffix.lower() in conllu.SUFFIXES))
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
