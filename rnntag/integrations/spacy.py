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
    """Sets `token.tag_`, and `token.pos_` where the tagset is UPOS; spaCy's white space stays as it is.

    A document is tagged sentence by sentence if a component before has split it, else paragraph by
    paragraph: empty lines end these. `nlp.to_disk` and `nlp.to_bytes` write the model too, and pickles of
    the pipeline have it as those of a `Tagger` do.

    Args:
        model: a model's name or directory.
        tagset: one of the model's tagsets; the first if None.
        lazy: load the model only when it is needed, unless `from_disk` or `from_bytes` brings one.

    Raises:
        NotFoundError, DataError, AccessError: see `rnntag.load`.
        UsageError: the model does not know the tagset.
    """

    def __init__(self, model: str, tagset: str | None, *, lazy: bool = False) -> None:
        self._name = model
        self._wanted = tagset
        self._loaded: Tagger | None = None
        if not lazy:
            self._tagger()

    def _tagger(self) -> Tagger:
        if self._loaded is None:
            path = directory.find(self._name)
            self._take(load(path), path)
            assert self._loaded is not None
        return self._loaded

    def _take(self, tagger: Tagger, path: Path) -> None:
        self._tagset = tagger.model.tagset(self._wanted)
        self._card = _card(path, tagger.model)
        self._loaded = tagger

    def __call__(self, doc: Doc) -> Doc:
        return next(self.pipe([doc], batch_size=1))

    def pipe(self, stream: Iterable[Doc], batch_size: int) -> Iterator[Doc]:
        """The documents of a stream, `batch_size` of them tagged at once."""
        tagger = self._tagger()
        waiting = iter(stream)
        while docs := list(islice(waiting, batch_size)):
            sentences = [
                [token for token in sentence if not token.is_space] for doc in docs for sentence in _sentences(doc)
            ]
            tags = tagger.predict([[token.text for token in tokens] for tokens in sentences], self._tagset)
            for token, tag in zip(chain.from_iterable(sentences), chain.from_iterable(tags), strict=True):
                token.tag_ = tag
                if self._tagset == "upos":
                    token.pos_ = tag
            yield from docs

    def to_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> None:
        """Write the model's directory; see `store.write`."""
        directory.write(Path(path), self._tagger().model, self._card)

    def from_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> "RNNTagComponent":
        """Take the model that `to_disk` has written; see `store.read`."""
        path = Path(path)
        model = replace(directory.read(path), name=Path(self._name).name)  # the folder has the component's name
        self._take(Tagger(model), path)
        return self

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:
        """The files of the model's directory as MessagePack."""
        content: bytes = srsly.msgpack_dumps(directory.as_files(self._tagger().model, self._card))
        return content

    def from_bytes(self, content: bytes, *, exclude: Iterable[str] = ()) -> "RNNTagComponent":
        """Take the model that `to_bytes` has given; it is read as any model is, see `store.read`.

        Raises:
            DataError: it has given something else, or the model is damaged.
        """
        try:
            files = srsly.msgpack_loads(content)
        except Exception as error:  # what MessagePack raises has no common class
            raise DataError(f"these bytes are no rnntag component: {error}") from error
        if not isinstance(files, dict) or not all(isinstance(file, bytes) for file in files.values()):
            raise DataError("these bytes are no rnntag component: they hold no files")
        if strange := sorted(map(str, files.keys() - directory.FILES)):
            raise DataError(f"these bytes are no rnntag component: they hold {strange[0]!r:.80}")
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
    """What `nlp.add_pipe("rnntag", config={"model": …})` calls."""
    return RNNTagComponent(model, tagset, lazy=_is_from_config())


def _is_from_config() -> bool:
    """Whether spaCy makes a pipeline from a configuration, as `spacy.load` does before it reads the components.

    The model that the configuration names may then not be on this machine, and is not needed. spaCy gives
    factories the same arguments in both cases, so that only the calls tell.
    """
    return any(frame.f_code is Language.from_config.__code__ for frame, _ in traceback.walk_stack(None))
