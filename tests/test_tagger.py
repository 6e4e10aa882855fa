"""A tagger gives one tag a token, in order, however sentences come together."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rnntag
from rnntag import tagger as tagging
from rnntag import windows, word_cache
from rnntag.errors import UsageError
from rnntag.model.stored import ModelBundle
from rnntag.sentences import Corpus
from rnntag.tagger import Tagger


@pytest.fixture(scope="module")
def tagger(tiny_folder: Path) -> Tagger:
    return rnntag.load(tiny_folder)


def test_what_was_learned_is_known(tagger: Tagger) -> None:
    assert tagger.tag(["I", "eat", "apples", "."]) == [
        ("I", "PRON"), ("eat", "VERB"), ("apples", "NOUN"), (".", "PUNCT"),
    ]  # fmt: skip
    assert tagger.tag([]) == []
    assert tagger.tagsets == ("upos",)
    assert tagger.is_known("APPLES")
    assert not tagger.is_known("xylophones")


sentences = st.lists(st.lists(st.text(max_size=40), max_size=12), max_size=12)


@settings(max_examples=60, deadline=None)
@given(sentences)
def test_any_text_gets_its_tags_in_order(tagger: Tagger, texts: list[list[str]]) -> None:
    together = tagger.predict(texts)
    assert together == [tagger.predict([text])[0] for text in texts]
    assert [len(tags) for tags in together] == [len(text) for text in texts]
    assert [[word for word, _ in pairs] for pairs in tagger.tag_sents(texts)] == texts


@settings(max_examples=30, deadline=None)
@given(sentences, st.integers(1, 20))
def test_the_likeliest_tags_come_first(tagger: Tagger, texts: list[list[str]], top: int) -> None:
    plain, all_tags = tagger.predict(texts), tagger.predict(texts, top=99)
    for sentence, tags, everything in zip(tagger.predict(texts, top=top), plain, all_tags, strict=True):
        assert [tag_probs[0][0] for tag_probs in sentence] == tags
        for tag_probs, distribution in zip(sentence, everything, strict=True):
            assert tag_probs == distribution[:top]
            assert sorted(tag for tag, _ in distribution) == sorted(tagger.model.vocabulary.tags["upos"])
            shares = [p for _, p in distribution]
            assert shares == sorted(shares, reverse=True)
            assert sum(shares) == pytest.approx(1)


def test_fewer_than_one_tag_cannot_be_asked_for(tagger: Tagger) -> None:
    with pytest.raises(UsageError, match="top is 0"):
        tagger.predict([["a"]], top=0)


def test_a_stream_is_tagged_in_blocks(tagger: Tagger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tagging, "BLOCK_TOKENS", 4)
    taken = 0

    def source() -> object:
        nonlocal taken
        for _ in range(100):
            taken += 1
            yield ["I", "eat"]

    stream = tagger.stream(source())
    assert next(stream) == tagger.tag(["I", "eat"])
    assert taken == 2
    assert len(list(stream)) == 99


def test_words_beyond_the_cache_are_encoded_again(tagger: Tagger, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [[f"word{i}", "eat", f"{i}"] for i in range(200)]
    expected = tagger.predict(texts)
    monkeypatch.setattr(word_cache, "CACHED_WORDS", 50)
    monkeypatch.setattr(tagging, "BLOCK_TOKENS", 30)
    assert Tagger(tagger.model).predict(texts) == expected


def test_threads_share_a_tagger(tagger: Tagger, starter: list[Corpus], monkeypatch: pytest.MonkeyPatch) -> None:
    """Also while the cache, made small here, is emptied again and again."""
    monkeypatch.setattr(word_cache, "CACHED_WORDS", 400)
    monkeypatch.setattr(tagging, "BLOCK_TOKENS", 100)
    texts = [sentence.tokens for corpus in starter for sentence in corpus.train[:150]]
    expected = tagger.predict(texts)
    shared = Tagger(tagger.model)
    with ThreadPoolExecutor(8) as pool:
        assert all(found == expected for found in pool.map(shared.predict, [texts] * 16))


def test_windows_leave_short_sentences_alone_and_long_ones_whole(
    tagger: Tagger, monkeypatch: pytest.MonkeyPatch
) -> None:
    sentence = ["I", "eat", "apples", ".", "The", "can", "is", "full", "."] * 10
    whole = tagger.predict([sentence, sentence[:20]])
    monkeypatch.setattr(windows, "WINDOW", 40)
    monkeypatch.setattr(windows, "OVERLAP", 10)
    for length in (39, 40, 41, 60, 61, 90):
        (cut,) = tagger.predict([sentence[:length]])
        assert len(cut) == length
        assert cut[: length - 10] == whole[0][: length - 10]
    assert tagger.predict([sentence[:20]])[0] == whole[1]


def test_a_tagset_that_the_model_does_not_have(tagger: Tagger) -> None:
    with pytest.raises(UsageError, match="tiny has no tagset 'ptb': use upos"):
        tagger.predict([["a"]], "ptb")


def test_stored_and_unstored_models_agree(tagger: Tagger, tiny: ModelBundle) -> None:
    texts = [["the", "light", "is", "on"], ["花", "开", "了"]]
    assert Tagger(tiny).predict(texts) == tagger.predict(texts)
