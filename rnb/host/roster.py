"""The lanes of a crew: hired when there is work for another, found by place, ended together."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from rnb.engines.spawn import Forked
from rnb.host.lane import Lane
from rnb.host.lanes import Lanes
from rnb.host.worker import Worker
from rnb.messages import Fork

if TYPE_CHECKING:
    from rnb.host.crew import Crew


class Roster:
    def __init__(self, crew: Crew):
        self.crew = crew
        self.lanes = Lanes()
        self.gone: list[Lane] = []  # dismissed, perhaps not ended yet
        self.births = 0
        self.then: Callable[[], None] | None = None  # to call when all have ended

    @property
    def alive(self) -> bool:
        return any(lane.alive for lane in self.lanes)

    @property
    def busy(self) -> bool:
        return any(lane.busy for lane in self.lanes)

    @property
    def room(self) -> bool:
        """Whether a cell could be taken now."""
        afar = self.crew.afar
        return self.lanes.own < self.crew.jobs or bool(self.lanes.idle) or (afar is not None and afar.room)

    def at(self, uid: int) -> Lane | None:
        """The lane that has this cell as its job."""
        return self.lanes.at(uid)

    def giver(self, place: int) -> Lane | None:
        """A lane that can give what lies in this place, now."""
        return next((lane for lane in self.lanes.in_place(place) if lane.gives), None)

    def running(self) -> list[int]:
        """The cells that run."""
        return [lane.job.uid for lane in self.lanes if lane.job is not None and lane.runs]

    def hire(self, restarted: bool = False) -> Lane:
        """Another worker: forked from the kernel that has run the setup, or begun anew."""
        crew = self.crew
        lane = Worker(crew, self.births)
        self.births += 1
        self.lanes.append(lane)
        assert crew.surveyed is not None and crew.ahead is not None
        kernel = crew.session.kernel
        if crew.surveyed.unforkable or kernel is None:
            lane.start(None, restarted)
            return lane
        forked = Forked()
        lane.start(forked, restarted)
        kernel.send(Fork(seeded=crew.ahead.seeded))
        kernel.send_descriptors(forked.ends)
        forked.handed_over()
        return lane

    # ------------------------------------------------------------------ the end

    def interrupt(self, why: str) -> None:
        for lane in self.lanes:
            lane.interrupt(why)

    def kill(self, why: str) -> None:
        for lane in self.lanes:
            if lane.busy:
                lane.kill(why)

    def stop(self, then: Callable[[], None] | None) -> None:
        """Ask all to end, and call `then` when they have."""
        self.then = then or self.then
        for lane in self.lanes:
            lane.stop()
        self.has_ended()

    def has_ended(self) -> None:
        """A lane has: whether it was the last."""
        if self.then is not None and not self.alive:
            then, self.then = self.then, None
            then()

    def dismiss(self, lane: Lane) -> None:
        """End it; nobody waits for what it does."""
        lane.dismiss()
        if self.crew.cache is not None:
            self.crew.cache.lost(lane, dead=False)
        self.lanes.remove(lane)
        self.gone.append(lane)

    def dismiss_all(self) -> None:
        for lane in self.lanes:
            self.dismiss(lane)

    def reap(self) -> None:
        for lane in [*self.lanes, *self.gone]:
            lane.reap()
