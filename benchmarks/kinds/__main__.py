"""The share of sentences that a model gets wrong, kind by kind.

    python -m benchmarks.kinds --model zh-en --model zh-en-fast --examples 2

`--seed` gives other sentences, `--kind` only the kinds whose name contains its text.
"""

from __future__ import annotations

import argparse

import rnntag
from benchmarks.kinds import KINDS
from benchmarks.kinds.cases import COUNT, SEED, shown, wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", action="append", help="may be repeated; default zh-en")
    parser.add_argument("--kind", default="")
    parser.add_argument("--count", type=int, default=COUNT, help="sentences per kind")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--examples", type=int, default=0, help="wrong sentences to show per kind and model")
    given = parser.parse_args()
    taggers = {name: rnntag.load(name) for name in given.model or ["zh-en"]}
    print(f"| kind | sentences | {' | '.join(taggers)} | at most |")
    print(f"| --- | ---: |{' ---: |' * (len(taggers) + 1)}")
    for kind in KINDS:
        if given.kind not in kind.name:
            continue
        cases = kind.cases(given.count, given.seed)
        found = {name: wrong(tagger, cases) for name, tagger in taggers.items()}
        shares = [len(answers) / len(cases) for answers in found.values()]
        cells = [f"{100 * share:.1f} %{' *' * (share > kind.most)}" for share in shares]
        print(f"| {kind.name} | {len(cases)} | {' | '.join(cells)} | {100 * kind.most:.0f} % |")
        for name, answers in found.items():
            for case, answer in answers[: given.examples]:
                print(f"    {name}: {shown(case, answer)}")


if __name__ == "__main__":
    main()
