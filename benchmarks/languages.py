"""Accuracy of a model in each language of some treebanks, beside taggers trained on the same files.

    python -m benchmarks.languages recipe-world/ud --model world --peers nltk,tnt-endings,udpipe
    python -m benchmarks.languages --table

FOLDER has <code>-ud-{train,dev}.conllu, which may be compressed; en_ewt counts as en. Everything is measured on dev.
Peers that --json has already are not trained again; --table prints its figures as Markdown.
"""

from __future__ import annotations

import argparse
import csv
import json
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.peers.adapter import Lesson, Tagged, accuracy
from benchmarks.peers.registry import PEERS
from benchmarks.peers.worker import read
from rnntag.corpora import loading
from rnntag.corpora.raw_text import is_spaced
from rnntag.evaluation.evaluate import raw_results
from rnntag.evaluation.metrics import evaluate
from rnntag.model import directory
from rnntag.tagger import Tagger

LANGUAGES = {
    "af": "Afrikaans", "ca": "Catalan", "cs": "Czech", "cy": "Welsh", "de": "German", "el": "Greek", "en": "English",
    "es": "Spanish", "fa": "Persian", "fi": "Finnish", "fr": "French", "ga": "Irish", "gd": "Scottish Gaelic",
    "gl": "Galician", "he": "Hebrew", "hi": "Hindi", "hr": "Croatian", "hy": "Armenian", "id": "Indonesian",
    "is": "Icelandic", "it": "Italian", "ja": "Japanese", "ka": "Georgian", "ko": "Korean", "lt": "Lithuanian",
    "lv": "Latvian", "lzh": "Classical Chinese", "mt": "Maltese", "nb": "Norwegian Bokmål", "nl": "Dutch",
    "nn": "Norwegian Nynorsk", "pl": "Polish", "pt": "Portuguese", "ro": "Romanian", "ru": "Russian", "sk": "Slovak",
    "sl": "Slovenian", "sr": "Serbian", "sv": "Swedish", "th": "Thai", "tr": "Turkish", "ug": "Uyghur",
    "uk": "Ukrainian", "vi": "Vietnamese", "yue": "Cantonese", "zh": "Chinese",
}  # fmt: skip
UNSPACED = ("ja", "lzh", "th", "yue", "zh")
"""Languages that are written without spaces between words."""
GOOD, USABLE = 95, 92
"""Percent of dev words; see `grade`."""
FIGURES = ("accuracy", "unknown", "words", "multiwords", "sentences", "tags")


def files(folder: Path) -> dict[str, dict[str, Path]]:
    """By language, the train and dev file of its first treebank."""
    found: dict[str, dict[str, Path]] = {}
    for path in sorted(folder.glob("*-ud-*.conllu*")):
        treebank, _, split = path.name.split(".")[0].partition("-ud-")
        found.setdefault(treebank.partition("_")[0], {}).setdefault(split, path)
    return {code: own for code, own in found.items() if {"train", "dev"} <= own.keys()}


def measured(tagger: Tagger, train: Tagged, dev: Path) -> dict[str, float]:
    """The accuracy of a model on a dev file, also on words that `train` lacks, and F1 on its raw text, in percent."""
    trained = {word.lower() for sentence in train for word, _ in sentence}
    (corpus,) = loading.load([str(dev)], whole=True)
    sentences = (*corpus.train, *corpus.dev, *corpus.test)
    predicted = tagger.predict([sentence.tokens for sentence in sentences])
    known = [[token.replace(" ", "\u00a0").lower() in trained for token in each.tokens] for each in sentences]
    report = evaluate(sentences, "upos", predicted, known)
    figures = {"accuracy": 100 * report.accuracy, "unknown": 100 * (report.unknown_accuracy or 0.0)}
    if tagger.model.segmenter and is_spaced(sentences):
        ((result,),) = raw_results({"": tagger}, corpus.name, "dev", sentences)
        figures |= {kind: 100 * prf.f1 for kind, prf in result.agreement.items() if prf.gold}
    return figures


def of_peer(name: str, train: Tagged, dev: Tagged, language: str) -> float:
    """The accuracy of a peer on `dev`, in percent."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model"
        learn = PEERS[name].train
        assert learn
        learn(Lesson(train, dev, language, minutes=60), path)
        return 100 * accuracy(PEERS[name].load(path), dev)


def grade(figures: dict[str, float]) -> str:
    return "good" if figures["accuracy"] >= GOOD else "usable" if figures["accuracy"] >= USABLE else "rough"


def table(results: dict[str, dict[str, Any]]) -> str:
    """The figures as Markdown, by the languages' names."""
    peers = [name for name in PEERS if any(name in own for own in results.values())]
    raw = ("raw: words", "multiword tokens", "sentences", "UPOS")
    others = (PEERS[name].name for name in peers)
    head = ["language", "training words", "words right, %", "unknown", *raw, *others, "grade"]
    lines = [head, ["---", *["---:"] * (len(head) - 2), "---"]]
    for code, own in sorted(results.items(), key=lambda item: LANGUAGES[item[0]]):
        figures = [f"{own[kind]:.1f}" if kind in own else "" for kind in (*FIGURES, *peers)]
        lines.append([LANGUAGES[code], f"{own['training_words']:,}", *figures, grade(own)])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def sources(path: Path) -> str:
    """Markdown of a file with a row for each language: the treebanks that it is made of, and their licences."""
    with path.open(encoding="utf-8", newline="") as lines:
        rows = [*csv.DictReader(lines, delimiter="\t")]
    table = ["| language | treebanks | licences |", "| --- | --- | --- |"]
    for row in sorted(rows, key=lambda row: LANGUAGES[row["language"]]):
        made_of = row["made of"].replace("_", "-")
        table.append(f"| {LANGUAGES[row['language']]} | {made_of} | {row['licences']} |")
    return "\n".join(table)


def summary(results: dict[str, dict[str, Any]]) -> str:
    """The figures of all languages together, in a few lines."""
    results = {code: own for code, own in results.items() if "accuracy" in own}
    if not results:
        return "no model was measured"
    accuracies = [own["accuracy"] for own in results.values()]
    lines = [
        f"{len(accuracies)} languages: mean {statistics.mean(accuracies):.2f}; "
        + ", ".join(f"{sum(figure >= least for figure in accuracies)} at {least} or more" for least in (95, 93, 92))
    ]
    spaced = [own for code, own in results.items() if code not in UNSPACED and "words" in own]
    if spaced:
        means = (f"{kind} {statistics.mean(own[kind] for own in spaced):.2f}" for kind in ("words", "tags"))
        lines.append(f"raw text, {len(spaced)} languages with spaces, mean F1: {', '.join(means)}")
    for name in PEERS:
        if both := [own for own in results.values() if name in own]:
            above = sum(own["accuracy"] >= own[name] for own in both)
            lines.append(f"at least as good as {PEERS[name].name} in {above} of {len(both)}")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path, metavar="FOLDER")
    parser.add_argument("--model", help="a model's name or directory")
    parser.add_argument("--peers", default="", help=f"to train and measure: {', '.join(PEERS)}")
    parser.add_argument("--json", type=Path, default=Path("languages.json"), help="the figures, read and written")
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--sources", type=Path, help="print this SOURCES.tsv as Markdown")
    given = parser.parse_args()
    if given.sources:
        print(sources(given.sources))
        return
    results: dict[str, dict[str, Any]] = json.loads(given.json.read_text("utf-8")) if given.json.exists() else {}
    tagger = Tagger(directory.read(directory.find(given.model))) if given.model else None
    peers: Sequence[str] = given.peers.split(",") if given.peers else ()
    for folder in given.folders:
        for code, own in files(folder).items():
            train, dev = (read(str(own[split])) for split in ("train", "dev"))
            figures = results.setdefault(code, {"training_words": sum(map(len, train))})
            if tagger:
                figures |= measured(tagger, train, own["dev"])
            for name in peers:
                if name not in figures:
                    figures[name] = of_peer(name, train, dev, code)
            print(code, {kind: round(value, 2) for kind, value in figures.items()}, file=sys.stderr, flush=True)
            given.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(table(results) if given.table else summary(results))


if __name__ == "__main__":
    main()
