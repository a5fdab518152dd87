"""A session's dealings with the cache: which cells to ask for, what a hit shows, and the setup that need not run while
nothing needs it. What is kept when a cell has ended is in `drafts.py`.

`plan/keys.py` says what a result's key is and whether a trace holds; `store/cache.py` has the files; the kernel writes
and reads the values. Here they meet. One thing of ours is in the kernel at a time (`busy`).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from rnb.host import fitness
from rnb.host.drafts import Draft, Drafts
from rnb.host.given import as_defaults
from rnb.host.ground import python
from rnb.host.observing import Observer
from rnb.host.resuming import RESUMED, Resuming
from rnb.host.setup_cached import CachedSetup
from rnb.host.tasks import cell_ended_event
from rnb.messages import (
    CellEnded,
    Forget,
    Kept,
    Load,
    Loaded,
    PlannedCell,
    StreamEvent,
    Why,
)
from rnb.messages.traces import Trace
from rnb.notebook.model import Cell
from rnb.plan import kept, keys
from rnb.plan.world import GOOD, SETUP, Key
from rnb.store.cache import Cache

if TYPE_CHECKING:
    from rnb.host.session import Session

Expected = Callable[[Key, int], str | None]


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
        self.keeping: Draft | None = None  # its values are being written by the session's kernel
        self.loading: int | None = None
        self.setup = CachedSetup(self)
        self.drafts = Drafts(self, self._can_load)

    @property
    def busy(self) -> bool:
        return self.keeping is not None or self.loading is not None

    def goes_on(self, other: Caching) -> None:
        """As the other, whose session this one goes on from."""
        self.hits = dict(other.hits)
        self.setup.goes_on(other.setup)

    # ------------------------------------------------------------------ keys

    def static(self, cell: Cell) -> str:
        notebook = self.session.current.now
        texts = self.observer.texts(self.session.world.used_modules(cell))
        matters = keys.place_matters(cell, notebook.setup, texts)
        return keys.static_key(cell, notebook, self.python, self.session.supervisor.configure.file if matters else "")

    def key(self, cell: Cell, refs: dict[str, str | None]) -> str | None:
        world = self.session.world
        strict = self.session.settings.strict
        plain = self.plain()
        given = {name: None if name in plain else text for name, text in world.given(cell).items()}
        return keys.result_key(self.static(cell), refs, given, world.used_modules(cell), strict)

    def plain(self) -> set[str]:
        """Parameters that are given as what their default is."""
        given = self.session.world.parameters
        return as_defaults(self.session.current.now, given) if given else set()

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
        going_on = self.resuming.wanted
        reason = fitness.never(cell, self.session.current.now, going_on)
        if not reason and not going_on:
            unfit = self.cache.unfit(self.static(cell))
            reason = unfit.reason if unfit is not None else ""
        return PlannedCell(planned.cell, (*planned.why, Why("uncached", reason))) if reason else planned

    # ------------------------------------------------------------------ a kept result

    def recall(self, uid: int) -> None:
        """The round asks whether a result of this cell is kept: if so it is shown, and nothing runs."""
        started = time.perf_counter()
        assert self.session.round is not None
        found = self.find(uid, self.session.round.sight.expected)
        if found is not None:
            self.take(uid, found, started)

    def take(self, uid: int, found: Hit, started: float) -> None:
        """Show this result as the cell's. `started`: when we began to look, by `time.perf_counter`."""
        session = self.session
        cell = session.cells[uid]
        assert session.round is not None
        report = self.report(uid, found.trace)
        if uid in session.world.actual:
            session.supervisor.send(Forget(uids=[uid]))
        kept.recalled(session.round, uid, report)
        self.hits[uid] = found
        self.cache.used(found.key, found.trace)
        self.resuming.holds(found.key, found.trace)
        resumed = RESUMED if self.resuming.has(found.trace) else None
        seconds = found.trace.seconds if resumed else time.perf_counter() - started
        self._show(cell, found.trace, msgspec.structs.replace(report, seconds=seconds), resumed)

    def find(self, uid: int, expected: Expected) -> Hit | None:
        """The kept result of a cell that sees what `expected` says. What a run has kept itself is for the next one."""
        session = self.session
        cell, links = session.cells[uid], session.current.links
        if fitness.never(cell, session.current.now, self.resuming.wanted):
            return None
        key = self.key(cell, {ref.name: expected(links.owner_key(ref), uid) for ref in cell.refs})
        if key is None or (session.settings.once and key in self.drafts.made):
            return None
        setup = {name: expected((SETUP, name), uid) for name in session.world.setup_first}
        for trace in self.cache.traces(key):
            seen = self.observer.seen(trace, session.settings.columns, setup)
            if self.resuming.takes(trace) and keys.holds(trace, seen):
                return Hit(key, trace)
        return None

    def reports(self) -> dict[int, CellEnded]:
        """All results that came from the cache, or are there now, by uid."""
        return {uid: self.report(uid, hit.trace) for uid, hit in self.hits.items()}

    def report(self, uid: int, trace: Trace) -> CellEnded:
        """A kept result as the end of a run."""
        links, cell = self.session.current.links, self.session.cells[uid]
        owners = {name: (SETUP, name) for name in cell.setup_names}
        owners |= {ref.name: links.owner_key(ref) for ref in cell.refs}
        return CellEnded(
            uid=uid,
            outcome=GOOD,
            seconds=trace.seconds,
            values={slot: keys.value_of(made, owners) for slot, made in trace.values.items()},
            before=trace.refs,
            files={self.observer.path(name): digest for name, digest in trace.files.items()},
            modules=list(trace.modules),
        )

    def _show(self, cell: Cell, trace: Trace, report: CellEnded, reason: str | None = None) -> None:
        session = self.session
        if not trace.outputs and session.state.shown(cell.id):  # what was shown before goes
            session.emitter.emit(StreamEvent(cell=cell.id, stream="stdout", text=""))
        for event in trace.outputs:
            session.emitter.emit(msgspec.structs.replace(event, cell=cell.id))
        session.emitter.emit(cell_ended_event(cell, "cached", reason, report))

    def load(self, uid: int) -> None:
        """The round needs the values of a cell in the kernel."""
        session = self.session
        hit = self.hits.get(uid)
        path = self.cache.values(hit.trace.content) if hit is not None else None
        if hit is None or path is None:
            self.not_loaded(uid)
            return
        self.loading = uid
        session.supervisor.send(self.load_task(uid, hit, path))

    def load_task(self, uid: int, hit: Hit, path: str) -> Load:
        cell, trace = self.session.cells[uid], hit.trace
        return Load(
            uid=uid,
            id=cell.id,
            path=path,
            content=trace.content,
            secure=self.cache.secure,
            fingerprints={slot: made.fingerprint for slot, made in trace.values.items()},
            joint=trace.joint,
            unit=trace.unit or (0, "", ""),
            now=(cell.line, cell.source, cell.name),
        )

    def _loaded(self, report: Loaded) -> None:
        """The kernel has them, or says why not."""
        session = self.session
        uid, self.loading = self.loading, None
        if uid is None or session.round is None:
            return
        if report.reason:
            self.not_loaded(uid, report.reason)
            return
        kept.loaded(session.round, uid)
        cell, hit = session.cells[uid], self.hits[uid]
        if session.state.cells[cell.id].result != "cached":
            self._show(cell, hit.trace, self.report(uid, hit.trace))

    def not_loaded(self, uid: int, reason: str = "") -> None:
        """The values of a cell can't be had after all."""
        hit = self.hits.pop(uid, None)
        if hit is not None and reason:
            self.cache.drop(hit.key, hit.trace.content)
        if self.session.round is not None:
            kept.not_loaded(self.session.round, uid)

    # ------------------------------------------------------------------ what is kept

    def ended(self, uid: int, report: CellEnded, attempts: int, cut: bool) -> None:
        """A cell has run in the session's kernel: keep what it gave, if it may be kept."""
        self.hits.pop(uid, None)
        draft = self.drafts.draft(uid, report, attempts, cut)
        if draft is None:
            return
        if draft.staged:
            self.keeping = draft
            self.session.supervisor.send(self.drafts.task(draft))
        self.drafts.counts(draft)

    def answered(self, report: Kept | Loaded) -> None:
        if isinstance(report, Loaded):
            self._loaded(report)
            return
        draft, self.keeping = self.keeping, None
        if draft is not None:
            self.drafts.answered(draft, report)

    def _can_load(self, draft: Draft) -> None:
        """The values are kept."""
        assert draft.trace is not None
        hit = self.hits[draft.uid] = Hit(draft.key, draft.trace)
        if not hit.trace.content:
            return
        if self.session.crew is not None and self.session.crew.cache is not None:
            self.session.crew.cache.stored(draft.uid, hit)
        else:
            self.session.world.stored.add(draft.uid)

    def died(self) -> None:
        """The kernel is gone, perhaps over what we asked of it."""
        if self.keeping is not None:
            draft, self.keeping = self.keeping, None
            self.drafts.deadly(draft)
        if self.loading is not None:
            uid, self.loading = self.loading, None
            self.not_loaded(uid, "the kernel died of it")

    def close(self) -> None:
        """The session ends."""
        self.resuming.ended()
        self.cache.close()
