"""Gold tags and predicted tags to figures."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rnntag.sentences import Sentence

CALIBRATION_BINS = 15
MISTAKEN_WORDS = 100
"""How many a report holds."""

ACCURACIES = ("accuracy", "known_accuracy", "unknown_accuracy", "ambiguous_accuracy", "sentence_accuracy")
"""Those that a report holds with an interval."""


def evaluate(
    sentences: Sequence[Sentence],
    tagset: str,
    predicted: Sequence[Sequence[str]],
    is_known: Sequence[Sequence[bool]],
    confidences: Sequence[Sequence[float]] = (),
) -> Report:
    """How far the predicted tags agree with those of `tagset`.

    A tag that was never predicted has precision 0; one that is not in the gold tags, recall 0.

    Args:
        sentences: the gold sentences; each has `tagset`.
        predicted: one tag for each of their tokens.
        is_known: for each of their tokens whether training has seen its word.
        confidences: for each of their tokens the probability (0 to 1) of the tag predicted; or none.
    """
    from rnntag.evaluation.significance import intervals  # NumPy, which help does without

    ambiguous = _ambiguous(sentences, tagset)
    triples: Counter[tuple[str, str, str]] = Counter()
    counts = []  # for each sentence and each of `ACCURACIES`, right and of how many
    for sentence, tags, known in zip(sentences, predicted, is_known, strict=True):
        gold = sentence.tags[tagset]
        words = [token.lower() for token in sentence.tokens]
        triples.update(zip(words, gold, tags, strict=True))
        hits = [expected == tag for expected, tag in zip(gold, tags, strict=True)]
        seen_hits = [hit for hit, seen in zip(hits, known, strict=True) if seen]
        unclear = [hit for hit, word in zip(hits, words, strict=True) if word in ambiguous]
        right, seen_right = sum(hits), sum(seen_hits)
        counts.append(
            (
                (right, len(hits)),
                (seen_right, len(seen_hits)),
                (right - seen_right, len(hits) - len(seen_hits)),
                (sum(unclear), len(unclear)),
                (right == len(hits), 1),
            )
        )
    totals = [tuple(map(sum, zip(*column, strict=True))) for column in zip(*counts, strict=True)] or [(0, 0)] * 5
    (_, tokens), _, (_, unseen), (_, unclear_tokens), _ = totals
    shares = {name: right / of if of else None for name, (right, of) in zip(ACCURACIES, totals, strict=True)}
    pairs: Counter[tuple[str, str]] = Counter()
    for (_, gold_tag, tag), count in triples.items():
        pairs[gold_tag, tag] += count
    wrong = [(gold_tag, tag, count) for (gold_tag, tag), count in pairs.items() if gold_tag != tag]
    bins = _calibration(sentences, tagset, predicted, confidences) if confidences else ()
    return Report(
        sentences=len(sentences),
        tokens=tokens,
        unknown_tokens=unseen,
        ambiguous_tokens=unclear_tokens,
        accuracy=shares["accuracy"] or 0.0,
        known_accuracy=shares["known_accuracy"],
        unknown_accuracy=shares["unknown_accuracy"],
        ambiguous_accuracy=shares["ambiguous_accuracy"],
        sentence_accuracy=shares["sentence_accuracy"] or 0.0,
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
    """The sentences that have a wrong tag, in order; see `evaluate` for the arguments."""
    for position, (sentence, tags) in enumerate(zip(sentences, predicted, strict=True)):
        mistakes = tuple(
            TagError(token, gold, tag, confidences[position][token] if confidences else None)
            for token, (gold, tag) in enumerate(zip(sentence.tags[tagset], tags, strict=True))
            if gold != tag
        )
        if mistakes:
            yield SentenceErrors(position + 1, sentence.tokens, mistakes)


def most_frequent_tags(train: Iterable[Sentence], tagset: str, sentences: Iterable[Sentence]) -> list[list[str]]:
    """What a tagger answers that gives each word the tag that it has most often in `train`, in upper or lower
    case, and any other word the commonest tag of all; of equals the first in the alphabet.

    Args:
        train: sentences, some of which have `tagset`.
        sentences: those to tag.
    """
    by_word: dict[str, Counter[str]] = {}
    overall: Counter[str] = Counter()
    for sentence in train:
        tags = sentence.tags.get(tagset, ())
        overall.update(tags)
        for token, tag in zip(sentence.tokens if tags else (), tags, strict=True):
            by_word.setdefault(token.lower(), Counter())[tag] += 1
    best = {word: _commonest(counts) for word, counts in by_word.items()}
    otherwise = _commonest(overall)
    return [[best.get(token.lower(), otherwise) for token in sentence.tokens] for sentence in sentences]


def confusion_matrix(report: Report) -> list[list[int]]:
    """How often each gold tag (a row) was given each tag (a column), both in the order of `Report.tags`."""
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
            tags.setdefault(token.lower(), set()).add(tag)
    return {word for word, found in tags.items() if len(found) > 1}


def _commonest(counts: Counter[str]) -> str:
    return min(counts, key=lambda item: (-counts[item], item), default="")


def _mistaken_words(triples: Counter[tuple[str, str, str]]) -> tuple[MistakenWord, ...]:
    """The `MISTAKEN_WORDS` words with the most wrong tags; of equals the rarer ones first, then by the alphabet."""
    tokens: Counter[str] = Counter()
    wrong: dict[str, list[tuple[int, str, str]]] = {}
    for (word, gold, tag), count in triples.items():
        tokens[word] += count
        if gold != tag:
            wrong.setdefault(word, []).append((-count, gold, tag))
    found = [
        MistakenWord(word, -sum(count for count, _, _ in pairs), tokens[word], *min(pairs)[1:])
        for word, pairs in wrong.items()
    ]
    return tuple(sorted(found, key=lambda one: (-one.wrong, one.tokens, one.word))[:MISTAKEN_WORDS])


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
            place = min(int(share * CALIBRATION_BINS), CALIBRATION_BINS - 1)
            tokens[place] += 1
            hits[place] += gold == tag
            sums[place] += share
    return tuple(
        CalibrationBin(count, total / count if count else 0.0, right / count if count else 0.0)
        for count, right, total in zip(tokens, hits, sums, strict=True)
    )


def _calibration_error(bins: Sequence[CalibrationBin]) -> float:
    """The expected calibration error (Guo et al. 2017)."""
    tokens = sum(one.tokens for one in bins)
    return sum(one.tokens * abs(one.confidence - one.accuracy) for one in bins) / tokens if tokens else 0.0


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
    """A share (0 to 1) as people read it."""
    return "–" if share is None else f"{100 * share:.2f} %"


def fingerprint(sentences: Iterable[Sentence], tagset: str) -> str:
    """Eight hexadecimal digits that tell one gold standard from another."""
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
    """A word, lower-cased, that was given wrong tags.

    Attributes:
        wrong: how often.
        tokens: how often it occurs.
        gold, predicted: its commonest confusion.
    """

    word: str
    wrong: int
    tokens: int
    gold: str
    predicted: str


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """The tokens whose tags were given with about equal confidence: how many, and their mean confidence and
    accuracy (0 to 1), both 0 where there are none."""

    tokens: int
    confidence: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class Report:
    """How the predicted tags of some sentences agree with the gold ones.

    Every accuracy lies between 0 and 1, or is None where there is nothing to measure it on.

    Attributes:
        unknown_tokens: those whose word training has not seen.
        ambiguous_tokens: those whose lower-cased form has more than one tag in these gold sentences. (How many
            it has in its training data, a model does not tell.)
        known_accuracy, unknown_accuracy, ambiguous_accuracy: on these tokens alone.
        sentence_accuracy: the share of sentences without a wrong tag.
        calibration_error: how far, in the mean, confidence and accuracy differ (0 to 1).
        calibration: bins of equal width, the least confident first; none without confidences.
        intervals: for each accuracy, by its name, the ends of its 95 % interval (see `significance`), or None
            where there are fewer than two sentences.
        confusions: (gold tag, predicted tag, count), the commonest first.
        words: those most often mistaken.
    """

    sentences: int
    tokens: int
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
    """A wrong tag: the token's position in its sentence, from 0, and the confidence (0 to 1) if that is known."""

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
