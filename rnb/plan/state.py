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
    PlannedCell,
    ProblemEvent,
    ProgressEvent,
    StreamEvent,
    ViewEvent,
)
from rnb.plan.panels import CellState, Panel, Picture, Problem, Text


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

    def apply(self, event: AnyEvent) -> None:
        _APPLY[type(event)](self, event)

    # ------------------------------------------------------------------ what is read

    @property
    def run(self) -> str:
        """The id of this round."""
        return self.notebook.run if self.notebook else ""

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
        return self.exit_code() == 0 and "cancelled" not in self.counts()

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
        if self.setup.failed or not {"failed", "killed"}.isdisjoint(self.counts()):
            return 1
        return 0

    def events(self) -> list[AnyEvent]:
        """A short series of events that folds to this state: what a viewer that joins late is sent. `seq` is 0."""
        return list(_snapshot(self))

    def shown(self, id: str | None) -> list[AnyEvent]:
        """What the cell (or the setup) shows, as events that show it again."""
        panel = self.setup if id is None else self.cells.get(id)
        return list(_outputs(id, panel, self.run)) if panel is not None else []

    def __eq__(self, other: object) -> bool:
        return isinstance(other, State) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]

    # ------------------------------------------------------------------ one method an event

    def _notebook(self, event: NotebookEvent) -> None:
        self.notebook, self.finished = event, None
        ids = [info.id for info in event.cells]
        if ids == list(self.cells):
            for cell, info in zip(self.cells.values(), event.cells, strict=True):
                cell.info = info
            return
        old, self.cells = self.cells, {}
        for info in event.cells:
            cell = old.get(info.id) or CellState(info)
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
            if planned.cell in self.cells:
                self.cells[planned.cell].why = planned.why

    def _prune_plan(self) -> None:
        """The plan speaks of cells that are there, so that it may be told again later."""
        plan, cells = self.plan, self.cells
        if plan is None or {*plan.keep, *(item.cell for item in plan.cells)} <= cells.keys():
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
            panel.show(Picture(event.data, event.display_id, event.frame))

    def _error(self, event: ErrorEvent) -> None:
        panel = self._panel(event.cell)
        if panel is not None:
            panel.kept.append(Problem(event.name, event.message, event.line, event.traceback))

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

    def _passing(self, event: AnyEvent) -> None:
        """What is shown while it is news, and belongs to no state."""

    def _finished(self, event: FinishedEvent) -> None:
        self.finished = event


_APPLY: dict[type[Event], Callable[[State, Any], None]] = {
    NotebookEvent: State._notebook,
    PlanEvent: State._plan,
    CellEvent: State._cell,
    StreamEvent: State._stream,
    DisplayEvent: State._display,
    ErrorEvent: State._error,
    MutationEvent: State._mutation,
    InputEvent: State._input,
    KernelEvent: State._kernel,
    ViewEvent: State._view,
    FinishedEvent: State._finished,
    ProgressEvent: State._passing,
    ProblemEvent: State._passing,
}

# ---------------------------------------------------------------------- a state as events


def _snapshot(state: State) -> Iterator[AnyEvent]:
    """Statuses first, then the plan (which closes every batch), then the batches that are still open."""
    if state.notebook is not None:
        yield state.notebook
    yield from _older_whys(state)
    if not state.setup.open:
        yield from _outputs(None, state.setup, state.run)
    for cell in state.cells.values():
        yield from _cell(cell, state.run)
    if state.plan is not None:
        yield state.plan
    panels: list[tuple[str | None, Panel]] = [(None, state.setup), *state.cells.items()]
    for id, panel in panels:
        if panel.open:
            yield from _outputs(id, panel, state.run) if panel.kept else _opening(id, state.run)
    for id, panel in panels:
        if panel.prompt is not None:
            yield InputEvent(run=state.run, cell=id, prompt=panel.prompt)
    for last in (state.kernel, state.view, state.finished):
        if last is not None:
            yield last


def _older_whys(state: State) -> Iterator[AnyEvent]:
    """A plan that says why each cell last ran, where the last plan does not name it."""
    named = {item.cell for item in state.plan.cells} if state.plan else set()
    older = [PlannedCell(id, cell.why) for id, cell in state.cells.items() if cell.why and id not in named]
    if older:
        yield PlanEvent(run=state.run, cells=older, keep=[])


def _cell(cell: CellState, run: str) -> Iterator[AnyEvent]:
    if cell.started is not None or cell.phase == "running":
        yield CellEvent(run=run, time=cell.started or 0.0, cell=cell.id, status="running")
    if not cell.open:
        yield from _outputs(cell.id, cell, run)
    if cell.result:
        yield CellEvent(
            run=run,
            time=cell.ended or 0.0,
            cell=cell.id,
            status=cell.result,
            seconds=cell.seconds,
            reason=cell.result_reason,
            values=cell.values,
            files=cell.files,
        )
    yield from cell.mutations
    if cell.blocked:
        yield CellEvent(run=run, cell=cell.id, status="blocked", reason=cell.block_reason)
    if cell.phase == "queued":
        yield CellEvent(run=run, cell=cell.id, status="queued")


def _outputs(id: str | None, panel: Panel, run: str) -> Iterator[AnyEvent]:
    for item in panel.kept:
        if isinstance(item, Text):
            yield StreamEvent(run=run, cell=id, stream=item.stream, text=item.text)
        elif isinstance(item, Picture):
            yield DisplayEvent(run=run, cell=id, data=item.data, display_id=item.display_id, frame=item.frame)
        else:
            yield ErrorEvent(
                run=run, cell=id, name=item.name, message=item.message, line=item.line, traceback=item.traceback
            )


def _opening(id: str | None, run: str) -> Iterator[AnyEvent]:
    """A batch of nothing: what comes next appends to it."""
    yield StreamEvent(run=run, cell=id, stream="stdout", text="")
