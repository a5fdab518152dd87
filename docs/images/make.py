"""Makes docs/images/watch.svg from the real program: a terminal, a watch, three saves. Needs `pip install pyte`.

python docs/images/make.py
"""

from __future__ import annotations

import fcntl
import io
import os
import pty
import select
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
import time
from pathlib import Path

import pyte
from rich.console import Console
from rich.style import Style
from rich.text import Text

HERE = Path(__file__).parent
COLUMNS, LINES = 92, 34
NOTEBOOK = '''"""What separates the penguin species?"""

import pandas as pd

import rnb

DATA = "data/penguins.csv"


def tidy(frame):
    return frame.dropna()


@rnb.cell
def load():
    birds = pd.read_csv(DATA)
    print(len(birds), "birds")
    return (birds,)


@rnb.cell
def clean(birds):
    measured = tidy(birds)
    print(len(measured), "of them measured")
    return (measured,)


@rnb.cell
def bills(measured, by: str = "species"):
    return measured.groupby(by)["bill_length_mm"].mean().round(1)


@rnb.cell
def heaviest(measured):
    print("the heaviest weighs", int(measured["body_mass_g"].max()), "g")
'''
EDITS = [
    ("mean().round(1)", "median().round(1)"),
    ("    return frame.dropna()", "    # birds without sex are dropped as well\n    return frame.dropna()"),
    ("def tidy(frame):", "def tidy(frame:"),
    ("def tidy(frame:", "def tidy(frame):"),
]


def main() -> None:
    folder = Path(tempfile.mkdtemp())
    shutil.copytree(HERE.parent.parent / "notebooks" / "data", folder / "data")
    path = folder / "penguins.py"
    path.write_text(NOTEBOOK)
    screen = pyte.Screen(COLUMNS, LINES)
    stream = pyte.ByteStream(screen)
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    env = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    env.pop("NO_COLOR", None)
    rnb = [sys.executable, "-m", "rnb", "watch", "penguins.py"]
    process = subprocess.Popen(rnb, stdin=slave, stdout=slave, stderr=slave, cwd=folder, env=env)
    show(master, stream, 4)
    text = NOTEBOOK
    for old, new in EDITS:
        text = text.replace(old, new)
        path.write_text(text)
        show(master, stream, 1)
    save(screen)
    process.terminate()
    process.wait()
    shutil.rmtree(folder)


def show(master: int, stream: pyte.ByteStream, seconds: float) -> None:
    """Let the terminal show what comes for a while."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if select.select([master], [], [], left)[0]:
            stream.feed(os.read(master, 65536))


def save(screen: pyte.Screen) -> None:
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    lines = [line(screen, row) for row in range(LINES)]
    while lines and not lines[-1].plain.strip():
        lines.pop()
    for text in lines:
        console.print(text, soft_wrap=True)
    (HERE / "watch.svg").write_text(console.export_svg(title="rnb watch penguins.py"))


def line(screen: pyte.Screen, row: int) -> Text:
    text = Text()
    for column in range(COLUMNS):
        cell = screen.buffer[row][column]
        color = cell.fg if cell.fg != "default" else None
        if color is not None and len(color) == 6 and all(c in "0123456789abcdef" for c in color):
            color = f"#{color}"
        color = {"brown": "yellow", "brightbrown": "bright_yellow"}.get(color or "", color)
        if color and color.startswith("bright") and "_" not in color:
            color = f"bright_{color.removeprefix('bright')}"
        text.append(cell.data, Style(color=color, bold=cell.bold, italic=cell.italics, reverse=cell.reverse))
    return text


if __name__ == "__main__":
    main()
