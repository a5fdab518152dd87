"""Whose turn it is: events of cells that run ahead, in the order of one process where that is wanted.

Events are numbered and told as they happen. Two things want them in turn: a report for people, which reads as if cells
ran one by one (`InOrder`), and a run that stops at the first failure, which shows nothing of what lies behind it
(`Backlog`, not live).
"""

from __future__ import annotations

import re

import msgspec

from rnb.host.emit import Emitter, Sink
from rnb.messages import (
    AnyEvent,
    CellEvent,
    DisplayEvent,
    ErrorEvent,
    FinishedEvent,
    InputEvent,
    KernelEvent,
    MutationEvent,
    StreamEvent,
)

OF_CELLS = (CellEvent, StreamEvent, DisplayEvent, ErrorEvent, MutationEvent, InputEvent)
ADDRESS = re.compile("0x[0-9a-f]+")
LATER = ("queued", "blocked", "unchanged", "cancelled")  # these come in turn anyway


class Backlog:
    """Stands before the emitter. Where it is not `live`, events of a cell wait for its turn."""

    def __init__(self, emitter: Emitter, live: bool):
        self.emitter, self.live = emitter, live
        self.ordered = [sink for sink in emitter.sinks if isinstance(sink, InOrder)]
        self.held: dict[str, list[AnyEvent]] = {}
        self.now: str | None = None
        for sink in self.ordered:
            sink.alone = False

    def emit(self, event: AnyEvent) -> None:
        id = event.cell if isinstance(event, OF_CELLS) else None
        if self.live or id is None or id == self.now:
            self.emitter.emit(event)
            return
        if isinstance(event, CellEvent) and event.status == "running":
            self.held[id] = []
        self.held.setdefault(id, []).append(event)

    def turn(self, id: str) -> None:
        """The round has come to this cell."""
        self.now = id
        self.emitter.release()
        for sink in self.ordered:
            sink.turn(id)
        for event in self.held.pop(id, ()):
            self.emitter.emit(event)

    def retired(self, id: str) -> None:
        """The round has taken the end of this cell."""
        self.now = None
        self.emitter.release()
        for sink in self.ordered:
            sink.retired(id)

    def one_by_one(self) -> None:
        """From now on cells run in turn; those that have been told once are told again only if they say something else."""
        self.emitter.release()
        for sink in self.ordered:
            sink.one_by_one()


class InOrder:
    """A sink that hands on the events of one cell after the other."""

    def __init__(self, sink: Sink):
        self.sink = sink
        self.now: str | None = None
        self.held: dict[str, list[AnyEvent]] = {}
        self.told: dict[str, list[AnyEvent]] = {}
        self.last: str | None = None  # the cell whose event was held last, if it was killed
        self.current: list[AnyEvent] = []  # of the cell whose turn it is
        self.alone = True  # cells run in turn anyway
        self.restarts = 0  # of kernels, to come

    def event(self, event: AnyEvent) -> None:
        if isinstance(event, KernelEvent) and event.status in ("died", "restarted"):
            if event.status == "restarted" and self.restarts:  # it was told with the death
                self.restarts -= 1
                return
            if event.status == "died":
                self._event(event)
                self.restarts += 1
                event = msgspec.structs.replace(event, status="restarted", reason=None)
        self._event(event)

    def _event(self, event: AnyEvent) -> None:
        if isinstance(event, FinishedEvent):
            for left in list(self.held):
                self.turn(left)
        id = self._id(event)
        status = event.status if isinstance(event, CellEvent) else ""
        if self.alone and status == "running" and id is not None and id not in self.told:
            self.turn(id)
        if id is None or (id == self.now and id not in self.told):
            if id is not None:
                self.current.append(event)
            self.sink.event(event)
        else:
            if status == "running":
                self.held[id] = []
            self.held.setdefault(id, []).append(event)
        if self.alone and id is not None and status not in ("", "running"):
            if id != self.now:
                self.turn(id)
            self.retired(id)

    def _id(self, event: AnyEvent) -> str | None:
        """The cell to which an event belongs; what follows a worker's death stands where its cell does."""
        if isinstance(event, KernelEvent):
            return self.last
        if not isinstance(event, OF_CELLS) or (isinstance(event, CellEvent) and event.status in LATER):
            self.last = None
            return None
        killed = isinstance(event, CellEvent) and event.status == "killed"
        self.last = event.cell if killed else None
        return event.cell

    def turn(self, id: str) -> None:
        self.now, self.last = id, None
        self.current = []
        events = self.held.pop(id, [])
        before = self.told.pop(id, None)
        if before is not None and _said(before) == _said(events):
            self.told[id] = before
            return
        for event in events:
            self.current.append(event)
            self.sink.event(event)

    def retired(self, id: str) -> None:
        if self.current:
            self.told[id] = self.current
        self.now, self.current = None, []

    def one_by_one(self) -> None:
        """Cells run again, in turn."""
        self.held, self.now, self.alone = {}, None, True

    def close(self) -> None:
        self.sink.close()


def _said(events: list[AnyEvent]) -> str:
    """What a cell said, without what differs from run to run: times, addresses, and into how many pieces a text falls."""
    found: list[AnyEvent] = []
    for event in events:
        last = found[-1] if found else None
        if isinstance(event, StreamEvent) and isinstance(last, StreamEvent) and last.stream == event.stream:
            last.text += event.text
            continue
        plain = {name: None for name in ("seconds", "pid") if hasattr(event, name)}
        found.append(msgspec.structs.replace(event, seq=0, time=0.0, **plain))
    return ADDRESS.sub("0x", repr(found))
