"""A session's dealings with the cache: which cells to ask for, what a hit shows, what is kept when a cell has ended, and
the setup that need not run while nothing needs it.

`plan/keys.py` says what a result's key is and whether a trace holds; `store/cache.py` has the files; the kernel writes
and reads the values. Here they meet. One thing of ours is in the kernel at a time (`busy`).
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import msgspec

from rnb.host import fitness
from rnb.host.ground import python
from rnb.host.observing import Observer
from rnb.host.resuming import Resuming
from rnb.host.setup_cached import CachedSetup, bare
from rnb.host.tasks import cell_ended_event
from rnb.messages import (
    CellEnded,
    DisplayEvent,
    Forget,
    Keep,
    Kept,
    Load,
    Loaded,
    Observed,
    PlannedCell,
    StreamEvent,
    Why,
)
from rnb.messages.traces import Made, Trace
from rnb.notebook.model import Cell
from rnb.plan import kept, keys
from rnb.plan.world import GOOD, SETUP, UNBOUND
from rnb.store.cache import Cache, Unfit

if TYPE_CHECKING:
    from rnb.host.session import Session


DEADLY = "its value can't be kept: the kernel dies of it"


class Hit(msgspec.Struct):
    """Where the result that a cell shows lies."""

    key: str
    trace: Trace


class Caching:
    """See the module."""

    def __init__(self, session: Session, cache: Cache) -> None:
        self.session, self.cache = session, cache
        self.observer = Observer(session.modules.folder, session.modules)
        self.python = python()
        settings = session.settings
        self.resuming = Resuming(cache, settings.path, settings.resume, settings.passing)
        self.hits: dict[int, Hit] = {}  # by uid, of cells whose values can be loaded
        self.keeping: tuple[int, str, Trace, str] | None = None  # uid, key, trace without values, staged file
        self.loading: int | None = None
        self.setup = CachedSetup(self)

    @property
    def busy(self) -> bool:
        return self.keeping is not None or self.loading is not None

    def goes_on(self, other: Caching) -> None:
        """As the other, whose session this one goes on from."""
        self.hits = dict(other.hits)
        self.setup.goes_on(other.setup)

    # ------------------------------------------------------------------ keys

    def _static(self, cell: Cell) -> str:
        notebook = self.session.current.now
        texts = self.observer.texts(self.session.world.used_modules(cell))
        matters = keys.place_matters(cell, notebook.setup, texts)
        return keys.static_key(cell, notebook, self.python, self.session.supervisor.configure.file if matters else "")

    def _key(self, cell: Cell, refs: dict[str, str | None]) -> str | None:
        world = self.session.world
        strict = self.session.settings.strict
        return keys.result_key(self._static(cell), refs, world.given(cell), world.used_modules(cell), strict)

    def _wanted(self, uid: int) -> dict[str, str | None]:
        """The fingerprint of each ref as a fresh run would show it to this cell."""
        session = self.session
        assert session.round is not None
        sight, links = session.round.sight, session.current.links
        return {ref.name: sight.expected(links.owner_key(ref), uid) for ref in session.cells[uid].refs}

    # ------------------------------------------------------------------ the plan

    def candidates(self) -> set[int]:
        """Cells whose result may be kept."""
        return {uid for uid, cell in self.session.cells.items() if cell.options.cache is not False}

    def told(self, planned: list[PlannedCell]) -> list[PlannedCell]:
        """The plan with a word on cells that are known not to be kept."""
        return [self._told(one) for one in planned]

    def _told(self, planned: PlannedCell) -> PlannedCell:
        uid = self.session.current.links.by_id[planned.cell]
        cell = self.session.cells[uid]
        reason = fitness.never(cell, self.session.current.now)
        if not reason:
            unfit = self.cache.unfit(self._static(cell))
            reason = unfit.reason if unfit is not None else ""
        return PlannedCell(planned.cell, (*planned.why, Why("uncached", reason))) if reason else planned

    # ------------------------------------------------------------------ a kept result

    def recall(self, uid: int) -> None:
        """The round asks whether a result of this cell is kept: if so it is shown, and nothing runs."""
        session = self.session
        started = time.perf_counter()
        cell = session.cells[uid]
        found = self._find(uid, cell)
        if found is None:
            return
        assert session.round is not None
        report = self._report(uid, cell, found.trace)
        if uid in session.world.actual:
            session.supervisor.send(Forget(uids=[uid]))
        kept.recalled(session.round, uid, report)
        self.hits[uid] = found
        self.cache.used(found.key, found.trace)
        self.resuming.holds(found.key, found.trace.content)
        self._show(cell, found.trace, msgspec.structs.replace(report, seconds=time.perf_counter() - started))

    def _find(self, uid: int, cell: Cell) -> Hit | None:
        if fitness.never(cell, self.session.current.now):
            return None
        key = self._key(cell, self._wanted(uid))
        if key is None:
            return None
        sight = self.session.round.sight if self.session.round is not None else None
        setup = {name: sight.expected((SETUP, name), uid) for name in self.session.world.setup_first} if sight else {}
        for trace in self.cache.traces(key):
            seen = self.observer.seen(trace, self.session.settings.columns, setup)
            if self.resuming.takes(trace) and keys.holds(trace, seen):
                return Hit(key, trace)
        return None

    def _report(self, uid: int, cell: Cell, trace: Trace) -> CellEnded:
        links = self.session.current.links
        owners = {name: (SETUP, name) for name in cell.setup_names}
        owners |= {ref.name: links.owner_key(ref) for ref in cell.refs}
        return CellEnded(
            uid=uid,
            outcome=GOOD,
            seconds=trace.seconds,
            values=keys.values_of(trace, owners),
            before=trace.refs,
            files={self.observer.path(name): digest for name, digest in trace.files.items()},
            modules=list(trace.modules),
        )

    def _show(self, cell: Cell, trace: Trace, report: CellEnded) -> None:
        session = self.session
        if not trace.outputs and session.state.shown(cell.id):  # what was shown before goes
            session.emitter.emit(StreamEvent(cell=cell.id, stream="stdout", text=""))
        for event in trace.outputs:
            session.emitter.emit(msgspec.structs.replace(event, cell=cell.id))
        session.emitter.emit(cell_ended_event(cell, "cached", None, report))

    def load(self, uid: int) -> None:
        """The round needs the values of a cell in the kernel."""
        session = self.session
        hit, cell = self.hits.get(uid), session.cells[uid]
        path = self.cache.values(hit.trace.content) if hit is not None else None
        if hit is None or path is None:
            self._not_loaded(uid)
            return
        self.loading = uid
        session.supervisor.send(
            Load(
                uid=uid,
                id=cell.id,
                path=path,
                content=hit.trace.content,
                secure=self.cache.secure,
                fingerprints={slot: made.fingerprint for slot, made in hit.trace.values.items()},
                joint=hit.trace.joint,
                unit=hit.trace.unit or (0, "", ""),
                now=(cell.line, cell.source, cell.name),
            )
        )

    def _loaded(self, report: Loaded) -> None:
        """The kernel has them, or says why not."""
        session = self.session
        uid, self.loading = self.loading, None
        if uid is None or session.round is None:
            return
        if report.reason:
            self._not_loaded(uid, report.reason)
            return
        kept.loaded(session.round, uid)
        cell, hit = session.cells[uid], self.hits[uid]
        if session.state.cells[cell.id].result != "cached":
            self._show(cell, hit.trace, self._report(uid, cell, hit.trace))

    def _not_loaded(self, uid: int, reason: str = "") -> None:
        hit = self.hits.pop(uid, None)
        if hit is not None and reason:
            self.cache.drop(hit.key, hit.trace.content)
        if self.session.round is not None:
            kept.not_loaded(self.session.round, uid)

    # ------------------------------------------------------------------ what is kept

    def ended(self, uid: int, report: CellEnded, attempts: int, cut: bool) -> None:
        """A cell has run: keep what it gave, if it may be kept."""
        self.hits.pop(uid, None)
        session = self.session
        cell = session.cells[uid]
        if report.outcome != GOOD or self.cache.broken or session.world.setup_failed:
            return
        reason = fitness.reason(cell, session.current.now, report, attempts, cut)
        if reason:
            self._unfit(cell, reason)
            return
        refs = {ref.name: report.before.get(ref.name, UNBOUND) for ref in cell.refs}
        key = self._key(cell, dict(refs))
        if key is None:
            self._unfit(cell, fitness.UNREADABLE.format(next(n for n, f in refs.items() if f.startswith("t"))))
            return
        trace = self._trace(uid, cell, report)
        if not report.values:
            self._add(key, trace)
            self.hits[uid] = Hit(key, trace)
            return
        known = self.cache.unfit(trace.static)
        staged = self.cache.stage() if known is None or known.reason != DEADLY else None
        if staged is not None:
            self.keeping = (uid, key, trace, staged)
            session.supervisor.send(Keep(uid=uid, path=staged, secure=self.cache.secure))

    def _trace(self, uid: int, cell: Cell, report: CellEnded) -> Trace:
        session, observed = self.session, report.observed or Observed()
        links = session.current.links
        names = {(SETUP, name): name for name in cell.setup_names}
        names |= {links.owner_key(ref): ref.name for ref in cell.refs}
        absolute = self.setup.absolute | set(observed.absolute)
        outputs = [bare(event) for event in session.state.shown(cell.id)]
        return Trace(
            made=time.time(),
            notebook=session.settings.path,
            cell=cell.id,
            seconds=report.seconds,
            run=self.resuming.token,
            static=self._static(cell),
            parameters=session.world.given(cell),
            files={**self.observer.unseen(cell), **self.observer.names(report.files, absolute)},
            folders=self.observer.names({**self.setup.folders, **observed.folders}, absolute),
            modules=self.observer.digests(report.modules),
            versions=self.observer.versions.behind(
                {*observed.packages, *(name.partition(".")[0] for name in cell.imports)}
            ),
            columns=session.settings.columns if any(isinstance(e, DisplayEvent) for e in outputs) else 0,
            refs=report.before,
            values={
                slot: Made(
                    fingerprint=value.fingerprint,
                    mutable=value.mutable,
                    type=value.type,
                    summary=value.summary,
                    size=value.size,
                    aliases=tuple(names[alias] for alias in value.aliases if alias in names),
                )
                for slot, value in report.values.items()
            },
            outputs=outputs,
        )

    def _unfit(self, cell: Cell, reason: str) -> None:
        unfit = Unfit(made=time.time(), notebook=self.session.settings.path, cell=cell.id, reason=reason)
        self.cache.mark(self._static(cell), unfit)

    def _add(self, key: str, trace: Trace) -> None:
        self.cache.add(key, trace)
        self.cache.unmark(trace.static)
        self.resuming.holds(key, trace.content)

    def answered(self, report: Kept | Loaded) -> None:
        if isinstance(report, Kept):
            self._kept(report)
        else:
            self._loaded(report)

    def _kept(self, report: Kept) -> None:
        """The kernel has written the values, or says why not."""
        keeping, self.keeping = self.keeping, None
        if keeping is None:
            return
        uid, key, trace, staged = keeping
        cell = self.session.cells[uid]
        if report.disk:
            self.cache.fail(report.reason)
        elif report.reason:
            self._unfit(cell, f"its value can't be kept: {report.reason}")
        elif self.cache.adopt(staged, report.content):
            trace.content, trace.size, trace.joint = report.content, report.size, report.joint
            trace.unit = (cell.line, cell.source, cell.name) if report.functions else None
            self._add(key, trace)
            self.hits[uid] = Hit(key, trace)
            self.session.world.stored.add(uid)

    def died(self) -> None:
        """The kernel is gone, perhaps over what we asked of it."""
        if self.keeping is not None:
            uid, _, _, staged = self.keeping
            self.keeping = None
            self._unfit(self.session.cells[uid], DEADLY)
            if os.path.exists(staged):
                os.unlink(staged)
        if self.loading is not None:
            uid, self.loading = self.loading, None
            self._not_loaded(uid, "the kernel died of it")

    def close(self, ok: bool) -> None:
        """The session ends; `ok`: it had come to its end, and well."""
        self.resuming.finished(ok)
        self.cache.close()
