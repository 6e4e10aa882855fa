"""What the scripts of the bundled model's recipe promise."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from types import SimpleNamespace

import nltk
import pytest

pytest.importorskip("opencc", reason="needs rnntag[chinese]")

from benchmarks import glove, overlap, robustness, unlabelled
from rnntag.corpora import loading
from rnntag.corpora import nltk as nltk_corpora
from rnntag.sentences import Sentence

DEV = "The old man saw a red bird in the garden ."


@pytest.mark.parametrize(
    ("text", "alike"),
    [
        (DEV, True),
        ("the OLD man saw a red bird in the garden", True),
        ("Yesterday the old man saw a red bird in the garden behind the house .", True),
        ("The old man saw a red fox in the garden .", False),
        ("The old man saw her .", False),
        ("Thanks !", True),
        ("Thanks a lot !", False),
        ("他 在 1999年 看到 了 乌龟 。", True),
        ("他 在 2001 年 看到 了 烏龜 。", True),
        ("他 没 看到 乌龟 。", False),
    ],
)
def test_what_is_like_a_dev_sentence(text: str, alike: bool) -> None:
    held = overlap.Held(sentence.split() for sentence in (DEV, "thanks", "他在 1999 年 看到 了 乌龟"))
    assert held.has(text.split()) == alike


def conllu(folder: Path, name: str, *sentences: str) -> Path:
    empty = "\t_" * 6
    rows = ("".join(f"{i}\t{w}\t_\tX{empty}\n" for i, w in enumerate(s.split(), 1)) for s in sentences)
    path = folder / name
    path.write_text("# c\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return path


def test_training_parts_are_written_without_dev_sentences(tmp_path: Path) -> None:
    dev = conllu(tmp_path, "x-dev.conllu", DEV)
    train = conllu(tmp_path, "x-train.conllu", "Birds sing .", DEV, "I eat .")
    overlap.write_clean([dev], [train], tmp_path / "clean")
    (corpus,) = loading.load([str(tmp_path / "clean" / "*")])
    assert [" ".join(s.tokens) for s in corpus.train] == ["Birds sing .", "I eat ."]
    assert [" ".join(s.tokens) for s in corpus.dev] == [DEV]
    assert (tmp_path / "clean" / "x-dev.conllu").read_bytes() == dev.read_bytes()


def test_chinese_text_becomes_sentences_of_simplified_words(tmp_path: Path) -> None:
    pytest.importorskip("jieba", reason="needs rnntag[recipe]")
    text = tmp_path / "text.txt"
    text.write_text("我吃蘋果。你喝什麼？\n\n「好」", encoding="utf-8")
    assert ["".join(words) for words in unlabelled.chinese_sentences(text)] == ["我吃苹果。", "你喝什么?", "“好”"]


def test_english_text_becomes_sentences_of_a_treebank_s_words(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "[t]well-known\nprice[-1]##i can't say &#34;no&#34; . It's 3-4 (U.S.) dollars. Buy it!"
    monkeypatch.setattr(nltk_corpora, "provide", lambda _: None)
    monkeypatch.setattr(nltk, "corpus", SimpleNamespace(mine=SimpleNamespace(raw=lambda: text)))
    assert [" ".join(words) for words in unlabelled.english_sentences("mine")] == [
        "well - known",
        'i ca n\'t say " no " .',
        "It 's 3-4 ( U.S. ) dollars .",
        "Buy it !",
    ]


def test_glove_comes_as_text(tmp_path: Path) -> None:
    vectors = {"the": [0.5, -0.25, 0.56, 0], "a b": [1, 1, 1.4, 1], "cat": [1.0, 2.0, 2.2, 2]}
    content = json.dumps({"words": [*vectors], "dimensions": 2, "vectors": vectors}).encode()
    with tarfile.open(tmp_path / "x.tgz", "w:gz") as archive:
        member = tarfile.TarInfo(glove.MEMBER)
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    assert [*glove.lines(tmp_path / "x.tgz")] == ["the 0.5 -0.25\n", "cat 1.0 2.0\n"]


def test_every_way_of_writing_keeps_the_gold_tags_in_their_places() -> None:
    sentence = Sentence(
        ("I", "ate", "2", "，", "Tom", "！"), {"upos": ("PRON", "VERB", "NUM", "PUNCT", "PROPN", "PUNCT")}
    )
    for name, items in robustness.written([sentence] * 3):
        if name == "one word alone":
            assert [gold for _, (gold,), _ in items] == list(sentence.tags["upos"])
            continue
        for tokens, gold, first in items:
            middle = tokens[first : first + len(gold)]
            assert list(gold) == list(sentence.tags["upos"])[: len(gold)]
            assert len(middle) == len(gold) == (5 if name.startswith("no punctuation") else 6)
            assert middle[4].lower() in ("tom", "ｔｏｍ")


def test_paragraphs_lose_held_out_sentences() -> None:
    held = overlap.Held([["他", "看到", "了", "乌龟", "。"]])
    texts = ["今天下雨。他看到了烏龜！我们回家。", "  ", "他看到了乌龟。", "Hello there."]
    assert [*unlabelled.without(held, texts)] == ["今天下雨。我们回家。\n", "Hello there.\n"]
