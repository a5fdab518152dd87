"""Cells that may start before their turn, and whether what they gave is what they would have given in turn.

A round goes cell by cell, in the order of a fresh run, and stays so: it alone decides what runs and what is shown. With
several processes, cells are started before it comes to them, as soon as all that they read is there. When the round
comes to such a cell, its run counts if it saw what the round would have shown it; else it runs again. What can't be
settled so (a change of something that other processes hold copies of) *breaks* the order: then one process runs all.

`Ahead` knows which cells were started and how they ended; it is pure. What must not overtake waits: `pinned` cells are
run by one process in order, and a cell that changes a value (`changers`) waits for its readers before it, as those behind it wait for the cell.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left
from collections.abc import Iterable, Iterator

from rnb.messages import CellEnded
from rnb.plan.round import Round
from rnb.plan.world import GOOD, SETUP, UNBOUND, Key, key_of

Wanted = dict[Key, str]
NOBODY: frozenset[int] = frozenset()
STATEFUL = frozenset(("Generator", "RandomState", "Random", "generator", "cycle", "count", "map", "filter", "zip"))


class Survey:
    """What of the setup must not be used out of order: names, and groups of names that share memory."""

    def __init__(self, stateful: Iterable[str] = (), groups: Iterable[list[str]] = ()):
        self.stateful = set(stateful)
        self.groups = [set(group) for group in groups]

    def together(self, names: set[str]) -> set[str]:
        found, grown = set(names), True
        while grown:
            more = {name for group in self.groups if group & found for name in group} - found
            found |= more
            grown = bool(more)
        return found


class Ahead:
    """Of one round. `pinned`: cells for one process, in order; `seeded`: random numbers must come in order."""

    def __init__(self, round: Round, pinned: set[int], changers: dict[Key, set[int]], survey: Survey, seeded: bool):
        self.round, self.links = round, round.links
        self.pinned, self.changers, self.survey, self.seeded = pinned, changers, survey, seeded
        self.started: set[int] = set()
        self.ended: dict[int, CellEnded] = {}  # and not retired
        self.changed: dict[Key, dict[int, str]] = {}  # by cells in `ended`
        self.ties: dict[Key, dict[Key, int]] = {}  # values that share memory, and the cell that made it so
        self.parked: dict[int, list[int]] = {}  # cells that wait for this one
        self.heap = [self.links.place[uid] for uid in round.waiting]
        heapq.heapify(self.heap)
        self.pins = sorted(pinned, key=self.links.place.__getitem__)

    # ------------------------------------------------------------------ which may start

    def pop(self) -> int | None:
        """The first cell in order that may start now."""
        while self.heap:
            uid = self.links.order[heapq.heappop(self.heap)]
            if uid not in self.round.waiting or uid in self.started or self.round.sight.block(uid) is not None:
                continue
            before = self._waits_for(uid)
            if before is None:
                return uid
            self.parked.setdefault(before, []).append(uid)
        return None

    def put_back(self, uids: Iterable[int]) -> None:
        for uid in uids:
            heapq.heappush(self.heap, self.links.place[uid])

    def wake(self, uid: int) -> None:
        """`uid` has ended, or the round is past it: look again at the cells that wait for it."""
        self.put_back(self.parked.pop(uid, ()))

    def _waits_for(self, uid: int) -> int | None:
        """A cell that must end before `uid` may start, or None: of several the one that is likely to end last."""
        links = self.links
        for ref in reversed(links.cells[uid].refs):
            key = links.owner_key(ref)
            if not self._is_there(key[0]):
                return key[0]
            changers = self.changers.get(key, NOBODY)
            for reader in self._before(uid, links.slot_readers.get(key, [])) if changers else ():
                if (uid in changers or reader in changers) and not self._is_over(reader):
                    return reader
        for other in self._before(uid, self.pins) if uid in self.pinned else ():
            if not self._is_over(other):
                return other
        return None

    def _before(self, uid: int, cells: list[int]) -> Iterator[int]:
        """Those of `cells`, which are in order, that stand before `uid` and may not be over: the last one first."""
        place = self.links.place
        here, since = (bisect_left(cells, p, key=place.__getitem__) for p in (place[uid], self.round.queue.decided()))
        return (cells[i] for i in range(here - 1, since - 1, -1))

    def _is_there(self, owner: int) -> bool:
        """Whether the values of `owner` are made."""
        if owner in self.ended:
            return self.ended[owner].outcome == GOOD
        return self._is_over(owner) and self.round.world.standing.get(owner, ("", ""))[0] == GOOD

    def _is_over(self, uid: int) -> bool:
        return uid in self.ended or (uid not in self.round.waiting and uid not in self.started)

    # ------------------------------------------------------------------ what they see

    def first(self, key: Key) -> str | None:
        """The fingerprint of a value as its owner made it, ahead or in turn."""
        report = self.ended.get(key[0])
        if report is None:
            return self.round.sight.first(key)
        value = report.values.get(key[1]) if report.outcome == GOOD else None
        return value.fingerprint if value is not None else UNBOUND

    def expected(self, key: Key, uid: int) -> str | None:
        """What `uid` is to be shown, as far as is known now."""
        place = self.links.place
        changers = {**self.round.sight.mutators.get(key, {}), **self.changed.get(key, {})}
        made = place.get(key[0], -1)  # the setup is before all
        before = [other for other in changers if made < place.get(other, -1) < place[uid]]
        return changers[max(before, key=place.__getitem__)] if before else self.first(key)

    def wanted(self, uid: int) -> Wanted:
        """The values that `uid` reads, each in the state that it is to see; those that do not exist are left out."""
        found = {}
        for ref in self.links.cells[uid].refs:
            key = self.links.owner_key(ref)
            state = self.expected(key, uid)
            if state is not None and state != UNBOUND:
                found[key] = state
        return found

    def begins(self, uid: int) -> None:
        self.started.add(uid)
        self._drop(uid)

    def called_back(self, uid: int) -> None:
        """It was to start, and did not."""
        self.started.discard(uid)
        self.put_back([uid])

    def forget(self, uid: int) -> None:
        """Its end, as it was known, is none."""
        self._drop(uid)
        self.called_back(uid)

    def ends(self, uid: int, report: CellEnded) -> None:
        self.ended[uid] = report
        for change in report.changed:
            self.changed.setdefault(key_of(change), {})[uid] = change.after
        for slot, value in report.values.items():
            if not value.travels or value.type in STATEFUL:
                self.changers[uid, slot] = set(self.links.slot_readers.get((uid, slot), ()))
        self.ties_of(uid, report)
        self.wake(uid)

    def ties_of(self, uid: int, report: CellEnded) -> None:
        """What a run made one object with another."""
        for slot, value in report.values.items():
            self._tie((uid, slot), value.aliases, uid)
        for change in report.changed:
            self._tie(key_of(change), change.aliases, uid)

    def _tie(self, key: Key, others: Iterable[Key], uid: int) -> None:
        for other in others:
            self.ties.setdefault(key, {})[other] = uid
            self.ties.setdefault(other, {})[key] = uid

    def _drop(self, uid: int) -> None:
        report = self.ended.pop(uid, None)
        for change in report.changed if report else ():
            self.changed.get(key_of(change), {}).pop(uid, None)

    # ------------------------------------------------------------------ in turn

    def holds(self, uid: int, seen: Wanted) -> bool:
        """Whether a run that saw `seen` is what the round would get now."""
        links, sight = self.links, self.round.sight
        now = {(key, sight.expected(key, uid)) for key in map(links.owner_key, links.cells[uid].refs)}
        return seen == {key: state for key, state in now if state is not None and state != UNBOUND}

    def retires(self, uid: int) -> None:
        """The round has taken (or settled) this cell."""
        self._drop(uid)
        self.started.discard(uid)
        self.wake(uid)

    def breaks(self, uid: int, report: CellEnded, where: dict[int, int]) -> str:
        """Why the run of `uid` can't stand beside those of other processes; "" if it can. `where`: uid -> process."""
        if report.drew and self.seeded and uid not in self.pinned:
            return "random numbers are drawn in order"
        names = {change.slot for change in report.changed if change.owner is None}
        if names and not self._alone(uid, self.survey.together(names)):
            return f"`{min(names)}` of the setup was changed in place"
        for key in (key_of(change) for change in report.changed if change.owner is not None):
            for other, maker in self._tied(key):
                before = self.links.place.get(maker, -1) < self.links.place[uid]
                if before and maker != uid and where.get(maker) != where.get(uid) and other[0] != SETUP:
                    return f"`{key[1] or self.links.cells[key[0]].id}` was changed in place, and another value holds it"
        return ""

    def _alone(self, uid: int, names: set[str]) -> bool:
        """Whether all that use these names are pinned, or only `uid` does."""
        readers = {reader for name in names for reader in self.links.setup_readers.get(name, ())}
        return readers <= {uid} or (uid in self.pinned and readers <= self.pinned)

    def _tied(self, key: Key) -> Iterator[tuple[Key, int]]:
        seen, todo = {key}, [key]
        while todo:
            for other, maker in self.ties.get(todo.pop(), {}).items():
                yield other, maker
                if other not in seen:
                    seen.add(other)
                    todo.append(other)
