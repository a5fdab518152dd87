"""Which worker takes a cell: one that may, that can get all that the cell reads, and that needs the fewest bytes for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnb.host.lane import FAR, Lane
from rnb.host.transfers import Stored
from rnb.plan.ahead import Wanted
from rnb.plan.world import Key

if TYPE_CHECKING:
    from rnb.host.crew import Crew


class Choice:
    """Looks at the crew's workers and at where values lie; changes neither, save that it may have the crew hire."""

    def __init__(self, crew: Crew):
        self.crew = crew
        self.near: dict[int, int] = {}  # cells that had better run in this place

    def homes(self, wanted: Wanted) -> dict[int, list[Key]]:
        """Lanes that must run who reads this, since the values can't leave them."""
        homes: dict[int, list[Key]] = {}
        for key, state in wanted.items():
            if key in self.crew.transfers.stays and self.crew.transfers.parcel(key, state) is None:
                for number in self.crew.transfers.holders(key, state):
                    homes.setdefault(number, []).append(key)
        return homes

    def lacking(self, uid: int) -> set[Key]:
        """What this cell reads and can't be given: it is to be made again. What can't leave several places is made again
        in one of them."""
        crew = self.crew
        assert crew.ahead is not None
        wanted = crew.ahead.wanted(uid)
        gone = {key for key, state in wanted.items() if not crew.transfers.is_known(key, state)}
        homes = self.homes(wanted)
        if gone or not homes:
            return gone
        pinned = uid in crew.ahead.pinned and crew.roster.lanes.own
        home = crew.roster.lanes.first.place if pinned else min(homes)
        gone = {key for place, keys in homes.items() if place != home for key in keys}
        self.near.update((key[0], home) for key in gone)
        crew.session.ask_again([crew.session.cells[key[0]].id for key in gone])
        return gone

    def choose(self, uid: int) -> Lane | None:
        """The worker that can take this cell now with the fewest bytes to bring; None if there is none."""
        assert self.crew.ahead is not None
        wanted = self.crew.ahead.wanted(uid)
        homes = self.homes(wanted)
        if len(homes) > 1 and not any(set(homes[n]) == {k for ks in homes.values() for k in ks} for n in homes):
            return None
        own = self.crew.roster.lanes.own
        if uid in self.crew.ahead.pinned and not own:
            return self.crew.roster.hire()
        if self.crew.afar is not None and not homes and self.crew.afar.may(uid):
            return self.crew.afar.lane() if self.missing(wanted, FAR) is not None else None
        if uid in self.crew.ahead.pinned:
            first = self.crew.roster.lanes.first
            idle = [first] if first.idle else []
        else:
            idle = self._worth_asking(uid, wanted)
        if homes:
            everything = {key for keys in homes.values() for key in keys}
            idle = [lane for lane in idle if set(homes.get(lane.place, ())) == everything]
        able = [(cost, lane.number, lane) for lane in idle if (cost := self._cost(lane, uid, wanted)) is not None]
        if able:
            return min(able, key=lambda one: one[:2])[2]
        if homes or uid in self.crew.ahead.pinned or own >= self.crew.jobs:
            return None
        if self.missing(wanted, -1) is None:
            return None
        return self.crew.roster.hire()

    def _worth_asking(self, uid: int, wanted: Wanted) -> list[Lane]:
        """One idle lane of each place that has something of what the cell reads, and one of all the others, which are alike."""
        lanes, transfers = self.crew.roster.lanes, self.crew.transfers
        if not lanes.idle:
            return []
        places, todo, seen = {lanes.first.place, self.near.get(uid)}, dict(wanted), dict[Key, str]()
        while todo:
            key, state = todo.popitem()
            if seen.get(key) != state:
                seen[key] = state
                places.update(transfers.holders(key, state))
                parcel = transfers.parcel(key, state)
                todo.update(parcel.needs if parcel is not None else {})
        places.add(min((place for place in lanes.idle if place not in places), default=None))
        return [next(iter(lanes.idle[place].values())) for place in places if place in lanes.idle]

    def _cost(self, lane: Lane, uid: int, wanted: Wanted) -> int | None:
        missing = self.missing(wanted, lane.place)
        if missing is None:
            return None
        near = self.near.get(uid)
        ahead, lanes = self.crew.ahead, self.crew.roster.lanes
        if near is None and ahead is not None and ahead.pinned.intersection(ahead.links.readers[uid]):
            near = lanes.first.place
        return sum(1 + self.crew.transfers.sizes.get(key, 0) for key in missing) + (near not in (None, lane.place))

    def missing(self, wanted: Wanted, place: int) -> Wanted | None:
        """What must be brought to this place, in the order in which it must come; None if it can't be had now."""
        found: Wanted = {}
        todo = list(wanted.items())
        while todo:
            key, state = todo.pop()
            if self.crew.transfers.is_at(key, state, place) or found.get(key) == state:
                continue
            if found.pop(key, state) != state or wanted.get(key, state) != state:
                return None
            found[key] = state
            parcel = self.crew.transfers.parcel(key, state)
            if isinstance(parcel, Stored) and any(
                wanted.get((key[0], slot), made) != made for slot, made in parcel.slots.items()
            ):  # it would bring back what has been changed since
                return None
            if parcel is not None:
                todo += parcel.needs.items()
            elif not self.source(key, state):
                return None
        return dict(reversed(found.items()))

    def source(self, key: Key, state: str) -> Lane | None:
        """A lane that can give this now."""
        for number in self.crew.transfers.holders(key, state):
            lane = self.crew.roster.giver(number)
            if lane is not None and key not in self.crew.transfers.stays:
                return lane
        return None

    def pull(self, uid: int, lane: Lane) -> None:
        """What of this cell can't leave its worker is best joined there by what it will meet."""
        assert self.crew.ahead is not None
        links = self.crew.ahead.links
        if not self.crew.transfers.stays.isdisjoint((uid, slot) for slot in self.crew.transfers.slots.get(uid, ())):
            for reader in links.readers[uid]:
                for ref in links.cells[reader].refs:
                    self.near.setdefault(links.by_id[ref.owner], lane.place)
