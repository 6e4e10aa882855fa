"""The bundled model of the world's languages."""

from __future__ import annotations

import json

import pytest

import rnntag
from rnntag.corpora import loading
from rnntag.evaluation.evaluate import measure, raw_results
from rnntag.model import directory
from rnntag.sentences import UPOS
from rnntag.tagger import Tagger
from tests.conftest import ROOT, Run, few
from tests.test_languages import WORLD

MODEL = ROOT / "models" / "world"


@pytest.fixture(scope="module")
def world() -> Tagger:
    return rnntag.load(MODEL)


def test_it_is_small_and_names_its_licence(world: Tagger) -> None:
    assert directory.megabytes(MODEL) <= 25
    assert world.tagsets == ("upos",)
    assert {*world.model.vocabulary.tags["upos"]} == {*UPOS}
    assert "The model as a whole is under CC BY-SA 4.0" in directory.read_card(MODEL)


@pytest.mark.parametrize(
    ("text", "tagged"),
    [
        ("Je vais au marché.", "Je/PRON vais/VERB au/ADP+DET marché/NOUN ./PUNCT"),
        ("Ich gehe zum Arzt.", "Ich/PRON gehe/VERB zum/ADP+DET Arzt/NOUN ./PUNCT"),
        ("Vivo en una casa pequeña.", "Vivo/VERB en/ADP una/DET casa/NOUN pequeña/ADJ ./PUNCT"),
        ("Я читаю книгу.", "Я/PRON читаю/VERB книгу/NOUN ./PUNCT"),
        ("나는 책을 읽는다.", "나는/PRON 책을/NOUN 읽는다/VERB ./PUNCT"),
        ("I can't swim.", "I/PRON ca/AUX n't/PART swim/VERB ./PUNCT"),
        ("我吃苹果。", "我/PRON 吃/VERB 苹果/NOUN 。/PUNCT"),
    ],
)
def test_no_language_is_named(text: str, tagged: str, run: Run) -> None:
    done = run("tag", "-m", "world", "--input-format", "raw", text)
    assert (done.returncode, done.stderr, done.stdout) == (0, "", f"{tagged}\n")


DEV = {
    "fr": (0.965, 0.99, 0.96),
    "de": (0.925, 0.99, 0.92),
    "es": (0.95, 0.99, 0.945),
    "ru": (0.95, 0.98, 0.94),
    "ko": (0.93, 0.99, 0.93),
    "ja": (0.955, 0.945, 0.91),
}
"""For a language the least accuracy of tags, and the least F1 of words and of tags on raw text."""


@pytest.mark.skipif(not WORLD.is_dir(), reason="the world's treebanks are not on this machine (../shared/ud-world)")
@pytest.mark.parametrize("language", few(DEV, "fr"))
def test_how_good_it_is_on_dev(language: str, world: Tagger) -> None:
    (corpus,) = loading.load([str(WORLD / f"{language}-ud-dev.conllu.xz")], whole=True)
    ((_, _, report),) = measure(world, corpus.name, corpus.dev)
    ((raw,),) = raw_results({"world": world}, corpus.name, "dev", corpus.dev)
    found = (report.accuracy, raw.agreement["words"].f1, raw.agreement["tags"].f1)
    assert all(figure >= least for figure, least in zip(found, DEV[language], strict=True)), found


def test_models_shows_some_of_its_accuracies(run: Run) -> None:
    shown, listed = run("models").stdout, json.loads(run("models", "--json").stdout)["world"]
    hidden = len(listed["provenance"]["dev"]) - 20
    assert f"and {hidden} more" in shown
