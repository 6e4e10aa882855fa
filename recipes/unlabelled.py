"""Prints unlabelled sentences of words, for a teacher to tag.

    python -m recipes.unlabelled --dev en_ewt-ud-dev.conllu zh_gsdsimp-ud-dev.conllu \\
        --corpus masc_tagged en_ewt-ud-train.conllu zh_segmented-ud-train.conllu \\
        --english state_union --lines en_social.txt.xz > text.txt
    python -m recipes.unlabelled --dev zh_gsdsimp-ud-dev.conllu \\
        --paragraphs zh_wikipedia.txt.xz --everyday > paragraphs.txt

The sentences are those of tagged or segmented corpora without their tags, English text from NLTK, tokenized by NLTK,
and lines of English text, tokenized by spaCy's rules; some get emoji. For a segmenter, prints paragraphs of Chinese
text instead, and everyday sentences from the package hsk-sentences-audio (CC BY-SA 4.0). Duplicates and sentences that
are also in a dev or test split, exactly or nearly, are dropped. With `--held-out`, every fiftieth paragraph goes to
that file instead.
"""

from __future__ import annotations

import argparse
import html
import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from importlib import resources
from pathlib import Path

import numpy as np

from recipes.emoji import with_emoji
from recipes.overlap import Held, held_out
from rnntag.corpora import loading
from rnntag.corpora import nltk as nltk_corpora
from rnntag.formats.decoding import file_lines

SHORTEST, LONGEST = 3, 100
TOGETHER = 4
HELD_OUT = 50
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


def line_sentences(path: Path) -> Iterator[Sequence[str]]:
    """The sentences of an English text, tokenized by spaCy's rules; a hashtag is one word, as in tweebanks."""
    import spacy

    tokenizer = spacy.blank("en").tokenizer
    for line in file_lines(path):
        for sentence in _ENGLISH_END.split(html.unescape(line.strip())):
            words: list[str] = []
            spaced = True
            for token in tokenizer(sentence):
                if words and words[-1] == "#" and not spaced:
                    words[-1] += token.text
                elif token.text.strip():
                    words.append(token.text)
                spaced = bool(token.whitespace_)
            yield words


def paragraphs(path: Path, most: int) -> Iterator[str]:
    """The paragraphs of a text with one per line, evenly chosen from it, of about `most` characters in all."""
    lines = [line.strip() for line in file_lines(path)]
    yield from chosen(lines, min(1.0, most / max(sum(map(len, lines)), 1)))


def chosen(lines: Iterable[str], share: float) -> Iterator[str]:
    """This share of some lines (0 to 1), evenly."""
    yield from (line for number, line in enumerate(lines) if int((number + 1) * share) > int(number * share))


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
    parser.add_argument("--lines", nargs="+", default=[], type=Path, metavar="FILE", help="English text")
    parser.add_argument("--paragraphs", nargs="+", default=[], type=Path, metavar="FILE")
    parser.add_argument("--most", type=int, default=4_000_000, help="characters of each file of paragraphs")
    parser.add_argument("--share", type=float, default=1.0, help="print this share of the result")
    parser.add_argument("--everyday", action="store_true")
    parser.add_argument("--held-out", type=Path, metavar="FILE")
    given = parser.parse_args()
    held = held_out(given.dev)
    raw = [text for path in given.paragraphs for text in paragraphs(path, given.most)]
    if raw or given.everyday:
        kept = [*without(held, raw)]
        if given.held_out:
            given.held_out.write_text("".join(kept[::HELD_OUT]), encoding="utf-8")
            del kept[::HELD_OUT]
        sys.stdout.writelines(chosen([*kept, *without(held, everyday() if given.everyday else ())], given.share))
        return
    random = np.random.default_rng(1)
    seen = set()
    kept = []
    left_out = 0
    sources = [
        corpus_sentences(given.corpus),
        *map(english_sentences, given.english),
        *map(line_sentences, given.lines),
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
            kept.append(f"{' '.join(with_emoji(tokens, random))}\n")
    sys.stdout.writelines(chosen(kept, given.share))
    print(f"{len(seen) - left_out} sentences; {left_out} held-out ones dropped", file=sys.stderr)


if __name__ == "__main__":
    main()
