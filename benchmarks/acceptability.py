"""How often a language model finds the well-formed one of two sentences more likely.

    python -m benchmarks.acceptability blimp.jsonl.xz zhoblimp.jsonl.xz --model lm-zh-en

Each line of a file is JSON with sentences `good` and `bad`, and their `paradigm` and `phenomenon`, as in BLiMP
(Warstadt et al. 2020) and ZhoBLiMP (Liu et al. 2024). The model's segmenter finds the words. The measure is the log
probability of the whole sentence; accuracy is the mean over paradigms, by phenomenon and over all.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from rnntag.config import DEFAULT_LM
from rnntag.formats import raw
from rnntag.formats.decoding import file_lines
from rnntag.language_model import LanguageModel, load_lm

AT_ONCE = 2000


def log_probs(model: LanguageModel, texts: Sequence[str]) -> Iterator[float]:
    """The log probability of each text, which may have several sentences."""
    for begin in range(0, len(texts), AT_ONCE):
        some = texts[begin : begin + AT_ONCE]
        segmentations = raw.segment(model.segmenter, some)
        sentences = []
        for text, each in zip(some, segmentations, strict=True):
            forms = each.forms(text)
            sentences.append([forms[a:b] for a, b in zip([0, *each.ends], each.ends, strict=False)])
        scores = iter(model.score_sents(sentence for own in sentences for sentence in own))
        for own in sentences:
            yield sum(next(scores).log_prob for _ in own)


def accuracies(model: LanguageModel, path: Path) -> dict[str, dict[str, float]]:
    """By phenomenon and paradigm, the share of pairs whose good sentence is the more likely one."""
    rows = [json.loads(line) for line in file_lines(path)]
    good, bad = (list(log_probs(model, [row[which] for row in rows])) for which in ("good", "bad"))
    hits: dict[tuple[str, str], list[bool]] = defaultdict(list)
    for row, better, worse in zip(rows, good, bad, strict=True):
        hits[row["phenomenon"], row["paradigm"]].append(better > worse)
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for (phenomenon, paradigm), own in sorted(hits.items()):
        found[phenomenon][paradigm] = sum(own) / len(own)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--model", default=DEFAULT_LM)
    parser.add_argument("--json", type=Path, help="write the accuracy of each paradigm there")
    given = parser.parse_args()
    model = load_lm(given.model)
    figures = {}
    for path in given.files:
        figures[path.name] = found = accuracies(model, path)
        print(f"| {path.name} | paradigms | accuracy |\n| --- | ---: | ---: |")
        for phenomenon, own in found.items():
            print(f"| {phenomenon} | {len(own)} | {100 * sum(own.values()) / len(own):.1f} % |")
        every = [accuracy for own in found.values() for accuracy in own.values()]
        print(f"| all | {len(every)} | {100 * sum(every) / len(every):.1f} % |\n", flush=True)
    if given.json:
        given.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
