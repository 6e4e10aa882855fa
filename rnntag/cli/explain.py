"""`rnntag explain`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from rnntag import console
from rnntag.cli.arguments import check_texts
from rnntag.cli.options import JsonOption, ModelOption
from rnntag.schema import DEFAULT_MODEL

if TYPE_CHECKING:
    from rnntag.explanation import Explanation, Gate
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
    from rnntag import explanation
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
        console.print_explanation(found, [tagger.has_seen(token) for token in found.tokens])
        if opened:
            console.print_gates(found.tokens, opened)
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
            "seen": tagger.has_seen(form),
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
