"""`rnb sweep -j N`: points side by side.

The *trunk* is a session that runs the shared part: the cells that no varying parameter reaches. *Branches* are sessions
that go on from there (branch.py), each with its share of the points (shares.py), one round a point. So a point sees what
it would see in one kernel that visits all of them, and the shared part runs once. The trunk runs nothing more: where a
point has killed its branch's kernel, the branch gets another from it. Where a kernel can't be forked, branches begin with
a new one, run the setup, and get the shared values as copies, as far as these can be pickled.
"""

from __future__ import annotations

from rnb.host.branch import Marked, branch
from rnb.host.command import Command
from rnb.host.session import Session
from rnb.host.shares import Shares
from rnb.host.sweep import Began, Sweep, refuse
from rnb.host.transfers import Parcel, Transfers
from rnb.messages import AnyReport, Export, Exported, Fetched, Release, Survey, Surveyed

TRUNK = 0


class Branch:
    """One worker: its session, the point that it is at, and copies of values that are still on their way to it."""

    def __init__(self, session: Session, number: int, began: Began, parcels: list[Parcel]) -> None:
        self.session, self.number, self.began = session, number, began
        self.place: int | None = None
        self.parcels = parcels
        self.over = False


class Together(Command):
    """A command whose signals concern all branches."""

    branches: Branches

    def _child(self) -> None:
        super()._child()
        for one in self.branches.all:
            one.session.supervisor.reap()

    def on_interrupt(self) -> None:
        if self.interrupts > 1:
            self.ended_by = 130
            self.loop.stop(130)
        else:
            self.end_now(130, "interrupt")

    def end_now(self, code: int, reason: str) -> None:
        if self.branches.all:
            self.branches.call_off(code, reason)
        else:
            super().end_now(code, reason)


class Branches:
    def __init__(self, sweep: Sweep) -> None:
        self.sweep = sweep
        self.began = Began()
        self.command = Together(lambda state, path: [*sweep.sinks(state, path), self.began])
        self.command.branches = self
        self.shares = Shares(sweep.order, sweep.jobs)
        self.all: list[Branch] = []
        self.forking = True
        self.transfers = Transfers()
        self.exporting: set[int] = set()
        self.before: tuple[int, float] | None = (
            None  # cells that ran in the trunk, and seconds: told with the first point
        )

    def run(self) -> int | None:
        """The exit code; None if no kernel could be kept up with the shared part."""
        command, sweep = self.command, self.sweep
        shared = [cell.id for cell in sweep.notebook.cells if cell.id not in sweep.touched]
        try:
            command.end_after(sweep.timeout)
            trunk = self.trunk = command.open_session(sweep.settings(sweep.order[0], shared), self._grown)
            try:
                trunk.open(sweep.notebook)
                command.loop.run()
                for session in (trunk, *(one.session for one in self.all)):
                    refuse(session)
            finally:
                self._close()
        finally:
            command.close()
        if trunk.no_kernel and not command.ended_by:
            return None
        return command.ended_by or sweep.worst

    def _close(self) -> None:
        for one in self.all:
            if one.session.kernel is not None and one.session.kernel.status is None:
                one.session.supervisor.stop()
        for one in self.all:
            self.command.close_session(one.session)
        self.command.close_session(self.trunk)
        self.transfers.close()

    # ------------------------------------------------------------------ the trunk

    def _grown(self) -> None:
        """The shared part has run."""
        trunk, command = self.trunk, self.command
        if command.ended_by is not None or trunk.failures or trunk.no_kernel:
            command.loop.stop(command.ended_by or 0)
            return
        finished = trunk.state.finished
        self.before = (self.began.taken(), finished.seconds if finished else 0.0)
        trunk.hear_more = self._hear
        trunk.supervisor.on_death = lambda reason: self._trunk_died()
        trunk.supervisor.send(Survey())

    def _hear(self, report: AnyReport) -> None:
        if isinstance(report, Surveyed):
            self.forking = not report.unforkable
            if report.unforkable:
                self._export()
            if not self.exporting:
                self._branch_out()
        elif isinstance(report, Exported) and report.uid in self.exporting:
            self.exporting.discard(report.uid)
            self.transfers.exported(report, TRUNK)
            if report.fd >= 0:
                self.trunk.supervisor.send(Release(fd=report.fd))
            if not self.exporting:
                self._branch_out()

    def _export(self) -> None:
        world = self.trunk.world
        for uid, values in world.actual.items():
            if values:
                self.exporting.add(uid)
                self.trunk.supervisor.send(Export(uid=uid, slots=list(values)))

    def _trunk_died(self) -> None:
        """Nothing grows from it any more: new branches make the shared part again."""
        self.forking = False
        self.exporting.clear()
        if not self.all:
            self._branch_out()

    # ------------------------------------------------------------------ the branches

    def _branch_out(self) -> None:
        for number in range(self.sweep.jobs):
            self._grow(number)

    def _grow(self, number: int) -> None:
        """A branch for this share of the points, if there is something left for it."""
        place = self.shares.next(number)
        if place is None:
            return
        sweep, began = self.sweep, Began()
        sinks = [sink for sink in self.trunk.emitter.sinks if sink is not self.began]
        parcels = [] if self.forking else self._parcels()
        only: list[str] | None = [] if parcels else None
        session = branch(
            self.command,
            self.trunk,
            sweep.settings(place, only),
            [Marked(sinks, number + 1), began],
            lambda: self._round_over(one),
            lambda: self.forking,
        )
        one = Branch(session, number, began, parcels)
        one.place = place
        session.hear_more = lambda report: self._brought(one, report)
        self.all.append(one)
        session.recheck(parameters=True)

    def _parcels(self) -> list[Parcel]:
        """What has been copied, in the order in which it was made."""
        place = self.trunk.current.links.place
        found = {id(parcel): parcel for parcel in self.transfers.parcels.values()}
        return sorted(found.values(), key=lambda parcel: place[parcel.uid])

    def _round_over(self, one: Branch) -> None:
        if self.command.ended_by is not None or one.session.failures:
            self._through(one, stop=True)
        elif one.session.settings.only is not None:  # the setup has run: now the values
            self._bring(one)
        else:
            self._point_over(one)

    def _bring(self, one: Branch) -> None:
        session = one.session
        session.settings.only = None
        for parcel in one.parcels:
            session.supervisor.send(parcel.load(session.cells[parcel.uid].id))

    def _brought(self, one: Branch, report: AnyReport) -> None:
        if not isinstance(report, Fetched) or not one.parcels:
            return
        parcel = one.parcels.pop(0)
        if not report.failure:
            one.session.world.actual.setdefault(parcel.uid, {}).update(parcel.slots)
        if not one.parcels:
            whole = self.trunk.world.actual
            here = one.session.world.actual
            for uid in [uid for uid, values in here.items() if values.keys() != whole.get(uid, {}).keys()]:
                del here[uid]  # a part of what the cell shares is of no use
            self._visit(one)

    def _visit(self, one: Branch) -> None:
        assert one.place is not None
        session = one.session
        session.world.parameters = self.sweep.given(one.place)
        self.command.loop.post(lambda: session.recheck(parameters=True))

    def _point_over(self, one: Branch) -> None:
        assert one.place is not None
        session = one.session
        ran, seconds = one.began.taken(), session.state.finished.seconds if session.state.finished else 0.0
        self.shares.took(one.number, seconds)
        more, before = self.before if self.before and one.place == self.sweep.order[0] else (0, 0.0)
        self.sweep.ended(one.place, session, ran + more, before)
        if session.no_kernel:
            self.shares.give_up()
            self._through(one)
            return
        one.place = self.shares.next(one.number)
        if one.place is None:
            self._through(one)
        else:
            self._visit(one)

    def _through(self, one: Branch, stop: bool = False) -> None:
        """No more points for this one."""
        one.over = True
        if stop:
            self.shares.give_up()
        if all(other.over for other in self.all) or one.session.failures:
            self.command.loop.stop(self.command.ended_by or 0)

    def call_off(self, code: int, reason: str) -> None:
        """Nothing more begins; what runs is interrupted, or with 143 ended."""
        self.command.ended_by = self.command.ended_by or code
        self.shares.give_up()
        for one in self.all:
            session = one.session
            if session.round is None:
                self._through(one)
                continue
            session.pending = None
            session.cancel_waiting(reason)
            session.closing = True
            if not session.busy:
                session.advance()
            elif code == 143:
                session.runner.kill(reason)
            else:
                session.stop_running(reason)
