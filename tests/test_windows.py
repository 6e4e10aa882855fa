"""Windows cover a sentence once, however its tokens arrive."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnntag import windows
from rnntag.windows import OVERLAP, WINDOW, Cutter


@given(st.integers(0, 5 * WINDOW), st.lists(st.integers(0, 5 * WINDOW), max_size=5))
def test_each_token_is_in_one_window_with_its_context(length: int, cuts: list[int]) -> None:
    sentence = [str(i) for i in range(length)]
    cutter = Cutter()
    edges = [0, *sorted(min(cut, length) for cut in cuts), length]
    found = [window for a, b in itertools.pairwise(edges) for window in cutter.feed(sentence[a:b])]
    found.append(cutter.finish())
    assert [token for window, own in found for token in window[own]] == sentence
    assert all(len(window) <= WINDOW for window, _ in found)
    for window, own in found:
        start, stop, _ = own.indices(len(window))
        first, last = int(window[0]) if window else 0, int(window[-1]) if window else -1
        assert start == 0 == first or start >= OVERLAP
        assert stop == len(window) == len(window) - (length - 1 - last) or len(window) - stop >= OVERLAP
    assert [window for window in found if window[0]] == windows.windows(sentence)


@pytest.mark.parametrize("length", [1, WINDOW - 1, WINDOW])
def test_what_fits_is_one_window(length: int) -> None:
    assert windows.windows(["a"] * length) == [(["a"] * length, slice(0, None))]
