"""A spaCy pipeline tags as `rnntag tag` does."""

from __future__ import annotations

from pathlib import Path

import pytest

spacy = pytest.importorskip("spacy")

from spacy.tokens import Doc

import rnntag
from rnntag.errors import UsageError
from rnntag.integrations.nltk import RNNTagger
from rnntag.sentences import Corpus
from tests.conftest import Run


def test_it_tags_as_the_command_line_and_nltk_do(tiny_folder: Path, starter: list[Corpus], run: Run) -> None:
    sentences = [sentence.tokens for corpus in starter for sentence in corpus.test[:30]]
    nlp = spacy.blank("en")
    nlp.add_pipe("rnntag", config={"model": str(tiny_folder)})
    docs = nlp.pipe([Doc(nlp.vocab, words=[*tokens]) for tokens in sentences], batch_size=7)
    found = [[(token.text, token.tag_) for token in doc] for doc in docs]
    done = run("tag", "-m", tiny_folder, stdin="".join(" ".join(tokens) + "\n" for tokens in sentences))
    assert done.stdout.splitlines() == [" ".join(f"{word}/{tag}" for word, tag in pairs) for pairs in found]
    gold = [
        list(zip(tokens, [tag for _, tag in pairs], strict=True))
        for tokens, pairs in zip(sentences, found, strict=True)
    ]
    assert RNNTagger(tiny_folder).accuracy(gold) == 1


def test_sentences_and_white_space(tiny_folder: Path) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    nlp.add_pipe("rnntag", config={"model": str(tiny_folder)})
    doc = nlp("I eat apples.  You eat apples.\n")
    tagger = rnntag.load(tiny_folder)
    one, two = tagger.tag(["I", "eat", "apples", "."]), tagger.tag(["You", "eat", "apples", "."])
    assert [(token.text, token.pos_) for token in doc if not token.is_space] == one + two
    assert all(token.tag_ != "" for token in doc if not token.is_space)
    assert nlp("").text == ""


def test_empty_lines_end_sentences_where_nothing_else_does(tiny_folder: Path) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("rnntag", config={"model": str(tiny_folder)})
    sentences = [["the", "can", "is", "full"], ["I", "can"], ["eat", "can"], ["the", "light"]]
    one, two, three, four = map(" ".join, sentences)
    tagger = rnntag.load(tiny_folder)
    expected = [pair for sentence in sentences[:2] for pair in tagger.tag(sentence)]
    expected += tagger.tag(sentences[2] + sentences[3])
    for text in (f"{one}\n\n{two} \n \t\n{three}\n{four}\n", f"\n\n{one}\r\n\r\n{two}\n\n\n{three} \n{four}\n\n"):
        doc = nlp(text)
        assert [(token.text, token.tag_) for token in doc if not token.is_space] == expected
    assert tagger.predict([[word for sentence in sentences for word in sentence]]) != [[tag for _, tag in expected]]


def test_a_pipeline_survives_the_disk(tiny_folder: Path, tmp_path: Path) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("rnntag", config={"model": str(tiny_folder)})
    nlp.to_disk(tmp_path / "pipeline")
    again = spacy.load(tmp_path / "pipeline")
    assert [token.pos_ for token in again("I eat apples .")] == [token.pos_ for token in nlp("I eat apples .")]


def test_an_unknown_tagset_is_refused_at_once(tiny_folder: Path) -> None:
    with pytest.raises(UsageError, match="tiny has no tagset 'ptb'"):
        spacy.blank("en").add_pipe("rnntag", config={"model": str(tiny_folder), "tagset": "ptb"})
