"""The tagset `native`: Penn Treebank tags of English words, PKU tags of Chinese ones.

    python -m recipes.native zh_gsdsimp-ud-train.conllu en_ewt-ud-train.conllu --write FOLDER

Writes each treebank as JSON lines with both tagsets, for `rnntag train`. An English word has the treebank's own tag, a
word of a sentence with Chinese characters that of LAC's word that holds its end (see `recipes.frozen`). LAC's names
of persons, places, organisations and times have their PKU tags. A sentence without native tags keeps its UPOS tags.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from recipes.frozen import Lac, is_chinese, layout
from rnntag.errors import DataError
from rnntag.formats import registry
from rnntag.sentences import NATIVE, Sentence, TagProbs

_PKU = {"PER": "nr", "LOC": "ns", "ORG": "nt", "TIME": "t"}


class Pku:
    """PKU tags by LAC."""

    def __init__(self) -> None:
        self._lac = Lac()

    def tags(self, sentences: Sequence[Sentence]) -> list[tuple[str, ...]]:
        """For each sentence the tags of its words."""
        texts, spans = zip(*map(layout, sentences), strict=True) if sentences else ((), ())
        found = []
        for states, own in zip(self._lac.characters(texts), spans, strict=True):
            tags = [tag.rpartition("-")[0] for tag in self._lac.best_tags(states)]
            found.append(tuple(_PKU.get(tag, tag) for tag in (tags[end - 1] for _, end in own)))
        return found


def record(sentence: Sentence, tags: Mapping[str, Sequence[str]], top: Mapping[str, Sequence[TagProbs]]) -> str:
    """A JSON line as `rnntag tag` writes it, with tags and probabilities by tagset."""
    line: dict[str, Any] = {"tokens": sentence.tokens, "tags": tags}
    if top:
        line["top"] = {name: [{tag: round(p, 4) for tag, p in one} for one in column] for name, column in top.items()}
    return json.dumps(line, ensure_ascii=False) + "\n"


def treebank(path: Path, pku: Pku) -> Iterator[str]:
    sentences = registry.read_sentences(path, ("universal",))
    try:
        own = registry.read_sentences(path, ("native",))
    except DataError:  # no XPOS
        own = sentences
    chinese = iter(pku.tags([*filter(is_chinese, sentences)]))
    for sentence, other in zip(sentences, own, strict=True):
        tags = dict(sentence.tags)
        if is_chinese(sentence):
            tags[NATIVE] = next(chinese)
        elif "xpos-en" in other.tags:
            tags[NATIVE] = other.tags["xpos-en"]
        yield record(sentence, tags, {})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="+", type=Path)
    parser.add_argument("--write", required=True, type=Path, metavar="FOLDER")
    given = parser.parse_args()
    given.write.mkdir(parents=True, exist_ok=True)
    pku = Pku()
    for path in given.paths:
        (given.write / f"{path.stem}.jsonl").write_text("".join(treebank(path, pku)), encoding="utf-8")


if __name__ == "__main__":
    main()
