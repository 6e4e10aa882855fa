"""Gold sentences put back together as the text that they were taken from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rnntag.errors import DataError
from rnntag.sentences import Corpus, Sentence, Span

_UNKNOWN = (
    "nothing tells which words stand together in the text: it takes CoNLL-U with SpaceAfter=No, or documents of spaCy's"
)


@dataclass(frozen=True, slots=True)
class GoldParagraph:
    """A paragraph of raw text, or several sentences that no paragraphs separate.

    Attributes:
        text: white space, inside or at its end, as it stood.
        words: where each word is.
        ends: of each sentence, how many of `words` come before its end.
        tags: by tagset, one tag for each word.
    """

    text: str
    words: tuple[Span, ...]
    ends: tuple[int, ...]
    tags: Mapping[str, tuple[str, ...]]


def is_spaced(sentences: Sequence[Sentence]) -> bool:
    """Whether something tells which words stand together in the text."""
    return not all(all(sentence.spaces[:-1]) for sentence in sentences)


def spaced(corpora: Sequence[Corpus]) -> list[Corpus]:
    """Those whose training split tells which words stand together in the text.

    Raises:
        DataError: none does.
    """
    with_spaces = [corpus for corpus in corpora if is_spaced(corpus.train)]
    if not with_spaces:
        raise DataError(f"{', '.join(corpus.name for corpus in corpora)}: {_UNKNOWN}")
    return with_spaces


def gold_paragraphs(sentences: Sequence[Sentence], name: str) -> list[GoldParagraph]:
    """Paragraphs of raw text from gold sentences; without those whose spacing is not known.

    Args:
        name: what errors call them.

    Raises:
        DataError: nothing tells which words stand together in the text.
    """
    if not is_spaced(sentences):
        raise DataError(f"{name}: {_UNKNOWN}")
    return [_gold_paragraph(paragraph) for paragraph in _paragraphs(sentences)]


def _paragraphs(sentences: Iterable[Sentence]) -> Iterator[list[Sentence]]:
    paragraph: list[Sentence] = []
    for sentence in sentences:
        if sentence.opens and paragraph:
            yield paragraph
            paragraph = []
        if sentence.spaces:
            paragraph.append(sentence)
    if paragraph:
        yield paragraph


def _gold_paragraph(sentences: list[Sentence]) -> GoldParagraph:
    parts: list[str] = []
    words: list[Span] = []
    ends: list[int] = []
    place = 0
    for sentence in sentences:
        for token, space in zip(sentence.tokens, sentence.spaces, strict=True):
            words.append((place, place + len(token)))
            parts += (token, space)
            place += len(token) + len(space)
        ends.append(len(words))
    shared = set.intersection(*(set(sentence.tags) for sentence in sentences))
    tags = {tagset: tuple(tag for s in sentences for tag in s.tags[tagset]) for tagset in sorted(shared)}
    return GoldParagraph("".join(parts), tuple(words), tuple(ends), tags)
