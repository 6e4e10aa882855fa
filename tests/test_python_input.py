"""What Python hands over is tokens or text, whichever was asked for, or a TypeError that says what is wanted."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rnntag
from rnntag import errors
from rnntag.integrations.nltk import RNNTagger
from rnntag.tagger import Tagger


@pytest.fixture(scope="module")
def tagger(tiny_raw_folder: Path) -> Tagger:
    return rnntag.load(tiny_raw_folder)


@pytest.fixture(scope="module")
def nltk_tagger(tiny_raw_folder: Path) -> RNNTagger:
    return RNNTagger(tiny_raw_folder)


def refused(call: Callable[..., Any], *arguments: Any, **options: Any) -> str:
    with pytest.raises(TypeError) as error:
        call(*arguments, **options)
    return str(error.value)


@pytest.mark.parametrize("text", ["a dog", "", b"a dog", bytearray(b"a")])
@pytest.mark.parametrize("method", ["tag", "predict", "tag_sents", "stream", "scores", "probabilities"])
def test_a_string_is_no_list(tagger: Tagger, method: str, text: Any) -> None:
    wanted = "tokens of one sentence" if method == "tag" else "sentences, each a list of tokens"
    more = ("upos",) if method in ("scores", "probabilities") else ()
    message = refused(getattr(tagger, method), text, *more)
    assert wanted in message
    assert f"not {type(text).__name__}" in message
    assert "tag_text" in message
    assert ".split()" in message


@pytest.mark.parametrize("sentence", ["I can swim", "", b"I can swim", 5, None])
@pytest.mark.parametrize("method", ["predict", "tag_sents", "stream"])
def test_a_sentence_is_no_string(tagger: Tagger, method: str, sentence: Any) -> None:
    message = refused(lambda: list(getattr(tagger, method)([["I", "eat"], sentence])))
    assert "a sentence must be a list of tokens" in message
    assert f"not {type(sentence).__name__}" in message


def test_a_stream_refuses_only_what_comes_after(tagger: Tagger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rnntag.tagger.BLOCK_TOKENS", 2)
    stream = tagger.stream([["I", "eat"], "I eat"])  # type: ignore[list-item]
    assert next(stream) == tagger.tag(["I", "eat"])
    assert "a list of tokens" in refused(next, stream)


@pytest.mark.parametrize("token", [5, 2.5, float("nan"), None, b"dog", ["a", "dog"], ("a", "NOUN"), {"a": 1}])
def test_a_token_is_a_string(tagger: Tagger, token: Any) -> None:
    for call in (tagger.tag, lambda tokens: tagger.predict([tokens]), lambda tokens: tagger.tag_sents([tokens])):
        message = refused(call, ["I", token])
        assert "a token must be str" in message
        assert f"not {type(token).__name__}" in message
    assert tagger.tag(["I", "eat"])  # the words met before it are known, and it is not


@pytest.mark.parametrize("text", [None, 5, b"I eat.", ["a"], ["I eat."], ("I", "eat")])
def test_a_text_is_a_string(tagger: Tagger, text: Any) -> None:
    message = refused(tagger.tag_text, text)
    assert "a text must be str" in message
    assert f"not {type(text).__name__}" in message
    assert ("tag()" in message) == isinstance(text, (list, tuple))
    assert f"not {type(text).__name__}" in refused(tagger.find, ["I eat.", text])


@pytest.mark.parametrize("texts", ["I eat.", b"I eat.", None, 5])
def test_several_texts_are_no_single_one(tagger: Tagger, texts: Any) -> None:
    for call in (tagger.find, tagger.segment, tagger.tag_texts):
        assert "a list of texts" in refused(call, texts)


class Scalar:
    """As the columns of Arrow yield."""

    def as_py(self) -> str:
        return "I eat."


@pytest.mark.parametrize(
    ("text", "advice"),
    [(None, "fillna"), (float("nan"), "fillna"), (b"I eat.", "decode"), (["I"], "tag()"), (Scalar(), "to_pylist()")],
)
def test_a_row_without_text_is_told_with_its_place(tagger: Tagger, text: Any, advice: str) -> None:
    message = refused(tagger.tag_texts, ["I eat.", text])
    assert message.startswith(f"texts[1]: a text must be str, not {type(text).__name__}: ")
    assert advice in message


def test_a_wrong_call_is_told_before_what_the_model_lacks(tiny_folder: Path) -> None:
    without_segmenter = rnntag.load(tiny_folder)
    assert "a text must be str" in refused(without_segmenter.tag_text, None)


SEQUENCES: list[Callable[[list[str]], Any]] = [
    tuple, iter, lambda tokens: (token for token in tokens), np.array, lambda tokens: np.array(tokens, dtype=object),
    dict.fromkeys, lambda tokens: map(str, tokens),
]  # fmt: skip


@pytest.mark.parametrize("made", SEQUENCES)
def test_whatever_yields_strings_is_a_sentence(tagger: Tagger, made: Callable[[list[str]], Any]) -> None:
    tokens = ["I", "eat", "apples", "."]
    expected = tagger.tag(tokens)
    assert tagger.tag(made(tokens)) == expected
    assert tagger.tag_sents([made(tokens), made([])]) == [expected, []]
    assert tagger.predict([made(tokens)]) == [[tag for _, tag in expected]]
    assert list(tagger.stream(iter([made(tokens)]))) == [expected]
    assert tagger.scores([made(tokens)], "upos").shape[0] == len(tokens)


@pytest.mark.parametrize("made", [tuple, iter, lambda sentences: (sentence for sentence in sentences)])
def test_sentences_may_come_from_a_generator(tagger: Tagger, made: Callable[[Any], Any]) -> None:
    sentences = [["I", "eat"], [], ["apples"]]
    assert tagger.predict(made(sentences)) == tagger.predict(sentences)
    assert tagger.predict(made(sentences), top=2) == tagger.predict(sentences, top=2)
    assert tagger.tag_sents(made(sentences)) == tagger.tag_sents(sentences)
    assert [found.words for found in tagger.find(made(["I eat.", "", "No."]))] == [
        found.words for found in tagger.find(["I eat.", "", "No."])
    ]


def test_columns_of_pandas_are_sentences(tagger: Tagger) -> None:
    pandas = pytest.importorskip("pandas")
    tokens = ["I", "eat", "apples"]
    for dtype in (object, "string"):
        column = pandas.Series(tokens, index=[7, 8, 9], dtype=dtype)
        assert tagger.tag(column) == tagger.tag(tokens)
        assert tagger.predict([column]) == tagger.predict([tokens])
    assert "not NAType" in refused(tagger.tag, pandas.Series(["I", None], dtype="string"))
    assert tagger.tag_sents(pandas.Series([tokens, ["I"]])) == tagger.tag_sents([tokens, ["I"]])


def test_nltk_s_methods_say_it_too(nltk_tagger: RNNTagger) -> None:
    assert "tokens of one sentence" in refused(nltk_tagger.tag, "a dog")
    assert "sentences, each a list of tokens" in refused(nltk_tagger.tag_sents, "a dog")
    assert "a sentence must be a list of tokens" in refused(nltk_tagger.tag_sents, ["a dog"])


@pytest.mark.parametrize(
    "gold",
    [
        "I/PRON", ["I/PRON eat/VERB"], [["am", "is"]], [["I/PRON"]], [("I", "PRON")], [[("I", "PRON"), ("eat",)]],
        [[("I", "PRON"), "an"]], [[("I", None)]], [[(5, "NUM")]], [None], None,
    ],
)  # fmt: skip
@pytest.mark.parametrize("method", ["accuracy", "confusion", "recall", "evaluate_per_tag"])
def test_nltk_s_gold_sentences_are_pairs(nltk_tagger: RNNTagger, method: str, gold: Any) -> None:
    assert "(word, tag) pairs" in refused(getattr(nltk_tagger, method), gold)


def test_gold_sentences_may_be_lazy(nltk_tagger: RNNTagger) -> None:
    gold = [[("I", "PRON"), ("eat", "VERB")], []]
    for made in (iter, lambda sentences: (iter(sentence) for sentence in sentences)):
        assert nltk_tagger.accuracy(made(gold)) == 1
        assert nltk_tagger.confusion(made(gold))["PRON", "PRON"] == 1
    assert nltk_tagger.accuracy([[["I", "PRON"]]]) == nltk_tagger.accuracy([[("I", "PRON")]])


ERRORS = ["RnntagError", "UsageError", "DataError", "NotFoundError", "AccessError"]


@pytest.mark.parametrize("name", ERRORS)
def test_errors_can_be_caught_by_the_package_s_name(name: str) -> None:
    assert getattr(rnntag, name) is getattr(errors, name)
    assert name in rnntag.__all__
    assert name in dir(rnntag)


def test_a_missing_model_is_caught() -> None:
    code = "import rnntag\ntry:\n    rnntag.load('none such')\nexcept rnntag.NotFoundError as error:\n    print(error)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("none such: no such model")


def test_a_column_of_pandas_is_a_list_of_texts(tagger: Tagger) -> None:
    pandas = pytest.importorskip("pandas")
    texts = ["I eat apples.", "", "Go!"]
    for dtype in (object, "string", "category"):
        assert tagger.tag_texts(pandas.Series(texts, index=[7, 8, 9], dtype=dtype)) == tagger.tag_texts(texts)
    assert "fillna" in refused(tagger.tag_texts, pandas.Series(["Go!", None], dtype="string"))
