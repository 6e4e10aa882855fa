"""Traditional Chinese as simplified: which characters a model reads as which others."""

from __future__ import annotations

from rnntag.errors import NotFoundError

_HAN = ((0x3400, 0xA000), (0xF900, 0xFB00), (0x20000, 0x32000))
_BEYOND_OPENCC = {
    # Characters that OpenCC leaves alone because simplified text has them too, though rarely.
    **{"著": "着", "妳": "你", "牠": "它", "祂": "他"},
    **{"「": "“", "」": "”", "『": "‘", "』": "’"},
    **{chr(code): chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)},
}


def table() -> tuple[str, str]:
    """The characters that `chinese` replaces, and their replacements in the same order.

    Raises:
        NotFoundError: OpenCC is not installed.
    """
    char_map = chinese()
    return "".join(char_map), "".join(char_map.values())


def chinese() -> dict[str, str]:
    """Traditional characters to simplified ones, by OpenCC's table (https://github.com/BYVoid/OpenCC),
    Taiwan's quotation marks to the mainland's, and full-width letters, digits and signs to ASCII.

    Raises:
        NotFoundError: OpenCC is not installed.
    """
    try:
        from opencc import OpenCC
    except ImportError as error:
        raise NotFoundError("simplified Chinese needs OpenCC: pip install 'rnntag[chinese]'") from error
    convert = OpenCC("t2s").convert
    simplified = {han: convert(han) for begin, end in _HAN for han in map(chr, range(begin, end))}
    char_map = {han: to for han, to in simplified.items() if to != han and len(to) == 1} | _BEYOND_OPENCC
    return {han: char_map.get(to, to) for han, to in char_map.items()}  # 薴 becomes 苧, and 苧 苎
