"""Words and sentences of whole texts, found paragraph by paragraph, as a reader of raw text finds them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

from rnntag.formats import registry
from rnntag.formats.registry import Finder
from rnntag.sentences import Segmentation, Span


def find(finder: Finder, texts: Sequence[str]) -> list[Segmentation]:
    """The words and sentences of each text; an empty line ends a sentence."""
    places = [list(registry.paragraphs(text)) for text in texts]
    short = [text[a:b] for text, spans in zip(texts, places, strict=True) for a, b in spans if not _is_long((a, b))]
    found = iter(finder.find(short))
    results = []
    for text, spans in zip(texts, places, strict=True):
        words: list[Span] = []
        ends: list[int] = []
        for begin, end in spans:
            parts = _in_pieces(finder, text[begin:end]) if _is_long((begin, end)) else [next(found)]
            for part in parts:
                ends += [len(words) + place for place in part.ends]
                words += [(begin + a, begin + b) for a, b in part.words]
        results.append(Segmentation(words, ends))
    return results


def _is_long(paragraph: Span) -> bool:
    return paragraph[1] - paragraph[0] > registry.LONG_LINE


def _in_pieces(finder: Finder, paragraph: str) -> Iterator[Segmentation]:
    """The sentences of a paragraph that a reader does not hold at once."""
    reader = registry.reader("raw", "", finder=finder)
    for sentence in chain(reader.feed(paragraph), reader.finish()):
        if (layout := sentence.layout) and layout.words:
            words = [(layout.start + begin, layout.start + end) for begin, end in layout.words]
            yield Segmentation(words, [len(words)])
