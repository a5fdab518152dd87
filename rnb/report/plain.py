"""The report for a log: plain lines that read well in CI, output passed through as it comes.

Imports next to nothing: it is on the way of every warm `rnb run`. What a cell writes is written on unchanged, in the
chunks in which it came. `Terminal` is this with colour, live lines and tables; `watch=True` is this with `Rounds`
before it, which says only what changed.
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
from rnb.report.page import Page
from rnb.report.sink import Waiting, nothing_waits
from rnb.report.text import end_line, fault_lines, location, summary_lines

Figures = Callable[[str, int, bytes], str]  # (cell, number within it, PNG) -> the path where it is kept
ENDS = ("done", "failed", "killed", "cancelled", "cached", "blocked")


class Plain:
    """Writes a run as text, cell after cell (`in_order`). `figures` keeps a picture and says where; without it a figure is its text."""

    in_order = True

    def __init__(
        self,
        stream: BinaryIO,
        *,
        figures: Figures | None = None,
        watch: bool = False,
        waiting: Waiting = nothing_waits,
        page: Page | None = None,
    ) -> None:
        self.state = State(outputs=watch)
        self.page = page or Page(stream, waiting)
        self._figures = figures
        self._speaker = ""  # whose output was written last
        self._drawn: dict[str, int] = {}  # figures by cell
        self._take = self._take_run
        if watch:
            from rnb.report.rounds import Rounds

            self._take = Rounds(self).event

    waits = ""  # said once, when a watch has begun to wait

    def event(self, event: AnyEvent) -> None:
        self._take(event)
        self.page.settle()

    def close(self) -> None:
        self.page.close()

    def _take_run(self, event: AnyEvent) -> None:
        self.state.apply(event)
        self.tell(event)

    def tell(self, event: AnyEvent) -> None:
        """Write what this event says."""
        handler = _HANDLERS.get(type(event))
        if handler is not None:
            handler(self, event)

    # ------------------------------------------------------------------ writing

    def say(self, text: str, style: str = "") -> None:
        """A line of ours. Styles are those of `Terminal`; here they say nothing."""
        self.page.line(self.paint(text, style))

    def paint(self, text: str, style: str) -> str:
        return text

    def speak(self, id: str | None) -> None:
        """What comes next is output of this cell: say so where another one spoke last."""
        speaker = id or "setup"
        if speaker != self._speaker:
            self._speaker = speaker
            self.say(f"── {speaker}", "dim")

    # ------------------------------------------------------------------ one method an event

    def _notebook(self, event: NotebookEvent) -> None:
        if event.notebook is not None:  # one of several
            self.say(f"━━ {event.notebook}", "head")
        for fault in event.faults:
            self.fault_lines(fault_lines(fault), fault.severity)

    def fault_lines(self, lines: list[str], severity: str) -> None:
        self.say(lines[0], severity)
        for line in lines[1:]:
            self.say(line, "dim")

    def _stream(self, event: StreamEvent) -> None:
        if event.text:
            self.speak(event.cell)
            self.page.raw(event.text)

    def _display(self, event: DisplayEvent) -> None:
        self.speak(event.cell)
        self.page.end_line()
        self.page.line(self._figure(event) or self.rendered(event.data))

    def rendered(self, data: dict[str, Any]) -> str:
        return str(data.get("text/plain", "")).rstrip("\n")

    def _figure(self, event: DisplayEvent) -> str:
        """The line that says where a figure is kept; empty where the display is none."""
        png = event.data.get("image/png")
        if self._figures is None or not isinstance(png, str):
            return ""
        from base64 import b64decode

        cell = event.cell or "setup"
        self._drawn[cell] = self._drawn.get(cell, 0) + 1
        return f"figure: {self.linked(self._figures(cell, self._drawn[cell], b64decode(png)))}"

    def linked(self, path: str) -> str:
        return path

    def _error(self, event: ErrorEvent) -> None:
        from rnb.report.tracebacks import shorten  # only a failure pays for it

        self.speak(event.cell)
        if event.line is not None:
            self.say(location(self.state.path, event.line, "error", event.name, event.message), "error")
        self.page.end_line()
        self.page.line(self.traceback(shorten(event.traceback).rstrip("\n")))

    def traceback(self, text: str) -> str:
        return text

    def _cell(self, event: CellEvent) -> None:
        if event.status == "running":
            self._drawn.pop(event.cell, None)
        elif event.status in ENDS:
            self.ended(event)

    def ended(self, event: CellEvent, note: str = "") -> None:
        """The line of a cell that ended."""
        text = end_line(event.cell, event.status, event.seconds, event.reason)
        self.say(text + (f" · {note}" if note else ""), event.status)
        self._speaker = ""

    def _mutation(self, event: MutationEvent) -> None:
        self.say(location(self.state.path, event.line or 1, "warning", "mutation", event.message), "warning")

    def _input(self, event: InputEvent) -> None:
        self.speak(event.cell)
        self.page.raw(event.prompt)

    def _kernel(self, event: KernelEvent) -> None:
        if event.status != "started":
            self.say(f"kernel {event.status}" + (f": {event.reason}" if event.reason else ""), "warning")

    def _view(self, event: ViewEvent) -> None:
        self.say(f"view: {event.url}")

    def _finished(self, event: FinishedEvent) -> None:
        for line in summary_lines(self.state, event.seconds):
            self.say(line, "good" if event.ok else "bad")


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
