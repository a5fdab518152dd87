"""The cache beside a crew: results that lie there need no worker, and each worker writes what it has made.

A kept result may be found before its cell's turn, so that readers can start; when the turn comes it is looked for again,
since only then is it known what the cell sees. What a run gave is written at once by the worker that has it, before
anything can change it, and enters the cache when the run counts.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rnb.host.caching import Caching, Hit
from rnb.host.drafts import Draft
from rnb.host.transfers import Stored
from rnb.messages import CellEnded, Kept
from rnb.plan import kept

if TYPE_CHECKING:
    from rnb.host.crew import Crew
    from rnb.host.lane import Job, Lane


class CrewCache:
    def __init__(self, crew: Crew, caching: Caching):
        self.crew, self.caching, self.drafts = crew, caching, caching.drafts
        self.found: dict[int, str] = {}  # recalled before their turn: uid -> content
        self.open: dict[int, Draft] = {}  # of runs that may still count

    # ------------------------------------------------------------------ what is kept already

    def ahead(self, uid: int) -> bool:
        """A cell could start now: whether a kept result makes that needless."""
        crew, ahead = self.crew, self.crew.ahead
        assert ahead is not None
        if not ahead.round.may_recall(uid):
            return False
        hit = self.caching.find(uid, ahead.expected)
        if hit is None or not self._put(uid, hit):
            return False
        self.found[uid] = hit.trace.content
        crew.seen[uid] = ahead.wanted(uid)
        crew.where.pop(uid, None)
        ahead.begins(uid)
        ahead.ends(uid, self.caching.report(uid, hit.trace))
        return True

    def _put(self, uid: int, hit: Hit) -> bool:
        """Have workers find the values of a recalled cell; whether they are there."""
        if not hit.trace.values:
            return True
        path = self.caching.cache.values(hit.trace.content)
        if path is None:
            return False
        if self.crew.transfers.stored.get(uid) is None or self.found.get(uid) != hit.trace.content:
            self.crew.transfers.dropped(uid)
            self.crew.transfers.stored[uid] = Stored(uid, self.caching.load_task(uid, hit, path), only=True)
        return True

    def recall(self, uid: int) -> None:
        """It is the turn of a cell whose result may be kept: show it, or leave the cell to run."""
        crew, ahead = self.crew, self.crew.ahead
        round = crew.session.round
        assert round is not None
        lane = crew.roster.at(uid)
        if ahead is not None and lane is not None and lane.job is not None:
            if not ahead.holds(uid, lane.job.seen):  # it sees something else now: ask again when its run has ended
                round.kept.add(uid)
                crew.take(uid)
            return
        recalled = uid in self.found
        if ahead is not None and uid in ahead.ended and not recalled and ahead.holds(uid, crew.seen[uid]):
            return  # it was looked for before it ran
        started = time.perf_counter()
        hit = self.caching.find(uid, round.sight.expected)
        if hit is not None and self._put(uid, hit):
            self._take(uid, hit, started)
        elif recalled and ahead is not None:
            del self.found[uid]
            crew.transfers.dropped(uid)
            ahead.forget(uid)

    def _take(self, uid: int, hit: Hit, started: float) -> None:
        crew, session = self.crew, self.crew.session
        id = session.cells[uid].id
        assert session.round is not None
        self.void(uid)
        crew.backlog.forget(id)
        crew.backlog.turn(id)
        self.caching.take(uid, hit, started)
        kept.loaded(session.round, uid)  # to be had by any worker
        session.world.stored.discard(uid)
        crew.where.pop(uid, None)
        crew.backlog.retired(id)
        crew.settled(uid)
        self.found[uid] = hit.trace.content

    def not_loaded(self, uid: int, reason: str) -> None:
        """A worker could not take the values."""
        self.found.pop(uid, None)
        self.caching.not_loaded(uid, reason)

    # ------------------------------------------------------------------ what is to be kept

    def ended(self, lane: Lane, job: Job, report: CellEnded) -> None:
        """A run has ended in this lane, and may count when its turn comes."""
        self.caching.hits.pop(job.uid, None)
        self.found.pop(job.uid, None)
        draft = self.drafts.draft(job.uid, report, job.attempts, job.cut)
        if draft is not None:
            self.open[job.uid] = draft
            if draft.staged:
                lane.keep(draft)
            disorder = report.drew and self.crew.ahead is not None and self.crew.ahead.seeded
            if self.caching.resuming.wanted and self.crew.backlog.live and not disorder:
                self.drafts.may_count(draft)

    def counts(self, uid: int) -> None:
        """The round has taken the run of this cell."""
        draft = self.open.pop(uid, None)
        if draft is not None:
            self.drafts.counts(draft)

    def void(self, uid: int) -> None:
        """The run of this cell does not count."""
        draft = self.open.pop(uid, None)
        if draft is not None:
            self.drafts.drop(draft)

    def kept(self, draft: Draft, report: Kept) -> None:
        self.drafts.answered(draft, report)

    def stored(self, uid: int, hit: Hit) -> None:
        """What a worker has made can be had from here if it is lost there."""
        path = self.caching.cache.values(hit.trace.content)
        if path is not None:
            self.crew.transfers.stored[uid] = Stored(uid, self.caching.load_task(uid, hit, path), only=False)

    def lost(self, lane: Lane, dead: bool) -> None:
        """What this lane was writing will not come. `dead`: it died by itself, perhaps over that."""
        for draft in lane.keeps:
            if dead:
                self.drafts.deadly(draft)
            self.drafts.drop(draft)
        lane.keeps = []

    def close(self) -> None:
        """No run counts any more."""
        for uid in list(self.open):
            self.void(uid)
