"""Watch mode on a terminal: calm for hours. Says what changed, which cells ran and why, and output that is new.

A round is told as: one head line (time, what changed), new faults, one line for each cell that ran with its reason,
output where it differs from what stood there, one closing line. A round in which nothing happens is one dim line.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rnb.messages import (
    AnyEvent,
    CellEvent,
    DisplayEvent,
    ErrorEvent,
    Fault,
    FinishedEvent,
    KernelEvent,
    NotebookEvent,
    PlanEvent,
    StreamEvent,
)
from rnb.plan.panels import RESULTS
from rnb.plan.words import because
from rnb.report.held import Held
from rnb.report.text import changes_text, duration, fault_lines, faults_text, some

if TYPE_CHECKING:
    from rnb.report.plain import Plain


class Rounds:
    """Stands before a `Plain` and passes on what is worth saying."""

    def __init__(self, printer: Plain) -> None:
        self._printer = printer
        self._state = printer.state
        self._first = True
        self._begin(0.0)
        self._what, self._text = "", ""  # what began the round, and which text was the last
        self._faults: list[Fault] = []  # as they were told last

    def _begin(self, at: float) -> None:
        self._clock = time.strftime("%H:%M:%S", time.localtime(at)) if at else "--:--:--"
        self._headed = False
        self._ran: set[str] = set()
        self._blocked: dict[str, list[str]] = {}  # reason -> ids
        self._held: dict[str | None, Held] = {}

    def event(self, event: AnyEvent) -> None:
        if isinstance(event, NotebookEvent):
            self._state.apply(event)
            self._what, self._text = ("a file changed" if event.sha256 == self._text else "saved"), event.sha256
            self._begin(event.time)
        elif isinstance(event, PlanEvent):
            self._state.apply(event)
            self._plan()
        elif isinstance(event, StreamEvent | DisplayEvent | ErrorEvent):
            self._output(event)
        elif isinstance(event, CellEvent):
            self._cell(event)
        elif isinstance(event, FinishedEvent):
            self._state.apply(event)
            self._finished(event)
        else:
            self._state.apply(event)
            if not isinstance(event, KernelEvent) or event.status != "started":
                self._printer.tell(event)

    # ------------------------------------------------------------------ the parts of a round

    def _head(self) -> None:
        """The head line, before the first thing that there is to say."""
        if self._headed:
            return
        self._headed = True
        state = self._state
        if self._first:
            what = f"{state.path} · {len(state.cells)} cells"
        else:
            what = changes_text(state.plan.cells if state.plan else []) or state.path
        self._printer.say("")
        self._printer.say(f"{self._clock}  {what}".rstrip(), "head")

    def _plan(self) -> None:
        new = [fault for fault in self._state.faults if fault not in self._faults]
        mended = self._faults and not self._state.faults
        self._faults = self._state.faults
        for fault in new:
            self._head()
            self._printer.fault_lines(fault_lines(fault), fault.severity)
        if mended:
            self._head()
            self._printer.say("✓ all faults mended", "done")

    def _cell(self, event: CellEvent) -> None:
        cell = self._state.cells.get(event.cell)
        if cell is None:
            return
        was, above = cell.phase, (cell.blocked, cell.block_reason)
        if event.status == "running":
            self._head()
            self._held[event.cell] = Held(cell.outputs)
        self._state.apply(event)
        if event.status == "running":
            self._printer.tell(event)
        elif event.status == "blocked" and above != (True, event.reason):
            self._blocked.setdefault(event.reason or "", []).append(event.cell)
        elif event.status in RESULTS and (was == "running" or event.status != "cancelled"):
            self._ended(event, because(cell.why))

    def _ended(self, event: CellEvent, why: str) -> None:
        held = self._held.pop(event.cell, None)
        for item in held.end() if held else ():
            self._printer.tell(item)
        self._head()
        self._ran.add(event.cell)
        self._printer.ended(event, "" if self._first else why)

    def _output(self, event: StreamEvent | DisplayEvent | ErrorEvent) -> None:
        panel = self._state.setup if event.cell is None else self._state.cells.get(event.cell)
        if panel is None:
            return
        held = self._held.get(event.cell)
        if held is None:
            held = self._held[event.cell] = Held([] if panel.open else list(panel.kept))
        moved = isinstance(event, ErrorEvent) and self._kept(event.cell)
        news = [] if moved else held.take(event)
        self._state.apply(event)
        for item in news:
            self._head()
            self._printer.tell(item)

    def _kept(self, id: str | None) -> bool:
        """A cell that does not run in this round; its error, sent again, has only moved to another line."""
        return id is not None and not self._state.cells[id].phase and id not in self._ran

    def _finished(self, event: FinishedEvent) -> None:
        for reason, ids in self._blocked.items():
            self._head()
            self._printer.say(f"- {some(ids)} blocked" + (f": {reason}" if reason else ""), "blocked")
        if self._headed:
            said = self._closing()
            self._printer.say(f"{said} · {duration(event.seconds)}", "good" if event.ok else "bad")
        else:
            self._printer.say(f"· {self._clock} {self._what}, nothing to run{self._standing()}", "dim")
        if self._first and self._printer.waits:
            self._printer.say(self._printer.waits, "dim")
        self._first = False

    def _closing(self) -> str:
        rest = [id for id, cell in self._state.cells.items() if id not in self._ran and cell.status in RESULTS]
        ran = f"{len(self._ran)} ran" if self._ran else "nothing ran"
        return ran + (f", {len(rest)} unchanged" if rest else "") + self._standing()

    def _standing(self) -> str:
        """What is still wrong though this round did not touch it."""
        bad = [
            id for id, cell in self._state.cells.items() if cell.status in ("failed", "killed") and id not in self._ran
        ]
        said = [faults_text(self._state.faults), f"{some(bad)} still failed" if bad else ""]
        return "".join(f" · {part}" for part in said if part)
