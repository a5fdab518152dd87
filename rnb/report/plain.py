"""The report for a log: plain lines that read well in CI, output passed through as it comes.

Imports next to nothing: it is on the way of every warm `rnb run`. What a cell writes is written on unchanged, in the
chunks in which it came; a line of ours begins on a line of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, BinaryIO

from rnb.messages import (
    AnyEvent,
    CellEvent,
    DisplayEvent,
    ErrorEvent,
    FinishedEvent,
    InputEvent,
    KernelEvent,
    MutationEvent,
    NotebookEvent,
    StreamEvent,
    ViewEvent,
)
from rnb.plan.state import State
from rnb.report.sink import Buffer, Waiting, nothing_waits
from rnb.report.text import end_line, fault_lines, summary_lines
from rnb.report.tracebacks import shorten

Figures = Callable[[str, int, bytes], str]  # (cell, number within it, PNG) -> the path where it is kept


class Plain:
    """Writes a run as text. `figures` keeps a picture and says where; without it a figure is its text."""

    def __init__(self, stream: BinaryIO, *, figures: Figures | None = None, waiting: Waiting = nothing_waits) -> None:
        self.state = State(outputs=False)
        self._out = Buffer(stream, waiting)
        self._figures = figures
        self._speaker = ""  # whose output was written last
        self._fresh = True  # the cursor stands at the start of a line
        self._drawn: dict[str, int] = {}  # figures by cell

    def event(self, event: AnyEvent) -> None:
        self.state.apply(event)
        handler = _HANDLERS.get(type(event))
        if handler is not None:
            handler(self, event)
            self._out.settle()

    def close(self) -> None:
        if not self._fresh:
            self.line("")
        self._out.flush()

    # ------------------------------------------------------------------ writing

    def line(self, text: str) -> None:
        """A line of ours."""
        self._raw(("" if self._fresh else "\n") + text + ("\n" if text else ""))

    def _raw(self, text: str) -> None:
        if text:
            self._out.add(as_bytes(text))
            self._fresh = text.endswith("\n")

    def _speak(self, id: str | None) -> None:
        """What comes next is output of this cell: say so where another one spoke last."""
        speaker = id or "setup"
        if speaker != self._speaker:
            self._speaker = speaker
            self.line(f"── {speaker}")

    # ------------------------------------------------------------------ one method an event

    def _notebook(self, event: NotebookEvent) -> None:
        for fault in event.faults:
            for line in fault_lines(fault):
                self.line(line)

    def _stream(self, event: StreamEvent) -> None:
        if event.text:
            self._speak(event.cell)
            self._raw(event.text)

    def _display(self, event: DisplayEvent) -> None:
        self._speak(event.cell)
        self.line(self._picture(event) or as_text(event.data))

    def _picture(self, event: DisplayEvent) -> str:
        """The line that says where a figure is kept; empty where the display is none."""
        png = event.data.get("image/png")
        if self._figures is None or not isinstance(png, str):
            return ""
        from base64 import b64decode

        cell = event.cell or "setup"
        self._drawn[cell] = self._drawn.get(cell, 0) + 1
        return f"figure: {self._figures(cell, self._drawn[cell], b64decode(png))}"

    def _error(self, event: ErrorEvent) -> None:
        self._speak(event.cell)
        self.line(shorten(event.traceback).rstrip("\n"))
        message = event.message.partition("\n")[0]
        if event.line is not None:
            self.line(f"{self.state.path}:{event.line}:1: error[{event.name}]: {message}")

    def _cell(self, event: CellEvent) -> None:
        if event.status == "running":
            self._drawn.pop(event.cell, None)
        elif event.status in ("done", "failed", "killed", "cancelled", "cached", "blocked"):
            self.line(end_line(event.cell, event.status, event.seconds, event.reason))
            self._speaker = ""

    def _mutation(self, event: MutationEvent) -> None:
        self.line(f"warning[mutation]: {event.cell}: {event.message}")

    def _input(self, event: InputEvent) -> None:
        self._speak(event.cell)
        self._raw(event.prompt)

    def _kernel(self, event: KernelEvent) -> None:
        if event.status != "started":
            self.line(f"kernel {event.status}" + (f": {event.reason}" if event.reason else ""))

    def _view(self, event: ViewEvent) -> None:
        self.line(f"view: {event.url}")

    def _finished(self, event: FinishedEvent) -> None:
        for line in summary_lines(self.state, event.seconds):
            self.line(line)


_HANDLERS: dict[type[Any], Callable[[Any, Any], None]] = {
    NotebookEvent: Plain._notebook,
    StreamEvent: Plain._stream,
    DisplayEvent: Plain._display,
    ErrorEvent: Plain._error,
    CellEvent: Plain._cell,
    MutationEvent: Plain._mutation,
    InputEvent: Plain._input,
    KernelEvent: Plain._kernel,
    ViewEvent: Plain._view,
    FinishedEvent: Plain._finished,
}


def as_bytes(text: str) -> bytes:
    """UTF-8; bytes that came as surrogates go out as they came."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode(
            "utf-8", "surrogateescape" if all(not 0xD800 <= ord(c) < 0xDC80 for c in text) else "replace"
        )


def as_text(data: dict[str, Any]) -> str:
    """A display in words."""
    return str(data.get("text/plain", "")).rstrip("\n")
