"""How well a model tags gold sentences."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rnntag import evaluation
from rnntag.running_text import passages
from rnntag.schema import DataError, Report, Sentence
from rnntag.segmentation import Agreement, agreement
from rnntag.tagger import Tagger


def measure(tagger: Tagger, name: str, sentences: tuple[Sentence, ...]) -> Iterator[tuple[str, list[Sentence], Report]]:
    """For each tagset that the model and the corpus share: the model's name for it, the sentences
    that have it, and how well the model does on them.

    Raises:
        DataError: they share none.
    """
    for tagset, head in _shared_tagsets(tagger, name, sentences):
        gold = [Sentence(s.tokens, {head: s.tags[tagset]}) for s in sentences if tagset in s.tags]
        likeliest = tagger.predict([sentence.tokens for sentence in gold], head, top=1)
        predicted = [[choices[0][0] for choices in sentence] for sentence in likeliest]
        confidences = [[choices[0][1] for choices in sentence] for sentence in likeliest]
        known = [[tagger.has_seen(token) for token in sentence.tokens] for sentence in gold]
        yield head, gold, evaluation.evaluate(gold, head, predicted, known, confidences)


def measure_raw(
    tagger: Tagger, name: str, sentences: tuple[Sentence, ...]
) -> Iterator[tuple[str, str, dict[str, Agreement]]]:
    """For each tagset that the model and the corpus share: the model's name for it, eight hexadecimal
    digits that stand for the text and its gold standard, and how well the model does on the text.

    Raises:
        DataError: they share none, or nothing tells how the words stand in the text.
        UsageError: the model has no segmenter.
    """
    for tagset, head in _shared_tagsets(tagger, name, sentences):
        gold = [sentence for sentence in sentences if tagset in sentence.tags]
        text = passages(gold, name)
        found = tagger.find([passage.text for passage in text], head)
        yield head, evaluation.fingerprint(gold, tagset), agreement(text, found, tagset)


def pooled(reports: Iterable[Report]) -> tuple[float, float | None]:
    """The accuracy over the tokens of all reports, and over their unseen ones; None if there are none."""
    right = tokens = unseen_right = unseen_tokens = 0.0
    for report in reports:
        right += report.accuracy * report.tokens
        tokens += report.tokens
        unseen_right += (report.unseen_accuracy or 0) * report.unseen_tokens
        unseen_tokens += report.unseen_tokens
    return right / tokens, unseen_right / unseen_tokens if unseen_tokens else None


def _shared_tagsets(tagger: Tagger, name: str, sentences: tuple[Sentence, ...]) -> list[tuple[str, str]]:
    """The gold tagsets that the model can be measured on, each with the head for it.

    That is the head of the same name, or else one that has all of the gold tags.
    """
    gold: dict[str, set[str]] = {}
    for sentence in sentences:
        for tagset, tags in sentence.tags.items():
            gold.setdefault(tagset, set()).update(tags)
    shared = []
    for tagset, inventory in gold.items():
        heads = [head for head in tagger.tagsets if inventory <= set(tagger.model.vocabulary.tags[head])]
        if tagset in tagger.tagsets or heads:
            shared.append((tagset, tagset if tagset in tagger.tagsets else heads[0]))
    if not shared:
        raise DataError(
            f"{name} is tagged with {', '.join(gold)}, which the model {tagger.model.name} does not know: "
            f"it knows {', '.join(tagger.tagsets)}"
        )
    return shared
