"""`rnb sweep`: one notebook over many points of its parameters, in one warm kernel.

Each point is a round of the session, as a save is in `rnb watch`: only cells that see another value run again, so what
does not depend on what varies runs once. Points are visited in an order in which parameters that are read early change
seldom; they are reported in the order in which they were asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from rnb.errors import NoSuchNotebook, UsageError
from rnb.host.command import Command, environment_width
from rnb.host.emit import Sink
from rnb.host.grid import Point
from rnb.host.outcome import Outcome
from rnb.host.run import NO_KERNEL, check_asked
from rnb.host.settings import Settings
from rnb.host.source import read_bytes, read_notebook
from rnb.messages import AnyEvent, CellEvent
from rnb.notebook.model import Notebook
from rnb.plan.state import State

SCALARS = {"bool", "int", "uint", "float", "complex", "str", "NoneType"}  # Python's, and numpy's without their size


class Began:
    """A sink that counts the cells that start."""

    def __init__(self) -> None:
        self._count = 0

    def event(self, event: AnyEvent) -> None:
        if isinstance(event, CellEvent) and event.status == "running":
            self._count += 1

    def close(self) -> None:
        """Nothing is held."""

    def taken(self) -> int:
        """How many since the last time."""
        count, self._count = self._count, 0
        return count


class Sweep:
    """Visits points and tells `each(place, outcome)` of every one as it comes."""

    def __init__(
        self,
        path: str,
        points: list[Point],
        fixed: dict[str, str],
        take: list[str],
        sinks: Callable[[State, str], list[Sink]],
        each: Callable[[int, Outcome], None],
    ) -> None:
        data = read_bytes(path)
        if data is None:
            raise NoSuchNotebook(path)
        self.path, self.points, self.fixed, self.each = path, points, fixed, each
        self.notebook = read_notebook(data, path)
        self._check()
        self.varied = sorted({name for point in points for name in point})
        self.touched = below(self.notebook, self.varied)
        self.names = take or None
        self._check_taken()
        self.waiting = visit(self.notebook, points)
        self.began = Began()
        self.command = Command(lambda state, path: [*sinks(state, path), self.began])
        self.worst = 0

    def _check(self) -> None:
        """Every text, before anything runs."""
        seen: set[tuple[str, str]] = set()
        for point in self.points:
            fresh = {name: text for name, text in point.items() if (name, text) not in seen}
            seen |= fresh.items()
            if fresh or not seen:
                check_asked(self.notebook, Settings(path=self.path, parameters={**self.fixed, **fresh}))

    def _check_taken(self) -> None:
        known = {name for cell in self.notebook.cells for name in (cell.id, *cell.defs)}
        for name in self.names or ():
            if name not in known:
                raise UsageError(f"{self.path} shares no `{name}` and has no such cell", hint="`rnb graph` lists both")

    def run(self) -> int:
        """The exit code: of the worst point, or what ended the sweep."""
        command = self.command
        try:
            self.place = self.waiting.pop(0)
            settings = Settings(path=self.path, parameters=self._given(), track=True, columns=environment_width())
            session = self.session = command.open_session(settings, self._round_over)
            try:
                session.open(self.notebook)
                command.loop.run()
                if session.failures:
                    told = session.failures[0]
                    raise UsageError(f"-p {told.name}: {told.message}")
            finally:
                command.close_session(session)
        finally:
            command.close()
        return command.ended_by or (130 if command.interrupted else self.worst)

    def _given(self) -> dict[str, str]:
        return {**self.fixed, **self.points[self.place]}

    def _round_over(self) -> None:
        session, command = self.session, self.command
        if session.failures:
            command.loop.stop(0)
            return
        code = NO_KERNEL if session.no_kernel else session.state.exit_code()
        self.worst = max(self.worst, code, key=[0, 1, 2, NO_KERNEL].index)
        if command.ended_by is None and not command.interrupted:
            self.each(self.place, self._outcome())
        over = command.ended_by is not None or command.interrupted or session.no_kernel
        if over or not self.waiting:
            command.loop.stop(command.ended_by or 0)
            return
        self.place = self.waiting.pop(0)
        session.world.parameters = self._given()
        command.loop.post(lambda: session.recheck(parameters=True))

    def _outcome(self) -> Outcome:
        state, finished = self.session.state, self.session.state.finished
        values = {}
        for cell in state.cells.values():
            for shared in cell.values if cell.status in ("done", "cached") else ():
                if self._wanted(shared.name, shared.type, cell.id):
                    values[shared.name] = (shared.type, shared.summary)
        shown = {
            cell.id: list(cell.outputs)
            for cell in state.cells.values()
            if cell.outputs and (cell.id in self.names if self.names else cell.id in self.touched)
        }
        return Outcome(
            point=self.points[self.place],
            ok=state.ok,
            seconds=finished.seconds if finished else 0.0,
            statuses={cell.id: cell.status for cell in state.cells.values()},
            values=values,
            shown=shown,
            ran=self.began.taken(),
        )

    def _wanted(self, name: str, kind: str, cell: str) -> bool:
        """Asked for by name, or else a scalar that depends on what varies."""
        if self.names is not None:
            return name in self.names
        return cell in self.touched and kind.rstrip("_0123456789") in SCALARS


def below(notebook: Notebook, parameters: Iterable[str]) -> set[str]:
    """Ids of the cells that read one of these parameters, and all below them."""
    first = {id for p in notebook.parameters if p.name in set(parameters) for id in p.cells}
    found = set(first)
    for id in notebook.order:
        if any(ref.owner in found for ref in notebook.cell(id).refs):
            found.add(id)
    return found


def visit(notebook: Notebook, points: list[Point]) -> list[int]:
    """Places of points in the order of visiting: grouped by the parameter that the most work depends on, then the next."""
    places = {id: i for i, id in enumerate(notebook.order)}
    earliest = {p.name: min(places[id] for id in p.cells) for p in notebook.parameters}
    names = sorted({name for point in points for name in point}, key=lambda name: (earliest.get(name, 0), name))
    ranks: dict[str, dict[str, int]] = {name: {} for name in names}
    for point in points:
        for name, text in point.items():
            ranks[name].setdefault(text, len(ranks[name]))
    key = [tuple(ranks[name].get(point.get(name, ""), -1) for name in names) for point in points]
    return sorted(range(len(points)), key=lambda place: (key[place], place))
