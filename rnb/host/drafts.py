"""What is kept of runs: a draft when a cell has ended, its values in a file beside, and an entry once the run counts.

A *draft* is what a cell's run would be kept as, or the reason why it is not. Its values are written by the kernel that has
them (`Keep`), before that kernel does anything else; the file is taken into the cache only when the run counts.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from rnb.host import fitness
from rnb.host.setup_cached import bare
from rnb.messages import CellEnded, DisplayEvent, Keep, Kept, Observed
from rnb.messages.traces import Trace
from rnb.notebook.model import Cell
from rnb.plan import keys
from rnb.plan.world import GOOD, SETUP, UNBOUND
from rnb.store.cache import Unfit

if TYPE_CHECKING:
    from rnb.host.caching import Caching

DEADLY = "its value can't be kept: the kernel dies of it"


class Draft(msgspec.Struct):
    """See the module. `staged` is the file for its values, "" if there are none to be written here."""

    uid: int
    key: str = ""
    trace: Trace | None = None
    reason: str = ""
    staged: str = ""
    kept: Kept | None = None  # the kernel's answer
    counts: bool = False
    early: bool = False  # it may count, and is kept already
    added: bool = False  # to the cache
    void: bool = False  # the run will never count


class Drafts:
    """`on_kept(draft)` is called when the values of a cell can be loaded."""

    def __init__(self, caching: Caching, on_kept: Callable[[Draft], None]) -> None:
        self.caching, self.on_kept = caching, on_kept
        self.session, self.cache, self.observer = caching.session, caching.cache, caching.observer
        self.made: set[str] = set()  # keys of what this session has kept

    # ------------------------------------------------------------------ a run has ended

    def draft(self, uid: int, report: CellEnded, attempts: int, cut: bool) -> Draft | None:
        """What is to be kept of a run that has just ended; None where there is nothing to say."""
        session = self.session
        cell = session.cells[uid]
        if report.outcome != GOOD or self.cache.broken or session.world.setup_failed:
            return None
        lost = fitness.lost(cell, session.current.now, report)
        reason = lost or fitness.reason(cell, session.current.now, report, attempts, cut)
        if lost or (reason and not self.caching.resuming.wanted):
            return Draft(uid, reason=reason)
        refs = {ref.name: report.before.get(ref.name, UNBOUND) for ref in cell.refs}
        key = self.caching.key(cell, dict(refs))
        if key is None:
            unread = next(name for name, found in refs.items() if found.startswith("t"))
            return Draft(uid, reason=fitness.UNREADABLE.format(unread))
        trace = self._trace(cell, report)
        trace.here = bool(reason)
        if not report.values:
            return Draft(uid, key, trace)
        known = self.cache.unfit(trace.static)
        staged = self.cache.stage() if known is None or known.reason != DEADLY else None
        return Draft(uid, key, trace, staged=staged) if staged is not None else None

    def task(self, draft: Draft) -> Keep:
        """What the kernel is asked for, at once."""
        return Keep(uid=draft.uid, path=draft.staged, secure=self.cache.secure)

    def _trace(self, cell: Cell, report: CellEnded) -> Trace:
        """All but what it showed."""
        session, observed, observer = self.session, report.observed or Observed(), self.observer
        setup = self.caching.setup
        links = session.current.links
        names = {(SETUP, name): name for name in cell.setup_names}
        names |= {links.owner_key(ref): ref.name for ref in cell.refs}
        absolute = setup.absolute | set(observed.absolute)
        imported = (name.partition(".")[0] for name in cell.imports)
        return Trace(
            made=time.time(),
            notebook=session.settings.path,
            cell=cell.id,
            seconds=report.seconds,
            run=self.caching.resuming.token,
            static=self.caching.static(cell),
            parameters=session.world.given(cell),
            files={**observer.unseen(cell), **observer.names(report.files, absolute)},
            folders=observer.names({**setup.folders, **observed.folders}, absolute),
            modules=observer.digests(report.modules),
            versions=observer.versions.behind({*observed.packages, *imported}),
            refs=report.before,
            values={slot: keys.made_of(value, names) for slot, value in report.values.items()},
        )

    # ------------------------------------------------------------------ its run counts

    def may_count(self, draft: Draft) -> None:
        """What it showed is known, and its turn is to come: who goes on after this run was killed is to have it."""
        draft.early = True
        self._shown(draft)

    def counts(self, draft: Draft) -> None:
        """The round has taken the run: what it showed is known, and it may be kept."""
        draft.counts = True
        self._shown(draft)

    def _shown(self, draft: Draft) -> None:
        if draft.trace is not None and not draft.added:
            session = self.session
            outputs = draft.trace.outputs = [bare(event) for event in session.state.shown(session.cells[draft.uid].id)]
            shows = any(isinstance(event, DisplayEvent) for event in outputs)
            draft.trace.columns = session.settings.columns if shows else 0
        self._settle(draft)

    def answered(self, draft: Draft, report: Kept) -> None:
        """The kernel has written the values, or says why not."""
        draft.kept = report
        if draft.void:
            self._unlink(draft)
        self._settle(draft)

    def drop(self, draft: Draft) -> None:
        """Its run does not count."""
        draft.void, draft.counts, draft.early = True, False, False
        self._unlink(draft)
        if draft.added and draft.trace is not None:
            self.cache.drop(draft.key, draft.trace.content)

    def deadly(self, draft: Draft) -> None:
        """The kernel is gone, perhaps over the values."""
        self._unfit(draft, DEADLY)
        self._unlink(draft)

    def _settle(self, draft: Draft) -> None:
        if not (draft.counts or draft.early) or (draft.staged and draft.kept is None):
            return
        if not draft.added:
            self._store(draft)
        if draft.added and draft.counts:
            self.on_kept(draft)

    def _store(self, draft: Draft) -> None:
        report, trace = draft.kept, draft.trace
        if trace is None:
            self._unfit(draft, draft.reason)
        elif report is None:
            self._add(draft, trace)
        elif report.disk:
            self.cache.fail(report.reason)
        elif report.reason:
            self._unfit(draft, f"its value can't be kept: {report.reason}")
        elif not draft.staged or self.cache.adopt(draft.staged, report.content):
            cell = self.session.cells[draft.uid]
            trace.content, trace.size, trace.joint = report.content, report.size, report.joint
            trace.unit = (cell.line, cell.source, cell.name) if report.functions else None
            self._add(draft, trace)

    def _add(self, draft: Draft, trace: Trace) -> None:
        self.cache.add(draft.key, trace)
        if not trace.here:
            self.cache.unmark(trace.static)
        self.caching.resuming.holds(draft.key, trace)
        self.made.add(draft.key)
        draft.added = True

    def _unfit(self, draft: Draft, reason: str) -> None:
        cell = self.session.cells[draft.uid]
        unfit = Unfit(made=time.time(), notebook=self.session.settings.path, cell=cell.id, reason=reason)
        self.cache.mark(self.caching.static(cell), unfit)

    def _unlink(self, draft: Draft) -> None:
        if draft.staged:
            with contextlib.suppress(OSError):  # not begun yet, or already moved
                os.unlink(draft.staged)
