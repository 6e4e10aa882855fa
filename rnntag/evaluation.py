"""Gold tags and predicted tags to figures."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence

from rnntag.schema import Report, Sentence, TagScore

CALIBRATION_BINS = 15


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
    pairs: Counter[tuple[str, str]] = Counter()
    unseen = unseen_correct = right_sentences = 0
    for sentence, tags, known in zip(sentences, predicted, is_known, strict=True):
        gold = sentence.tags[tagset]
        pairs.update(zip(gold, tags, strict=True))
        right_sentences += tuple(tags) == gold
        for expected, tag, seen in zip(gold, tags, known, strict=True):
            if not seen:
                unseen += 1
                unseen_correct += expected == tag
    tokens = pairs.total()
    correct = sum(count for (gold_tag, tag), count in pairs.items() if gold_tag == tag)
    wrong = [(gold_tag, tag, count) for (gold_tag, tag), count in pairs.items() if gold_tag != tag]
    return Report(
        sentences=len(sentences),
        tokens=tokens,
        unseen_tokens=unseen,
        accuracy=correct / tokens if tokens else 0.0,
        unseen_accuracy=unseen_correct / unseen if unseen else None,
        sentence_accuracy=right_sentences / len(sentences) if sentences else 0.0,
        calibration_error=_calibration_error(sentences, tagset, predicted, confidences) if confidences else None,
        tags=_tag_scores(pairs),
        confusions=tuple(sorted(wrong, key=lambda item: (-item[2], item[0], item[1]))),
    )


def _calibration_error(
    sentences: Sequence[Sentence],
    tagset: str,
    predicted: Sequence[Sequence[str]],
    confidences: Sequence[Sequence[float]],
) -> float:
    """The expected calibration error over `CALIBRATION_BINS` bins of equal width (Guo et al. 2017)."""
    excess = [0.0] * CALIBRATION_BINS  # confidence less hits, summed over the tokens of a bin
    tokens = 0
    for sentence, tags, shares in zip(sentences, predicted, confidences, strict=True):
        for gold, tag, share in zip(sentence.tags[tagset], tags, shares, strict=True):
            excess[min(int(share * CALIBRATION_BINS), CALIBRATION_BINS - 1)] += share - (gold == tag)
            tokens += 1
    return sum(map(abs, excess)) / tokens if tokens else 0.0


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
