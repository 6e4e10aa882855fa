"""rnntag models in spaCy pipelines: the component `rnntag` and the tokenizer `rnntag.v1.Tokenizer`."""

import re
import tempfile
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, islice, pairwise
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import srsly
from spacy.language import Language
from spacy.pipeline.senter import senter_score
from spacy.scorer import Scorer
from spacy.tokens import Doc, Token
from spacy.training import Example
from spacy.util import registry
from spacy.vocab import Vocab

from rnntag.config import DEFAULT_MODEL
from rnntag.errors import AccessError, DataError
from rnntag.formats.raw import PARAGRAPH_END
from rnntag.model import directory, stored
from rnntag.model.files import FILES as MODEL_FILES
from rnntag.sentences import Segmentation
from rnntag.tagger import Tagger, load
from rnntag.training import model_card

TOKENIZER = "rnntag.v1.Tokenizer"
"""The name of the tokenizer in a configuration."""

_PARAGRAPH_END = re.compile(PARAGRAPH_END)
_HAN = re.compile("[\u3400-\u9fff]")
_MANY_CHARACTERS = 4
"""So many Chinese characters in a row are hardly all words."""
_IN_CHARACTERS = (
    "rnntag tags words, but the tokens of this Chinese text are characters: find words with rnntag's tokenizer, as in "
    f"spacy.blank('zh', config={{'nlp': {{'tokenizer': {{'@tokenizers': '{TOKENIZER}'}}}}}})"
)
_Part = TypeVar("_Part", bound="_WithModel")


class _WithModel:
    """A part of a pipeline that has a model. `nlp.to_disk` and `nlp.to_bytes` include the model; pickles do so as those
    of a `Tagger`.

    Args:
        model: a model's name or directory.
        lazy: load the model on first use, unless `from_disk` or `from_bytes` provides one.

    Raises:
        NotFoundError, DataError, AccessError: see `rnntag.load`.
    """

    def __init__(self, model: str, *, lazy: bool) -> None:
        self._name = model
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
        self._card = _card(path, tagger.model)
        self._loaded = tagger

    def to_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> None:
        """Write the model's directory; see `model.directory.write`."""
        directory.write(Path(path), self._tagger().model, self._card)

    def from_disk(self: _Part, path: str | Path, *, exclude: Iterable[str] = ()) -> _Part:
        """Load a model written by `to_disk`; see `model.directory.read`."""
        path = Path(path)
        model = replace(directory.read(path), name=Path(self._name).name)  # the folder has the component's name
        self._set_tagger(Tagger(model), path)
        return self

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:
        """The files of the model's directory as MessagePack."""
        content: bytes = srsly.msgpack_dumps(directory.as_files(self._tagger().model, self._card))
        return content

    def from_bytes(self: _Part, content: bytes, *, exclude: Iterable[str] = ()) -> _Part:
        """Load a model from the result of `to_bytes`; see `model.directory.read`.

        Raises:
            DataError: the bytes are invalid, or the model is damaged.
        """
        try:
            files = srsly.msgpack_loads(content)
        except Exception as error:  # MessagePack's exceptions have no common base class
            raise DataError(f"these bytes are not an rnntag model: {error}") from error
        if not isinstance(files, dict) or not all(isinstance(file, bytes) for file in files.values()):
            raise DataError("these bytes are not an rnntag model: they contain no files")
        if unknown := sorted(map(str, files.keys() - MODEL_FILES)):
            raise DataError(f"these bytes are not an rnntag model: they contain {unknown[0]!r:.80}")
        with tempfile.TemporaryDirectory() as folder:
            for name, file in files.items():
                (Path(folder) / name).write_bytes(file)
            return self.from_disk(folder)


class RNNTagComponent(_WithModel):
    """Sets `token.pos_` from the tagset `upos`, and `token.tag_` from `native` or the model's only other tagset. With
    one tagset, `token.tag_` has its tags, also those of `upos`. White space gets the tags SPACE and _SP, as in spaCy's
    own pipelines.

    A document is tagged by sentence. Where no earlier component has set sentence boundaries, the model's segmenter
    finds them, and they are set; without a segmenter, the document is tagged by paragraph (separated by empty lines).

    Args:
        model, lazy: see `_WithModel`.
        tagset: one of the model's tagsets; None: `upos` and the other if it has both, else the first.

    Raises:
        NotFoundError, DataError, AccessError: see `rnntag.load`.
        UsageError: the model does not know the tagset.
    """

    def __init__(self, model: str, tagset: str | None, *, lazy: bool = False) -> None:
        self._requested_tagset = tagset
        self._has_warned = False
        super().__init__(model, lazy=lazy)

    def _set_tagger(self, tagger: Tagger, path: Path) -> None:
        asked, model = self._requested_tagset, tagger.model
        self._tagsets = model.coarse_and_fine if asked is None else (model.tagset(asked),)
        super()._set_tagger(tagger, path)

    def __call__(self, doc: Doc) -> Doc:
        return next(self.pipe([doc], batch_size=1))

    def pipe(self, stream: Iterable[Doc], batch_size: int) -> Iterator[Doc]:
        """Tag a stream of documents, `batch_size` at once."""
        tagger = self._tagger()
        iterator = iter(stream)
        while docs := list(islice(iterator, batch_size)):
            self._check_words(docs)
            self._find_sentences(docs)
            sentences = [
                [token for token in sentence if not token.is_space] for doc in docs for sentence in _sentences(doc)
            ]
            predicted = tagger.predict([[token.text for token in tokens] for tokens in sentences], self._tagsets)
            columns = [chain.from_iterable(tags) for tags in predicted.values()]
            for token, *tags in zip(chain.from_iterable(sentences), *columns, strict=True):
                self._set_tags(token, tags)
            for token in chain.from_iterable(docs):
                if token.is_space:
                    self._set_tags(token, ("SPACE", "_SP"))
            yield from docs

    def _set_tags(self, token: Token, tags: Sequence[str]) -> None:
        token.tag_ = tags[-1]
        if self._tagsets[0] == "upos":
            token.pos_ = tags[0]

    def _find_sentences(self, docs: Iterable[Doc]) -> None:
        """Set sentence starts in documents that have none."""
        tagger = self._tagger()
        bare = [doc for doc in docs if not doc.has_annotation("SENT_START") and not doc.has_annotation("DEP")]
        if bare and tagger.model.segmenter:
            for doc, found in zip(bare, tagger.segment([doc.text for doc in bare]), strict=True):
                _begin_sentences(doc, found)

    def _check_words(self, docs: Iterable[Doc]) -> None:
        """Warn once of Chinese that is not in words."""
        if not self._has_warned and any(map(self._is_in_characters, docs)):
            self._has_warned = True
            warnings.warn(_IN_CHARACTERS, stacklevel=2)

    def _is_in_characters(self, doc: Doc) -> bool:
        """Whether all its Chinese tokens are single characters, although some of them are parts of words."""
        chinese = [token.text for token in doc if _HAN.match(token.text)]
        if len(chinese) < 2 or max(map(len, chinese)) > 1:
            return False
        tagger = self._tagger()
        if not tagger.model.segmenter:
            return len(chinese) >= _MANY_CHARACTERS
        (found,) = tagger.segment([doc.text])
        return any(end - begin > 1 and _HAN.match(doc.text, begin) for begin, end in found.words)

    def score(self, examples: Iterable[Example], **options: Any) -> dict[str, Any]:
        """The scores of `nlp.evaluate`: `tag_acc`, `pos_acc`, `sents_p`, `sents_r` and `sents_f`."""
        examples = list(examples)
        return {
            **Scorer.score_token_attr(examples, "tag", **options),
            **Scorer.score_token_attr(examples, "pos", **options),
            **senter_score(examples, **options),
        }


class RNNTagTokenizer(_WithModel):
    """Makes a document of a text, with the words and sentences that the model's segmenter finds.

    The document's text is the text given. White space beyond a space after a word is tokens of its own, as with spaCy's
    own tokenizers. spaCy has no words that are not in the text: a multiword token is one token, unless its words are
    pieces of it (French `du`, but English `do n't`).

    Args:
        vocab: that of the pipeline.
        model, lazy: see `_WithModel`.

    Raises:
        NotFoundError, DataError, AccessError: see `rnntag.load`.
        UsageError: the model has no segmenter.
    """

    def __init__(self, vocab: Vocab, model: str = DEFAULT_MODEL, *, lazy: bool = False) -> None:
        self.vocab = vocab
        super().__init__(model, lazy=lazy)

    def _set_tagger(self, tagger: Tagger, path: Path) -> None:
        tagger.segment([])  # refuses a model without a segmenter
        super()._set_tagger(tagger, path)

    def __call__(self, text: str) -> Doc:
        return next(self.pipe([text]))

    def pipe(self, texts: Iterable[str], batch_size: int = 1000) -> Iterator[Doc]:
        """Make documents of a stream of texts, `batch_size` at once: faster than one by one."""
        tagger = self._tagger()
        iterator = iter(texts)
        while batch := list(islice(iterator, batch_size)):
            for text, found in zip(batch, tagger.segment(batch), strict=True):
                words, spaces = _words_and_spaces(text, found)
                doc = Doc(self.vocab, words=words, spaces=spaces)
                _begin_sentences(doc, found)
                yield doc

    def score(self, examples: Iterable[Example], **options: Any) -> dict[str, Any]:
        """The scores of `nlp.evaluate`: `token_acc`, `token_p`, `token_r` and `token_f`."""
        return Scorer.score_tokenization(examples)


def _words_and_spaces(text: str, found: Segmentation) -> tuple[list[str], list[bool]]:
    """All tokens of a text, white space among them, and whether a space follows each; for `Doc`."""
    words: list[str] = []
    spaces: list[bool] = []
    done = 0
    for begin, end in (*dict.fromkeys(found.words), (len(text), len(text))):  # words of one token may share its span
        if words and text[done:begin].startswith(" "):
            spaces[-1] = True
            done += 1
        new = [part for part in (text[done:begin], text[begin:end]) if part]
        words += new
        spaces += [False] * len(new)
        done = end
    return words, spaces


def _begin_sentences(doc: Doc, found: Segmentation) -> None:
    """Set the sentence starts of a document. One within a token, whose words are others, moves to the next token."""
    if not len(doc):
        return
    offsets = [found.words[end][0] for end in found.ends[:-1]]
    firsts = np.searchsorted(doc.to_array("IDX"), np.array(offsets, dtype=np.uint64))
    starts: Any = np.full(len(doc) + 1, -1)
    starts[[0, *firsts]] = 1
    doc.from_array(["SENT_START"], starts[:-1].astype(np.uint64))


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
    assigns=["token.tag", "token.pos", "token.is_sent_start"],
    default_score_weights={"tag_acc": 0.5, "pos_acc": 0.5, "sents_f": 0.0, "sents_p": None, "sents_r": None},
)
def create(nlp: Language, name: str, model: str, tagset: str | None) -> RNNTagComponent:
    """The factory for `nlp.add_pipe("rnntag", config={"model": …})`."""
    return RNNTagComponent(model, tagset, lazy=_is_from_config())


def create_tokenizer(model: str = DEFAULT_MODEL) -> Callable[[Language], RNNTagTokenizer]:
    """What `@tokenizers = "rnntag.v1.Tokenizer"` in a configuration names; see `RNNTagTokenizer`.

    By hand, `nlp.tokenizer = create_tokenizer()(nlp)` also puts it into the configuration that is saved with `nlp`.
    """

    def create(nlp: Language) -> RNNTagTokenizer:
        lazy = _is_from_config()
        tokenizer = RNNTagTokenizer(nlp.vocab, model, lazy=lazy)
        if not lazy:
            nlp.config["nlp"]["tokenizer"] = {"@tokenizers": TOKENIZER, "model": model}
        return tokenizer

    return create


registry.tokenizers(TOKENIZER, func=create_tokenizer)


def _is_from_config() -> bool:
    """Whether spaCy is creating a pipeline from a configuration, as `spacy.load` does before it reads the components.

    The model named there is then not needed and may not exist on this machine. spaCy calls factories with the same
    arguments in both cases; only the call stack differs.
    """
    return any(frame.f_code is Language.from_config.__code__ for frame, _ in traceback.walk_stack(None))
