"""Raw text taken from gold sentences, and how well words, sentences and tags are found in it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from rnntag.corpora import loading
from rnntag.corpora.raw_text import GoldParagraph, gold_paragraphs
from rnntag.errors import DataError
from rnntag.evaluation.segmentation import PRF, agreement
from rnntag.formats import conllu
from rnntag.sentences import Segmentation, Sentence


def rows(*words: tuple[str, str, str]) -> str:
    return "".join(f"{number}\t{form}" + "\t_" * 7 + f"\t{misc}\n" for number, form, misc in words)


DOCUMENT = (
    "# newdoc id = d\n# newpar\n# text = I can't.\n"
    + rows(("1", "I", "_"), ("2-3", "can't", "SpaceAfter=No"), ("2", "ca", "_"), ("3", "n't", "_"), ("4", ".", "_"))
    + "\n# text = Go\n"
    + rows(("1", "Go", "SpacesAfter=\\n\\s\\p"))
    + "\n# newpar\n"
    + rows(("1", "我", "SpaceAfter=No"), ("1.1", "x", "_"), ("2", "吃", "SpaceAfter=No"))
    + "\n"
)


def test_a_treebank_tells_its_text() -> None:
    read = list(conllu.read(DOCUMENT.split("\n"), "x"))
    sentences = [
        Sentence(one.column(conllu.FORM), {"upos": one.column(conllu.FORM)}, {}, one.layout()[0], one.opens_paragraph)
        for one in read
    ]
    first, second = gold_paragraphs(sentences, "x")
    assert first.text == "I can't. Go\n |"
    assert [first.text[a:b] for a, b in first.words] == ["I", "ca", "n't", ".", "Go"]
    assert (first.ends, first.tags["upos"]) == ((4, 5), ("I", "ca", "n't", ".", "Go"))
    assert second == GoldParagraph("我吃", ((0, 1), (1, 2)), (2,), {"upos": ("我", "吃")})


def test_a_text_needs_joined_words() -> None:
    with pytest.raises(DataError, match="x: does not say where words are joined"):
        gold_paragraphs([Sentence(("a", "b"), {}, spaces=(" ", " "))], "x")


def test_real_text_is_what_the_treebanks_say(treebanks: Path) -> None:
    for path in sorted(treebanks.glob("*-dev.conllu")):
        (corpus,) = loading.load([str(path)], whole=True)
        text = "".join(paragraph.text for paragraph in gold_paragraphs(corpus.dev, corpus.name))
        lines = path.read_text(encoding="utf-8").split("\n")
        told = "".join(line.removeprefix("# text = ") for line in lines if line.startswith("# text = "))
        assert "".join(text.split()) == "".join(told.split())


def found(text: str, sentences: Sequence[str], tags: str) -> Segmentation:
    words, ends, place = [], [], 0
    for sentence in sentences:
        for word in sentence.split():
            begin = text.index(word, place)
            place = begin + len(word)
            words.append((begin, place))
        ends.append(len(words))
    return Segmentation(words, ends, tags.split())


def test_figures_are_those_of_a_table_made_by_hand() -> None:
    text = "I can't go. 我吃苹果"
    gold = found(text, ["I ca n't go .", "我 吃 苹果"], "P A T V . P V N")
    paragraph = GoldParagraph(text, tuple(gold.words), tuple(gold.ends), {"upos": tuple(gold.tags)})
    ours = found(text, ["I can 't go .", "我 吃 苹 果"], "P A T N . P V X X")
    # Right: I go . 我 吃, all but go with their tags, and both sentences, of 8 gold and 9 found words.
    assert agreement([paragraph], [ours], "upos") == {
        "words": PRF(8, 9, 5), "sentences": PRF(2, 2, 2), "tags": PRF(8, 9, 4),
    }  # fmt: skip
    split = found(text, ["I ca n't", "go . 我 吃 苹果"], "P A T V . P V N")
    assert agreement([paragraph], [split]) == {"words": PRF(8, 8, 8), "sentences": PRF(2, 2, 0)}
    assert PRF(8, 9, 5).f1 == pytest.approx(10 / 17)
    assert (PRF().precision, PRF().recall, PRF().f1) == (0, 0, 0)
