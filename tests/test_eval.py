"""What `rnntag eval` measures, and how it tells it."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rnntag.corpora import loading
from rnntag.model import directory, learning_curve
from rnntag.model.learning_curve import TrainingStep
from rnntag.model.stored import ModelBundle
from tests.conftest import Run, done

TEXT = "I/PRON eat/VERB xylophones/X ./PUNCT\nthe/DET can/NOUN is/AUX full/ADJ\n"


def test_eval_of_what_was_learned(run: Run, tiny: ModelBundle, tiny_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("I/PRON eat/VERB xylophones/X ./PUNCT\n", encoding="utf-8")
    ended = run("eval", "-m", tiny_folder, "x.txt", "--json")
    assert done(ended) == ""
    (report,) = json.loads(ended.stdout)
    assert (report["tokens"], report["sentences"], report["unknown_tokens"]) == (4, 1, 1)
    assert report["accuracy"] == 0.75
    assert report["unknown_accuracy"] == 0
    assert 0 < report["calibration_error"] < 1
    assert report["confusions"][0][0] == "X"
    assert report["tags"]["PRON"] == {"precision": 1, "recall": 1, "f1": 1, "support": 1}
    digest = directory.read(tiny_folder).digest
    assert f"model tiny:{digest} | corpus x/test:" in report["signature"]
    assert report["tagset"] == "upos"
    shown = run("eval", "-m", tiny_folder, "x.txt").stdout
    assert "75.00 %" in shown
    assert report["signature"] in shown


def test_eval_beside_another_model(run: Run, tiny: ModelBundle, tiny_folder: Path, tmp_path: Path) -> None:
    """Which has unlearned everything."""
    dumb = {name: np.zeros_like(weight) for name, weight in tiny.weights.items()}
    directory.write(tmp_path / "dumb", replace(tiny, weights=dumb), "")
    (tmp_path / "x.txt").write_text(TEXT, encoding="utf-8")
    both = ("-m", tiny_folder, "-m", "dumb")
    first, second = json.loads(run("eval", *both, "x.txt", "--json").stdout)
    assert (first["model"], first["against"], first["accuracy"]) == ("tiny", None, 7 / 8)
    against = second["against"]
    assert second["model"] == "dumb"
    assert against["difference"] == pytest.approx(second["accuracy"] - first["accuracy"])
    assert against["better"] - against["worse"] == round(8 * against["difference"]) < 0
    assert against["interval"][0] <= against["difference"] <= against["interval"][1]
    assert 0 < against["mcnemar"] < 0.1
    shown = run("eval", *both, "x.txt").stdout
    assert f"{100 * against['difference']:+.2f}" in shown
    assert f"{against['mcnemar']:.4f}" in shown
    assert shown.count("rnntag 0.") == 2
    (alone,) = json.loads(run("eval", "x.txt", "--json", RNNTAG_MODEL=str(tmp_path / "dumb")).stdout)
    assert alone["accuracy"] == second["accuracy"]


def test_eval_beside_the_most_frequent_tags(run: Run, tiny_folder: Path, tmp_path: Path) -> None:
    def rows(*pairs: tuple[str, str]) -> str:
        return "".join(f"{i}\t{word}\t_\t{tag}" + "\t_" * 6 + "\n" for i, (word, tag) in enumerate(pairs, 1)) + "\n"

    train, test = tmp_path / "x-ud-train.conllu", tmp_path / "x-ud-test.conllu"
    train.write_text(rows(("I", "PRON"), ("can", "AUX"), ("eat", "VERB")) + rows(("eat", "VERB")), encoding="utf-8")
    test.write_text(rows(("i", "PRON"), ("eat", "VERB")) + rows(("the", "DET"), ("can", "NOUN")), encoding="utf-8")
    (report,) = json.loads(run("eval", "-m", tiny_folder, "x-ud-*.conllu", "--json").stdout)
    assert report["split"] == "test"
    assert (report["baseline"]["accuracy"], report["baseline"]["sentence_accuracy"]) == (2 / 4, 1 / 2)
    assert "most frequent tag" in run("eval", "-m", tiny_folder, "x-ud-*.conllu").stdout
    (report,) = json.loads(run("eval", "-m", tiny_folder, test, "--json").stdout)
    assert report["baseline"] is None


def test_eval_as_markdown_and_json_tell_the_same(run: Run, tiny_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text(TEXT + "a|b/X <i>/X\n", encoding="utf-8")
    (report,) = json.loads(run("eval", "-m", tiny_folder, "x.txt", "--json").stdout)
    shown = run("eval", "-m", tiny_folder, "x.txt", "--markdown").stdout
    assert shown.startswith("### x, test split, upos tags\n\n|")
    lines = [line for line in shown.splitlines() if line.startswith("|")]
    low, high = report["intervals"]["accuracy"]
    whole = f"{100 * report['accuracy']:.2f} % | {100 * low:.2f}–{100 * high:.2f} | {report['tokens']} tokens"
    assert f"| accuracy | {whole} |" in lines
    tags = report["matrix"]["tags"]
    for tag, counts in zip(tags, report["matrix"]["counts"], strict=True):
        assert f"| {tag} | {' | '.join(str(count or '·') for count in counts)} |" in lines
    for gold, tag, count in report["confusions"][:10]:
        assert any(line.startswith(f"| {gold} | {tag} | {count} |") for line in lines)
    wrong = [(s["tokens"][m["token"]], m["gold"], m["predicted"]) for s in report["errors"] for m in s["mistakes"]]
    assert len(wrong) == sum(count for _, _, count in report["confusions"])
    assert ("a|b", "X") in [pair[:2] for pair in wrong]
    assert r"a\|b" in shown
    assert r"\<i\>" in shown
    assert report["signature"] in shown


def test_eval_writes_a_page(run: Run, tiny_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text(TEXT, encoding="utf-8")
    shutil.copytree(tiny_folder, tmp_path / "m")
    step = TrainingStep(1, 1, 1, 1, 0.125, 1.0, 0.0, 9, 1.0, {"x": 0.5}, 0.5)
    (tmp_path / "m" / "history.jsonl").write_bytes(learning_curve.write([step]))
    ended = run("eval", "-m", "m", "x.txt", "--html", "out.html")
    assert done(ended) == "saved out.html\n"
    assert ended.stdout == run("eval", "-m", "m", "x.txt").stdout
    page = (tmp_path / "out.html").read_text(encoding="utf-8")
    assert "xylophones" in page
    assert '"learned":[[1,0.125,0.5,{"x":0.5}]]' in page
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m", "out.html", "x.txt"]


def test_eval_of_running_text_as_markdown_and_json(run: Run, tiny_raw_folder: Path, tmp_path: Path) -> None:
    (english,) = (path for path in loading.starter_files() if path.stem == "starter_en")
    (report,) = json.loads(run("eval", "--raw", "-m", tiny_raw_folder, english, "--json").stdout)
    assert report["model"] == "tiny_raw"
    shown = run("eval", "--raw", "-m", tiny_raw_folder, english, "--markdown").stdout
    for kind in ("words", "sentences", "tags"):
        f1 = report[kind]["f1"]
        assert any(line.startswith(f"| {kind} |") and f"| {100 * f1:.2f} % |" in line for line in shown.splitlines())
    assert report["signature"] in shown


def test_eval_in_32_bits_says_so(run: Run, tiny_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text(TEXT, encoding="utf-8")
    digest = directory.read(tiny_folder).digest
    for flags, bits in (((), ""), (("--fp32",), " | fp32")):
        (report,) = json.loads(run("eval", "-m", tiny_folder, "x.txt", "--json", *flags).stdout)
        assert f"| model tiny:{digest}{bits} | corpus" in report["signature"]
        assert report["accuracy"] == 7 / 8
