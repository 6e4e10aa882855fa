"""Accuracy on text that is not written like a treebank.

    python -m benchmarks.robustness --model models/zh-en en_ewt-ud-dev.conllu zh_gsdsimp-ud-dev.conllu

Each change is applied to every sentence. Added tokens (an emoji, a URL, a sentence in the other language …) are not
scored themselves.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence

import rnntag
from rnntag.corpora import loading
from rnntag.sentences import Sentence
from rnntag.tagger import Tagger
from rnntag.training.augmentation import capitals, lower_case, unpunctuated

TAGSET = "upos"
SEED = 1
COMMON = 3  # least occurrences of an unambiguous word to be scored alone
_FULL_WIDTH = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
_HALF_WIDTH = str.maketrans("，。！？：；（）“”‘’、", ",.!?:;()\"\"'',")
_ADDED = {
    "an emoji at each end": ["😂"],
    "a URL at each end": ["https://www.example.org/a-b?c=1"],
    "an e-mail address at each end": ["li.lei@example.org"],
    "a hashtag at each end": ["#MondayMood"],
    "a mention at each end": ["@someone_1"],
    "English at each end": ["They", "like", "it", "."],
    "Chinese at each end": ["他们", "喜欢", "它", "。"],
}

Item = tuple[Sequence[str], Sequence[str], int]
"""Tokens, gold tags of consecutive tokens, and the index of the first of these."""


def _plain(sentence: Sentence) -> Item:
    return sentence.tokens, sentence.tags[TAGSET], 0


def _spelt(change: Callable[[str], str]) -> Callable[[Sentence], Sentence]:
    return lambda sentence: Sentence(tuple(map(change, sentence.tokens)), sentence.tags)


def _other_digits(token: str) -> str:
    generator = random.Random(f"{SEED} {token}")
    return "".join(str(generator.randint(1, 9)) if char in "123456789" else char for char in token)


_WAYS: dict[str, Callable[[Sentence], Sentence]] = {
    "as it is": lambda sentence: sentence,
    "lower case": lower_case,
    "capitals": capitals,
    "each word capitalised": _spelt(str.capitalize),
    "no punctuation at the end": unpunctuated,
    "full-width letters and signs": _spelt(lambda token: token.translate(_FULL_WIDTH)),
    "half-width signs": _spelt(lambda token: token.translate(_HALF_WIDTH)),
    "other digits": _spelt(_other_digits),
}


def _words_alone(sentences: Sequence[Sentence]) -> Iterator[Item]:
    """Each common word that has only one tag."""
    tags: dict[str, Counter[str]] = defaultdict(Counter)
    for sentence in sentences:
        for token, tag in zip(sentence.tokens, sentence.tags[TAGSET], strict=True):
            tags[token][tag] += 1
    for token, counts in tags.items():
        if len(counts) == 1 and counts.total() >= COMMON:
            yield [token], [*counts], 0


def written(sentences: Sequence[Sentence]) -> Iterator[tuple[str, list[Item]]]:
    """Each change with its name and the changed sentences."""
    for name, way in _WAYS.items():
        yield name, [_plain(way(sentence)) for sentence in sentences]
    for name, added in _ADDED.items():
        yield name, [([*added, *s.tokens, *added], s.tags[TAGSET], len(added)) for s in sentences]
    yield "one word alone", [*_words_alone(sentences)]


def accuracy(tagger: Tagger, items: Sequence[Item]) -> float:
    predicted = tagger.predict([tokens for tokens, _, _ in items], TAGSET)
    hits = [
        tag == best
        for (_, gold, first), tags in zip(items, predicted, strict=True)
        for tag, best in zip(gold, tags[first : first + len(gold)], strict=True)
    ]
    return sum(hits) / max(len(hits), 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("specs", nargs="+", metavar="SPEC")
    parser.add_argument("--model", default="zh-en")
    given = parser.parse_args()
    tagger = rnntag.load(given.model)
    loaded = loading.load(given.specs, whole=True)
    columns = [dict(written([*corpus.train, *corpus.dev, *corpus.test])) for corpus in loaded]
    print(f"| | {' | '.join(corpus.name for corpus in loaded)} |")
    print(f"| --- |{' ---: |' * len(loaded)}")
    for name in columns[0]:
        print(f"| {name} | {' | '.join(f'{100 * accuracy(tagger, column[name]):.2f}' for column in columns)} |")


if __name__ == "__main__":
    main()
