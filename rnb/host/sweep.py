"""`rnb sweep`: one notebook over many points of its parameters, in one warm kernel.

Each point is a round of the session, as a save is in `rnb watch`: only cells that see another value run again, so what
does not depend on what varies runs once. Points are visited in an order in which parameters that are read early change
seldom; they are reported in the order in which they were asked for.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

from rnb.errors import InternalError, ParameterError, UsageError
from rnb.host.cached import cache_place
from rnb.host.command import Command, environment_width
from rnb.host.config import engine_of
from rnb.host.emit import Sink
from rnb.host.given import from_environment
from rnb.host.grid import Point
from rnb.host.outcome import Outcome, outcome_of
from rnb.host.run import NO_KERNEL, check_asked, lists_them
from rnb.host.session import Session
from rnb.host.settings import Settings
from rnb.host.source import notebook_bytes, read_notebook
from rnb.messages import AnyEvent, CellEvent
from rnb.notebook.model import Notebook
from rnb.plan.state import State

WORSE = [0, 1, 2, NO_KERNEL]


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
        jobs: int = 1,
        timeout: float | None = None,
        cache: str | None = None,
        engine: str | None = None,
    ) -> None:
        data = notebook_bytes(path)
        self.path, self.points, self.fixed, self.sinks, self.each = path, points, fixed, sinks, each
        self.jobs, self.timeout, self.cache = min(jobs, len(points)), timeout, cache_place(path, cache)
        self.engine = engine_of(path, engine)
        self.ambient = from_environment(os.environ)
        self.notebook = read_notebook(data, path)
        self._check()
        self.varied = sorted({name for point in points for name in point})
        self.touched = below(self.notebook, self.varied)
        self.names = take or None
        self._check_taken()
        self.order = visit(self.notebook, points)
        self.worst = 0
        self.internal: tuple[str, str] | None = None  # a fault of ours in one of the kernels

    def _check(self) -> None:
        """Every text, before anything runs."""
        check_asked(self.notebook, Settings(path=self.path, parameters=self.fixed))
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
        """The exit code: of the worst point, or what ended the sweep. Raises InternalError."""
        code = None
        if self.engine:
            from rnb.host.spread import Spread

            return Spread(self).run()
        if self.jobs > 1:
            from rnb.host.branches import Branches

            code = Branches(self).run()
        if code is None:
            code = OneByOne(self).run()
        if self.internal is not None and code == self.worst:
            raise InternalError(*self.internal)
        return code

    def settings(self, place: int, only: list[str] | None = None) -> Settings:
        return Settings(
            path=self.path,
            parameters={**self.fixed, **self.points[place]},
            only=only,
            track=True,
            cache=self.cache,
            columns=environment_width(),
        )

    def given(self, place: int) -> dict[str, str]:
        """All that is set at this point."""
        return {**self.ambient, **self.fixed, **self.points[place]}

    def ended(self, place: int, session: Session, ran: int, seconds: float = 0.0) -> None:
        """The round of this point is over; `seconds` of work for it went before."""
        self.internal = self.internal or session.internal
        code = NO_KERNEL if session.no_kernel else session.state.exit_code()
        self.worst = max(self.worst, code, key=WORSE.index)
        outcome = outcome_of(session.state, self.points[place], self.names, self.touched, ran)
        outcome.seconds += seconds
        self.each(place, outcome)


class OneByOne:
    """One kernel visits all points."""

    def __init__(self, sweep: Sweep) -> None:
        self.sweep = sweep
        self.waiting = list(reversed(sweep.order))
        self.began = Began()
        self.command = Command(lambda state, path: [*sweep.sinks(state, path), self.began])

    def run(self) -> int:
        command = self.command
        try:
            command.end_after(self.sweep.timeout)
            self.place = self.waiting.pop()
            session = self.session = command.open_session(self.sweep.settings(self.place), self._round_over)
            try:
                session.open(self.sweep.notebook)
                command.loop.run()
                refuse(session)
            finally:
                command.close_session(session)
        finally:
            command.close()
        return command.ended_by or (130 if command.interrupted else self.sweep.worst)

    def _round_over(self) -> None:
        session, command = self.session, self.command
        over = command.ended_by is not None or command.interrupted
        if not over and not session.failures:
            self.sweep.ended(self.place, session, self.began.taken())
        if over or session.failures or session.no_kernel or not self.waiting:
            command.loop.stop(command.ended_by or 0)
            return
        self.place = self.waiting.pop()
        session.world.parameters = self.sweep.given(self.place)
        command.loop.post(lambda: session.recheck(parameters=True))


def refuse(session: Session) -> None:
    """Raises ParameterError where the kernel could not convert what was given."""
    if session.failures:
        told = session.failures[0]
        raise ParameterError(f"-p {told.name}: {told.message}", lists_them(session.settings.path))


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
