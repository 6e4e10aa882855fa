"""Weights of tags in the loss, so that rare tags are not neglected."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rnntag.errors import DataError
from rnntag.formats.decoding import file_lines
from rnntag.sentences import UNTAGGED, Sentence

BALANCED = "balanced"


def of_tags(
    choice: str, sentences: Iterable[Sentence], tagsets: Mapping[str, tuple[str, ...]]
) -> dict[str, npt.NDArray[np.float32]]:
    """By tagset, the weight of each tag, shape [tags]. Over the gold tags of `sentences` their mean is 1.

    Args:
        choice: `BALANCED`, for weights inversely proportional to the frequencies of the tags, as scikit-learn has them;
            or a file with a tag and its weight on each line, for which all other tags have 1.

    Raises:
        DataError: a line is not a tag of one of the tagsets and a positive number.
        NotFoundError, AccessError: the file does not exist or cannot be read.
    """
    counts: dict[str, Counter[str]] = {tagset: Counter() for tagset in tagsets}
    for sentence in sentences:
        for tagset in sentence.tags.keys() - sentence.tag_probs.keys():
            counts[tagset].update(tag for tag in sentence.tags[tagset] if tag != UNTAGGED)
    chosen = {} if choice == BALANCED else _read(Path(choice), {tag for tags in tagsets.values() for tag in tags})
    weights = {}
    for tagset, tags in tagsets.items():
        frequencies = np.array([counts[tagset][tag] for tag in tags], dtype=np.float64)
        listed = np.array([chosen.get(tag, 1.0) for tag in tags])
        own = 1 / np.maximum(frequencies, 1) if choice == BALANCED else listed
        weights[tagset] = (own * max(frequencies.sum(), 1) / ((own * frequencies).sum() or 1)).astype(np.float32)
    return weights


def _read(path: Path, tags: set[str]) -> dict[str, float]:
    weights: dict[str, float] = {}
    for number, line in enumerate(file_lines(path), 1):
        if not line.strip():
            continue
        tag, _, rest = line.strip().partition("\t" if "\t" in line.strip() else " ")
        try:
            weight = float(rest)
        except ValueError:
            weight = math.nan
        if not 0 < weight < math.inf:
            raise DataError(f"{path}:{number}: expected a tag and a weight above 0, not {line.strip()!r:.60}")
        if tag not in tags or tag in weights:
            what = "occurs twice" if tag in weights else f"is not a tag: the corpora have {', '.join(sorted(tags))}"
            raise DataError(f"{path}:{number}: {tag!r:.40} {what}")
        weights[tag] = weight
    return weights
