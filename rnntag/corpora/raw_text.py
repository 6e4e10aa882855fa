"""Restores raw text from gold sentences."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rnntag.errors import DataError
from rnntag.sentences import Corpus, Multiword, Segmentation, Sentence, Span

_UNKNOWN = "does not say where words are joined: use CoNLL-U with SpaceAfter=No or spaCy documents"


@dataclass(frozen=True, slots=True)
class GoldParagraph:
    """A paragraph of raw text, or all text if paragraphs are not marked.

    Attributes:
        text: with its original white space.
        words: the span of each word; see `Segmentation`.
        ends: the end of each sentence, as an index into `words`.
        tags: by tagset, one tag per word.
        multiwords: the multiword tokens, in order.
    """

    text: str
    words: tuple[Span, ...]
    ends: tuple[int, ...]
    tags: Mapping[str, tuple[str, ...]]
    multiwords: tuple[Multiword, ...] = ()

    @property
    def segmentation(self) -> Segmentation:
        """Its words and sentences."""
        return Segmentation(self.words, self.ends, multiwords=self.multiwords)


def is_spaced(sentences: Sequence[Sentence]) -> bool:
    """Whether it is known which words are joined in the text."""
    return not all(all(_gaps(sentence)) for sentence in sentences)


def _gaps(sentence: Sentence) -> tuple[str, ...]:
    """The white space between the words that are in the text."""
    gaps = list(sentence.spaces[:-1])
    for each in reversed(sentence.multiwords):
        if not each.in_pieces:
            del gaps[each.first : each.end - 1]
    return tuple(gaps)


def spaced(corpora: Sequence[Corpus]) -> list[Corpus]:
    """The corpora whose train split says which words are joined in the text.

    Raises:
        DataError: none does.
    """
    with_spaces = [corpus for corpus in corpora if is_spaced(corpus.train)]
    if not with_spaces:
        raise DataError(f"{', '.join(corpus.name for corpus in corpora)}: {_UNKNOWN}")
    return with_spaces


def gold_paragraphs(sentences: Sequence[Sentence], name: str) -> list[GoldParagraph]:
    """Paragraphs of raw text from gold sentences; without those of unknown spacing.

    Args:
        name: of the sentences in error messages.

    Raises:
        DataError: it is not known which words are joined in the text.
    """
    if not is_spaced(sentences):
        raise DataError(f"{name}: {_UNKNOWN}")
    return [gold_paragraph(paragraph) for paragraph in paragraphs(sentences)]


def paragraphs(sentences: Iterable[Sentence]) -> Iterator[list[Sentence]]:
    """The sentences of each paragraph; without those of unknown spacing."""
    paragraph: list[Sentence] = []
    for sentence in sentences:
        if sentence.opens and paragraph:
            yield paragraph
            paragraph = []
        if sentence.spaces:
            paragraph.append(sentence)
    if paragraph:
        yield paragraph


def gold_paragraph(sentences: Sequence[Sentence]) -> GoldParagraph:
    """The raw text of one paragraph, given the white space after each token."""
    parts: list[str] = []
    words: list[Span] = []
    ends: list[int] = []
    multiwords: list[Multiword] = []
    place = 0
    for sentence in sentences:
        several = {each.first: each for each in sentence.multiwords}
        position = 0
        while position < len(sentence.tokens):
            token = sentence.tokens[position]
            if position in several:
                multiwords.append(several[position]._replace(first=len(words)))
                token, spans = multiwords[-1].token, multiwords[-1].spans(place)
            else:
                spans = [(place, place + len(token))]
            words += spans
            position += len(spans)
            space = sentence.spaces[position - 1]
            parts += (token, space)
            place += len(token) + len(space)
        ends.append(len(words))
    shared = set.intersection(*(set(sentence.tags) for sentence in sentences))
    tags = {tagset: tuple(tag for s in sentences for tag in s.tags[tagset]) for tagset in sorted(shared)}
    return GoldParagraph("".join(parts), tuple(words), tuple(ends), tags, tuple(multiwords))
