"""Finding the words and sentences of raw text."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from rnntag.model import multiword, rules
from rnntag.model.arrays import Flags, Ids
from rnntag.model.pretokens import NO_GAP, Scan
from rnntag.model.rules import INSIDE, SENTENCE, WORD
from rnntag.model.stored import StoredSegmenter
from rnntag.model.weights import BIGRAM_TABLE, BOUNDARIES, SHAPE_TABLE, UNIT_TABLE, segmenter_classes, table_rows
from rnntag.onnx import graph
from rnntag.onnx.session import OnnxModel, Scores, in_batches
from rnntag.sentences import Segmentation
from rnntag.windows import blocks, core_parts

if TYPE_CHECKING:
    from rnntag.lexicon.lexicon import Lexicon

BLOCK = 1 << 13
"""Units whose vectors are in memory at once."""
BATCH = 512
"""Units per batch, padding included: few enough for the processor's cache."""

OVERLAP = 16
"""See `windows.OVERLAP`, in units: boundaries depend on near context only."""

_CERTAIN = 100.0
"""Added to the scores of what is certain: more than any score."""

# Code points that may continue a grapheme cluster. Most text has none, and then needs no regex.
_MARKS = re.compile("[^\\x00-\u02ff\u2010-\u2027\u2030-\u205e\u2e80-\u3029\u3030-\u3098\u309b-\ua66e\uff00-\uff9d]")

# Each pair of regional indicators is a cluster (a flag). `regex` takes quadratic time on long runs of them, so they
# are split after every 32 pairs.
_LETTER = "[\U0001f1e6-\U0001f1ff]"
_FLAGS = re.compile(f"(?:{_LETTER}{{2}}){{32}}(?={_LETTER})")


class Segmenter:
    """Finds words and sentences with a stored segmenter. Thread-safe.

    Args:
        int8: compute in 8 bits rather than 32.
        lexicon: words to find.

    Raises:
        DataError: ONNX Runtime cannot load its graph.
    """

    def __init__(
        self, stored: StoredSegmenter, *, threads: int = 1, int8: bool = True, lexicon: Lexicon | None = None
    ) -> None:
        self._stored = stored
        self._lexicon = lexicon
        self._threads = threads
        self._int8 = int8
        self._units = stored.units
        self._model = OnnxModel(graph.segmenter(stored, int8=int8), threads)
        self._outputs = graph.segmenter_outputs(stored)
        self._classes = sum(segmenter_classes(len(stored.expansions)))
        self._expansions = [*stored.expansions.values()]
        self._tables = [table_rows(stored.weights, table) for table in (UNIT_TABLE, SHAPE_TABLE)]
        if stored.units.bigrams:
            self._tables += [table_rows(stored.weights, BIGRAM_TABLE)] * 2

    def __reduce__(self) -> tuple[Any, ...]:
        own = partial(type(self), threads=self._threads, int8=self._int8, lexicon=self._lexicon)
        return own, (self._stored,)

    def find(self, texts: Sequence[str]) -> list[Segmentation]:
        """The words and sentences of each text.

        Each character that is not white space is in exactly one word, each word in exactly one sentence. A word ends
        before white space and at the end of a text, and never inside a grapheme cluster. Words that are no pieces of
        their multiword token share its characters. A word of the lexicon is no multiword token.
        """
        scan, columns = self._units.encode(texts)
        scores = [np.empty((0, self._classes), dtype=np.float32)]
        for block in blocks(columns, BLOCK, OVERLAP):
            own = self._scores([window for _, (window, _) in block])
            scores += [core for _, core in core_parts(block, own)]
        joined = np.concatenate(scores)
        found, multiwords = joined[:, : len(BOUNDARIES)], joined[:, len(BOUNDARIES) :]
        for first, last in self._units.whole(texts, scan):
            found[first:last, INSIDE] += _CERTAIN
            found[[last, *([first - 1] if first else [])], WORD:] += _CERTAIN
        apply = partial(self._lexicon.applied, found) if self._lexicon else None
        classes = found.argmax(-1)
        if not self._expansions:
            return segmentations(texts, scan, classes, apply)
        return segmentations(texts, scan, classes, apply, partial(self._expanded, multiwords.argmax(-1)))

    def _expanded(self, languages: Ids, text: str, tokens: Segmentation, last: Ids) -> Segmentation:
        """The words of the tokens of a text.

        Args:
            languages: the class of each unit of all texts: 0, or the number of the language, counted from 1.
            last: the last unit of each token, shape [tokens].
        """
        words_of = {}
        own = languages[last]
        for position in np.flatnonzero(own).tolist():
            begin, end = tokens.words[position]
            token = text[begin:end]
            words = self._expansions[own[position] - 1].words(token)
            is_whole = self._lexicon is not None and token in self._lexicon
            if words and not is_whole and not _cuts_cluster(token, words):
                words_of[position] = token, words
        return multiword.expanded(tokens, words_of) if words_of else tokens

    def _scores(self, windows: list[Ids]) -> Scores:
        """The scores of the classes of each unit, those of each head side by side, shape [units, classes]."""
        vectors = self._vectors(np.concatenate(windows))

        def score(positions: Ids, lengths: Ids) -> Scores:
            return self._model.scores(vectors[positions], lengths, *self._outputs)

        return in_batches(np.array(list(map(len, windows))), BATCH, score)

    def _vectors(self, columns: Ids) -> Scores:
        """The vectors of units, shape [units, size], given their `PretokenVocabulary.columns`."""
        parts = [table[column] for table, column in zip(self._tables, columns.T, strict=True)]
        parts.append(np.broadcast_to(self._model.range_units, (len(columns), len(self._model.range_units))))
        return np.concatenate(parts, axis=1, dtype=np.float32)


def segmentations(
    texts: Sequence[str],
    scan: Scan,
    classes: Ids,
    apply: Callable[[str, Scan, Flags], Ids] | None = None,
    expand: Callable[[str, Segmentation, Ids], Segmentation] | None = None,
) -> list[Segmentation]:
    """The words and sentences of texts.

    Args:
        classes: of each unit by the network, shape [units of all texts].
        apply: see `Lexicon.applied`; without, the rules alone change the classes.
        expand: makes the words of a text, given its tokens and the last unit of each.
    """
    # The texts are processed together: units, words and sentences have indices over all texts, and characters are
    # counted in the texts joined by line feeds. Positions relative to each text come last.
    joined_texts = "\n".join(texts)
    before_gap = np.append(scan.gaps[1:] != NO_GAP, True)[: len(classes)]  # [units]: white space follows
    may_end = np.ones(len(classes), dtype=np.bool_)  # [units]
    may_end[_inside_clusters(joined_texts, scan, before_gap)] = False
    classes = apply(joined_texts, scan, may_end) if apply else rules.applied(joined_texts, scan, classes)
    splits = (classes > INSIDE) & may_end
    last = np.flatnonzero(splits | before_gap)  # [words]: the last unit of each word
    first = np.append(0, last[:-1] + 1)[: len(last)]  # [words]: the first unit of each word
    text_words = np.searchsorted(first, [*scan.firsts, len(classes)])  # [texts + 1]: words before each text
    words_per_text = np.diff(text_words)

    text_starts = np.cumsum([0, *(len(text) + 1 for text in texts)])[:-1]
    offsets = np.repeat(text_starts, words_per_text)  # [words]
    words = list(zip((scan.starts[first] - offsets).tolist(), (scan.ends[last] - offsets).tolist(), strict=True))

    ends_sentence = (classes[last] == SENTENCE) & splits[last]  # [words]
    ends_sentence[text_words[1:][words_per_text > 0] - 1] = True  # as does the last word of a text
    ends = np.flatnonzero(ends_sentence) + 1  # [sentences]: words up to the end of each sentence
    text_ends = np.searchsorted(ends, text_words, side="right").tolist()  # [texts + 1]: sentences before each text
    relative_ends = (ends - np.repeat(text_words[:-1], np.diff(text_ends))).tolist()
    spans = [*zip(pairwise(text_words.tolist()), pairwise(text_ends), strict=True)]
    found = [Segmentation(words[a:b], relative_ends[c:d]) for (a, b), (c, d) in spans]
    if not expand:
        return found
    return [expand(text, own, last[a:b]) for text, own, ((a, b), _) in zip(texts, found, spans, strict=True)]


def _cuts_cluster(token: str, words: Sequence[str]) -> bool:
    """Whether a grapheme cluster of a token would be in two of its words."""
    if not _MARKS.search(token) or "".join(words) != token:
        return False
    import regex

    ends = {cluster.end() for cluster in regex.finditer(r"\X", token)}
    return not ends.issuperset(accumulate(map(len, words)))


def _inside_clusters(text: str, scan: Scan, before_gap: Flags) -> list[int]:
    """The units that end inside a grapheme cluster (UAX #29)."""
    marks = [mark.start() for mark in _MARKS.finditer(text)]
    if not marks:
        return []
    import regex

    # No cluster crosses white space. Only chunks between white space that hold a mark are searched; a chunk is
    # the units bounds[i] to bounds[i + 1].
    bounds = np.append(0, np.flatnonzero(before_gap) + 1)
    chunks = np.unique(np.searchsorted(scan.ends[bounds[1:] - 1], marks, side="right"))
    inside: list[int] = []
    for chunk in chunks[chunks < len(bounds) - 1].tolist():
        first, end = bounds[chunk : chunk + 2].tolist()
        start, stop = int(scan.starts[first]), int(scan.ends[end - 1])
        splits = [start, *(flags.end() for flags in _FLAGS.finditer(text, start, stop)), stop]
        ends = {a + cluster.end() for a, b in pairwise(splits) for cluster in regex.finditer(r"\X", text[a:b])}
        inside += [unit for unit, unit_end in enumerate(scan.ends[first:end].tolist(), first) if unit_end not in ends]
    return inside
