"""The plan before anything runs: every cell that may run or change its standing, with reasons.

It assumes that whatever runs changes all that it can: readers of what may run may run, and so may those that made or
changed a value which it reads and which is not what it was, and later readers of what it may change.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable

from rnb.messages import Why
from rnb.plan.sight import Sight
from rnb.plan.world import GOOD, SETUP, Key

NEW = Why("new")


class Forecast:
    """`why` is complete after `look`; `only` limits the cells that may run at all."""

    def __init__(self, sight: Sight, only: set[int] | None):
        self.sight, self.only = sight, only
        self.why: dict[int, list[Why]] = {}
        self.heap: list[int] = []
        self.covered: dict[Key, int] = {}  # readers of this value behind this place are in already

    def look(self, seeds: Iterable[int]) -> dict[int, tuple[Why, ...]]:
        sight, links = self.sight, self.sight.links
        for uid in seeds:
            blocked = sight.block(uid) is not None
            why = sight.certain(uid) if not blocked else [NEW] if uid not in sight.world.memos else []
            if (why and not blocked) or sight.standing_differs(uid):
                self._may(uid, *why)
        while self.heap:
            uid = links.order[heapq.heappop(self.heap)]
            for ref in links.readers[uid]:
                self._reader(uid, ref)
            memo = sight.world.memos.get(uid)
            for change in memo.changed if memo else ():
                owner = SETUP if change.owner is None else change.owner
                self._later_readers((owner, change.slot), uid, change.name)
            if sight.block(uid) is None:
                for name, key in sight.keys(uid):
                    self._value(uid, name, key)
        return {uid: tuple(why) for uid, why in self.why.items()}

    def _may(self, uid: int, *why: Why) -> None:
        if self.only is not None and uid not in self.only:
            return
        known = self.why.get(uid)
        if known is None:
            known = self.why[uid] = []
            self.sight.waiting.add(uid)
            heapq.heappush(self.heap, self.sight.links.place[uid])
        for one in why:
            if one not in known and NEW not in known:
                known.append(one)

    def _reader(self, owner: int, reader: int) -> None:
        links = self.sight.links
        name = next(ref.name for ref in links.cells[reader].refs if links.by_id[ref.owner] == owner)
        self._may(reader, Why("ref", name))

    def _value(self, uid: int, name: str, key: Key) -> None:
        """`uid` may run and read `key`: its owner may have to make it again; later readers may see it changed."""
        sight, owner = self.sight, key[0]
        actual, expected = sight.actual(key), sight.expected(key, uid)
        if owner != SETUP and actual is None:
            memo = sight.world.memos.get(owner)
            if memo is not None and memo.outcome == GOOD:
                self._may(owner, Why("lost", name))
        elif expected is not None and (key in sight.mutators or actual != expected):
            why = Why("mutation", name)
            if uid in sight.mutators.get(key, ()) or actual != expected:
                if owner != SETUP:
                    self._may(owner, why)
                for other in sight.changers(key, uid):
                    self._may(other, why)
        if sight.mutable(key):
            self._later_readers(key, uid, name)

    def _later_readers(self, key: Key, uid: int, name: str) -> None:
        place = self.sight.links.place[uid]
        done = self.covered.get(key)
        if done is not None and done <= place:
            return
        self.covered[key] = place
        for reader in self.sight.later_readers(key, place):
            if Why("ref", name) not in self.why.get(reader, ()):  # a new value says it already
                self._may(reader, Why("mutation", name))
