"""Words and sentences found in raw text, on their way through readers and writers."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
import regex
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from rnntag import segmenter, windows
from rnntag.corpora.raw_text import gold_paragraphs
from rnntag.errors import UsageError
from rnntag.formats import conllu, raw, records
from rnntag.formats.inputs import Input
from rnntag.lexicon.lexicon import Lexicon
from rnntag.model.stored import ModelBundle, StoredSegmenter
from rnntag.onnx import graph as onnx_graph
from rnntag.segmenter import Segmenter
from rnntag.sentences import Corpus
from rnntag.tagger import Tagger
from rnntag.tagging import chunks
from rnntag.tagging.chunks import Chunk
from rnntag.tagging.pipeline import Pipeline, TagJob
from tests.conftest import Run, few, refusal

PIECES = [
    "I", "can't", "eat", "apples.", "Go!", "我吃苹果。", "苹果", "3.5亿", "2024年", "C++", "AT&T", "a@b.org",
    "1,000.50",
    "https://a.org/b?c=d", "👩‍👩‍👧‍👦", "👍🏽", "🇨🇳", "e\u0301", "नि", "한", "\u200d", "\u0301", "\x00", "\ufeff",
    " ", " ", " ", "\n", "\n", "\n\n", "\n \n", "\t", "\u3000", "\u2028", "\r\n", "|", "\\", "\\n",
]  # fmt: skip
TEXT = st.lists(st.sampled_from(PIECES) | st.characters(exclude_categories=("Cs",)), max_size=40).map("".join)
FORMATS = ["slash", "tsv", "conllu", "jsonl", "vertical"]
COLUMNS = ("form", "upos", "start", "end")
SLOW = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@pytest.fixture(scope="module")
def stored(tiny_raw: ModelBundle) -> StoredSegmenter:
    assert tiny_raw.segmenter
    return tiny_raw.segmenter


def test_it_learns_the_starter_corpus(stored: StoredSegmenter, starter: list[Corpus]) -> None:
    finder = Segmenter(stored)
    for name, least in (("starter_en", 0.97), ("starter_zh", 0.75)):
        assert stored.dev[name]["words"] > least, stored.dev
    (paragraph,) = gold_paragraphs(starter[1].train[:3], "starter")
    (one,) = finder.find([paragraph.text])
    assert [one.words[end - 1][1] for end in one.ends] == [paragraph.words[end - 1][1] for end in paragraph.ends]


def test_words_that_are_never_cut_are_words_whatever_the_network_finds(stored: StoredSegmenter) -> None:
    text = "他我吃苹果了。我 吃苹果"
    with_whole = replace(stored, units=replace(stored.units, wholes=("我吃苹果",)))
    (plain,) = Segmenter(stored).find([text])
    assert (1, 5) not in plain.words
    (found,) = Segmenter(with_whole).find([text])
    assert (1, 5) in found.words
    assert found.words[3:] == plain.words[-len(found.words) + 3 :]
    (forced,) = Segmenter(with_whole, lexicon=Lexicon({"苹果": ()}, "force")).find([text])
    assert (3, 5) in forced.words


def test_in_32_bits_it_is_what_torch_computes(stored: StoredSegmenter) -> None:
    import numpy as np
    import torch

    from rnntag.model.weights import dequantize
    from rnntag.network.segmenter import SegmenterNetwork
    from rnntag.onnx.session import OnnxModel

    network = SegmenterNetwork(stored.config, stored.units, len(stored.expansions)).eval()
    network.load_state_dict(
        {name: torch.tensor(w, dtype=torch.float32) for name, w in dequantize(stored.weights).items()}
    )
    _, (columns,) = stored.units.encode(["我在楼下等你。I can't eat.\n"])
    with torch.inference_mode():
        vectors = network.vectors(torch.from_numpy(columns)[None])
        expected = network(torch.from_numpy(columns)[None], torch.tensor([len(columns)]))[0].numpy()
    graph = OnnxModel(onnx_graph.segmenter(stored, int8=False))
    got = graph.scores(vectors[0][:, None].numpy(), np.array([len(columns)]), onnx_graph.CLASSES)[:, 0]
    np.testing.assert_allclose(got, expected, atol=1e-4)


@given(text=TEXT, window=st.sampled_from([0, 12, 40]))
@SLOW
def test_nothing_is_lost_and_no_cluster_is_cut(
    monkeypatch: pytest.MonkeyPatch, stored: StoredSegmenter, text: str, window: int
) -> None:
    if window:
        monkeypatch.setattr(windows, "WINDOW", window)
        monkeypatch.setattr(segmenter, "OVERLAP", 4)
    (one,) = Segmenter(stored).find([text])
    assert "".join(text[a:b] for a, b in one.words) == "".join(c for c in text if not c.isspace())
    assert all(a < b for a, b in one.words)
    assert not any(c.isspace() for a, b in one.words for c in text[a:b])
    assert list(one.ends) == sorted({*one.ends})
    assert bool(one.words) == bool(one.ends)
    assert not one.ends or (one.ends[0] > 0 and one.ends[-1] == len(one.words))
    inside = {place for c in regex.finditer(r"\X", text) for place in range(c.start() + 1, c.end())}
    inside -= {place for place in inside if text[place].isspace() or text[place - 1].isspace()}
    assert not inside & {place for word in one.words for place in word}


def tagged(model: ModelBundle, output: str, blocks: list[str]) -> str:
    task = TagJob(model, ("upos",), output, columns=COLUMNS)  # type: ignore[arg-type]
    pipeline = Pipeline(task)
    return b"".join(
        part for chunk in chunks.chunks([Input("x", "raw", blocks)]) for part in pipeline.tag(chunk)
    ).decode()


def rebuilt(text: str) -> str:
    """The source, as README says how to get it back from CoNLL-U."""
    out, last = "", 0  # the last word of a multiword token
    unescape = {r"\s": " ", r"\t": "\t", r"\r": "\r", r"\n": "\n", r"\p": "|", r"\\": "\\"}
    for line in text.split("\n"):
        fields = line.split("\t")
        if line.startswith("# Spaces"):
            form, misc = "", line[2:]
        elif len(fields) == 10:
            form, misc = fields[1], fields[9]
            number, _, end = fields[0].partition("-")
            if end:
                last = int(end)
            elif int(number) <= last:
                continue
        else:
            last = last if line else 0
            continue
        notes = dict(note.partition("=")[::2] for note in misc.split("|"))
        spaces = {name: re.sub(r"\\[strnp\\]", lambda m: unescape[m[0]], notes.get(name, "")) for name in notes}
        after = spaces.get("SpacesAfter", "" if notes.get("SpaceAfter") == "No" else " ")
        out += spaces.get("SpacesBefore", "") + form + after
    return out


@pytest.mark.parametrize("output", few(FORMATS, "conllu"))
@given(text=TEXT, size=st.integers(1, 30), long=st.booleans())
@example(text=" ", size=1, long=False)
@SLOW
def test_how_text_arrives_does_not_show(
    monkeypatch: pytest.MonkeyPatch, tiny_raw: ModelBundle, output: str, text: str, size: int, long: bool
) -> None:
    monkeypatch.setattr(chunks, "CHUNK_CHARS", 12)
    if long:
        for module in (chunks, records):
            monkeypatch.setattr(module, "LONG_LINE", 40)
        monkeypatch.setattr(raw, "MARGIN", 8)
    text = text.replace("\ufeff", "")
    blocks = [text[start : start + size] for start in range(0, len(text), size)]
    whole = [Chunk(text, "x", "raw", 0, 0, 0, begins=True, ends=True)]
    pipeline = Pipeline(TagJob(tiny_raw, ("upos",), output, columns=COLUMNS))
    expected = b"".join(part for chunk in whole for part in pipeline.tag(chunk)).decode()
    found = tagged(tiny_raw, output, blocks)
    assert found == expected
    if output == "conllu":
        assert rebuilt(found) == text
        assert ["".join(s.column(1)) for s in conllu.read(found.split("\n"), "x")] or not text.split()
    if output == "jsonl":
        for row in map(json.loads, found.splitlines()):
            assert [text[a:b] for a, b in zip(row["start"], row["end"], strict=True)] == row["tokens"]
    if output == "tsv":
        for line in filter(None, found.split("\n")):
            token, _, begin, end = line.split("\t")
            assert text[int(begin) : int(end)] == token


def test_paragraphs_are_answered_when_they_are_complete(tiny_raw: ModelBundle) -> None:
    pipeline = Pipeline(TagJob(tiny_raw, ("upos",), "slash"))
    answered = []

    def blocks():  # type: ignore[no-untyped-def]
        for block in ("\nI eat", " apples.\n", "\n", "Go!", "\n\n"):
            yield block
            answered.append("")

    for chunk in chunks.chunks([Input("x", "raw", blocks())]):
        answered.append(b"".join(pipeline.tag(chunk)).decode())
    assert [one for one in answered[:4] if one] == ["\nI/PRON eat/VERB apples/NOUN ./PUNCT\n"]
    assert "".join(answered).count("\n") == 5
    assert answered[-2:] == ["\n", ""]


def test_the_command_line(run: Run, tiny_raw_folder: Path, tiny_folder: Path) -> None:
    done = run("tag", "-m", tiny_raw_folder, "I can't eat apples. Go!", "我吃苹果。")
    assert done.stdout.splitlines()[0].startswith("I/PRON ca/")
    assert len(done.stdout.splitlines()) == 3
    assert not done.stderr
    tokens = "I can't eat apples.\n\n 我吃苹果。 x"
    done = run("tag", "-m", tiny_raw_folder, "--input-format", "tokens", stdin=tokens)
    passed = [[item.rpartition("/")[0] for item in line.split()] for line in done.stdout.splitlines()]
    assert passed == [line.split() for line in tokens.split("\n")]
    done = run("tag", "-m", tiny_raw_folder, stdin="I eat .\n我 吃 苹果 ！\n")
    assert len(done.stdout.splitlines()) == 2
    assert "tiny has no segmenter" in refusal(run("tag", "-m", tiny_folder, "--input-format", "raw", "x"), 2)
    assert run("tag", "-m", tiny_folder, "--input-format", "tokens", "I eat apples.").stdout.count("/") == 3


def test_from_python(tiny: ModelBundle, tiny_raw: ModelBundle) -> None:
    tagger = Tagger(tiny_raw)
    text = " I eat apples. Go!\n\n我吃苹果。"
    sentences = tagger.tag_text(text)
    assert sentences[0] == [("I", "PRON"), ("eat", "VERB"), ("apples", "NOUN"), (".", "PUNCT")]
    assert [word for sentence in sentences for word, _ in sentence][4:6] == ["Go", "!"]
    (found,) = tagger.find([text])
    assert [text[begin:end] for begin, end in found.words] == [word for one in sentences for word, _ in one]
    assert [tag for one in sentences for _, tag in one] == found.tags
    assert tagger.tag_text(" \n") == []
    assert tagger.find([]) == []
    with pytest.raises(UsageError, match="tiny has no segmenter"):
        Tagger(tiny).tag_text("x")


def test_many_texts_in_one_call_are_tagged_as_each_alone(tiny_raw: ModelBundle) -> None:
    tagger = Tagger(tiny_raw)
    texts = ["I eat apples. Go!", "", "我吃苹果。", " \n", "on Sun.", "and 3", "Sales manager\n\nJohn"]
    tagged = tagger.tag_texts(texts)
    assert tagged == [tagger.tag_text(text) for text in texts]
    assert [len(sentences) for sentences in tagged][:4] == [2, 0, 1, 0]
    assert tagger.tag_texts(iter(texts), ["upos"]) == tagged
    assert tagger.tag_texts([]) == []
    found = tagger.find(texts)
    assert [(one.words, one.ends) for one in tagger.segment(texts)] == [(one.words, one.ends) for one in found]


def test_files_keep_their_offsets_in_several_processes(run: Run, tiny_raw_folder: Path, tmp_path: Path) -> None:
    text = "I can't eat apples. Go!\nNow.\n\n 我吃苹果。\n\n" * 2000
    (tmp_path / "a.txt").write_text(text, encoding="utf-8")
    one = run("tag", "-m", tiny_raw_folder, "-i", "a.txt", "-f", "conllu")
    assert rebuilt(one.stdout) == text
    identifiers = [line for line in one.stdout.splitlines() if line.startswith("# sent_id")]
    assert len({*identifiers}) == len(identifiers)
    assert run("tag", "-m", tiny_raw_folder, "-i", "a.txt", "-f", "conllu", "--jobs", "2").stdout == one.stdout


@pytest.mark.slow
def test_training_and_measuring(run: Run, tiny_folder: Path, tmp_path: Path) -> None:
    row = "{}\t{}\t_\t{}\t_\t_\t_\t_\t_\t{}\n"
    words = [("I", "PRON", "_"), ("eat", "VERB", "SpaceAfter=No"), (".", "PUNCT", "_")]
    sentence = "".join(row.format(number, *word) for number, word in enumerate(words, 1))
    (tmp_path / "gold.conllu").write_text(f"{sentence}\n" * 200, encoding="utf-8")
    (tmp_path / "bare.txt").write_text("I/PRON eat/VERB\n" * 20, encoding="utf-8")

    def done(command: str) -> str:
        ended = run(*command.split())
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    assert "has no segmenter" in refusal(run("eval", "--raw", "-m", tiny_folder, "gold.conllu"), 2)
    quick = "train --epochs 1 --hidden 8 --embedding-dim 8 --char-dim 4 --char-hidden 4"
    told = refusal(run(*f"{quick} --segmenter bare.txt --out m".split()), 65)
    assert "does not say where words are joined" in told
    done(f"{quick} --no-segmenter gold.conllu --out m")
    done(f"{quick} gold.conllu --out n --segmenter --segmenter-hidden 16 --segmenter-bigrams 64 --segmenter-epochs 4")
    card = (tmp_path / "n" / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "rnntag train-segmenter models/n gold.conllu --hidden 16" in card
    assert "| gold | 100.00 % |" in card
    done("train-segmenter m gold.conllu --out copy/it --bigrams 0 --epochs 1")
    assert run("tag", "-m", "copy/it", "I eat. I eat.").stdout.count("\n") == 2
    assert run(*["eval", "--raw", "-m", "m", "gold.conllu"]).returncode == 2
    done("train-segmenter m gold.conllu --seed 2 --hidden 24 --bigrams 64 --epochs 4")
    (figures,) = json.loads(done("eval --raw -m m gold.conllu --json"))
    assert (figures["words"]["f1"], figures["words"]["gold"]) == (1, 600)
    assert figures["sentences"]["f1"] > 0.9
    assert "words" in done("eval --raw -m m gold.conllu")
    assert run("tag", "-m", "m", "--fp32", "I eat. I eat.").stdout.count("\n") == 2
