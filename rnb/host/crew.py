"""Cells side by side: a crew of workers runs ahead of the round, which takes what they have made in its own order.

The round decides as if there were one process (`plan/round.py`); `Ahead` says which cells may start before their turn
and whether what they gave counts. The crew finds each a worker, brings it the values that it reads, and hands its end
to the session when the round comes to it. The notebook's first kernel runs the setup and no cell: workers are forked
from it, and where the order breaks it is as fresh as at the beginning, and runs all cells one by one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from rnb.host.carry import Carry
from rnb.host.choice import Choice
from rnb.host.crew_cache import CrewCache
from rnb.host.ends import OVERTAKEN, UNSENT, overtaken, settle_end, tell_end
from rnb.host.lane import Job, Lane
from rnb.host.roster import Roster
from rnb.host.transfers import Transfers
from rnb.host.turns import Backlog
from rnb.messages import AnyReport, CellEnded, CellEvent, Survey, Surveyed
from rnb.plan.ahead import Ahead, Wanted
from rnb.plan.side import ahead_of
from rnb.plan.world import GOOD

if TYPE_CHECKING:
    from rnb.host.afar import Afar
    from rnb.host.session import Session

PATIENCE = 32  # ready cells that are looked at for one that an idle worker can take
LOSSES = 3  # times that values of one cell's refs may be made again


class Crew:
    """`head`: the cell that the session waits for."""

    def __init__(self, session: Session, jobs: int):
        self.session, self.jobs = session, jobs
        self.backlog = Backlog(session.emitter, live=not session.settings.fail_fast)
        self.roster = Roster(self)
        self.transfers = Transfers()
        self.choice, self.carry = Choice(self), Carry(self)
        self.cache = CrewCache(self, session.caching) if session.caching is not None else None
        self.afar: Afar | None = None  # a cluster, where there is one
        self.ahead: Ahead | None = None
        self.surveyed: Surveyed | None = None
        self.head: int | None = None
        self.where: dict[int, int] = {}  # the lane in which a cell ran last
        self.seen: dict[int, Wanted] = {}  # what its run was given
        self.stops: dict[int, tuple[str | None, str | None]] = {}  # why it was stopped, and the limit that it broke
        self.losses: dict[int, int] = {}
        self.over = False

    @property
    def busy(self) -> bool:
        return self.roster.busy

    # ------------------------------------------------------------------ the beginning

    def _begin(self) -> None:
        self.session.hear_more = self.take_survey
        self.session.supervisor.send(Survey())

    def take_survey(self, report: AnyReport) -> None:
        session = self.session
        if session.round is None or not isinstance(report, Surveyed):
            return
        self.surveyed = report
        self.ahead = ahead_of(session.round, session.current.now, report.stateful, report.groups)
        for uid, recalled in session.caching.reports().items() if session.caching is not None else ():
            self.ahead.ties_of(uid, recalled)
        self.fill()

    # ------------------------------------------------------------------ in turn

    def recall(self, uid: int) -> None:
        """The round asks for a kept result of this cell."""
        assert self.cache is not None
        self.cache.recall(uid)

    def take(self, uid: int) -> None:
        """The round has come to this cell: take its end, wait for it, or have it run now."""
        round, ahead = self.session.round, self.ahead
        assert round is not None
        if ahead is None:
            if self.head is None:
                self._begin()
            self._wait_for(uid)
            return
        lane = self.roster.at(uid)
        if lane is not None:
            job = lane.job
            assert job is not None
            if not ahead.holds(uid, job.seen):  # it runs on something that has changed since
                job.void = True
                lane.interrupt(OVERTAKEN)
            self._wait_for(uid, told=not job.void)
            lane.give_input()
            return
        report = ahead.ended.get(uid)
        if report is not None and ahead.holds(uid, self.seen[uid]):
            round.began(uid)
            self._retire(uid, report)
            return
        if report is not None and any(change.owner is None for change in report.changed):
            self.one_by_one()
            return
        if self._must_make_again(uid):
            return
        if report is not None:
            self._again(uid)
        self._wait_for(uid)
        self.fill()

    def _wait_for(self, uid: int, told: bool = True) -> None:
        """`told`: what it says counts."""
        session = self.session
        assert session.round is not None
        session.round.began(uid)
        session.running, session.stopping = uid, None
        self.head = uid
        if told:
            self.backlog.turn(session.cells[uid].id)

    def _again(self, uid: int, ran: bool = False) -> None:
        """Its run does not count. `ran`: it has begun, and has no end yet."""
        assert self.ahead is not None and self.session.round is not None
        self.ahead.called_back(uid)
        if self.cache is not None:
            self.cache.void(uid)
        if ran and not self.session.round.over:
            self.backlog.emit(overtaken(self.session.cells[uid]))
        self.backlog.forget(self.session.cells[uid].id)

    def _must_make_again(self, uid: int) -> bool:
        """Have the round make again what this cell reads and no worker has. True: it is to be asked anew."""
        gone = self.choice.lacking(uid)
        if gone and not self._gives_up(uid):
            for owner in {key[0] for key in gone}:
                self.session.world.actual.pop(owner, None)
                self.transfers.dropped(owner)
        return bool(gone)

    def _gives_up(self, uid: int) -> bool:
        """What this cell reads was lost again: whether that was once too often."""
        self.losses[uid] = self.losses.get(uid, 0) + 1
        if self.losses[uid] <= LOSSES:
            return False
        self.one_by_one()
        return True

    def _retire(self, uid: int, report: CellEnded) -> None:
        """The round takes the end of a cell."""
        session, ahead = self.session, self.ahead
        assert ahead is not None
        id = session.cells[uid].id
        self.backlog.turn(id)
        if ahead.breaks(uid, report, self.where):
            self.one_by_one()
            return
        self.backlog.retired(id)
        if self.cache is not None:
            self.cache.counts(uid)
        settle_end(session, uid, report, *self.stops.get(uid, (None, None)))
        ahead.retires(uid)

    def settled(self, uid: int) -> None:
        """The round has decided that this cell does not run."""
        if self.ahead is not None:
            self.ahead.retires(uid)

    # ------------------------------------------------------------------ out of turn

    def fill(self) -> None:
        """Give idle workers what may start."""
        ahead, round = self.ahead, self.session.round
        if ahead is None or round is None or self.over or self.session.closing:
            return
        if self.head is not None and self.head not in ahead.started:
            lane = self.choice.choose(self.head)
            if lane is not None:
                self._assign(lane, self.head)
            elif all(lane.idle for lane in self.roster.lanes):  # nothing will come of waiting
                if not self._gives_up(self.head):
                    self._head_again()
                return
            elif all(lane.idle or lane.waits for lane in self.roster.lanes):
                self._overtake()
                return
        aside: list[int] = []
        while not (round.over or self.over) and len(aside) < PATIENCE and self.roster.room:
            uid = ahead.pop()
            if uid is None:
                break
            if self.cache is not None and self.cache.ahead(uid):
                continue
            lane = self.choice.choose(uid)
            if lane is None:
                aside.append(uid)
            else:
                self._assign(lane, uid)
        ahead.put_back(aside)

    def _overtake(self) -> None:
        """The head needs a lane, and those that are not idle wait for a line that is theirs only after the head."""
        for lane in self.roster.lanes:
            if lane.job is not None and lane.waits:
                lane.job.void = True
                lane.interrupt(OVERTAKEN)

    # ------------------------------------------------------------------ values on their way

    def _assign(self, lane: Lane, uid: int) -> None:
        assert self.ahead is not None
        self.ahead.begins(uid)
        wanted = self.ahead.wanted(uid)
        lane.job = Job(uid, wanted)
        self.carry.bring(lane)

    def call_back(self, lane: Lane, ran: bool = False) -> None:
        """The job can't be done here; `ran`: as it turned out when it ran."""
        assert lane.job is not None
        job, lane.job = lane.job, None
        self._repeat(job.uid, ran)

    def _repeat(self, uid: int, ran: bool) -> None:
        self._again(uid, ran)
        if uid == self.head:
            self._head_again()
        self.fill()

    def _head_again(self) -> None:
        """What the head reads is not where it was thought to be: ask the round anew."""
        session, uid = self.session, self.head
        assert session.round is not None and uid is not None
        self.head = session.running = None
        if session.round.over:
            session.unsettled.add(uid)
            session.emitter.emit(CellEvent(cell=session.cells[uid].id, status="cancelled"))
        else:
            session.round.again(uid)
        session.advance()

    # ------------------------------------------------------------------ ends

    def ended(self, lane: Lane, job: Job, report: CellEnded) -> None:
        uid, ahead, session = job.uid, self.ahead, self.session
        assert ahead is not None
        self.transfers.made(report, lane.place)
        self.where[uid], self.seen[uid], self.stops[uid] = lane.place, job.seen, (job.stopping, job.over)
        if report.outcome == GOOD and report.values:
            lane.unshared.add(uid)
        if job.void and (self.head == uid or not self.over):
            if any(change.owner is None for change in report.changed):
                self.backlog.emit(overtaken(session.cells[uid]))
                self.one_by_one()
            else:
                self._repeat(uid, ran=True)
            return
        self.choice.pull(uid, lane)
        tell_end(session, uid, report, job.stopping, job.over, self.backlog.emit)
        ahead.ends(uid, report)
        if self.cache is not None:
            self.cache.ended(lane, job, report)
        self._next(uid, report)

    def _next(self, uid: int, report: CellEnded) -> None:
        session = self.session
        if self.head == uid:
            self.head = session.running = None
            self._retire(uid, report)
        session.advance()
        self.fill()

    def died(self, lane: Lane, reason: str) -> None:
        """A lane is gone, and what only it held."""
        session, job = self.session, lane.job
        limit = lane.last_words()
        if limit is None and self.carry.kills(lane):
            reason = UNSENT
        self.roster.lanes.remove(lane)
        self.transfers.lost(lane.place)
        lane.job = None
        if self.cache is not None:
            self.cache.lost(lane, dead=True)
        self.carry.lost()
        if job is not None and job.running and not job.void:
            self._tell_killed(job, limit or reason)
        lane.tell_death(reason)
        if self.ahead is None or session.round is None:
            return
        if not lane.ready and self.surveyed is not None:  # the setup does not bear a second process
            self.one_by_one()
            return
        if not self.over:
            self.roster.hire(restarted=reason != UNSENT)
        if job is None:
            session.advance()  # the round may have waited for what it was writing
            self.fill()
        else:
            self._killed(job)

    def killed(self, lane: Lane, job: Job, reason: str) -> None:
        """The process of a cell is gone, and its lane is not."""
        lane.job = None
        if not job.void:
            self._tell_killed(job, reason)
        self._killed(job)

    def _tell_killed(self, job: Job, reason: str) -> None:
        cell = self.session.cells[job.uid]
        self.backlog.emit(CellEvent(cell=cell.id, status="killed", seconds=job.seconds, reason=reason))

    def _killed(self, job: Job) -> None:
        if not job.running or job.void:
            self._repeat(job.uid, ran=job.running)
            return
        report = CellEnded(uid=job.uid, outcome="killed", seconds=job.seconds)
        assert self.ahead is not None
        self.seen[job.uid], self.stops[job.uid] = job.seen, (job.stopping, None)
        self.where.pop(job.uid, None)
        self.transfers.dropped(job.uid)
        self.ahead.ends(job.uid, report)
        self._next(job.uid, report)

    def interrupt(self, why: str) -> None:
        """Stop all that runs."""
        self.roster.interrupt(why)

    def call_off(self, uids: list[int]) -> list[int]:
        """The round begins nothing more: those of `uids` that are to be told as cancelled. What runs ahead is stopped,
        or goes without having been told."""
        self.over = True
        if self.ahead is None:
            return uids
        lane = self.roster.at(self.head) if self.head is not None else None
        if self.head is not None and (lane is None or not lane.runs):
            if lane is not None:  # what it reads is on its way, which may take any time
                self.roster.dismiss(lane)
            uids = [self.head, *uids]
            self.head = self.session.running = None
            self.session.loop.post(self.session.advance)
        if not self.backlog.live:
            for lane in [lane for lane in self.roster.lanes if lane.job is not None and lane.job.uid != self.head]:
                self.roster.dismiss(lane)
            return uids
        running = self.roster.running()
        return [uid for uid in uids if uid not in running and uid not in self.ahead.ended]

    def one_by_one(self, advance: bool = True) -> None:
        """Side by side can't give what a fresh run gives: all cells run again, in turn, in the kernel that has run the
        setup and nothing else."""
        session, self.over = self.session, True
        for uid in self.roster.running():
            self.backlog.emit(overtaken(session.cells[uid]))
        self.roster.dismiss_all()
        self.close()
        self.backlog.one_by_one()
        session.ask_again([cell.id for cell in session.cells.values()])
        session.gone, session.crew = self.roster.reap, None
        session.running = session.stopping = None
        session.world.begin_again()
        if session.round is not None and not session.round.over:
            session.make_round()
        if advance:
            session.advance()

    def kill(self, why: str) -> None:
        self.roster.kill(why)

    def answer(self, text: str | None) -> bool:
        """The line for the cell whose turn it is; False if none of ours asked."""
        lane = self.roster.at(self.head) if self.head is not None else None
        if lane is None or not lane.runs:
            return False
        lane.answer(text)
        return True

    def stop(self, then: Callable[[], None] | None = None) -> None:
        """Ask all workers to end, and call `then` when they have."""
        self.over = True
        self.roster.stop(then)

    def close(self) -> None:
        """Let go of all that lies between workers."""
        if self.cache is not None:
            self.cache.close()
        self.transfers.close()
        if self.afar is not None:
            self.afar.close()
