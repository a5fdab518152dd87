"""A lane that leads to a Dask cluster: its cell runs in a child process on some worker there.

All such lanes share one place, the store, where each cell's values lie before its end is told. What a worker can't do, the
crew does here: the cell is called back and stays on this machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnb.engines.work import Begun, Outcome, Raw, Words
from rnb.host.ends import judge, overtaken, retry_note
from rnb.host.lane import FAR, Job, Lane
from rnb.host.limiting import LIMIT
from rnb.host.output import Output
from rnb.host.showing import Showing, Shown
from rnb.host.transfers import Stored
from rnb.messages import CellEnded, CellEvent, Exported, Kept

if TYPE_CHECKING:
    from rnb.engines.cluster import Submission
    from rnb.host.afar import Afar
    from rnb.host.drafts import Draft
    from rnb.host.loop import Timer
    from rnb.host.transfers import Parcel

GRACE = 4.0  # seconds that a cell which is being stopped may take to say so
LOST = "its worker was lost: it runs again"


class Far(Lane):
    far = True
    ready = True
    place = FAR

    def __init__(self, afar: Afar, number: int):
        super().__init__()
        self.afar, self.crew, self.session, self.number = afar, afar.crew, afar.crew.session, number
        session = self.session
        output = Output(_nowhere, session.settings.output_limit)
        self.showing = Showing(self.crew.backlog, session.state, session.places, _nothing, output)
        self.submission: Submission | None = None
        self.kept: Kept | None = None  # what was kept of the cell that has just ended
        self.begun = False
        self.stopped = False
        self._timer: Timer | None = None

    @property
    def alive(self) -> bool:
        return not self.stopped

    @property
    def gives(self) -> bool:
        return not self.stopped

    # ------------------------------------------------------------------ values

    def take(self, parcel: Parcel | Stored) -> None:
        if isinstance(parcel, Stored):
            self.afar.depot.take(parcel)
            self.session.loop.post(lambda: self.crew.carry.taken(self, parcel, ""))
        else:
            self.afar.depot.upload(parcel, lambda failure: self.crew.carry.taken(self, parcel, failure))

    def give(self, uid: int, slots: list[str]) -> None:
        self.afar.depot.download(uid, lambda: self.crew.carry.given(self, Exported(uid=uid, parts=[])))

    def keep(self, draft: Draft) -> None:
        """The worker has done it, with the other values: `draft` needs no file of ours."""
        assert self.crew.cache is not None
        draft.staged = ""
        self.crew.cache.kept(draft, self.kept or Kept(uid=draft.uid, reason="its worker did not keep it"))

    def release(self, fd: int) -> None:
        """Nothing of ours is open for it."""

    # ------------------------------------------------------------------ one cell

    def run(self) -> None:
        job = self.job
        assert job is not None
        if not (job.running or job.wanted or job.parcels):
            self._send(job, alone=False)

    def _send(self, job: Job, alone: bool) -> None:
        """`alone`: no other run of equal work will do."""
        job.begins()
        self.begun = False
        work = self.afar.work(job, alone or job.attempts > 0)
        if work is None:
            self._refused(job, "")
            return
        self.submission = self.afar.cluster.submit(work, self._words, self._end)

    def _begin(self, job: Job) -> None:
        cell = self.session.cells[job.uid]
        if self.begun:  # another worker has taken it over
            self.showing.flush()
            self.crew.backlog.emit(overtaken(cell, LOST))
            self.crew.backlog.forget(cell.id)
        self.begun = True
        self.showing.output.begin(cell.id, self.session.limits.shown(cell))
        self.crew.backlog.emit(CellEvent(cell=cell.id, status="running"))
        seconds = self.session.limits.of(cell).timeout
        self._cancel_timer()
        if seconds is not None:
            self._timer = self.session.loop.after(seconds, lambda: self._late(job, f"timeout after {seconds:g} s"))

    def _late(self, job: Job, words: str) -> None:
        if job.stopping is None:
            self.interrupt(LIMIT)
            job.over = words

    def interrupt(self, why: str) -> None:
        job = self.job
        if job is None or not job.running or job.stopping is not None or self.submission is None:
            return
        job.stopping = why
        submission = self.submission
        self.afar.cluster.release(submission)
        ended = CellEnded(uid=job.uid, outcome="interrupted", seconds=0.0)
        outcome = Outcome(submission=submission.work.submission, ended=ended)
        self._cancel_timer()
        self._timer = self.session.loop.after(GRACE if self.begun else 0.0, lambda: self._force(submission, outcome))

    def _force(self, submission: Submission, outcome: Outcome) -> None:
        """It has not said that it ended: perhaps others want it, perhaps its worker is gone."""
        if submission is self.submission:
            self.afar.cluster.forget(submission)
            self._end(outcome)

    def kill(self, why: str) -> None:
        if self.submission is not None:
            self._force(self.submission, Outcome(submission="", died=why))

    def answer(self, text: str | None) -> None:
        """What runs there asks for nothing."""

    def give_input(self) -> None:
        """What runs there asks for nothing."""

    # ------------------------------------------------------------------ what it says

    def _words(self, words: Words) -> None:
        job = self.job
        if job is None:
            return
        for word in words:
            if isinstance(word, Begun):
                self._begin(job)
            elif isinstance(word, Raw):
                self.showing.output.write(word.stream, word.data, "raw")
            elif isinstance(word, Shown):
                self.showing.take(self.afar.renamed(word, job.uid), job.uid)

    def _end(self, outcome: Outcome) -> None:
        job, submission, self.submission = self.job, self.submission, None
        self._cancel_timer()
        if job is None:
            return
        if outcome.refused:
            self._refused(job, outcome.refused, bool(outcome.unfit))
        elif submission is not None and outcome.submission not in ("", submission.work.submission):
            self._joined(job, outcome)
        elif outcome.ended is None:
            self._flush(outcome)
            self.crew.killed(self, job, job.over or outcome.died)
        else:
            self._ended(job, outcome, outcome.ended)

    def _joined(self, job: Job, outcome: Outcome) -> None:
        """Equal work that another one had asked for has ended. Take what it gave, if it is what ours would give."""
        if outcome.ended is None or not self.afar.equal(job, outcome):
            self._send(job, alone=True)
            return
        outcome.ended.uid = job.uid
        self._begin(job)
        self._words([word for word in outcome.said if not isinstance(word, Begun)])
        self._ended(job, outcome, outcome.ended)

    def _ended(self, job: Job, outcome: Outcome, report: CellEnded) -> None:
        if report.changed and not job.void:  # it changed copies: only here it can change what others hold
            self._refused(job, "")
            return
        cut = self._flush(outcome)
        job.stopping = judge(report, job.stopping, job.over)
        cell = self.session.cells[job.uid]
        if report.outcome == "failed" and job.attempts < cell.options.retries and not job.void:
            job.attempts += 1
            self._send(job, alone=True)
            self.crew.backlog.emit(retry_note(cell, job.attempts))
            return
        job.cut, self.kept = cut, outcome.kept
        self.afar.ended(job, outcome, report)
        self.job = None
        self.crew.ended(self, job, report)

    def _flush(self, outcome: Outcome) -> bool:
        """All that it wrote goes out; whether that was cut, which is told with the true size."""
        output = self.showing.output
        output.bytes = max(output.bytes, outcome.written)
        return self.showing.flush()

    def _refused(self, job: Job, reason: str, unfit: bool = False) -> None:
        """Nothing that a worker can do: the cell runs here."""
        self.showing.flush()
        self.afar.refused(job.uid, reason, unfit)
        self.crew.call_back(self, ran=self.begun)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # ------------------------------------------------------------------ its end

    def stop(self) -> None:
        self.dismiss()

    def dismiss(self) -> None:
        self._cancel_timer()
        if self.submission is not None:
            self.afar.cluster.forget(self.submission)
        self.submission, self.job, self.stopped = None, None, True

    def last_words(self) -> str | None:
        return None

    def tell_death(self, reason: str) -> None:
        """No kernel of ours."""

    def reap(self) -> None:
        """No child of ours."""


def _nowhere(cell: str) -> None:
    """What is more than is shown stays on the worker, and goes."""


def _nothing() -> None:
    """Raw output comes in order with all else."""
