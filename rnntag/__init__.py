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
    from rnntag.tagger import Tagger as Tagger
    from rnntag.tagger import load as load
    from rnntag.training.run import train as train
    from rnntag.training.run import train_segmenter as train_segmenter
    from rnntag.version import __version__ as __version__

__all__ = [
    "AccessError",
    "DataError",
    "NotFoundError",
    "RnntagError",
    "Tagger",
    "UsageError",
    "__version__",
    "load",
    "train",
    "train_segmenter",
]


def __getattr__(name: str) -> Any:
    if name in __all__:
        module = {"Tagger": "rnntag.tagger", "load": "rnntag.tagger", "__version__": "rnntag.version"}
        module |= dict.fromkeys(("train", "train_segmenter"), "rnntag.training.run")
        return getattr(importlib.import_module(module.get(name, "rnntag.errors")), name)
    raise AttributeError(f"module 'rnntag' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
