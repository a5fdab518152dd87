"""A terminal of pyte in which rnb runs, and its screen as SVG. Nothing here knows a picture."""

from __future__ import annotations

import fcntl
import io
import itertools
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path
from types import TracebackType

import pyte
from rich.console import Console
from rich.style import Style
from rich.text import Text

COLUMNS = 92
PATIENCE = 60.0


class Terminal:
    """Start `rnb …` in `folder`; wait for what it says; take the screen; end it."""

    def __init__(self, command: list[str], folder: Path, lines: int) -> None:
        self.screen = pyte.Screen(COLUMNS, lines)
        self.stream = pyte.ByteStream(self.screen)
        self.said = ""
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, COLUMNS, 0, 0))
        env = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        env.pop("NO_COLOR", None)
        program = [sys.executable, "-m", "rnb", *command]
        self.process = subprocess.Popen(program, stdin=slave, stdout=slave, stderr=slave, cwd=folder, env=env)
        os.close(slave)

    def until(self, pattern: str) -> None:
        """Let the terminal show what comes, until something new matches."""
        end = time.monotonic() + PATIENCE
        while not re.search(pattern, self.said):
            assert self._read(end - time.monotonic()), f"{pattern!r} did not come: {self.said[-500:]}"
        while self._read(0.2):
            pass
        self.said = ""

    def _read(self, seconds: float) -> bool:
        if seconds <= 0 or not select.select([self.master], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self.master, 65536)
        except OSError:  # the program has ended
            return False
        self.stream.feed(data)
        self.said += re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", data.decode(errors="replace"))
        return bool(data)

    def svg(self, title: str) -> bytes:
        console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="truecolor")
        lines = [self._line(row) for row in range(self.screen.lines)]
        while lines and not lines[-1].plain.strip():
            lines.pop()
        for text in lines:
            console.print(text, soft_wrap=True)
        return console.export_svg(title=title, unique_id="rnb").encode()

    def _line(self, row: int) -> Text:
        text = Text()
        cells = [self.screen.buffer[row][column] for column in range(COLUMNS)]
        for style, run in itertools.groupby(cells, style_of):
            text.append("".join(cell.data for cell in run), style)
        return text

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.terminate()
        self.process.wait(PATIENCE)
        os.close(self.master)


def style_of(cell: pyte.screens.Char) -> Style:
    color = cell.fg if cell.fg != "default" else None
    if color is not None and re.fullmatch("[0-9a-f]{6}", color):
        color = f"#{color}"
    color = {"brown": "yellow", "brightbrown": "bright_yellow"}.get(color or "", color)
    if color and color.startswith("bright") and "_" not in color:
        color = f"bright_{color.removeprefix('bright')}"
    return Style(color=color, bold=cell.bold, italic=cell.italics, reverse=cell.reverse)
