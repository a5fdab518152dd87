"""What cells say, on its way to events: text, displays, errors, in the order in which they were made."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from rnb.host.emit import Emits
from rnb.host.output import Output
from rnb.host.places import Places
from rnb.host.setup_output import SetupOutput
from rnb.messages import (
    AnyEvent,
    CellError,
    Display,
    DisplayEvent,
    ErrorEvent,
    InputEvent,
    InputWanted,
    Progress,
    ProgressEvent,
    Stream,
    StreamEvent,
)
from rnb.plan.state import State
from rnb.plan.world import SETUP, World

Shown = Stream | Display | CellError | InputWanted | Progress  # what a cell says


class Showing:
    """Turns a kernel's words into events; `output` bounds the text. `drain` has raw output that came before go out before."""

    def __init__(self, emitter: Emits, state: State, places: Places, drain: Callable[[], None], output: Output):
        self.emitter, self.state, self.places, self.drain = emitter, state, places, drain
        self.output = output
        self.setup = SetupOutput(emitter.emit)
        output.show = self._text

    def take(self, report: Shown, running: int | None) -> None:
        """One report of the kernel while `running` runs."""
        if isinstance(report, Stream):
            if report.raw:
                self.drain()
            self.output.write(report.stream, report.data, "python")
            return
        if isinstance(report, Progress):
            if report.cell is not None:
                self.emitter.emit(ProgressEvent(cell=report.cell, fraction=report.fraction))
            return
        self.drain()
        if isinstance(report, Display):
            fields = {name: getattr(report, name) for name in ("cell", "data", "display_id", "frame")}
            self._emit(DisplayEvent(**fields))
        elif isinstance(report, InputWanted):
            self.emitter.emit(InputEvent(cell=report.cell, prompt=report.prompt))
        else:
            self._error(report, running)

    def _error(self, report: CellError, running: int | None) -> None:
        """An error to show; one that was pointed anew replaces the old with all that stood around it."""
        uid = self.places.pending.get(report.cell, SETUP if report.cell is None else running)
        if uid is not None:
            self.places.note(uid, report)
        fields = {name: getattr(report, name) for name in ("cell", "name", "message", "line", "traceback")}
        event = ErrorEvent(**fields)
        moved = report.cell in self.places.pending
        if moved and uid == running:  # its task was sent behind the wish to point its old error anew
            return
        if moved and uid == SETUP:
            self.setup.moved(event)
            return
        if moved and uid is not None:
            around = self.places.renamed.pop(uid, None) or self.state.shown(report.cell)
            events = [*(e for e in around if not isinstance(e, ErrorEvent)), event]
            if self._is_blocked(report.cell):  # what is sent now could be taken for what it shows
                self.places.hidden[uid] = events
            else:
                self.again(uid, events)
            return
        self._emit(event)

    def _is_blocked(self, cell: str | None) -> bool:
        return cell in self.state.cells and self.state.cells[cell].blocked

    def _emit(self, event: DisplayEvent | ErrorEvent | StreamEvent) -> None:
        if event.cell is None:
            self.setup.take(event)
        else:
            self.emitter.emit(event)

    def renamed(self, shown: dict[int, list[AnyEvent]]) -> None:
        """Cells have new ids. What one shows goes out in one piece: beside an error that may be pointed anew it waits."""
        awaited = set(self.places.pending.values())
        self.places.renamed = {uid: events for uid, events in shown.items() if uid in awaited}
        for uid in shown.keys() - awaited:
            self.again(uid, shown[uid])

    def freed(self, uid: int, world: World) -> None:
        """A cell is about to be `unchanged`."""
        self.again(uid, self.places.freed(uid, world))

    def again(self, uid: int, shown: list[AnyEvent]) -> None:
        """Send outputs again, under the id that their cell has now."""
        id = None if uid == SETUP else self.places.current.cells[uid].id
        for event in shown:
            self.emitter.emit(msgspec.structs.replace(event, cell=id))

    def _text(self, cell: str | None, stream: str, text: str) -> None:
        self._emit(StreamEvent(cell=cell, stream=stream, text=text))

    def statement(self, number: int) -> None:
        """This setup statement runs now. What those before it wrote has been read: the kernel waited for that."""
        self.setup.enter(number)

    def flush(self) -> bool:
        """What ran has ended: all that it wrote goes out. Whether it was cut."""
        self.drain()
        cut = self.output.end()
        self.setup.ended()
        return cut
