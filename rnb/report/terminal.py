"""The report for people at a terminal: colours, live lines, tables, links, highlighted source.

rich renders tables, Markdown and source, and is loaded only when there is one to render.
"""

from __future__ import annotations

import os
import sys
import time
import unicodedata
from collections.abc import Callable
from typing import Any, BinaryIO

from rnb.messages import AnyEvent, CellEvent, FinishedEvent, InputEvent, ProgressEvent
from rnb.report.live import LivePage
from rnb.report.plain import Figures, Plain
from rnb.report.sink import Waiting, nothing_waits
from rnb.report.text import duration

COLOURS = {
    "dim": "2",
    "head": "1",
    "good": "32",
    "bad": "31",
    "error": "31;1",
    "warning": "33",
    "done": "32",
    "cached": "32",
    "failed": "31",
    "killed": "31",
    "cancelled": "33",
    "blocked": "33",
}
MARKED = {"done", "cached", "failed", "killed", "cancelled", "blocked"}  # only their first sign is coloured
SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
MOST = 6  # live lines
TALL = 60  # lines of a value, as many as pandas shows rows


def screen_size(stream: BinaryIO) -> Callable[[], tuple[int, int]]:
    """Columns and lines of the terminal behind `stream`, asked anew each time."""

    def size() -> tuple[int, int]:
        try:
            found = os.get_terminal_size(stream.fileno())
        except (OSError, ValueError):  # not a terminal after all
            return 80, 24
        return found.columns or 80, found.lines or 24

    return size


class Terminal(Plain):
    """`docs`: each cell's docstring above its output. `ticking=False` draws at events only."""

    def __init__(
        self,
        stream: BinaryIO | None = None,  # standard output
        *,
        figures: Figures | None = None,
        watch: bool = False,
        waiting: Waiting = nothing_waits,
        docs: bool = False,
        ticking: bool = True,
        clock: Callable[[], float] = time.monotonic,
        size: Callable[[], tuple[int, int]] | None = None,
        waits: str = "",
    ) -> None:
        self.waits = waits
        stream = sys.stdout.buffer if stream is None else stream
        self._size = size or screen_size(stream)
        self._clock = clock
        self._docs = docs
        self._running: dict[str, float] = {}  # since when
        self._progress: dict[str, float] = {}  # of 1, where it is told
        self._live = LivePage(stream, self._live_lines, waiting=waiting, ticking=ticking)
        super().__init__(stream, figures=figures, watch=watch, page=self._live)

    def event(self, event: AnyEvent) -> None:
        if isinstance(event, CellEvent):
            self._progress.pop(event.cell, None)
            if event.status == "running":
                self._running[event.cell] = self._clock()
            else:
                self._running.pop(event.cell, None)
        elif isinstance(event, ProgressEvent):
            self._progress[event.cell] = event.fraction
        elif isinstance(event, FinishedEvent):
            self._running.clear()
        super().event(event)
        if isinstance(event, InputEvent):
            self._live.pause()

    def tell(self, event: AnyEvent) -> None:
        super().tell(event)
        if self._docs and isinstance(event, CellEvent) and event.status == "running":
            cell = self.state.cells.get(event.cell)
            if cell is not None and cell.info.doc:
                self._doc(cell.id, cell.info.doc)

    def _doc(self, id: str, doc: str) -> None:
        from rnb.report.richly import document

        self.speak(id)
        self.page.line(document(doc, self._size()[0]))

    def pause(self) -> None:
        """Leave the terminal to someone else (a debugger) until the next event."""
        self._live.pause()

    # ------------------------------------------------------------------ live lines

    def _live_lines(self) -> list[str]:
        now = self._clock()
        columns, rows = self._size()
        most = max(1, min(MOST, rows - 2))
        shown = list(self._running.items())[:most]
        lines = []
        for id, since in shown:
            spinner = SPINNER[int((now - since) * 10) % len(SPINNER)]
            lines.append(
                f"\x1b[36m{spinner}\x1b[0m " + cut(f"{id} {duration(now - since)}{self._far(id)}", columns - 3)
            )
        if more := len(self._running) - len(shown):
            lines[-1] += cut(f" and {more} more", max(0, columns - 40))
        return lines

    def _far(self, id: str) -> str:
        return f" {self._progress[id]:.0%}" if id in self._progress else ""

    # ------------------------------------------------------------------ how things look

    def paint(self, text: str, style: str) -> str:
        colour = COLOURS.get(style)
        if not colour or not text:
            return text
        if style not in MARKED:
            return f"\x1b[{colour}m{text}\x1b[0m"
        mark, _, rest = text.partition(" ")
        id, _, tail = rest.partition(" ")
        tail = f" \x1b[{'31' if style in ('failed', 'killed') else '2'}m{tail}\x1b[0m" if tail else ""
        return f"\x1b[{colour}m{mark}\x1b[0m {id}{tail}"

    def linked(self, path: str) -> str:
        from pathlib import Path

        return f"\x1b]8;;{Path(path).absolute().as_uri()}\x1b\\{path}\x1b]8;;\x1b\\"

    def rendered(self, data: dict[str, Any]) -> str:
        columns, _ = self._size()
        html, markdown = data.get("text/html"), data.get("text/markdown")
        if isinstance(html, str) and "<table" in html:
            from rnb.report.richly import table

            if (drawn := table(html, columns)) is not None:
                return drawn
        elif isinstance(markdown, str):
            from rnb.report.richly import document

            return document(markdown, columns)
        lines = super().rendered(data).split("\n")
        if len(lines) > TALL:
            lines[TALL - 10 :] = [f"\x1b[2m… {len(lines) - TALL + 10:,} more lines\x1b[0m"]
        return "\n".join(lines)

    def traceback(self, text: str) -> str:
        from rnb.report.richly import traceback

        return traceback(text)


def cut(text: str, columns: int) -> str:
    """As much of the text as fits."""
    wide = 0
    for index, char in enumerate(text):
        wide += 2 if unicodedata.east_asian_width(char) in "WF" else 1
        if wide > columns:
            return text[: max(0, index - 1)] + "…"
    return text
