"""Which cells of a round wait for their turn, why, and which of them run whatever their memo says.

`Queue` owns the order of a round and its end: the cells in run order, and how often one may be made to run before only a
fresh run of everything will do. It looks at no value.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable

from rnb.messages import Why
from rnb.plan.links import Links

FORCED_RUNS = 4  # of one cell in one round; beyond it everything runs once more from the start


class Queue:
    """`why` are all cells that may run, with reasons; `waiting` those that have not been decided; `only` those that may
    run at all (None: all)."""

    def __init__(self, links: Links, only: set[int] | None, why: dict[int, tuple[Why, ...]], waiting: set[int]):
        self.links, self.only, self.why, self.waiting = links, only, why, waiting
        waiting |= set(why)
        self.forced: dict[int, list[Why]] = {}
        self.runs: dict[int, int] = {}
        self.over = False  # called off: nothing more begins
        self.tangled = False  # only a fresh run will do
        self.afresh = False  # it is under way: all that a cell reads has been made in order
        self.dead: set[int] = set()  # cells in which the kernel died: tried again in the next round at the earliest
        self.begun: int | None = None  # the cell that began last
        self._heap = [links.place[uid] for uid in why]
        heapq.heapify(self._heap)

    def first(self) -> int | None:
        """The first of the waiting cells in run order."""
        while self._heap:
            uid = self.links.order[self._heap[0]]
            if uid in self.waiting:
                return uid
            heapq.heappop(self._heap)
        return None

    def decided(self) -> int:
        """The place in run order before which every cell has its end."""
        return min(self.links.place[uid] for uid in (self.first(), self.begun, self.links.order[-1]) if uid is not None)

    def leave(self, uid: int) -> None:
        """It is decided, for now."""
        self.waiting.discard(uid)
        self.forced.pop(uid, None)

    def begin(self, uid: int) -> None:
        self.leave(uid)
        self.begun = uid
        self.runs[uid] = self.runs.get(uid, 0) + 1

    def again(self, uid: int) -> None:
        self.waiting.add(uid)
        heapq.heappush(self._heap, self.links.place[uid])

    def allowed(self, uid: int) -> bool:
        return self.only is None or uid in self.only

    def consider(self, uid: int, *why: Why) -> None:
        """It may have to run, or its standing may change."""
        if self.allowed(uid) and not self.over and uid not in self.dead:
            self.why.setdefault(uid, why)
            self.again(uid)

    def force(self, uid: int, why: Why) -> None:
        """It runs whatever its memo says."""
        if self.worn(uid):
            self.tangle()
        elif self.allowed(uid):
            self.forced.setdefault(uid, []).append(why)
            self.consider(uid, why)

    def worn(self, uid: int) -> bool:
        """It has run so often that only a fresh run of everything will do."""
        return self.runs.get(uid, 0) >= FORCED_RUNS

    def tangle(self) -> None:
        self.tangled = not self.over

    def start_over(self, why: Why) -> None:
        """Every cell is to run once more, in order."""
        self.tangled, self.afresh = False, True
        self.runs.clear()
        self.forced.clear()
        for uid in self.links.order:
            if self.allowed(uid) and uid not in self.dead:
                self.forced[uid] = [why]
                self.consider(uid, why)

    def call_off(self) -> list[int]:
        """Nothing more is to run: the cells that have not started, in run order."""
        self.over, self.tangled = True, False
        called_off = self.in_order(self.waiting)
        self.waiting.clear()
        self._heap.clear()
        return called_off

    def in_order(self, uids: Iterable[int]) -> list[int]:
        return sorted(uids, key=self.links.place.__getitem__)
