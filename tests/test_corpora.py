"""Corpora are read as they are, in the documented splits."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections import Counter
from pathlib import Path

import pytest

from rnntag.corpora import loading
from rnntag.corpora import nltk as nltk_corpora
from rnntag.corpora.loading import UNIVERSAL_12, treebank_and_split
from rnntag.corpora.nltk import CATALOGUE
from rnntag.errors import DataError, NotFoundError, UsageError
from rnntag.sentences import UPOS, Corpus, Sentence
from tests.conftest import few


def row(position: int, form: str, upos: str, xpos: str = "_") -> str:
    return f"{position}\t{form}\t_\t{upos}\t{xpos}\t_\t_\t_\t_\t_\n"


def slash_file(path: Path, sentences: int = 20) -> Path:
    path.write_text("".join(f"w{i}/NOUN ./PUNCT\n" for i in range(sentences)), encoding="utf-8")
    return path


def firsts(sentences: tuple[Sentence, ...]) -> list[str]:
    return [sentence.tokens[0] for sentence in sentences]


def test_of_ten_sentences_the_ninth_is_dev_and_the_tenth_test(tmp_path: Path) -> None:
    (corpus,) = loading.load([str(slash_file(tmp_path / "mine.txt"))])
    assert corpus.name == "mine"
    assert firsts(corpus.dev) == ["w8", "w18"]
    assert firsts(corpus.test) == ["w9", "w19"]
    assert firsts(corpus.train) == [f"w{i}" for i in range(20) if i % 10 < 8]


def test_a_file_is_evaluated_as_a_whole(tmp_path: Path) -> None:
    (corpus,) = loading.load([str(slash_file(tmp_path / "mine.txt"))], whole=True)
    assert (corpus.train, corpus.dev, len(corpus.test)) == ((), (), 20)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("en_ewt-ud-train.conllu", ("en_ewt", "train")), ("zh_gsd-dev.conllu", ("zh_gsd", "dev")),
     ("mine_test.txt", ("mine", "test")), ("train.txt", ("train", "")), ("contest.txt", ("contest", ""))],
)  # fmt: skip
def test_names_tell_the_parts(name: str, expected: tuple[str, str]) -> None:
    assert treebank_and_split(Path(name)) == expected


def test_a_glob_gathers_the_parts_of_each_treebank(tmp_path: Path) -> None:
    for treebank in ("en_a", "en_b"):
        for split in ("train", "dev", "test"):
            (tmp_path / f"{treebank}-ud-{split}.conllu").write_text(row(1, split, "X"), encoding="utf-8")
    for spec in (str(tmp_path / "*.conllu"), str(tmp_path)):
        loaded = loading.load([spec])
        assert [corpus.name for corpus in loaded] == ["en_a", "en_b"]
        for corpus in loaded:
            assert (firsts(corpus.train), firsts(corpus.dev), firsts(corpus.test)) == (["train"], ["dev"], ["test"])


def test_a_train_part_alone_gives_up_a_tenth_as_dev(tmp_path: Path) -> None:
    (corpus,) = loading.load([str(slash_file(tmp_path / "mine-train.txt"))])
    assert (len(corpus.train), len(corpus.dev), len(corpus.test)) == (18, 2, 0)


def test_two_files_cannot_be_the_same_part(tmp_path: Path) -> None:
    for name in ("a-dev.txt", "a-dev.tsv", "b.txt", "b.tsv"):
        slash_file(tmp_path / name)
    with pytest.raises(DataError, match="are both the dev split of a: give only one"):
        loading.load([str(tmp_path / "a-dev.*")])
    with pytest.raises(DataError, match="are both named as the whole corpus b: give only one"):
        loading.load([str(tmp_path / "b.*")])


def test_the_parts_of_a_treebank_have_one_tagset(tmp_path: Path) -> None:
    (tmp_path / "p-train.txt").write_text("a/NOUN ./.\n", encoding="utf-8")
    (tmp_path / "p-dev.txt").write_text("a/NOUN\n", encoding="utf-8")
    (corpus,) = loading.load([str(tmp_path / "p-*.txt")])
    assert [list(sentence.tags) for sentence in corpus.train + corpus.dev] == [["universal"], ["universal"]]


def test_files_of_the_same_name_stay_apart_and_one_file_is_read_once(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        slash_file(tmp_path / folder / "mine.txt")
    files = [str(tmp_path / "a" / "mine.txt"), str(tmp_path / "b" / "mine.txt"), str(tmp_path / "a/../a/mine.txt")]
    assert [corpus.name for corpus in loading.load(files)] == ["a/mine", "b/mine"]
    (tmp_path / "b" / "a").mkdir()
    slash_file(tmp_path / "b" / "a" / "mine.txt")
    with pytest.raises(DataError, match="two corpora are called a/mine"):
        loading.load([files[0], str(tmp_path / "b" / "a" / "mine.txt")])


def test_universal_and_native_tags_of_a_treebank(tmp_path: Path) -> None:
    path = tmp_path / "en_x-ud-train.conllu"
    path.write_text(row(1, "I", "PRON", "PRP") + row(2, "go", "VERB", "VBP"), encoding="utf-8")
    (corpus,) = loading.load([str(path)], loading.TAGSETS, whole=True)
    assert corpus.train[0].tags == {"upos": ("PRON", "VERB"), "xpos-en": ("PRP", "VBP")}
    path.write_text(row(1, "I", "PRON"), encoding="utf-8")
    with pytest.raises(DataError, match=r"x-ud-train.conllu:1: no word has a tag in XPOS"):
        loading.load([str(path)], ("native",))


@pytest.mark.parametrize(
    ("line", "tagset"),
    [("a/b/NOUN 1/NUM", "upos"), ("a/PRT ./.", "universal"), ("a/Na b/Vt", "mine")],
)
def test_the_tags_of_a_file_tell_the_tagset(tmp_path: Path, line: str, tagset: str) -> None:
    path = tmp_path / "mine.txt"
    path.write_text(f"\n{line}\n", encoding="utf-8")
    ((sentence,),) = (c.test for c in loading.load([str(path)], whole=True))
    assert list(sentence.tags) == [tagset]
    pairs = zip(sentence.tokens, sentence.tags[tagset], strict=True)
    assert " ".join(f"{token}/{tag}" for token, tag in pairs) == line


def test_an_unknown_name_brings_the_nearest_one() -> None:
    with pytest.raises(NotFoundError, match="did you mean treebank"):
        loading.load(["treebnak"])
    with pytest.raises(NotFoundError, match="rnntag knows starter, treebank"):
        loading.load(["qqqq"])
    with pytest.raises(UsageError, match="its sections: conll2002:esp, conll2002:ned"):
        loading.load(["conll2002:fra"])


def test_a_corpus_without_a_universal_map_says_so() -> None:
    with pytest.raises(DataError, match=r"no universal map .* mac_morpho$"):
        loading.load(["mac_morpho"])


def test_a_corpus_that_cannot_be_fetched_says_what_was_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import nltk
    from nltk import downloader

    monkeypatch.setattr(nltk.data, "path", [str(tmp_path)])
    monkeypatch.setattr(downloader.Downloader, "DEFAULT_URL", "http://127.0.0.1:9/index.xml")
    with pytest.raises(NotFoundError) as error:
        loading.load(["treebank"])
    for part in (
        str(tmp_path),
        "cannot be downloaded",
        "python -m nltk.downloader treebank",
        "copy its nltk_data folder here",
    ):
        assert part in str(error.value)


# Real corpora


@pytest.mark.slow
def test_sinica_gets_the_map_that_its_reader_does_not_apply(nltk_data: Path) -> None:
    (corpus,) = loading.load(["sinica_treebank"], loading.TAGSETS)
    assert (len(corpus.train), len(corpus.dev), len(corpus.test)) == (8000, 1000, 1000)
    universal = Counter(tag for sentence in corpus.train for tag in sentence.tags["universal"])
    assert set(universal) <= set(UNIVERSAL_12)
    assert universal["NOUN"] > universal["VERB"] > universal["PRON"] > 1000
    assert corpus.train[3].tags["sinica"]


@pytest.mark.parametrize("name", few(CATALOGUE, "treebank"))
def test_an_nltk_corpus_is_as_the_catalogue_tells(name: str, nltk_data: Path) -> None:
    known = CATALOGUE[name]
    mapped = all(section.universal for section in known.sections)
    (corpus,) = loading.load([name], loading.TAGSETS if mapped else ("native",))
    sentences = [*corpus.train, *corpus.dev, *corpus.test]
    assert abs(len(sentences) - known.sentences) <= 5
    assert sum(len(sentence.tokens) for sentence in sentences) == known.tokens
    assert all(all(s.tokens) and all(all(tags) for tags in s.tags.values()) for s in sentences)
    assert {tagset for s in sentences for tagset in s.tags} - {"universal"} == {s.tagset for s in known.sections}
    if mapped:
        universal = Counter(tag for s in sentences for tag in s.tags["universal"])
        assert set(universal) <= set(UNIVERSAL_12)
        assert universal["X"] < 0.08 * universal.total(), "the map fits badly"


def test_a_section_is_one_language(nltk_data: Path) -> None:
    (corpus,) = loading.load(["conll2007:eus"])
    assert corpus.name == "conll2007:eus"
    assert len(corpus.train) + len(corpus.dev) + len(corpus.test) == 3175


@pytest.mark.slow
def test_treebanks_have_the_size_that_they_have(treebanks: Path) -> None:
    loaded = {corpus.name: corpus for corpus in loading.load([str(treebanks)])}
    sizes = {name: (len(c.train), len(c.dev)) for name, c in loaded.items()}
    assert sizes["en_ewt"] == (12544, 2001)
    assert sizes["zh_gsdsimp"] == (3997, 500)
    assert sum(len(s.tokens) for s in loaded["en_ewt"].train) == 204577


def test_damaged_data_is_not_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import nltk

    (tmp_path / "corpora").mkdir()
    (tmp_path / "corpora" / "conll2000.zip").write_bytes(b"")
    monkeypatch.setattr(nltk.data, "path", [str(tmp_path)])
    assert not nltk_corpora.is_here("conll2000")


@pytest.mark.parametrize("data", few(["", "~/a", f"/a{os.pathsep}{os.pathsep}/b"], "~/a"))
def test_corpora_are_looked_for_where_nltk_does(data: str) -> None:
    code = (
        "from rnntag.corpora.nltk import _data_folders\nalone = _data_folders()\n"
        "import nltk\nassert alone == nltk.data.path, (alone, nltk.data.path)\n"
        "nltk.data.path.append('mine')\nassert _data_folders()[-1] == 'mine'"
    )
    subprocess.run([sys.executable, "-c", code], env={**os.environ, "NLTK_DATA": data}, check=True)


def test_what_is_on_disk_is_what_nltk_finds(nltk_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import nltk

    for name in nltk_corpora.CATALOGUE:
        assert nltk_corpora.is_on_disk(name) == nltk_corpora.is_here(name)
    (tmp_path / "corpora").mkdir()
    (tmp_path / "corpora" / "brown.zip").write_bytes(b"no archive")
    with zipfile.ZipFile(tmp_path / "corpora" / "alpino.zip", "w") as archive:
        archive.writestr("alpino/x", "")
    monkeypatch.setattr(nltk.data, "path", [str(tmp_path)])
    assert [name for name in nltk_corpora.CATALOGUE if nltk_corpora.is_on_disk(name)] == ["alpino"]


# The starter corpus


def test_the_starter_corpus_has_the_size_that_is_listed(starter: list[Corpus]) -> None:
    (row,) = (row for row in loading.listing() if row["name"] == loading.STARTER)
    sentences = [sentence for corpus in starter for sentence in (*corpus.train, *corpus.dev, *corpus.test)]
    assert row["sentences"] == len(sentences)
    assert row["tokens"] == sum(len(sentence.tokens) for sentence in sentences)


def test_the_starter_corpus_is_never_evaluated_on_what_models_train_on(starter: list[Corpus]) -> None:
    assert loading.load([loading.STARTER], whole=True) == starter


def test_the_starter_corpus_keeps_its_promises(starter: list[Corpus]) -> None:
    for corpus in starter:
        sentences = [*corpus.train, *corpus.dev, *corpus.test]
        assert len(sentences) >= 300
        assert len({sentence.tokens for sentence in sentences}) == len(sentences)
        assert {tag for sentence in sentences for tag in sentence.tags["upos"]} == set(UPOS)
        lengths = [len(sentence.tokens) for sentence in sentences]
        assert min(lengths) <= 3
        assert max(lengths) >= 30


@pytest.mark.parametrize(
    ("word", "roles"),
    [("花", "NOUN VERB"), ("把", "ADP NOUN VERB"), ("在", "ADP ADV VERB"), ("给", "ADP VERB"), ("会", "AUX NOUN VERB"),
     ("要", "AUX VERB"), ("book", "NOUN VERB"), ("can", "AUX NOUN VERB"), ("light", "ADJ NOUN VERB"),
     ("that", "DET PRON SCONJ"), ("like", "ADP VERB"), ("saw", "NOUN VERB")],
)  # fmt: skip
def test_ambiguous_words_stand_in_each_of_their_roles(word: str, roles: str, starter: list[Corpus]) -> None:
    found: Counter[str] = Counter()
    for corpus in starter:
        for sentence in (*corpus.train, *corpus.dev, *corpus.test):
            for token, tag in zip(sentence.tokens, sentence.tags["upos"], strict=True):
                found[tag] += token.lower() == word
    assert all(found[role] >= 2 for role in roles.split()), found


def test_what_a_model_has_tagged_is_there_to_learn_from(tmp_path: Path) -> None:
    path = tmp_path / "tagged.jsonl"
    path.write_text(
        '{"tokens": ["I", "eat"], "tags": ["PRON", "VERB"], "confidence": [0.9, 1.0], '
        '"top": [{"PRON": 0.9, "X": 0.1}, {"VERB": 1.0, "AUX": 0.0}]}\n\n'
        '{"tokens": ["花"], "tags": ["NOUN"]}\n{"tokens": [], "tags": []}\n',
        encoding="utf-8",
    )
    tagged = (
        Sentence(
            ("I", "eat"),
            {"upos": ("PRON", "VERB")},
            {"upos": ([("PRON", 0.9), ("X", 0.1)], [("VERB", 1.0), ("AUX", 0.0)])},
        ),
        Sentence(("花",), {"upos": ("NOUN",)}),
    )
    assert loading.load([str(path)]) == [Corpus("tagged", train=tagged)]
    assert loading.load([str(path)], whole=True) == [Corpus("tagged", test=tagged)]


def test_the_starter_corpus_keeps_its_encoding_beside_files_in_another(tmp_path: Path) -> None:
    mine = tmp_path / "mine.txt"
    mine.write_text("我/PRON 吃/VERB 苹果/NOUN\n" * 10, encoding="gb18030")
    *starter, own = loading.load([loading.STARTER, str(mine)], encoding="gb18030")
    assert starter == loading.load([loading.STARTER])
    assert own.train[0].tokens == ("我", "吃", "苹果")
