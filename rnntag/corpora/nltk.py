"""Reads NLTK's tagged corpora with NLTK's own readers."""

from __future__ import annotations

import os
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rnntag.errors import DataError, NotFoundError, UsageError
from rnntag.sentences import Sentence

OnDownload = Callable[[str, float], None]
"""Called with a package's name and the fraction downloaded (0 to 1)."""

TAGSET_MAPS = "universal_tagset"


@dataclass(frozen=True, slots=True)
class Section:
    """The files of a corpus in one language and one tagset.

    Attributes:
        prefix: of its files' names; "" for all files.
        universal: NLTK's map from this tagset to the 12 universal tags, or "".
        key: from a tag of the corpus to a key of that map.
    """

    language: str
    tagset: str
    universal: str = ""
    prefix: str = ""
    key: Callable[[str], str] = str


@dataclass(frozen=True, slots=True)
class NltkCorpus:
    """A corpus; its sizes are those that NLTK 3.10 reads."""

    name: str
    sections: tuple[Section, ...]
    sentences: int
    tokens: int
    licence: str
    about: str

    def choose(self, section: str) -> tuple[Section, ...]:
        """The section with this prefix; all sections for "".

        Raises:
            UsageError: there is no such section.
        """
        chosen = tuple(s for s in self.sections if not section or (s.prefix and s.prefix == section))
        if not chosen:
            known = ", ".join(f"{self.name}:{s.prefix}" for s in self.sections if s.prefix) or "none"
            raise UsageError(f"{self.name} has no section {section!r}; its sections: {known}")
        return chosen


def _eagles(tag: str) -> str:
    """The category and type of an EAGLES tag, written as in NLTK's map for Spanish."""
    short = tag.strip("-")[:2]
    return short.capitalize() if short[:1] in "Ff" else short.lower()


def _after_plus(tag: str) -> str:
    return tag.rpartition("+")[2]


_PTB = Section("en", "ptb", "en-ptb")
_NON_COMMERCIAL = "non-commercial"

CATALOGUE = {
    corpus.name: corpus
    for corpus in (
        NltkCorpus("treebank", (_PTB,), 3914, 100676, _NON_COMMERCIAL,
                   "a tenth of the Penn Treebank's Wall Street Journal, traces (*T*-1) among its tokens"),
        NltkCorpus("dependency_treebank", (_PTB,), 3914, 94084, _NON_COMMERCIAL, "the same text without traces"),
        NltkCorpus("conll2000", (_PTB,), 10948, 259104, "see its README",
                   "Wall Street Journal, the CoNLL-2000 chunking task"),
        NltkCorpus("masc_tagged", (_PTB,), 34534, 592447, "open",
                   "Manually Annotated Sub-Corpus of American English, public domain or free"),
        NltkCorpus("brown", (Section("en", "brown", "en-brown"),), 57340, 1161192, _NON_COMMERCIAL,
                   "Brown Corpus, American English of 1961"),
        NltkCorpus("sinica_treebank", (Section("zh", "sinica", "zh-sinica"),), 10000, 91634, "CC BY-NC-SA 2.5",
                   "Sinica Treebank, traditional Chinese"),
        NltkCorpus("cess_esp", (Section("es", "eagles", "es-cast3lb", key=_eagles),), 6030, 192686, "research",
                   "CESS Treebank, Spanish"),
        NltkCorpus("floresta", (Section("pt", "floresta", "pt-bosque", key=_after_plus),), 9266, 211852,
                   "with permission", "Floresta Sintá(c)tica, Portuguese"),
        NltkCorpus("mac_morpho", (Section("pt", "mac-morpho"),), 51397, 1170093, "with permission",
                   "MAC-MORPHO, Brazilian Portuguese news"),
        NltkCorpus("alpino", (Section("nl", "alpino"),), 7136, 139820, "with permission", "Alpino Treebank, Dutch"),
        NltkCorpus("conll2002",
                   (Section("es", "conll2002-esp", "es-cast3lb", "esp", _eagles),
                    Section("nl", "conll2002-ned", "nl-alpino", "ned")),
                   35651, 678377, "research", "Spanish and Dutch news, the CoNLL-2002 named entity task"),
        NltkCorpus("conll2007",
                   (Section("es", "conll2007-esp", "es-cast3lb", "esp", _eagles),
                    Section("eu", "conll2007-eus", "eu-eus3lb", "eus")),
                   6687, 145156, "CC BY-NC-ND", "Spanish and Basque, the CoNLL-2007 parsing task"),
        NltkCorpus("indian",
                   (Section("bn", "indian-bangla", prefix="bangla"), Section("hi", "indian-hindi", prefix="hindi"),
                    Section("mr", "indian-marathi", prefix="marathi"),
                    Section("te", "indian-telugu", prefix="telugu")),
                   3627, 48711, "with permission", "Bangla, Hindi, Marathi and Telugu news"),
    )
}  # fmt: skip


def is_on_disk(name: str) -> bool:
    """Whether a corpus is where NLTK looks for it, without importing NLTK, which takes two seconds."""
    for folder in _data_folders():
        place = Path(folder, "corpora", name)
        if place.exists() or zipfile.is_zipfile(place.with_name(f"{name}.zip")):
            return True
    return False


def _data_folders() -> list[str]:
    """`nltk.data.path`."""
    if data := sys.modules.get("nltk.data"):
        return [*data.path]
    named = [os.path.expanduser(folder) for folder in os.environ.get("NLTK_DATA", "").split(os.pathsep) if folder]
    at_home = [os.path.expanduser("~/nltk_data")] if "APPENGINE_RUNTIME" not in os.environ else []
    beside_python = [os.path.join(sys.prefix, *parts, "nltk_data") for parts in ((), ("share",), ("lib",))]
    if os.name == "nt":
        system = [os.path.join(os.environ.get("APPDATA", "C:\\"), "nltk_data")]
        system += [rf"{drive}:\nltk_data" for drive in "CDE"]
    else:
        system = [f"/usr/{part}/nltk_data" for part in ("share", "local/share", "lib", "local/lib")]
    return named + at_home + beside_python + system


def is_here(package: str) -> bool:
    """Whether NLTK finds a corpus or the tagset maps on this machine."""
    import nltk

    folder = "taggers" if package == TAGSET_MAPS else "corpora"
    for path in (f"{folder}/{package}", f"{folder}/{package}.zip"):
        try:
            nltk.data.find(path)
        except (LookupError, OSError, zipfile.BadZipFile):
            continue
        return True
    return False


def read_sentences(spec: str, tagsets: tuple[str, ...], progress: OnDownload | None = None) -> tuple[Sentence, ...]:
    """The tagged sentences of `NAME` or `NAME:SECTION`, in NLTK's order.

    Empty words and tags are dropped. A tag that NLTK's universal map lacks becomes `.` for tokens without letters and
    digits, X for others.

    Args:
        spec: a name in `CATALOGUE`, with or without a section.
        tagsets: `universal`, `native` or both.
        progress: called with the progress of downloads.

    Raises:
        NotFoundError: the corpus is not on this machine and cannot be downloaded.
        DataError: NLTK has no universal map for the corpus, or the corpus is damaged or empty.
        UsageError: there is no such section.
    """
    name, _, section = spec.partition(":")
    sections = CATALOGUE[name].choose(section)
    for part in sections:
        if "universal" in tagsets and not part.universal:
            raise DataError(f"NLTK has no universal map for the tags of {spec}", remedy={"tagset": "native"})
    provide(name, progress)
    if "universal" in tagsets:
        provide(TAGSET_MAPS, progress)
    try:
        sentences = tuple(sentence for part in sections for sentence in _read_section(name, part, tagsets))
    # What NLTK's readers raise on damaged files; SyntaxError comes from XML.
    except (LookupError, OSError, ValueError, AssertionError, SyntaxError, zipfile.BadZipFile) as error:
        reason = (str(error).strip() or repr(error)).splitlines()[0].strip("* ")
        raise DataError(f"NLTK's {name} is damaged ({reason}): delete it and download it again") from error
    if not sentences:
        raise DataError(f"{spec}: contains no sentences")
    return sentences


def _read_section(name: str, section: Section, tagsets: tuple[str, ...]) -> Iterator[Sentence]:
    import nltk.corpus
    from nltk.tag.mapping import tagset_mapping

    reader: Any = getattr(nltk.corpus, name)
    mapping: dict[str, str] = dict(tagset_mapping(section.universal, "universal")) if "universal" in tagsets else {}
    files = [file for file in reader.fileids() if file.startswith(section.prefix)]
    for tagged in reader.tagged_sents(files):
        pairs = [(word, tag) for word, tag in tagged if word and tag]
        if not pairs:
            continue
        words = tuple(word for word, _ in pairs)
        tags = {}
        if "universal" in tagsets:
            tags["universal"] = tuple(
                mapping.get(section.key(tag)) or ("X" if any(map(str.isalnum, word)) else ".") for word, tag in pairs
            )
        if "native" in tagsets:
            tags[section.tagset] = tuple(tag for _, tag in pairs)
        yield Sentence(words, tags)


def provide(package: str, progress: OnDownload | None = None) -> None:
    """Download an NLTK package unless it is on this machine.

    Raises:
        NotFoundError: it cannot be downloaded.
    """
    if is_here(package):
        return
    import nltk
    from nltk import downloader

    failure = ""
    try:
        for message in downloader.Downloader().incr_download(package):
            if isinstance(message, downloader.ErrorMessage):
                failure = str(message.message)
            elif isinstance(message, downloader.ProgressMessage) and progress:
                progress(package, message.progress / 100)
    # The downloader passes on whatever urllib, its XML parser and the file system raise.
    except Exception as error:
        failure = str(error)
    if failure:
        raise NotFoundError(
            f"NLTK's {package} is not on this machine (searched {', '.join(nltk.data.path)}) and cannot be downloaded "
            f"({failure.strip()}): run 'python -m nltk.downloader {package}' on a machine with internet "
            "access, copy its nltk_data folder here, and set NLTK_DATA to that folder"
        )
