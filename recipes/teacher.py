"""A large tagger, the teacher of the small ones: multilingual-e5-small (Wang et al. 2024), fine-tuned with features of
other open models.

    pip install ".[recipe]"
    python -m recipes.teacher train teacher.safetensors en_ewt-ud-*.conllu zh_gsdsimp-ud-*.conllu
    python -m recipes.teacher tag teacher.safetensors < sentences.txt > tagged.jsonl
    python -m recipes.teacher vectors teacher.safetensors en_ewt-ud-train.conllu > vectors.txt

`recipes.teacher_network` describes the network. Several teachers tag by the mean of their probabilities. sentences.txt
has one sentence per line, words separated by spaces; with `--files`, the sentences are those of CoNLL-U files.
`rnntag train` reads tagged.jsonl as a corpus, which has both tagsets (see `recipes.native`) unless it is `--universal`,
and vectors.txt with `--vectors`.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from recipes import word_lists
from recipes.emoji import is_emoji
from recipes.frozen import Features, Frozen, is_chinese
from recipes.native import Pku, record
from recipes.pretrained import FineTuning, add_settings, settings_of
from recipes.teacher_network import TAGSET, Settings, Teacher, load, mean_probabilities, save
from rnntag.corpora import loading
from rnntag.errors import DataError
from rnntag.formats import registry
from rnntag.model.batching import IGNORED, length_buckets
from rnntag.model.vocabulary import RESERVED, Vocabulary
from rnntag.sentences import NATIVE, Corpus, Sentence
from rnntag.training import simplification
from rnntag.training.augmentation import lower_case
from rnntag.training.tagger import choose_device, sampling_rates

PENN = "xpos-en"
OTHER_TAGSETS = 0.3  # the weight of their losses
SENTENCES_AT_ONCE = 4000
TOP, LEAST = 5, 0.005  # tags of a word, probability of each
BALANCE = 0.5  # see `TrainConfig`


def train(
    corpora: Sequence[Corpus], settings: Settings, sources: Frozen | None, path: Path, device: torch.device
) -> None:
    """Write a teacher, and print its accuracy on the dev splits after each epoch. A training that was interrupted goes
    on after its last epoch."""
    torch.manual_seed(settings.seed)
    sentences = [sentence for corpus in corpora for sentence in corpus.train if sentence.tokens]
    vocabulary = Vocabulary.build(sentences, settings.min_count, simplification.table())
    teacher = Teacher(vocabulary, settings, sources.sizes if sources else ()).to(device)
    rates = settings.share * sampling_rates([corpus.train for corpus in corpora], BALANCE)
    forms = Counter(vocabulary.normal_form(token) for sentence in sentences for token in sentence.tokens)
    counts = torch.tensor([1.0] * RESERVED + [forms[w] for w in vocabulary.words], device=device)
    both = [*sentences, *map(lower_case, sentences)]
    features = described(sources, both)
    dev_features = {corpus.name: described(sources, corpus.dev) for corpus in corpora}
    encoded, lengths = vocabulary.encode(both), teacher.lengths(both)
    tuning = FineTuning(teacher, settings.head_lr, settings.warm_up, teacher.bert, settings.lr)
    started = time.monotonic()
    for epoch, random in tuning.epochs(settings.epochs, settings.seed, path.with_suffix(".checkpoint")):
        teacher.train()
        times = np.floor(rates + random.random(len(rates))).astype(int)
        batches: list[list[int]] = []
        for turn in range(times.max()):
            chosen = np.flatnonzero(times > turn)
            chosen = chosen + len(sentences) * (random.random(len(chosen)) < settings.lower_case)
            wanted = np.zeros_like(lengths)
            wanted[chosen] = lengths[chosen]
            batches += length_buckets(wanted, settings.batch_pieces, random)
        random.shuffle(batches)
        own_batches = tuning.part(batches)
        loss_sum = 0.0
        for number, positions in enumerate(own_batches, 1):
            done = (epoch - 1 + number / len(own_batches)) / settings.epochs
            batch = encoded.batch(positions)
            own = [features[position] for position in positions]
            scores = teacher(batch, [both[position] for position in positions], own, counts)
            loss = torch.zeros((), device=device)
            for name, gold in batch.gold.items():
                if (gold != IGNORED).any():
                    target = torch.from_numpy(gold).to(device).flatten()
                    one = functional.cross_entropy(
                        scores[name].flatten(0, 1),
                        target,
                        ignore_index=IGNORED,
                        label_smoothing=settings.label_smoothing,
                    )
                    loss = loss + one * (1.0 if name == TAGSET else OTHER_TAGSETS)
            tuning.step(loss, done)
            loss_sum += loss.item()
            if number % 50 == 0 and tuning.is_first:
                seconds = time.monotonic() - started
                line = f"epoch {epoch} batch {number}/{len(own_batches)} loss {loss_sum / number:.4f} {seconds:.0f} s"
                print(line, file=sys.stderr, flush=True)
        if tuning.is_first:
            report([teacher], corpora, dev_features, f"epoch {epoch}")
    if tuning.is_first:
        save(teacher, path)


def corpora_of(specs: Iterable[str], universal: bool = False) -> list[Corpus]:
    """Corpora with universal tags alone, or with both tagsets where they have both."""
    if universal:
        return loading.load([*specs])
    found = []
    for spec in specs:
        try:
            found += loading.load([spec], ("universal", "native"))
        except DataError:
            found += loading.load([spec])
    return found


def described(sources: Frozen | None, sentences: Sequence[Sentence]) -> list[Features]:
    return [*sources.features(sentences)] if sources else [Features(None, None)] * len(sentences)


def report(
    teachers: Sequence[Teacher], corpora: Sequence[Corpus], features: Mapping[str, Sequence[Features]], title: str
) -> None:
    """Print the accuracy of the teachers' mean on the dev splits, in percent, by tagset."""
    for tagset in teachers[0].vocabulary.tags:
        figures = []
        for corpus in corpora:
            with_tags = [number for number, sentence in enumerate(corpus.dev) if tagset in sentence.tags]
            if not with_tags:
                continue
            sentences = [corpus.dev[number] for number in with_tags]
            own = [features[corpus.name][n] for n in with_tags]
            means = mean_probabilities(teachers, sentences, own, [tagset])[tagset]
            names = teachers[0].vocabulary.tags[tagset]
            hits = [
                names[best] == tag
                for sentence, rows in zip(sentences, means, strict=True)
                for best, tag in zip(rows.argmax(-1), sentence.tags[tagset], strict=True)
            ]
            figures.append(f"{corpus.name} {100 * np.mean(hits):.2f}")
        print(title, tagset, *figures, flush=True)


def _likely(names: Sequence[str], rows: np.ndarray) -> list[list[tuple[str, float]]]:
    """The likely tags of each word with their probabilities, the most likely first."""
    order = np.argsort(-rows, axis=-1)[:, :TOP]
    return [[(names[i], float(row[i])) for i in best if row[i] > LEAST] for row, best in zip(rows, order, strict=True)]


def _in_blocks(
    teachers: Sequence[Teacher], sources: Frozen | None, sentences: Sequence[Sentence], tagsets: Sequence[str]
) -> Iterator[tuple[Sequence[Sentence], dict[str, list[np.ndarray]]]]:
    """The sentences, some at once, with the `mean_probabilities` of their words."""
    for begin in range(0, len(sentences), SENTENCES_AT_ONCE):
        some = sentences[begin : begin + SENTENCES_AT_ONCE]
        yield some, mean_probabilities(teachers, some, described(sources, some), tagsets)


def tag_universal(teachers: Sequence[Teacher], sources: Frozen | None, sentences: Sequence[Sentence]) -> Iterator[str]:
    """JSON lines with the likely universal tags."""
    names = teachers[0].vocabulary.tags[TAGSET]
    for some, means in _in_blocks(teachers, sources, sentences, (TAGSET,)):
        for sentence, rows in zip(some, means[TAGSET], strict=True):
            top = _likely(names, rows)
            yield record(sentence, {TAGSET: [one[0][0] for one in top]}, {TAGSET: top})


def tag(teachers: Sequence[Teacher], sources: Frozen | None, sentences: Sequence[Sentence]) -> Iterator[str]:
    """JSON lines with the likely universal tags and the best native ones; see `recipes.native`."""
    names, penn = (teachers[0].vocabulary.tags[tagset] for tagset in (TAGSET, PENN))
    pku = Pku()
    for some, means in _in_blocks(teachers, sources, sentences, (TAGSET, PENN)):
        chinese = iter(pku.tags([*filter(is_chinese, some)]))
        for sentence, rows, other in zip(some, means[TAGSET], means[PENN], strict=True):
            top = _likely(names, rows)
            own = [*(next(chinese) if is_chinese(sentence) else (penn[i] for i in other.argmax(-1)))]
            for position in filter(lambda place: is_emoji(sentence.tokens[place]), range(len(own))):
                top[position] = [("SYM", 1.0)]
                own[position] = "w" if is_chinese(sentence) else "NFP"
            yield record(sentence, {TAGSET: [one[0][0] for one in top], NATIVE: own}, {TAGSET: top})


def word_vectors(teacher: Teacher, words: Sequence[str], size: int) -> Iterator[str]:
    """Words with their vectors, reduced to `size` principal components.

    A word's vector is that of the word alone, so that words without a context have one.
    """
    vectors = teacher.vectors_of(words)
    vectors -= vectors.mean(axis=0)
    _, directions = np.linalg.eigh(vectors.T @ vectors)
    for word, vector in zip(words, vectors @ directions[:, : -size - 1 : -1], strict=True):
        yield f"{word} {' '.join(f'{number:.4g}' for number in vector)}\n"


def with_listed(vocabulary: Vocabulary, paths: Sequence[Path], listed: int) -> list[str]:
    """The words of files that occur at least twice, then so many `listed` words of their languages, in normal form."""
    sentences = (sentence for path in paths for sentence in registry.read_sentences(path, ("universal",)))
    counts = Counter(vocabulary.normal_form(token) for sentence in sentences for token in sentence.tokens)
    frequent = [word for word, count in counts.most_common() if count > 1 and " " not in word]
    languages = sorted({loading.language(path.name) for path in paths})
    others = islice(map(vocabulary.normal_form, word_lists.together(languages, listed)), listed)
    return [*dict.fromkeys((*frequent, *others))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--lexicon", type=Path, default=Path("lexicon"), help="folder of the word lists")
    verbs = parser.add_subparsers(dest="verb", required=True)
    learn = verbs.add_parser("train")
    learn.add_argument("path", type=Path)
    learn.add_argument("specs", nargs="+", metavar="SPEC", help="as for `rnntag train`")
    learn.add_argument("--universal", action="store_true", help="UPOS alone")
    add_settings(learn, Settings())
    for verb in ("tag", "test"):
        verbs.add_parser(verb).add_argument("paths", nargs="+", type=Path)
    verbs.choices["test"].add_argument("--specs", nargs="+", required=True)
    verbs.choices["tag"].add_argument("--universal", action="store_true", help="UPOS alone")
    verbs.choices["tag"].add_argument("--files", nargs="+", default=[], type=Path, help="CoNLL-U, instead of stdin")
    represent = verbs.add_parser("vectors")
    represent.add_argument("path", type=Path)
    represent.add_argument("files", nargs="+", type=Path)
    represent.add_argument("--listed", type=int, default=0, help="words of the lists of the files' languages")
    represent.add_argument("--size", type=int, default=100)
    given = parser.parse_args()
    device = choose_device(given.device)
    if given.verb == "train":
        settings = settings_of(given, Settings)
        corpora = corpora_of(given.specs, given.universal)
        train(corpora, settings, Frozen(given.lexicon) if settings.frozen else None, given.path, device)
        return
    if given.verb == "vectors":
        teacher = load(given.path).to(device)
        words = with_listed(teacher.vocabulary, given.files, given.listed)
        sys.stdout.writelines(word_vectors(teacher, words, given.size))
        return
    teachers = [load(path).to(device) for path in given.paths]
    sources = Frozen(given.lexicon) if any(teacher.settings.frozen for teacher in teachers) else None
    if given.verb == "test":
        corpora = corpora_of(given.specs)
        features = {corpus.name: described(sources, corpus.dev) for corpus in corpora}
        report(teachers, corpora, features, "mean")
        return
    if given.files:
        sentences = [one for path in given.files for one in registry.read_sentences(path, ("universal",))]
    else:
        sentences = [Sentence(tuple(line.split())) for line in sys.stdin if line.strip()]
    sys.stdout.writelines((tag_universal if given.universal else tag)(teachers, sources, sentences))


if __name__ == "__main__":
    main()
