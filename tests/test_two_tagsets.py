"""One model with UPOS tags and tags of a second tagset, `native`, in one pass."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rnntag.corpora import loading
from rnntag.errors import DataError, UsageError
from rnntag.formats.inputs import Input
from rnntag.model.stored import ModelBundle
from rnntag.onnx.session import OnnxModel
from rnntag.sentences import UNTAGGED, Corpus
from rnntag.tagger import Tagger
from rnntag.tagging import chunks, parallel
from rnntag.tagging.pipeline import TagJob
from tests.conftest import QUICK_TO_TRAIN, Run, refusal, saved

BOTH = ("--tagset", "upos", "--tagset", "native")
TOKENS = ("--input-format", "tokens")
WORDS = ["I", "eat", "apples", "."]
TEXT = "I eat apples.\n\n我吃苹果。\n"


def with_native(model: ModelBundle, others: tuple[str, ...] = ("native",)) -> ModelBundle:
    """The model with further heads, which find the tag that the first one finds, in lower case: their tags, and so
    their rows, are in another order."""
    tags, weights = dict(model.vocabulary.tags), dict(model.weights)
    for number, tagset in enumerate(others, 1):
        tags[tagset] = tuple(tag.lower() for tag in reversed(tags["upos"]))
        for part in ("weight", "bias"):
            weights[f"heads.{number}.{part}"] = np.ascontiguousarray(np.flip(weights[f"heads.0.{part}"], axis=0))
    temperatures = {"upos": 1.0, **dict.fromkeys(others, 2.0)}
    return replace(
        model, vocabulary=replace(model.vocabulary, tags=tags), weights=weights, temperatures=temperatures, name="two"
    )


@pytest.fixture(scope="module")
def two(tiny_raw: ModelBundle) -> ModelBundle:
    return with_native(tiny_raw)


@pytest.fixture(scope="module")
def two_folder(two: ModelBundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(two, tmp_path_factory.mktemp("models") / "two")


# Python


def test_several_tagsets_at_once_give_what_each_gives_alone(two: ModelBundle, starter: list[Corpus]) -> None:
    tagger = Tagger(two)
    texts = [list(sentence.tokens) for corpus in starter for sentence in corpus.dev]
    alone = {tagset: Tagger(two).predict(texts, tagset) for tagset in ("native", "upos")}
    assert tagger.predict(texts, ["native", "upos"]) == alone
    assert [[tag.lower() for tag in tags] for tags in alone["upos"]] == alone["native"]
    tops = tagger.predict(texts, ("upos", "native"), top=3)
    assert tops == {tagset: tagger.predict(texts, tagset, top=3) for tagset in ("upos", "native")}
    assert tops["upos"][0][0][0][1] > tops["native"][0][0][0][1]  # each has its own temperature
    assert tagger.predict([], ["native"]) == {"native": []}


def test_a_token_is_followed_by_its_tags(two: ModelBundle) -> None:
    tagger = Tagger(two)
    tagged = [("I", "PRON", "pron"), ("eat", "VERB", "verb"), ("apples", "NOUN", "noun"), (".", "PUNCT", "punct")]
    assert tagger.tag(WORDS, ["upos", "native"]) == tagged
    assert tagger.tag_sents([WORDS, []], ["upos", "native"]) == [tagged, []]
    assert list(tagger.stream([WORDS], ["upos", "native"])) == [tagged]
    assert tagger.tag(WORDS, ["native"]) == tagger.tag(WORDS, "native") == [(t, native) for t, _, native in tagged]
    assert tagger.tag_text("I eat apples.", ("upos", "native")) == [tagged]
    (found,) = tagger.find(["I eat apples."], "native")
    assert found.tags == [native for *_, native in tagged]
    with pytest.raises(UsageError, match="has no tagset"):
        tagger.find(["I"], ["upos", "native"])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("tagsets", "message"),
    [
        (["upos", "x"], "the model two has no tagset 'x': use upos or native"),
        (["upos", "upos"], "tagset given twice: upos"),
        ([], "no tagset given"),
    ],
)
def test_tagsets_that_cannot_be_asked_for(two: ModelBundle, tagsets: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Tagger(two).predict([WORDS], tagsets)


def test_words_pass_once_through_the_network(two: ModelBundle, monkeypatch: pytest.MonkeyPatch) -> None:
    """And only the heads that are asked for are computed."""
    passes = []
    scores = OnnxModel.scores

    def counted(self: OnnxModel, vectors: np.ndarray, lengths: np.ndarray, *outputs: str) -> np.ndarray:
        passes.append((outputs, [port.name for port in self._session.get_outputs()]))
        return scores(self, vectors, lengths, *outputs)

    monkeypatch.setattr(OnnxModel, "scores", counted)
    tagger = Tagger(two)
    tagger.predict([WORDS], ["upos", "native"])
    tagger.predict([WORDS], "native")
    both, native = ("tags/upos", "tags/native"), ("tags/native",)
    assert passes == [(both, [*both]), (native, [*native])]


@pytest.mark.parametrize("feedback", [False, True])
def test_heads_that_are_not_asked_for_change_nothing(starter: list[Corpus], feedback: bool) -> None:
    """With feedback, all heads are part of the network."""
    from tests.test_onnx import untrained
    from tests.torch_runtime import torch_tagger

    model = untrained(starter, cell="gru", feedback=feedback)
    texts = [sentence.tokens for corpus in starter for sentence in corpus.dev[:20]]
    for tagset in model.tagsets:
        np.testing.assert_allclose(
            Tagger(model).scores(texts, tagset), torch_tagger(model).scores(texts, tagset), atol=1e-5
        )


# The command line


def test_one_of_the_tagsets(two_folder: Path, run: Run) -> None:
    assert run("tag", "-m", two_folder, "I eat apples .").stdout == "I/PRON eat/VERB apples/NOUN ./PUNCT\n"
    for text in ("I eat apples .", "I eat apples."):
        done = run("tag", "-m", two_folder, "--tagset", "native", text)
        assert done.stdout == "I/pron eat/verb apples/noun ./punct\n"


def test_a_column_for_each_tagset(two_folder: Path, run: Run) -> None:
    swapped = ("--tagset", "native", "--tagset", "upos")
    rows = "I\tpron\tPRON\neat\tverb\tVERB\napples\tnoun\tNOUN\n.\tpunct\tPUNCT\n\n"
    assert run("tag", "-m", two_folder, *swapped, "I eat apples .").stdout == rows
    assert run("tag", "-m", two_folder, *swapped, "--header", "I eat apples .").stdout == f"form\tnative\tupos\n{rows}"
    assert run("tag", "-m", two_folder, "--columns", "form,native,upos", "I eat apples.").stdout == rows
    done = run("tag", "-m", two_folder, *BOTH, "--top", "2", "--header", stdin="I eat.\n")
    header, first, *_ = [line.split("\t") for line in done.stdout.splitlines()]
    assert header == [
        "form", "upos", "upos_confidence", "upos_2", "upos_2_confidence",
        "native", "native_confidence", "native_2", "native_2_confidence",
    ]  # fmt: skip
    row = dict(zip(header, first, strict=True))
    assert (row["form"], row["upos"], row["native"]) == ("I", "PRON", "pron")
    assert row["upos_2"].lower() == row["native_2"]
    assert float(row["upos_confidence"]) > float(row["native_confidence"]) > float(row["native_2_confidence"])


def test_a_header_is_as_wide_as_its_rows(two: ModelBundle, tmp_path: Path, run: Run) -> None:
    model = saved(two, tmp_path / "m")
    done = run("tag", "-m", model, *BOTH, *TOKENS, "--top", "99", "--header", "I eat")
    widths = {line.count("\t") for line in done.stdout.splitlines() if line}
    assert widths == {2 * 2 * len(two.vocabulary.tags["upos"])}
    assert run("tag", "-m", model, *BOTH, stdin="").stdout == ""


def test_conllu_has_both_columns(two_folder: Path, run: Run) -> None:
    rows = "1\tI\t_\tPRON\tpron\t_\t_\t_\t_\t_\n2\teat\t_\tVERB\tverb\t_\t_\t_\t_\t_\n\n"
    for options in ((), BOTH, ("--tagset", "native", "--tagset", "upos")):
        done = run("tag", "-m", two_folder, "-f", "conllu", *TOKENS, *options, "I eat")
        assert done.stdout.partition("# text = I eat\n")[2] == rows
    done = run("tag", "-m", two_folder, "-f", "conllu", *TOKENS, "--tagset", "native", "I eat")
    assert done.stdout.endswith(rows.replace("PRON", "_").replace("VERB", "_"))
    done = run("tag", "-m", two_folder, "-f", "conllu", *TOKENS, "--tagset", "upos", "I eat")
    assert done.stdout.endswith(rows.replace("pron", "_").replace("verb", "_"))
    done = run("tag", "-m", two_folder, "-f", "conllu", *TOKENS, "--top", "2", "I eat")
    misc = dict(part.split("=") for part in done.stdout.splitlines()[2].split("\t")[-1].split("|"))
    assert [*misc] == ["Confidence", "Tag2", "Confidence2", "XPOSConfidence", "XPOSTag2", "XPOSConfidence2"]
    assert misc["Tag2"].lower() == misc["XPOSTag2"]
    assert float(misc["Confidence"]) > float(misc["XPOSConfidence"])


def test_conllu_input_keeps_its_other_columns(two_folder: Path, run: Run) -> None:
    told = (
        "# id = 1\n1\tI\tI\tX\tX\tA=b\t2\tnsubj\t_\tConfidence=0.1|XPOSTag2=X|A=c\n"
        "2\teat\teat\t_\t_\t_\t0\troot\t_\t_\n\n"
    )
    done = run("tag", "-m", two_folder, "--input-format", "conllu", stdin=told)
    assert done.stdout == told.replace("I\tX\tX", "I\tPRON\tpron").replace("eat\t_\t_", "eat\tVERB\tverb")
    done = run("tag", "-m", two_folder, "--input-format", "conllu", "--confidence", stdin=told)
    first, second = (line.split("\t")[-1] for line in done.stdout.splitlines()[1:3])
    assert [part.split("=")[0] for part in first.split("|")] == ["A", "Confidence", "XPOSConfidence"]
    assert [part.split("=")[0] for part in second.split("|")] == ["Confidence", "XPOSConfidence"]
    done = run("tag", "-m", two_folder, "--input-format", "conllu", "--tagset", "native", stdin=told)
    assert done.stdout == told.replace("I\tX\tX", "I\tX\tpron").replace("eat\t_\t_", "eat\t_\tverb")


def test_conllu_plus_without_a_column_for_it(two_folder: Path, run: Run) -> None:
    told = "# global.columns = ID FORM UPOS\n1\tI\t_\n\n"
    done = run("tag", "-m", two_folder, "--input-format", "conllu", stdin=told)
    assert done.stdout == told.replace("I\t_", "I\tPRON")
    done = run("tag", "-m", two_folder, "--input-format", "conllu", *BOTH, stdin=told)
    assert done.returncode == 65
    assert "# global.columns lacks XPOS, where the tags go" in done.stderr


def test_which_other_tagset_goes_into_xpos(tiny: ModelBundle, tmp_path: Path, run: Run) -> None:
    for others, xpos in ((("xpos-en",), "pron"), (("a", "native"), "pron"), (("a", "b"), "_")):
        model = saved(with_native(tiny, others), tmp_path / "-".join(others))
        done = run("tag", "-m", model, "-f", "conllu", "I eat")
        assert f"\n1\tI\t_\tPRON\t{xpos}\t" in done.stdout


def test_json_lines_of_two_tagsets(two_folder: Path, run: Run) -> None:
    done = run("tag", "-m", two_folder, *BOTH, *TOKENS, "-f", "jsonl", stdin="I eat\n")
    tags = {"upos": ["PRON", "VERB"], "native": ["pron", "verb"]}
    assert [json.loads(line) for line in done.stdout.splitlines()] == [{"tokens": ["I", "eat"], "tags": tags}]
    done = run("tag", "-m", two_folder, *BOTH, "-f", "jsonl", "--top", "2", stdin="I eat.\n")
    (record,) = map(json.loads, done.stdout.splitlines())
    assert [*record] == ["tokens", "tags", "start", "end", "confidence", "top"]
    for name in ("tags", "confidence", "top"):
        assert [*record[name]] == ["upos", "native"]
        assert [len(column) for column in record[name].values()] == [3, 3]
    for tagset, choices in record["top"].items():
        assert [next(iter(choice.items())) for choice in choices] == list(
            zip(record["tags"][tagset], record["confidence"][tagset], strict=True)
        )


def test_formats_that_cannot_hold_two(two_folder: Path, tiny: ModelBundle, tmp_path: Path, run: Run) -> None:
    told = refusal(run("tag", "-m", two_folder, *BOTH, "-f", "slash", "I eat"), 2)
    assert told == "error: word/TAG holds one tag for each token: use --format tsv"
    three = saved(with_native(tiny, ("a", "b")), tmp_path / "three")
    for options in (("-f", "conllu", "I eat"), ("-i", "x.conllu")):
        (tmp_path / "x.conllu").write_text("1\tI" + "\t_" * 8 + "\n\n", encoding="utf-8")
        told = refusal(run("tag", "-m", three, "--tagset", "a", "--tagset", "b", *options), 2)
        assert told == (
            "error: CoNLL-U has a column for upos and one for another tagset, not for a, b: use --format tsv"
        )
    assert "has no tagset 'x'" in refusal(run("tag", "-m", two_folder, *BOTH, "--tagset", "x", "I"), 2)


@pytest.mark.parametrize("output", ["tsv", "conllu", "jsonl"])
@pytest.mark.parametrize("form", ["tokens", "raw"])
def test_processes_and_blocks_do_not_show(
    two: ModelBundle, monkeypatch: pytest.MonkeyPatch, output: str, form: str
) -> None:
    monkeypatch.setattr(parallel, "START_METHOD", "forkserver")
    monkeypatch.setattr(chunks, "CHUNK_CHARS", 100)
    monkeypatch.setattr(chunks, "LONG_LINE", 200)  # so that a chunk ends within a line
    text = (TEXT * 20 + TEXT.replace("\n", " ") * 20 + "\n") * 2
    job = TagJob(two, ("upos", "native"), output, 2)  # type: ignore[arg-type]
    blocks = [text[start : start + 50] for start in range(0, len(text), 50)]
    written = {
        b"".join(part.text for part in parallel.tag(job, chunks.chunks([Input("x", form, given)]), jobs))  # type: ignore[arg-type]
        for given, jobs in ((blocks, 1), (blocks, 3), ([text], 1))
    }
    assert len(written) == 1
    assert written.pop().count(b"\n") > 40


# Corpora


def both_in_jsonl(tops: Mapping[str, list[dict[str, float]]] | None = None) -> str:
    tags = {"upos": ["PRON", "VERB"], "native": ["PRP", "VBP"]}
    return json.dumps({"tokens": ["I", "eat"], "tags": tags, **({"top": tops} if tops else {})}) + "\n"


def test_json_lines_are_read_back_with_all_their_tagsets(two_folder: Path, tmp_path: Path, run: Run) -> None:
    written = run("tag", "-m", two_folder, *BOTH, "-f", "jsonl", "--top", "2", "I eat apples .").stdout
    (tmp_path / "x.jsonl").write_text(written, encoding="utf-8")
    (record,) = map(json.loads, written.splitlines())
    (corpus,) = loading.load([str(tmp_path / "x.jsonl")], loading.TAGSETS)
    (sentence,) = corpus.train
    assert sentence.tags == {name: tuple(tags) for name, tags in record["tags"].items()}
    assert sentence.tag_probs == {
        tagset: tuple([*choice.items()] for choice in choices) for tagset, choices in record["top"].items()
    }
    for kind, tagset in (("universal", "upos"), ("native", "native")):
        (corpus,) = loading.load([str(tmp_path / "x.jsonl")], (kind,))
        assert corpus.train[0].tags.keys() == corpus.train[0].tag_probs.keys() == {tagset}


def test_json_lines_of_one_tagset_have_no_choice(tmp_path: Path, here: Run) -> None:
    (tmp_path / "x.jsonl").write_text(json.dumps({"tokens": ["I"], "tags": ["PRON"]}), encoding="utf-8")
    told = refusal(here("train", tmp_path / "x.jsonl", "--tagset", "both", "--out", "m"), 2)
    assert told == "error: tagset has no effect on files with one kind of tag: leave out --tagset"


def test_json_lines_with_soft_targets_for_some_tagsets(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text(both_in_jsonl({"native": [{"PRP": 0.9}, {"VBP": 0.5, "VB": 0.5}]}))
    (corpus,) = loading.load([str(tmp_path / "x.jsonl")], loading.TAGSETS)
    assert corpus.train[0].tag_probs == {"native": ([("PRP", 0.9)], [("VBP", 0.5), ("VB", 0.5)])}
    assert corpus.train[0].tags.keys() == {"upos", "native"}


@pytest.mark.parametrize(
    ("record", "tagsets", "message"),
    [
        ({"tags": {"native": ["PRP"]}}, ("universal",), "x.jsonl:1: has no universal tags"),
        ({"tags": {"upos": ["PRON"]}}, ("native",), "x.jsonl:1: has no native tags"),
        ({"tags": {}}, loading.TAGSETS, "has no universal tags"),
        ({"tags": {"": ["PRON"]}}, loading.TAGSETS, "the name of a tagset is empty"),
        ({"tags": {"upos": ["PRON", "X"]}}, loading.TAGSETS, "1 tokens but 2 upos tags"),
        ({"tags": {"upos": ["a b"]}}, loading.TAGSETS, "'a b', contains white space"),
        ({"tags": {"upos": "PRON"}}, loading.TAGSETS, "not a list of strings"),
        (
            {"tags": {"upos": ["PRON"]}, "top": {"native": [{}]}},
            loading.TAGSETS,
            "'top' has the tagset native, which is missing from 'tags'",
        ),
        ({"tags": {"upos": ["PRON"]}, "top": [{"PRON": 1}]}, loading.TAGSETS, "is not a JSON line"),
        ({"tags": ["PRON"], "top": {"upos": [{"PRON": 1}]}}, loading.TAGSETS, "is not a JSON line"),
    ],
)
def test_json_lines_that_are_refused(
    tmp_path: Path, record: dict[str, object], tagsets: tuple[str, ...], message: str
) -> None:
    (tmp_path / "x.jsonl").write_text(json.dumps({"tokens": ["I"], **record}), encoding="utf-8")
    with pytest.raises(DataError, match=message):
        loading.load([str(tmp_path / "x.jsonl")], tagsets)


def conllu_of(*sentences: str) -> str:
    """Of words such as I/PRON/PRP."""
    return "".join(
        "".join(
            "{}\t{}\t_\t{}\t{}\t_\t_\t_\t_\t_\n".format(number, *word.split("/"))
            for number, word in enumerate(sentence.split(), 1)
        )
        + "\n"
        for sentence in sentences
    )


def test_a_file_without_xpos_has_universal_tags_alone(tmp_path: Path, here: Run) -> None:
    (tmp_path / "en_a.conllu").write_text(conllu_of("I/PRON/PRP", "eat/VERB/VBP"))
    (tmp_path / "zh_b.conllu").write_text(conllu_of("我/PRON/_ 吃/VERB/_", "花/NOUN/_"), encoding="utf-8")
    specs = [str(tmp_path / name) for name in ("en_a.conllu", "zh_b.conllu")]
    english, chinese = loading.load(specs, loading.TAGSETS, whole=True)
    assert [sentence.tags.keys() for sentence in english.test] == [{"upos", "xpos-en"}] * 2
    assert [sentence.tags for sentence in chinese.test] == [{"upos": ("PRON", "VERB")}, {"upos": ("NOUN",)}]
    told = refusal(here("train", specs[1], "--tagset", "both", "--out", "m"), 65)
    assert told == "error: zh_b: no corpus has native tags: use --tagset universal"
    with pytest.raises(DataError, match=r"zh_b.conllu:1: no word has a tag in XPOS"):
        loading.load(specs, ("native",))


def test_a_word_without_xpos_among_others_has_upos_alone(tmp_path: Path) -> None:
    (tmp_path / "a.conllu").write_text(conllu_of("I/PRON/_", "I/PRON/PRP eat/VERB/_"), encoding="utf-8")
    (corpus,) = loading.load([str(tmp_path / "a.conllu")], loading.TAGSETS, whole=True)
    assert [sentence.tags for sentence in corpus.test] == [
        {"upos": ("PRON",)},
        {"upos": ("PRON", "VERB"), "xpos": ("PRP", UNTAGGED)},
    ]


# Training and evaluation


def test_a_model_is_trained_on_both_and_tells_of_both(tmp_path: Path, run: Run) -> None:
    """A teacher's soft targets for both in one file, and a dev split beside it."""
    soft = both_in_jsonl({"upos": [{"PRON": 1.0}, {"VERB": 1.0}], "native": [{"PRP": 1.0}, {"VBP": 0.9, "VB": 0.1}]})
    (tmp_path / "x-train.jsonl").write_text(soft * 20)
    (tmp_path / "x-dev.jsonl").write_text(both_in_jsonl() * 2 + json.dumps({"tokens": ["I"], "tags": {"upos": ["X"]}}))
    learn = ("--tagset", "both", "--epochs", "20", "--lr", "0.02", "--min-count", "1", *QUICK_TO_TRAIN)
    done = run("train", "x-train.jsonl", "x-dev.jsonl", *learn, "--out", "m")
    assert done.returncode == 0, done.stderr
    assert "I\tPRP\tPRON\n" in run("tag", "-m", "m", "--tagset", "native", "--tagset", "upos", "I eat", *TOKENS).stdout
    model = json.loads(run("models", "m", "--json").stdout)
    assert model["provenance"]["by_tagset"] == {"x": {"native": {"dev": 1.0}, "upos": {"dev": 0.8}}}
    assert "| x | upos | 80.00 % | – |\n" in run("models", "m").stdout
    (tmp_path / "models").mkdir()
    (tmp_path / "m").rename(tmp_path / "models" / "m")
    listed = run("models").stdout
    assert "x native 100.00 %" in listed
    assert "x upos 80.00 %" in listed


def test_a_corpus_s_own_tags_are_measured_with_native(two_folder: Path, tmp_path: Path, run: Run) -> None:
    (tmp_path / "en_x.conllu").write_text(conllu_of("I/PRON/pron eat/VERB/verb apples/NOUN/x ./PUNCT/punct"))
    (result,) = json.loads(run("eval", "en_x.conllu", "-m", two_folder, "--tagset", "native", "--json").stdout)
    assert (result["tagset"], result["accuracy"], result["tokens"]) == ("native", 0.75, 4)
    (result,) = json.loads(run("eval", "en_x.conllu", "-m", two_folder, "--json").stdout)
    assert (result["tagset"], result["accuracy"]) == ("upos", 1)


def test_raw_text_is_measured_with_native(two_folder: Path, tmp_path: Path, run: Run) -> None:
    text = conllu_of("I/PRON/pron eat/VERB/verb apples/NOUN/x ./PUNCT/punct")
    lines = text.split("\n")
    lines[2] = lines[2].removesuffix("_") + "SpaceAfter=No"
    (tmp_path / "en_x.conllu").write_text("\n".join(lines), encoding="utf-8")
    command = ("eval", "--raw", "en_x.conllu", "-m", two_folder, "--tagset", "native", "--json")
    (result,) = json.loads(run(*command).stdout)
    assert (result["tagset"], result["words"]["f1"], result["tags"]["f1"]) == ("native", 1, 0.75)


def test_a_head_of_the_corpus_s_own_name_comes_first(tiny: ModelBundle, tmp_path: Path, run: Run) -> None:
    model = saved(with_native(tiny, ("native", "xpos-en")), tmp_path / "m")
    (tmp_path / "en_x.conllu").write_text(conllu_of("I/PRON/pron"), encoding="utf-8")
    (result,) = json.loads(run("eval", "en_x.conllu", "-m", model, "--tagset", "native", "--json").stdout)
    assert result["tagset"] == "xpos-en"


def test_spacy_has_both(two_folder: Path) -> None:
    spacy = pytest.importorskip("spacy")
    expected = {
        None: [("PRON", "pron"), ("VERB", "verb"), ("NOUN", "noun"), ("PUNCT", "punct")],
        "upos": [(tag, tag) for tag in ("PRON", "VERB", "NOUN", "PUNCT")],
        "native": [("", tag) for tag in ("pron", "verb", "noun", "punct")],
    }
    for tagset, tags in expected.items():
        nlp = spacy.blank("en")
        nlp.add_pipe("rnntag", config={"model": str(two_folder), "tagset": tagset})
        doc = nlp(spacy.tokens.Doc(nlp.vocab, words=WORDS))
        assert [(token.pos_, token.tag_) for token in doc] == tags
