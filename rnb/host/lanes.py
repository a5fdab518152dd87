"""The lanes that a crew has, in the order of hiring: found by their cell, by their place, and those that are idle. The lanes
of a cluster (`far`) are counted apart.

Whoever has many lanes asks for one of them at every cell that begins or ends, so nothing here looks at all of them.
"""

from __future__ import annotations

from collections.abc import Iterator

from rnb.host.lane import FAR, Job, Lane


class Lanes:
    def __init__(self) -> None:
        self._all: dict[int, Lane] = {}  # by number
        self._places: dict[int, dict[int, Lane]] = {}
        self._cells: dict[int, Lane] = {}
        self.idle: dict[int, dict[int, Lane]] = {}  # by place, then by number
        self.away: dict[int, Lane] = {}  # those of a cluster that are idle, by number

    def __iter__(self) -> Iterator[Lane]:
        """Lanes may come and go meanwhile: what is done with one has the crew hire or let go of others."""
        return (lane for lane in list(self._all.values()) if lane.number in self._all)

    def __len__(self) -> int:
        return len(self._all)

    @property
    def own(self) -> int:
        """How many are on this machine."""
        return len(self._all) - self.far

    @property
    def far(self) -> int:
        """How many lead to a cluster."""
        return len(self._places.get(FAR, ()))

    @property
    def first(self) -> Lane:
        """The first of this machine."""
        return next(lane for lane in self._all.values() if not lane.far)

    def at(self, uid: int) -> Lane | None:
        """The one that has this cell as its job."""
        return self._cells.get(uid)

    def in_place(self, place: int) -> Iterator[Lane]:
        """Those whose values lie there."""
        return iter(self._places.get(place, {}).values())

    def append(self, lane: Lane) -> None:
        self._all[lane.number] = lane
        self._places.setdefault(lane.place, {})[lane.number] = lane
        lane.moved = self._moved
        self._moved(lane, None)

    def remove(self, lane: Lane) -> None:
        del self._all[lane.number], self._places[lane.place][lane.number]
        self._busy(lane)
        if lane.job is not None:
            self._cells.pop(lane.job.uid, None)
        lane.moved = lambda lane, before: None

    def _moved(self, lane: Lane, before: Job | None) -> None:
        """The job of a lane is another now."""
        if before is not None and self._cells.get(before.uid) is lane:
            del self._cells[before.uid]
        if lane.job is None:
            (self.away if lane.far else self.idle.setdefault(lane.place, {}))[lane.number] = lane
        else:
            self._cells[lane.job.uid] = lane
            self._busy(lane)

    def _busy(self, lane: Lane) -> None:
        self.away.pop(lane.number, None)
        here = self.idle.get(lane.place, {})
        here.pop(lane.number, None)
        if not here:
            self.idle.pop(lane.place, None)
