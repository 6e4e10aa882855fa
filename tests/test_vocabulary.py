"""Sentences become arrays and lose nothing on the way."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rnntag.model.batching import IGNORED, length_buckets
from rnntag.model.vocabulary import LONGEST_WORD, PAD, RESERVED, UNKNOWN, Vocabulary
from rnntag.sentences import Sentence

TRAINING = [
    Sentence(("The", "cat", "saw", "the", "dog"), {"upos": ("DET", "NOUN", "VERB", "DET", "NOUN")}),
    Sentence(("cat", "naps"), {"ptb": ("NN", "VBZ")}),
]


def test_the_commonest_words_have_rows_and_all_are_remembered() -> None:
    vocabulary = Vocabulary.build(TRAINING, min_count=2)
    assert vocabulary.words == ("cat", "the", "dog", "naps", "saw")
    assert vocabulary.n_embedded == 2
    assert vocabulary.tags == {"ptb": ("NN", "VBZ"), "upos": ("DET", "NOUN", "VERB")}
    words = vocabulary.encode_words(["THE", "cat", "dog", "bird"])
    assert words.ids.tolist() == [RESERVED + 1, RESERVED, UNKNOWN, UNKNOWN]


def test_characters_of_one_word_alone_stand_for_the_unknown() -> None:
    vocabulary = Vocabulary.build([*TRAINING, Sentence(("poodle",))], min_count=2)
    assert set(vocabulary.characters) == set("taehsdop")  # l is in one word only
    assert vocabulary.encode_words(["let"]).chars.tolist() == [
        [UNKNOWN, *(RESERVED + vocabulary.characters.index(letter) for letter in "et")]
    ]


def test_of_what_a_model_has_tagged_only_common_words_are_kept() -> None:
    tag_probs = {"upos": ([("NOUN", 1.0)], [("NOUN", 1.0)])}
    tagged = [Sentence(("bird", word), {"upos": ("NOUN", "NOUN")}, tag_probs) for word in ("wren", "naps")]
    vocabulary = Vocabulary.build([*TRAINING, *tagged], min_count=2)
    assert vocabulary.words == ("bird", "cat", "naps", "the", "dog", "saw")
    assert vocabulary.n_embedded == 4


def test_a_corpus_without_a_tagset_has_no_gold_for_it() -> None:
    encoded = Vocabulary.build(TRAINING, min_count=1).encode(TRAINING)
    batch = encoded.batch([1, 0])
    assert batch.gold["ptb"].tolist() == [[0, 1, IGNORED, IGNORED, IGNORED], [IGNORED] * 5]
    assert batch.gold["upos"].tolist() == [[IGNORED] * 5, [0, 1, 2, 0, 1]]


def test_a_tag_that_training_did_not_have_is_ignored() -> None:
    vocabulary = Vocabulary.build(TRAINING, min_count=1)
    encoded = vocabulary.encode([Sentence(("wow",), {"upos": ("INTJ",)})])
    assert encoded.batch([0]).gold["upos"].tolist() == [[IGNORED]]


def test_of_a_very_long_word_both_ends_are_kept() -> None:
    vocabulary = Vocabulary.build([Sentence(("ab", "ba"), {"upos": ("X", "X")})], min_count=1)
    words = vocabulary.encode_words(["a" * 1000 + "b" * 1000, "ab"])
    half = LONGEST_WORD // 2
    assert words.chars.shape == (2, LONGEST_WORD)
    assert words.chars[0].tolist() == [RESERVED] * half + [RESERVED + 1] * half
    assert words.chars[1].tolist() == [RESERVED, RESERVED + 1] + [PAD] * (LONGEST_WORD - 2)


sentences = st.lists(st.lists(st.text(max_size=4), max_size=12).map(lambda words: Sentence(tuple(words))), max_size=20)


@given(sentences, st.integers(1, 40), st.booleans())
def test_batches_hold_every_token_once(texts: list[Sentence], tokens: int, shuffled: bool) -> None:
    vocabulary = Vocabulary.build(texts, min_count=1)
    encoded = vocabulary.encode(texts)
    lengths = np.array([len(text.tokens) for text in texts], dtype=np.int64)
    groups = length_buckets(lengths, tokens, np.random.default_rng(0)) if shuffled else encoded.batches(tokens)
    assert sorted(p for group in groups for p in group) == [i for i, s in enumerate(texts) if s.tokens]
    for group in groups:
        batch = encoded.batch(group)
        assert len(group) == 1 or batch.index.size <= tokens
        for row, position in enumerate(group):
            words = texts[position].tokens
            assert batch.lengths[row] == len(words)
            rows = batch.index[row, : len(words)]
            expected = vocabulary.encode_words(words)
            assert batch.words.ids[rows].tolist() == expected.ids.tolist()
            for mine, theirs, length in zip(batch.words.chars[rows], expected.chars, expected.lengths, strict=True):
                assert mine[:length].tolist() == theirs[:length].tolist()
                assert not mine[length:].any()


def test_a_word_is_read_without_invisible_characters_and_ligatures() -> None:
    spelt = [Sentence(("so\u00adftware", "o\ufb03ce"), {"upos": ("NOUN", "NOUN")})]
    vocabulary = Vocabulary.build(spelt, min_count=1)
    assert vocabulary.words == ("office", "software")
    plain, marked = (
        vocabulary.encode_words(words)
        for words in (
            ["software", "office", "x" * 300],
            ["\ufeffsoft\u200bware", "o\ufb03c\u2060e", "\u00ad" * 300 + "x" * 300],
        )
    )
    assert plain.ids.tolist() == marked.ids.tolist() != [UNKNOWN] * 3
    assert plain.chars.tolist() == marked.chars.tolist()
    assert plain.lengths.tolist() == marked.lengths.tolist()
    assert vocabulary.shorten("\u00ad" * 300 + "x" * 300) == vocabulary.shorten("x" * 300)
    assert vocabulary.encode_words(["\u200b"]).lengths.tolist() == [1]
