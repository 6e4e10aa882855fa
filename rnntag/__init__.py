"""Part-of-speech tagging with recurrent networks.

>>> import rnntag
>>> rnntag.load("zh-en").tag(["我", "吃", "苹果"])
[('我', 'PRON'), ('吃', 'VERB'), ('苹果', 'NOUN')]
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rnntag.errors import AccessError as AccessError
    from rnntag.errors import DataError as DataError
    from rnntag.errors import NotFoundError as NotFoundError
    from rnntag.errors import RnntagError as RnntagError
    from rnntag.errors import UsageError as UsageError
    from rnntag.language_model import LanguageModel as LanguageModel
    from rnntag.language_model import load_lm as load_lm
    from rnntag.tagger import Tagger as Tagger
    from rnntag.tagger import load as load
    from rnntag.training.pretrain import pretrain as pretrain
    from rnntag.training.run import train as train
    from rnntag.training.run import train_segmenter as train_segmenter
    from rnntag.version import __version__ as __version__
    from rnntag.word_vectors import load_vectors as load_vectors

_MODULES = {
    "LanguageModel": "language_model",
    "Tagger": "tagger",
    "__version__": "version",
    "load": "tagger",
    "load_lm": "language_model",
    "load_vectors": "word_vectors",
    "pretrain": "training.pretrain",
    "train": "training.run",
    "train_segmenter": "training.run",
}
__all__ = [
    "AccessError",
    "DataError",
    "LanguageModel",
    "NotFoundError",
    "RnntagError",
    "Tagger",
    "UsageError",
    "__version__",
    "load",
    "load_lm",
    "load_vectors",
    "pretrain",
    "train",
    "train_segmenter",
]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(importlib.import_module(f"rnntag.{_MODULES.get(name, 'errors')}"), name)
    raise AttributeError(f"module 'rnntag' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
