"""Traditional Chinese is read as simplified, where a model was trained so."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rnntag.errors import NotFoundError
from rnntag.model import directory
from rnntag.model.stored import ModelBundle
from rnntag.model.vocabulary import RESERVED, Vocabulary
from rnntag.sentences import Sentence
from rnntag.tagger import Tagger
from rnntag.training import model_card, simplification

FOLDS = ("髮１", "发1")


def test_what_is_folded_is_one_word_to_the_model() -> None:
    vocabulary = Vocabulary.build([Sentence(("理髮", "A1")), Sentence(("理发",))], min_count=1, char_map=FOLDS)
    assert vocabulary.words == ("理发", "a1")
    words = vocabulary.encode_words(["理髮", "理发", "a１"])
    assert words.ids.tolist() == [RESERVED, RESERVED, RESERVED + 1]
    assert (words.chars[0] == words.chars[1]).all()


def test_a_model_keeps_its_folds(tiny: ModelBundle, tmp_path: Path) -> None:
    model = replace(tiny, vocabulary=replace(tiny.vocabulary, char_map=("睏", "开")))
    directory.write(tmp_path / "m", model, model_card.write(model))
    back = Tagger(directory.read(tmp_path / "m"))
    texts = [["花", "睏", "了"], ["花", "开", "了"]]
    one, other = (back.scores([text], "upos") for text in texts)
    assert back.model.vocabulary == model.vocabulary
    assert np.array_equal(one, other)
    assert back.is_known("睏") == back.is_known("开")


def test_opencc_s_characters_and_ours() -> None:
    pytest.importorskip("opencc", reason="needs rnntag[chinese]")
    char_map = simplification.chinese()
    text = "「他們」著ＡＢ１２裏臺灣"
    assert "".join(char_map.get(character, character) for character in text) == "“他们”着AB12里台湾"
    assert all(len(pair[0]) == len(pair[1]) == 1 for pair in char_map.items())
    assert not set(char_map) & set(char_map.values())


def test_without_opencc_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opencc", None)
    with pytest.raises(NotFoundError, match=r"pip install 'rnntag\[chinese\]'"):
        simplification.chinese()
