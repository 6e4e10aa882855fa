"""Prints unlabelled sentences of words, for a teacher to tag.

    python -m recipes.unlabelled --dev en_ewt-ud-dev.conllu zh_gsdsimp-ud-dev.conllu \\
        --corpus masc_tagged en_ewt-ud-train.conllu --english state_union --chinese zh_wiki.txt > text.txt
    python -m recipes.unlabelled --dev zh_gsdsimp-ud-dev.conllu \\
        --paragraphs zh_wiki.txt --everyday > paragraphs.txt

The sentences are those of tagged corpora without their tags, English text from NLTK, tokenized by NLTK, and Chinese
text, segmented by jieba. For a segmenter, prints paragraphs of Chinese text instead, and everyday sentences from the
package hsk-sentences-audio (CC BY-SA 4.0). Duplicates and sentences that are also in a dev or test split, exactly or
nearly, are dropped.
"""

from __future__ import annotations

import argparse
import html
import json
import logging
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from importlib import resources
from pathlib import Path

from recipes.overlap import Held, held_out
from rnntag.corpora import loading
from rnntag.corpora import nltk as nltk_corpora
from rnntag.training import simplification

SHORTEST, LONGEST = 3, 100
TOGETHER = 4
_CHINESE_END = re.compile("(?<=[。！？；!?])")
_ENGLISH_END = re.compile(r"""(?<=[.!?])\s+(?=["'(]?[A-Z])""")
_HYPHEN = re.compile(r"(?<=[^\W\d_])-(?=[^\W\d_])")


def corpus_sentences(specs: Iterable[str]) -> Iterator[Sequence[str]]:
    for corpus in loading.load([*specs]):
        for sentence in corpus.train + corpus.dev + corpus.test:
            if not any(" " in token for token in sentence.tokens):
                yield sentence.tokens


def english_sentences(name: str) -> Iterator[Sequence[str]]:
    """The sentences of an untagged NLTK corpus, tokenized as in English treebanks: ca n't, well - known."""
    import nltk
    from nltk.tokenize import NLTKWordTokenizer

    nltk_corpora.provide(name)
    tokenizer = NLTKWordTokenizer()
    for line in getattr(nltk.corpus, name).raw().split("\n"):
        text = html.unescape(line.rpartition("##")[2].removeprefix("[t]"))  # product_reviews: features##text
        for sentence in _ENGLISH_END.split(_HYPHEN.sub(" - ", text)):
            yield ['"' if token in ("``", "''") else token for token in tokenizer.tokenize(sentence)]


def chinese_sentences(path: Path) -> Iterator[Sequence[str]]:
    """The sentences of a text with one paragraph per line, in simplified characters."""
    import jieba

    jieba.setLogLevel(logging.WARNING)
    fold = str.maketrans(simplification.chinese())
    for line in path.read_text(encoding="utf-8").split("\n"):
        for sentence in _CHINESE_END.split(line.strip().translate(fold)):
            if words := [word for word in jieba.cut(sentence) if word.strip()]:
                yield words


def paragraphs(path: Path) -> Iterator[str]:
    """The paragraphs of a text with one per line."""
    yield from path.read_text(encoding="utf-8").split("\n")


def everyday() -> Iterator[str]:
    """Paragraphs of `TOGETHER` sentences from Chinese lessons."""
    data = resources.files("hsk_sentences_audio").joinpath("data", "sentences.json").read_text(encoding="utf-8")
    sentences = [row["chinese"] for row in json.loads(data)]
    for begin in range(0, len(sentences), TOGETHER):
        yield "".join(sentences[begin : begin + TOGETHER])


def without(held: Held, texts: Iterable[str]) -> Iterator[str]:
    """Paragraphs as lines, without held-out sentences."""
    for text in texts:
        if kept := "".join(one for one in _CHINESE_END.split(text.strip()) if not held.has([one])).strip():
            yield f"{kept}\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dev", nargs="+", required=True, metavar="SPEC")
    parser.add_argument("--corpus", nargs="+", default=[], metavar="SPEC")
    parser.add_argument("--english", nargs="+", default=[], metavar="NAME", help="an NLTK corpus")
    parser.add_argument("--chinese", nargs="+", default=[], type=Path, metavar="FILE")
    parser.add_argument("--paragraphs", nargs="+", default=[], type=Path, metavar="FILE")
    parser.add_argument("--everyday", action="store_true")
    given = parser.parse_args()
    held = held_out(given.dev)
    raw = [text for path in given.paragraphs for text in paragraphs(path)]
    if raw or given.everyday:
        sys.stdout.writelines(without(held, [*raw, *(everyday() if given.everyday else ())]))
        return
    seen = set()
    left_out = 0
    sources = [
        corpus_sentences(given.corpus),
        *map(english_sentences, given.english),
        *map(chinese_sentences, given.chinese),
    ]
    for source in sources:
        for tokens in source:
            line = " ".join(tokens)
            if not SHORTEST <= len(tokens) <= LONGEST or line in seen:
                continue
            seen.add(line)
            if held.has(tokens):
                left_out += 1
                continue
            print(line)
    print(f"{len(seen) - left_out} sentences; {left_out} held-out ones dropped", file=sys.stderr)


if __name__ == "__main__":
    main()
