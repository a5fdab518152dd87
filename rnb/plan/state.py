"""State: what anyone sees of a notebook, as a fold of events.

`State().apply(event)` for every event in order gives what the terminal, the page, the reports and the exit code are
functions of; so a second viewer, a crash and a look at last week's run are the same code. The rules are those of
protocol.md, "Folding". The fold is total: an event about a cell that is gone changes nothing. Pure: no clock, no file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from rnb.messages import (
    AnyEvent,
    CellEvent,
    CellInfo,
    DisplayEvent,
    ErrorEvent,
    Event,
    Fault,
    FinishedEvent,
    InputEvent,
    KernelEvent,
    MutationEvent,
    NotebookEvent,
    PlanEvent,
    StreamEvent,
    ViewEvent,
    Why,
)

RESULTS = frozenset({"done", "failed", "killed", "cancelled", "cached"})
ENDS = RESULTS | {"unchanged", "blocked"}


class Text:
    """Consecutive text of one stream. Chunks are kept as they came and joined when someone reads: a flood stays linear."""

    __slots__ = ("_chunks", "stream")

    def __init__(self, stream: str, text: str = "") -> None:
        self.stream = stream
        self._chunks = [text] if text else []

    def append(self, text: str) -> None:
        self._chunks.append(text)

    @property
    def text(self) -> str:
        if len(self._chunks) > 1:
            self._chunks = ["".join(self._chunks)]
        return self._chunks[0] if self._chunks else ""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Text) and (self.stream, self.text) == (other.stream, other.text)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Text({self.stream!r}, {self.text!r})"


class Picture(msgspec.Struct):
    """A display: a MIME bundle."""

    data: dict[str, Any]
    display_id: str | None = None


class Problem(msgspec.Struct):
    """An exception that left the cell, or a display that failed."""

    name: str
    message: str
    line: int | None
    traceback: str


Output = Text | Picture | Problem


class Panel:
    """What a cell, or the setup, has put on the screen."""

    def __init__(self) -> None:
        self.kept: list[Output] = []
        self.open = False  # a batch has begun: what comes next appends, also while the cell is not running
        self.prompt: str | None = None  # it waits for a line of input

    def clear(self) -> None:
        self.kept = []
        self.open = False
        self.prompt = None

    def begin(self, running: bool) -> None:
        """Output comes: while the cell is not running, the first replaces what was there."""
        self.prompt = None
        if not running and not self.open:
            self.kept = []
            self.open = True

    def write(self, stream: str, text: str) -> None:
        last = self.kept[-1] if self.kept else None
        if isinstance(last, Text) and last.stream == stream:
            last.append(text)
        elif text:  # an empty text only opens a batch
            self.kept.append(Text(stream, text))

    def show(self, picture: Picture) -> None:
        if picture.display_id is not None:
            for index, item in enumerate(self.kept):
                if isinstance(item, Picture) and item.display_id == picture.display_id:
                    self.kept[index] = picture
                    return
        self.kept.append(picture)

    @property
    def failed(self) -> bool:
        return any(isinstance(item, Problem) for item in self.kept)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]


class CellState(Panel):
    """One cell as shown. `result` is what its last run came to; `queued`, `running` and `blocked` lie above it."""

    def __init__(self, info: CellInfo) -> None:
        super().__init__()
        self.info = info
        self.phase = ""  # queued, running, or neither
        self.ran = False  # `running` came since it was queued
        self.result = ""  # done, failed, killed, cancelled, cached; "" before the first
        self.seconds: float | None = None  # of that result
        self.blocked = False
        self.started: float | None = None  # Unix seconds
        self.ended: float | None = None
        self.why: tuple[Why, ...] = ()  # of the last plan that named it
        self.mutations: list[MutationEvent] = []
        self._reason: str | None = None  # of the result
        self._block: str | None = None

    @property
    def id(self) -> str:
        return self.info.id

    @property
    def status(self) -> str:
        return self.phase or ("blocked" if self.blocked else self.result)

    @property
    def reason(self) -> str | None:
        if self.phase:
            return None
        return self._block if self.blocked else self._reason

    @property
    def outputs(self) -> list[Output]:
        """What is on the screen: nothing while it is blocked."""
        return [] if self.blocked else self.kept

    def turn(self, event: CellEvent) -> None:
        """A status has come."""
        self.prompt = None
        if event.status == "queued":
            self.phase, self.ran = "queued", False
        elif event.status == "running":
            self._start(event)
        elif event.status in ENDS:
            self._end(event)

    def _start(self, event: CellEvent) -> None:
        self.clear()
        self.mutations = []
        self.phase, self.ran, self.blocked, self._block = "running", True, False, None
        self.started, self.ended, self.seconds, self._reason = event.time, None, None, None

    def _end(self, event: CellEvent) -> None:
        ran, batch = self.phase == "running", self.open
        self.phase, self.open, self.ran = "", False, False
        if event.status == "blocked":
            self.blocked, self._block = True, event.reason
        elif event.status == "unchanged":
            self.blocked, self._block = False, None
            self.assume()
        elif event.status == "cancelled" and not ran and (self.result or self.blocked):
            return  # it never started: what it showed before stands
        else:
            if event.status == "cached" and not batch:
                self.kept = []  # restored, and it shows nothing
            self.blocked, self._block = False, None
            self.result, self._reason = event.status, event.reason
            self.seconds, self.ended = event.seconds, event.time

    def assume(self) -> None:
        """Results that came by another way than a run (a renamed cell's) are those of a finished one."""
        if not self.result:
            self.result = "failed" if self.failed else "done"


class State:
    """A notebook as it stands after the events so far. `outputs=False` keeps no text and no displays, only errors."""

    def __init__(self, *, outputs: bool = True) -> None:
        self.keeps_outputs = outputs
        self.notebook: NotebookEvent | None = None
        self.cells: dict[str, CellState] = {}  # by id, in file order
        self.setup = Panel()
        self.plan: PlanEvent | None = None
        self.kernel: KernelEvent | None = None
        self.view: ViewEvent | None = None
        self.finished: FinishedEvent | None = None  # of this round; None while it goes on
        self.run = ""

    def apply(self, event: AnyEvent) -> None:
        self.run = event.run or self.run
        _APPLY[type(event)](self, event)

    # ------------------------------------------------------------------ what is read

    @property
    def path(self) -> str:
        return self.notebook.path if self.notebook else ""

    @property
    def title(self) -> str:
        return self.notebook.title if self.notebook else ""

    @property
    def faults(self) -> list[Fault]:
        return self.notebook.faults if self.notebook else []

    @property
    def ok(self) -> bool:
        """Nothing is wrong, and nothing was called off."""
        return self.exit_code() == 0 and not any(cell.status == "cancelled" for cell in self.cells.values())

    def counts(self) -> dict[str, int]:
        """How many cells show which status, over the whole notebook; cells that never had one are not counted."""
        counts: dict[str, int] = {}
        for cell in self.cells.values():
            if status := cell.status:
                counts[status] = counts.get(status, 0) + 1
        return counts

    def exit_code(self) -> int:
        """0, 1 or 2 as in protocol.md; 124, 130, 137 and 143 are the host's to know."""
        if any(fault.severity == "error" for fault in self.faults):
            return 2
        if self.setup.failed or any(cell.status in ("failed", "killed") for cell in self.cells.values()):
            return 1
        return 0

    def events(self) -> list[AnyEvent]:
        """A short series of events that folds to this state: what a viewer that joins late is sent. `seq` is 0."""
        return list(_snapshot(self))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, State) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]

    # ------------------------------------------------------------------ one method an event

    def _notebook(self, event: NotebookEvent) -> None:
        self.notebook, self.finished = event, None
        old, self.cells = self.cells, {}
        for info in event.cells:
            cell = old.get(info.id)
            if cell is None:
                cell = CellState(info)
            cell.info = info
            self.cells[info.id] = cell
        self._prune_plan()

    def _plan(self, event: PlanEvent) -> None:
        self.plan = event
        self._prune_plan()
        self.setup.open = False
        for cell in self.cells.values():
            cell.open = False
        for planned in event.cells:
            if (cell := self.cells.get(planned.cell)) is not None:
                cell.why = planned.why
        for id in event.keep:
            if (cell := self.cells.get(id)) is not None and not cell.blocked and not cell.phase:
                cell.assume()

    def _prune_plan(self) -> None:
        """The plan speaks of cells that are there, so that it may be told again later."""
        plan, cells = self.plan, self.cells
        if plan is None or (all(id in cells for id in plan.keep) and all(item.cell in cells for item in plan.cells)):
            return
        self.plan = msgspec.structs.replace(
            plan,
            keep=[id for id in plan.keep if id in cells],
            cells=[item for item in plan.cells if item.cell in cells],
        )

    def _cell(self, event: CellEvent) -> None:
        if (cell := self.cells.get(event.cell)) is not None:
            cell.turn(event)

    def _panel(self, id: str | None) -> Panel | None:
        """Where output of `id` goes, made ready for it."""
        panel = self.setup if id is None else self.cells.get(id)
        if panel is not None:
            panel.begin(isinstance(panel, CellState) and panel.phase == "running")
        return panel

    def _stream(self, event: StreamEvent) -> None:
        panel = self._panel(event.cell)
        if panel is not None and self.keeps_outputs:
            panel.write(event.stream, event.text)

    def _display(self, event: DisplayEvent) -> None:
        panel = self._panel(event.cell)
        if panel is not None and self.keeps_outputs:
            panel.show(Picture(event.data, event.display_id))

    def _error(self, event: ErrorEvent) -> None:
        panel = self._panel(event.cell)
        if panel is not None:
            panel.kept.append(Problem(event.name, event.message, event.line, event.traceback))
            if isinstance(panel, CellState) and panel.result == "done" and not panel.phase:
                panel.result = "failed"

    def _mutation(self, event: MutationEvent) -> None:
        if (cell := self.cells.get(event.cell)) is not None:
            same = [item for item in cell.mutations if (item.name, item.owner) != (event.name, event.owner)]
            cell.mutations = [*same, event]

    def _input(self, event: InputEvent) -> None:
        panel = self.setup if event.cell is None else self.cells.get(event.cell)
        if panel is not None:
            panel.prompt = event.prompt

    def _kernel(self, event: KernelEvent) -> None:
        self.kernel = event

    def _view(self, event: ViewEvent) -> None:
        self.view = event

    def _finished(self, event: FinishedEvent) -> None:
        self.finished = event
