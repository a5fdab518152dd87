"""Lines that stay below the output: what runs right now, and for how long.

The cursor always rests where the cells' output ended, also in the middle of a line, so that a progress bar drawn with
carriage returns goes on as if nothing stood below it. The live lines are wiped before anything is written and drawn
again after it, in one write; a thread redraws them ten times a second while there are any, and sleeps otherwise.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import BinaryIO

from rnb.report.page import Page
from rnb.report.sink import Waiting, nothing_waits

TICK = 0.1  # seconds
REST = 0.03  # between two redraws that output causes: a flood is not slowed by them


class LivePage(Page):
    """A page with live lines. `lines()` gives them, each shorter than the screen is wide; none when nothing runs."""

    def __init__(
        self,
        stream: BinaryIO,
        lines: Callable[[], list[str]],
        *,
        waiting: Waiting = nothing_waits,
        ticking: bool = True,
    ) -> None:
        super().__init__(stream, waiting)
        self._lines = lines
        self._ticking = ticking
        self._drawn = 0  # lines on the screen
        self._wanted = False  # they stood there before this event's output
        self._at = 0.0  # of the last redraw
        self._lock = threading.RLock()
        self._busy = threading.Event()  # there is something to draw
        self._closed = False
        self._thread: threading.Thread | None = None

    def raw(self, text: str) -> None:
        with self._lock:
            self._wipe()
            super().raw(text)

    def settle(self) -> None:
        with self._lock:
            lines = self._lines()
            if not lines:
                self._wipe()
                self._busy.clear()
            elif not self._ticking or (self._wanted and time.monotonic() - self._at > REST):
                self._draw(lines)
            super().settle()
            if lines and self._ticking and not self._busy.is_set():
                self._start()

    def pause(self) -> None:
        """The terminal is someone else's (a debugger's, an `input()`'s) until the next event."""
        with self._lock:
            self._wipe()
            self._busy.clear()
            self._out.flush()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            self._wipe()
            self._busy.set()
            super().close()
        if self._thread is not None:
            self._thread.join()

    # ------------------------------------------------------------------ drawing

    def _wipe(self) -> None:
        if not self._drawn:
            return
        self._drawn, self._wanted = 0, True
        if self.fresh:
            self._out.add(b"\x1b[J")
        else:  # only what lies below: the text of this line may reach past the cursor
            self._out.add(b"\x1b7\x1b[B\r\x1b[J\x1b8")

    def _draw(self, lines: list[str]) -> None:
        self._wipe()
        text = "\r\n".join(lines)
        if self.fresh:
            up = f"\x1b[{len(lines) - 1}A" if len(lines) > 1 else ""
            self._out.add(f"{text}{up}\r".encode())
        else:  # make room below first (IND keeps the column), as scrolling would move a saved position
            room = "\x1bD" * len(lines) + f"\x1b[{len(lines)}A"
            self._out.add(f"{room}\x1b7\x1b[B\r{text}\x1b8".encode())
        self._drawn, self._wanted, self._at = len(lines), False, time.monotonic()

    # ------------------------------------------------------------------ the clock

    def _start(self) -> None:
        self._busy.set()
        if self._thread is None:
            self._thread = threading.Thread(target=self._tick, name="rnb-live", daemon=True)
            self._thread.start()

    def _tick(self) -> None:
        while self._busy.wait() and not self._closed:
            time.sleep(TICK)
            try:
                self.redraw()
            except OSError:
                return  # the terminal is gone; the next event meets the same and ends the run

    def redraw(self) -> None:
        """Draw what runs now."""
        with self._lock:
            if self._closed or not self._busy.is_set():
                return
            if lines := self._lines():
                self._draw(lines)
            self._out.flush()
