"""`rnntag explain`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.text import Text

from rnntag.cli import completion
from rnntag.cli.arguments import check_texts
from rnntag.cli.options import JsonOption, ModelOption
from rnntag.config import DEFAULT_MODEL
from rnntag.terminal import console
from rnntag.terminal.console import COLOURS, new_table, print_table
from rnntag.terminal.sanitize import visible

if TYPE_CHECKING:
    from rnntag.analysis.explain import Explanation, Gate

_DIGITS = 4
_OTHER_TAGS_SHOWN = 2
_CHANGES_SHOWN = 4
_LEAST_SHOWN = 0.001
"""Smaller probabilities and changes are left out."""


def explain(
    text: Annotated[list[str], typer.Argument(metavar="TEXT...", help="Sentences, words separated by spaces.")],
    model: ModelOption = DEFAULT_MODEL,
    tagset: Annotated[
        str | None,
        typer.Option(
            autocompletion=completion.tagsets, help="One of the model's tagsets.", show_default="the model's first"
        ),
    ] = None,
    gates: Annotated[
        bool, typer.Option("--gates", help="Also show how far the gates are open (needs PyTorch).")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Show what the tags of a sentence depend on.

    Prints the probability of each word's tag and the most probable other tags. Then it hides every other
    word in turn from the network and prints the tag whose probability changes most, with the change in
    percentage points. --json prints all probabilities.

        rnntag explain "我 吃 榴莲"

        rnntag explain --gates --model lstm "The old man the boat"
    """
    check_texts(text)
    from rnntag.analysis import explain as explanation
    from rnntag.tagger import load

    tagger = load(model)
    tagset = tagger.model.tagset(tagset)
    results = []
    for sentence in text:
        explained = explanation.explain(tagger, sentence.split(), tagset)
        opened = explanation.gates(tagger.model, explained.tokens) if gates else None
        known = [tagger.is_known(token) for token in explained.tokens]
        if as_json:
            results.append({"model": tagger.model.name, **_as_json(tagset, explained, known, opened)})
            continue
        _print_explanation(explained, known)
        if opened:
            _print_gates(explained.tokens, opened)
        elif gates:
            console.note("a plain RNN has no gates")
    if as_json:
        console.print_json(results)


def _as_json(
    tagset: str, explained: Explanation, known: Sequence[bool], opened: Sequence[Gate] | None
) -> dict[str, Any]:
    def by_tag(row: Any) -> dict[str, float]:
        return dict(zip(explained.tags, row.round(_DIGITS).tolist(), strict=True))

    words = [
        {
            "form": form,
            "known": known[token],
            "tag": explained.tags[int(explained.probabilities[token].argmax())],
            "probabilities": by_tag(explained.probabilities[token]),
            "without": [
                {"hidden": other, "form": hidden, "probabilities": by_tag(explained.without[other, token])}
                for other, hidden in enumerate(explained.tokens)
                if other != token
            ],
        }
        for token, form in enumerate(explained.tokens)
    ]
    result: dict[str, Any] = {"tagset": tagset, "words": words}
    if opened is not None:
        result["gates"] = [
            {
                "layer": gate.layer,
                "direction": gate.direction,
                "gate": gate.name,
                "mean": gate.openness.mean(axis=1).round(_DIGITS).tolist(),
                "units": gate.openness.round(_DIGITS).tolist(),
            }
            for gate in opened
        ]
    return result


def _print_explanation(explained: Explanation, known: Sequence[bool]) -> None:
    """Print each word with its most probable tags, and the changes in percentage points when other words are hidden."""
    table = new_table("word", "", "tag", "%", "other tags", "when another word is hidden", numbers=["%"])
    for token, form in enumerate(explained.tokens):
        probabilities = explained.probabilities[token]
        first, *others = (-probabilities).argsort(kind="stable")
        probable = [other for other in others[:_OTHER_TAGS_SHOWN] if probabilities[other] >= _LEAST_SHOWN]
        tag = explained.tags[first]
        changes = [
            f"{visible(explained.tokens[other])}: {changed} {100 * gain:+.1f}"
            for other, changed, gain in explained.changes(token)[:_CHANGES_SHOWN]
            if abs(gain) >= _LEAST_SHOWN
        ]
        table.add_row(
            escape(visible(form)),
            "" if known[token] else "unknown",
            Text(tag, style=COLOURS.get(tag, "green")),
            f"{100 * probabilities[first]:.1f}",
            escape("  ".join(f"{explained.tags[other]} {100 * probabilities[other]:.1f}" for other in probable)),
            escape("   ".join(changes)),
        )
    print_table(table)


def _print_gates(tokens: Sequence[str], gates: Sequence[Gate]) -> None:
    """Print how far each gate is open at each word: the mean of its units, in percent."""
    names = [f"{gate.layer} {gate.direction} {gate.name}" for gate in gates]
    table = new_table("word", *names, title="open gates, % (layer, direction, gate)", numbers=names)
    for token, form in enumerate(tokens):
        table.add_row(escape(visible(form)), *(f"{100 * gate.openness[token].mean():.1f}" for gate in gates))
    print_table(table)
