"""Gold and predicted tags to figures: accuracies, precision, recall, F1, confusions, calibration."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from operator import not_

from rnntag.sentences import UNTAGGED, Sentence

CALIBRATION_BINS = 15
MISTAKEN_WORDS = 100
"""Words in a report."""

ACCURACIES = ("accuracy", "known_accuracy", "unknown_accuracy", "ambiguous_accuracy", "sentence_accuracy")
"""The accuracies of a report. Each has an interval."""


def evaluate(
    sentences: Sequence[Sentence],
    tagset: str,
    predicted: Sequence[Sequence[str]],
    is_known: Sequence[Sequence[bool]],
    confidences: Sequence[Sequence[float]] = (),
) -> Report:
    """Compare predicted tags with the gold tags of `tagset`.

    A tag that was never predicted has precision 0. One that is not among the gold tags has recall 0.

    Args:
        sentences: gold sentences, each with `tagset`. Words without a gold tag are left out.
        predicted: a tag for each token.
        is_known: for each token, whether its word is in the training data.
        confidences: for each token, the probability (0 to 1) of the predicted tag; may be empty.
    """
    from rnntag.evaluation.significance import intervals  # imports NumPy, which the help does without

    ambiguous = _ambiguous(sentences, tagset)
    triples: Counter[tuple[str, str, str]] = Counter()
    untagged = 0
    counts = []  # for each sentence and each of `ACCURACIES`: correct, total
    for sentence, tags, known in zip(sentences, predicted, is_known, strict=True):
        tagged = list(map(bool, sentence.tags[tagset]))
        untagged += tagged.count(False)
        gold, tags = list(compress(sentence.tags[tagset], tagged)), list(compress(tags, tagged))
        known = list(compress(known, tagged))
        words = [token.lower() for token in compress(sentence.tokens, tagged)]
        triples.update(zip(words, gold, tags, strict=True))
        hits = [expected == tag for expected, tag in zip(gold, tags, strict=True)]
        groups = (
            hits,
            list(compress(hits, known)),
            list(compress(hits, map(not_, known))),
            [hit for hit, word in zip(hits, words, strict=True) if word in ambiguous],
            [all(hits)],
        )
        counts.append([(sum(group), len(group)) for group in groups])
    totals = [tuple(map(sum, zip(*column, strict=True))) for column in zip(*counts, strict=True)] or [(0, 0)] * 5
    (_, tokens), _, (_, unknown_tokens), (_, ambiguous_tokens), _ = totals
    accuracies = {name: correct / of if of else None for name, (correct, of) in zip(ACCURACIES, totals, strict=True)}
    pairs: Counter[tuple[str, str]] = Counter()
    for (_, gold_tag, tag), count in triples.items():
        pairs[gold_tag, tag] += count
    wrong = [(gold_tag, tag, count) for (gold_tag, tag), count in pairs.items() if gold_tag != tag]
    bins = _calibration(sentences, tagset, predicted, confidences) if confidences else ()
    return Report(
        sentences=len(sentences),
        tokens=tokens,
        untagged_tokens=untagged,
        unknown_tokens=unknown_tokens,
        ambiguous_tokens=ambiguous_tokens,
        accuracy=accuracies["accuracy"] or 0.0,
        known_accuracy=accuracies["known_accuracy"],
        unknown_accuracy=accuracies["unknown_accuracy"],
        ambiguous_accuracy=accuracies["ambiguous_accuracy"],
        sentence_accuracy=accuracies["sentence_accuracy"] or 0.0,
        calibration_error=_calibration_error(bins) if confidences else None,
        intervals=dict(zip(ACCURACIES, intervals(counts) or [None] * len(ACCURACIES), strict=True)),
        tags=_tag_scores(pairs),
        confusions=tuple(sorted(wrong, key=lambda item: (-item[2], item[0], item[1]))),
        words=_mistaken_words(triples),
        calibration=bins,
    )


def faulty(
    sentences: Sequence[Sentence],
    tagset: str,
    predicted: Sequence[Sequence[str]],
    confidences: Sequence[Sequence[float]] = (),
) -> Iterator[SentenceErrors]:
    """The sentences with wrong tags, in order. The arguments are those of `evaluate`."""
    for position, (sentence, tags) in enumerate(zip(sentences, predicted, strict=True)):
        mistakes = tuple(
            TagError(token, gold, tag, confidences[position][token] if confidences else None)
            for token, (gold, tag) in enumerate(zip(sentence.tags[tagset], tags, strict=True))
            if gold not in (tag, UNTAGGED)
        )
        if mistakes:
            yield SentenceErrors(position + 1, sentence.tokens, mistakes)


def most_frequent_tags(train: Iterable[Sentence], tagset: str, sentences: Iterable[Sentence]) -> list[list[str]]:
    """The most-frequent-tag baseline: each word gets its most frequent tag in `train`, whatever its case, and any other
    word the most frequent tag of all. Ties go to the first in the alphabet.

    Args:
        train: sentences, some of which have `tagset`.
        sentences: the sentences to tag.
    """
    by_word: dict[str, Counter[str]] = {}
    overall: Counter[str] = Counter()
    for sentence in train:
        tags = sentence.tags.get(tagset, ())
        overall.update(filter(None, tags))
        for token, tag in zip(sentence.tokens if tags else (), tags, strict=True):
            if tag == UNTAGGED:
                continue
            by_word.setdefault(token.lower(), Counter())[tag] += 1
    best = {word: _most_frequent(counts) for word, counts in by_word.items()}
    default = _most_frequent(overall)
    return [[best.get(token.lower(), default) for token in sentence.tokens] for sentence in sentences]


def confusion_matrix(report: Report) -> list[list[int]]:
    """Counts by gold tag (rows) and predicted tag (columns), both in the order of `Report.tags`."""
    index = {tag: place for place, tag in enumerate(report.tags)}
    matrix = [[0] * len(index) for _ in index]
    for gold, tag, count in report.confusions:
        matrix[index[gold]][index[tag]] = count
    for place, (row, score) in enumerate(zip(matrix, report.tags.values(), strict=True)):
        row[place] = score.support - sum(row)
    return matrix


def _ambiguous(sentences: Sequence[Sentence], tagset: str) -> set[str]:
    """The lower-cased words that have more than one tag."""
    tags: dict[str, set[str]] = {}
    for sentence in sentences:
        for token, tag in zip(sentence.tokens, sentence.tags[tagset], strict=True):
            if tag != UNTAGGED:
                tags.setdefault(token.lower(), set()).add(tag)
    return {word for word, its_tags in tags.items() if len(its_tags) > 1}


def _most_frequent(counts: Counter[str]) -> str:
    return min(counts, key=lambda tag: (-counts[tag], tag), default="")


def _mistaken_words(triples: Counter[tuple[str, str, str]]) -> tuple[MistakenWord, ...]:
    """The `MISTAKEN_WORDS` words with the most wrong tags. Ties go to the rarer word, then by the alphabet."""
    tokens: Counter[str] = Counter()
    wrong: dict[str, list[tuple[int, str, str]]] = {}
    for (word, gold, tag), count in triples.items():
        tokens[word] += count
        if gold != tag:
            wrong.setdefault(word, []).append((-count, gold, tag))
    mistaken = [
        MistakenWord(word, -sum(count for count, _, _ in pairs), tokens[word], *min(pairs)[1:])
        for word, pairs in wrong.items()
    ]
    return tuple(sorted(mistaken, key=lambda w: (-w.wrong, w.tokens, w.word))[:MISTAKEN_WORDS])


def _calibration(
    sentences: Sequence[Sentence],
    tagset: str,
    predicted: Sequence[Sequence[str]],
    confidences: Sequence[Sequence[float]],
) -> tuple[CalibrationBin, ...]:
    """`CALIBRATION_BINS` bins of equal width."""
    tokens, hits, sums = [0] * CALIBRATION_BINS, [0] * CALIBRATION_BINS, [0.0] * CALIBRATION_BINS
    for sentence, tags, shares in zip(sentences, predicted, confidences, strict=True):
        for gold, tag, share in zip(sentence.tags[tagset], tags, shares, strict=True):
            if gold == UNTAGGED:
                continue
            place = min(int(share * CALIBRATION_BINS), CALIBRATION_BINS - 1)
            tokens[place] += 1
            hits[place] += gold == tag
            sums[place] += share
    return tuple(
        CalibrationBin(count, total / count if count else 0.0, correct / count if count else 0.0)
        for count, correct, total in zip(tokens, hits, sums, strict=True)
    )


def _calibration_error(bins: Sequence[CalibrationBin]) -> float:
    """The expected calibration error (Guo et al. 2017)."""
    tokens = sum(b.tokens for b in bins)
    return sum(b.tokens * abs(b.confidence - b.accuracy) for b in bins) / tokens if tokens else 0.0


def _tag_scores(pairs: Counter[tuple[str, str]]) -> dict[str, TagScore]:
    support: Counter[str] = Counter()
    guesses: Counter[str] = Counter()
    for (gold, tag), count in pairs.items():
        support[gold] += count
        guesses[tag] += count
    scores = {}
    for tag in sorted(support | guesses):
        hits = pairs[tag, tag]
        precision = hits / guesses[tag] if guesses[tag] else 0.0
        recall = hits / support[tag] if support[tag] else 0.0
        f1 = 2 * precision * recall / (precision + recall) if hits else 0.0
        scores[tag] = TagScore(precision, recall, f1, support[tag])
    return scores


def percent(share: float | None) -> str:
    """A share (0 to 1) in percent, or a dash."""
    return "–" if share is None else f"{100 * share:.2f} %"


def dev_figure(value: float | None, measure: str) -> str:
    """A dev figure of a learning curve, as people read it; see `learning_curve.Scale`."""
    return percent(value) if measure == "accuracy" or not value else f"{1 / value:.1f}"


def fingerprint(sentences: Iterable[Sentence], tagset: str) -> str:
    """Eight hexadecimal digits that identify a gold standard."""
    digest = hashlib.sha256()
    for sentence in sentences:
        for token, tag in zip(sentence.tokens, sentence.tags[tagset], strict=True):
            digest.update(f"{token}\t{tag}\n".encode("utf-8", "surrogatepass"))
        digest.update(b"\n")
    return digest.hexdigest()[:8]


@dataclass(frozen=True, slots=True)
class TagScore:
    """Precision, recall and F1 (0 to 1) of one tag, and its number of gold tokens."""

    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True, slots=True)
class MistakenWord:
    """A lower-cased word that was tagged wrong.

    Attributes:
        wrong: how often.
        tokens: how often the word occurs.
        gold, predicted: its most frequent confusion.
    """

    word: str
    wrong: int
    tokens: int
    gold: str
    predicted: str


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """The tokens whose tags have about equal confidence: how many, their mean confidence and their accuracy (both 0 to
    1, and 0 without tokens)."""

    tokens: int
    confidence: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class Report:
    """How well predicted tags agree with gold tags.

    Every accuracy lies between 0 and 1, or is None where there is nothing to measure it on.

    Attributes:
        tokens: those with a gold tag.
        untagged_tokens: all others, which no other figure counts.
        unknown_tokens: tokens whose word is not in the training data.
        ambiguous_tokens: tokens whose lower-cased form has more than one tag in these gold sentences. (A model does not
            store how many it has in the training data.)
        known_accuracy, unknown_accuracy, ambiguous_accuracy: on these tokens only.
        sentence_accuracy: the share of sentences without a wrong tag.
        calibration_error: the mean difference between confidence and accuracy (0 to 1).
        calibration: bins of equal width, from the lowest confidence up; empty without confidences.
        intervals: by accuracy, the ends of its 95 % interval (see `significance`); None for fewer than two sentences.
        confusions: (gold tag, predicted tag, count), the most frequent first.
        words: the words most often tagged wrong.
    """

    sentences: int
    tokens: int
    untagged_tokens: int
    unknown_tokens: int
    ambiguous_tokens: int
    accuracy: float
    known_accuracy: float | None
    unknown_accuracy: float | None
    ambiguous_accuracy: float | None
    sentence_accuracy: float
    calibration_error: float | None
    intervals: Mapping[str, tuple[float, float] | None]
    tags: Mapping[str, TagScore]
    confusions: tuple[tuple[str, str, int], ...]
    words: tuple[MistakenWord, ...]
    calibration: tuple[CalibrationBin, ...]


@dataclass(frozen=True, slots=True)
class TagError:
    """A wrong tag: the token's position in its sentence, from 0, and the confidence (0 to 1) if it is known."""

    token: int
    gold: str
    predicted: str
    confidence: float | None


@dataclass(frozen=True, slots=True)
class SentenceErrors:
    """A sentence with wrong tags, and its number among all, from 1."""

    number: int
    tokens: tuple[str, ...]
    mistakes: tuple[TagError, ...]
