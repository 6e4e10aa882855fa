"""Training a language model, from text to a finished model directory."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnntag.config import LANGUAGE_NETWORK, ModelConfig, PretrainConfig
from rnntag.errors import ANOTHER, DataError, UsageError
from rnntag.formats.decoding import check_readable
from rnntag.formats.raw import Finder, LazyFinder
from rnntag.model import directory
from rnntag.model.language_model import as_files
from rnntag.model.stored import StoredSegmenter
from rnntag.segmenter import Segmenter
from rnntag.training import processes
from rnntag.training.callbacks import Callbacks, InterruptedTrainingError
from rnntag.training.checkpoint import Checkpoint, Settings
from rnntag.training.request import CHECKPOINT_MINUTES, Paths, Request, claim, given_names, names, naming_folder

if TYPE_CHECKING:
    from rnntag.training.language_model import LanguageTask, Text
    from rnntag.training.runner import Runner
    from rnntag.training.trainer import Trainer


def pretrain(
    texts: Paths = (),
    *,
    out: str | os.PathLike[str] | None = None,
    encoding: str | None = None,
    force: bool = False,
    resume: bool | None = None,
    checkpoint_every: float = CHECKPOINT_MINUTES,
    watch: Callbacks | None = None,
    **options: Any,
) -> Path:
    """Train a language model.

    Continue an interrupted run with `resume=True` and the same `out`; the result is the same as without interruption.

    Args:
        texts: files of raw text, tokens, CoNLL-U, vertical text or JSON lines.
        out: the model directory; `models/lm` if None.
        encoding: of the files; UTF-8 if None; `auto`: guessed for each.
        force: replace a finished model at `out`.
        resume: True: continue an interrupted run; False: start over; None: an interrupted run is an error.
        checkpoint_every: minutes between two checkpoints within an epoch; 0: only after epochs.
        watch: callbacks that watch the run.
        options: fields of `PretrainConfig`, and those of `ModelConfig` in `config.LANGUAGE_NETWORK`.

    Returns:
        The model directory.

    Raises:
        RnntagError: a text, a setting or the directory is wrong; see its subclasses.
        InterruptedTrainingError: `watch` stopped the run.
        TypeError: an option does not exist.
    """
    if processes.world_size() > 1:
        raise UsageError("a language model is trained by one process: start rnntag pretrain without torchrun")
    asked = _settings(names(texts), encoding, options)
    given = given_names(texts=asked.corpora, encoding=encoding) | {*options}
    request = Request(
        Path("models") / "lm" if out is None else Path(out), asked, given, force, resume, watch or Callbacks()
    )
    directory.check_not_bundled(request.out)
    with claim(request.out):
        settings, kept = request.prepared()
        if not settings.corpora:
            raise UsageError("no text to learn from: name a file")
        _fulfil(request, settings, kept, checkpoint_every)
    return request.out


def _settings(texts: tuple[str, ...], encoding: str | None, options: dict[str, Any]) -> Settings:
    rest = dict(options)
    network = LANGUAGE_NETWORK | {name: rest.pop(name) for name in LANGUAGE_NETWORK if name in rest}
    own = {field.name: rest.pop(field.name) for field in fields(PretrainConfig) if field.name in rest}
    if rest:
        raise TypeError(f"pretrain() has no option {next(iter(rest))!r}")
    if "dev" in own:
        own["dev"] = names(own["dev"])
    return Settings(
        texts, encoding=encoding or "utf-8", model=ModelConfig(**network), pretraining=PretrainConfig(**own)
    )


def _fulfil(request: Request, settings: Settings, kept: Checkpoint | None, minutes: float) -> None:
    watch, config = request.watch, settings.pretraining
    assert config
    stored: list[StoredSegmenter] = []

    def segmenter() -> Segmenter:
        own = directory.read(directory.find(config.segmenter)).segmenter
        if not own:
            raise UsageError(f"the model {config.segmenter} has no segmenter", remedy={"segmenter": "zh-en"})
        stored.append(own)
        return Segmenter(own)

    with naming_folder(kept):
        for path in (*settings.corpora, *config.dev):
            check_readable(Path(path))
    directory.find(config.segmenter)
    with watch.stage("reading the text"):
        text = _text(settings, config, LazyFinder(segmenter))
    with watch.stage("loading PyTorch"):
        from rnntag.training.language_model import LanguageTask
        from rnntag.training.runner import Runner
        from rnntag.training.trainer import Trainer
    runner = Runner(request.out, settings, kept, minutes, watch)
    with watch.stage("preparing training"):
        trainer = Trainer(LanguageTask(text, settings.model, config))
    runner.run(lambda: _train(runner, trainer, stored))


def _text(settings: Settings, config: PretrainConfig, finder: Finder) -> Text:
    from rnntag.training.language_model import Numbered, Text
    from rnntag.training.text import held_out, sentences

    numbered = Numbered()
    train = numbered.text(sentences(settings.corpora, settings.encoding, finder))
    dev = numbered.text(sentences(config.dev, settings.encoding, finder))
    if not config.dev:
        held = held_out(train)
        train, dev = train[~held], train[held]
        if len(dev) and not len(train):
            raise DataError("one sentence is too little to hold out a dev text", remedy={"dev": ANOTHER})
    return Text(numbered.words, train, dev)


def _train(runner: Runner, trainer: Trainer[LanguageTask], segmenters: Iterable[StoredSegmenter]) -> None:
    from rnntag.language_model import LanguageModel, perplexity
    from rnntag.training import language_card
    from rnntag.training.language_model import bundle

    ended = runner.train("language model", trainer)
    if ended or (trainer.kept and not runner.replaces):
        model = bundle(trainer, runner.out.resolve().name)
        with runner.watch.stage("measuring the model"):
            dev = asdict(perplexity(LanguageModel(model), trainer.task.text.dev_sentences()))
        settings = runner.settings
        provenance = replace(model.provenance, texts=settings.corpora, encoding=settings.encoding, dev=dev)
        model = replace(model, provenance=provenance, segmenter=next(iter(segmenters), None))
        directory.replace_files(runner.out, as_files(model, language_card.write(model)))
    if not ended:
        saved = "the model so far is saved" if trainer.kept and not runner.replaces else "no model is saved yet"
        raise InterruptedTrainingError(f"interrupted: {saved}", runner.out)
