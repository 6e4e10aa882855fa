"""A user's own words: how they are read, found in raw text, and given their tags."""

from __future__ import annotations

import itertools
import lzma
import pickle
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import regex
from hypothesis import example, given
from hypothesis import strategies as st

import rnntag
from rnntag import segmenter, windows
from rnntag.errors import DataError, UsageError
from rnntag.formats import raw, records
from rnntag.formats.inputs import Input
from rnntag.lexicon import choice, reading
from rnntag.lexicon.lexicon import Lexicon
from rnntag.lexicon.occurrences import WordIndex, Words
from rnntag.model.pretokens import PretokenVocabulary
from rnntag.model.stored import ModelBundle
from rnntag.segmenter import Segmenter
from rnntag.sentences import Span
from rnntag.tagger import Tagger
from rnntag.tagging import chunks, parallel
from rnntag.tagging.pipeline import TagJob
from tests.conftest import Run, refusal
from tests.test_segmenter import PIECES, SLOW, TEXT
from tests.test_two_tagsets import with_native

UNITS = PretokenVocabulary((), {"cannot": (3,)}, ("", ""), 0)
PARTS = [
    "中",
    "国",
    "人",
    "民",
    "Ab",
    "ab",
    "AB",
    "12",
    "。",
    "-",
    "e\u0301",
    "नि",
    "न",
    "cannot",
    "can",
    "\u00ad",
    "İ",
]
SHORT_TEXT = st.lists(st.sampled_from([*PARTS, " ", "\n"]), max_size=12).map("".join)
WORDS = st.sets(
    st.lists(st.sampled_from(PARTS), min_size=1, max_size=3)
    .map("".join)
    .map(lambda w: w.replace("\u00ad", "") or "中"),
    min_size=1,
    max_size=8,
)


def lexicon(words: Mapping[str, tuple[str, ...]] | set[str], mode: str = "force") -> Lexicon:
    entries = words if isinstance(words, Mapping) else dict.fromkeys(sorted(words), ())
    return Lexicon(entries, mode)  # type: ignore[arg-type]


def read(model: ModelBundle, tmp_path: Path, *contents: str) -> dict[str, tuple[str, ...]]:
    files = [tmp_path / f"words{number}.txt" for number in range(len(contents))]
    for file, content in zip(files, contents, strict=True):
        file.write_text(content, encoding="utf-8", newline="")
    found = reading.load(files, "prefer", model)
    return dict(found._entries) if found else {}


# Files


def test_dictionaries_of_jieba_and_tsv_are_read(tiny: ModelBundle, tmp_path: Path) -> None:
    jieba = "\ufeff云计算 5\r\n李小福 2 PROPN\r\n\r\n台中\r\nflow VERB\n"
    tsv = "苹果\tNOUN,VERB\nC++\t\n程序\t 68011\n石\u200b墨烯\t3\tNOUN"
    assert read(tiny, tmp_path, jieba, tsv) == {
        "云计算": (), "李小福": ("PROPN",), "台中": (), "flow": ("VERB",),
        "苹果": ("NOUN", "VERB"), "C++": (), "程序": (), "石墨烯": ("NOUN",),
    }  # fmt: skip


def test_a_word_in_several_lines_may_have_the_tags_of_all(tiny: ModelBundle, tmp_path: Path) -> None:
    assert read(tiny, tmp_path, "a NOUN\nb\na\n", "a VERB,NOUN\nb ADJ\n") == {"a": ("NOUN", "VERB"), "b": ("ADJ",)}


def test_a_compressed_lexicon_is_read(tiny: ModelBundle, tmp_path: Path) -> None:
    (tmp_path / "words.txt.xz").write_bytes(lzma.compress("苹果 NOUN\n".encode()))
    assert reading.load([tmp_path / "words.txt.xz"], "force", tiny) is not None


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("云计算 3 NOUN VERB", "expected a word, optionally with a frequency and tags, not '云计算 3 NOUN VERB'"),
        ("New York\tPROPN", "'New York' contains white space"),
        ("\tPROPN", "no word before the tab"),
        ("云计算 3 n", "the model tiny has no tag 'n': use tags of upos (ADJ, ADP, ADV, …), or leave it out"),
        ("云计算\tNOUN,", "the model tiny has no tag '': use tags of upos (ADJ, ADP, ADV, …), or leave it out"),
        ("啊" * 257, "a word of 257 characters: at most 256 are allowed"),
    ],
)
def test_a_bad_line_is_named(tiny: ModelBundle, tmp_path: Path, line: str, fault: str) -> None:
    with pytest.raises(DataError) as raised:
        read(tiny, tmp_path, "好\n", f"好 ADJ\n{line}\n坏\n")
    assert str(raised.value) == f"{tmp_path / 'words1.txt'}:2: {fault}"


def test_errors_end_the_command(here: Run, tiny_folder: Path, tmp_path: Path) -> None:
    tag = ("tag", "-m", tiny_folder, "I eat", "--lexicon")
    (tmp_path / "bad.txt").write_text("a n\n" * 12, encoding="utf-8")
    (tmp_path / "gb.txt").write_bytes("我们明天在学校里看书\n".encode("gb18030") * 3)
    done = here(*tag, "bad.txt")
    assert (done.returncode, done.stdout) == (65, "")
    lines = done.stderr.splitlines()
    assert lines[9].startswith("error: bad.txt:10: the model tiny has no tag 'n'")
    assert lines[10:] == ["error: 12 errors in all; only the first 10 are shown"]
    assert refusal(here(*tag, "none.txt"), 66) == "error: none.txt: no such file"
    assert refusal(here(*tag, "."), 74) == "error: .: is a directory, not a file"
    fault = "error: gb.txt:1: byte 1 of the input is not utf-8: looks like GB18030: a lexicon must be UTF-8 text"
    assert refusal(here(*tag, "gb.txt"), 65) == fault
    done = here("tag", "-m", tiny_folder, "I eat", "--lexicon-mode", "force")
    assert refusal(done, 2) == "error: lexicon_mode is 'force', but there is no lexicon: name a file with --lexicon"


def test_from_python_errors_are_the_same(tiny_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("a n\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"words\.txt:1: the model tiny has no tag 'n'"):
        rnntag.load(tiny_folder, lexicon=tmp_path / "words.txt")
    with pytest.raises(UsageError, match="lexicon_mode is 'sure': it must be one of prefer, force"):
        rnntag.load(tiny_folder, lexicon=[tmp_path / "words.txt"], lexicon_mode="sure")  # type: ignore[arg-type]


# Occurrences


def ends_of_clusters(text: str) -> set[int]:
    parts = regex.finditer(r"\s+|\S+", text)
    return {0} | {part.start() + c.end() for part in parts for c in regex.finditer(r"\X", part[0])}


def occurrences(text: str, words: set[str], units: PretokenVocabulary) -> set[Span]:
    """Each place of a word, by its definition: it begins and ends where units and clusters do, and is the word without
    its invisible characters, or in lower case."""
    scan = units.scan([text])
    clusters = ends_of_clusters(text)
    ends = [(end, end in clusters) for end in scan.ends.tolist()]
    begins = [(begin, begin in clusters) for begin in scan.starts.tolist()]
    spans = itertools.product(begins, ends)
    found = set()
    for (begin, may_begin), (end, may_end) in spans:
        form = "".join(c for c in text[begin:end] if c not in "\u00ad\u200b\u200c\u200d\u2060\ufeff")
        lower = "".join(low if len(low := c.lower()) == 1 else c for c in form)
        if begin < end and may_begin and may_end and {form, lower} & words:
            found.add((begin, end))
    return found


@given(text=SHORT_TEXT, words=WORDS)
@example(text="cannot", words={"can", "not"})
@example(text="AB国Ab国", words={"ab国", "Ab国", "B国"})
@SLOW
def test_each_occurrence_is_found(text: str, words: set[str]) -> None:
    scan = UNITS.scan([text])
    clusters = ends_of_clusters(text)
    may_end = np.array([end in clusters for end in scan.ends.tolist()], dtype=bool)
    found = WordIndex(words).find(text, scan, may_end)
    spans = list(zip(scan.starts[found.firsts].tolist(), scan.ends[found.lasts].tolist(), strict=True))
    assert len(spans) == len({*spans})
    assert {*spans} == occurrences(text, words, UNITS)


def test_it_finds_each_of_many_words() -> None:
    """So many that several share a slot of the index."""
    random = np.random.default_rng(1)
    words = ["".join(map(chr, random.integers(0x4E00, 0x4E40, 1 + number % 5))) for number in range(20_000)]
    index = WordIndex({*words})
    text = "\n".join(words[:500])
    scan = UNITS.scan([text])
    found = index.find(text, scan, np.ones(len(scan.ends), dtype=bool))
    spans = {*zip(scan.starts[found.firsts].tolist(), scan.ends[found.lasts].tolist(), strict=True)}
    known = {*words}
    expected = {(a, b) for a in range(len(text)) for b in range(a + 1, min(a + 6, len(text) + 1)) if text[a:b] in known}
    assert spans == expected


# Choices


SPANS = st.sets(st.tuples(st.integers(0, 7), st.integers(0, 7)).map(sorted).map(tuple), max_size=10)


def as_words(spans: set[Span]) -> Words:
    pairs = np.array(sorted(spans), dtype=np.int64).reshape(-1, 2)
    return Words(pairs[:, 0], pairs[:, 1])


def as_spans(words: Words) -> set[Span]:
    return {*zip(words.firsts.tolist(), words.lasts.tolist(), strict=True)}


@given(spans=SPANS, seed=st.integers(0, 99), gap=st.integers(-1, 7), sign=st.integers(-1, 7))
@SLOW
def test_preferred_words_are_those_of_the_best_path(spans: set[Span], seed: int, gap: int, sign: int) -> None:
    """Of all ways to cut eight units, scored one by one."""
    scores = np.random.default_rng(seed).normal(0, 3, (8, 3)).astype(np.float32)
    signs = np.arange(8) == sign
    before_gap = np.arange(8) == gap
    before_gap[7] = True
    spans = {(a, b) for a, b in spans if not a <= gap < b}
    chosen = as_spans(choice.most_likely(as_words(spans), scores, before_gap, signs))

    def score(cuts: tuple[bool, ...]) -> float:
        """Of the way to end a word after these units, with the bonuses of the words in it."""
        total = 0.0
        begin = 0
        for unit, cut in enumerate(cuts):
            total += scores[unit].max() if before_gap[unit] else scores[unit][1:].max() if cut else scores[unit][0]
            if cut:
                if (begin, unit) in spans:
                    total += choice.JOIN_BONUS * (unit - begin) + choice.WORD_BONUS
                    for beside in {sign - 1, sign} & {*range(begin, unit)} if sign >= 0 else ():
                        loss = scores[beside].max() - scores[beside][0]
                        total += max(loss - choice.JOIN_BONUS, 0)
                begin = unit + 1
        return total

    paths = [cuts for cuts in itertools.product([True, False], repeat=8) if all(np.array(cuts)[before_gap])]
    best = max(map(score, paths))
    classes = choice.imposed(scores.argmax(-1), as_words(chosen))
    path = tuple(((classes > 0) | before_gap).tolist())
    assert score(path) == pytest.approx(best, abs=1e-4)


@given(spans=SPANS)
@SLOW
def test_of_overlapping_words_the_longest_is_forced(spans: set[Span]) -> None:
    words = as_words(spans)
    expected: set[Span] = set()
    for first, last in sorted(spans, key=lambda span: (span[0] - span[1], span[0])):
        if all(last < a or b < first for a, b in expected):
            expected.add((first, last))
    assert as_spans(choice.longest_first(words, words.lasts + 1 - words.firsts)) == expected


@pytest.fixture(scope="module")
def tagger(tiny_raw: ModelBundle) -> Tagger:
    return Tagger(tiny_raw)


FORCED_PARTS = [*"我吃苹果国的。C+3亿", "can", "eat", "👍🏽", "🇨🇳"]
FORCED = st.sets(st.lists(st.sampled_from(FORCED_PARTS), min_size=1, max_size=4).map("".join), min_size=1, max_size=6)


@given(
    text=TEXT | st.lists(st.sampled_from([*PIECES, *"我吃苹果国的", "CAN"]), max_size=30).map("".join),
    words=FORCED,
    window=st.sampled_from([0, 12]),
)
@example(text="看https://x.org/吃。吃吃", words={"吃", "吃。吃"}, window=0)
@SLOW
def test_forced_words_always_come_out(
    monkeypatch: pytest.MonkeyPatch, tiny_raw: ModelBundle, text: str, words: set[str], window: int
) -> None:
    if window:
        monkeypatch.setattr(windows, "WINDOW", window)
        monkeypatch.setattr(segmenter, "OVERLAP", 4)
    assert tiny_raw.segmenter
    (one,) = Segmenter(tiny_raw.segmenter, lexicon=lexicon(words)).find([text])
    found = occurrences(text, words, tiny_raw.segmenter.units)
    expected: set[Span] = set()
    for begin, end in sorted(found, key=lambda span: (span[0] - span[1], span[0])):
        if all(end <= a or b <= begin for a, b in expected):
            expected.add((begin, end))
    assert expected <= {*one.words}
    assert "".join(text[a:b] for a, b in one.words) == "".join(c for c in text if not c.isspace())
    assert list(one.ends) == sorted({*one.ends})
    assert not one.words or one.ends[-1] == len(one.words)


@pytest.mark.parametrize("place", [100, 127, 200, 223, 224, 255, 256, 511])
def test_a_forced_word_may_lie_across_windows(tiny_raw: ModelBundle, place: int) -> None:
    text = "我" * place + "苹果树下" + "我" * 300
    words = Tagger(tiny_raw, lexicon=lexicon({"苹果树下"})).find([text])[0].words
    assert (place, place + 4) in words


def test_a_forced_word_may_lie_where_a_long_paragraph_is_cut(
    monkeypatch: pytest.MonkeyPatch, tiny_raw: ModelBundle
) -> None:
    monkeypatch.setattr(records, "LONG_LINE", 60)
    monkeypatch.setattr(raw, "MARGIN", 12)
    tagger = Tagger(tiny_raw, lexicon=lexicon({"苹果树下"}))
    for place in range(30, 80):
        text = "我" * place + "苹果树下" + "我" * 80
        assert (place, place + 4) in tagger.find([text])[0].words


def cut(model: ModelBundle, text: str, words: set[str], mode: str) -> str:
    (found,) = Tagger(model, lexicon=lexicon(words, mode)).find([text])
    return " ".join(text[a:b] for a, b in found.words)


def test_words_do_not_cross_punctuation_that_they_do_not_have(tiny_raw: ModelBundle) -> None:
    for mode in ("prefer", "force"):
        assert "苹果" not in cut(tiny_raw, "苹，果", {"苹果"}, mode)
        assert "Apple!" in cut(tiny_raw, "I eat Apple!", {"Apple!"}, mode).split()
        assert "《苹果》" in cut(tiny_raw, "吃《苹果》。", {"《苹果》"}, mode).split()


def test_preferred_words_give_way_to_rules_that_find_larger_ones(tiny_raw: ModelBundle) -> None:
    text = "看 www.apple.com。二十一世纪"
    assert cut(tiny_raw, text, {"apple", "二十"}, "prefer").startswith("看 www.apple.com 。 二十一")
    assert cut(tiny_raw, text, {"apple", "二十"}, "force").startswith("看 www. apple .com 。 二十 一")
    assert cut(tiny_raw, text, {"二十一世纪"}, "prefer").endswith(" 。 二十一世纪")


def test_words_in_other_case_are_found(tiny_raw: ModelBundle) -> None:
    words = cut(tiny_raw, "我吃Model3和MODEL-3", {"model3", "Model-3"}, "force").split()
    assert "Model3" in words
    assert "MODEL-3" not in words


# Tags


def tags_of(model: ModelBundle, entries: dict[str, tuple[str, ...]], tokens: list[str]) -> list[str]:
    return Tagger(model, lexicon=lexicon(entries)).predict([tokens])[0]


def test_a_word_gets_a_tag_of_the_lexicon(tiny: ModelBundle) -> None:
    tokens = ["I", "eat", "apples", "."]
    plain = Tagger(tiny)
    assert plain.predict([tokens]) == [["PRON", "VERB", "NOUN", "PUNCT"]]
    assert tags_of(tiny, {"apples": ("ADV",)}, tokens) == ["PRON", "VERB", "ADV", "PUNCT"]
    assert tags_of(tiny, {"apples": ()}, tokens) == ["PRON", "VERB", "NOUN", "PUNCT"]
    scores = dict(plain.predict([tokens], top=17)[0][2])
    others = ("ADJ", "ADV", "AUX", "ADP")
    likeliest = max(others, key=scores.__getitem__)
    assert tags_of(tiny, {"apples": others}, tokens)[2] == likeliest


def test_case_matters_only_to_entries_with_capitals(tiny: ModelBundle) -> None:
    entries = {"apple": ("ADP",), "Apple": ("PROPN",), "IBM": ("ADJ",), "us": ("NUM",), "US": ()}
    free = Tagger(tiny).predict([["ibm", "US"]])[0]
    assert tags_of(tiny, entries, ["apple", "Apple", "APPLE", "IBM", "Us", "App\u00adle"]) == [
        "ADP", "PROPN", "ADP", "ADJ", "NUM", "PROPN",
    ]  # fmt: skip
    assert tags_of(tiny, entries, ["ibm", "US"]) == free


def test_probabilities_are_those_among_its_tags(tiny: ModelBundle) -> None:
    tagger = Tagger(tiny, lexicon=lexicon({"apples": ("ADV", "ADJ")}))
    plain = dict(Tagger(tiny).predict([["I", "apples"]], top=17)[0][1])
    ((_, choices),) = tagger.predict([["I", "apples"]], top=17)
    assert sum(p for _, p in choices) == pytest.approx(1)
    found = dict(choices)
    assert found["ADV"] / found["ADJ"] == pytest.approx(plain["ADV"] / plain["ADJ"], rel=1e-4)
    assert {tag for tag, p in choices if p} == {"ADV", "ADJ"}


def test_each_tag_restricts_the_tagsets_that_have_it(tiny: ModelBundle) -> None:
    tagger = Tagger(with_native(tiny), lexicon=lexicon({"eat": ("ADV",), "apples": ("adp", "NUM")}))
    found = tagger.predict([["I", "eat", "apples"]], ["upos", "native"])
    assert found == {"upos": [["PRON", "ADV", "NUM"]], "native": [["pron", "verb", "adp"]]}


def test_tokens_and_conllu_get_the_tags_too(run: Run, tiny_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("apples 3 ADV\n", encoding="utf-8")
    tag = ("tag", "-m", tiny_folder, "--lexicon", "words.txt")
    assert run(*tag, "I eat apples").stdout == "I/PRON eat/VERB apples/ADV\n"
    conllu = "1\tapples\tapple\tX\t_\t_\t0\troot\t_\t_\n\n"
    assert run(*tag, stdin=conllu).stdout == conllu.replace("X", "ADV")


# As a whole


@pytest.mark.parametrize("mode", ["prefer", "force"])
def test_an_empty_lexicon_changes_nothing(run: Run, tiny_raw_folder: Path, tmp_path: Path, mode: str) -> None:
    (tmp_path / "empty.txt").write_text("\n \n\ufeff", encoding="utf-8")
    text = "I can't eat apples. 看www.x.org，二十一世纪！\n\n我吃苹果。" * 20
    for output in ("slash", "tsv", "conllu", "jsonl"):
        tag = ("tag", "-m", tiny_raw_folder, "-f", output)
        done = run(*tag, "--lexicon", "empty.txt", "--lexicon-mode", mode, stdin=text)
        assert done.stdout == run(*tag, stdin=text).stdout != ""
        assert not done.stderr


@given(text=TEXT)
@SLOW
def test_words_that_do_not_occur_change_nothing(tagger: Tagger, text: str) -> None:
    for mode in ("prefer", "force"):
        other = Tagger(tagger.model, lexicon=lexicon({"\ue000\ue001"}, mode))
        assert other.find([text]) == tagger.find([text])


def test_workers_have_the_lexicon(monkeypatch: pytest.MonkeyPatch, tiny_raw: ModelBundle) -> None:
    monkeypatch.setattr(parallel, "START_METHOD", "forkserver")  # which pickles the job
    monkeypatch.setattr(chunks, "CHUNK_CHARS", 20)
    job = TagJob(tiny_raw, ("upos",), "slash", lexicon=lexicon({"果树": ("ADV",)}))
    text = "我吃苹果树上的苹果。\n\n" * 30
    parts = (parallel.tag(job, chunks.chunks([Input("x", "raw", [text])]), jobs) for jobs in (1, 2))
    one, two = (b"".join(part.text for part in own) for own in parts)
    assert one.decode().count(" 果树/ADV ") == 30
    assert two == one


def test_several_files_and_processes_on_the_command_line(run: Run, tiny_raw_folder: Path, tmp_path: Path) -> None:
    for name, content in (("a", "果树\n"), ("b", "上的\tADV\n")):
        (tmp_path / name).write_text(content, encoding="utf-8")
    tag = ("tag", "-m", tiny_raw_folder, "--lexicon", "a", "--lexicon", "b", "--lexicon-mode", "force")
    done = run(*tag, "--jobs", "2", stdin="我吃苹果树上的苹果。\n")
    assert " 果树/" in done.stdout
    assert " 上的/ADV " in done.stdout


def test_a_pickled_tagger_keeps_its_lexicon(tiny_raw_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("果树 ADV\n", encoding="utf-8")
    tagger = rnntag.load(tiny_raw_folder, lexicon=[tmp_path / "words.txt"], lexicon_mode="force")
    expected = tagger.tag_text("我吃苹果树上的苹果。")
    assert ("果树", "ADV") in expected[0]
    content = pickle.dumps(tagger)
    assert len(content) == len(pickle.dumps(pickle.loads(content)))  # use makes it no larger
    (tmp_path / "words.txt").unlink()
    again = pickle.loads(content)
    assert again.tag_text("我吃苹果树上的苹果。") == expected
    assert again.tag(["果树"]) == [("果树", "ADV")]
