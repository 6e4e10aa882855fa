"""What callers hand over, checked to be what it should: a string is a sequence of strings to Python, so that one
in place of a list of tokens would be tagged letter by letter."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

Pairs = list[tuple[str, str]]

_STRINGS = (str, bytes, bytearray)
_HINT = "split it into tokens with .split(), or give raw text to tag_text()"


def one_sentence(tokens: Iterable[str]) -> Sequence[str]:
    """The tokens of a sentence that is given by itself; see `sentence`."""
    if isinstance(tokens, _STRINGS):
        raise TypeError(
            f"tag() takes the tokens of one sentence, such as ['a', 'dog'], not {_kind(tokens)}: {_hint(tokens)}"
        )
    return sentence(tokens)


def sentence(tokens: Iterable[str]) -> Sequence[str]:
    """The tokens of a sentence as a sequence.

    Args:
        tokens: a list, a tuple, or whatever else yields them.

    Raises:
        TypeError: it is a string, or nothing that yields tokens.
    """
    if isinstance(tokens, (list, tuple)):
        return tokens
    if isinstance(tokens, _STRINGS) or not _is_iterable(tokens):
        raise TypeError(f"a sentence must be a list of tokens, not {_kind(tokens)}: {_hint(tokens)}")
    return list(tokens)


def sentences(given: Iterable[Iterable[str]]) -> list[Sequence[str]]:
    """Sentences as sequences; see `sentence`."""
    check_sentences(given)
    return [one if type(one) is list else sentence(one) for one in given]


def check_sentences(given: Iterable[Iterable[str]]) -> None:
    """Make sure that sentences may come of something, without a look at them.

    Raises:
        TypeError: it is a string, or nothing that yields sentences.
    """
    if isinstance(given, _STRINGS) or not _is_iterable(given):
        raise TypeError(
            "expected sentences, each a list of tokens, such as [['a', 'dog'], ['I', 'swim']], "
            f"not {_kind(given)}: {_hint(given)}"
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
        hint = "decode it, as in text.decode('utf-8')" if isinstance(text, _STRINGS) else ""
        if isinstance(text, (list, tuple)):
            hint = "tag() takes the tokens of a sentence, find() a list of texts"
        raise TypeError(f"a text must be str, not {_kind(text)}" + f": {hint}" * bool(hint))


def texts(given: Iterable[str]) -> list[str]:
    """Texts as a list.

    Raises:
        TypeError: it is a single string, or one of them is no string.
    """
    if isinstance(given, _STRINGS) or not _is_iterable(given):
        raise TypeError(f"find() takes a list of texts, such as ['I swim.'], not {_kind(given)}")
    found = list(given)
    for text in found:
        check_text(text)
    return found


def tagged_sentences(gold: Iterable[Iterable[tuple[str, str]]]) -> list[Pairs]:
    """Gold sentences as lists of pairs.

    Raises:
        TypeError: they are not made of pairs of strings.
    """
    found: list[Pairs] = []
    for one in _items(gold):
        pairs: Pairs = []
        for pair in _items(one):
            if not (isinstance(pair, (tuple, list)) and len(pair) == 2 and all(isinstance(part, str) for part in pair)):
                raise _no_pairs(pair)
            pairs.append((pair[0], pair[1]))
        found.append(pairs)
    return found


def _items(value: Any) -> Iterable[Any]:
    if isinstance(value, _STRINGS) or not _is_iterable(value):
        raise _no_pairs(value)
    return value  # type: ignore[no-any-return]


def _no_pairs(value: object) -> TypeError:
    return TypeError(
        f"gold sentences are lists of (word, tag) pairs, such as [[('I', 'PRON')]]: {value!r:.80} is none in its place"
    )


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
