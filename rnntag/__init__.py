"""Part-of-speech tagging with recurrent networks.

>>> import rnntag
>>> rnntag.load("zh-en").tag(["我", "吃", "苹果"])
[('我', 'PRON'), ('吃', 'VERB'), ('苹果', 'NOUN')]
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rnntag.tagger import Tagger as Tagger
    from rnntag.tagger import load as load

__all__ = ["Tagger", "__version__", "load"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name in ("Tagger", "load"):
        from rnntag import tagger

        return getattr(tagger, name)
    raise AttributeError(f"module 'rnntag' has no attribute {name!r}")
