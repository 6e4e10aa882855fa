"""How well a model tags gold sentences."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rnntag.corpora.raw_text import gold_paragraphs
from rnntag.errors import DataError
from rnntag.evaluation import metrics, significance
from rnntag.evaluation.metrics import Report, SentenceErrors
from rnntag.evaluation.segmentation import PRF, agreement, multiword_agreement, token_agreement
from rnntag.evaluation.significance import Difference
from rnntag.sentences import NATIVE, UNIVERSAL, UNTAGGED, Sentence
from rnntag.tagger import Tagger
from rnntag.version import __version__

ERRORS_HELD = 2000
"""Sentences with wrong tags in the JSON of a result, at most."""


@dataclass(frozen=True, slots=True)
class _Predictions:
    """A model's tags for gold sentences; see `metrics.evaluate`.

    Attributes:
        tagset: the model's name for it.
        gold: the sentences that have it.
    """

    tagset: str
    gold: list[Sentence]
    predicted: list[list[str]]
    known: list[list[bool]]
    confidences: list[list[float]]

    @property
    def report(self) -> Report:
        return metrics.evaluate(self.gold, self.tagset, self.predicted, self.known, self.confidences)

    @property
    def hits(self) -> list[list[bool]]:
        """For each token with a gold tag, whether its tag is correct."""
        return [
            [gold == tag for gold, tag in zip(sentence.tags[self.tagset], tags, strict=True) if gold != UNTAGGED]
            for sentence, tags in zip(self.gold, self.predicted, strict=True)
        ]


@dataclass(frozen=True, slots=True)
class _Measured:
    model: str
    corpus: str
    split: str
    tagset: str
    signature: str

    @property
    def title(self) -> str:
        return f"{self.corpus}, {self.split} split, {self.tagset} tags"

    def _what(self) -> dict[str, str]:
        """What was measured, for JSON."""
        return {name: getattr(self, name) for name in ("corpus", "split", "tagset", "model", "signature")}


@dataclass(frozen=True, slots=True)
class Result(_Measured):
    """One model measured on one tagset of one split of a corpus.

    Attributes:
        model: its label, different from that of the other models.
        tagset: the model's name for it.
        signature: equal signatures mean the same model on the same test set.
        baseline: the most-frequent-tag baseline from the corpus's train split (even if that is measured), with the
            model's known words; None without a train split.
        against: the difference from the first model; None for the first.
        errors: the sentences with wrong tags.
    """

    report: Report
    baseline: Report | None
    against: Difference | None
    errors: tuple[SentenceErrors, ...]

    def figures(self) -> dict[str, Any]:
        """All of it for JSON, with the first `ERRORS_HELD` sentences with errors."""
        return {
            **self._what(),
            **asdict(self.report),
            "matrix": {"tags": [*self.report.tags], "counts": metrics.confusion_matrix(self.report)},
            "baseline": {
                name: getattr(self.baseline, name) for name in (*metrics.ACCURACIES, "intervals")
            } if self.baseline else None,
            "against": asdict(self.against) if self.against else None,
            "errors": [asdict(sentence) for sentence in self.errors[:ERRORS_HELD]],
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class RawResult(_Measured):
    """One model measured on the raw text of one split of a corpus, with one tagset; see `Result`.

    Attributes:
        agreement: of `words`, `sentences` and `tags`; of `tokens` and `multiwords` too if there are multiword tokens.
    """

    agreement: Mapping[str, PRF]

    def figures(self) -> dict[str, Any]:
        """All of it for JSON."""
        return {
            **self._what(),
            **{kind: {**asdict(prf), "f1": prf.f1} for kind, prf in self.agreement.items()},
        }


def results(
    taggers: Mapping[str, Tagger],
    name: str,
    split: str,
    sentences: tuple[Sentence, ...],
    train: Sequence[Sentence] = (),
) -> Iterator[list[Result]]:
    """For each tagset that all models share with the corpus, the result of each model.

    Args:
        taggers: by label.
        name, split: of the corpus.
        train: its train split, for the baseline.

    Raises:
        DataError: they share none.
    """
    for tagset, heads in _heads(taggers, name, sentences).items():
        first_hits: list[list[bool]] | None = None
        group = []
        for label, tagger in taggers.items():
            predictions = _predictions(tagger, tagset, heads[label], sentences)
            gold, hits = predictions.gold, predictions.hits
            baseline = None
            if any(tagset in sentence.tags for sentence in train):
                most_frequent = metrics.most_frequent_tags(train, tagset, gold)
                baseline = metrics.evaluate(gold, predictions.tagset, most_frequent, predictions.known)
            errors = metrics.faulty(gold, predictions.tagset, predictions.predicted, predictions.confidences)
            group.append(
                Result(
                    model=label,
                    corpus=name,
                    split=split,
                    tagset=predictions.tagset,
                    signature=_signature(tagger, f"corpus {name}/{split}", gold, predictions.tagset),
                    report=predictions.report,
                    baseline=baseline,
                    against=None if first_hits is None else significance.difference(hits, first_hits),
                    errors=tuple(errors),
                )
            )
            first_hits = hits if first_hits is None else first_hits
        yield group


def measure(tagger: Tagger, name: str, sentences: tuple[Sentence, ...]) -> Iterator[tuple[str, list[Sentence], Report]]:
    """For each tagset that the model and the corpus share: the model's name for it, the sentences that have it, and the
    model's report on them.

    Raises:
        DataError: they share none.
    """
    for tagset, heads in _heads({"": tagger}, name, sentences).items():
        predictions = _predictions(tagger, tagset, heads[""], sentences)
        yield predictions.tagset, predictions.gold, predictions.report


def _predictions(tagger: Tagger, tagset: str, head: str, sentences: tuple[Sentence, ...]) -> _Predictions:
    gold = [Sentence(s.tokens, {head: s.tags[tagset]}) for s in sentences if tagset in s.tags]
    predictions = tagger.predict([sentence.tokens for sentence in gold], head, top=1)
    return _Predictions(
        tagset=head,
        gold=gold,
        predicted=[[tag_probs[0][0] for tag_probs in sentence] for sentence in predictions],
        known=[[tagger.is_known(token) for token in sentence.tokens] for sentence in gold],
        confidences=[[tag_probs[0][1] for tag_probs in sentence] for sentence in predictions],
    )


def _signature(tagger: Tagger, what: str, gold: Sequence[Sentence], tagset: str) -> str:
    model = tagger.model
    gold_standard = f"{what}:{metrics.fingerprint(gold, tagset)}"
    bits = "" if tagger.int8 else " | fp32"
    return f"rnntag {__version__} | model {model.name}:{model.digest}{bits} | {gold_standard} | tagset {tagset}"


def raw_results(
    taggers: Mapping[str, Tagger], name: str, split: str, sentences: tuple[Sentence, ...]
) -> Iterator[list[RawResult]]:
    """For each tagset that all models share with the corpus, the result of each model on its raw text; see `results`.

    Raises:
        DataError: they share none, or the corpus does not have the text between its words.
        UsageError: a model has no segmenter.
    """
    for tagset, heads in _heads(taggers, name, sentences).items():
        gold = [sentence for sentence in sentences if tagset in sentence.tags]
        paragraphs = gold_paragraphs(gold, name)
        group = []
        for label, tagger in taggers.items():
            head = heads[label]
            segmented = tagger.find([paragraph.text for paragraph in paragraphs], head)
            named = [Sentence(sentence.tokens, {head: sentence.tags[tagset]}) for sentence in gold]
            signature = _signature(tagger, f"text {name}/{split}", named, head)
            figures = agreement(paragraphs, segmented, tagset)
            if any(
                paragraph.multiwords or own.multiwords for paragraph, own in zip(paragraphs, segmented, strict=True)
            ):
                figures = {
                    "tokens": token_agreement(paragraphs, segmented),
                    "multiwords": multiword_agreement(paragraphs, segmented),
                    **figures,
                }
            group.append(RawResult(label, name, split, head, signature, figures))
        yield group


def micro_average(reports: Iterable[Report]) -> tuple[float, float | None]:
    """The accuracy over the tokens of all reports, and over their unknown words; None if there are none."""
    correct = tokens = unknown_correct = unknown_tokens = 0.0
    for report in reports:
        correct += report.accuracy * report.tokens
        tokens += report.tokens
        unknown_correct += (report.unknown_accuracy or 0) * report.unknown_tokens
        unknown_tokens += report.unknown_tokens
    return correct / tokens, unknown_correct / unknown_tokens if unknown_tokens else None


def _heads(taggers: Mapping[str, Tagger], name: str, sentences: tuple[Sentence, ...]) -> dict[str, dict[str, str]]:
    """The gold tagsets that all models can be measured on, with each model's head for it; see `_head`."""
    gold: dict[str, set[str]] = {}
    for sentence in sentences:
        for tagset, tags in sentence.tags.items():
            gold.setdefault(tagset, set()).update(filter(None, tags))  # without UNTAGGED
    shared: dict[str, dict[str, str]] = {tagset: {} for tagset in gold}
    for label, tagger in taggers.items():
        for tagset, inventory in gold.items():
            if head := _head(tagger, tagset, inventory):
                shared[tagset][label] = head
        if not any(label in heads for heads in shared.values()):
            raise DataError(
                f"{name} is tagged with {', '.join(gold) or 'nothing'}; the model {tagger.model.name} only knows "
                f"{', '.join(tagger.tagsets)}"
            )
    common = {tagset: heads for tagset, heads in shared.items() if len(heads) == len(taggers)}
    if not common:
        raise DataError(
            f"{name} is tagged with {', '.join(gold)}, none of which is known to all of {', '.join(taggers)}"
        )
    return common


def _head(tagger: Tagger, tagset: str, inventory: set[str]) -> str | None:
    """The head for gold tags: that of the same name; for a corpus's own tags, `native`; or one that has all tags."""
    if tagset in tagger.tagsets:
        return tagset
    if NATIVE in tagger.tagsets and tagset not in UNIVERSAL:
        return NATIVE
    return next((name for name in tagger.tagsets if inventory <= {*tagger.model.vocabulary.tags[name]}), None)
