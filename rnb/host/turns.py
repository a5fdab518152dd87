"""Whose turn it is: events of cells that run ahead, in the order of one process where that is wanted.

Events are numbered and told as they happen. Two things want them in turn: a report for people, which reads as if cells
ran one by one (`InOrder`), and a run that stops at the first failure, which shows nothing of what lies behind it
(`Backlog`, not live).

A report says each thing once, when it counts: what ran ahead and has to run again is not told, how a cell ended waits until
the round has taken it, and a cell that has been told and runs again says only what it had not said.
"""

from __future__ import annotations

import re
from itertools import groupby

import msgspec

from rnb.host.emit import Emitter, Sink
from rnb.host.ends import OVERTAKEN, UNSENT
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

    def forget(self, id: str) -> None:
        """What this cell has said since it began does not count: it runs again."""
        self.held.pop(id, None)
        self.emitter.release()
        for sink in self.ordered:
            sink.forget(id)

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
        self.held: dict[str, list[AnyEvent]] = {}  # of runs that have begun, not told yet
        self.told: dict[str, list[AnyEvent]] = {}  # of runs before
        self.current: list[AnyEvent] = []  # told of the cell whose turn it is
        self.last: str | None = None  # the cell whose event came last, if it was killed
        self.alone = True  # cells run in turn anyway
        self.restarts = 0  # of kernels, to come

    def event(self, event: AnyEvent) -> None:
        if isinstance(event, KernelEvent) and event.reason in (OVERTAKEN, UNSENT):
            return
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
        if self.alone and self.now is not None and self._ended(self.now, event):
            self.retired(self.now)
        if isinstance(event, FinishedEvent):
            self._finish()
        id = self._id(event)
        if id is None:
            self.sink.event(event)
            return
        self.held.setdefault(id, []).append(event)
        if self.alone and id != self.now:
            if self.now is not None:
                self.retired(self.now)
            self.turn(id)
        if id == self.now:
            self._tell(asks=isinstance(event, InputEvent))

    def _ended(self, id: str, event: AnyEvent) -> bool:
        """Whether this event comes after all that belongs to the cell's run."""
        run = self.held.get(id, [])
        over = any(isinstance(said, CellEvent) and said.status != "running" for said in run[-3:])
        return over and not (isinstance(event, KernelEvent) and self.last == id)

    def _id(self, event: AnyEvent) -> str | None:
        """The cell to which an event belongs; what follows a worker's death stands where its cell does."""
        if isinstance(event, KernelEvent):
            return self.last
        self.last = None
        if not isinstance(event, OF_CELLS):
            return None
        if isinstance(event, CellEvent) and event.status in LATER and event.cell not in self.held:
            return None
        if isinstance(event, CellEvent) and event.status == "killed":
            self.last = event.cell
        return event.cell

    def turn(self, id: str) -> None:
        if id != self.now:
            self.now, self.current = id, []
            self._tell()

    def _tell(self, asks: bool = False) -> None:
        """Of the cell whose turn it is: what does not wait for its end. Who asks is to be heard, if it was not before."""
        assert self.now is not None
        before, run = self.told.get(self.now), self.held.get(self.now, [])
        if before is not None:
            if not asks or _rest(run, before) is not before:
                return
            del self.told[self.now]
            self._go_on(before, run)
        sure = next((n for n, event in enumerate(run) if _is_end(event)), len(run))
        for event in run[:sure]:
            self.sink.event(event)
        self.current += run[:sure]
        del run[:sure]

    def _go_on(self, before: list[AnyEvent], run: list[AnyEvent]) -> None:
        """Tell what a run says that was not told."""
        for event in _rest(before, run):
            self.sink.event(event)
        self.current += run
        run.clear()

    def retired(self, id: str) -> None:
        """Its run counts, and is over."""
        self.turn(id)
        self._go_on(self.told.pop(id, []), self.held.get(id, []))
        self.held.pop(id, None)
        if self.current:
            self.told[id] = self.current
        self.now, self.current = None, []

    def forget(self, id: str) -> None:
        """Its run does not count."""
        self.held.pop(id, None)

    def one_by_one(self) -> None:
        """Cells run again, in turn."""
        if self.now is not None and self.current:
            self.told[self.now] = self.current
        self.held, self.now, self.current, self.alone = {}, None, [], True

    def _finish(self) -> None:
        """Tell what began and was not waited for."""
        for id in list(self.held):
            self.retired(id)
        self.told, self.now, self.current, self.alone, self.last = {}, None, [], True, None

    def close(self) -> None:
        self._finish()
        self.sink.close()


def _is_end(event: AnyEvent) -> bool:
    """How a cell ended, and what it changed: told when its run is known to count."""
    return isinstance(event, MutationEvent | KernelEvent) or (
        isinstance(event, CellEvent) and event.status != "running"
    )


def _rest(before: list[AnyEvent], run: list[AnyEvent]) -> list[AnyEvent]:
    """What a run says beyond what was told of the one before: `run` itself where it does not begin in the same way."""
    old, new = _joined(before), _joined(run)
    if not old or len(new) < len(old) or any(_plain(a) != _plain(b) for a, b in zip(old[:-1], new, strict=False)):
        return run
    said, says = old[-1], new[len(old) - 1]
    rest = new[len(old) :]
    if _plain(said) == _plain(says):
        return rest
    if not (isinstance(said, StreamEvent) and isinstance(says, StreamEvent) and said.stream == says.stream):
        return run
    if not ADDRESS.sub("0x", says.text).startswith(ADDRESS.sub("0x", said.text)):
        return run
    return [msgspec.structs.replace(says, text=says.text[len(said.text) :]), *rest]


def _joined(events: list[AnyEvent]) -> list[AnyEvent]:
    """Text in one piece, however many it fell into."""
    found: list[AnyEvent] = []
    for _, group in groupby(events, key=lambda event: event.stream if isinstance(event, StreamEvent) else id(event)):
        pieces = list(group)
        text = "".join(piece.text for piece in pieces if isinstance(piece, StreamEvent))
        first = pieces[0]
        found.append(msgspec.structs.replace(first, text=text) if isinstance(first, StreamEvent) else first)
    return found


def _plain(event: AnyEvent) -> str:
    """An event without what differs from run to run: times and addresses."""
    plain = {name: None for name in ("seconds", "pid") if hasattr(event, name)}
    return ADDRESS.sub("0x", repr(msgspec.structs.replace(event, seq=0, time=0.0, **plain)))
