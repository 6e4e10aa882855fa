"""Part-of-speech tagging with recurrent networks.

>>> import rnntag
>>> rnntag.load("zh-en").tag(["我", "吃", "苹果"])
[('我', 'PRON'), ('吃', 'VERB'), ('苹果', 'NOUN')]
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rnntag.schema import AccessError as AccessError
    from rnntag.schema import DataError as DataError
    from rnntag.schema import NotFoundError as NotFoundError
    from rnntag.schema import RnntagError as RnntagError
    from rnntag.schema import UsageError as UsageError
    from rnntag.tagger import Tagger as Tagger
    from rnntag.tagger import load as load

__all__ = [
    "AccessError",
    "DataError",
    "NotFoundError",
    "RnntagError",
    "Tagger",
    "UsageError",
    "__version__",
    "load",
]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name in __all__:
        module = "rnntag.tagger" if name in ("Tagger", "load") else "rnntag.schema"
        return getattr(importlib.import_module(module), name)
    raise AttributeError(f"module 'rnntag' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
