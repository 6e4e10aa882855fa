"""Draws the README's picture of a terminal from the output of real commands.

python -m benchmarks.terminal
"""

from __future__ import annotations

import io
import re
import shlex
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

from rnntag.terminal import console

COMMANDS = (
    'rnntag tag "我 吃 苹果" "花 很 美 ， 他 又 花 钱 了"',
    'rnntag tag "the can is full but I can swim"',
    "echo 'Book a room and read a book .' | rnntag tag --format tsv",
)
PICTURE = Path(__file__).with_name("terminal.svg")


def output(command: str) -> str:
    rnntag = shlex.join([sys.executable, "-m", "rnntag"])
    return subprocess.run(
        command.replace("rnntag", rnntag, 1), shell=True, capture_output=True, text=True, check=True
    ).stdout


def main() -> None:
    screen = Console(record=True, width=72, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    for command in COMMANDS:
        screen.print(Text("$ ", style="bold") + Text(command))
        for line in output(command).splitlines():
            if "/" in line:
                pairs = [item.rpartition("/") for item in line.split()]
                screen.print(console.coloured([word for word, _, _ in pairs], [tag for _, _, tag in pairs]))
            else:
                screen.print(Text(line))
    svg = screen.export_svg(title="rnntag")
    svg = re.sub(r"@font-face \{.*?\}\n", "", svg, flags=re.DOTALL)  # fetched from the network
    svg = re.sub(r' textLength="[^"]*"', "", svg)  # counts a Chinese character as one cell
    PICTURE.write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main()
