"""`rnntag explain`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.text import Text

from rnntag.cli.arguments import check_texts
from rnntag.cli.options import JsonOption, ModelOption
from rnntag.config import DEFAULT_MODEL
from rnntag.terminal import console
from rnntag.terminal.console import COLOURS, new_table, print_table
from rnntag.terminal.sanitize import visible

if TYPE_CHECKING:
    from rnntag.analysis.explain import Explanation, Gate
    from rnntag.tagger import Tagger

DIGITS = 4


def explain(
    text: Annotated[list[str], typer.Argument(metavar="TEXT...", help="Sentences, their words parted by spaces.")],
    model: ModelOption = DEFAULT_MODEL,
    tagset: Annotated[
        str | None, typer.Option(help="One of the model's tagsets.", show_default="the model's first")
    ] = None,
    gates: Annotated[bool, typer.Option("--gates", help="Show how far the gates are open, too (needs torch).")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show why words have their tags.

    The probability of each word's tag; the other tags that it might have; and for other words, while
    they are hidden from the network, the tag of this one that becomes more or less probable, and by
    how many points. With --json every tag's probability, and that of every word hidden.

        rnntag explain "我 吃 榴莲"

        rnntag explain --gates --model lstm "The old man the boat"
    """
    check_texts(text, "explain takes sentences; 'rnntag tag -i {}' reads it")
    from rnntag.analysis import explain as explanation
    from rnntag.tagger import load

    tagger = load(model)
    tagset = tagger.model.tagset(tagset)
    results = []
    for sentence in text:
        found = explanation.explain(tagger, sentence.split(), tagset)
        opened = explanation.gates(tagger.model, found.tokens) if gates else None
        if as_json:
            results.append(_as_json(tagger, tagset, found, opened))
            continue
        print_explanation(found, [tagger.is_known(token) for token in found.tokens])
        if opened:
            print_gates(found.tokens, opened)
        elif gates:
            console.note(f"a network of cell {tagger.model.config.cell} has no gates")
    if as_json:
        console.print_json(results)


def _as_json(tagger: Tagger, tagset: str, found: Explanation, opened: list[Gate] | None) -> dict[str, Any]:
    def shares(row: Any) -> dict[str, float]:
        return dict(zip(found.tags, row.round(DIGITS).tolist(), strict=True))

    words = [
        {
            "form": form,
            "seen": tagger.is_known(form),
            "tag": found.tags[int(found.probabilities[token].argmax())],
            "probabilities": shares(found.probabilities[token]),
            "without": [
                {"hidden": other, "form": found.tokens[other], "probabilities": shares(found.without[other, token])}
                for other in range(len(found.tokens))
                if other != token
            ],
        }
        for token, form in enumerate(found.tokens)
    ]
    result: dict[str, Any] = {"model": tagger.model.name, "tagset": tagset, "words": words}
    if opened is not None:
        result["gates"] = [
            {
                "layer": gate.layer,
                "direction": gate.direction,
                "gate": gate.name,
                "mean": gate.openness.mean(axis=1).round(DIGITS).tolist(),
                "units": gate.openness.round(DIGITS).tolist(),
            }
            for gate in opened
        ]
    return result


OTHER_TAGS_SHOWN = 2


CHANGES_SHOWN = 4


LEAST_SHOWN = 0.001
"""Smaller probabilities, and changes of them, are not worth a reader's time."""


def print_explanation(found: Explanation, seen: Sequence[bool]) -> None:
    """Each word with its likeliest tags, and what hiding other words changes, in percent points."""
    table = new_table("word", "", "tag", "%", "or else", "and if another word is hidden", numbers=["%"])
    for token, form in enumerate(found.tokens):
        shares = found.probabilities[token]
        first, *others = (-shares).argsort(kind="stable")
        likely = [other for other in others[:OTHER_TAGS_SHOWN] if shares[other] >= LEAST_SHOWN]
        tag = found.tags[first]
        changes = [
            f"{visible(found.tokens[other])}: {moved} {100 * gain:+.1f}"
            for other, moved, gain in found.changes(token)[:CHANGES_SHOWN]
            if abs(gain) >= LEAST_SHOWN
        ]
        table.add_row(
            escape(visible(form)),
            "" if seen[token] else "unseen",
            Text(tag, style=COLOURS.get(tag, "green")),
            f"{100 * shares[first]:.1f}",
            escape("  ".join(f"{found.tags[other]} {100 * shares[other]:.1f}" for other in likely)),
            escape("   ".join(changes)),
        )
    print_table(table)


def print_gates(tokens: Sequence[str], gates: Sequence[Gate]) -> None:
    """How far each gate is open at each word, the mean of its units, in percent."""
    names = [f"{gate.layer} {gate.direction} {gate.name}" for gate in gates]
    table = new_table("word", *names, title="open gates, % (layer, direction, gate)", numbers=names)
    for token, form in enumerate(tokens):
        table.add_row(escape(visible(form)), *(f"{100 * gate.openness[token].mean():.1f}" for gate in gates))
    print_table(table)
