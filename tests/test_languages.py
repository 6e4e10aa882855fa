"""The hint at the model of the world's languages, for text in a language that the others do not know."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from rnntag.formats.decoding import file_lines
from rnntag.tagging.languages import other_language
from tests.conftest import SHARED, on_terminal

WORLD = SHARED / "ud-world"

FRENCH = "Je ne sais pas ce que tu veux dire, mais je suis content de te voir."
HINT = "TEXT looks like French: try --model world"


def paragraphs(path: Path) -> list[str]:
    """The sentences of a treebank, three together."""
    prefix = "# text = "
    texts = [line.removeprefix(prefix).rstrip() for line in file_lines(path) if line.startswith(prefix)]
    return [" ".join(texts[first : first + 3]) for first in range(0, len(texts), 3)]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        (FRENCH, "French"),
        ("Ich weiß nicht, was du meinst, aber ich bin froh, dich zu sehen.", "German"),
        ("No sé lo que quieres decir, pero me alegro de que estés en la casa.", "Spanish"),
        ("Я не знаю, что ты имеешь в виду, но я рад.", "Russian"),
        ("私はりんごを食べます。", "Japanese"),
        ("나는 사과를 먹는다.", "Korean"),
        ("ฉันกินแอปเปิล", "Thai"),
        ("Η γάτα κοιμάται.", "Greek"),
        ("我吃苹果。", ""),
        ("我每天都用 Python 写程序，然后喝咖啡。", ""),
        ("I do not know what you mean, but I am glad to see you in the house.", ""),
        ("We met at the café de la Paix in Paris.", ""),
        ("Paris Berlin Madrid Roma", ""),
        ("", ""),
        ("1 2 3 !!! 🙂", ""),
    ],
)
def test_the_language_of_a_text(text: str, language: str) -> None:
    assert other_language(text) == language


@pytest.mark.parametrize("name", ["en_ewt", "en_gum", "zh_gsd", "zh_gsdsimp"])
def test_what_zh_en_knows_is_no_other_language(name: str, treebanks: Path) -> None:
    guesses = Counter(map(other_language, paragraphs(treebanks / f"{name}-ud-dev.conllu")))
    assert guesses[""] >= 0.99 * guesses.total()


@pytest.mark.skipif(not WORLD.is_dir(), reason="the world's treebanks are not on this machine (../shared/ud-world)")
@pytest.mark.parametrize(
    ("code", "language"),
    [
        ("ca", "Catalan"), ("de", "German"), ("el", "Greek"), ("es", "Spanish"), ("fa", "Persian"), ("fr", "French"),
        ("he", "Hebrew"), ("hi", "Hindi"), ("hr", "Croatian"), ("id", "Indonesian"), ("is", "Icelandic"),
        ("it", "Italian"), ("ja", "Japanese"), ("ka", "Georgian"), ("ko", "Korean"), ("lv", "Latvian"), ("nl", "Dutch"),
        ("pl", "Polish"), ("pt", "Portuguese"), ("ro", "Romanian"), ("ru", "Russian"), ("sv", "Swedish"),
        ("th", "Thai"), ("ug", "Uyghur"), ("vi", "Vietnamese"), ("hy", "Armenian"),
    ],
)  # fmt: skip
def test_most_paragraphs_are_recognised(code: str, language: str) -> None:
    guesses = Counter(map(other_language, paragraphs(WORLD / f"{code}-ud-dev.conllu.xz")))
    assert guesses[language] >= 0.8 * guesses.total()
    assert guesses[language] + guesses[""] >= 0.95 * guesses.total()


def test_the_hint_is_for_a_terminal(tmp_path: Path) -> None:
    french, quiet, english, named = on_terminal(
        (0, ["tag", FRENCH]),
        (0, ["tag", "-q", FRENCH]),
        (0, ["tag", "I do not know what you mean, and I am glad to see you."]),
        (0, ["tag", "--input-format", "raw", "-m", "zh-en-fast", FRENCH]),
        folder=tmp_path,
    )
    assert french.count(HINT) == named.count(HINT) == 1
    assert "looks like" not in quiet + english
