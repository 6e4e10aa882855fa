"""The page of `rnntag eval --html`: what is in it, and how it behaves in a browser."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnntag.evaluation import html_report
from rnntag.evaluation.evaluate import Result
from rnntag.evaluation.metrics import evaluate, faulty
from rnntag.evaluation.significance import difference
from rnntag.model.learning_curve import Epoch
from rnntag.sentences import Sentence
from tests.browser import CHROMIUM, Browser

BREAKERS = ("</script><script>alert(1)</script>", "<!--", "<b>", "a&amp;b", "\u2028", "\ud800", '"', "$x", "]]>")
GOLD = [
    Sentence(("the", "can", "rusts"), {"upos": ("DET", "NOUN", "VERB")}),
    Sentence(("I", "can", "fish"), {"upos": ("PRON", "AUX", "VERB")}),
    Sentence(("fish", "swim"), {"upos": ("NOUN", "VERB")}),
    Sentence(BREAKERS, {"upos": ("X",) * len(BREAKERS)}),
]
FIRST = [["DET", "VERB", "VERB"], ["PRON", "AUX", "NOUN"], ["VERB", "VERB"], ["X"] * 8 + ["SYM"]]
SECOND = [["DET", "NOUN", "VERB"], ["PRON", "AUX", "NOUN"], ["NOUN", "VERB"], ["SYM"] * 9]
LEARNED = [Epoch(epoch, 1 / epoch, 0.5, 0.0, 100, 1.0, {"a": 0.8, "b": 0.7}, 1 - 0.5 / epoch) for epoch in (1, 2, 3)]


def result(model: str, predicted: list[list[str]], first: list[list[str]] | None = None) -> Result:
    confidences = [[0.9] * len(tags) for tags in predicted]
    known = [[True] * len(tags) for tags in predicted]
    report = evaluate(GOLD, "upos", predicted, known, confidences)

    def hits(tags: list[list[str]]) -> list[list[bool]]:
        return [
            [gold == tag for gold, tag in zip(s.tags["upos"], row, strict=True)]
            for s, row in zip(GOLD, tags, strict=True)
        ]

    return Result(
        model=model,
        corpus="<i>few",
        split="test",
        tagset="upos",
        signature=f"signature of {model}",
        report=report,
        baseline=report,
        against=difference(hits(predicted), hits(first)) if first else None,
        errors=tuple(faulty(GOLD, "upos", predicted, confidences)),
    )


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    results = [result("first", FIRST), result("second", SECOND, FIRST)]
    content = html_report.write(results, {"first": LEARNED, "second": []})
    path.write_text(content, encoding="utf-8", errors="backslashreplace")
    return path


@given(st.lists(st.text() | st.sampled_from(BREAKERS), max_size=4))
def test_nothing_embedded_ends_its_element(data: list[str]) -> None:
    text = html_report.embedded(data)
    assert not re.search("[<>&\u2028\u2029]", text)
    assert json.loads(text.encode("utf-8", "backslashreplace")) == json.loads(json.dumps(data))


def test_a_page_needs_nothing_else(page: Path) -> None:
    content = page.read_text(encoding="utf-8")
    assert not re.search(r"""(src|href)=["'](?!data:)|@import|url\(""", content.replace("href: hash", ""))
    assert "http" not in content.replace("http-equiv", "").replace("http://www.w3.org/2000/svg", "")
    assert content.count("</script>") == 2
    assert "&lt;i&gt;few" in content
    assert "<i>few" not in content


def test_a_large_tagset_and_many_errors_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html_report, "TAGS_SHOWN", 2)
    monkeypatch.setattr(html_report, "SENTENCES_SHOWN", 1)
    data = html_report._data(result("first", FIRST), ())
    assert data["matrix"] == {"tags": ["NOUN", "VERB"], "counts": [[0, 2], [1, 2]]}
    assert (data["faulty"], len(data["errors"])) == (4, 1)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    if not CHROMIUM:
        pytest.skip("there is no Chromium on this machine")
    browser = Browser(tmp_path_factory.mktemp("browser"))
    yield browser
    browser.close()


def texts(browser: Browser, selector: str) -> list[str]:
    found: list[str] = browser.run(f"[...document.querySelectorAll({selector!r})].map(one => one.innerText.trim())")
    return found


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1600])
def test_it_opens_quietly_and_fits(browser: Browser, page: Path, width: int, scheme: str) -> None:
    browser.open(page.as_uri(), width, scheme=scheme)
    assert browser.complaints == []
    assert browser.requests == [page.as_uri()]
    assert browser.run("document.documentElement.scrollWidth") <= width
    assert browser.run("matchMedia('(prefers-color-scheme: dark)').matches") == (scheme == "dark")
    shade = browser.run("getComputedStyle(document.body).backgroundColor")
    assert (shade == "rgb(255, 255, 255)") == (scheme == "light")
    assert texts(browser, "h1") == ["rnntag eval: <i>few"]
    assert texts(browser, "#count") == ["4 errors in 4 sentences."]
    assert browser.run("document.querySelectorAll('svg').length") == 3


@pytest.mark.slow
def test_what_cannot_stand_in_a_page_is_shown(browser: Browser, page: Path) -> None:
    browser.open(page.as_uri())
    shown = browser.run("[...document.querySelectorAll('#list li:last-child bdi')].map(one => one.textContent)")
    assert shown == [*BREAKERS]


@pytest.mark.slow
def test_an_address_filters(browser: Browser, page: Path) -> None:
    browser.open(f"{page.as_uri()}#gold=NOUN&predicted=VERB")
    assert texts(browser, "#count") == ["2 errors in 2 sentences."]
    assert texts(browser, "mark.hit bdi") == ["can", "fish"]
    assert browser.run("document.getElementById('gold').value") == "NOUN"
    browser.open(f"{page.as_uri()}#word=FISH")
    assert texts(browser, "#count") == ["2 errors in 2 sentences."]
    browser.open(f"{page.as_uri()}#result=1&gold=X")
    assert texts(browser, "#count") == ["9 errors in 1 sentence."]
    assert texts(browser, "#signature") == ["signature of second"]
    assert browser.run("document.getElementById('learning').hidden")
    browser.open(f"{page.as_uri()}#result=7&gold=nonesuch")
    assert texts(browser, "#count") == ["0 errors in 0 sentences."]
    assert browser.complaints == []


def focus(browser: Browser) -> str:
    focused = browser.run("document.activeElement.getAttribute('aria-label') || document.activeElement.innerText")
    return str(focused)


@pytest.mark.slow
def test_the_keyboard_is_enough(browser: Browser, page: Path) -> None:
    browser.open(page.as_uri())
    for _ in range(9):
        browser.press("Tab")
        if focus(browser).startswith("gold"):
            break
    assert focus(browser) == "gold AUX tagged AUX: 1, 100.0 %"
    browser.press("ArrowDown", "ArrowDown")
    assert focus(browser) == "gold NOUN tagged AUX: 0, 0.0 %"
    browser.press("End", "ArrowLeft")
    assert focus(browser) == "gold NOUN tagged VERB: 2, 100.0 %"
    browser.press("Enter")
    assert texts(browser, "#count") == ["2 errors in 2 sentences."]
    assert browser.run("location.hash") == "#gold=NOUN&predicted=VERB"
    assert focus(browser).startswith("1 the can")
    browser.press("ArrowDown", "ArrowDown")
    assert focus(browser).startswith("3 fish")
    browser.press("Escape")
    assert focus(browser) == "gold NOUN tagged VERB: 2, 100.0 %"
    browser.run("document.getElementById('word').focus()")
    browser.press("c", "a", "n")
    assert texts(browser, "#count") == ["1 error in 1 sentence."]
    browser.press("Tab", "Enter")
    assert texts(browser, "#count") == ["4 errors in 4 sentences."]
    assert browser.complaints == []


@pytest.mark.slow
def test_a_click_on_a_cell_and_a_link_filter(browser: Browser, page: Path) -> None:
    browser.open(page.as_uri())
    browser.run("document.querySelector('td[data-gold=VERB][data-predicted=NOUN]').click()")
    assert texts(browser, "#count") == ["1 error in 1 sentence."]
    browser.run("[...document.querySelectorAll('#words a')].find(one => one.innerText === 'can').click()")
    Browser.wait(lambda: texts(browser, "mark.hit bdi") == ["can"])
    browser.run("document.querySelector('button[type=reset]').click()")
    assert texts(browser, "#count") == ["4 errors in 4 sentences."]
