"""An rnntag model as a component of a spaCy pipeline: `nlp.add_pipe("rnntag")`."""

import re
from collections.abc import Iterable, Iterator
from itertools import chain, islice, pairwise

from spacy.language import Language
from spacy.tokens import Doc, Token

from rnntag.formats import PARAGRAPH_END
from rnntag.schema import DEFAULT_MODEL
from rnntag.tagger import load

_PARAGRAPH_END = re.compile(PARAGRAPH_END)


class RNNTagComponent:
    """Sets `token.tag_`, and `token.pos_` where the tagset is UPOS; spaCy's white space stays as it is.

    A document is tagged sentence by sentence if a component before has split it, else paragraph by
    paragraph: empty lines end these.

    Args:
        model: a model's name or directory.
        tagset: one of the model's tagsets; the first if None.

    Raises:
        NotFoundError, DataError, AccessError: see `rnntag.load`.
        UsageError: the model does not know the tagset.
    """

    def __init__(self, model: str, tagset: str | None) -> None:
        self._tagger = load(model)
        self._tagset = self._tagger.model.tagset(tagset)

    def __call__(self, doc: Doc) -> Doc:
        return next(self.pipe([doc], batch_size=1))

    def pipe(self, stream: Iterable[Doc], batch_size: int) -> Iterator[Doc]:
        """The documents of a stream, `batch_size` of them tagged at once."""
        waiting = iter(stream)
        while docs := list(islice(waiting, batch_size)):
            sentences = [
                [token for token in sentence if not token.is_space] for doc in docs for sentence in _sentences(doc)
            ]
            tags = self._tagger.predict([[token.text for token in tokens] for tokens in sentences], self._tagset)
            for token, tag in zip(chain.from_iterable(sentences), chain.from_iterable(tags), strict=True):
                token.tag_ = tag
                if self._tagset == "upos":
                    token.pos_ = tag
            yield from docs


def _sentences(doc: Doc) -> Iterable[Iterable[Token]]:
    if doc.has_annotation("SENT_START"):
        return doc.sents
    bounds = [token.i for token in doc if token.is_space and _PARAGRAPH_END.search(token.text)]
    return [doc[start:end] for start, end in pairwise((0, *bounds, len(doc)))]


@Language.factory(
    "rnntag",
    default_config={"model": DEFAULT_MODEL, "tagset": None},
    assigns=["token.tag", "token.pos"],
)
def create(nlp: Language, name: str, model: str, tagset: str | None) -> RNNTagComponent:
    """What `nlp.add_pipe("rnntag", config={"model": …})` calls."""
    return RNNTagComponent(model, tagset)
