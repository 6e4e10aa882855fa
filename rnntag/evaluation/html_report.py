"""Results as one self-contained HTML page: tables, charts, and a browser of the errors."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import astuple
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from rnntag.evaluation.evaluate import Result
from rnntag.evaluation.metrics import ACCURACIES, Report, SentenceErrors, confusion_matrix, percent
from rnntag.evaluation.tables import BASELINE, interval, probability
from rnntag.model.learning_curve import Epoch

TEMPLATE = Path(__file__).with_name("report.html")
STYLE = Path(__file__).with_name("page.css")
SENTENCES_SHOWN = 2000
"""Sentences with errors, for each result."""

TAGS_SHOWN = 40
"""Tags in the heat map: those with the most errors."""


def write(results: Sequence[Result], learned: Mapping[str, Sequence[Epoch]]) -> str:
    """The page.

    Args:
        results: at least one.
        learned: by model, the epochs of its training, if they are known.
    """
    corpora = dict.fromkeys(result.corpus for result in results)
    data = {"results": [_data(result, learned.get(result.model, ())) for result in results]}
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        style=STYLE.read_text(encoding="utf-8"),
        title=escape(f"rnntag eval: {', '.join(corpora)}"),
        summary=_summary(results),
        data=embedded(data),
    )


def embedded(data: object) -> str:
    """Data as JSON for a script element: nothing in it ends the element or opens a comment."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _data(result: Result, learned: Sequence[Epoch]) -> dict[str, Any]:
    report = result.report
    return {
        "name": f"{result.title}: {result.model}",
        "signature": result.signature,
        "tags": {tag: [s.precision, s.recall, s.f1, s.support] for tag, s in report.tags.items()},
        "matrix": _matrix(report),
        "words": [astuple(word) for word in report.words],
        "calibration": [astuple(calibration_bin) for calibration_bin in report.calibration],
        "error": percent(report.calibration_error),
        "learned": [[epoch.epoch, epoch.loss, epoch.dev_accuracy, epoch.dev] for epoch in learned],
        "faulty": len(result.errors),
        "errors": [_sentence(sentence) for sentence in result.errors[:SENTENCES_SHOWN]],
    }


def _matrix(report: Report) -> dict[str, Any]:
    """The confusion matrix of at most `TAGS_SHOWN` tags."""
    errors = dict.fromkeys(report.tags, 0)
    for gold, tag, count in report.confusions:
        errors[gold] += count
        errors[tag] += count
    most = set(sorted(errors, key=lambda tag: -errors[tag])[:TAGS_SHOWN])
    places = [place for place, tag in enumerate(report.tags) if tag in most]
    counts = confusion_matrix(report)
    tags = [*report.tags]
    return {"tags": [tags[place] for place in places], "counts": [[counts[a][b] for b in places] for a in places]}


def _sentence(sentence: SentenceErrors) -> list[Any]:
    """Its number, its words and its mistakes."""
    mistakes = [
        [error.token, error.gold, error.predicted, None if error.confidence is None else round(error.confidence, 3)]
        for error in sentence.mistakes
    ]
    return [sentence.number, sentence.tokens, mistakes]


def _summary(results: Sequence[Result]) -> str:
    """The rows of the table of all results: the accuracies, and the difference from the first model."""
    rows = []
    baseline: Report | None = None
    for place, result in enumerate(results):
        if result.against is None:
            baseline = result.baseline  # its known words are those of the first model, as on the terminal
        following = results[place + 1] if place + 1 < len(results) else None
        difference = ""
        if against := result.against:
            difference = (
                f"{100 * against.difference:+.2f}<br><small>p = {escape(probability(against.bootstrap))}<br>"
                f"McNemar {escape(probability(against.mcnemar))}</small>"
            )
        rows.append(_row(result.title, result.model, result.report, difference))
        if baseline and (following is None or following.against is None):
            rows.append(_row(result.title, BASELINE, baseline, ""))
    return "\n".join(rows)


def _row(title: str, name: str, report: Report, difference: str) -> str:
    shares = "".join(
        f"<td>{percent(getattr(report, share))}<br><small>{interval(report.intervals[share])}</small></td>"
        for share in ACCURACIES
    )
    heads = f"<th>{escape(name)}<br><small>{escape(title)}</small></th>"
    return f"<tr>{heads}{shares}<td>{percent(report.calibration_error)}</td><td>{difference}</td></tr>"
