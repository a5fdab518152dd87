"""Values on their way between workers: asked of the one that has them, kept as parcels, sent to the one that needs them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnb.host.lane import Lane
from rnb.host.transfers import LARGE, Stored
from rnb.messages import Exported

if TYPE_CHECKING:
    from rnb.host.crew import Crew
    from rnb.host.transfers import Parcel


class Carry:
    def __init__(self, crew: Crew):
        self.crew = crew

    def bring(self, lane: Lane) -> None:
        """Send the job what it lacks, or ask for it."""
        job = lane.job
        assert job is not None
        missing = self.crew.choice.missing(job.seen, lane.place)
        if missing is None:
            self.crew.call_back(lane)
            return
        for key, state in missing.items():
            parcel = self.crew.transfers.parcel(key, state)
            if parcel is not None and parcel not in job.parcels:
                job.parcels.append(parcel)
            elif parcel is None and key[0] not in job.wanted:
                source = self.crew.choice.source(key, state)
                assert source is not None
                job.wanted.add(key[0])
                self._give(source, key[0])
        if not job.wanted:
            for parcel in job.parcels:
                lane.take(parcel)
            lane.run()

    def lost(self) -> None:
        """A lane is gone: what it was asked for will not come."""
        for lane in self.crew.roster.lanes:
            if lane.job is not None and lane.job.wanted:
                lane.job.wanted.clear()
                self.bring(lane)

    def _give(self, lane: Lane, uid: int) -> None:
        transfers = self.crew.transfers
        slots = [slot for slot in transfers.slots.get(uid, ()) if (uid, slot) not in transfers.stays]
        lane.unshared.discard(uid)
        lane.giving.append(uid)
        lane.give(uid, slots)

    def share_first(self, lane: Lane) -> None:
        """Before this worker is busy: let others have what only it has and cells that wait will read."""
        assert self.crew.ahead is not None and lane.job is not None
        if self.crew.jobs == 1 and self.crew.afar is None:
            return
        for uid in list(lane.unshared):
            started = self.crew.ahead.started
            readers = any(r not in started and r != lane.job.uid for r in self.crew.ahead.links.readers[uid])
            size = self.crew.transfers.size_of(uid)
            if readers and size < LARGE:
                self._give(lane, uid)
            if not readers or size < LARGE:
                lane.unshared.discard(uid)

    def kills(self, lane: Lane) -> bool:
        """A lane has died: whether over a value that it was to give, or to take, before it began its cell."""
        job = lane.job
        if job is not None and job.stopping is not None:
            return False
        if lane.giving:
            self.crew.transfers.deadly.add(lane.giving[0])
        elif job is not None and job.parcels and not job.running and not job.wanted and lane.ready:
            self.crew.transfers.deadly.add(job.parcels[0].uid)
            self.crew.transfers.refused(job.parcels[0])
        else:
            return False
        if job is not None:
            job.void = True
        return True

    def given(self, lane: Lane, report: Exported) -> None:
        lane.giving.remove(report.uid)
        self.crew.transfers.exported(report, lane.place)
        if report.fd >= 0:
            lane.release(report.fd)
        for other in self.crew.roster.lanes:
            job = other.job
            if job is not None and report.uid in job.wanted:
                job.wanted.discard(report.uid)
                if not job.wanted:
                    self.bring(other)
        self.crew.fill()

    def taken(self, lane: Lane, parcel: Parcel | Stored, failure: str) -> None:
        job = lane.job
        if job is None or parcel not in job.parcels:  # the job that it was for has been called back
            return
        job.parcels.remove(parcel)
        if failure:
            self.crew.transfers.refused(parcel)
            if isinstance(parcel, Stored) and self.crew.cache is not None:
                self.crew.cache.not_loaded(parcel.uid, failure)
            job.void = True
        else:
            self.crew.transfers.loaded(parcel, lane.place)
        if job.parcels:
            return
        if job.void:
            self.crew.call_back(lane)
        else:
            lane.run()
