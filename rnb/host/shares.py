"""Which worker of a sweep visits which point. Pure.

Each has a share: neighbours in the order of visiting, so that it sees early parameters change as seldom as may be. One
that is through takes the later half of the share that will take longest, unless its owner is sooner through with all of
it than the other with the first point, for which it may have to run what the owner has at hand.
"""

from __future__ import annotations

from itertools import pairwise


class Shares:
    """Points, in the order of visiting, for `count` workers."""

    def __init__(self, order: list[int], count: int) -> None:
        cuts = [len(order) * i // count for i in range(count + 1)]
        self.left = [order[a:b] for a, b in pairwise(cuts)]
        self.pace: list[float | None] = [None] * count  # seconds of the last point of each
        self.dearest = 0.0  # seconds of the longest point so far

    def took(self, worker: int, seconds: float) -> None:
        """A point of this worker has ended."""
        self.pace[worker] = seconds
        self.dearest = max(self.dearest, seconds)

    def next(self, worker: int) -> int | None:
        """The next point for this worker, or None: the others do the rest."""
        if not self.left[worker]:
            self._steal(worker)
        return self.left[worker].pop(0) if self.left[worker] else None

    def _steal(self, worker: int) -> None:
        richest = max(range(len(self.left)), key=self._rest)
        rest = self.left[richest]
        if rest and self._rest(richest) >= self.dearest / 2:
            keeps = len(rest) // 2
            self.left[worker], self.left[richest] = rest[keeps:], rest[:keeps]

    def _rest(self, worker: int) -> float:
        """Seconds that its share will take; where nothing is known of that, the time of the longest for each."""
        pace = self.pace[worker]
        return len(self.left[worker]) * (self.dearest if pace is None else pace)

    def give_up(self) -> None:
        """No more points are visited."""
        for share in self.left:
            share.clear()
