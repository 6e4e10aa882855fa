"""Measures of a cell's memory: how far back its gradient reaches, and what it can recall."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from rnntag.model.vocabulary import Vocabulary
from rnntag.network.cells import RecurrentLayer, reversal
from rnntag.network.tagger import Network
from rnntag.sentences import Sentence

KEYS = 8
"""Number of different words to recall. Chance is 1 / KEYS."""

RECALL_HIDDEN = 64
RECALL_SENTENCES = 64
RECALL_LR = 0.003

_QUERY, _MARK = KEYS, KEYS + 1

OnProgress = Callable[[int, int], None]
"""Takes the number of finished steps and of all steps."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How thoroughly to measure memory.

    Attributes:
        reach: the longest distance at which gradients are measured.
        reach_sentences: the number of sentences for that.
        furthest: the longest distance of the recall task.
        updates: training steps of the recall task.
        tests: test sentences for each distance.
    """

    reach: int = 60
    reach_sentences: int = 10
    furthest: int = 100
    updates: int = 3000
    tests: int = 200


FULL = Scale()
QUICK = Scale(reach=30, reach_sentences=4, furthest=30, updates=600, tests=100)


def gradient_reach(
    network: Network,
    vocabulary: Vocabulary,
    sentences: Sequence[Sentence],
    scale: Scale = FULL,
    progress: OnProgress = lambda done, total: None,
) -> list[float | None]:
    """How much the loss at a word depends on the word k steps before it: the norm of the derivative of loss_t by
    x_{t-k} (Bengio et al. 1994; Pascanu et al. 2013), for k = 0 … `scale.reach`.

    x is the input of the recurrent layers: a word's vector, or U·onehot(w) for one-hot words.

    Args:
        sentences: with gold tags. The longest `scale.reach_sentences` are used.

    Returns:
        The mean norm for each k, in nats, over all words with a word k steps before them; None without such words.
    """
    network.eval()
    tagset = network.tagsets[0]
    chosen = sorted((s for s in sentences if tagset in s.tags), key=lambda s: len(s.tokens))[-scale.reach_sentences :]
    sums, counts = np.zeros(scale.reach + 1), np.zeros(scale.reach + 1)
    encoded = vocabulary.encode(chosen)
    for position, sentence in enumerate(chosen):
        batch = encoded.batch([position])
        steps = torch.arange(len(sentence.tokens))
        with torch.no_grad():
            x = network.vectors(batch.words)[torch.from_numpy(batch.index[0])]
        # One copy of the sentence for the loss at each word, so that one backward pass gives all derivatives.
        # x: [1, words, size]; copies: [words, words, size]; norms: [word of the loss, word of the input].
        copies = x.expand(len(steps), *x.shape).clone().requires_grad_()
        scores = network.scores(copies, torch.full_like(steps, len(steps)))[tagset][steps, steps]
        loss = functional.cross_entropy(scores, torch.from_numpy(batch.gold[tagset][0]), reduction="sum")
        (slopes,) = torch.autograd.grad(loss, copies)
        norms = slopes.norm(dim=-1).numpy()
        for distance in range(min(scale.reach, len(steps) - 1) + 1):
            at_distance = norms.diagonal(-distance)
            sums[distance] += at_distance.sum()
            counts[distance] += len(at_distance)
        progress(position + 1, len(chosen))
    return [float(total / count) if count else None for total, count in zip(sums, counts, strict=True)]


def recall_by_distance(
    cell: str,
    activation: str,
    seed: int,
    scale: Scale = FULL,
    progress: OnProgress = lambda done, total: None,
) -> list[float]:
    """Train a cell to recall, at the end of a sentence, a word that was marked.

    A sentence is a random sequence of `KEYS` different words. One of them follows a mark, and the tag of the last word
    is that word. To solve the task, a cell must store one word and ignore the others. One forward layer of
    `RECALL_HIDDEN` units on one-hot words learns all distances in one run. Short distances are more frequent: their
    logarithm is uniform.

    Returns:
        The accuracy for each distance from 1 to `scale.furthest` words.
    """
    answers = _answers(cell, activation, seed, scale, progress)
    return [float((scores.argmax(-1) == kept).double().mean()) for scores, kept in answers]


def surprisal_by_distance(
    cell: str,
    activation: str,
    seed: int,
    scale: Scale = FULL,
    progress: OnProgress = lambda done, total: None,
) -> list[float]:
    """How unexpected the marked word is when it comes again; see `recall_by_distance`.

    Returns:
        The mean surprisal for each distance from 1 to `scale.furthest` words, in bits. log2(`KEYS`) is chance.
    """
    answers = _answers(cell, activation, seed, scale, progress)
    return [float(functional.cross_entropy(scores, kept)) / math.log(2) for scores, kept in answers]


def _answers(cell: str, activation: str, seed: int, scale: Scale, progress: OnProgress) -> list[tuple[Tensor, Tensor]]:
    """For each distance the scores of the words, shape [tests, KEYS], and the marked ones, shape [tests]."""
    furthest, steps = scale.furthest, scale.updates + scale.furthest
    with torch.random.fork_rng(devices=[]), _one_thread():
        torch.manual_seed(seed)
        layer = RecurrentLayer(cell, activation, KEYS + 2, RECALL_HIDDEN, bidirectional=False)
        head = nn.Linear(RECALL_HIDDEN, KEYS)
        parameters = [*layer.parameters(), *head.parameters()]
        optimiser = torch.optim.Adam(parameters, lr=RECALL_LR, fused=True)
        for update in range(scale.updates):
            distances = torch.exp(torch.rand(RECALL_SENTENCES) * np.log(furthest + 1)).long().clamp(1, furthest)
            words, kept = _kept_words(distances, furthest)
            optimiser.param_groups[0]["lr"] = RECALL_LR * (1 - update / scale.updates)
            loss = functional.cross_entropy(_answer(layer, head, words), kept)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            optimiser.step()
            progress(update + 1, steps)
        answers = []
        with torch.inference_mode():
            for distance in range(1, furthest + 1):
                words, kept = _kept_words(torch.full((scale.tests,), distance), furthest)
                answers.append((_answer(layer, head, words), kept))
                progress(scale.updates + distance, steps)
    return answers


@contextmanager
def _one_thread() -> Iterator[None]:
    """Such a small network is twice as slow on two threads."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _kept_words(distances: Tensor, furthest: int) -> tuple[Tensor, Tensor]:
    """Sentences, shape [sentences, furthest + 2], and the marked word of each, at its distance from the last word."""
    sentences = torch.arange(len(distances))
    words = torch.randint(KEYS, (len(distances), furthest + 2))
    words[:, -1] = _QUERY
    places = furthest + 1 - distances
    words[sentences, places - 1] = _MARK
    return words, words[sentences, places]


def _answer(layer: RecurrentLayer, head: nn.Linear, words: Tensor) -> Tensor:
    order = reversal(torch.full((len(words),), words.shape[1]), words.shape[1])
    _, last = layer(functional.one_hot(words, KEYS + 2).float(), order)
    return head(last)  # type: ignore[no-any-return]
