"""Tagging Arrow data, for Ray, Spark, Dask, Hugging Face Datasets, and whatever else maps batches.

>>> import pyarrow as pa
>>> tag = TagBatches("zh-en", text_column="text")
>>> tag(pa.table({"text": ["我吃苹果。"]})).column("tokens").to_pylist()
[['我', '吃', '苹果', '。']]
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, pairwise
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from rnntag.config import DEFAULT_MODEL, LexiconMode
from rnntag.errors import RnntagError, UsageError
from rnntag.tagger import Tagger, Tagsets, load, unpickled

Batch = TypeVar("Batch", pa.RecordBatch, pa.Table)

GROUP_SIZE = 1 << 17
"""Characters, or tokens, of the rows that are tagged together."""

_BAD_ROW = (RnntagError, TypeError, ValueError)
_TEXT = (types.is_string, types.is_large_string, types.is_string_view, types.is_null)
_LISTS = (types.is_list, types.is_large_list, types.is_fixed_size_list, types.is_null)


class TagBatches:
    """Adds tokens and tags to record batches and tables, row by row. All their columns stay.

    With `text_column`, a row is a raw text, and all columns below are added. With `tokens_column`, a row is a list of
    tokens, the words of a sentence, and only the tags, `confidence` and `error` are added.

    - `tokens`: list<string>.
    - One column for each tagset, of its name: list<dictionary<int32, string>>, or list<string> without `dictionary`.
    - `start`, `end`: list<int32>, where each token is in the text, in characters (code points). Words of a multiword
      token that are no pieces of it, as French `de le` for `du`, have its places.
    - `sentence`: list<int32>, the number of each token's sentence, from 0.
    - `confidence`: list<float>, the probability (0 to 1) of each tag of the first tagset; only if asked for.
    - `error`: string, why the row could not be tagged. Its other new columns are null. Null in all other rows.

    A row that is null or empty gets empty lists. A pickle contains the model, or for a bundled model its name and
    digest (see `Tagger`); each process loads it once. Thread-safe.

    Attributes:
        tagsets: of the tags.
        input_schema: the least that a batch must have.
        settings: on which the tags depend, as JSON.

    Args:
        model: a model's name or directory.
        text_column: the column of raw text; "text" if neither column is given.
        tokens_column: the column of lists of tokens.
        tagset: one of the model's tagsets, or several; the first if None.
        dictionary: encode tags as dictionaries. Spark has no type for them.
        threads, int8, lexicon, lexicon_mode: see `rnntag.load`.

    Raises:
        NotFoundError, DataError, AccessError: see `rnntag.load`.
        UsageError: both columns are given, or the model has no segmenter or does not know a tagset.
    """

    def __init__(
        self,
        model: str | Path = DEFAULT_MODEL,
        *,
        text_column: str | None = None,
        tokens_column: str | None = None,
        tagset: str | Tagsets | None = None,
        confidence: bool = False,
        dictionary: bool = True,
        threads: int = 1,
        int8: bool = True,
        lexicon: str | Path | Sequence[str | Path] = (),
        lexicon_mode: LexiconMode = "prefer",
    ) -> None:
        if text_column is not None and tokens_column is not None:
            raise UsageError("text_column and tokens_column are both given: a row is a text or a list of tokens")
        tagger = load(model, threads=threads, int8=int8, lexicon=lexicon, lexicon_mode=lexicon_mode)
        given = [tagset] if isinstance(tagset, str) or tagset is None else tagset
        self.tagsets = tagger.model.several_tagsets([tagger.model.tagset(one) for one in given])
        self._is_raw = tokens_column is None
        self._column = (
            tokens_column if tokens_column is not None else text_column if text_column is not None else "text"
        )
        self._confidence = confidence
        kind = pa.string() if self._is_raw else pa.list_(pa.string())
        self.input_schema = pa.schema([(self._column, kind)])
        if self._is_raw:
            tagger.segment([])  # a model without a segmenter fails here, not on the first batch
        self._tagger = tagger
        self.settings: dict[str, Any] = {
            "model": f"{tagger.model.name}:{tagger.model.digest}",
            "tagsets": [*self.tagsets],
            "column": self._column,
            "tokens": not self._is_raw,
            "confidence": confidence,
            "int8": int8,
            "lexicon": _digest([lexicon] if isinstance(lexicon, (str, Path)) else lexicon, lexicon_mode),
        }
        self._dictionaries = {
            tagset: pa.array([*tagger.model.vocabulary.tags[tagset]], pa.string()) for tagset in self.tagsets
        }
        self._key = json.dumps([self.settings, threads])
        tag = pa.dictionary(pa.int32(), pa.string()) if dictionary else pa.string()
        self._fields = [
            *([pa.field("tokens", pa.list_(pa.string()))] if self._is_raw else []),
            *(pa.field(tagset, pa.list_(tag)) for tagset in self.tagsets),
            *(pa.field(name, pa.list_(pa.int32())) for name in ("start", "end", "sentence") if self._is_raw),
            *([pa.field("confidence", pa.list_(pa.float32()))] if confidence else []),
            pa.field("error", pa.string()),
        ]

    def __getstate__(self) -> dict[str, Any]:
        _, recipe = self._tagger.__reduce__()
        return {**self.__dict__, "_tagger": recipe}

    def __setstate__(self, state: dict[str, Any]) -> None:
        recipe = state["_tagger"]
        self.__dict__.update(state)
        if self._key not in _TAGGERS:
            while len(_TAGGERS) >= _MOST_TAGGERS:
                del _TAGGERS[next(iter(_TAGGERS))]
            _TAGGERS[self._key] = unpickled(*recipe)
        self._tagger = _TAGGERS[self._key]

    def schema(self, schema: pa.Schema) -> pa.Schema:
        """The schema of what has this schema, after tagging.

        Raises:
            UsageError: there is no such column, it has another type, or a column to add exists already.
        """
        if schema.get_field_index(self._column) < 0:
            raise UsageError(f"no column {self._column!r} (columns: {', '.join(map(repr, schema.names)) or 'none'})")
        own = schema.field(self._column).type
        if not (
            _is(own, _TEXT) if self._is_raw else _is(own, _LISTS) and (types.is_null(own) or _is(own.value_type, _TEXT))
        ):
            wanted = "text" if self._is_raw else "lists of tokens"
            raise UsageError(f"the column {self._column!r} has the type {own}: it must be {wanted}")
        for name in (added.name for added in self._fields):
            if schema.get_field_index(name) >= 0:
                raise UsageError(f"the column {name!r} already exists: drop or rename it")
        return pa.schema([*schema, *self._fields], schema.metadata)

    def __call__(self, batch: Batch) -> Batch:
        """Tag a record batch or a table; see `schema` for errors."""
        schema = self.schema(batch.schema)
        if isinstance(batch, pa.Table):
            return pa.Table.from_batches([self(part) for part in batch.to_batches()], schema)
        columns = [*batch.columns, *self._added(batch.column(self._column))]
        return pa.RecordBatch.from_arrays(columns, schema=schema)

    def _added(self, column: pa.Array) -> list[pa.Array]:
        rows = _Rows()
        values = _values(column)
        for group in _groups(values):
            try:
                self._tag(group, rows)
            except _BAD_ROW:  # it must not cost the others
                for value in group:
                    try:
                        self._tag([value], rows)
                    except _BAD_ROW as error:
                        rows.fail(str(error) if isinstance(error, RnntagError) else f"{type(error).__name__}: {error}")
        offsets = rows.offsets()
        return [
            rows.errors() if f.name == "error" else self._lists(rows.columns.get(f.name, []), offsets, f)
            for f in self._fields
        ]

    def _lists(self, flat: list[Any], offsets: pa.Array, added: pa.Field) -> pa.Array:
        kind = added.type.value_type
        if types.is_dictionary(kind):
            tags = self._dictionaries[added.name]  # the same in all batches
            values = pa.DictionaryArray.from_arrays(pc.index_in(pa.array(flat, pa.string()), value_set=tags), tags)
        else:
            values = pa.array(flat, kind)
        return pa.ListArray.from_arrays(offsets, values, type=added.type)

    def _tag(self, values: Sequence[Any], rows: _Rows) -> None:
        """Add rows, given texts or lists of tokens; None for null."""
        for value in values:
            if isinstance(value, Exception):
                raise value
        columns: dict[str, list[Any]] = {}
        if self._is_raw:
            segmentations, sentences = self._tagger.segmented([value or "" for value in values])
            counts = [len(each.words) for each in segmentations]
            spans = [span for each in segmentations for span in each.words]
            columns["tokens"] = [*chain.from_iterable(sentences)]
            columns["start"], columns["end"] = [begin for begin, _ in spans], [end for _, end in spans]
            columns["sentence"] = [
                number
                for each in segmentations
                for number, (first, last) in enumerate(pairwise((0, *each.ends)))
                for _ in range(last - first)
            ]
        else:
            sentences = [value or [] for value in values]
            counts = [*map(len, sentences)]
        predictions = self._tagger.predict(sentences, self.tagsets, top=1 if self._confidence else None)
        for tagset, tags in predictions.items():
            columns[tagset] = [*chain.from_iterable(tags)]
            if self._confidence:
                best = [choices[0] for choices in columns[tagset]]
                columns[tagset] = [tag for tag, _ in best]
                if tagset == self.tagsets[0]:
                    columns["confidence"] = [probability for _, probability in best]
        rows.add(counts, columns)


@dataclass
class _Rows:
    """The new columns of some rows.

    Attributes:
        columns: by name, the values of all tokens of all rows.
    """

    columns: dict[str, list[Any]] = field(default_factory=dict)
    _counts: list[int] = field(default_factory=list)
    _errors: dict[int, str] = field(default_factory=dict)

    def add(self, counts: Sequence[int], columns: dict[str, list[Any]]) -> None:
        """Add rows with so many tokens each."""
        self._counts += counts
        for name, values in columns.items():
            self.columns.setdefault(name, []).extend(values)

    def fail(self, error: str) -> None:
        """Add a row without tokens that could not be tagged."""
        self._errors[len(self._counts)] = error
        self._counts.append(0)

    def offsets(self) -> pa.Array:
        """Where each row begins and the last one ends, shape [rows + 1]; null where a row could not be tagged."""
        offsets = np.cumsum([0, *self._counts])
        failed = np.zeros(len(offsets), dtype=np.bool_)
        failed[[*self._errors]] = True
        return pa.array(offsets, pa.int32(), mask=failed)

    def errors(self) -> pa.Array:
        return pa.array([self._errors.get(row) for row in range(len(self._counts))], pa.string())


def _is(kind: pa.DataType, tests: Sequence[Callable[[pa.DataType], bool]]) -> bool:
    if types.is_dictionary(kind):
        kind = kind.value_type
    return any(test(kind) for test in tests)


def _values(column: pa.Array) -> list[Any]:
    """The values of a column; an exception in place of each that is not valid UTF-8."""
    try:
        return column.to_pylist()  # type: ignore[no-any-return]
    except UnicodeDecodeError:
        return [_value(scalar) for scalar in column]


def _value(scalar: pa.Scalar) -> Any:
    try:
        return scalar.as_py()
    except UnicodeDecodeError as error:
        return error


def _groups(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """Rows that are tagged together: few enough for constant memory, whatever the size of the batch."""
    begin, size = 0, 0
    for row, value in enumerate(values):
        size += 1 if value is None or isinstance(value, Exception) else len(value)
        if size >= GROUP_SIZE:
            yield values[begin : row + 1]
            begin, size = row + 1, 0
    if begin < len(values):
        yield values[begin:]


_MOST_TAGGERS = 4
_TAGGERS: dict[str, Tagger] = {}
"""By model and settings, the taggers that this process has unpickled."""


def _digest(files: Sequence[str | Path], mode: LexiconMode) -> str:
    """A digest of a lexicon; "" without one."""
    if not files:
        return ""
    return hashlib.sha256(b"\0".join([mode.encode(), *(Path(file).read_bytes() for file in files)])).hexdigest()
