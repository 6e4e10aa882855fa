"""rnntag's tokenizer in spaCy, and what the component makes of its words and of others."""

from __future__ import annotations

import pickle
import shutil
import sys
import warnings
from importlib.metadata import EntryPoint
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

spacy = pytest.importorskip("spacy")

from spacy.tokens import Doc
from spacy.training import Example

import rnntag
from rnntag.errors import UsageError
from rnntag.integrations.spacy import TOKENIZER, RNNTagTokenizer, create_tokenizer
from rnntag.tagger import Tagger
from tests.conftest import ROOT

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

TEXT = " I eat apples.  Go!\n\n我吃苹果。她 们\n"


def blank(model: Path, language: str = "zh") -> Any:
    config = {"nlp": {"tokenizer": {"@tokenizers": TOKENIZER, "model": str(model)}}}
    return spacy.blank(language, config=config)


def pipeline(model: Path, language: str = "zh") -> Any:
    nlp = blank(model, language)
    nlp.add_pipe("rnntag", config={"model": str(model)})
    return nlp


def tagged(doc: Doc) -> list[list[tuple[str, str]]]:
    return [[(token.text, token.pos_) for token in sentence if not token.is_space] for sentence in doc.sents]


@pytest.fixture(scope="module")
def tagger(tiny_raw_folder: Path) -> Tagger:
    return rnntag.load(tiny_raw_folder)


@pytest.fixture(scope="module")
def tokenizer(tiny_raw_folder: Path) -> RNNTagTokenizer:
    return RNNTagTokenizer(spacy.blank("zh").vocab, str(tiny_raw_folder))


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_pipeline_tags_text_as_rnntag_does(tiny_raw_folder: Path, tagger: Tagger, language: str) -> None:
    nlp = pipeline(tiny_raw_folder, language)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        doc = nlp(TEXT)
    assert tagged(doc) == tagger.tag_text(TEXT)
    assert doc.text == TEXT
    assert [(t.text, t.pos_, t.tag_) for t in doc if t.is_space] == [
        (" ", "SPACE", "_SP"), (" ", "SPACE", "_SP"), ("\n\n", "SPACE", "_SP"), ("\n", "SPACE", "_SP")
    ]  # fmt: skip
    assert doc.has_annotation("TAG", require_complete=True)
    assert nlp("").text == ""
    assert [token.pos_ for token in nlp(" \n")] == ["SPACE"]


@given(st.text(st.sampled_from("Ia 我苹果。.!\n\t\u3000\xa0e\u0301"), max_size=30))
@example(TEXT)
@example("  我  。 ")
def test_text_is_rebuilt_and_words_are_those_of_the_segmenter(
    tokenizer: RNNTagTokenizer, tagger: Tagger, text: str
) -> None:
    doc = tokenizer(text)
    assert doc.text == text
    (found,) = tagger.segment([text])
    words = [token for token in doc if not token.is_space]
    assert [(token.idx, token.idx + len(token)) for token in words] == found.words
    sentences = [[token.text for token in sentence if not token.is_space] for sentence in doc.sents]
    assert [sentence for sentence in sentences if sentence] == [
        [text[a:b] for a, b in found.words[first:last]] for first, last in pairwise((0, *found.ends))
    ]


def test_many_texts_become_the_documents_of_each(tokenizer: RNNTagTokenizer) -> None:
    texts = [TEXT, "", "I eat.", "我吃苹果。"]
    docs = list(tokenizer.pipe(iter(texts), batch_size=3))
    assert [doc.to_json() for doc in docs] == [tokenizer(text).to_json() for text in texts]


@pytest.mark.parametrize("by_hand", [False, True])
def test_a_saved_pipeline_finds_the_same_words_elsewhere(tiny_raw_folder: Path, tmp_path: Path, by_hand: bool) -> None:
    model = tmp_path / "here" / "gone"
    shutil.copytree(tiny_raw_folder, model)
    nlp = spacy.blank("zh") if by_hand else blank(model)
    if by_hand:
        nlp.tokenizer = create_tokenizer(str(model))(nlp)
    expected = [token.text for token in nlp(TEXT)]
    nlp.to_disk(tmp_path / "pipeline")
    content, pickled = nlp.to_bytes(), pickle.dumps(nlp)
    shutil.rmtree(model)
    for again in (
        spacy.load(tmp_path / "pipeline"),
        spacy.util.get_lang_class("zh").from_config(nlp.config).from_bytes(content),
        pickle.loads(pickled),
    ):
        assert [token.text for token in again(TEXT)] == expected
        assert again.config["nlp"]["tokenizer"] == {"@tokenizers": TOKENIZER, "model": str(model)}
        assert again.tokenizer._tagger().model.name == "gone"


def test_a_model_without_segmenter_is_refused(tiny_folder: Path) -> None:
    with pytest.raises(UsageError, match="tiny has no segmenter"):
        create_tokenizer(str(tiny_folder))(spacy.blank("zh"))


def test_the_package_names_the_tokenizer_to_spacy() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    ((name, value),) = project["entry-points"]["spacy_tokenizers"].items()
    assert name == TOKENIZER
    assert EntryPoint(name, value, "spacy_tokenizers").load() is create_tokenizer


def test_characters_instead_of_words_are_warned_of_once(tiny_raw_folder: Path, tiny_folder: Path) -> None:
    for model in (tiny_raw_folder, tiny_folder):
        nlp = spacy.blank("zh")
        nlp.add_pipe("rnntag", config={"model": str(model)})
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            for text in ("I eat.", "我吃", "我吃苹果。", "我吃苹果。"):
                nlp(text)
        (warning,) = caught
        assert TOKENIZER in str(warning.message)
        for words in (["我", "吃", "苹果"], ["我", "吃"]):
            nlp.get_pipe("rnntag")._has_warned = False
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                nlp(Doc(nlp.vocab, words=words, spaces=[False] * len(words)))


def test_the_component_finds_sentences_where_nothing_else_has(tiny_raw_folder: Path, tagger: Tagger) -> None:
    text = "I eat apples. You eat apples ."
    nlp = spacy.blank("en")
    nlp.add_pipe("rnntag", config={"model": str(tiny_raw_folder)})
    assert [sentence.text for sentence in nlp(text).sents] == ["I eat apples.", "You eat apples ."]
    one = Doc(nlp.vocab, words=text.split(), sent_starts=[True] + [False] * 6)
    assert len(list(nlp(one).sents)) == 1
    assert [token.pos_ for token in one] == tagger.predict([text.split()])[0]
    across = Doc(nlp.vocab, words=["I", "eat", "apples.You", "eat"], spaces=[True, True, True, False])
    assert "".join(token.text_with_ws for sentence in nlp(across).sents for token in sentence) == across.text
    parsed = Doc(nlp.vocab, words=["I", "eat"], deps=["nsubj", "ROOT"], heads=[1, 1])
    assert [token.dep_ for token in nlp(parsed)] == ["nsubj", "ROOT"]


def test_evaluation_scores_tags_and_sentences(tiny_raw_folder: Path) -> None:
    nlp = pipeline(tiny_raw_folder)
    doc = nlp("I eat apples. 我吃苹果。")
    words = {"words": [token.text for token in doc], "spaces": [bool(token.whitespace_) for token in doc]}
    pos = [token.pos_ for token in doc]
    starts = [token.is_sent_start for token in doc]
    gold = {**words, "tags": ["X", *pos[1:]], "pos": ["X", "X", *pos[2:]], "sent_starts": starts}
    scores = nlp.evaluate([Example.from_dict(nlp.make_doc(doc.text), gold)])
    assert (len(doc), scores["tag_acc"], scores["pos_acc"]) == (8, 7 / 8, 6 / 8)
    assert (scores["sents_f"], scores["token_acc"]) == (1, 1)
    untold = nlp.evaluate([Example.from_dict(nlp.make_doc(doc.text), words)])
    assert (untold["tag_acc"], untold["pos_acc"], untold["sents_f"]) == (None, None, None)
