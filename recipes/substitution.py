"""Sentences of treebanks with other words in them, tagged by a teacher: what it knows of words that they lack.

    python -m recipes.substitution teacher.safetensors lt-ud-train.conllu fi-ud-train.conllu > substituted.jsonl

Some words of open classes are replaced by words of the same ending, which the treebank does not have, from a list of
frequent words of its language (see `recipes.word_lists`). The teacher's tags count, not those of the treebank.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from recipes import word_lists
from recipes.teacher import tag_universal
from recipes.teacher_network import TAGSET, load
from rnntag.corpora import loading
from rnntag.formats import registry
from rnntag.sentences import Sentence
from rnntag.training.tagger import choose_device

OPEN = frozenset(["ADJ", "ADV", "NOUN", "PROPN", "VERB"])
SHARE = 0.4  # of the words of open classes that are replaced
TOKENS = 40_000  # of a language
ENDINGS = (4, 3, 2)  # characters, the longest first
WITHOUT = ("ja", "vi", "zh")  # languages whose words have no endings


def by_ending(words: Iterable[str], known: Collection[str]) -> Mapping[str, Sequence[str]]:
    """Words that are not known, by their endings."""
    found: dict[str, list[str]] = defaultdict(list)
    for word in words:
        if word not in known:
            for size in ENDINGS:
                if size < len(word):
                    found[word[-size:]].append(word)
    return found


def replaced(token: str, candidates: Mapping[str, Sequence[str]], random: np.random.Generator) -> str:
    """Another word of the same ending, capitalised as the word is, or the word itself if there is none."""
    lower = token.lower()
    for ending in (lower[-size:] for size in ENDINGS if size < len(lower)):
        if ending in candidates:
            word = candidates[ending][int(random.integers(len(candidates[ending])))]
            return word.capitalize() if token[0].isupper() and not token.isupper() else word
    return token


def sentences(path: Path) -> Iterator[Sentence]:
    """Sentences of a treebank, in which words are replaced, of about `TOKENS` tokens in all."""
    language = loading.language(path.name)
    random = np.random.default_rng([*language.encode()])
    treebank = registry.read_sentences(path, ("universal",))
    known = {token.lower() for sentence in treebank for token in sentence.tokens}
    candidates = by_ending(word_lists.frequent(language), known)
    count = 0
    while candidates and count < TOKENS:
        for number in random.permutation(len(treebank)):
            sentence = treebank[number]
            wanted = random.random(len(sentence.tokens)) < SHARE
            tokens = tuple(
                replaced(token, candidates, random) if chosen and tag in OPEN else token
                for token, tag, chosen in zip(sentence.tokens, sentence.tags[TAGSET], wanted, strict=True)
            )
            if tokens != sentence.tokens:
                count += len(tokens)
                yield Sentence(tokens)
            if count >= TOKENS:
                break


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("teacher", type=Path)
    parser.add_argument("treebanks", nargs="+", type=Path)
    given = parser.parse_args()
    wanted = [path for path in given.treebanks if loading.language(path.name) not in WITHOUT]
    made = [sentence for path in wanted for sentence in sentences(path)]
    teacher = load(given.teacher).to(choose_device("auto"))
    sys.stdout.writelines(tag_universal([teacher], None, made))


if __name__ == "__main__":
    main()
