"""How well a model tags gold sentences."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rnntag.corpora.raw_text import gold_paragraphs
from rnntag.errors import DataError
from rnntag.evaluation import metrics, significance
from rnntag.evaluation.metrics import Report, SentenceErrors
from rnntag.evaluation.segmentation import PRF, agreement
from rnntag.evaluation.significance import Difference
from rnntag.sentences import Sentence
from rnntag.tagger import Tagger
from rnntag.version import __version__

ERRORS_HELD = 2000
"""Sentences with a wrong tag that are given as JSON."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What a model makes of gold sentences; see `evaluation.evaluate`.

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
        """For each token whether its tag is right."""
        return [
            [gold == tag for gold, tag in zip(sentence.tags[self.tagset], tags, strict=True)]
            for sentence, tags in zip(self.gold, self.predicted, strict=True)
        ]


@dataclass(frozen=True, slots=True)
class _Measured:
    model: str
    corpus: str
    part: str
    tagset: str
    signature: str

    def _what(self) -> dict[str, str]:
        """What was measured, as JSON takes it."""
        return {name: getattr(self, name) for name in ("corpus", "part", "tagset", "model", "signature")}


@dataclass(frozen=True, slots=True)
class Result(_Measured):
    """One model measured on one tagset of one corpus's part.

    Attributes:
        model: what tells it from the other models.
        tagset: the model's name for it.
        signature: what tells whether two people have measured the same.
        baseline: how well a tagger does that gives each word the tag that it has most often in the corpus's
            train part (even if that is what is measured), "seen" being what the model has seen; None where there is
            no such part.
        against: how it differs from the first model; None for that.
        errors: the sentences that have a wrong tag.
    """

    report: Report
    baseline: Report | None
    against: Difference | None
    errors: tuple[SentenceErrors, ...]

    def figures(self) -> dict[str, Any]:
        """All of it as JSON takes it, the first `ERRORS_HELD` sentences with errors among it."""
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
    """One model measured on the raw text of one corpus's part, with one tagset; see `Result`.

    Attributes:
        agreement: of `words`, `sentences` and `tags`.
    """

    agreement: Mapping[str, PRF]

    def figures(self) -> dict[str, Any]:
        """All of it as JSON takes it."""
        return {
            **self._what(),
            **{kind: {**asdict(found), "f1": found.f1} for kind, found in self.agreement.items()},
        }


def results(
    taggers: Mapping[str, Tagger], name: str, part: str, sentences: tuple[Sentence, ...], train: Sequence[Sentence] = ()
) -> Iterator[list[Result]]:
    """For each tagset that all models share with the corpus, how well each of them does, in the order given.

    Args:
        taggers: by what tells them apart.
        name, part: of the corpus.
        train: its train part, for the baseline.

    Raises:
        DataError: they share none.
    """
    for tagset, heads in _heads(taggers, name, sentences).items():
        first: list[list[bool]] | None = None
        found = []
        for label, tagger in taggers.items():
            answers = _answers(tagger, tagset, heads[label], sentences)
            gold, hits = answers.gold, answers.hits
            baseline = None
            if any(tagset in sentence.tags for sentence in train):
                guesses = metrics.most_frequent_tags(train, tagset, gold)
                baseline = metrics.evaluate(gold, answers.tagset, guesses, answers.known)
            errors = metrics.faulty(gold, answers.tagset, answers.predicted, answers.confidences)
            found.append(
                Result(
                    model=label,
                    corpus=name,
                    part=part,
                    tagset=answers.tagset,
                    signature=_signature(tagger, f"corpus {name}/{part}", gold, answers.tagset),
                    report=answers.report,
                    baseline=baseline,
                    against=None if first is None else significance.difference(hits, first),
                    errors=tuple(errors),
                )
            )
            first = hits if first is None else first
        yield found


def measure(tagger: Tagger, name: str, sentences: tuple[Sentence, ...]) -> Iterator[tuple[str, list[Sentence], Report]]:
    """For each tagset that the model and the corpus share: the model's name for it, the sentences
    that have it, and how well the model does on them.

    Raises:
        DataError: they share none.
    """
    for tagset, heads in _heads({"": tagger}, name, sentences).items():
        answers = _answers(tagger, tagset, heads[""], sentences)
        yield answers.tagset, answers.gold, answers.report


def _answers(tagger: Tagger, tagset: str, head: str, sentences: tuple[Sentence, ...]) -> Answers:
    gold = [Sentence(s.tokens, {head: s.tags[tagset]}) for s in sentences if tagset in s.tags]
    likeliest = tagger.predict([sentence.tokens for sentence in gold], head, top=1)
    return Answers(
        tagset=head,
        gold=gold,
        predicted=[[tag_probs[0][0] for tag_probs in sentence] for sentence in likeliest],
        known=[[tagger.is_known(token) for token in sentence.tokens] for sentence in gold],
        confidences=[[tag_probs[0][1] for tag_probs in sentence] for sentence in likeliest],
    )


def _signature(tagger: Tagger, what: str, gold: Sequence[Sentence], tagset: str) -> str:
    model = tagger.model
    gold_standard = f"{what}:{metrics.fingerprint(gold, tagset)}"
    bits = "" if tagger.int8 else " | fp32"
    return f"rnntag {__version__} | model {model.name}:{model.digest}{bits} | {gold_standard} | tagset {tagset}"


def raw_results(
    taggers: Mapping[str, Tagger], name: str, part: str, sentences: tuple[Sentence, ...]
) -> Iterator[list[RawResult]]:
    """For each tagset that all models share with the corpus, how well each of them does on its raw text, in
    the order given; see `results`.

    Raises:
        DataError: they share none, or nothing tells how the words stand in the text.
        UsageError: a model has no segmenter.
    """
    for tagset, heads in _heads(taggers, name, sentences).items():
        yield [
            _raw_result(tagger, label, name, part, sentences, tagset, heads[label]) for label, tagger in taggers.items()
        ]


def _raw_result(
    tagger: Tagger, label: str, name: str, part: str, sentences: tuple[Sentence, ...], tagset: str, head: str
) -> RawResult:
    gold = [sentence for sentence in sentences if tagset in sentence.tags]
    text = gold_paragraphs(gold, name)
    found = tagger.find([passage.text for passage in text], head)
    named = [Sentence(sentence.tokens, {head: sentence.tags[tagset]}) for sentence in gold]
    signature = _signature(tagger, f"text {name}/{part}", named, head)
    return RawResult(label, name, part, head, signature, agreement(text, found, tagset))


def micro_average(reports: Iterable[Report]) -> tuple[float, float | None]:
    """The accuracy over the tokens of all reports, and over their unseen ones; None if there are none."""
    right = tokens = unseen_right = unseen_tokens = 0.0
    for report in reports:
        right += report.accuracy * report.tokens
        tokens += report.tokens
        unseen_right += (report.unseen_accuracy or 0) * report.unseen_tokens
        unseen_tokens += report.unseen_tokens
    return right / tokens, unseen_right / unseen_tokens if unseen_tokens else None


def _heads(taggers: Mapping[str, Tagger], name: str, sentences: tuple[Sentence, ...]) -> dict[str, dict[str, str]]:
    """The gold tagsets that all models can be measured on, each with the models' heads for it.

    That is a model's head of the same name, or else one that has all of the gold tags.
    """
    gold: dict[str, set[str]] = {}
    for sentence in sentences:
        for tagset, tags in sentence.tags.items():
            gold.setdefault(tagset, set()).update(tags)
    shared: dict[str, dict[str, str]] = {tagset: {} for tagset in gold}
    for label, tagger in taggers.items():
        for tagset, inventory in gold.items():
            heads = [head for head in tagger.tagsets if inventory <= set(tagger.model.vocabulary.tags[head])]
            if tagset in tagger.tagsets or heads:
                shared[tagset][label] = tagset if tagset in tagger.tagsets else heads[0]
        if not any(label in heads for heads in shared.values()):
            raise DataError(
                f"{name} is tagged with {', '.join(gold)}, which the model {tagger.model.name} does not know: "
                f"it knows {', '.join(tagger.tagsets)}"
            )
    common = {tagset: heads for tagset, heads in shared.items() if len(heads) == len(taggers)}
    if not common:
        raise DataError(
            f"{name} is tagged with {', '.join(gold)}, none of which all of these models know: {', '.join(taggers)}"
        )
    return common
