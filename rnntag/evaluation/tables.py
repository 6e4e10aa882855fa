"""Results as tables of text, for a terminal or as Markdown."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from rnntag.evaluation.metrics import confusion_matrix, percent

if TYPE_CHECKING:
    from rnntag.evaluation.evaluate import RawResult, Result
    from rnntag.evaluation.metrics import Report, SentenceErrors

MOST_SHOWN = 10
"""Rows of the tables of confusions and of words."""

MATRIX_TAGS = 20
"""A matrix of more tags would be too wide to read."""

CONTEXT = 4
"""Words on either side of a wrong one."""

LABELS = {
    "accuracy": "accuracy",
    "known_accuracy": "on known words",
    "unknown_accuracy": "on unknown words",
    "ambiguous_accuracy": "on ambiguous words",
    "sentence_accuracy": "whole sentences",
}
"""The accuracies of a report in words."""

BASELINE = "most frequent tag"

UNTAGGED_ROW = "without a gold tag (left out)"

LEAST_P = 0.0001
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|~&])")


class Table(NamedTuple):
    """A table. The columns in `numbers` are aligned to the right."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: tuple[str, ...]


def tables(results: Sequence[Result]) -> list[Table]:
    """The tables of models that were measured on the same tokens. A single model gets the details."""
    if len(results) > 1:
        return [_side_by_side(results), _differences(results), _f1_side_by_side(results)]
    (result,) = results
    report = result.report
    details = [_accuracies(result), _tags(report)]
    if len(report.tags) <= MATRIX_TAGS:
        details.append(_matrix(report))
    if report.confusions:
        details += [_confusions(report, result.errors), _words(report)]
    return details


def raw_tables(results: Sequence[RawResult]) -> list[Table]:
    """Precision, recall and F1 on raw text, a table for each model."""
    columns = ("precision", "recall", "F1", "gold", "found")
    return [
        Table(
            (f"{result.model} on " if len(results) > 1 else "") + f"raw text of {result.title}",
            ("", *columns),
            tuple(
                (kind, percent(prf.precision), percent(prf.recall), percent(prf.f1), f"{prf.gold:,}", f"{prf.found:,}")
                for kind, prf in result.agreement.items()
            ),
            columns,
        )
        for result in results
    ]


def markdown(tables: Sequence[Table], signatures: Sequence[str]) -> str:
    """Tables and signatures as Markdown."""
    parts = []
    for table in tables:
        if table.title:
            parts.append(f"### {_escaped(table.title)}")
        rule = ["---:" if column in table.numbers else "---" for column in table.columns]
        rows = [list(map(_escaped, row)) for row in (table.columns, *table.rows)]
        parts.append("\n".join(f"| {' | '.join(row)} |" for row in (rows[0], rule, *rows[1:])))
    parts += [f"    {signature}" for signature in signatures]
    return "\n\n".join(parts) + "\n"


def interval(ends: tuple[float, float] | None) -> str:
    """The ends of an interval of shares, in percent."""
    return f"{100 * ends[0]:.2f}–{100 * ends[1]:.2f}" if ends else "–"


def probability(p: float) -> str:
    """A p value in figures."""
    return f"< {LEAST_P}" if p < LEAST_P else f"{p:.4f}"


def context(sentence: SentenceErrors, token: int) -> str:
    """A word in brackets, with some words on either side."""
    begin, end = max(token - CONTEXT, 0), token + CONTEXT + 1
    words = [f"[{word}]" if place == token else word for place, word in enumerate(sentence.tokens)][begin:end]
    return " ".join([*(["…"] if begin else []), *words, *(["…"] if end < len(sentence.tokens) else [])])


def _accuracies(result: Result) -> Table:
    report, baseline = result.report, result.baseline
    counts = {
        "accuracy": f"{report.tokens:,} tokens",
        "known_accuracy": f"{report.tokens - report.unknown_tokens:,} tokens",
        "unknown_accuracy": f"{report.unknown_tokens:,} tokens",
        "ambiguous_accuracy": f"{report.ambiguous_tokens:,} tokens",
        "sentence_accuracy": f"{report.sentences:,} sentences",
    }
    rows = [
        (
            label,
            percent(getattr(report, name)),
            interval(report.intervals[name]),
            *((percent(getattr(baseline, name)),) if baseline else ()),
            counts[name],
        )
        for name, label in LABELS.items()
    ]
    columns = ("", "correct", "95 % interval", *((BASELINE,) if baseline else ()), "of")
    blank = [""] * (len(columns) - 3)
    rows.append(("calibration error", percent(report.calibration_error), *blank, ""))
    if report.untagged_tokens:
        rows.append((UNTAGGED_ROW, "–", *blank, f"{report.untagged_tokens:,} tokens"))
    return Table(result.title, columns, tuple(rows), columns[1:])


def _tags(report: Report) -> Table:
    columns = ("precision", "recall", "F1", "tokens")
    return Table(
        "",
        ("tag", *columns),
        tuple(
            (tag, percent(score.precision), percent(score.recall), percent(score.f1), f"{score.support:,}")
            for tag, score in report.tags.items()
        ),
        columns,
    )


def _matrix(report: Report) -> Table:
    columns = tuple(report.tags)
    rows = tuple(
        (tag, *(f"{count:,}" if count else "·" for count in row))
        for tag, row in zip(columns, confusion_matrix(report), strict=True)
    )
    return Table("", ("gold ↓ tagged as →", *columns), rows, columns)


def _confusions(report: Report, errors: Sequence[SentenceErrors]) -> Table:
    shown = report.confusions[:MOST_SHOWN]
    examples: dict[tuple[str, str], str] = {}
    for sentence in errors:
        for mistake in sentence.mistakes:
            pair = mistake.gold, mistake.predicted
            if pair not in examples:
                examples[pair] = context(sentence, mistake.token)
    rows = tuple((gold, tag, f"{count:,}", examples.get((gold, tag), "")) for gold, tag, count in shown)
    return Table("", ("gold", "tagged as", "times", "for example"), rows, ("times",))


def _words(report: Report) -> Table:
    rows = tuple(
        (word.word, f"{word.wrong:,}", f"{word.tokens:,}", word.gold, word.predicted)
        for word in report.words[:MOST_SHOWN]
    )
    return Table("", ("word", "wrong", "of", "mostly", "tagged as"), rows, ("wrong", "of"))


def _side_by_side(results: Sequence[Result]) -> Table:
    reports = {result.model: result.report for result in results}
    if baseline := results[0].baseline:
        reports[BASELINE] = baseline
    rows = [(label, *(percent(getattr(report, name)) for report in reports.values())) for name, label in LABELS.items()]
    rows.insert(1, ("95 % interval", *(interval(report.intervals["accuracy"]) for report in reports.values())))
    rows.append(("calibration error", *(percent(report.calibration_error) for report in reports.values())))
    if untagged := results[0].report.untagged_tokens:
        rows.append((UNTAGGED_ROW, *(f"{untagged:,} tokens" for _ in reports)))
    return Table(results[0].title, ("", *reports), tuple(rows), tuple(reports))


def _differences(results: Sequence[Result]) -> Table:
    columns = ("points", "95 % interval", "gained", "lost", "McNemar", "bootstrap")
    rows = tuple(
        (
            result.model,
            f"{100 * against.difference:+.2f}",
            f"{100 * against.interval[0]:+.2f} to {100 * against.interval[1]:+.2f}" if against.interval else "–",
            f"{against.better:,}",
            f"{against.worse:,}",
            probability(against.mcnemar),
            probability(against.bootstrap),
        )
        for result in results
        if (against := result.against)
    )
    title = f"compared with {results[0].model}: points, tokens gained and lost, p values"
    return Table(title, ("", *columns), rows, columns)


def _f1_side_by_side(results: Sequence[Result]) -> Table:
    names = tuple(f"F1 {result.model}" for result in results)
    scores = [result.report.tags for result in results]
    tags = sorted({tag for by_tag in scores for tag in by_tag})
    rows = tuple(
        (
            tag,
            *(percent(by_tag[tag].f1) if tag in by_tag else "–" for by_tag in scores),
            f"{max(by_tag[tag].support for by_tag in scores if tag in by_tag):,}",
        )
        for tag in tags
    )
    return Table("", ("tag", *names, "tokens"), rows, (*names, "tokens"))


def _escaped(cell: str) -> str:
    return _MARKDOWN.sub(r"\\\1", " ".join(cell.split()))
