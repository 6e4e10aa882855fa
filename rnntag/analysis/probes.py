"""How long a cell remembers: how far back its gradient reaches, and what it can recall."""

from __future__ import annotations

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
"""Different words to be recalled; one in so many is right by chance."""

RECALL_HIDDEN = 64
RECALL_SENTENCES = 64
RECALL_LR = 0.003

_QUERY, _MARK = KEYS, KEYS + 1

OnProgress = Callable[[int, int], None]
"""Is told how many steps are done, and how many there are."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How thoroughly memory is measured.

    Attributes:
        reach: the furthest distance at which a gradient is measured.
        reach_sentences: on how many sentences.
        furthest: the longest distance over which something is to be recalled.
        updates: steps in which that is learned.
        tests: sentences at each distance on which recall is measured.
    """

    reach: int = 60
    reach_sentences: int = 10
    furthest: int = 100
    updates: int = 3000
    tests: int = 200


FULL = Scale()
QUICK = Scale(reach=30, reach_sentences=4, furthest=30, updates=600, tests=100)


def _untold(done: int, total: int) -> None:
    """For whom nobody waits."""


def gradient_reach(
    network: Network,
    vocabulary: Vocabulary,
    sentences: Sequence[Sentence],
    scale: Scale = FULL,
    progress: OnProgress = _untold,
) -> list[float | None]:
    """How much the loss at a word depends on the word k steps before it: the norm of the derivative
    of loss_t by x_{t-k} (Bengio et al. 1994; Pascanu et al. 2013), for k = 0 … `scale.reach`.

    x is what the recurrent layers read: a word's vector; of a one-hot word U·onehot(w).

    Args:
        sentences: with gold tags; the longest `scale.reach_sentences` are taken.

    Returns:
        The mean over all words of these that have a k-th before them, in nats; None if none has.
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
        # A copy of the sentence for the loss at each of its words: one pass gives all derivatives.
        copies = x.expand(len(steps), *x.shape).clone().requires_grad_()
        scores = network.scores(copies, torch.full_like(steps, len(steps)))[tagset][steps, steps]
        loss = functional.cross_entropy(scores, torch.from_numpy(batch.gold[tagset][0]), reduction="sum")
        (slopes,) = torch.autograd.grad(loss, copies)
        norms = slopes.norm(dim=-1).numpy()
        for distance in range(min(scale.reach, len(steps) - 1) + 1):
            found = norms.diagonal(-distance)
            sums[distance] += found.sum()
            counts[distance] += len(found)
        progress(position + 1, len(chosen))
    return [float(total / count) if count else None for total, count in zip(sums, counts, strict=True)]


def recall_by_distance(
    cell: str, activation: str, seed: int, scale: Scale = FULL, progress: OnProgress = _untold
) -> list[float]:
    """Whether a cell learns to tell, at the end of a sentence, which word it was told to keep.

    The sentence is one of `KEYS` words at each step, drawn at random; one of them follows a mark,
    and the tag of the last word is that word. To solve it a cell must take in one word, and nothing
    else, until it is asked. One forward layer of `RECALL_HIDDEN` units on one-hot words learns all
    distances in one run, the short ones met more often (their logarithm is uniform).

    Returns:
        The accuracy over a distance of 1 … `scale.furthest` words.
    """
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
        accuracy = []
        with torch.inference_mode():
            for distance in range(1, furthest + 1):
                words, kept = _kept_words(torch.full((scale.tests,), distance), furthest)
                found = _answer(layer, head, words).argmax(-1)
                accuracy.append(float((found == kept).double().mean()))
                progress(scale.updates + distance, steps)
    return accuracy


@contextmanager
def _one_thread() -> Iterator[None]:
    """So small a network is twice as slow on two."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _kept_words(distances: Tensor, furthest: int) -> tuple[Tensor, Tensor]:
    """Sentences [sentences, furthest + 2], and in each the word at its distance from the last one."""
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
