"""A lane on this machine: a kernel of its own, forked from the one that has run the setup or started afresh.

First the values of a job come, then its cell runs. Streams, displays and errors become events at once; how a cell ended
goes to the crew, which knows whose turn it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnb.engines.spawn import Forked
from rnb.host.ends import attempt_failed, judge, retry_note
from rnb.host.hear import kernel_failed
from rnb.host.lane import Job, Lane
from rnb.host.limiting import LIMIT, Limiting
from rnb.host.output import Output
from rnb.host.process import KernelProcess
from rnb.host.showing import Showing
from rnb.host.supervisor import Supervisor, configuration
from rnb.host.tasks import cell_task, setup_task
from rnb.messages import (
    Answer,
    AnyReport,
    CellEnded,
    CellError,
    CellEvent,
    Display,
    Export,
    Exported,
    Failed,
    Fetched,
    InputWanted,
    Kept,
    Loaded,
    Progress,
    Ready,
    Release,
    SetupEnded,
    Stream,
)
from rnb.plan.setup import SetupPlan

if TYPE_CHECKING:
    from rnb.host.crew import Crew
    from rnb.host.drafts import Draft
    from rnb.host.transfers import Parcel, Stored


class Worker(Lane):
    def __init__(self, crew: Crew, number: int):
        super().__init__()
        session, settings = crew.session, crew.session.settings
        self.crew, self.session = crew, session
        self.number = self.place = number
        self.settings, self.loop, self.setup, self.cells = settings, session.loop, session.setup, session.cells
        self.emitter = crew.backlog
        self.supervisor = Supervisor(
            session.loop,
            session.emitter,
            configuration(settings.path, settings.track, settings.columns, settings.frames, workers=True),
            self._report,
            self._raw,
            lambda reason: crew.died(self, reason),
        )
        output = Output(session.showing.output.keep, settings.output_limit)
        self.showing = Showing(crew.backlog, session.state, session.places, self.supervisor.drain, output)
        self.limits = Limiting(self, session.limits)

    def _raw(self, stream: str, data: bytes) -> None:
        if self.ready:
            self.showing.output.write(stream, data, "raw")

    # ------------------------------------------------------------------ what `Limiting` looks at

    @property
    def kernel(self) -> KernelProcess | None:
        return self.supervisor.process

    @property
    def root(self) -> int:
        return self.kernel.pid if self.kernel is not None else 0

    @property
    def running(self) -> int | None:
        return self.job.uid if self.job is not None and self.job.running else None

    @property
    def stopping(self) -> str | None:
        return self.job.stopping if self.job is not None else None

    @stopping.setter
    def stopping(self, why: str | None) -> None:
        if self.job is not None:
            self.job.stopping = why

    def cancel_waiting(self, why: str) -> None:
        self.session.cancel_waiting(why)

    # ------------------------------------------------------------------ its life

    def start(self, forked: Forked | None, restarted: bool) -> None:
        """Take the worker that is being forked, or start a kernel and run the setup in it."""
        self.ready = forked is not None
        self.supervisor.start(restarted, forked)

    def stop(self) -> None:
        self.supervisor.end(self.crew.roster.has_ended)

    @property
    def alive(self) -> bool:
        process = self.supervisor.process
        return process is not None and process.status is None

    def kill(self, why: str) -> None:
        self.supervisor.kill(why)

    def _asks_no_more(self) -> None:
        if self.job is not None:
            self.session.no_answer(self.session.cells[self.job.uid].id)

    def dismiss(self) -> None:
        self._asks_no_more()
        self.limits.end()
        self.supervisor.answered()
        self.supervisor.ending = True
        if self.supervisor.process is not None:
            self.supervisor.process.kill()
        self.job = None

    def last_words(self) -> str | None:
        self._asks_no_more()
        self.limits.end()
        self.showing.flush()
        return self.limits.broken if self.job is not None and self.job.stopping == LIMIT else None

    def tell_death(self, reason: str) -> None:
        if self.supervisor.process is not None and self.supervisor.process.pid:
            self.supervisor.tell("died", reason)

    def reap(self) -> None:
        self.supervisor.reap()

    # ------------------------------------------------------------------ values

    def take(self, parcel: Parcel | Stored) -> None:
        self.supervisor.send(parcel.load(self.cells[parcel.uid].id))

    def give(self, uid: int, slots: list[str]) -> None:
        self.supervisor.send(Export(uid=uid, slots=slots))

    def keep(self, draft: Draft) -> None:
        assert self.crew.cache is not None
        self.keeps.append(draft)
        self.supervisor.send(self.crew.cache.drafts.task(draft))

    def _kept(self, report: Kept) -> None:
        assert self.crew.cache is not None
        self.supervisor.answered()
        self.crew.cache.kept(self.keeps.pop(0), report)
        if self.job is not None:
            self.run()
        self.session.advance()

    def release(self, fd: int) -> None:
        self.supervisor.send(Release(fd=fd))

    # ------------------------------------------------------------------ one cell

    def run(self) -> None:
        job = self.job
        assert job is not None
        if job.running or job.wanted or job.parcels or self.keeps or not self.ready:
            return
        if job.void or self.crew.over:
            self.crew.call_back(self)
            return
        self.crew.carry.share_first(self)
        self._send(job)

    def _send(self, job: Job) -> None:
        session, cell = self.session, self.session.cells[job.uid]
        job.begins()
        self.showing.output.begin(cell.id, self.limits.shown(cell))
        self.crew.backlog.emit(CellEvent(cell=cell.id, status="running"))
        given, strict = session.world.parameters, session.settings.strict
        task = cell_task(session.current.now, cell, job.uid, session.current.links, given, strict)
        self.limits.begin(cell)  # before it can have used anything
        self.supervisor.send(task)

    def interrupt(self, why: str) -> None:
        if self.job is not None and self.job.running and self.job.stopping is None:
            self.job.stopping = why
            self.supervisor.interrupt(why)
        elif self.keeps and self.crew.over:
            self.supervisor.interrupt(why)

    def answer(self, text: str | None) -> None:
        if self.job is not None:
            self.job.asked = None
        self.supervisor.send(Answer(text=text))

    def give_input(self) -> None:
        job = self.job
        if job is not None and job.asked is not None and not job.void:
            asked, job.asked = job.asked, None
            self.showing.take(asked, job.uid)
            self.session.ask(asked.cell, asked.prompt, asked.password)

    def _ended(self, report: CellEnded) -> None:
        job = self.job
        if job is None or not job.running or job.uid != report.uid:
            return
        self.supervisor.answered()
        job.over = self.limits.end()
        job.cut = self.showing.flush()
        job.stopping = judge(report, job.stopping, job.over)
        cell = self.session.cells[job.uid]
        self.session.no_answer(cell.id)
        if report.outcome == "failed" and job.attempts < cell.options.retries and not job.void:
            job.attempts += 1
            self.crew.backlog.emit(attempt_failed(cell, job.attempts, report))
            self._send(job)
            self.crew.backlog.emit(retry_note(cell, job.attempts))
            return
        self.job = None
        self.crew.ended(self, job, report)

    # ------------------------------------------------------------------ what it says

    def _report(self, report: AnyReport) -> None:
        if isinstance(report, Stream | Display | CellError | Progress):
            if isinstance(report, CellError):
                self.limits.failed(report.message)
            if self.ready:  # what the setup says again is known
                self.showing.take(report, self.job.uid if self.job else None)
        elif isinstance(report, InputWanted):
            self._asks(report)
        elif isinstance(report, CellEnded):
            self._ended(report)
        elif isinstance(report, Exported):
            self.crew.carry.given(self, report)
        elif isinstance(report, Fetched):
            self._taken(report.failure)
        elif isinstance(report, Loaded):
            self._taken(report.reason)
        elif isinstance(report, Kept):
            self._kept(report)
        elif isinstance(report, Ready):
            self._is_up(report)
        elif isinstance(report, SetupEnded):
            self._setup_ended(report)
        elif isinstance(report, Failed) and (self.ready or report.kind != "parameter"):
            kernel_failed(self.session, report, self.supervisor)

    def _taken(self, failure: str) -> None:
        """A kernel answers in order."""
        if self.job is not None and self.job.parcels:
            self.crew.carry.taken(self, self.job.parcels[0], failure)

    def _is_up(self, report: Ready) -> None:
        if self.supervisor.is_up(report.pid):
            return
        session = self.session
        plan = SetupPlan(run=list(range(len(session.current.now.setup))))
        self.supervisor.send(setup_task(session.current.now, plan, session.world.parameters))

    def _setup_ended(self, report: SetupEnded) -> None:
        if all(statement.ok for statement in report.statements):
            self.ready = True
            if self.job is not None:
                self.run()
        else:
            self.supervisor.kill("the setup failed in a second process")

    def _asks(self, report: InputWanted) -> None:
        if self.job is None or not self.ready:
            self.answer(None)
            return
        self.job.asked = report
        if self.crew.head == self.job.uid:
            self.give_input()
        else:
            self.crew.fill()
