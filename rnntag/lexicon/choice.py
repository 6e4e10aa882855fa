"""Chooses among occurrences of words that overlap."""

from __future__ import annotations

from bisect import bisect_right

import numpy as np

from rnntag.lexicon.occurrences import Words
from rnntag.model.arrays import Flags, Ids
from rnntag.model.rules import INSIDE, SENTENCE, WORD
from rnntag.onnx.session import Scores

JOIN_BONUS, WORD_BONUS = 3.0, 1.0
"""What a word of the lexicon adds to the score of a path, in log odds: for each place between two of its units, and for
itself. A bonus for words alone would favour short ones; without it, words of one unit would have none. The values were
chosen on Chinese-GSD; see `benchmarks.lexicon`."""


def longest_first(words: Words, sizes: Ids) -> Words:
    """Of words that overlap, the longest, and of equally long ones the first.

    Args:
        sizes: of the words, in characters, shape [words].
    """
    order = np.lexsort((-words.lasts, words.firsts))
    lasts = words.lasts[order]
    reach = np.append(-1, np.maximum.accumulate(lasts)[:-1])[: len(lasts)]  # the last unit of the words before
    group = np.cumsum(words.firsts[order] > reach) - 1  # of words that overlap, directly or not
    is_outer = lasts > reach  # in no other word
    alone = np.bincount(group[is_outer])[group] == 1  # one word of the group has the others in it
    chosen = np.zeros(len(order), dtype=np.bool_)
    chosen[order[is_outer & alone]] = True
    contested = order[~alone]
    contested = contested[np.lexsort((words.firsts[contested], -sizes[contested]))]
    taken = bytearray(int(lasts.max(initial=-1)) + 1)
    columns = (column.tolist() for column in (contested, words.firsts[contested], words.lasts[contested]))
    for word, first, last in zip(*columns, strict=True):
        # A word chosen before is at least as long, so one that overlaps covers one end of this one.
        if not taken[first] and not taken[last]:
            taken[first : last + 1] = b"\1" * (last + 1 - first)
            chosen[word] = True
    return words.only(chosen)


def most_likely(words: Words, scores: Scores, before_gap: Flags, signs: Flags) -> Words:
    """The words on the best path through the lattice of all ways to cut a text.

    The score of a path is the sum of the network's scores of what it decides after each unit, and of the bonuses of the
    words that are in the lexicon.

    Args:
        scores: of the classes of each unit, shape [units, classes].
        before_gap: whether white space follows each unit, shape [units].
        signs: whether each unit is a mark of punctuation or another sign, shape [units].
    """
    # The network scores each unit on its own, so that outside the chosen words the best path takes the best class of
    # each unit. A path is thus a choice of words, and differs from that without words by the bonuses minus the costs:
    # what joining units within a word loses, and ending a word before and after it.
    inside = scores[:, INSIDE]
    cut = np.maximum(scores[:, WORD], scores[:, SENTENCE])
    losses = np.maximum(cut - inside, 0)
    # Beside signs the network is sure of its cuts, whatever the word. They count no more than the bonus.
    beside_sign = signs | np.append(signs[1:], False)[: len(signs)]
    losses[beside_sign] = np.minimum(losses[beside_sign], JOIN_BONUS)
    joins = np.append(0.0, np.cumsum(losses, dtype=np.float64))  # [units + 1]: of all units before
    ends = np.append(0.0, np.where(before_gap, 0, np.maximum(inside - cut, 0)))  # [units + 1]: before each
    gains = JOIN_BONUS * (words.lasts - words.firsts) + WORD_BONUS - (joins[words.lasts] - joins[words.firsts])
    words, gains = words.only(gains > 0), gains[gains > 0]
    before, after = ends[words.firsts], ends[words.lasts + 1]
    free = (joins[words.lasts] == joins[words.firsts]) & (before + after == 0)
    chosen, open_words = _settled(words, free)
    order = np.flatnonzero(open_words)
    order = order[np.argsort(words.lasts[order], kind="stable")]
    columns = (column[order].tolist() for column in (words.firsts, words.lasts, gains, before, after))
    chosen[order[_best_path(*columns)]] = True
    return words.only(chosen)


def _settled(words: Words, free: Flags) -> tuple[Flags, Flags]:
    """Which words are on the best path for sure, and which may be, both of shape [words].

    Args:
        free: which words the network finds by itself; they do not overlap.
    """
    # A free word is on the best path unless another one crosses its ends or holds it; those within it, whose bonuses
    # add up to less, are then not.
    units = int(words.lasts.max(initial=-1)) + 1
    sizes = (words.lasts - words.firsts + 1)[free]
    places = np.repeat(words.firsts[free] - np.cumsum(sizes) + sizes, sizes) + np.arange(sizes.sum())
    holder = np.full(units, -1)  # by unit, the free word that has it
    holder[places] = np.repeat(np.flatnonzero(free), sizes)
    within = ~free & (holder[words.firsts] >= 0) & (holder[words.firsts] == holder[words.lasts])
    rival = ~free & ~within
    begun, ended = (np.bincount(bound[rival], minlength=units + 1) for bound in (words.firsts, words.lasts + 1))
    steps = begun - ended
    disputed = np.append(0, np.cumsum(np.cumsum(steps) > 0))  # number of units before each that a rival has
    safe = free & (disputed[words.lasts + 1] == disputed[words.firsts])
    return safe, rival | (free & ~safe) | (within & ~safe[holder[words.firsts]])


def _best_path(
    firsts: list[int], lasts: list[int], gains: list[float], before: list[float], after: list[float]
) -> list[int]:
    """The words with the largest sum of gains minus the costs of their ends, given words in the order of `lasts`.

    Two neighbours share the end between them, whose cost counts once.
    """
    ends, sums, path_to = [-1], [0.0], [-1]  # best sum of words that end up to a unit, and the last word of that path
    ending_at: dict[int, int] = {}  # by unit, the word that ends there with the best sum
    totals: list[float] = []  # by word, the best sum of a path that ends with it
    previous: list[int] = []
    for word, (first, last, gain, left, right) in enumerate(zip(firsts, lasts, gains, before, after, strict=True)):
        place = bisect_right(ends, first - 1) - 1
        total, link = sums[place] - left, path_to[place]
        neighbour = ending_at.get(first - 1)
        if neighbour is not None and totals[neighbour] > total:
            total, link = totals[neighbour], neighbour
        total += gain - right
        totals.append(total)
        previous.append(link)
        if last not in ending_at or total > totals[ending_at[last]]:
            ending_at[last] = word
        if total > sums[-1]:
            ends.append(last)
            sums.append(total)
            path_to.append(word)
    path = []
    word = path_to[-1]
    while word >= 0:
        path.append(word)
        word = previous[word]
    return path


def imposed(classes: Ids, words: Words) -> Ids:
    """The classes of units, shape [units], with these words, which do not overlap."""
    classes = classes.copy()
    steps = np.zeros(len(classes) + 1, dtype=np.int64)
    steps[words.firsts] += 1
    steps[words.lasts] -= 1
    classes[np.cumsum(steps)[:-1] > 0] = INSIDE
    edges = np.concatenate([words.firsts[words.firsts > 0] - 1, words.lasts])
    classes[edges] = np.maximum(classes[edges], WORD)
    return classes
