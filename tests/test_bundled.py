"""The bundled models: words whose tag their neighbours decide, and accuracy where treebanks are at hand."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

import rnntag
from rnntag.corpora import loading
from rnntag.evaluation.evaluate import measure, raw_results
from rnntag.evaluation.metrics import Report, evaluate
from rnntag.model import directory
from rnntag.segmenter import Segmenter
from rnntag.sentences import UPOS, Sentence
from rnntag.tagger import Tagger
from rnntag.training.augmentation import lower_case
from tests.conftest import BUNDLED, ROOT, Run, few

FAST = ROOT / "models" / "zh-en-fast"

CONTRASTS = {
    "花": ["花/NOUN 很 美", "花/VERB 钱"],
    "会": ["我 会/AUX 游泳", "我们 参加 了 一 个 会/NOUN"],
    "要": ["我 要/AUX 走 了", "我 要/VERB 一 杯 茶"],
    "给": ["请 给/VERB 我 一 杯 水", "他 给/ADP 我 买 了 一 本 书"],
    "把": ["请 把/ADP 门 关上", "桌子 上 有 一 把/NOUN 刀"],
    "在": ["他 在/ADP 学校 学习", "我 的 书 在/VERB 桌子 上"],
    "工作": ["他 的 工作/NOUN 很 忙", "他 在 北京 工作/VERB"],
    "了": ["他 买 了/AUX 一 本 书", "天 黑 了/PART"],
    "can": ["the can/NOUN is full", "I can/AUX swim"],
    "book": ["book/VERB a room", "read a book/NOUN"],
    "light": ["the light/NOUN is on", "light/VERB the candle", "a light/ADJ jacket"],
    "that": ["I know that/SCONJ he left", "that/DET book is mine", "that/PRON is mine"],
    "like": ["I like/VERB tea", "it looks like/ADP a dog"],
    "saw": ["we saw/VERB a bird", "he cut the wood with a saw/NOUN"],
    "water": ["water/VERB the flowers", "she drinks water/NOUN"],
    "plant": ["they plant/VERB trees", "the plant/NOUN is dry"],
    "love": ["I love/VERB you", "their love/NOUN is strong"],
    "run": ["I run/VERB every day", "we went for a run/NOUN"],
    "watch": ["watch/VERB the film", "he bought a new watch/NOUN"],
    "left": ["she left/VERB early", "my left/ADJ hand hurts"],
    "open": ["open/VERB the door", "the door is open/ADJ"],
    "hard": ["a hard/ADJ question", "they work hard/ADV"],
    "park": ["you can park/VERB here", "we met in the park/NOUN"],
    "to": ["I want to/PART sleep", "we walked to/ADP school"],
    "before": ["before/ADP lunch", "call me before/SCONJ you leave"],
    "flies": ["time flies/VERB", "two flies/NOUN landed on the cake"],
}


@pytest.fixture(scope="module")
def tagger() -> Tagger:
    return rnntag.load(BUNDLED)


@pytest.fixture(scope="module")
def fast() -> Tagger:
    return rnntag.load(FAST)


@pytest.mark.parametrize("sentences", CONTRASTS.values(), ids=list(CONTRASTS))
def test_its_neighbours_decide_on_a_word(sentences: list[str], tagger: Tagger) -> None:
    for sentence in sentences:
        items = [item.partition("/") for item in sentence.split()]
        tags = tagger.tag([word for word, _, _ in items])
        wanted = [(word, tag or found) for (word, _, tag), (_, found) in zip(items, tags, strict=True)]
        assert tags == wanted


@pytest.mark.parametrize(
    "tagged",
    ["我/PRON 吃/VERB 苹果/NOUN", "他/PRON 买/VERB 了/AUX 一/NUM 本/NOUN 书/NOUN", "flowers/NOUN grow/VERB",
     "I/PRON can/AUX swim/VERB", "the/DET can/NOUN is/AUX full/ADJ"],
)  # fmt: skip
def test_it_is_what_tag_uses(tagged: str, run: Run) -> None:
    text = " ".join(item.rpartition("/")[0] for item in tagged.split())
    assert run("tag", text).stdout == f"{tagged}\n"


RUNNING_TEXT = [
    ("我吃苹果。", ["我 吃 苹果 。"]),
    (
        "他说：“你好！”然后走了。请问去火车站怎么走？",
        ["他 说 ： “ 你 好 ！ ”", "然后 走 了 。", "请问 去 火车 站 怎么 走 ？"],
    ),
    ("老師讓我們看書。", ["老師 讓 我們 看 書 。"]),
    ("I can't eat apples.", ["I ca n't eat apples ."]),
    ("Mr. Smith doesn't live in the U.S. He cannot.", ["Mr. Smith does n't live in the U.S.", "He can not ."]),
    (
        "Write to a.b@c.org or see https://a.org/b?c=d . Please.",
        ["Write to a.b@c.org or see https://a.org/b?c=d .", "Please ."],
    ),
    ("AT&T paid $3.50, i.e. 1,000 yen.", ["AT&T paid $ 3.50 , i.e. 1,000 yen ."]),
    ("2024年增长3.5亿元。", ["2024 年 增长 3.5亿 元 。"]),
    ("他用iPhone看NBA。", ["他 用 iPhone 看 NBA 。"]),
]


@pytest.mark.parametrize(("text", "sentences"), RUNNING_TEXT)
def test_they_find_words_and_sentences(text: str, sentences: list[str], tagger: Tagger, fast: Tagger) -> None:
    for one in (tagger, fast):
        assert one.model.segmenter
        (found,) = Segmenter(one.model.segmenter).find([text])
        words = [text[begin:end] for begin, end in found.words]
        assert [" ".join(words[a:b]) for a, b in pairwise((0, *found.ends))] == sentences


def test_a_pipe_of_running_text_is_tagged(run: Run) -> None:
    done = run("tag", stdin="我吃苹果。\n\nI can't swim. Go!\n")
    assert (
        done.stdout
        == "我/PRON 吃/VERB 苹果/NOUN 。/PUNCT\n\nI/PRON ca/AUX n't/PART swim/VERB ./PUNCT\nGo/VERB !/PUNCT\n"
    )
    assert not done.stderr


def test_the_contrasts_are_not_taken_from_the_training_data() -> None:
    known = {sentence.tokens for corpus in loading.load([loading.STARTER]) for sentence in corpus.train}
    own = {tuple(i.partition("/")[0] for i in text.split()) for texts in CONTRASTS.values() for text in texts}
    assert not own & known


def test_they_are_small_and_know_all_of_upos(tagger: Tagger, fast: Tagger) -> None:
    assert directory.megabytes(BUNDLED) <= 15
    assert directory.megabytes(FAST) <= 8
    for path, one in ((BUNDLED, tagger), (FAST, fast)):
        assert {*one.tagsets} == {"upos", "native"}
        assert set(one.model.vocabulary.tags["upos"]) == set(UPOS)
        assert "CC BY-SA 4.0" in directory.read_card(path)


DEV = {
    "en_ewt": (0.963, 0.83, 0.01),
    "en_gum": (0.975, 0.0, 1.0),
    "zh_gsdsimp": (0.94, 0.86, 0.01),
    "zh_gsd": (0.937, 0.0, 1.0),
}
"""For a treebank the least accuracy, the least on words that its train part lacks, and the most
calibration error."""


@pytest.mark.parametrize("treebank", few(DEV, "zh_gsdsimp"))
def test_how_good_they_are_on_dev(treebank: str, tagger: Tagger, fast: Tagger, treebanks: Path) -> None:
    least, least_unknown, most_error = DEV[treebank]
    sentences, report = measured(tagger, treebanks / f"{treebank}-ud-dev.conllu")
    assert report.accuracy >= least
    assert report.calibration_error <= most_error
    if least_unknown:
        (train,) = loading.load([str(treebanks / f"{treebank}-ud-train.conllu")], whole=True)
        seen = {token.lower() for sentence in train.train for token in sentence.tokens}
        known = [[token.lower() in seen for token in sentence.tokens] for sentence in sentences]
        predicted = tagger.predict([sentence.tokens for sentence in sentences])
        assert evaluate(sentences, "upos", predicted, known).unknown_accuracy >= least_unknown
    assert measured(fast, treebanks / f"{treebank}-ud-dev.conllu")[1].accuracy >= report.accuracy - 0.005


PENN = {"en_ewt": 0.95, "en_gum": 0.965}
"""For a treebank the least accuracy of Penn Treebank tags."""


@pytest.mark.parametrize("treebank", few(PENN, "en_ewt"))
def test_their_native_tags_of_english_are_those_of_the_penn_treebank(
    treebank: str, tagger: Tagger, fast: Tagger, treebanks: Path
) -> None:
    (corpus,) = loading.load([str(treebanks / f"{treebank}-ud-dev.conllu")], ("native",), whole=True)
    for one in (tagger, fast):
        ((_, _, report),) = measure(one, corpus.name, corpus.dev)
        assert report.accuracy >= PENN[treebank]
        assert report.calibration_error <= 0.015


@pytest.mark.parametrize(
    "tagged",
    ["我们/r 也/d 喜欢/v 音乐/n", "他们/r 在/p 北京/ns 工作/v", "I/PRP eat/VBP apples/NNS", "She/PRP sang/VBD ./."],
)
def test_native_tags_are_those_that_people_are_used_to(tagged: str, tagger: Tagger, fast: Tagger) -> None:
    pairs = [(word, tag) for word, _, tag in (item.rpartition("/") for item in tagged.split())]
    for one in (tagger, fast):
        assert one.tag([word for word, _ in pairs], tagset="native") == pairs


RAW_DEV = {"en_ewt": (0.99, 0.86, 0.95), "zh_gsdsimp": (0.94, 0.975, 0.89), "zh_gsd": (0.94, 0.975, 0.89)}
"""For a treebank the least F1 of words, sentences and tags on raw text."""


@pytest.mark.parametrize("treebank", few(RAW_DEV, "zh_gsdsimp"))
def test_how_good_they_are_on_running_text(treebank: str, tagger: Tagger, fast: Tagger, treebanks: Path) -> None:
    (corpus,) = loading.load([str(treebanks / f"{treebank}-ud-dev.conllu")], whole=True)
    ((one, other),) = raw_results({"zh-en": tagger, "zh-en-fast": fast}, corpus.name, "dev", corpus.dev)
    for result in (one, other):
        for kind, least in zip(("words", "sentences", "tags"), RAW_DEV[treebank], strict=True):
            assert result.agreement[kind].f1 >= least, (result.model, kind)


@pytest.mark.slow
def test_lower_case_costs_little(tagger: Tagger, treebanks: Path) -> None:
    (corpus,) = loading.load([str(treebanks / "en_ewt-ud-dev.conllu")], whole=True)
    (_, _, report), *_ = measure(tagger, "lower", tuple(map(lower_case, corpus.dev)))
    assert report.accuracy >= 0.95


def measured(tagger: Tagger, path: Path) -> tuple[list[Sentence], Report]:
    (corpus,) = loading.load([str(path)], whole=True)
    ((_, sentences, report),) = measure(tagger, corpus.name, corpus.dev)
    return sentences, report
