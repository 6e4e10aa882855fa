"""An rnntag model as a component of a spaCy pipeline: `nlp.add_pipe("rnntag")`."""

import re
import tempfile
import traceback
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain, islice, pairwise
from pathlib import Path

import srsly
from spacy.language import Language
from spacy.tokens import Doc, Token

from rnntag.config import DEFAULT_MODEL
from rnntag.errors import AccessError, DataError
from rnntag.formats.raw import PARAGRAPH_END
from rnntag.model import directory, stored
from rnntag.tagger import Tagger, load
from rnntag.training import model_card

_PARAGRAPH_END = re.compile(PARAGRAPH_END)


class RNNTagComponent:
    """Sets `token.pos_` from the tagset `upos`, and `token.tag_` from `native` or the model's only other tagset, of all
    tokens but white space. With one tagset, `token.tag_` has its tags, also those of `upos`.

    A document is tagged by sentence if an earlier component has set sentence boundaries, else by paragraph (separated
    by empty lines). `nlp.to_disk` and `nlp.to_bytes` include the model; pickles do so as those of a `Tagger`.

    Args:
        model: a model's name or directory.
        tagset: one of the model's tagsets; None: `upos` and the other if it has both, else the first.
        lazy: load the model on first use, unless `from_disk` or `from_bytes` provides one.

    Raises:
        NotFoundError, DataError, AccessError: see `rnntag.load`.
        UsageError: the model does not know the tagset.
    """

    def __init__(self, model: str, tagset: str | None, *, lazy: bool = False) -> None:
        self._name = model
        self._requested_tagset = tagset
        self._loaded: Tagger | None = None
        if not lazy:
            self._tagger()

    def _tagger(self) -> Tagger:
        if self._loaded is None:
            path = directory.find(self._name)
            self._set_tagger(load(path), path)
            assert self._loaded is not None
        return self._loaded

    def _set_tagger(self, tagger: Tagger, path: Path) -> None:
        asked, model = self._requested_tagset, tagger.model
        self._tagsets = model.coarse_and_fine if asked is None else (model.tagset(asked),)
        self._card = _card(path, tagger.model)
        self._loaded = tagger

    def __call__(self, doc: Doc) -> Doc:
        return next(self.pipe([doc], batch_size=1))

    def pipe(self, stream: Iterable[Doc], batch_size: int) -> Iterator[Doc]:
        """Tag a stream of documents, `batch_size` at once."""
        tagger = self._tagger()
        iterator = iter(stream)
        while docs := list(islice(iterator, batch_size)):
            sentences = [
                [token for token in sentence if not token.is_space] for doc in docs for sentence in _sentences(doc)
            ]
            predicted = tagger.predict([[token.text for token in tokens] for tokens in sentences], self._tagsets)
            columns = [chain.from_iterable(tags) for tags in predicted.values()]
            for token, *tags in zip(chain.from_iterable(sentences), *columns, strict=True):
                token.tag_ = tags[-1]
                if self._tagsets[0] == "upos":
                    token.pos_ = tags[0]
            yield from docs

    def to_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> None:
        """Write the model's directory; see `model.directory.write`."""
        directory.write(Path(path), self._tagger().model, self._card)

    def from_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> "RNNTagComponent":
        """Load a model written by `to_disk`; see `model.directory.read`."""
        path = Path(path)
        model = replace(directory.read(path), name=Path(self._name).name)  # the folder has the component's name
        self._set_tagger(Tagger(model), path)
        return self

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:
        """The files of the model's directory as MessagePack."""
        content: bytes = srsly.msgpack_dumps(directory.as_files(self._tagger().model, self._card))
        return content

    def from_bytes(self, content: bytes, *, exclude: Iterable[str] = ()) -> "RNNTagComponent":
        """Load a model from the result of `to_bytes`; see `model.directory.read`.

        Raises:
            DataError: the bytes are invalid, or the model is damaged.
        """
        try:
            files = srsly.msgpack_loads(content)
        except Exception as error:  # MessagePack's exceptions have no common base class
            raise DataError(f"these bytes are not an rnntag component: {error}") from error
        if not isinstance(files, dict) or not all(isinstance(file, bytes) for file in files.values()):
            raise DataError("these bytes are not an rnntag component: they contain no files")
        if unknown := sorted(map(str, files.keys() - directory.FILES)):
            raise DataError(f"these bytes are not an rnntag component: they contain {unknown[0]!r:.80}")
        with tempfile.TemporaryDirectory() as folder:
            for name, file in files.items():
                (Path(folder) / name).write_bytes(file)
            return self.from_disk(folder)


def _card(path: Path, model: stored.ModelBundle) -> str:
    try:
        return directory.read_card(path)
    except (DataError, AccessError):
        return model_card.write(model)


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
    """The factory for `nlp.add_pipe("rnntag", config={"model": …})`."""
    return RNNTagComponent(model, tagset, lazy=_is_from_config())


def _is_from_config() -> bool:
    """Whether spaCy is creating a pipeline from a configuration, as `spacy.load` does before it reads the components.

    The model named there is then not needed and may not exist on this machine. spaCy calls factories with the same
    arguments in both cases; only the call stack differs.
    """
    return any(frame.f_code is Language.from_config.__code__ for frame, _ in traceback.walk_stack(None))
