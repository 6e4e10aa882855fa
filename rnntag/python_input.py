"""Checks of the arguments of the Python API. A string is a sequence of strings to Python: given instead of a list of
tokens, it would be tagged letter by letter."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

Pairs = list[tuple[str, str]]

_STRINGS = (str, bytes, bytearray)
_MISSING = ("NoneType", "float", "NAType")
"""What stands for a missing text in a column of a table: None, NaN, and pandas's NA."""
_HINT = "split it into tokens with .split(), or give raw text to tag_text()"


def one_sentence(tokens: Iterable[str]) -> Sequence[str]:
    """The tokens of the single sentence given to `tag`; see `sentence`."""
    if isinstance(tokens, _STRINGS):
        raise TypeError(
            f"tag() takes the tokens of one sentence, such as ['a', 'dog'], not {_kind(tokens)}: {_hint(tokens)}"
        )
    return sentence(tokens)


def sentence(tokens: Iterable[str]) -> Sequence[str]:
    """The tokens of a sentence as a sequence.

    Args:
        tokens: any iterable but a string.

    Raises:
        TypeError: it is a string, or not iterable.
    """
    if isinstance(tokens, (list, tuple)):
        return tokens
    if isinstance(tokens, _STRINGS) or not _is_iterable(tokens):
        raise TypeError(f"a sentence must be a list of tokens, not {_kind(tokens)}: {_hint(tokens)}")
    return list(tokens)


def sentences(value: Iterable[Iterable[str]]) -> list[Sequence[str]]:
    """Sentences as sequences; see `sentence`."""
    check_sentences(value)
    return [tokens if type(tokens) is list else sentence(tokens) for tokens in value]


def check_sentences(value: Iterable[Iterable[str]]) -> None:
    """Make sure that a value can be an iterable of sentences, without iterating over it.

    Raises:
        TypeError: it is a string, or not iterable.
    """
    if isinstance(value, _STRINGS) or not _is_iterable(value):
        raise TypeError(
            "expected sentences, each a list of tokens, such as [['a', 'dog'], ['I', 'swim']], "
            f"not {_kind(value)}: {_hint(value)}"
        )


def check_tokens(tokens: Sequence[object]) -> None:
    """Make sure that tokens are strings.

    Raises:
        TypeError: one is not.
    """
    if all(issubclass(kind, str) for kind in set(map(type, tokens))):
        return
    position, token = next((i, token) for i, token in enumerate(tokens) if not isinstance(token, str))
    before = tokens[position - 1] if position else None
    where = f" (it follows {before!r:.40})" if before is not None else ""
    raise TypeError(f"a token must be str, not {_kind(token)}: {token!r:.80}{where}")


def check_text(text: str) -> None:
    """Make sure that a text is a string.

    Raises:
        TypeError: it is not.
    """
    if not isinstance(text, str):
        raise TypeError(f"a text must be str, not {_kind(text)}{_text_hint(text)}")


def texts(value: Iterable[str]) -> list[str]:
    """Texts as a list.

    Raises:
        TypeError: it is a single string, or a text is not a string.
    """
    if isinstance(value, _STRINGS) or not _is_iterable(value):
        raise TypeError(
            f"expected a list of texts, such as ['I swim.', 'No.'], not {_kind(value)}: give one text to tag_text()"
        )
    checked = list(value)
    for number, text in enumerate(checked):
        if not isinstance(text, str):
            raise TypeError(f"texts[{number}]: a text must be str, not {_kind(text)}{_text_hint(text)}")
    return checked


def _text_hint(value: object) -> str:
    if isinstance(value, _STRINGS):
        return ": decode it, as in text.decode('utf-8')"
    if isinstance(value, (list, tuple)):
        return ": tag() takes the tokens of a sentence, tag_texts() a list of texts"
    if _kind(value) in _MISSING:
        return ": it is missing; replace it, as in column.fillna('')"
    if hasattr(value, "as_py"):
        return ": convert the column, as in column.to_pylist()"
    return ""


def tagged_sentences(gold: Iterable[Iterable[tuple[str, str]]]) -> list[Pairs]:
    """Gold sentences as lists of pairs.

    Raises:
        TypeError: they are not lists of pairs of strings.
    """
    return [[_pair(pair) for pair in _items(pairs)] for pairs in _items(gold)]


def _pair(value: Any) -> tuple[str, str]:
    if isinstance(value, (tuple, list)) and len(value) == 2 and all(isinstance(part, str) for part in value):
        return value[0], value[1]
    raise _not_pairs(value)


def _items(value: Any) -> Iterable[Any]:
    if isinstance(value, _STRINGS) or not _is_iterable(value):
        raise _not_pairs(value)
    return value  # type: ignore[no-any-return]


def _not_pairs(value: object) -> TypeError:
    return TypeError(f"gold sentences must be lists of (word, tag) pairs, such as [[('I', 'PRON')]]: got {value!r:.80}")


def _is_iterable(value: object) -> bool:
    try:
        iter(value)  # type: ignore[call-overload]
    except TypeError:
        return False
    return True


def _kind(value: object) -> str:
    return type(value).__name__


def _hint(value: object) -> str:
    if isinstance(value, (bytes, bytearray)):
        return f"decode it, as in text.decode('utf-8'), then {_HINT}"
    return _HINT
