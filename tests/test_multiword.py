"""Multiword tokens: from the ranges of treebanks to the words of raw text, and back to the text."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnntag.config import SegmenterConfig
from rnntag.corpora import loading
from rnntag.corpora.raw_text import GoldParagraph, gold_paragraphs, is_spaced
from rnntag.errors import DataError, UsageError
from rnntag.evaluation.segmentation import PRF, agreement, aligned, multiword_agreement, token_agreement
from rnntag.formats import conllu, raw, records
from rnntag.formats.raw import RawReader
from rnntag.formats.registry import reader, writer
from rnntag.model import directory, extension, multiword
from rnntag.model.files import SEGMENTER
from rnntag.model.multiword import Expansions
from rnntag.model.pretokens import PretokenVocabulary
from rnntag.model.stored import ModelBundle
from rnntag.sentences import Corpus, Multiword, Segmentation, Sentence, TagProbs, Tags
from rnntag.storage import validation
from rnntag.tagger import Tagger, load
from rnntag.training import run as training
from rnntag.training import variation
from rnntag.training.segmenter import GOLD, LANGUAGE, SegmenterTask, labelled
from tests.conftest import Run, refusal
from tests.test_segmenter import rebuilt

TREEBANKS = {
    "fr": ["{n} vient/VERB du=de/ADP+le/DET parc/NOUN ~./PUNCT", "{n} va/VERB au=à/ADP+le/DET bois/NOUN ~./PUNCT",
           "Du=De/ADP+le/DET pain/NOUN ~!/PUNCT", "{n} voit/VERB le/DET parc/NOUN ~./PUNCT"],
    "de": ["{n} geht/VERB zum=zu/ADP+dem/DET Haus/NOUN ~./PUNCT", "{n} sieht/VERB das/DET Haus/NOUN ~./PUNCT",
           "Zum=Zu/ADP+dem/DET Wald/NOUN ~!/PUNCT"],
    "en": ["{n} don't=do/AUX+n't/PART swim/VERB ~./PUNCT", "{n} can't=ca/AUX+n't/PART run/VERB ~./PUNCT",
           "{n} can/AUX swim/VERB ~./PUNCT"],
    "es": ["{n} quiere/VERB verlo=ver/VERB+lo/PRON hoy/ADV ~./PUNCT",
           "{n} va/VERB a/ADP decirlo=decir/VERB+lo/PRON ~./PUNCT",
           "{n} va/VERB a/ADP darlo=dar/VERB+lo/PRON ~./PUNCT"],
}  # fmt: skip
"""Sentences of four languages: word/TAG, ~ where no space is before a word, = before the words of a multiword token."""

NAMES = {"fr": "Jean Marie Paul", "de": "Hans Grete Otto", "en": "I We They", "es": "Juan Lucía Pedro"}
PARTS = st.sampled_from(["du", "Du", "au", "don't", "I", "du.", ".", "été", "x-y"])
SPACES = st.sampled_from([" ", " ", "  ", "\n", "\n\n", "\n \n"])
TEXT = st.lists(st.tuples(PARTS, SPACES).map("".join), max_size=30).map("".join)


def treebank(sentences: Sequence[str]) -> str:
    """The sentences as CoNLL-U."""
    lines = []
    for sentence in sentences:
        number = 0
        items = sentence.split()
        for item, following in zip(items, [*items[1:], ""], strict=True):
            surface, _, words = item.removeprefix("~").rpartition("=")
            pairs = [word.split("/") for word in words.split("+")]
            misc = "SpaceAfter=No" if following.startswith("~") else "_"
            if surface:
                lines.append(f"{number + 1}-{number + len(pairs)}\t{surface}" + "\t_" * 7 + f"\t{misc}")
                misc = "_"
            for form, tag in pairs:
                number += 1
                lines.append(f"{number}\t{form}\t_\t{tag}\t_\t_\t_\t_\t_\t{misc}")
        lines.append("")
    return "\n".join([*lines, ""])


def written(folder: Path) -> list[str]:
    """The files of the treebanks."""
    files = []
    for language, sentences in TREEBANKS.items():
        made = [one.format(n=f"{name}/PROPN") for one in sentences for name in NAMES[language].split()]
        Random(1).shuffle(made)
        for split, count in (("train", 6), ("dev", 1)):
            path = folder / f"{language}_tiny-ud-{split}.conllu"
            path.write_text(treebank(made * count), encoding="utf-8")
            files.append(str(path))
    return files


def corpora(folder: Path) -> list[Corpus]:
    return loading.load(written(folder))


# How tokens become words


@pytest.mark.parametrize(
    ("language", "token", "words"),
    [
        ("fr", "du", "de le"), ("fr", "Du", "De le"), ("fr", "DU", "DE LE"), ("fr", "au", "à le"), ("fr", "Au", "À le"),
        ("fr", "x", ""), ("de", "zum", "zu dem"), ("de", "ZUM", "ZU DEM"), ("en", "don't", "do n't"),
        ("en", "Don't", "Do n't"), ("en", "DON'T", "DO N'T"), ("en", "won't", "wo n't"), ("en", "n't", ""),
        ("es", "decirlo", "decir lo"), ("es", "Comerlo", "Comer lo"), ("es", "lo", ""),
    ],
)  # fmt: skip
def test_rules_are_learned_from_ranges(language: str, token: str, words: str, tmp_path: Path) -> None:
    (corpus,) = [one for one in corpora(tmp_path) if loading.language(one.name) == language]
    found = [(each.token, each.words) for sentence in corpus.train for each in sentence.multiwords]
    assert Expansions.learned(found).words(token) == tuple(words.split())


def test_beginnings_and_exceptions_are_learned() -> None:
    tokens = [("ובית", ("ו", "בית")), ("וספר", ("ו", "ספר")), ("שלום", ("ש", "לום")), ("שדבר", ("ש", "דבר"))]
    tokens += [("diciéndole", ("diciendo", "le")), ("haciéndole", ("haciendo", "le")), ("verle", ("ver", "le"))]
    tokens += [("darle", ("dar", "le")), ("dile", ("di", "le")), ("dele", ("dé", "le"))]
    rules = Expansions.learned(tokens)
    assert rules.words("ועיר") == ("ו", "עיר")
    assert rules.words("poniéndole") == ("poniendo", "le")
    assert rules.words("Serle") == ("Ser", "le")
    assert rules.words("dele") == ("dé", "le")
    assert {*rules.wholes} == {"dele"}  # the others follow from endings and beginnings
    assert all(rules.words(token) == words for token, words in tokens)


def test_the_most_frequent_words_count_and_newer_rules_win() -> None:
    tokens = [("des", ("de", "les"))] * 2 + [("des", ("dé", "s"))]
    rules = Expansions.learned(tokens)
    assert rules == Expansions.learned(reversed(tokens))
    assert rules.words("des") == ("de", "les")
    newer = Expansions.learned(
        [("des", ("d", "es")), ("du", ("de", "le"))], Expansions.learned([*tokens, ("au", ("à", "le"))])
    )
    assert [newer.words(token) for token in ("des", "du", "au")] == [("d", "es"), ("de", "le"), ("à", "le")]


@pytest.mark.parametrize(
    ("token", "words"),
    [("a b", ("a", "b")), ("ab", ("a b", "c")), ("ab", ("ab",)), ("", ("a", "b")), ("ab", ("a", "")),
     ("ab", ("a",) * 9), ("a" * 65, ("a", "b"))],
)  # fmt: skip
def test_what_no_rule_can_be_is_not_learned(token: str, words: tuple[str, ...]) -> None:
    assert Expansions.learned([(token, words)] * 3) == Expansions({}, {}, {})


WORD = st.text(st.sampled_from("abDéİß'ו\u0301"), min_size=1, max_size=4)
TOKENS = st.lists(st.tuples(WORD, st.lists(WORD, min_size=2, max_size=3).map(tuple)), max_size=12)


@given(tokens=TOKENS, token=WORD)
def test_learned_tables_survive_json_and_give_words(tokens: list[tuple[str, tuple[str, ...]]], token: str) -> None:
    learned = {"xx": Expansions.learned(tokens)}
    stored = json.loads(json.dumps(multiword.tables(learned)))
    assert multiword.from_tables(stored) == learned
    words = learned["xx"].words(token)
    assert len(words) != 1
    assert all(words)


@pytest.mark.parametrize(
    ("kind", "rules"),
    [
        ("wholes", {"ab": ["a"]}), ("wholes", {"ab": []}), ("wholes", {"ab": ["a", ""]}), ("wholes", {"": ["a", "b"]}),
        ("wholes", {"ab": "ab"}), ("wholes", {"ab": ["a", 1]}), ("wholes", {"ab": ["a b", "c"]}), ("wholes", ["ab"]),
        ("wholes", {"ab": ["a\t", "c"]}), ("wholes", {"ab": ["\ud800", "c"]}), ("wholes", {"ab": ["a"] * 9}),
        ("wholes", {"ab": ["a" * 65, "c"]}), ("wholes", {"a" * 65: ["a", "c"]}), ("endings", {"b": ["a", ""]}),
        ("endings", {"a" * 11: ["", "a"]}), ("beginnings", {"b": ["", "a"]}), ("middles", {}), ("wholes", None),
        ("wholes", {str(number): ["a", "b"] for number in range(multiword.MOST_RULES + 1)}),
    ],
)  # fmt: skip
def test_damaged_tables_are_refused(kind: str, rules: Any) -> None:
    tables = {"wholes": {}, "endings": {"b": ["", "b"]}, "beginnings": {"a": ["a", ""]}}
    assert multiword.from_tables({"xx": tables})
    with pytest.raises(ValueError, match=kind):
        multiword.from_tables({"xx": {**tables, kind: rules}})


def test_too_many_languages_are_refused() -> None:
    empty = {"wholes": {}, "endings": {}, "beginnings": {}}
    with pytest.raises(ValueError, match="300 languages"):
        multiword.from_tables({str(number): empty for number in range(300)})
    with pytest.raises(ValueError, match="multiwords"):
        multiword.from_tables({"xx": {"wholes": {}}})


@pytest.mark.parametrize(
    ("corpus", "language"),
    [("fr_gsd", "fr"), ("fr", "fr"), ("a/fr_gsd", "fr"), ("fr-ud-older", "fr"), ("yue", "yue"), ("starter_en", "en"),
     ("french", "french"), ("mine.2", "mine.2")],
)  # fmt: skip
def test_names_of_treebanks_tell_their_language(corpus: str, language: str) -> None:
    assert loading.language(corpus) == language


# Gold text


def gold(*sentences: str) -> tuple[Sentence, ...]:
    """The sentences as they are read from CoNLL-U."""
    lines = treebank(sentences).split("\n")
    return tuple(conllu.sentences(records.CorpusFile(lines, "x")))


def test_text_has_tokens_and_its_words_share_their_places() -> None:
    (paragraph,) = gold_paragraphs(
        gold("Il/PRON va/VERB du=de/ADP+le/DET ~./PUNCT", "I/PRON don't=do/AUX+n't/PART"), "x"
    )
    assert paragraph.text == "Il va du. I don't "
    assert paragraph.words == ((0, 2), (3, 5), (6, 8), (6, 8), (8, 9), (10, 11), (12, 14), (14, 17))
    assert paragraph.multiwords == (Multiword(2, "du", ("de", "le")), Multiword(6, "don't", ("do", "n't")))
    assert paragraph.segmentation.tokens == [(0, 2), (3, 5), (6, 8), (8, 9), (10, 11), (12, 17)]
    assert paragraph.segmentation.forms(paragraph.text) == ["Il", "va", "de", "le", ".", "I", "do", "n't"]
    assert paragraph.tags["upos"] == ("PRON", "VERB", "ADP", "DET", "PUNCT", "PRON", "AUX", "PART")


def test_ranges_alone_do_not_tell_where_words_are_joined() -> None:
    assert not is_spaced(gold("Il/PRON va/VERB du=de/ADP+le/DET parc/NOUN ./PUNCT"))
    assert is_spaced(gold("Il/PRON va/VERB du=de/ADP+le/DET parc/NOUN ~./PUNCT"))


@pytest.mark.parametrize("ranges", [("1-3", "3-4"), ("1-2", "2-3"), ("3-9",), ("1-1",)])
def test_ranges_that_make_no_sense_leave_the_text_unknown(ranges: Sequence[str]) -> None:
    lines, blanks = [], "\t_" * 8
    for number in range(1, 5):
        lines += [f"{each}\tdu{blanks}" for each in ranges if each.startswith(f"{number}-")]
        lines.append(f"{number}\ta{blanks}")
    try:
        (sentence,) = conllu.read(lines, "x")
    except DataError:
        return
    assert sentence.layout() == ((), ())


def test_classes_are_those_of_tokens_or_of_words() -> None:
    (paragraph,) = gold_paragraphs(gold("I/PRON don't=do/AUX+n't/PART", "Du=De/ADP+le/DET ~./PUNCT"), "x")
    units = PretokenVocabulary((), {"don": (2,)}, ("", ""), 0)  # I do n ' t Du .
    table, _ = labelled(paragraph, units)
    assert table[:, GOLD].tolist() == [1, 1, 0, 0, 2, 1, 2]
    assert {*table[:, LANGUAGE].tolist()} == {-100}
    table, _ = labelled(paragraph, units, 3)
    assert table[:, GOLD].tolist() == [1, 0, 0, 0, 2, 1, 2]
    assert table[:, LANGUAGE].tolist() == [0, -100, -100, -100, 3, 3, 0]


def test_variants_keep_multiword_tokens() -> None:
    (sentence,) = gold("Mr./PROPN Lee/PROPN Don't=Do/AUX+n't/PART Du=De/ADP+le/DET go/VERB ~./PUNCT")
    for seed in range(40):
        random = Random(seed)
        for change in variation._CHANGES:
            made = variation._changed(sentence, [change], random)
            words = [made.tokens[each.first : each.end] for each in made.multiwords]
            assert words == [each.words for each in made.multiwords]
            assert [each.token.lower() for each in made.multiwords] == ["don't", "du"]
            (paragraph,) = gold_paragraphs([replace(made, opens=True)], "x") if "" in made.spaces else [None]
            if paragraph:
                assert "".join(paragraph.text.split()).lower().count("don'tdu") == 1


# What is written


class Finder:
    """Finds words between white space, and multiword tokens among them."""

    def find(self, texts: Sequence[str]) -> list[Segmentation]:
        return [self._find(text) for text in texts]

    def _find(self, text: str) -> Segmentation:
        tokens, ends, place = [], [], 0
        for token in text.split():
            begin = text.index(token, place)
            place = begin + len(token)
            tokens.append((begin, place))
            if token.endswith("."):
                ends.append(len(tokens))
        ends += [len(tokens)] * (bool(tokens) and ends[-1:] != [len(tokens)])
        rules = Expansions({"du": ("de", "le"), "au": ("à", "le")}, {"n't": ("", "n't")}, {})
        several = {place: (text[a:b], rules.words(text[a:b])) for place, (a, b) in enumerate(tokens)}
        return multiword.expanded(Segmentation(tokens, ends), {place: own for place, own in several.items() if own[1]})


def probs(*pairs: tuple[str, float]) -> TagProbs:
    return [*pairs]


def output(form: str, text: str, top: int = 0, kind: str = "raw", **options: Any) -> str:
    """What is written of a text: words are tagged by their first letter, in capitals."""
    source = reader(kind, "x", finder=Finder())  # type: ignore[arg-type]
    made = writer(form, "upos", **options)  # type: ignore[arg-type]
    parts = []
    for sentence in [*source.feed(text), *source.finish()]:
        tags = [token[0].upper() for token in sentence.tokens]
        choices = [probs((tag, 0.75), ("Z", 0.25))[:top] for tag in tags] if top else ()
        parts.append(made.text(sentence, tags, choices))
    return "".join(parts) + made.finish()


def test_word_tag_and_tsv_join_what_is_no_piece() -> None:
    text = "Il va du don't. Du\n"
    assert output("slash", "Il va du don't") == "Il/I va/V du/D+L do/D n't/N\n"
    assert output("slash", "Il va du don't", expand=True) == "Il/I va/V de/D le/L do/D n't/N\n"
    assert output("tsv", text) == "Il\tI\nva\tV\ndu\tD+L\ndon't.\tD\n\nDu\tD+L\n\n"
    columns = ("form", "upos", "start", "end")
    assert output("tsv", "va du", columns=columns) == "va\tV\t0\t2\ndu\tD+L\t3\t5\n\n"
    assert output("tsv", "va du", columns=columns, expand=True) == "va\tV\t0\t2\nde\tD\t3\t5\nle\tL\t3\t5\n\n"
    assert "\ndu\tD+L\n" in output("vertical", "va du")


def test_probabilities_of_joined_tags_are_products() -> None:
    assert output("tsv", "du", top=1) == "du\tD+L\t0.5625\n\n"
    assert output("tsv", "du", top=2) == "du\tD+L\t0.5625\tD+Z\t0.1875\n\n"


def test_only_some_tags_keep_a_token_whole() -> None:
    assert output("slash", "va du don't", only=frozenset("L")) == "du/D+L\n"
    assert output("slash", "va du don't", only=frozenset("L"), expand=True) == "le/L\n"
    assert output("slash", "va du don't", only=frozenset("N")) == "n't/N\n"
    row = json.loads(output("jsonl", "va don't au du", only=frozenset("DÀ")))
    assert (row["tokens"], row["multiwords"]) == (["do", "à", "le", "de", "le"], [[1, 3, "au"], [3, 5, "du"]])


def test_conllu_has_ranges() -> None:
    lines = output("conllu", "Il va  du  don't\nDu.\n\n").split("\n")
    rows = [line.split("\t") for line in lines if "\t" in line]
    assert [(row[0], row[1], row[3], row[9]) for row in rows[:8]] == [
        ("1", "Il", "I", "_"), ("2", "va", "V", "SpacesAfter=\\s\\s"), ("3-4", "du", "_", "SpacesAfter=\\s\\s"),
        ("3", "de", "D", "_"), ("4", "le", "L", "_"), ("5-6", "don't", "_", "SpacesAfter=\\n"), ("5", "do", "D", "_"),
        ("6", "n't", "N", "_"),
    ]  # fmt: skip
    assert {len(row) for row in rows} == {10}
    (sentence, *_) = conllu.read(lines, "x")
    assert sentence.layout()[1] == (Multiword(2, "du", ("de", "le")), Multiword(4, "don't", ("do", "n't")))


def test_json_lines_name_the_tokens() -> None:
    row = json.loads(output("jsonl", "va du don't"))
    assert row == {
        "tokens": ["va", "de", "le", "do", "n't"], "tags": ["V", "D", "L", "D", "N"], "start": [0, 3, 3, 6, 8],
        "end": [2, 5, 5, 8, 11], "multiwords": [[1, 3, "du"], [3, 5, "don't"]],
    }  # fmt: skip
    assert "multiwords" not in json.loads(output("jsonl", "va"))
    record = json.dumps({"text": "va. au du", "multiwords": "old"})
    row = json.loads(output("jsonl", record, kind="jsonl"))
    assert (row["tokens"], row["multiwords"]) == (["va.", "à", "le", "de", "le"], [[1, 3, "au"], [3, 5, "du"]])
    kept = json.loads(output("jsonl", json.dumps(row), kind="jsonl"))
    assert kept["multiwords"] == row["multiwords"]  # its tokens are


@given(text=TEXT, size=st.integers(1, 9), is_long=st.booleans())
def test_the_text_is_rebuilt_exactly(text: str, size: int, is_long: bool) -> None:
    with pytest.MonkeyPatch.context() as patch:
        if is_long:
            patch.setattr(records, "LONG_LINE", 12)
            patch.setattr(raw, "MARGIN", 4)
        assert rebuilt(output("conllu", text)) == text
        tokens = text.split()
        if not is_long:
            lines = [
                line.split("\t") for line in output("tsv", text, columns=("form", "start", "end")).split("\n") if line
            ]
            assert all(text[int(begin) : int(end)] == form for form, begin, end in lines)
            assert "".join(form for form, _, _ in lines) == "".join(tokens)
        source = RawReader(Finder())
        places = {
            (sentence.offsets.start + begin, sentence.offsets.start + end)
            for start in range(0, len(text) + 1, size)
            for sentence in [
                *source.feed(text[start : start + size]),
                *(source.finish() if start + size > len(text) else ()),
            ]
            if sentence.offsets
            for begin, end in sentence.offsets.words
        }
        assert "".join(text[begin:end] for begin, end in sorted(places)) == "".join(tokens)


def test_a_long_text_is_segmented_as_a_short_one(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "va du don't. Il au don't "
    (expected,) = raw.segment(Finder(), [text])
    monkeypatch.setattr(records, "LONG_LINE", 12)
    monkeypatch.setattr(raw, "MARGIN", 4)
    (found,) = raw.segment(Finder(), [text])
    assert (found.words, found.forms(text)) == (expected.words, expected.forms(text))
    assert found.multiwords == expected.multiwords
    assert [each.token for each in found.multiwords] == ["du", "au", "don't"]


# How well they are found


def found(text: str, tokens: str, *parts: tuple[int, tuple[str, ...]]) -> Segmentation:
    """Tokens, of which some are multiword tokens, by their position."""
    spans, place = [], 0
    for token in tokens.split():
        begin = text.index(token, place)
        place = begin + len(token)
        spans.append((begin, place))
    return multiword.expanded(
        Segmentation(spans, [len(spans)]), {position: (tokens.split()[position], words) for position, words in parts}
    )


def test_words_are_aligned_as_in_the_shared_task() -> None:
    text = "Il va du parc"
    gold = found(text, "Il va du parc", (2, ("de", "le")))
    whole = found(text, "Il va du parc")
    assert aligned(text, gold, gold) == [(place, place) for place in range(5)]
    assert aligned(text, gold, whole) == [(0, 0), (1, 1), (4, 3)]
    assert aligned(text, whole, gold) == [(0, 0), (1, 1), (3, 4)]
    other = found(text, "Il va du parc", (2, ("De", "la")))
    assert aligned(text, gold, other) == [(0, 0), (1, 1), (2, 2), (4, 4)]
    cut = found(text, "Il va d u parc")
    assert aligned(text, gold, cut) == [(0, 0), (1, 1), (4, 4)]
    joined = found("I don't", "I don't", (1, ("do", "n't")))
    assert aligned("I don't", joined, found("I don't", "I do n't")) == [(0, 0), (1, 1), (2, 2)]
    wide = found("a du b", "a du b", (0, ("a", "x")), (1, ("de", "le")))
    assert aligned("a du b", wide, found("a du b", "a du b", (1, ("de", "le")))) == [(0, 0), (2, 1), (3, 2), (4, 3)]


def test_figures_count_tokens_beside_words() -> None:
    text = "Il va du parc"
    gold = found(text, "Il va du parc", (2, ("de", "le")))
    tags = ("PRON", "VERB", "ADP", "DET", "NOUN")
    paragraph = GoldParagraph(text, tuple(gold.words), tuple(gold.ends), {"upos": tags}, tuple(gold.multiwords))
    ours = replace(found(text, "Il va du parc"), tags=["PRON", "VERB", "ADP", "X"])
    assert agreement([paragraph], [ours], "upos") == {
        "words": PRF(5, 4, 3), "sentences": PRF(1, 1, 1), "tags": PRF(5, 4, 2),
    }  # fmt: skip
    assert token_agreement([paragraph], [ours]) == PRF(4, 4, 4)
    right = replace(gold, tags=["PRON", "VERB", "ADP", "X", "NOUN"])
    assert agreement([paragraph], [right], "upos")["tags"] == PRF(5, 5, 4)
    assert token_agreement([], []) == PRF()


def test_a_multiword_token_is_right_with_its_place_and_its_words() -> None:
    text = "Il va du parc au parc"
    gold = found(text, "Il va du parc au parc", (2, ("de", "le")), (5, ("à", "le")))
    paragraph = GoldParagraph(text, tuple(gold.words), tuple(gold.ends), {}, tuple(gold.multiwords))
    assert multiword_agreement([paragraph], [gold]) == PRF(2, 2, 2)
    assert multiword_agreement([paragraph], [found(text, "Il va du parc au parc")]) == PRF(2, 0, 0)
    other = found(text, "Il va du parc au parc", (2, ("DE", "le")), (5, ("de", "le")))
    assert multiword_agreement([paragraph], [other]) == PRF(2, 2, 1)
    wide = replace(found(text, "Il va du parc au parc", (2, ("de", "le"))), words=[(0, 2), (3, 5), (6, 13), (6, 13)])
    assert multiword_agreement([paragraph], [wide]) == PRF(2, 1, 0)
    assert multiword_agreement([], []) == PRF()


# From a treebank to tagged text


@pytest.fixture(scope="module")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that has learned the treebanks by heart, multiword tokens too."""
    folder = tmp_path_factory.mktemp("multiword")
    files = written(folder)
    out = training.train(
        files, out=folder / "m", segmenter=False, epochs=6, lr=0.02, hidden=16, embedding_dim=16, char_dim=8,
        char_hidden=8, layers=1, dropout=0.0, word_dropout=0.1, batch_tokens=200,
    )  # fmt: skip
    return training.train_segmenter(
        out, files, hidden=24, unit_dim=16, bigrams=256, bigram_dim=8, epochs=4, lr=0.02, dropout=0.1
    )


@pytest.fixture(scope="module")
def tagger(model_folder: Path) -> Tagger:
    return load(model_folder)


def test_it_learns_them(model_folder: Path, tagger: Tagger) -> None:
    segmenter = tagger.model.segmenter
    assert segmenter
    assert [*segmenter.expansions] == ["de", "en", "es", "fr"]
    assert segmenter.dev["fr_tiny"].keys() == {"tokens", "words", "sentences"}
    assert min(figures["words"] for figures in segmenter.dev.values()) > 0.97, segmenter.dev
    text = "Paul vient du parc. Du pain! Hans geht zum Haus. I don't swim. Juan va a decirlo."
    (one,) = tagger.find([text])
    words = "Paul vient de le parc . De le pain ! Hans geht zu dem Haus . I do n't swim . Juan va a decir lo ."
    assert one.forms(text) == words.split()
    assert [each.token for each in one.multiwords] == ["du", "Du", "zum", "don't", "decirlo"]
    assert len(one.tags) == len(one.words) == len(words.split())
    assert [word for sentence in tagger.tag_text(text) for word, _ in sentence] == words.split()
    card = directory.read_card(model_folder)
    assert "multiword tokens of de, en, es, fr" in card
    assert "| dev split | tokens F1 | words F1 | sentences F1 |\n| --- | ---: | ---: | ---: |" in card


def test_the_command_line_writes_tokens_and_their_words(run: Run, model_folder: Path) -> None:
    text = "Paul vient du parc.\n\nI don't swim."

    def done(*arguments: str) -> str:
        ended = run("tag", "-m", model_folder, "--input-format", "raw", *arguments, stdin=text)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    assert done() == "Paul/PROPN vient/VERB du/ADP+DET parc/NOUN ./PUNCT\n\nI/PROPN do/AUX n't/PART swim/VERB ./PUNCT\n"
    assert "de/ADP le/DET parc/NOUN" in done("--expand")
    assert "\ndu\tADP+DET\n" in done("-f", "tsv")
    assert "\n3-4\tdu\t_" in done("-f", "conllu")
    assert rebuilt(done("-f", "conllu")) == text
    assert json.loads(done("-f", "jsonl").splitlines()[0])["multiwords"] == [[2, 4, "du"]]
    told = refusal(run("tag", "-m", model_folder, "--expand", "-f", "conllu", "x"), 2)
    assert "--expand is for --format slash, tsv and vertical" in told


def test_measuring_raw_text(run: Run, model_folder: Path) -> None:
    gold = model_folder.parent / "fr_tiny-ud-dev.conllu"
    ended = run("eval", "--raw", "-m", model_folder, gold, "--json")
    (figures,) = json.loads(ended.stdout)
    assert [*figures][5:] == ["tokens", "multiwords", "words", "sentences", "tags"]
    assert figures["words"]["gold"] > figures["tokens"]["gold"] > 0
    assert figures["tokens"]["f1"] > 0.97
    assert 0 < figures["multiwords"]["gold"] <= figures["words"]["gold"] - figures["tokens"]["gold"]
    assert "tokens" in run("eval", "--raw", "-m", model_folder, gold).stdout


def test_onnx_computes_both_heads_as_torch_does(tagger: Tagger) -> None:
    import torch

    from rnntag.model.weights import dequantize
    from rnntag.network.segmenter import SegmenterNetwork
    from rnntag.onnx import export, graph
    from rnntag.onnx.session import OnnxModel

    stored = tagger.model.segmenter
    assert stored
    network = SegmenterNetwork(stored.config, stored.units, 4).eval()
    network.load_state_dict(
        {name: torch.tensor(w, dtype=torch.float32) for name, w in dequantize(stored.weights).items()}
    )
    _, (columns,) = stored.units.encode(["Paul vient du parc."])
    with torch.inference_mode():
        vectors = network.vectors(torch.from_numpy(columns)[None])
        expected = network.scores(torch.from_numpy(columns)[None], torch.tensor([len(columns)]))
    session = OnnxModel(graph.segmenter(stored, int8=False))
    given = vectors[0][:, None].numpy(), np.array([len(columns)])
    got = session.scores(*given, graph.CLASSES, graph.MULTIWORDS)[:, 0]
    np.testing.assert_allclose(got, torch.cat(expected, dim=-1)[0].numpy(), atol=1e-4)
    readme = export.files(tagger.model)["README.md"].decode()
    assert "`multiwords` holds the scores" in readme
    assert "1 de, 2 en, 3 es, 4 fr" in readme


def test_a_word_of_a_lexicon_is_no_multiword_token(model_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("du\n", encoding="utf-8")
    text = "Paul vient du parc."
    assert [word for word, _ in load(model_folder, lexicon=tmp_path / "mine.txt").tag_text(text)[0]] == [
        "Paul", "vient", "du", "parc", ".",
    ]  # fmt: skip


def test_no_grapheme_cluster_is_cut(tagger: Tagger) -> None:
    segmenter = tagger._segmenter
    tokens = Segmentation([(0, 6)], [1])
    language = np.array([2])  # English
    cut, whole = "don't", "don't\u0301"
    assert segmenter._expanded(language, cut, Segmentation([(0, 5)], [1]), np.array([0])).words == [(0, 2), (2, 5)]
    rules = {"en": Expansions({}, {"\u0301": ("", "\u0301")}, {})}
    segmenter = type(segmenter)(replace(segmenter._stored, expansions={**segmenter._stored.expansions, **rules}))
    assert segmenter._expanded(language, whole, tokens, np.array([0])) is tokens


def test_a_run_that_starts_from_a_model_learns_more_languages(tagger: Tagger, tmp_path: Path) -> None:
    from rnntag.training.inheritance import Start

    path = tmp_path / "it_x-ud-train.conllu"
    path.write_text(treebank(["Lei/PRON va/VERB nel=in/ADP+il/DET bosco/NOUN ~./PUNCT"] * 30), encoding="utf-8")
    new = loading.load([str(path)])
    old = tagger.model.segmenter
    assert old
    task = SegmenterTask(new, replace(old.config, keep=True), start=Start(tagger.model, (*loading.load(["starter"]),)))
    assert [*task.expansions] == ["de", "en", "es", "fr", "it"]
    assert task.expansions["fr"] == old.expansions["fr"]
    weights = extension.segmenter(old, task.units, 5, task.weights())
    head = weights["heads.1.weight"]
    assert head.shape == (6, 48)
    np.testing.assert_allclose(head[5], head[:5].mean(axis=0), atol=1e-6)
    random = np.random.default_rng(1)
    loss = task.loss(task.batches(random)[0], random, 1.0)
    assert np.isfinite(loss.mean.item())
    loss.mean.backward()


def test_a_segmenter_of_words_stays_one_unless_it_may_forget(smallest: ModelBundle, tmp_path: Path) -> None:
    from rnntag.training.inheritance import Start

    assert smallest.segmenter
    bare = replace(smallest.segmenter, expansions={}, weights={
        name: weight for name, weight in smallest.segmenter.weights.items() if not name.startswith("heads.1")
    })  # fmt: skip
    model = replace(smallest, segmenter=bare)
    keeping = SegmenterTask(corpora(tmp_path), bare.config, start=Start(model, (*loading.load(["starter"]),)))
    assert not keeping.expansions
    assert len(keeping.network.heads) == 1
    other = SegmenterTask(corpora(tmp_path), replace(bare.config, keep=False), start=Start(model))
    assert [*other.expansions] == ["de", "en", "es", "fr"]
    assert len(other.network.heads) == 2
    old, new = keeping.weights(), other.weights()
    assert all(np.array_equal(old[name], new[name]) for name in old.keys() - {"units.weight", "bigrams.weight"})
    random = np.random.default_rng(1)
    other.loss(other.batches(random)[0], random, 1.0).mean.backward()
    assert other.network.heads[1].weight.grad.abs().sum() > 0


def test_corpora_without_ranges_make_the_segmenter_that_they_made_before() -> None:
    corpus = Corpus("zh_x", (Sentence(("我", "吃", "。"), spaces=("", "", "")),) * 20)
    task = SegmenterTask([corpus], SegmenterConfig(hidden=4, bigrams=0))
    assert not task.expansions
    assert task.weights().keys() == {
        name for name in task.weights() if not name.startswith("heads") or name.startswith("heads.0")
    }


def test_a_stored_model_has_the_tables_only_with_multiword_tokens(tagger: Tagger, tmp_path: Path) -> None:
    files = directory.as_files(tagger.model, "")
    stored = validation.parse(files[SEGMENTER])
    assert [*stored["multiwords"]] == ["de", "en", "es", "fr"]
    segmenter = tagger.model.segmenter
    assert segmenter
    bare = replace(tagger.model, segmenter=replace(segmenter, expansions={}))
    assert "multiwords" not in validation.parse(directory.as_files(bare, "")[SEGMENTER])


def test_tokens_of_spacy_are_in_the_text(model_folder: Path) -> None:
    spacy = pytest.importorskip("spacy")
    from rnntag.integrations.spacy import create_tokenizer

    nlp = spacy.blank("xx")
    nlp.tokenizer = create_tokenizer(str(model_folder))(nlp)
    doc = nlp("Paul vient du parc.  I don't swim.")
    assert [token.text for token in doc if not token.is_space] == [
        "Paul", "vient", "du", "parc", ".", "I", "do", "n't", "swim", ".",
    ]  # fmt: skip
    assert next(sentence.text for sentence in doc.sents).strip() == "Paul vient du parc."


def test_arrow_columns_have_words_with_the_places_of_their_tokens(model_folder: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    from rnntag.integrations.arrow import TagBatches

    (row,) = TagBatches(model_folder)(pa.table({"text": ["Paul vient du parc."]})).to_pylist()
    assert row["tokens"] == ["Paul", "vient", "de", "le", "parc", "."]
    assert (row["start"], row["end"]) == ([0, 5, 11, 11, 14, 18], [4, 10, 13, 13, 18, 19])


def test_tags_of_joined_words_have_one_item_each() -> None:
    joined = records.joining.joined_tags(Tags(["A", "B", "C"]), [Multiword(1, "x", ("y", "z"))])
    assert joined == Tags(["A", "B+C"])
    with pytest.raises(UsageError):
        writer("slash", "upos", "xpos")
