"""`rnb sweep --engine …`: points side by side, their cells on a cluster.

Each point is a run of its own, with the cluster's store as its cache: the shared part, the cells that no varying parameter
reaches, runs first, once, and every point finds it there. Equal cells of points that go on at the same time are
submitted under one key, so they run once too.
"""

from __future__ import annotations

from msgspec.structs import replace

from rnb.host.branch import Marked
from rnb.host.command import Command
from rnb.host.emit import close_all
from rnb.host.engine import Engine, open_engine
from rnb.host.session import Session
from rnb.host.settings import Settings
from rnb.host.sweep import Began, Sweep, refuse
from rnb.notebook.model import Notebook
from rnb.plan.state import State

EACH = 2  # points at a time for each worker, unless -j says otherwise: each has a kernel here


class Run:
    """One point on its way; `place` is None for the shared part."""

    def __init__(self, place: int | None) -> None:
        self.place, self.began = place, Began()
        self.session: Session
        self.over = False


def _all_kept(notebook: Notebook) -> Notebook:
    """In a store that goes with the sweep all that can be is kept, whatever a cell does: it is to run once."""
    cells = [replace(cell, options=replace(cell.options, cache=True)) for cell in notebook.cells]
    return replace(notebook, cells=cells)


class Spread(Command):
    def __init__(self, sweep: Sweep) -> None:
        self.sweep, self.runs = sweep, list[Run]()
        self.shared = sweep.sinks(State(), sweep.path)
        self.notebook = sweep.notebook if sweep.cache is not None else _all_kept(sweep.notebook)
        super().__init__(lambda state, path: [])
        self.ran, self.seconds = 0, 0.0  # of the shared part: told with the first point

    def run(self) -> int:
        """The exit code: of the worst point, or what ended the sweep."""
        sweep = self.sweep
        try:
            self.end_after(sweep.timeout)
            self.engine = open_engine(self, sweep.engine, sweep.path, sweep.jobs, sweep.cache)
            if self.engine is not None:
                self._all(self.engine, sweep.jobs if sweep.jobs > 1 else max(EACH * self.engine.cluster.threads, 1))
        finally:
            for one in list(self.runs):
                self._close(one)
            self.close()
            close_all(self.shared)
        return self.ended_by or (130 if self.interrupted else sweep.worst)

    def _all(self, engine: Engine, most: int) -> None:
        sweep = self.sweep
        shared = [cell.id for cell in sweep.notebook.cells if cell.id not in sweep.touched]
        waiting = list(sweep.order)
        if shared:
            self._begin(Run(None), engine, sweep.settings(sweep.order[0], shared))
            self._wait(0)
        while waiting and not self._ends:
            place = waiting.pop(0)
            self._begin(Run(place), engine, sweep.settings(place))
            self._wait(most - 1)
        self._wait(0)

    @property
    def _ends(self) -> bool:
        return self.ended_by is not None or self.interrupted

    # ------------------------------------------------------------------ one point

    def _begin(self, one: Run, engine: Engine, settings: Settings) -> None:
        settings.cache = engine.store.spot.where
        self.sinks = lambda state, path: [Marked(self.shared, len(self.runs) + 1), one.began]
        one.session = self.open_session(settings, lambda: self._over(one))
        self.runs.append(one)
        one.session.open(self.notebook)

    def _over(self, one: Run) -> None:
        one.over = True
        self.loop.stop(self.ended_by or 0)

    def _wait(self, most: int) -> None:
        """Until no more than so many are on their way."""
        while len(self.runs) > most:
            if not any(one.over for one in self.runs):
                self.loop.code = None
                self.loop.run()
            for one in [one for one in self.runs if one.over]:
                self._take(one)
            if self.interrupts > 1:  # at once
                return

    def _take(self, one: Run) -> None:
        self._close(one)
        session, state = one.session, one.session.state
        refuse(session)
        if one.place is None:
            self.ran, self.seconds = one.began.taken(), state.finished.seconds if state.finished else 0.0
        elif not self._ends:
            self.sweep.ended(one.place, session, one.began.taken() + self.ran, self.seconds)
            self.ran, self.seconds = 0, 0.0

    def _close(self, one: Run) -> None:
        self.close_session(one.session)
        self.runs.remove(one)

    # ------------------------------------------------------------------ signals

    def _ask(self, cell: str | None, prompt: str, password: bool) -> None:
        """Points have no standard input."""
        for one in self.runs:
            one.session.answer(None)

    def _child(self) -> None:
        for one in self.runs:
            self.session = one.session
            super()._child()

    def on_interrupt(self) -> None:
        """One stops what runs, two end the command."""
        self.interrupted = True
        if self.interrupts > 1 or not self.runs:
            self.ended_by = 130
            self.loop.stop(130)
        else:
            self.end_now(130, "interrupt")

    def end_now(self, code: int, reason: str) -> None:
        self.ended_by = code if self.ended_by is None else self.ended_by
        if not self.runs:
            self.loop.stop(self.ended_by)
        for one in list(self.runs):
            self.session = one.session
            super().end_now(code, reason)
